//! Why labels do not make a pod.

use std::fmt;

use crate::compose;

/// A pod that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The text of a label is not what it should be.
    Label {
        /// The key of the label.
        label: String,
        /// What is wrong with its text.
        source: compose::Error,
    },
    /// No label declares a component.
    NoComponents,
    /// A label that is none of ours, and was probably meant to be.
    UnknownLabel {
        /// The key of the label.
        label: String,
        /// The label that may have been meant.
        nearest: Option<&'static str>,
    },
    /// A copy onto a tmpfs, where it would be lost.
    CopyOnTmpfs {
        /// The key of the copy's label.
        label: String,
        /// Where the copy would go.
        target: String,
        /// The tmpfs that it is on.
        tmpfs: String,
    },
    /// The name of a component cannot be part of a container's name.
    Name {
        /// The key of the label.
        label: String,
    },
    /// Two components have one name.
    NameTaken {
        /// The key of the second one's label.
        label: String,
    },
    /// A copy for a component that is not there.
    UnknownCopy {
        /// The key of the label.
        label: String,
        /// The component nearest in name.
        nearest: Option<String>,
    },
    /// `depends_on` names a component that is not there.
    UnknownDependency {
        /// The component that depends.
        component: String,
        /// The name that nobody has.
        on: String,
        /// The component nearest in name.
        nearest: Option<String>,
    },
    /// Components that wait for each other: from one back to itself.
    Circle(Vec<String>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suggest = |f: &mut fmt::Formatter<'_>, nearest: Option<&str>| match nearest {
            Some(name) => write!(f, ", did you mean '{name}'?"),
            None => Ok(()),
        };
        match self {
            Self::Label { label, .. } => write!(f, "label '{label}'"),
            Self::NoComponents => f.write_str(
                "no components: the controller needs a container label pod.component.NAME for each (in a stack, set it \
                 under 'labels' of the service, not under 'deploy')",
            ),
            Self::UnknownLabel { label, nearest } => {
                write!(f, "label '{label}': podlike knows no such label")?;
                suggest(f, *nearest)
            }
            Self::CopyOnTmpfs { label, target, tmpfs } => write!(
                f,
                "label '{label}': {target} is on the tmpfs {tmpfs}, which is empty when the component starts; a volume \
                 keeps a copy"
            ),
            Self::Name { label } => {
                write!(f, "label '{label}': the name of a component is made of letters, digits, '_', '.' and '-'")
            }
            Self::NameTaken { label } => {
                write!(f, "label '{label}': an init component has this name")
            }
            Self::UnknownCopy { label, nearest } => {
                write!(f, "label '{label}': no such component")?;
                suggest(f, nearest.as_deref())
            }
            Self::UnknownDependency { component, on, nearest } => {
                write!(f, "component '{component}': depends_on '{on}': no such component")?;
                suggest(f, nearest.as_deref())
            }
            Self::Circle(names) => write!(f, "depends_on goes in a circle: {}", names.join(" → ")),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Label { source, .. } => Some(source),
            _ => None,
        }
    }
}
