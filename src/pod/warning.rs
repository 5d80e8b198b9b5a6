//! What is not done as asked, and why.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::compose::Place;

use super::Why;

/// Something that is not done as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A key that has no meaning in a pod.
    Ignored {
        /// The components that have it.
        components: Vec<String>,
        /// Where the key stands, in the first of them.
        place: Place,
        /// Its path there.
        at: String,
        /// Why.
        reason: String,
    },
    /// A part of a Compose file that has no meaning in a pod.
    IgnoredSection {
        /// Where it stands.
        place: Place,
        /// Its key.
        key: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A label of the first podlike.
    OldLabel {
        /// Its key.
        label: String,
        /// What it is called now.
        now: String,
    },
    /// The labels of a pod are those of its service.
    OfService {
        /// Where they stand.
        place: Place,
        /// Their path there.
        at: String,
    },
    /// A variable in a Compose file that is not set.
    Unset {
        /// Where it is used.
        place: Place,
        /// Its name.
        name: String,
    },
    /// A variable of the pod that is not known: nobody, or here.
    Metadata {
        /// The component that uses it.
        component: String,
        /// Its name.
        name: String,
        /// Whether there is no such variable at all.
        unknown: bool,
        /// The one that may have been meant.
        nearest: Option<&'static str>,
    },
    /// Components are not placed below the controller's cgroup.
    NotNested {
        /// Why.
        why: Why,
    },
    /// A privileged component is not placed below the controller's cgroup.
    PrivilegedNotNested {
        /// The component.
        component: String,
    },
    /// A component that outlives a killed controller is not placed below the controller's cgroup.
    SurvivorNotNested {
        /// The component.
        component: String,
    },
    /// A limit is above the controller's.
    Capped {
        /// The component.
        component: String,
        /// The key of the limit.
        key: &'static str,
        /// The controller's limit, which holds.
        limit: String,
    },
    /// The kernel would rather kill the controller than this component.
    OomScore {
        /// The component.
        component: String,
        /// Its score.
        score: i64,
        /// The controller's.
        own: i64,
    },
    /// The size of a `/dev/shm` that is shared.
    SharedMemory {
        /// The component that wants it.
        component: String,
        /// Whose `/dev/shm` it is.
        of: String,
    },
    /// A parameter of the kernel that all share who share a network.
    NetworkSysctl {
        /// The component.
        component: String,
        /// Where it is set.
        place: Place,
        /// Its name.
        key: String,
    },
    /// A label that would make Swarm take the container for a task.
    SwarmLabel {
        /// The component.
        component: String,
        /// The key of the label.
        label: String,
    },
    /// Sharing of a mount that reaches the engine's socket, or our key for it.
    SocketNotShared {
        /// The path in the controller.
        destination: String,
    },
    /// Limits that do not hold on this engine.
    NotHeld {
        /// What they are of.
        limits: Vec<&'static str>,
        /// Why.
        why: &'static str,
    },
    /// Users of their own, from an engine that has none for containers.
    NoUserns {
        /// The component.
        component: String,
    },
    /// The engine remaps the owners of files, but not the users who are to use them.
    RemappedFiles {
        /// The components.
        components: Vec<String>,
    },
    /// A component takes no part in the IPC namespace that the others share.
    OwnIpc {
        /// The component.
        component: String,
    },
    /// The engine cannot end processes in a PID namespace that is shared.
    OwnPids,
    /// Something outlives a killed controller, and nobody can remove it then.
    Unguarded,
    /// A path that is in the controller's file system only.
    CopiedBind {
        /// The component.
        component: String,
        /// The path in the controller.
        source: String,
        /// The path in the component.
        target: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignored { components, place, at, reason } => {
                write!(f, "{place}: {at}: ignored")?;
                match &components[1..] {
                    [] => {}
                    others => write!(f, ", also in {}", others.join(", "))?,
                }
                write!(f, ": {reason}")
            }
            Self::IgnoredSection { place, key, reason } => write!(f, "{place}: {key}: ignored: {reason}"),
            Self::OldLabel { label, now } => {
                write!(f, "label '{label}' is the notation of an old podlike, and is taken for '{now}'")
            }
            Self::OfService { place, at } => write!(
                f,
                "{place}: {at}: only a manager of the Swarm can read them: on a worker the pod is refused (those under 'labels' \
                 of the service every node has)"
            ),
            Self::Unset { place, name } => {
                write!(
                    f,
                    "{place}: the variable '{name}' is not set, it is taken for empty (${{{name}:-default}} has a default)"
                )
            }
            Self::Metadata { component, name, unknown, nearest } => {
                write!(f, "component '{component}': ${{{name}}} is ")?;
                untold(f, name, *unknown, *nearest)
            }
            Self::NotNested { why } => {
                write!(f, "the controller's limits hold for each component, not for their sum: {why}")
            }
            Self::PrivilegedNotNested { component } => write!(
                f,
                "component '{component}' is privileged and not placed in the controller's cgroup, which may not use all \
                 devices: the controller's limits hold for it alone"
            ),
            Self::SurvivorNotNested { component } => write!(
                f,
                "component '{component}' has PIDs of its own and is not placed in the controller's cgroup, where the engine \
                 could not restart a killed controller beside it: the controller's limits hold for it alone"
            ),
            Self::Capped { component, key, limit } => {
                write!(f, "component '{component}': {key} is above the controller's limit, {limit} is used")
            }
            Self::OomScore { component, score, own } => write!(
                f,
                "component '{component}': with oom_score_adj {score} the kernel kills the controller ({own}) before or \
                 instead of it when memory runs out"
            ),
            Self::SharedMemory { component, of } => {
                write!(f, "component '{component}': shm_size has no effect, its /dev/shm is that of {of}")
            }
            Self::NetworkSysctl { component, place, key } => {
                write!(f, "{place}: component '{component}' sets {key} for the whole pod: they share the network")
            }
            Self::SwarmLabel { component, label } => {
                write!(f, "component '{component}': the label '{label}' is left out, it belongs to Swarm")
            }
            Self::SocketNotShared { destination } => write!(
                f,
                "-volumes leaves out {destination}: it holds the engine's socket or key; a component that needs it must name it"
            ),
            Self::NotHeld { limits, why } => {
                write!(f, "limits of {} are left out, they would not hold: {why}", limits.join(", "))
            }
            Self::NoUserns { component } => write!(
                f,
                "component '{component}': userns_mode: private has no effect: the engine has no users of their own for \
                 containers (userns-remap)"
            ),
            Self::RemappedFiles { components } => write!(
                f,
                "{} with the host's users, while the engine remaps the owners of images, copies, secrets and configs: there \
                 root can read all of them, any other user only what everybody may",
                match &components[..] {
                    [one] => format!("component '{one}' runs"),
                    several => format!("the components {} run", several.join(", ")),
                }
            ),
            Self::OwnIpc { component } => write!(
                f,
                "component '{component}' has an IPC namespace of its own: it has the host's users, and the others cannot \
                 share with it"
            ),
            Self::OwnPids => f.write_str(
                "each component has a PID namespace of its own: the engine has no cgroups, and without them it cannot end \
                 what a component leaves running among the processes of others",
            ),
            Self::Unguarded => f.write_str(
                "what a killed controller leaves stays until a pod starts on this engine again: no guard can remove it, \
                 as the engine is not reached by a socket that is mounted in the controller",
            ),
            Self::CopiedBind { component, source, target } => write!(
                f,
                "component '{component}': {source} is on no mount of the controller, so that the engine cannot bind it: it \
                 is copied to {target} instead"
            ),
        }
    }
}

/// Why a variable of the pod tells nothing.
fn untold(f: &mut fmt::Formatter<'_>, name: &str, unknown: bool, nearest: Option<&str>) -> fmt::Result {
    if !unknown {
        return write!(f, "not known here, it is taken for empty (${{{name}:-default}} has a default)");
    }
    f.write_str("left as it is: podlike knows no such variable")?;
    nearest.map_or(Ok(()), |near| write!(f, ", did you mean '{near}'?"))
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
