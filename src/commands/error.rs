//! Why a command cannot be carried out.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::{fmt, io};

#[cfg(feature = "template")]
use crate::template;
use crate::{cgroup, cli, engine, pod};

/// A refusal.
#[derive(Debug)]
pub enum Error {
    /// The command line is not understood.
    Usage(cli::Error),
    /// The engine cannot be used.
    Engine(engine::Error),
    /// The labels do not make a pod.
    Pod(pod::Error),
    /// The cgroup cannot be prepared.
    Cgroup(cgroup::Error),
    /// The stack cannot be transformed.
    #[cfg(feature = "template")]
    Template(template::Error),
    /// A file cannot be written.
    #[cfg(feature = "template")]
    Output {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// We don't know which container we are.
    NoIdentity {
        /// What traces there were, and what was wrong with each.
        tried: Vec<String>,
    },
    /// There are no labels but those of a service, which this node cannot read.
    NoManager,
    /// There are no labels to validate.
    NoLabels(
        /// Why the engine cannot tell them.
        String,
    ),
    /// A file cannot be read.
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of logins for registries is none.
    Logins {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        source: engine::NotLogins,
    },
    /// `-images` names no folder.
    NoFolder {
        /// What it names.
        path: PathBuf,
    },
    /// The system refused.
    System {
        /// What was being done, such as `open the health socket`.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::Engine(error) => error.fmt(f),
            Self::Pod(error) => error.fmt(f),
            Self::Cgroup(error) => error.fmt(f),
            #[cfg(feature = "template")]
            Self::Template(error) => error.fmt(f),
            #[cfg(feature = "template")]
            Self::Output { path, .. } => write!(f, "cannot write {}", path.display()),
            Self::NoIdentity { tried } => {
                f.write_str("cannot find out which container this is: ")?;
                if tried.is_empty() {
                    let traces = pod::identity::TRACES.join(", ");
                    write!(f, "no id in {traces}; podlike runs in a container, or set PODLIKE_CONTAINER_ID")
                } else {
                    write!(f, "{}; is this the engine that runs it? PODLIKE_CONTAINER_ID overrides", tried.join("; "))
                }
            }
            Self::NoManager => f.write_str(
                "no components: the container has no labels of a pod, and those of its service (under 'deploy' of a stack) only \
                 a manager of the Swarm can read: put them under 'labels' of the service, or let it run on managers alone \
                 (placement constraint node.role == manager)",
            ),
            Self::NoLabels(why) => {
                write!(
                    f,
                    "the labels of this container cannot be read (-f FILE names something else to validate): {why}"
                )
            }
            Self::File { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::Logins { path, .. } => write!(f, "{} has no logins for registries", path.display()),
            Self::NoFolder { path } => {
                write!(f, "-images: {} is no folder (the controller needs it: mount it)", path.display())
            }
            Self::System { doing, .. } => write!(f, "cannot {doing}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Engine(error) => error.source(),
            Self::Pod(error) => error.source(),
            Self::Cgroup(error) => error.source(),
            Self::Usage(_) | Self::NoIdentity { .. } | Self::NoManager | Self::NoLabels(_) | Self::NoFolder { .. } => {
                None
            }
            Self::Logins { source, .. } => Some(source),
            Self::File { source, .. } | Self::System { source, .. } => Some(source),
            #[cfg(feature = "template")]
            Self::Template(_) => None,
            #[cfg(feature = "template")]
            Self::Output { source, .. } => Some(source),
        }
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<pod::Error> for Error {
    fn from(error: pod::Error) -> Self {
        Self::Pod(error)
    }
}

impl From<cgroup::Error> for Error {
    fn from(error: cgroup::Error) -> Self {
        Self::Cgroup(error)
    }
}

impl From<cli::Error> for Error {
    fn from(error: cli::Error) -> Self {
        Self::Usage(error)
    }
}

#[cfg(feature = "template")]
impl From<template::Error> for Error {
    fn from(error: template::Error) -> Self {
        Self::Template(error)
    }
}
