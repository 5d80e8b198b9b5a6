//! What can go wrong between us and the engine. Every variant names the call.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::types::ApiVersion;
use super::{Host, access};

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
    /// A file that TLS needs is not there, or of no use.
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; nothing of what it has.
        why: String,
    },
    /// The engine speaks TLS, and we do not.
    WantsTls {
        /// The address.
        host: Box<Host>,
    },
    /// No connection to the engine.
    Unreachable {
        /// The address.
        host: Box<Host>,
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
        // What a create lacks may be another container, which no pull brings.
        let creates = matches!(self, Self::Refused { call, .. } if call == "POST /containers/create");
        self.status() == Some(404) || (!creates && self.failed_for(&["no such container", "no such volume"]))
    }

    /// The state of the container forbids it: already there, already stopped, on its way out.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409) || self.failed_for(&["that name is already in use", "container state improper"])
    }

    /// Whether the server failed for one of these causes: Podman takes for a failure of its own what Docker has other
    /// statuses for, and ends its words with the cause.
    fn failed_for(&self, causes: &[&str]) -> bool {
        matches!(self, Self::Refused { status: 500, words, .. } if causes.iter().any(|cause| words.ends_with(cause)))
    }

    /// The container cannot be removed before others that are in its namespaces.
    pub(super) fn has_dependents(&self) -> bool {
        matches!(self, Self::Refused { words, .. } if words.contains("has dependent containers"))
    }

    /// The engine cannot do it as it is now, such as one that is no manager of a swarm.
    pub fn is_unavailable(&self) -> bool {
        self.status() == Some(503)
    }

    /// The engine has answered, and said no.
    pub fn is_refusal(&self) -> bool {
        self.status().is_some()
    }

    /// The engine does not place a container in the cgroup that was asked for: it is none to its driver, or cannot be the
    /// parent of another.
    pub fn refuses_cgroup_parent(&self) -> bool {
        /// What Docker, its runtimes and Podman say, in lower case.
        const WORDS: [&str; 7] = [
            "cgroup-parent",
            "cgroup parent",
            "invalid slice name",
            "systemd slice",
            "cannot enter cgroupv2",
            "domain controllers",
            "domain threaded mode",
        ];
        let Self::Refused { words, .. } = self else { return false };
        let words = words.to_ascii_lowercase();
        WORDS.iter().any(|part| words.contains(part))
    }

    /// The API version that the engine names when it refuses ours for its age, or for its youth.
    pub(super) fn version_it_wants(&self) -> Option<ApiVersion> {
        let Self::Refused { status: 400, words, .. } = self else { return None };
        let parts = ["Minimum supported API version is ", "Maximum supported API version is "];
        let rest = parts.iter().find_map(|part| words.split_once(part))?.1;
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest[..end].trim_end_matches('.').parse().ok()
    }

    /// The call is forbidden. Engines do not say that by themselves: a proxy or an authorization plugin does, and what can be
    /// done without the call goes on.
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
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
            Self::Certificates { path, why } => write!(
                f,
                "no TLS with the engine: {}: {why} (DOCKER_CERT_PATH names the folder with ca.pem, cert.pem and key.pem)",
                path.display()
            ),
            Self::WantsTls { host } => write!(
                f,
                "the engine at {host} speaks TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with \
                 ca.pem, cert.pem and key.pem"
            ),
            Self::Unreachable { host, source } => {
                write!(f, "cannot connect to the engine at {host}")?;
                match (source.kind(), &**host) {
                    (io::ErrorKind::NotFound, Host::Unix(path)) => write!(
                        f,
                        " (is the engine's socket mounted? add -v {0}:{0}:ro, or set DOCKER_HOST)",
                        path.display()
                    ),
                    (io::ErrorKind::PermissionDenied, _) => {
                        write!(f, " ({})", access::why_denied(Path::new("/")))
                    }
                    (io::ErrorKind::ConnectionRefused, Host::Unix(path)) if path.is_dir() => f.write_str(
                        " (it is a folder: the engine makes one where the host has no socket to mount; that of a rootless \
                         engine is $XDG_RUNTIME_DIR/docker.sock)",
                    ),
                    (io::ErrorKind::ConnectionRefused, _) => f.write_str(" (is the engine running?)"),
                    _ => Ok(()),
                }
            }
            Self::TooOld { theirs, ours } => write!(
                f,
                "the engine's API is {theirs}, podlike needs {ours} or newer: Docker 19.03 is the oldest engine with it"
            ),
            Self::Refused { call, status: 403, words } => write!(
                f,
                "{call}: forbidden: {words} (a proxy or an authorization plugin in front of the engine may refuse it; \
                 see 'Least privilege' in the README)"
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, words: &str) -> Error {
        Error::Refused { call: "POST /containers/create".to_owned(), status, words: words.to_owned() }
    }

    #[test]
    fn a_parent_is_refused_in_many_words() {
        for words in [
            "cgroup-parent for systemd cgroup should be a valid slice named as \"xxx.slice\"",
            "OCI runtime create failed: runc create failed: unable to start container process: invalid slice name: /a.slice",
            "cannot enter cgroupv2 \"/sys/fs/cgroup/docker/a\" with domain controllers -- it is in an invalid state",
            "cannot enter cgroupv2 \"/sys/fs/cgroup/docker/a\": it is in domain threaded mode",
            "did not receive systemd slice as cgroup parent when using systemd to manage cgroups: invalid argument",
            "systemd slice received as cgroup parent when using cgroupfs: invalid argument",
        ] {
            assert!(refused(500, words).refuses_cgroup_parent(), "{words}");
        }
        for words in ["No such image: a", "can't join IPC of container a", "exec: \"a\": not found in $PATH"] {
            assert!(!refused(400, words).refuses_cgroup_parent(), "{words}");
        }
    }

    #[test]
    fn the_version_that_an_engine_wants_is_in_its_words() {
        let version = |words: &str| refused(400, words).version_it_wants().map(|version| version.to_string());
        for (words, wanted) in [
            (
                "client version 1.24 is too old. Minimum supported API version is 1.40, please upgrade your client to a \
                 newer version",
                "1.40",
            ),
            ("client version 1.99 is too new. Maximum supported API version is 1.41", "1.41"),
            ("client version 1.12 is too old. Minimum supported API version is 1.44.", "1.44"),
        ] {
            assert_eq!(version(words).as_deref(), Some(wanted), "{words}");
        }
        assert_eq!(version("bad parameter"), None);
        assert_eq!(refused(500, "Minimum supported API version is 1.44").version_it_wants(), None);
    }

    #[test]
    fn podmans_failures_are_told_apart_by_their_causes() {
        let refused = |words: &str| Error::Refused { call: "a call".to_owned(), status: 500, words: words.to_owned() };
        let gone = refused("no container with ID c795 found in database: no such container");
        assert!(gone.is_not_found() && !gone.is_conflict());
        let no_donor = Error::Refused {
            call: "POST /containers/create".to_owned(),
            status: 500,
            words: "container create: no container with name or ID \"db\" found: no such container".to_owned(),
        };
        assert!(!no_donor.is_not_found());
        let taken = "creating container storage: the container name \"a\" is already in use by 946: that name is already in use";
        let stopped = "can only kill running containers. 08ac is in state stopped: container state improper";
        for words in [taken, stopped] {
            assert!(refused(words).is_conflict() && !refused(words).is_not_found(), "{words}");
        }
        let held =
            "container 946 has dependent containers which must be removed before it: 9ef: container already exists";
        assert!(refused(held).has_dependents() && !refused(held).is_conflict() && !refused(held).is_not_found());
        assert!(!refused("no such container: and more").is_not_found());
    }
}
