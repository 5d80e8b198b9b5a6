//! What a stack is made of: docker/cli's schemas up to 3.13, as tables in the order of its structs. A newer key is one
//! more row.

use super::form::{Field, Form, Object, closed, field, open, pointer};

/// Keys of a service that Compose of version 2 has and a stack must not have, and what to write instead.
pub(super) const FORBIDDEN: [(&str, &str); 8] = [
    ("cpu_quota", "'deploy.resources.limits.cpus' limits it"),
    ("cpu_shares", "'deploy.resources.reservations.cpus' reserves some"),
    ("cpuset", "'deploy.resources.limits.cpus' limits them"),
    ("extends", "'<<' merges what services share"),
    ("mem_limit", "'deploy.resources.limits.memory' limits it"),
    ("memswap_limit", "'deploy.resources.limits.memory' limits the memory"),
    ("volume_driver", "a volume's 'driver' stands in the top-level 'volumes'"),
    ("volumes_from", "services share a volume of the top-level 'volumes'"),
];

/// The sections of a stack, and what their entries are.
pub(super) const SECTIONS: [(&str, Form); 5] = [
    ("services", Form::Object(&SERVICE)),
    ("networks", Form::Optional(&Form::Object(&NETWORK))),
    ("volumes", Form::Optional(&Form::Object(&VOLUME))),
    ("secrets", Form::Object(&SECRET)),
    ("configs", Form::Object(&CONFIG)),
];

const TEXTS: Form = Form::List(&Form::Text);
const SET: Form = Form::Set(&Form::Text);

/// A service.
pub(super) static SERVICE: Object = closed(&[
    field("build", Form::Short("context", &Form::Object(&BUILD))),
    field("cap_add", SET),
    field("cap_drop", SET),
    field("cgroupns_mode", Form::Text),
    field("cgroup_parent", Form::Text),
    field("command", Form::Command),
    field("configs", Form::List(&Form::Short("source", &Form::Object(&MOUNTED_FILE)))),
    field("container_name", Form::Text),
    field("credential_spec", Form::Object(&CREDENTIAL_SPEC)),
    field("depends_on", Form::Dependencies),
    field("deploy", Form::Optional(&Form::Object(&DEPLOY))),
    field("devices", SET),
    field("dns", Form::OneOrMore),
    field("dns_search", Form::OneOrMore),
    field("domainname", Form::Text),
    field("entrypoint", Form::Command),
    field("environment", Form::Variables),
    field("env_file", Form::OneOrMore),
    field("expose", Form::Set(&Form::Word)),
    field("external_links", SET),
    field("extra_hosts", Form::Hosts),
    field("group_add", Form::Set(&Form::Word)),
    field("hostname", Form::Text),
    pointer("healthcheck", Form::Object(&HEALTHCHECK)),
    field("image", Form::Text),
    pointer("init", Form::Bool),
    field("ipc", Form::Text),
    field("isolation", Form::Text),
    field("labels", Form::Pairs),
    field("links", SET),
    pointer("logging", Form::Object(&LOGGING)),
    field("mac_address", Form::Text),
    field("network_mode", Form::Text),
    field("networks", Form::Names(&Form::Optional(&Form::Object(&SERVICE_NETWORK)))),
    field("oom_score_adj", Form::Int),
    field("pid", Form::Optional(&Form::Text)),
    field("ports", Form::Ports),
    field("privileged", Form::Bool),
    field("read_only", Form::Bool),
    field("restart", Form::Text),
    field("secrets", Form::List(&Form::Short("source", &Form::Object(&MOUNTED_FILE)))),
    field("security_opt", SET),
    field("shm_size", Form::Word),
    field("stdin_open", Form::Bool),
    pointer("stop_grace_period", Form::Duration),
    field("stop_signal", Form::Text),
    field("sysctls", Form::Pairs),
    field("tmpfs", Form::OneOrMore),
    field("tty", Form::Bool),
    field("ulimits", Form::Map(&Form::NumberOr(&ULIMIT))),
    field("user", Form::Text),
    field("userns_mode", Form::Text),
    field("volumes", Form::Volumes),
    field("working_dir", Form::Text),
]);

/// A mapping of which only Docker knows the keys.
static ANY: Object = open(&[]);

static BUILD: Object = open(&[
    field("context", Form::Text),
    field("dockerfile", Form::Text),
    field("args", Form::Variables),
    field("labels", Form::Pairs),
    field("cache_from", SET),
    field("extra_hosts", Form::Hosts),
    field("network", Form::Text),
    field("target", Form::Text),
]);

static CREDENTIAL_SPEC: Object =
    closed(&[field("config", Form::Text), field("file", Form::Text), field("registry", Form::Text)]);

static DEPLOY: Object = closed(&[
    field("mode", Form::Text),
    pointer("replicas", Form::Count),
    field("labels", Form::Pairs),
    pointer("update_config", Form::Object(&UPDATE)),
    pointer("rollback_config", Form::Object(&UPDATE)),
    field("resources", Form::Object(&RESOURCES)),
    pointer("restart_policy", Form::Object(&RESTART_POLICY)),
    field("placement", Form::Object(&PLACEMENT)),
    field("endpoint_mode", Form::Text),
]);

static UPDATE: Object = closed(&[
    pointer("parallelism", Form::Count),
    field("delay", Form::Duration),
    field("failure_action", Form::Text),
    field("monitor", Form::Duration),
    field("max_failure_ratio", Form::Float),
    field("order", Form::Choice("an order of updates", &["start-first", "stop-first"])),
]);

static RESOURCES: Object =
    closed(&[pointer("limits", Form::Object(&LIMITS)), pointer("reservations", Form::Object(&RESERVATIONS))]);

static LIMITS: Object = closed(&[field("cpus", Form::Text), field("memory", Form::Bytes), field("pids", Form::Int)]);

static RESERVATIONS: Object = closed(&[
    field("cpus", Form::Text),
    field("memory", Form::Bytes),
    field("generic_resources", Form::List(&Form::Object(&GENERIC_RESOURCE))),
]);

static GENERIC_RESOURCE: Object = closed(&[pointer("discrete_resource_spec", Form::Object(&DISCRETE_RESOURCE))]);

static DISCRETE_RESOURCE: Object = closed(&[pointer("kind", Form::Text), pointer("value", Form::Int)]);

static RESTART_POLICY: Object = closed(&[
    field("condition", Form::Text),
    pointer("delay", Form::Duration),
    pointer("max_attempts", Form::Count),
    pointer("window", Form::Duration),
]);

static PLACEMENT: Object = closed(&[
    field("constraints", TEXTS),
    field("preferences", Form::List(&Form::Object(&PREFERENCE))),
    field("max_replicas_per_node", Form::Count),
]);

static PREFERENCE: Object = closed(&[field("spread", Form::Text)]);

static HEALTHCHECK: Object = closed(&[
    field("test", Form::Test),
    pointer("timeout", Form::Duration),
    pointer("interval", Form::Duration),
    pointer("retries", Form::Count),
    pointer("start_period", Form::Duration),
    pointer("start_interval", Form::Duration),
    field("disable", Form::Bool),
]);

static LOGGING: Object = closed(&[field("driver", Form::Text), field("options", Form::Options)]);

static SERVICE_NETWORK: Object = closed(&[
    field("aliases", SET),
    field("driver_opts", Form::Options),
    field("ipv4_address", Form::Text),
    field("ipv6_address", Form::Text),
]);

static MOUNTED_FILE: Object = open(&[
    field("source", Form::Text),
    field("target", Form::Text),
    field("uid", Form::Text),
    field("gid", Form::Text),
    pointer("mode", Form::Count),
]);

/// A port in the long syntax.
pub(super) static PORT: Object = closed(&[
    field("mode", Form::Text),
    field("target", Form::Count),
    field("published", Form::Count),
    field("protocol", Form::Text),
]);

static ULIMIT: Object = closed(&[pointer("soft", Form::Int), pointer("hard", Form::Int)]);

/// A volume of a service in the long syntax.
pub(super) static MOUNT: Object = closed(&[
    field("type", Form::Text),
    field("source", Form::Text),
    field("target", Form::Text),
    field("read_only", Form::Bool),
    field("consistency", Form::Text),
    pointer("bind", Form::Object(&MOUNT_BIND)),
    pointer("volume", Form::Object(&MOUNT_VOLUME)),
    pointer("image", Form::Object(&MOUNT_IMAGE)),
    pointer("tmpfs", Form::Object(&MOUNT_TMPFS)),
    pointer("cluster", Form::Object(&ANY)),
]);

static MOUNT_BIND: Object = open(&[field("propagation", Form::Text)]);
static MOUNT_VOLUME: Object = open(&[field("nocopy", Form::Bool), field("subpath", Form::Text)]);
static MOUNT_IMAGE: Object = open(&[field("subpath", Form::Text)]);
static MOUNT_TMPFS: Object = open(&[field("size", Form::Count)]);

/// A top-level network.
static NETWORK: Object = closed(&[
    NAME,
    field("driver", Form::Text),
    field("driver_opts", Form::Options),
    field("ipam", Form::Object(&IPAM)),
    field("external", Form::External),
    field("internal", Form::Bool),
    field("attachable", Form::Bool),
    field("labels", Form::Pairs),
]);

static IPAM: Object = closed(&[field("driver", Form::Text), field("config", Form::List(&Form::Object(&IPAM_POOL)))]);
static IPAM_POOL: Object = closed(&[field("subnet", Form::Text)]);

/// A top-level volume.
static VOLUME: Object = closed(&[
    NAME,
    field("driver", Form::Text),
    field("driver_opts", Form::Options),
    field("external", Form::External),
    field("labels", Form::Pairs),
    pointer("x-cluster-spec", Form::Object(&ANY)),
]);

/// A top-level secret.
static SECRET: Object = closed(&[
    NAME,
    field("file", Form::Path),
    field("external", Form::External),
    field("labels", Form::Pairs),
    field("driver", Form::Text),
    field("driver_opts", Form::Options),
    field("template_driver", Form::Text),
]);

/// A top-level config.
static CONFIG: Object = closed(&[
    NAME,
    field("file", Form::Path),
    field("external", Form::External),
    field("labels", Form::Pairs),
    field("template_driver", Form::Text),
]);

const NAME: Field = field("name", Form::Text);

/// What is `external` by another name.
pub(super) static EXTERNAL: Object = closed(&[NAME]);
