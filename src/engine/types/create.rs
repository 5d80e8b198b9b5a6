//! The body of `POST /containers/create`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::{ApiVersion, HostConfig, MountRequest, is_zero, since};

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
    pub(in super::super) fn needs(&self) -> ApiVersion {
        let needs = |mount: &MountRequest| match mount.kind.as_str() {
            "image" => since::IMAGE_MOUNT,
            _ if !mount.volume_options.subpath.is_empty() => since::VOLUME_SUBPATH,
            _ => ApiVersion::default(),
        };
        self.host_config.mounts.iter().map(needs).max().unwrap_or_default()
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
