//! Requests and answers as the API spells them. Field names are the API's; what a field means is the API's reference.

mod create;
mod exec;
mod host_config;
mod mount;
pub mod since;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use create::{CreateRequest, Healthcheck};
pub use exec::{ExecDetails, ExecRequest};
pub use host_config::{Device, DeviceRate, DeviceRequest, DeviceWeight, HostConfig, LogConfig, RestartPolicy, Ulimit};
pub use mount::{BindOptions, ImageOptions, MountRequest, TmpfsOptions, VolumeOptions};

/// A version of the API, such as 1.41.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ApiVersion {
    /// The part before the dot.
    pub major: u32,
    /// The part behind it.
    pub minor: u32,
}

impl ApiVersion {
    /// A version of the API as it is since 2013: 1, and this.
    pub const fn new(minor: u32) -> Self {
        Self { major: 1, minor }
    }
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
    /// Its oldest one.
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: Option<ApiVersion>,
    /// What it is made of.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub components: Vec<VersionOf>,
}

impl Version {
    /// Whether it is that of a Podman behind Docker's API.
    pub fn is_podman(&self) -> bool {
        self.components.iter().any(|it| it.name == "Podman Engine")
    }
}

/// An entry of `Components` of `GET /version`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VersionOf {
    /// Such as `Engine` or `Podman Engine`.
    pub name: String,
}

/// The part of `GET /info` that we read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// The version of the engine, such as `20.10.24+dfsg1`.
    pub server_version: String,
    /// The name of its host.
    pub name: String,
    /// `cgroupfs`, `systemd` or `none`.
    pub cgroup_driver: String,
    /// `1` or `2`.
    pub cgroup_version: String,
    /// Whether containers outlive the engine.
    pub live_restore_enabled: bool,
    /// Whether limits of memory hold.
    pub memory_limit: Option<bool>,
    /// Whether limits of swap hold.
    pub swap_limit: Option<bool>,
    /// Whether limits of CPU time hold.
    pub cpu_cfs_quota: Option<bool>,
    /// Whether CPUs can be chosen.
    #[serde(rename = "CPUSet")]
    pub cpu_set: Option<bool>,
    /// Whether limits of processes hold.
    pub pids_limit: Option<bool>,
    /// The cgroup controllers that the engine has. Not of `GET /info`: only Podman tells them, elsewhere.
    pub cgroup_controllers: Option<Vec<String>>,
    /// What confines containers, such as `name=seccomp,profile=builtin` or `name=rootless`.
    #[serde(deserialize_with = "null_is_empty")]
    pub security_options: Vec<String>,
}

/// The part of Podman's own `GET /libpod/info` that we read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LibpodInfo {
    /// The host that it runs on.
    pub host: LibpodHost,
}

/// `host` of Podman's own `GET /libpod/info`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LibpodHost {
    /// The cgroup controllers that it may use; null or none on cgroup v1.
    #[serde(deserialize_with = "null_is_empty")]
    pub cgroup_controllers: Vec<String>,
}

/// An entry of `GET /containers/json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerSummary {
    /// The id.
    pub id: String,
    /// The names, each with a leading `/`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub names: Vec<String>,
    /// The labels.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `created`, `running`, `exited` …
    #[serde(default)]
    pub state: String,
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
    /// `created`, `running`, `paused`, `exited` …
    pub status: String,
    /// Whether it runs.
    pub running: bool,
    /// Whether the engine is about to start it again.
    pub restarting: bool,
    /// When it was started last, in RFC 3339.
    pub started_at: String,
    /// When it ended last, likewise; in the year 1 if it has not.
    pub finished_at: String,
    /// Its last exit code.
    pub exit_code: i64,
    /// Whether the OOM killer struck in its last life.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// Its health, if it has a health check.
    pub health: Option<HealthState>,
}

impl State {
    /// Whether it has run, and does so no more, nor is about to.
    pub fn has_ended(&self) -> bool {
        ["exited", "dead", "stopped"].contains(&self.status.as_str()) && !self.running && !self.restarting
    }

    /// Whether its output can be listened to: Podman allows it no more once it is told to stop.
    pub fn can_be_attached_to(&self) -> bool {
        self.running && self.status != "stopping"
    }
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
    /// Whether it has a terminal.
    pub tty: bool,
    /// The seconds between stop and kill, if they were chosen; below 0 for ever.
    pub stop_timeout: Option<i64>,
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
pub(in super::super) fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// What is left out of a request: the engine's default.
fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    fn a_podman_is_known_by_its_components_too() {
        let version = |name: &str| {
            let text = format!(r#"{{"ApiVersion":"1.41","MinAPIVersion":"1.24","Components":[{{"Name":"{name}"}}]}}"#);
            serde_json::from_str::<Version>(&text).expect("an answer")
        };
        assert!(version("Podman Engine").is_podman() && !version("Engine").is_podman());
        assert_eq!(version("x").min_api_version, Some(ApiVersion::new(24)));
    }

    #[test]
    fn what_the_engine_leaves_null_is_empty() {
        let details: ContainerDetails =
            serde_json::from_str(r#"{"Id":"a","Config":{"Labels":null},"HostConfig":{"Binds":null,"PidsLimit":null}}"#)
                .expect("details");
        assert!(details.config.labels.is_empty() && details.host_config.binds.is_empty());
        let volume: Volume = serde_json::from_str(r#"{"Name":"v","Labels":null,"Options":null}"#).expect("a volume");
        assert!(volume.labels.is_empty() && volume.options.is_empty());
    }
}
