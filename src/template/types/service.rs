//! `types.ServiceConfig` and what belongs to a service alone.

use crate::gotemplate::{Field, StructType, Type};

use super::deploy::{CREDENTIAL_SPEC, DEPLOY};
use super::mounts::{CONFIGS, SECRETS, VOLUMES};
use super::{
    ANY, BOOL, BOOL_OR_NIL, DURATION_OR_NIL, INT, PAIRS, TEXT, TEXTS, UINT32, UINT64_OR_NIL, ULIMITS,
    VARIABLES_OF_ENVIRONMENT, field, newer, plain, structure,
};

/// A service.
pub(in crate::template) static SERVICE: StructType = structure("types.ServiceConfig", SERVICE_FIELDS);

static BUILD: Type = Type::Struct(&BUILD_TYPE);
static HEALTHCHECK: Type = Type::Pointer(&HEALTHCHECK_VALUE);
static HEALTHCHECK_VALUE: Type = Type::Struct(&HEALTHCHECK_TYPE);
static LOGGING: Type = Type::Pointer(&LOGGING_VALUE);
static LOGGING_VALUE: Type = Type::Struct(&LOGGING_TYPE);
static NETWORKS: Type = Type::Map(&NETWORK);
static NETWORK: Type = Type::Pointer(&NETWORK_VALUE);
static NETWORK_VALUE: Type = Type::Struct(&NETWORK_TYPE);
static PORTS: Type = Type::List(&PORT);
static PORT: Type = Type::Struct(&PORT_TYPE);
static LIMITS: Type = Type::Map(&LIMIT);
static LIMIT: Type = Type::Pointer(&LIMIT_VALUE);
static LIMIT_VALUE: Type = Type::Struct(&LIMIT_TYPE);
static OPTIONS: Type = Type::Map(&ANY);

const SERVICE_FIELDS: &[Field] = &[
    plain("Name", "", &TEXT),
    field("Build", "build", &BUILD),
    field("CapAdd", "cap_add", &TEXTS),
    field("CapDrop", "cap_drop", &TEXTS),
    field("CgroupParent", "cgroup_parent", &TEXT),
    field("Command", "command", &TEXTS),
    field("Configs", "configs", &CONFIGS),
    field("ContainerName", "container_name", &TEXT),
    field("CredentialSpec", "credential_spec", &CREDENTIAL_SPEC),
    field("DependsOn", "depends_on", &TEXTS),
    field("Deploy", "deploy", &DEPLOY),
    field("Devices", "devices", &TEXTS),
    field("DNS", "dns", &TEXTS),
    field("DNSSearch", "dns_search", &TEXTS),
    field("DomainName", "domainname", &TEXT),
    field("Entrypoint", "entrypoint", &TEXTS),
    field("Environment", "environment", &VARIABLES_OF_ENVIRONMENT),
    field("EnvFile", "env_file", &TEXTS),
    field("Expose", "expose", &TEXTS),
    field("ExternalLinks", "external_links", &TEXTS),
    field("ExtraHosts", "extra_hosts", &TEXTS),
    field("Hostname", "hostname", &TEXT),
    field("HealthCheck", "healthcheck", &HEALTHCHECK),
    field("Image", "image", &TEXT),
    field("Ipc", "ipc", &TEXT),
    field("Labels", "labels", &PAIRS),
    field("Links", "links", &TEXTS),
    field("Logging", "logging", &LOGGING),
    field("MacAddress", "mac_address", &TEXT),
    field("NetworkMode", "network_mode", &TEXT),
    field("Networks", "networks", &NETWORKS),
    field("Pid", "pid", &TEXT),
    field("Ports", "ports", &PORTS),
    field("Privileged", "privileged", &BOOL),
    field("ReadOnly", "read_only", &BOOL),
    field("Restart", "restart", &TEXT),
    field("Secrets", "secrets", &SECRETS),
    field("SecurityOpt", "security_opt", &TEXTS),
    field("StdinOpen", "stdin_open", &BOOL),
    field("StopGracePeriod", "stop_grace_period", &DURATION_OR_NIL),
    field("StopSignal", "stop_signal", &TEXT),
    field("Tmpfs", "tmpfs", &TEXTS),
    field("Tty", "tty", &BOOL),
    field("Ulimits", "ulimits", &LIMITS),
    field("User", "user", &TEXT),
    field("Volumes", "volumes", &VOLUMES),
    field("WorkingDir", "working_dir", &TEXT),
    field("Isolation", "isolation", &TEXT),
    newer("CgroupNSMode", "cgroupns_mode", &TEXT),
    newer("Init", "init", &BOOL_OR_NIL),
    newer("OomScoreAdj", "oom_score_adj", &super::INT64),
    newer("ShmSize", "shm_size", &TEXT),
    newer("Sysctls", "sysctls", &PAIRS),
    newer("UserNSMode", "userns_mode", &TEXT),
];

static BUILD_TYPE: StructType = structure(
    "types.BuildConfig",
    &[
        field("Context", "context", &TEXT),
        field("Dockerfile", "dockerfile", &TEXT),
        field("Args", "args", &VARIABLES_OF_ENVIRONMENT),
        field("Labels", "labels", &PAIRS),
        field("CacheFrom", "cache_from", &TEXTS),
        field("Network", "network", &TEXT),
        field("Target", "target", &TEXT),
        newer("ExtraHosts", "extra_hosts", &TEXTS),
    ],
);

static HEALTHCHECK_TYPE: StructType = structure(
    "types.HealthCheckConfig",
    &[
        field("Test", "test", &TEXTS),
        field("Timeout", "timeout", &DURATION_OR_NIL),
        field("Interval", "interval", &DURATION_OR_NIL),
        field("Retries", "retries", &UINT64_OR_NIL),
        field("StartPeriod", "start_period", &DURATION_OR_NIL),
        field("Disable", "disable", &BOOL),
        newer("StartInterval", "start_interval", &DURATION_OR_NIL),
    ],
);

static LOGGING_TYPE: StructType =
    structure("types.LoggingConfig", &[field("Driver", "driver", &TEXT), field("Options", "options", &PAIRS)]);

static NETWORK_TYPE: StructType = structure(
    "types.ServiceNetworkConfig",
    &[
        field("Aliases", "aliases", &TEXTS),
        field("Ipv4Address", "ipv4_address", &TEXT),
        field("Ipv6Address", "ipv6_address", &TEXT),
        newer("DriverOpts", "driver_opts", &OPTIONS),
    ],
);

static PORT_TYPE: StructType = structure(
    "types.ServicePortConfig",
    &[
        field("Mode", "mode", &TEXT),
        field("Target", "target", &UINT32),
        field("Published", "published", &UINT32),
        field("Protocol", "protocol", &TEXT),
    ],
);

static LIMIT_TYPE: StructType =
    structure(ULIMITS, &[field("Single", "single", &INT), field("Soft", "soft", &INT), field("Hard", "hard", &INT)]);
