//! Who lends its IPC namespace to whom.

use std::collections::{HashMap, HashSet};

use crate::engine::types::HostConfig;

use super::super::component::{Namespace, Stage};
use super::super::needs::{self, Need, Until};
use super::super::role::Role;
use super::userns::Users;
use super::{Component, Controller, PodSpec, Warning, container_name};

/// Who has which IPC namespace.
pub(super) struct Ipc<'a> {
    way: Way,
    /// Whether each component has its part in what the pod shares: it is meant to run as long as the pod does, asks
    /// for no other namespace, and has the users of the others.
    takes_part: Vec<bool>,
    positions: HashMap<&'a str, usize>,
    /// The components whose namespaces others ask for.
    lent: HashSet<&'a str>,
}

/// How the components come to one IPC namespace.
enum Way {
    /// They don't.
    Private,
    /// Each joins the one that the controller is in.
    Join(String),
    /// The controller's cannot be joined: the component at this position lends its own to the other ones that stay.
    Donor(usize),
    /// It cannot be joined, and there is a guard, whose container this is: it lends its own to all that stay.
    Guard(String),
}

impl<'a> Ipc<'a> {
    pub(super) fn choose(
        spec: &'a PodSpec,
        controller: &Controller,
        users: &Users,
        shared: bool,
        guard: Option<String>,
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let needs = spec.needs.iter().flatten().filter(|need| need.until == Until::Succeeded);
        let finite: HashSet<usize> = needs.map(|need| need.on).collect();
        let components = || spec.components.iter().enumerate();
        let stays = |(position, component): (usize, &Component)| {
            let goes_on = component.role != Role::Task && !finite.contains(&position);
            component.stage == Stage::Main && goes_on && component.ipc.is_none()
        };
        let mut takes_part: Vec<bool> = components().map(stays).collect();
        if shared && Way::of_controller(controller).is_none() {
            for (takes_part, component) in takes_part.iter_mut().zip(&spec.components) {
                if *takes_part && users.is_apart(component) {
                    *takes_part = false;
                    warnings.push(Warning::OwnIpc { component: component.name.clone() });
                }
            }
        }
        let lent = spec.components.iter().filter_map(|component| match &component.ipc {
            Some(Namespace::Component(on)) => Some(on.as_str()),
            _ => None,
        });
        Self {
            way: Way::choose(spec, controller, shared, guard, &takes_part),
            takes_part,
            positions: components().map(|(position, component)| (component.name.as_str(), position)).collect(),
            lent: lent.collect(),
        }
    }

    /// Who joins the donor starts after it: only the namespace of a running container can be joined. The donor is the
    /// first in order, so nothing that it waits for joins it.
    pub(super) fn add_needs(&self, needs: &mut [Vec<Need>]) {
        let Way::Donor(donor) = &self.way else { return };
        for (position, needs) in needs.iter_mut().enumerate() {
            if position != *donor && self.takes_part[position] && needs.iter().all(|need| need.on != *donor) {
                needs.push(Need::lent(*donor));
            }
        }
    }

    pub(super) fn mode(&self, spec: &PodSpec, controller: &Controller, position: usize) -> String {
        let component = &spec.components[position];
        match &component.ipc {
            Some(Namespace::Engine(mode)) => mode.clone(),
            // The namespace is the other's; whose that is, the engine must be told.
            Some(Namespace::Component(name)) => {
                let other = self.positions.get(name.as_str());
                match other.map(|other| self.mode(spec, controller, *other)).unwrap_or_default() {
                    mode if mode == "shareable" => format!("container:{}", container_name(controller, name)),
                    mode => mode,
                }
            }
            None => match &self.way {
                Way::Join(mode) => mode.clone(),
                Way::Donor(donor) if position == *donor => "shareable".to_owned(),
                Way::Donor(donor) if self.takes_part[position] => {
                    format!("container:{}", container_name(controller, &spec.components[*donor].name))
                }
                Way::Guard(guard) if self.takes_part[position] => format!("container:{guard}"),
                _ if self.lent.contains(component.name.as_str()) => "shareable".to_owned(),
                Way::Private | Way::Donor(_) | Way::Guard(_) => String::new(),
            },
        }
    }

    /// Whether a component that joins another one's namespace is in one that a component has, and not the guard or somebody
    /// outside of the pod.
    pub(super) fn is_a_components(&self, spec: &PodSpec, controller: &Controller, position: usize) -> bool {
        let mut whose = position;
        while let Some(Namespace::Component(name)) = &spec.components[whose].ipc {
            let Some(other) = self.positions.get(name.as_str()) else { return false };
            whose = *other;
        }
        self.mode(spec, controller, whose) == "shareable"
    }

    /// What the guard gets of `shm_size`, if it lends its namespace.
    pub(super) fn size_of_guard(&self, spec: &PodSpec) -> Option<i64> {
        matches!(self.way, Way::Guard(_)).then(|| self.largest(spec))
    }

    /// The largest `shm_size` of those who share.
    fn largest(&self, spec: &PodSpec) -> i64 {
        let sharing = spec.components.iter().zip(&self.takes_part).filter(|(_, takes_part)| **takes_part);
        sharing.map(|(component, _)| component.request.host_config.shm_size).max().unwrap_or(0)
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
        let joined = match &self.way {
            Way::Donor(donor) if *donor == position => {
                host.shm_size = self.largest(spec);
                return;
            }
            // The donor has it already.
            Way::Donor(_) | Way::Guard(_) if self.takes_part[position] => {
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

/// Whether components can join the IPC namespace that the controller is in.
pub(super) fn is_lent_by(controller: &Controller) -> bool {
    Way::of_controller(controller).is_some()
}

impl Way {
    fn choose(
        spec: &PodSpec,
        controller: &Controller,
        shared: bool,
        guard: Option<String>,
        takes_part: &[bool],
    ) -> Self {
        if !shared {
            return Self::Private;
        }
        Self::of_controller(controller).map_or_else(
            || {
                let order = needs::order(&spec.needs).expect("the needs of a spec go in no circle");
                let first = order.into_iter().find(|position| takes_part[*position]);
                // Without one that stays there is nobody to share with.
                let Some(first) = first else { return Self::Private };
                guard.map_or(Self::Donor(first), Self::Guard)
            },
            Self::Join,
        )
    }

    /// How the namespace is joined that the controller is in, if it can be.
    fn of_controller(controller: &Controller) -> Option<String> {
        match controller.host.ipc_mode.as_str() {
            "shareable" => Some(format!("container:{}", controller.id)),
            mode if mode == "host" || mode.starts_with("container:") => Some(mode.to_owned()),
            _ => None,
        }
    }
}
