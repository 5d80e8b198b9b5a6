//! Facts about ourselves: what the engine says of the controller, and what it can do. The plan reads nothing else.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::time::Duration;

use crate::engine::capabilities::Capabilities;
use crate::engine::types::{ContainerDetails, HostConfig, Mount};

/// The image of a controller that is not there yet.
pub const OWN_IMAGE: &str = "podlike";

/// The id of such a controller, which is none that an engine gives.
const ASSUMED: &str = "CONTROLLER";

/// The controller as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controller {
    /// The container's id.
    pub id: String,
    /// Its name, without the leading `/`.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its limits and namespaces.
    pub host: HostConfig,
    /// What is mounted in it.
    pub mounts: Vec<Mount>,
    /// The path of its cgroup on the host, where components can be placed below it.
    pub cgroup: Option<PathBuf>,
    /// The mount points through which the engine's socket can be reached, or our key for an engine with TLS.
    pub ways_to_socket: Vec<PathBuf>,
    /// How a container beside it reaches the engine as it does itself, where one can.
    pub door: Option<Door>,
    /// Which of its lives this is, from [`new_instance`]; empty where it does not run.
    pub instance: String,
    /// Whether its file of hosts is that of all who share its network, and its own.
    pub owns_hosts: bool,
    /// The id of its image.
    pub image: String,
    /// The path of its program.
    pub program: PathBuf,
    /// Its volumes by the names that their labels give them for components.
    pub volume_refs: BTreeMap<String, String>,
    /// Whether it has a volume that lives as long as its task.
    pub has_volume_of_task: bool,
    /// The time that it has to stop, if who ends it has told.
    pub stop_timeout: Option<Duration>,
    /// What the engine is and can.
    pub engine: Capabilities,
}

/// What leads to the engine's socket, as any container can have it mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// `bind` or `volume`.
    pub kind: String,
    /// The path on the host, or the name of the volume.
    pub source: String,
    /// The socket's path below that; empty where it is mounted itself.
    pub below: PathBuf,
    /// Whether root has the socket: to anybody else's root needs one more right.
    pub of_root: bool,
}

/// A text that no other life of any controller has.
pub fn new_instance() -> String {
    // Its keys are random.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

impl Controller {
    /// Puts together what the engine and `/proc` say.
    pub fn read(
        details: ContainerDetails,
        cgroup: Option<PathBuf>,
        ways_to_socket: Vec<PathBuf>,
        program: PathBuf,
        engine: Capabilities,
    ) -> Self {
        let mut host = details.host_config;
        // What every container has nobody has asked for.
        host.pids_limit = host.pids_limit.filter(|limit| Some(*limit) != engine.default_pids_limit());
        Self {
            id: details.id,
            name: details.name.trim_start_matches('/').to_owned(),
            labels: details.config.labels,
            stop_timeout: details
                .config
                .stop_timeout
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs),
            host,
            mounts: details.mounts,
            cgroup,
            ways_to_socket,
            door: None,
            instance: String::new(),
            owns_hosts: false,
            image: details.image,
            program,
            volume_refs: BTreeMap::new(),
            has_volume_of_task: false,
            engine,
        }
    }

    /// A controller that is not there yet: what an engine makes of one that asks for nothing.
    pub fn assumed(engine: Capabilities) -> Self {
        let own = |text: &str| text.to_owned();
        let host = HostConfig { ipc_mode: own("private"), ..HostConfig::default() };
        let (id, name, image) = (own(ASSUMED), own(ASSUMED), own(OWN_IMAGE));
        let cgroup = Some(PathBuf::from("/docker/CONTROLLER"));
        let source = own("/var/run/docker.sock");
        let door = Some(Door { kind: own("bind"), source, below: PathBuf::new(), of_root: true });
        let program = "/podlike".into();
        Self { id, name, host, cgroup, door, image, program, owns_hosts: true, engine, ..Self::default() }
    }

    /// Whether it is not there yet.
    pub(super) fn is_assumed(&self) -> bool {
        self.id == ASSUMED
    }

    /// Whether its end is that of all who share its PIDs: it has a namespace of its own.
    pub fn takes_along(&self) -> bool {
        matches!(self.host.pid_mode.as_str(), "" | "private")
    }

    /// Whether it has limits that all its components could share.
    pub fn has_limits(&self) -> bool {
        let HostConfig { memory, nano_cpus, cpu_quota, pids_limit, cpuset_cpus, .. } = &self.host;
        let numbers = [*memory, *nano_cpus, *cpu_quota, pids_limit.unwrap_or(0)];
        numbers.into_iter().any(|limit| limit > 0) || !cpuset_cpus.is_empty()
    }

    /// The names of the volumes that are mounted in it.
    pub fn volumes(&self) -> impl Iterator<Item = &str> {
        self.mounts.iter().filter(|mount| mount.kind == "volume").map(|mount| mount.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::capabilities::Product;

    use super::*;

    #[test]
    fn each_life_has_its_own_instance() {
        let lives: std::collections::BTreeSet<String> = (0..100).map(|_| new_instance()).collect();
        assert_eq!(lives.len(), 100);
        assert!(lives.iter().all(|life| life.len() == 16), "{lives:?}");
    }

    #[test]
    fn a_limit_that_the_engine_gives_to_everybody_is_none() {
        let read = |product, pids_limit| {
            let host_config = HostConfig { pids_limit: Some(pids_limit), ..HostConfig::default() };
            let details = ContainerDetails { host_config, ..ContainerDetails::default() };
            let engine = Capabilities { product, ..Capabilities::default() };
            Controller::read(details, None, Vec::new(), "/podlike".into(), engine)
        };
        assert!(!read(Product::Podman, 2048).has_limits());
        assert!(read(Product::Podman, 2047).has_limits());
        assert!(read(Product::Docker, 2048).has_limits());
    }
}
