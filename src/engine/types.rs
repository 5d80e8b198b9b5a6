//! Requests and answers as the API spells them. Field names are the API's; what a field means is the API's reference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A version of the API, such as 1.41.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ApiVersion {
    /// The part before the dot.
    pub major: u32,
    /// The part behind it.
    pub minor: u32,
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.trim().split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let (major, minor) = parts.ok_or_else(|| format!("'{text}' is not an API version"))?;
        Ok(Self { major, minor })
    }
}

impl Serialize for ApiVersion {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiVersion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The part of `GET /version` that we read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// The engine's newest API version.
    pub api_version: ApiVersion,
}

/// The part of `GET /info` that we read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// The version of the engine, such as `20.10.24+dfsg1`.
    pub server_version: String,
    /// `cgroupfs`, `systemd` or `none`.
    pub cgroup_driver: String,
    /// `1` or `2`; engines before API 1.41 know only the first and don't say.
    pub cgroup_version: String,
    /// Whether containers outlive the engine.
    pub live_restore_enabled: bool,
    /// Whether it is Podman behind Docker's API; not of `GET /info`, but of the head of `GET /_ping`.
    pub podman: bool,
    /// The engine's newest API version; not of `GET /info` either.
    pub api: ApiVersion,
}

impl Info {
    /// The major version of the engine, if it says one.
    pub fn major(&self) -> Option<u32> {
        self.server_version.split('.').next()?.parse().ok()
    }
}

/// An entry of `GET /containers/json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerSummary {
    /// The id.
    pub id: String,
}

/// The part of `GET /containers/ID/json` that we read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerDetails {
    /// The id.
    pub id: String,
    /// The name with a leading `/`.
    pub name: String,
    /// The state.
    pub state: State,
    /// The id of its image.
    pub image: String,
    /// The configuration of the container.
    pub config: Config,
    /// Its host-dependent configuration.
    pub host_config: HostConfig,
    /// What is mounted in it.
    pub mounts: Vec<Mount>,
    /// Its root file system.
    #[serde(deserialize_with = "null_is_empty")]
    pub graph_driver: GraphDriver,
}

/// `GraphDriver` of a container; null with the containerd image store.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GraphDriver {
    /// What the driver tells, such as `UpperDir` of the writable layer.
    #[serde(deserialize_with = "null_is_empty")]
    pub data: BTreeMap<String, String>,
}

/// `State` of a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct State {
    /// Whether it runs.
    pub running: bool,
    /// Its last exit code.
    pub exit_code: i64,
    /// Its health, if it has a health check.
    pub health: Option<HealthState>,
}

/// `State.Health` of a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthState {
    /// `starting`, `healthy`, `unhealthy` or `none`.
    pub status: String,
}

/// `Config` of a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// Labels.
    #[serde(deserialize_with = "null_is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Environment, as `KEY=VALUE`.
    #[serde(deserialize_with = "null_is_empty")]
    pub env: Vec<String>,
    /// Whether it has a terminal.
    pub tty: bool,
    /// The health check, the image's included.
    pub healthcheck: Option<ConfiguredCheck>,
}

/// `Config.Healthcheck` of a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ConfiguredCheck {
    #[serde(deserialize_with = "null_is_empty")]
    test: Vec<String>,
}

impl ConfiguredCheck {
    /// Whether there is something to check: `["NONE"]` turns it off.
    pub fn is_on(&self) -> bool {
        self.test.first().is_some_and(|kind| kind != "NONE")
    }
}

/// An entry of `Mounts` of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mount {
    /// `bind`, `volume`, `tmpfs` …
    #[serde(rename = "Type")]
    pub kind: String,
    /// The name of a volume.
    pub name: String,
    /// The path on the host.
    pub source: String,
    /// The path in the container.
    pub destination: String,
    /// Options of the short syntax, such as `z`.
    pub mode: String,
    /// Whether it can be written.
    #[serde(rename = "RW")]
    pub writable: bool,
    /// The mount propagation, such as `rprivate`.
    pub propagation: String,
}

/// The part of `GET /images/NAME/json` that we read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageDetails {
    /// The id, `sha256:…`.
    pub id: String,
    /// The references that it has, in the engine's spelling.
    #[serde(deserialize_with = "null_is_empty")]
    pub repo_tags: Vec<String>,
    /// What it runs on, such as `linux`.
    pub os: String,
    /// What it runs on, such as `arm64`.
    pub architecture: String,
    /// What it runs on more exactly, such as `v8`; empty for most.
    pub variant: String,
    /// What the engine notes about it.
    #[serde(deserialize_with = "null_is_empty")]
    pub metadata: ImageMetadata,
}

/// `Metadata` of an image.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageMetadata {
    /// When it got its tag, in RFC 3339; in the year 1 if the engine does not know.
    pub last_tag_time: String,
}

/// The part of `GET /volumes/NAME` that we read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    /// The name.
    pub name: String,
    /// `local`, or a plugin.
    pub driver: String,
    /// The path on the host. What is mounted there is so only while a container that has the volume runs.
    pub mountpoint: String,
    /// Labels.
    #[serde(deserialize_with = "null_is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The options of the driver that it was made with.
    #[serde(deserialize_with = "null_is_empty")]
    pub options: BTreeMap<String, String>,
}

/// The body of `POST /volumes/create`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeRequest {
    /// The name.
    pub name: String,
    /// `local`, or a plugin.
    pub driver: String,
    /// Options of the driver: for `local` those of a mount, as `type`, `device` and `o`.
    pub driver_opts: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// The engine writes `null` for an empty collection.
pub(super) fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// The body of `POST /containers/create`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateRequest {
    /// The image.
    pub image: String,
    /// The command; none keeps the image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// The entrypoint; none keeps the image's, one empty string clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// The working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// The user, as `NAME`, `UID` or `UID:GID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment, as `KEY=VALUE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Whether its standard input stays open.
    pub open_stdin: bool,
    /// The health check; none keeps the image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// The signal that stops it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// The grace in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<u64>,
    /// Targets of anonymous volumes.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", serialize_with = "as_keys")]
    pub volumes: BTreeSet<String>,
    /// The host-dependent part.
    pub host_config: HostConfig,
}

impl CreateRequest {
    /// The version of the API that has all that is asked for, as far as it is newer than what we speak anyway.
    pub(super) fn needs(&self) -> ApiVersion {
        let needs = |mount: &MountRequest| match mount.kind.as_str() {
            "image" => 48,
            _ if !mount.volume_options.subpath.is_empty() => 45,
            _ => 0,
        };
        ApiVersion { major: 1, minor: self.host_config.mounts.iter().map(needs).max().unwrap_or(0) }
    }
}

/// The API writes a set as the keys of an object.
fn as_keys<S: Serializer>(set: &BTreeSet<String>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(set.iter().map(|key| (key, serde_json::json!({}))))
}

/// `Healthcheck`; durations in nanoseconds, 0 keeps the image's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]`, `["CMD-SHELL", …]`; empty keeps the image's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Between two checks.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: u64,
    /// For one check.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: u64,
    /// Before failures count.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: u64,
    /// Between two checks before failures count (API 1.44).
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: u64,
    /// Failures until unhealthy.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
}

impl Healthcheck {
    /// No check, also where the image has one.
    pub fn off() -> Self {
        Self { test: vec!["NONE".to_owned()], ..Self::default() }
    }
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// `HostConfig`, of requests and of answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    /// Whether the engine removes the container when it ends.
    pub auto_remove: bool,
    /// `container:ID`, `bridge`, `host` …
    pub network_mode: String,
    /// `container:ID`, `host`, or empty for an own one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pid_mode: String,
    /// `container:ID`, `shareable`, `private`, `host`, or empty for the engine's default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ipc_mode: String,
    /// The parent of the container's cgroup.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cgroup_parent: String,
    /// Volumes and paths of the host, as `SOURCE:TARGET[:OPTIONS]`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub binds: Vec<String>,
    /// Target → options of a tmpfs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_empty")]
    pub tmpfs: BTreeMap<String, String>,
    /// Whether the root filesystem is read-only.
    #[serde(skip_serializing_if = "is_zero")]
    pub readonly_rootfs: bool,
    /// Whether it is privileged.
    #[serde(skip_serializing_if = "is_zero")]
    pub privileged: bool,
    /// Capabilities to add.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub cap_add: Vec<String>,
    /// Capabilities to drop.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub cap_drop: Vec<String>,
    /// The memory limit in bytes, 0 for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub memory: i64,
    /// The limit of memory and swap together in bytes, -1 for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub memory_swap: i64,
    /// The CPU limit in billionths of a CPU, 0 for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub nano_cpus: i64,
    /// The period of the CPU quota in microseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub cpu_period: i64,
    /// The CPU quota in microseconds a period.
    #[serde(skip_serializing_if = "is_zero")]
    pub cpu_quota: i64,
    /// The CPUs it may use, such as `0-2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cpuset_cpus: String,
    /// The limit of processes, 0 or -1 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_limit: Option<i64>,
    /// How ready the kernel is to kill it when memory runs out.
    pub oom_score_adj: i64,
    /// Whether the kernel leaves it alone when memory runs out.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub oom_kill_disable: Option<bool>,
    /// The memory in bytes that it should get back to when memory is short, 0 for none.
    #[serde(skip_serializing_if = "is_zero", skip_deserializing)]
    pub memory_reservation: i64,
    /// How readily its memory is swapped, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub memory_swappiness: Option<i64>,
    /// Its weight when CPUs are short, 0 for the default.
    #[serde(skip_serializing_if = "is_zero", skip_deserializing)]
    pub cpu_shares: i64,
    /// The period of the real-time quota in microseconds.
    #[serde(rename = "CpuRealtimePeriod", skip_serializing_if = "is_zero", skip_deserializing)]
    pub cpu_rt_period: i64,
    /// The real-time quota in microseconds a period.
    #[serde(rename = "CpuRealtimeRuntime", skip_serializing_if = "is_zero", skip_deserializing)]
    pub cpu_rt_runtime: i64,
    /// Its weight when disks are busy, 0 for the default.
    #[serde(skip_serializing_if = "is_zero", skip_deserializing)]
    pub blkio_weight: u16,
    /// The same for one device.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub blkio_weight_device: Vec<DeviceWeight>,
    /// Bytes a second that it may read.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub blkio_device_read_bps: Vec<DeviceRate>,
    /// Bytes a second that it may write.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub blkio_device_write_bps: Vec<DeviceRate>,
    /// Reads a second.
    #[serde(rename = "BlkioDeviceReadIOps", skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub blkio_device_read_iops: Vec<DeviceRate>,
    /// Writes a second.
    #[serde(rename = "BlkioDeviceWriteIOps", skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub blkio_device_write_iops: Vec<DeviceRate>,
    /// Devices of the host.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub devices: Vec<Device>,
    /// Rules for devices, such as `c 1:3 mr`.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub device_cgroup_rules: Vec<String>,
    /// Devices that a driver picks, such as GPUs.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub device_requests: Vec<DeviceRequest>,
    /// Resource limits of its processes.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub ulimits: Vec<Ulimit>,
    /// Annotations for the runtime (API 1.43).
    #[serde(skip_serializing_if = "BTreeMap::is_empty", skip_deserializing)]
    pub annotations: BTreeMap<String, String>,
    /// More groups for its user.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub group_add: Vec<String>,
    /// Whether the engine puts an init process before its own.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub init: Option<bool>,
    /// The isolation technology; on Linux `default`.
    #[serde(skip_serializing_if = "String::is_empty", skip_deserializing)]
    pub isolation: String,
    /// Where its output is logged.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub log_config: Option<LogConfig>,
    /// The runtime, such as `runc`.
    #[serde(skip_serializing_if = "String::is_empty", skip_deserializing)]
    pub runtime: String,
    /// Security options, such as `no-new-privileges`.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub security_opt: Vec<String>,
    /// The size of `/dev/shm` in bytes, 0 for the engine's default.
    #[serde(skip_serializing_if = "is_zero", skip_deserializing)]
    pub shm_size: i64,
    /// Options of the storage driver.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", skip_deserializing)]
    pub storage_opt: BTreeMap<String, String>,
    /// Parameters of the kernel.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", skip_deserializing)]
    pub sysctls: BTreeMap<String, String>,
    /// `host`, or empty for an own one.
    #[serde(rename = "UTSMode", skip_serializing_if = "String::is_empty", skip_deserializing)]
    pub uts_mode: String,
    /// `host`, or empty for the engine's default.
    #[serde(skip_serializing_if = "String::is_empty", skip_deserializing)]
    pub userns_mode: String,
    /// `host`, `private`, or empty for the engine's default (API 1.41).
    #[serde(skip_serializing_if = "String::is_empty", skip_deserializing)]
    pub cgroupns_mode: String,
    /// The driver of volumes that `binds` make.
    #[serde(skip_serializing_if = "String::is_empty", skip_deserializing)]
    pub volume_driver: String,
    /// Containers whose volumes it gets, as `NAME[:ro]`.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub volumes_from: Vec<String>,
    /// Mounts that `binds` cannot express.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub mounts: Vec<MountRequest>,
}

/// An entry of `BlkioWeightDevice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeviceWeight {
    /// The device.
    pub path: String,
    /// 10 to 1000.
    pub weight: u16,
}

/// An entry of `BlkioDeviceReadBps` and its like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeviceRate {
    /// The device.
    pub path: String,
    /// A second.
    pub rate: u64,
}

/// An entry of `Devices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Device {
    /// The device of the host.
    pub path_on_host: String,
    /// Where the container sees it.
    pub path_in_container: String,
    /// Some of `rwm`.
    pub cgroup_permissions: String,
}

/// An entry of `DeviceRequests`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeviceRequest {
    /// The driver; empty lets the engine choose by the capabilities.
    pub driver: String,
    /// How many; -1 for all.
    pub count: i64,
    /// Which.
    #[serde(rename = "DeviceIDs", skip_serializing_if = "Vec::is_empty")]
    pub device_ids: Vec<String>,
    /// What they must be able to: one of the lists, with all that it has.
    pub capabilities: Vec<Vec<String>>,
    /// Options of the driver.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// An entry of `Ulimits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ulimit {
    /// Such as `nofile`.
    pub name: String,
    /// What processes have, -1 for no limit.
    pub soft: i64,
    /// What they may raise it to, -1 for no limit.
    pub hard: i64,
}

/// `LogConfig`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogConfig {
    /// The driver; empty for the engine's default.
    #[serde(rename = "Type")]
    pub driver: String,
    /// Options of the driver.
    pub config: BTreeMap<String, String>,
}

/// An entry of `Mounts` in a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountRequest {
    /// `bind`, `volume`, `tmpfs`, `image`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// A path of the host, the name of a volume, the reference of an image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// Whether it can only be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub read_only: bool,
    /// For `bind`.
    #[serde(skip_serializing_if = "is_zero")]
    pub bind_options: BindOptions,
    /// For `volume`.
    #[serde(skip_serializing_if = "is_zero")]
    pub volume_options: VolumeOptions,
    /// For `tmpfs`.
    #[serde(skip_serializing_if = "is_zero")]
    pub tmpfs_options: TmpfsOptions,
    /// For `image`.
    #[serde(skip_serializing_if = "is_zero")]
    pub image_options: ImageOptions,
}

/// `BindOptions` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "they are the API's")]
pub struct BindOptions {
    /// Such as `rslave`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub propagation: String,
    /// Leave out what is mounted below (API 1.40).
    #[serde(skip_serializing_if = "is_zero")]
    pub non_recursive: bool,
    /// Make a folder where the host has nothing (API 1.42).
    #[serde(skip_serializing_if = "is_zero")]
    pub create_mountpoint: bool,
    /// What is mounted below stays writable (API 1.44).
    #[serde(skip_serializing_if = "is_zero")]
    pub read_only_non_recursive: bool,
    /// An error where what is mounted below cannot be made read-only (API 1.44).
    #[serde(skip_serializing_if = "is_zero")]
    pub read_only_force_recursive: bool,
}

/// `VolumeOptions` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeOptions {
    /// Leave a new volume empty.
    #[serde(skip_serializing_if = "is_zero")]
    pub no_copy: bool,
    /// A folder or file in the volume (API 1.45).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
}

/// `TmpfsOptions` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TmpfsOptions {
    /// In bytes, 0 for no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub size_bytes: i64,
    /// The mode of its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

/// `ImageOptions` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageOptions {
    /// A folder in the image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number_and_not_by_text() {
        let version = |text: &str| text.parse::<ApiVersion>().expect("a version");
        assert!(version("1.9") < version("1.40") && version("1.44") < version("2.0"));
        assert!("1".parse::<ApiVersion>().is_err() && "x.y".parse::<ApiVersion>().is_err());
    }

    #[test]
    fn what_the_engine_leaves_null_is_empty() {
        let details: ContainerDetails = serde_json::from_str(
            r#"{"Id":"a","Config":{"Labels":null,"Env":null},"HostConfig":{"Binds":null,"PidsLimit":null}}"#,
        )
        .expect("details");
        assert!(details.config.labels.is_empty() && details.host_config.binds.is_empty());
        let volume: Volume = serde_json::from_str(r#"{"Name":"v","Labels":null,"Options":null}"#).expect("a volume");
        assert!(volume.labels.is_empty() && volume.options.is_empty());
    }
}
