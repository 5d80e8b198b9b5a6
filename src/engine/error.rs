//! What can go wrong between us and the engine. Every variant names the call.

use std::path::PathBuf;
use std::{fmt, io};

use super::Host;
use super::types::ApiVersion;

/// A call that did not do what it should.
#[derive(Debug)]
pub enum Error {
    /// `DOCKER_HOST` is not an address that we can use.
    Address {
        /// The address as given.
        address: String,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// No connection to the engine.
    Unreachable {
        /// The address.
        host: Host,
        /// Why.
        source: io::Error,
    },
    /// The engine's newest API version is older than our oldest.
    TooOld {
        /// The engine's newest version.
        theirs: ApiVersion,
        /// Our oldest.
        ours: ApiVersion,
    },
    /// The engine said no.
    Refused {
        /// Method and path of the call.
        call: String,
        /// The status code of HTTP.
        status: u16,
        /// The engine's own words.
        words: String,
    },
    /// The engine did not answer in time.
    TimedOut {
        /// Method and path of the call.
        call: String,
    },
    /// The connection broke.
    Broken {
        /// Method and path of the call.
        call: String,
        /// How.
        source: io::Error,
    },
    /// The answer is not one of an engine.
    Nonsense {
        /// Method and path of the call.
        call: String,
        /// What is wrong with it.
        what: String,
    },
    /// What we wanted to upload could not be read.
    Source(io::Error),
    /// The image could not be pulled: the registry's or the engine's words from within the progress.
    Pull {
        /// The reference of the image.
        image: String,
        /// Why.
        words: String,
    },
    /// The archive of images could not be loaded: the engine's words from within the progress.
    Load {
        /// The archive.
        archive: PathBuf,
        /// Why.
        words: String,
    },
}

impl Error {
    /// The engine has no such container, image or path.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// The state of the container forbids it: already there, already stopped, on its way out.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// The engine has answered, and said no.
    pub fn is_refusal(&self) -> bool {
        self.status().is_some()
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, reason } => write!(f, "DOCKER_HOST is '{address}': {reason}"),
            Self::Unreachable { host, source } => {
                write!(f, "cannot connect to the engine at {host}")?;
                match (source.kind(), host) {
                    (io::ErrorKind::NotFound, Host::Unix(path)) => write!(
                        f,
                        " (is the engine's socket mounted? add -v {0}:{0}:ro, or set DOCKER_HOST)",
                        path.display()
                    ),
                    (io::ErrorKind::PermissionDenied, _) => f.write_str(
                        " (run the controller as root, or with the group that owns the socket: --group-add)",
                    ),
                    (io::ErrorKind::ConnectionRefused, _) => f.write_str(" (is the engine running?)"),
                    _ => Ok(()),
                }
            }
            Self::TooOld { theirs, ours } => write!(
                f,
                "the engine's API is {theirs}, podlike needs {ours} or newer: Docker 19.03 is the oldest engine with it"
            ),
            Self::Refused { call, status, words } => write!(f, "{call}: the engine answered {status}: {words}"),
            Self::TimedOut { call } => write!(f, "{call}: the engine did not answer in time"),
            Self::Broken { call, .. } => write!(f, "{call}: the connection to the engine broke"),
            Self::Nonsense { call, what } => {
                write!(f, "{call}: the answer is not an engine's: {what}")
            }
            Self::Source(_) => f.write_str("cannot read what is to be sent to the engine"),
            Self::Pull { image, words } => write!(f, "POST /images/create: '{image}': {words}"),
            Self::Load { archive, words } => write!(f, "POST /images/load: '{}': {words}", archive.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable { source, .. } | Self::Broken { source, .. } | Self::Source(source) => Some(source),
            _ => None,
        }
    }
}
