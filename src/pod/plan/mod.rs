//! What will be done: ([`PodSpec`], [`Controller`], [`Options`]) → [`Plan`] and [`Warning`]s. Every choice about limits,
//! namespaces, volumes and names is made here, and nowhere else.
//!
//! ```text
//! PodSpec ─┬─ limits.rs  what the controller's limits leave      ┐
//!          ├─ ipc.rs     who lends its IPC namespace to whom     ├─▶ Plan
//!          ├─ ties.rs    who restarts with whom for that        │
//!          ├─ mounts.rs  volumes, binds, what -volumes shares    │
//!          ├─ memory.rs  secrets, configs, volumes in memory     │
//!          ├─ ../guard.rs  who holds, lends and removes them      │
//!          ├─ metadata.rs  what they are told of their pod     │
//!          └─ userns.rs  whose users they have                   ┘
//! ```

mod ipc;
mod limits;
mod memory;
mod metadata;
mod mounts;
mod text;
mod ties;
mod userns;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::engine::capabilities::CgroupDriver;
use crate::engine::types::{CreateRequest, Healthcheck, HostConfig, VolumeRequest};

use super::component::{Component, Namespace, Pull};
use super::guard::Guard;
use super::hook::Hook;
use super::labels::{COMPONENT, CONTROLLER_ID, INSTANCE, PodSpec, SWARM_PREFIX, VERSION};
use super::needs::Need;
use super::policy::Policy;
use super::probe::Probes;
use super::restart::Restart;
use super::role::Role;
use super::warning::Warning;
use super::{Controller, Error, FileCopy, Nesting, Placement};

use ipc::Ipc;
pub use limits::Apart;
use limits::Limiter;
pub(super) use limits::{nano_cpus, survives};
pub(super) use memory::Held;
pub use memory::{FromMemory, InMemory};
pub use metadata::METADATA;
use mounts::Mounts;
use userns::Users;

/// Docker's own default for the time between stop and kill.
const GRACE: Duration = Duration::from_secs(10);

/// What the operator chose by flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of the command line")]
pub struct Options {
    /// Share the PID namespace.
    pub pids: bool,
    /// Share the IPC namespace.
    pub ipc: bool,
    /// Share the controller's mounts.
    pub volumes: bool,
    /// Pull every image, also those that the engine has.
    pub pull: bool,
    /// Stream the components' output.
    pub logs: bool,
    /// How far components may be placed in cgroups of the controller.
    pub cgroup: Nesting,
    /// The times of restarts, for components that say none.
    pub restart: Restart,
    /// The time that the pod has to stop, where no label says it.
    pub stop_timeout: Option<Duration>,
    /// What components may not ask for.
    pub policy: Policy,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pids: true,
            ipc: true,
            volumes: false,
            pull: false,
            logs: false,
            cgroup: Nesting::Auto,
            restart: Restart::default(),
            stop_timeout: None,
            policy: Policy::default(),
        }
    }
}

/// A pod, ready to be carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The components; their positions are what needs refer to. The last may be the guard.
    pub components: Vec<Planned>,
    /// Names that stand for the network that all share: the services of a Compose file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// What is prepared for their cgroups before the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Placement>,
    /// The time that the pod has to stop when somebody wants it to end.
    #[serde(serialize_with = "seconds", skip_serializing_if = "is_ordinary")]
    pub budget: Duration,
}

/// A volume, ready to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlannedVolume {
    /// Made unless there is one of this name.
    Make(VolumeRequest),
    /// Somebody else's, which must be there.
    External(String),
}

impl Plan {
    /// The names of the volumes that go with it.
    pub fn scratch(&self) -> BTreeSet<&str> {
        self.components.iter().flat_map(Planned::scratch).collect()
    }
}

impl PlannedVolume {
    /// The engine's name for it.
    pub fn name(&self) -> &str {
        match self {
            Self::Make(request) => &request.name,
            Self::External(name) => name,
        }
    }

    /// The request of one that is ours to make.
    pub fn made(&self) -> Option<&VolumeRequest> {
        match self {
            Self::Make(request) => Some(request),
            Self::External(_) => None,
        }
    }
}

/// A component, ready to be created.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// The name within the pod.
    pub name: String,
    /// The name of the container.
    pub container: String,
    /// The platform of the image, as `OS[/ARCH[/VARIANT]]`; none lets the engine choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// When its image is pulled.
    #[serde(skip_serializing_if = "is_default")]
    pub pull: Pull,
    /// Volumes that must be there before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<PlannedVolume>,
    /// The request that creates it.
    pub request: CreateRequest,
    /// What takes it out of the controller's cgroup, if the engine refuses to place it there.
    #[serde(skip_serializing_if = "has_no_other_limits")]
    pub apart: Option<Apart>,
    /// What is bound out of the pod's memory into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_memory: Option<FromMemory>,
    /// Volumes that everybody may write to: its scratch volumes on disk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// What is copied in before it starts.
    pub copies: Vec<FileCopy>,
    /// What is put into its volumes as soon as it runs: only a running container holds a file system in memory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_memory: Vec<InMemory>,
    /// What it waits for.
    pub needs: Vec<Need>,
    /// The time between stop and kill.
    #[serde(serialize_with = "seconds")]
    pub grace: Duration,
    /// What it is to the pod.
    #[serde(skip_serializing_if = "Role::is_default")]
    pub role: Role,
    /// Whether its exit code is the pod's.
    #[serde(skip_serializing_if = "is_false")]
    pub leader: bool,
    /// When it is started again.
    #[serde(skip_serializing_if = "Restart::is_no")]
    pub restart: Restart,
    /// Whether its output is streamed with `-logs`.
    pub attach: bool,
    /// What is run in it as soon as it runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_start: Vec<Hook>,
    /// What is run in it before it is stopped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_stop: Vec<Hook>,
    /// How it is asked whether it is ready, and lives.
    #[serde(skip_serializing_if = "Probes::is_empty")]
    pub probes: Probes,
}

impl Planned {
    /// The names of the volumes that it makes and that go with the pod.
    pub fn scratch(&self) -> impl Iterator<Item = &str> {
        let made = self.volumes.iter().filter_map(PlannedVolume::made);
        made.filter(|request| request.labels.contains_key(CONTROLLER_ID)).map(|request| request.name.as_str())
    }

    /// A component that waits for nobody and has nothing but its request.
    pub fn new(name: &str, container: String, request: CreateRequest) -> Self {
        Self {
            name: name.to_owned(),
            container,
            platform: None,
            pull: Pull::Missing,
            volumes: Vec::new(),
            request,
            apart: None,
            from_memory: None,
            open: Vec::new(),
            copies: Vec::new(),
            in_memory: Vec::new(),
            needs: Vec::new(),
            grace: GRACE,
            role: Role::default(),
            leader: false,
            restart: Restart::default(),
            attach: true,
            post_start: Vec::new(),
            pre_stop: Vec::new(),
            probes: Probes::default(),
        }
    }
}

pub(super) fn seconds<S: serde::Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(duration.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "the shape is serde's")]
fn has_no_other_limits(apart: &Option<Apart>) -> bool {
    apart.as_ref().is_none_or(|apart| *apart == Apart::default())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape is serde's")]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_ordinary(budget: &Duration) -> bool {
    *budget == GRACE
}

fn is_default(pull: &Pull) -> bool {
    *pull == Pull::Missing
}

/// Makes the plan of a pod whose cgroups are placed like that. Fails where something that was asked for is forbidden, or the
/// engine lacks it.
pub fn plan(
    spec: &PodSpec,
    controller: &Controller,
    placement: &Placement,
    options: Options,
) -> Result<(Plan, Vec<Warning>), Error> {
    options.policy.check(spec)?;
    for feature in spec.components.iter().flat_map(|component| &component.features) {
        if !controller.engine.has(feature.since) {
            return Err(Error::TooOld {
                place: Box::new(feature.place.clone()),
                at: feature.at.clone(),
                what: feature.what,
                since: feature.since,
                theirs: controller.engine.newest,
            });
        }
    }
    let mut warnings = spec.warnings.clone();
    warnings.extend(limits::not_shared(placement));
    let mounts = Mounts::new(spec, controller, options, &mut warnings);
    let mut needs = spec.needs.clone();
    let users = Users::choose(spec, controller, &mut warnings)?;
    let pids = options.pids && shares_pids(controller, &mut warnings);
    let lends = options.ipc && !ipc::is_lent_by(controller);
    let guard = Guard::choose(spec, controller, memory::is_held(spec), pids, lends);
    let ipc = Ipc::choose(spec, controller, &users, options.ipc, guard.lends_ipc(), &mut warnings);
    ipc.add_needs(&mut needs);
    ties::add(&mut needs, spec, &ipc, controller, pids);
    let mut limiter = Limiter::new(controller, placement);
    let auto_remove = controller.engine.auto_remove();
    let mut components = Vec::new();
    for (position, (component, needs)) in spec.components.iter().zip(needs).enumerate() {
        let mut request = request(component, controller, &mut warnings);
        let host = &mut request.host_config;
        let restart = component.policy(options.restart);
        // What may be started again must be there then.
        host.auto_remove = auto_remove && !component.may_restart(&needs);
        host.network_mode = format!("container:{}", controller.id);
        host.pid_mode = match &component.pid {
            Some(namespace) => mode(namespace, controller),
            None if pids => format!("container:{}", controller.id),
            None => String::new(),
        };
        host.userns_mode = users.mode(Some(component));
        host.ipc_mode = ipc.mode(spec, controller, position);
        ipc.shared_memory(host, spec, controller, position, &mut warnings);
        let apart = limiter.limit(host, component, &mut warnings);
        let mounts::Mounted { volumes, open, has_socket, mut copies, .. } =
            mounts.mount(&mut request, component, &mut warnings);
        options.policy.check_socket(component, has_socket)?;
        copies.extend(component.copies.iter().cloned());
        let mut planned = Planned {
            platform: component.platform.clone(),
            pull: if options.pull { Pull::Always } else { component.pull },
            apart,
            volumes,
            open,
            copies,
            needs,
            grace: component.stop_grace_period.unwrap_or(GRACE),
            role: component.role,
            leader: component.leader,
            restart,
            attach: component.attach,
            post_start: component.post_start.clone(),
            pre_stop: component.pre_stop.clone(),
            probes: component.probes.clone(),
            ..Planned::new(&component.name, container_name(controller, &component.name), request)
        };
        metadata::fill(&mut planned, controller, &mut warnings);
        components.push(planned);
    }
    warnings.extend(limiter.not_held());
    let hosts = if controller.owns_hosts { spec.hosts.clone() } else { Vec::new() };
    let prepared = Some(placement.clone()).filter(Placement::is_to_be_prepared);
    let budget = spec.stop_grace_period.or(options.stop_timeout).or(controller.stop_timeout).unwrap_or(GRACE);
    let mut plan = Plan { components, hosts, prepared, budget };
    let held = memory::hold(&mut plan, spec, controller);
    warnings.extend(guard.missing());
    guard.add(&mut plan, held, placement, users.mode(None), pids, ipc.size_of_guard(spec));
    Ok((plan, warnings))
}

/// Whether processes can be shared. Without cgroups an engine does not find what a component leaves running: in a PID
/// namespace that lives on, it would wait for that before it tells the component's end.
fn shares_pids(controller: &Controller, warnings: &mut Vec<Warning>) -> bool {
    let can_end_them = controller.engine.cgroups.driver != CgroupDriver::None;
    if !can_end_them {
        warnings.push(Warning::OwnPids);
    }
    can_end_them
}

/// The name of a component's container.
fn container_name(controller: &Controller, component: &str) -> String {
    format!("{}.podlike.{component}", controller.name)
}

/// A namespace as the engine spells it.
fn mode(namespace: &Namespace, controller: &Controller) -> String {
    match namespace {
        // An own one is what the engine gives without being asked.
        Namespace::Engine(mode) if mode == "private" => String::new(),
        Namespace::Engine(mode) => mode.clone(),
        Namespace::Component(name) => format!("container:{}", container_name(controller, name)),
    }
}

/// The request of a container of podlike's own, by the name that stands where components have theirs: it gets no more than
/// it takes to run its program.
pub(super) fn own_request(controller: &Controller, name: &str) -> CreateRequest {
    let mut labels = own_labels(controller);
    labels.insert(COMPONENT.to_owned(), name.to_owned());
    CreateRequest {
        image: controller.image.clone(),
        entrypoint: Some(vec![controller.program.display().to_string()]),
        user: Some("0:0".to_owned()),
        healthcheck: Some(Healthcheck::off()),
        labels,
        host_config: HostConfig {
            auto_remove: controller.engine.auto_remove(),
            network_mode: "none".to_owned(),
            ipc_mode: "none".to_owned(),
            readonly_rootfs: true,
            cap_drop: vec!["ALL".to_owned()],
            security_opt: vec!["no-new-privileges".to_owned()],
            oom_score_adj: controller.host.oom_score_adj,
            ..HostConfig::default()
        },
        ..CreateRequest::default()
    }
}

/// The labels of what podlike makes for this controller.
fn own_labels(controller: &Controller) -> BTreeMap<String, String> {
    let version = env!("CARGO_PKG_VERSION");
    let labels = [(CONTROLLER_ID, controller.id.as_str()), (INSTANCE, &controller.instance), (VERSION, version)];
    let known = labels.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The request of a component, but for what depends on others.
fn request(component: &Component, controller: &Controller, warnings: &mut Vec<Warning>) -> CreateRequest {
    let mut request = component.request.clone();
    for (key, value) in &component.labels {
        if key.starts_with(SWARM_PREFIX) {
            warnings.push(Warning::SwarmLabel { component: component.name.clone(), label: key.clone() });
        } else {
            request.labels.insert(key.clone(), value.clone());
        }
    }
    request.labels.extend(own_labels(controller));
    request.labels.insert(COMPONENT.to_owned(), component.name.clone());
    if request.entrypoint.as_ref().is_some_and(Vec::is_empty) {
        // The engine's way to say that the image's is cleared.
        request.entrypoint = Some(vec![String::new()]);
    }
    request
}
