//! Who restarts with whom because it is in a namespace of that: an engine makes a new one for each life of a container.
//! Compose has it so, too.

use super::super::needs::Until;
use super::ipc::Ipc;
use super::{Component, Controller, Namespace, Need, PodSpec};

/// Lets those who are in a namespace of a component restart with it, where it may restart. `pids` says whether components
/// share the controller's PIDs.
pub(super) fn add(needs: &mut [Vec<Need>], spec: &PodSpec, ipc: &Ipc<'_>, controller: &Controller, pids: bool) {
    let position = |name: &str| spec.components.iter().position(|component| component.name == name);
    let mut ties = Vec::new();
    for (who, component) in spec.components.iter().enumerate() {
        if let Some(Namespace::Component(name)) = &component.ipc
            && ipc.is_a_components(spec, controller, who)
        {
            ties.extend(position(name).map(|on| (who, on)));
        }
        if let Some(Namespace::Component(name)) = &component.pid
            && is_a_components(component, spec, pids)
        {
            ties.extend(position(name).map(|on| (who, on)));
        }
    }
    // One may bring another.
    while let Some(next) = ties.iter().position(|(_, on)| spec.components[*on].may_restart(&needs[*on])) {
        let (who, on) = ties.swap_remove(next);
        for need in needs[who].iter_mut().filter(|need| need.on == on && need.until == Until::Started) {
            need.restart = true;
        }
    }
}

/// Whether a component's PIDs are its own or another component's.
fn is_a_components(component: &Component, spec: &PodSpec, pids: bool) -> bool {
    match &component.pid {
        None => !pids,
        Some(Namespace::Engine(mode)) => mode == "private",
        Some(Namespace::Component(name)) => {
            let other = spec.components.iter().find(|other| other.name == *name);
            other.is_some_and(|other| is_a_components(other, spec, pids))
        }
    }
}
