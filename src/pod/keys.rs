//! Every key that a service can have in Compose, old and new, and what podlike makes of it.

/// What podlike makes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It does what Compose says.
    Supported,
    /// It has no meaning in a pod: a warning says why.
    Ignored(&'static str),
    /// A component without it would not be what was asked for: an error says why.
    Refused(&'static str),
}

use Class::{Ignored, Refused, Supported};

const NETWORK: &str = "a component has the controller's network";
const NAMES: &str = "names are the network's, which is the controller's: set it on the controller's service";
const PORTS: &str = "a component has the controller's network: publish ports on the controller's service";
const WINDOWS: &str = "only Windows has it";

/// All of them, in the order of the alphabet. Beside these there are `x-*`, which are left alone.
pub const KEYS: [(&str, Class); 94] = [
    ("annotations", Supported),
    ("attach", Supported),
    ("blkio_config", Supported),
    ("build", Ignored("podlike builds nothing: build the image before, and name it with 'image'")),
    ("cap_add", Supported),
    ("cap_drop", Supported),
    ("cgroup", Supported),
    ("cgroup_parent", Supported),
    ("command", Supported),
    ("configs", Supported),
    ("container_name", Ignored("the name is CONTROLLER.podlike.NAME, so that every replica has its own")),
    ("cpu_count", Ignored(WINDOWS)),
    ("cpu_percent", Ignored(WINDOWS)),
    ("cpu_period", Supported),
    ("cpu_quota", Supported),
    ("cpu_rt_period", Supported),
    ("cpu_rt_runtime", Supported),
    ("cpu_shares", Supported),
    ("cpus", Supported),
    ("cpuset", Supported),
    ("credential_spec", Refused(WINDOWS)),
    ("depends_on", Supported),
    ("deploy", Supported),
    ("develop", Ignored("it is for development with Compose")),
    ("device_cgroup_rules", Supported),
    ("devices", Supported),
    ("dns", Ignored(NAMES)),
    ("dns_opt", Ignored(NAMES)),
    ("dns_search", Ignored(NAMES)),
    ("domainname", Ignored(NAMES)),
    ("entrypoint", Supported),
    ("env_file", Supported),
    ("environment", Supported),
    ("expose", Ignored("components reach each other on localhost")),
    ("extends", Supported),
    ("external_links", Ignored(NETWORK)),
    ("extra_hosts", Ignored(NAMES)),
    ("gpus", Supported),
    ("group_add", Supported),
    ("healthcheck", Supported),
    ("hostname", Ignored(NAMES)),
    ("image", Supported),
    ("init", Supported),
    ("ipc", Supported),
    ("isolation", Supported),
    ("label_file", Supported),
    ("labels", Supported),
    ("links", Ignored("components reach each other on localhost")),
    ("logging", Supported),
    ("mac_address", Ignored(NETWORK)),
    ("mem_limit", Supported),
    ("mem_reservation", Supported),
    ("mem_swappiness", Supported),
    ("memswap_limit", Supported),
    ("models", Refused("podlike runs no models: without them the component would miss what it asks for")),
    ("network_mode", Ignored(NETWORK)),
    ("networks", Ignored("a component has the controller's network: set networks on the controller's service")),
    ("oom_kill_disable", Supported),
    ("oom_score_adj", Supported),
    ("pid", Supported),
    ("pids_limit", Supported),
    ("platform", Supported),
    ("ports", Ignored(PORTS)),
    ("post_start", Supported),
    ("pre_start", Supported),
    ("pre_stop", Supported),
    ("privileged", Supported),
    ("profiles", Supported),
    ("provider", Refused("it makes no container that could be a component")),
    ("pull_policy", Supported),
    ("pull_refresh_after", Supported),
    ("read_only", Supported),
    ("restart", Supported),
    ("runtime", Supported),
    ("scale", Ignored("a pod has one of each: scale the controller's service")),
    ("secrets", Supported),
    ("security_opt", Supported),
    ("shm_size", Supported),
    ("stdin_open", Supported),
    ("stop_grace_period", Supported),
    ("stop_signal", Supported),
    ("storage_opt", Supported),
    ("sysctls", Supported),
    ("tmpfs", Supported),
    ("tty", Supported),
    ("ulimits", Supported),
    (
        "use_api_socket",
        Refused("it would make the component root on the host: if that is wanted, name the socket under 'volumes'"),
    ),
    ("user", Supported),
    ("userns_mode", Supported),
    ("uts", Supported),
    ("volume_driver", Supported),
    ("volumes", Supported),
    ("volumes_from", Supported),
    ("working_dir", Supported),
];

/// What podlike makes of a key; none for one that Compose does not have.
pub(super) fn class(key: &str) -> Option<Class> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, class)| *class)
}
