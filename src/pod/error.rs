//! Why labels do not make a pod.

use std::fmt;

use crate::compose::{self, Place};
use crate::engine::types::ApiVersion;

/// A pod that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A text in Compose notation is not what it should be.
    Compose(compose::Error),
    /// No label declares a component.
    NoComponents,
    /// Every component has profiles, and none of them was chosen.
    NoProfile {
        /// The components that are left out.
        skipped: Vec<String>,
    },
    /// Components in labels and in a file.
    LabelsAndFile {
        /// Where the label of a component stands.
        place: Box<Place>,
        /// The label of the file.
        file: &'static str,
    },
    /// A label that is none of ours, and was probably meant to be.
    UnknownLabel {
        /// Where it stands.
        place: Box<Place>,
        /// The label that may have been meant.
        nearest: Option<&'static str>,
    },
    /// A copy onto a tmpfs, where it would be lost.
    CopyOnTmpfs {
        /// Where the copy's label stands.
        place: Box<Place>,
        /// Where the copy would go.
        target: String,
        /// The tmpfs that it is on.
        tmpfs: String,
    },
    /// The name of a component or volume cannot be part of the engine's name for it.
    Name {
        /// Where what it names stands.
        place: Box<Place>,
        /// The path there.
        at: String,
        /// What it names.
        of: &'static str,
    },
    /// Two components have one name.
    NameTaken {
        /// Where the second one's label stands.
        place: Box<Place>,
        /// Who has it.
        by: &'static str,
    },
    /// A copy for a component that is not there.
    UnknownCopy {
        /// Where the label stands.
        place: Box<Place>,
        /// The component nearest in name.
        nearest: Option<String>,
    },
    /// A label about a component that is not there.
    UnknownComponent {
        /// Where the label stands.
        place: Box<Place>,
        /// The name that nobody has.
        name: String,
        /// The component nearest in name.
        nearest: Option<String>,
    },
    /// A component depends on one that is not there.
    UnknownDependency {
        /// Where that is said.
        place: Box<Place>,
        /// The path of the key that says it.
        at: String,
        /// The name that nobody has.
        on: String,
        /// Whether a component of that name is left out, because no profile chose it.
        skipped: bool,
        /// The component nearest in name.
        nearest: Option<String>,
    },
    /// A component asks for what an init component has, which is gone by then.
    HasEnded {
        /// Where it asks.
        place: Box<Place>,
        /// The path of the key.
        at: String,
        /// The init component.
        on: String,
    },
    /// A component waits for the success of a sidecar.
    NeverSucceeds {
        /// Where it says so.
        place: Box<Place>,
        /// The path of the key.
        at: String,
        /// The sidecar.
        on: String,
    },
    /// A pod of sidecars alone.
    OnlySidecars,
    /// Two components shall be the leader.
    TwoLeaders {
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
    /// The leader does not decide the end of the pod.
    NotEssential {
        /// Its name.
        leader: String,
    },
    /// A label says another role than the component itself.
    TwoRoles {
        /// Where the label stands.
        place: Box<Place>,
    },
    /// A label about an init component that is only for others.
    OfInit {
        /// Where the label stands.
        place: Box<Place>,
    },
    /// Components that wait for each other.
    Circle {
        /// Where one of them says so.
        place: Box<Place>,
        /// The path of the key that says it.
        at: String,
        /// From that one back to itself.
        names: Vec<String>,
    },
    /// What the operator's flags forbid.
    Forbidden {
        /// Where it was asked for.
        place: Box<Place>,
        /// Its path.
        at: String,
        /// The flags' word for it.
        right: &'static str,
        /// Whether `-deny` lists it; else `-allow` does not.
        by_deny: bool,
    },
    /// A setting that an engine refuses which remaps users.
    Userns {
        /// Where it was asked for.
        place: Box<Place>,
        /// Its path.
        at: String,
        /// Why it cannot be, and the way out.
        why: &'static str,
    },
    /// A setting that needs a newer engine.
    TooOld {
        /// Where it was asked for.
        place: Box<Place>,
        /// Its path.
        at: String,
        /// What it is.
        what: &'static str,
        /// The first version of the API that has it.
        since: ApiVersion,
        /// The engine's newest version.
        theirs: ApiVersion,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suggest = |f: &mut fmt::Formatter<'_>, nearest: Option<&str>| match nearest {
            Some(name) => write!(f, ", did you mean '{name}'?"),
            None => Ok(()),
        };
        match self {
            Self::Compose(error) => error.fmt(f),
            Self::NoComponents => f.write_str(
                "no components: the controller needs a container label pod.component.NAME for each, or pod.compose.file (in \
                 a stack, set it under 'labels' of the service, not under 'deploy')",
            ),
            Self::NoProfile { skipped } => {
                write!(f, "no components: -profiles chooses none of the profiles of {}", skipped.join(", "))
            }
            Self::LabelsAndFile { place, file } => {
                write!(f, "{place}: there is '{file}' too: components come from labels or from a file, not from both")
            }
            Self::UnknownLabel { place, nearest } => {
                write!(f, "{place}: podlike knows no such label")?;
                suggest(f, *nearest)
            }
            Self::CopyOnTmpfs { place, target, tmpfs } => write!(
                f,
                "{place}: {target} is on the tmpfs {tmpfs}, which is empty when the component starts; a volume \
                 keeps a copy"
            ),
            Self::Name { place, at, of } => {
                write!(f, "{place}: ")?;
                if !at.is_empty() {
                    write!(f, "{at}: ")?;
                }
                write!(f, "the name of a {of} is made of letters, digits, '_', '.' and '-', and does not begin with '.' or '-'")
            }
            Self::NameTaken { place, by } => write!(f, "{place}: {by} has this name"),
            Self::NeverSucceeds { place, at, on } => {
                write!(f, "{place}: {at}: '{on}' is a sidecar, which never ends with success; make it a task")
            }
            Self::OnlySidecars => f.write_str(
                "only sidecars: a pod needs a component that they help (a role of sidecar is for those that help others)",
            ),
            Self::TwoLeaders { first, second } => {
                write!(f, "the leader is '{first}' and '{second}': a pod has the exit code of one at most")
            }
            Self::NotEssential { leader } => {
                write!(f, "the leader '{leader}' is not essential: its end must be the end of the pod (leave out its role)")
            }
            Self::TwoRoles { place } => {
                write!(f, "{place}: the component says another role under x-podlike-role: leave one of them out")
            }
            Self::OfInit { place } => {
                write!(f, "{place}: an init component runs before all others, to success: it has no role, and cannot lead")
            }
            Self::UnknownCopy { place, nearest } => {
                write!(f, "{place}: no such component")?;
                suggest(f, nearest.as_deref())
            }
            Self::UnknownComponent { place, name, nearest } => {
                write!(f, "{place}: no such component '{name}'")?;
                suggest(f, nearest.as_deref())
            }
            Self::UnknownDependency { place, at, on, skipped, nearest } => {
                write!(f, "{place}: {at}: no such component '{on}'")?;
                if *skipped {
                    return f.write_str(": it has profiles, and -profiles chooses none of them");
                }
                suggest(f, nearest.as_deref())
            }
            Self::HasEnded { place, at, on } => {
                write!(f, "{place}: {at}: '{on}' is an init component, which is gone by then; a volume with a name stays")
            }
            Self::Circle { place, at, names } => {
                write!(f, "{place}: {at}: components wait for each other in a circle: {}", names.join(" → "))
            }
            Self::Forbidden { place, at, right, by_deny } => {
                let flag = if *by_deny { "-deny" } else { "-allow, which does not list" };
                write!(f, "{place}: {at}: forbidden here, the controller runs with {flag} {right}")
            }
            Self::Userns { place, at, why } => write!(f, "{place}: {at}: {why}"),
            Self::TooOld { place, at, what, since, theirs } => write!(
                f,
                "{place}: {at}: an engine with API {since} or newer is needed for {what}, and this one has {theirs}"
            ),
        }
    }
}

impl std::error::Error for Error {}

impl From<compose::Error> for Error {
    fn from(error: compose::Error) -> Self {
        Self::Compose(error)
    }
}
