//! Who lends its IPC namespace to whom.

use crate::engine::types::HostConfig;

use super::super::component::Namespace;
use super::super::needs::{self, Need, Until};
use super::{Controller, PodSpec, Warning, container_name, stays};

/// How the components come to one IPC namespace.
pub(super) enum Ipc {
    /// They don't.
    Private,
    /// Each joins the one that the controller is in.
    Join(String),
    /// The controller's cannot be joined: the component at this position lends its own to the other ones that stay.
    Donor(usize),
}

impl Ipc {
    pub(super) fn choose(spec: &PodSpec, controller: &Controller, shared: bool) -> Self {
        match controller.host.ipc_mode.as_str() {
            _ if !shared => Self::Private,
            "shareable" => Self::Join(format!("container:{}", controller.id)),
            mode if mode == "host" || mode.starts_with("container:") => Self::Join(mode.to_owned()),
            _ => {
                let order = needs::order(&spec.needs).expect("the needs of a spec go in no circle");
                let mut donors = order.into_iter().filter(|position| shares(spec, *position));
                // Without one that stays there is nobody to share with.
                donors.next().map_or(Self::Private, Self::Donor)
            }
        }
    }

    /// Who joins the donor starts after it: only the namespace of a running container can be joined. The donor is the
    /// first in order, so nothing that it waits for joins it.
    pub(super) fn add_needs(&self, spec: &PodSpec, needs: &mut [Vec<Need>]) {
        let Self::Donor(donor) = self else { return };
        for (position, needs) in needs.iter_mut().enumerate() {
            if position != *donor && shares(spec, position) && needs.iter().all(|need| need.on != *donor) {
                needs.push(Need { on: *donor, until: Until::Started });
            }
        }
    }

    pub(super) fn mode(&self, spec: &PodSpec, controller: &Controller, position: usize) -> String {
        let component = &spec.components[position];
        match &component.ipc {
            Some(Namespace::Engine(mode)) => mode.clone(),
            // The namespace is the other's; whose that is, the engine must be told.
            Some(Namespace::Component(name)) => {
                let other = spec.components.iter().position(|other| other.name == *name);
                match other.map(|other| self.mode(spec, controller, other)).unwrap_or_default() {
                    mode if mode == "shareable" => format!("container:{}", container_name(controller, name)),
                    mode => mode,
                }
            }
            None => match self {
                Self::Join(mode) => mode.clone(),
                Self::Donor(donor) if position == *donor => "shareable".to_owned(),
                Self::Donor(donor) if shares(spec, position) => {
                    format!("container:{}", container_name(controller, &spec.components[*donor].name))
                }
                Self::Private | Self::Donor(_) if lends(spec, &component.name) => "shareable".to_owned(),
                Self::Private | Self::Donor(_) => String::new(),
            },
        }
    }

    /// `shm_size` belongs to who has the namespace: the donor gets the largest.
    pub(super) fn shared_memory(
        &self,
        host: &mut HostConfig,
        spec: &PodSpec,
        controller: &Controller,
        position: usize,
        warnings: &mut Vec<Warning>,
    ) {
        let component = &spec.components[position];
        let joined = match self {
            Self::Donor(donor) if *donor == position => {
                let sharing = spec.components.iter().enumerate().filter(|(other, _)| shares(spec, *other));
                let wanted = sharing.map(|(_, other)| other.request.host_config.shm_size);
                host.shm_size = wanted.max().unwrap_or(0);
                return;
            }
            // The donor has it already.
            Self::Donor(_) if shares(spec, position) => {
                host.shm_size = 0;
                return;
            }
            _ => host.ipc_mode.starts_with("container:") || host.ipc_mode == "host",
        };
        if joined && host.shm_size > 0 {
            let of = match host.ipc_mode.strip_prefix("container:") {
                Some(id) if id == controller.id => "the controller".to_owned(),
                Some(container) => format!("the container {container}"),
                None => "the host".to_owned(),
            };
            warnings.push(Warning::SharedMemory { component: component.name.clone(), of });
            host.shm_size = 0;
        }
    }
}

/// Whether a component has its part in what the pod shares.
fn shares(spec: &PodSpec, position: usize) -> bool {
    stays(spec, position) && spec.components[position].ipc.is_none()
}

/// Whether another component asks for this one's namespace.
fn lends(spec: &PodSpec, name: &str) -> bool {
    spec.components.iter().any(|other| matches!(&other.ipc, Some(Namespace::Component(on)) if on == name))
}
