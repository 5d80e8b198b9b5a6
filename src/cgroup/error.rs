//! Why there is no place for the components.

use std::path::PathBuf;
use std::{fmt, io};

use crate::dbus;

/// A job that was not done.
#[derive(Debug)]
pub enum Error {
    /// The words of the job make none.
    Usage,
    /// No process that we see is in the container's cgroup.
    NoCgroup {
        /// The id of the container.
        id: String,
    },
    /// A file of the cgroup cannot be read or written.
    File {
        /// What was being done, such as `read`.
        doing: &'static str,
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A limit cannot be divided.
    Divide {
        /// What of, such as `memory`.
        controller: String,
        /// The path of the file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are always processes left.
    Busy {
        /// The path of the cgroup.
        path: PathBuf,
        /// How often it was tried.
        tries: usize,
    },
    /// A property whose value cannot be read.
    Property {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// D-Bus or systemd refused.
    Bus {
        /// What was being done, such as `start`.
        doing: &'static str,
        /// The slice.
        name: String,
        /// Why.
        source: dbus::Error,
    },
    /// systemd did not do it.
    Job {
        /// What was being done, such as `start`.
        doing: &'static str,
        /// The slice.
        name: String,
        /// What became of it, such as `failed`.
        result: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => f.write_str(
                "podlike makes a container for this by itself: cgroup leaf MOUNT ID, cgroup slice SOCKET NAME \
                 [PROPERTY=VALUE], cgroup stop SOCKET NAME",
            ),
            Self::NoCgroup { id } => {
                write!(f, "no process is in a cgroup v2 of the container {id} (is it in another PID namespace?)")
            }
            Self::File { doing, path, .. } => write!(f, "cannot {doing} {}", path.display()),
            Self::Divide { controller, path, .. } => write!(f, "cannot divide {controller} by {}", path.display()),
            Self::Busy { path, tries } => {
                write!(f, "processes came into {} faster than they were moved, {tries} times", path.display())
            }
            Self::Property { name, value } => write!(f, "the property {name} has a value that is none: '{value}'"),
            Self::Bus { doing, name, .. } => write!(f, "cannot {doing} {name}"),
            Self::Job { doing, name, result } => {
                write!(f, "cannot {doing} {name}: systemd says '{result}'")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } | Self::Divide { source, .. } => Some(source),
            Self::Bus { source, .. } => Some(source),
            _ => None,
        }
    }
}
