//! The guard: a container of the controller's own image beside the components, for what must not hang on one of them, nor
//! on the controller. There is at most one, and only where it is needed:
//!
//! | it | where |
//! |---|---|
//! | holds what is in memory | there are secrets, configs, or volumes in memory |
//! | lends its IPC namespace | the controller cannot: who is restarted finds the same one again |
//! | removes what a dead controller left | it can reach the engine as the controller does |
//!
//! ```text
//! controller dies ─▶ guard: removes what its life made ─▶ its volumes ─▶ itself
//!                      └── has volumes itself ─▶ heir: waits until the guard is gone ─▶ the volumes ─▶ itself
//! ```
//!
//! To outlive the controller it has PIDs of its own, and a cgroup of its own, so that the pod's OOM does not take it. Where
//! the engine is reached by TCP, or by a socket that is no mount of the controller, it guards nothing, and dies with the
//! controller if it can.

use std::path::Path;

use crate::engine::types::{ContainerDetails, CreateRequest, Healthcheck, HostConfig, MountRequest};

use super::component::{Component, Namespace, Pull};
use super::labels::{COMPONENT, PodSpec};
use super::needs::Need;
use super::plan::{Held, own_request};
use super::warning::Warning;
use super::{Apart, Controller, Door, Placement, Plan, Planned};

/// What stands where components have their names, on one that holds something in memory. None can be called so.
const HOLDER: &str = "(memory)";
/// On one that holds nothing.
const GUARD: &str = "(guard)";
/// On one that comes after a guard.
const HEIR: &str = "(heir)";

/// Where a guard has what leads to the engine's socket.
const DOOR: &str = "/engine";

/// What a guard is told, as words of `podlike pause`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// What it bears itself where components have their names.
    pub name: String,
    /// The container whose end it waits for, by its id.
    pub over: String,
    /// The life of the controller whose things go then.
    pub instance: String,
    /// The volumes among them.
    pub volumes: Vec<String>,
}

impl Watch {
    /// The words for it.
    fn words(&self) -> Vec<String> {
        let own = [&self.name, &self.over, &self.instance].into_iter().chain(&self.volumes);
        ["pause".to_owned()].into_iter().chain(own.cloned()).collect()
    }

    /// Reads the words behind `pause`.
    pub fn parse(words: &[String]) -> Option<Self> {
        let [name, over, instance, volumes @ ..] = words else { return None };
        let known = [HOLDER, GUARD, HEIR].contains(&name.as_str()) && !over.is_empty() && !instance.is_empty();
        let (name, over, instance) = (name.clone(), over.clone(), instance.clone());
        known.then(|| Self { name, over, instance, volumes: volumes.to_vec() })
    }

    /// Whether the volumes are for an heir: some of them cannot be removed before the guard.
    pub fn needs_heir(&self) -> bool {
        self.name == HOLDER && !self.volumes.is_empty()
    }

    /// The name of the heir's container and the request that creates it: as the guard is, without what that holds. `host`
    /// is where both find the engine.
    pub fn heir(&self, guard: &ContainerDetails, program: &Path, host: &str) -> (String, CreateRequest) {
        let watch = Self { name: HEIR.to_owned(), over: guard.id.clone(), ..self.clone() };
        let mut labels = guard.config.labels.clone();
        labels.insert(COMPONENT.to_owned(), HEIR.to_owned());
        let door = guard.mounts.iter().filter(|mount| mount.destination == DOOR);
        let mounts = door.map(|mount| {
            let source = if mount.kind == "volume" { &mount.name } else { &mount.source };
            mounted(&mount.kind, source)
        });
        let own = &guard.host_config;
        let request = CreateRequest {
            image: guard.image.clone(),
            entrypoint: Some(vec![program.display().to_string()]),
            cmd: Some(watch.words()),
            user: Some("0:0".to_owned()),
            env: vec![format!("DOCKER_HOST={host}")],
            healthcheck: Some(Healthcheck::off()),
            labels,
            host_config: HostConfig {
                auto_remove: own.auto_remove,
                network_mode: "none".to_owned(),
                ipc_mode: "none".to_owned(),
                readonly_rootfs: true,
                cap_add: own.cap_add.clone(),
                cap_drop: own.cap_drop.clone(),
                security_opt: own.security_opt.clone(),
                oom_score_adj: own.oom_score_adj,
                userns_mode: own.userns_mode.clone(),
                mounts: mounts.collect(),
                ..HostConfig::default()
            },
            ..CreateRequest::default()
        };
        (format!("{}-heir-{}", guard.name.trim_start_matches('/'), self.instance), request)
    }
}

impl Planned {
    /// Whether it is the guard, which never ends by itself while the pod lives.
    pub fn is_holder(&self) -> bool {
        [HOLDER, GUARD].contains(&self.name.as_str())
    }
}

/// The name of the guard's container. No component's can have it.
pub(super) fn name(controller: &Controller, holds: bool) -> String {
    format!("{}.podlike-{}", controller.name, if holds { "memory" } else { "guard" })
}

/// The guard of a pod, as far as it is known before the components are planned.
pub(super) struct Guard<'a> {
    controller: &'a Controller,
    /// There is one, and this is how it reaches the engine: without, it guards nothing.
    door: Option<&'a Door>,
    holds: bool,
    is_needed: bool,
    /// Somebody outlives a killed controller, or what is restarted is left of it.
    leaves: bool,
}

impl<'a> Guard<'a> {
    /// `holds` says whether there is something in memory, `pids` whether components share the controller's PIDs, `lends`
    /// whether they share an IPC namespace that the controller cannot lend.
    pub(super) fn choose(spec: &PodSpec, controller: &'a Controller, holds: bool, pids: bool, lends: bool) -> Self {
        let restarts = spec.components.iter().zip(&spec.needs).any(|(component, needs)| component.may_restart(needs));
        let survives = spec.components.iter().any(|component| outlives(component, spec, controller, pids));
        let leaves = restarts || survives;
        let is_needed = holds || (restarts && lends) || (leaves && controller.door.is_some());
        let door = controller.door.as_ref().filter(|_| is_needed);
        Self { controller, door, holds, is_needed, leaves }
    }

    /// The container whose IPC namespace others can join. With `SELinux` the guard is not confined, and who is cannot use what
    /// it has in shared memory.
    pub(super) fn lends_ipc(&self) -> Option<String> {
        let lends = self.is_needed && !self.controller.engine.selinux;
        lends.then(|| name(self.controller, self.holds))
    }

    /// What is to be said where a guard would be good, and cannot be.
    pub(super) fn missing(&self) -> Option<Warning> {
        (self.leaves && self.controller.door.is_none()).then_some(Warning::Unguarded)
    }

    /// Adds it to a plan, before everybody else. `shm_size` is that of the IPC namespace that it lends, if it does.
    pub(super) fn add(
        self,
        plan: &mut Plan,
        held: Held,
        placement: &Placement,
        userns_mode: String,
        pids: bool,
        shm_size: Option<i64>,
    ) {
        if !self.is_needed {
            return;
        }
        let on = plan.components.len();
        for planned in &mut plan.components {
            planned.needs.push(Need::lent(on));
        }
        let label = if self.holds { HOLDER } else { GUARD };
        let mut request = own_request(self.controller, label);
        request.cmd = Some(vec!["pause".to_owned()]);
        let host = &mut request.host_config;
        host.binds = held.binds;
        host.userns_mode = userns_mode;
        if let Some(shm_size) = shm_size {
            "shareable".clone_into(&mut host.ipc_mode);
            host.shm_size = shm_size;
        }
        let mut guard = Planned {
            pull: Pull::Never,
            volumes: held.volumes,
            in_memory: held.files,
            attach: false,
            ..Planned::new(label, name(self.controller, self.holds), request)
        };
        match self.door {
            Some(door) => self.arm(&mut guard, door, plan),
            None => self.bind_to_controller(&mut guard, placement, pids),
        }
        plan.components.push(guard);
    }

    /// Lets it reach the engine, and says what it is to do there.
    fn arm(&self, guard: &mut Planned, door: &Door, plan: &Plan) {
        let volumes = plan.scratch().into_iter().chain(guard.scratch()).map(str::to_owned);
        let volumes: std::collections::BTreeSet<String> = volumes.collect();
        let watch = Watch {
            name: guard.name.clone(),
            over: self.controller.id.clone(),
            instance: self.controller.instance.clone(),
            volumes: volumes.into_iter().collect(),
        };
        let request = &mut guard.request;
        request.cmd = Some(watch.words());
        let below = door.below.iter().map(|part| format!("/{}", part.display()));
        request.env = vec![format!("DOCKER_HOST=unix://{DOOR}{}", below.collect::<String>())];
        let host = &mut request.host_config;
        host.mounts.push(mounted(&door.kind, &door.source));
        if !door.of_root {
            // As the controller has it, if the engine gives it what it gives to everybody.
            host.cap_add.push("DAC_OVERRIDE".to_owned());
        }
        if self.controller.engine.selinux {
            host.security_opt.push("label=disable".to_owned());
        }
    }

    /// One that guards nothing is of no use without the controller.
    fn bind_to_controller(&self, guard: &mut Planned, placement: &Placement, pids: bool) {
        let host = &mut guard.request.host_config;
        if pids {
            host.pid_mode = format!("container:{}", self.controller.id);
        }
        if placement.is_slice() || !super::plan::survives(self.controller, host) {
            placement.parent().clone_into(&mut host.cgroup_parent);
            guard.apart = placement.is_shared().then(Apart::default);
        }
    }
}

/// What leads to the engine's socket. Not as `Binds`: the engine would make a folder where the host has nothing.
fn mounted(kind: &str, source: &str) -> MountRequest {
    let (kind, source, target) = (kind.to_owned(), source.to_owned(), DOOR.to_owned());
    MountRequest { kind, source, target, read_only: true, ..MountRequest::default() }
}

/// Whether a component runs on when the controller is killed: its PIDs are not those of the controller, or those are
/// somebody else's.
fn outlives(component: &Component, spec: &PodSpec, controller: &Controller, pids: bool) -> bool {
    match &component.pid {
        None => !pids || !controller.takes_along(),
        Some(Namespace::Engine(_)) => true,
        Some(Namespace::Component(name)) => {
            let other = spec.components.iter().find(|other| other.name == *name);
            other.is_none_or(|other| outlives(other, spec, controller, pids))
        }
    }
}
