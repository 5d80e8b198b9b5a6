//! `HostConfig`: what of a container depends on the host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{MountRequest, is_zero, null_is_empty};

/// `RestartPolicy` of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    /// `no` or empty, `always`, `unless-stopped` or `on-failure`.
    pub name: String,
}

impl RestartPolicy {
    /// Whether the engine may start the same container again.
    pub fn is_on(&self) -> bool {
        !matches!(self.name.as_str(), "" | "no")
    }
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
    /// What the engine does when it ends; of answers only.
    #[serde(skip_serializing)]
    pub restart_policy: RestartPolicy,
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
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub security_opt: Vec<String>,
    /// Paths that are hidden; none is the engine's choice, an empty list hides nothing.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub masked_paths: Option<Vec<String>>,
    /// Paths that can only be read; none is the engine's choice, an empty list is no path.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub readonly_paths: Option<Vec<String>>,
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
    #[serde(skip_serializing_if = "String::is_empty")]
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
