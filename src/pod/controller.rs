//! Facts about ourselves: what the engine says of the controller, and what it can do. The plan reads nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::engine::types::{ContainerDetails, HostConfig, Info, Mount};

/// The controller as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controller {
    /// The container's id.
    pub id: String,
    /// Its name, without the leading `/`.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its environment, as `KEY=VALUE`.
    pub env: Vec<String>,
    /// Its limits and namespaces.
    pub host: HostConfig,
    /// What is mounted in it.
    pub mounts: Vec<Mount>,
    /// The path of its cgroup on the host, where components can be placed below it.
    pub cgroup: Option<PathBuf>,
    /// The mount points through which the engine's socket can be reached.
    pub ways_to_socket: Vec<PathBuf>,
    /// What the engine says of itself.
    pub engine: Info,
}

impl Controller {
    /// Puts together what the engine and `/proc` say.
    pub fn read(
        details: ContainerDetails,
        cgroup: Option<PathBuf>,
        ways_to_socket: Vec<PathBuf>,
        engine: Info,
    ) -> Self {
        Self {
            id: details.id,
            name: details.name.trim_start_matches('/').to_owned(),
            labels: details.config.labels,
            env: details.config.env,
            host: details.host_config,
            mounts: details.mounts,
            cgroup,
            ways_to_socket,
            engine,
        }
    }

    /// The value of a variable in its environment.
    pub(super) fn env(&self, key: &str) -> Option<&str> {
        self.env.iter().find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    }
}
