//! The work of the container that prepares where the components of a pod go, on the host's cgroups. Imports `dbus`.
//!
//! ```text
//!  leaf.rs   cgroupfs:  CONTROLLER/ ─ its processes ─▶ CONTROLLER/podlike/      prints CONTROLLER's path:
//!                                   ◀─ +memory +pids …                          components go beside podlike/
//!  slice.rs  systemd:   StartTransientUnit podlike-….slice, with the controller's limits; StopUnit
//! ```
//!
//! Both need what only the host has, the tree of cgroups or the bus, so that the controller, which has neither, lets a
//! container do it that ends at once.

mod error;
mod leaf;
mod slice;

use std::path::{Path, PathBuf};

pub use error::Error;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Make room for components in the cgroup of a container.
    Leaf {
        /// Where the host's cgroups are mounted.
        mount: PathBuf,
        /// The id of the container.
        id: String,
    },
    /// Make a slice.
    Slice {
        /// The socket of D-Bus.
        socket: PathBuf,
        /// The slice.
        name: String,
        /// Its properties, as systemd calls them, with their values.
        properties: Vec<(String, String)>,
    },
    /// Stop slices.
    Stop {
        /// The socket of D-Bus.
        socket: PathBuf,
        /// The slices.
        names: Vec<String>,
    },
}

impl Job {
    /// Reads a job: `leaf MOUNT ID`, `slice SOCKET NAME [PROPERTY=VALUE…]`, `stop SOCKET NAME…`.
    pub fn parse(words: &[String]) -> Result<Self, Error> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let own = |text: &str| text.to_owned();
        match words[..] {
            ["leaf", mount, id] if !id.is_empty() => Ok(Self::Leaf { mount: mount.into(), id: own(id) }),
            ["slice", socket, name, ref properties @ ..] => {
                let pair = |word: &&str| word.split_once('=').map(|(key, value)| (own(key), own(value)));
                let properties = properties.iter().map(pair).collect::<Option<_>>().ok_or(Error::Usage)?;
                Ok(Self::Slice { socket: socket.into(), name: own(name), properties })
            }
            ["stop", socket, ref names @ ..] if !names.is_empty() => {
                Ok(Self::Stop { socket: socket.into(), names: names.iter().map(|name| own(name)).collect() })
            }
            _ => Err(Error::Usage),
        }
    }

    /// Does it, and says where components go.
    pub fn run(&self) -> Result<String, Error> {
        match self {
            Self::Leaf { mount, id } => leaf::Leaf::of(Path::new("/proc"), mount, id)?.prepare(&leaf::write),
            Self::Slice { socket, name, properties } => slice::start(socket, name, properties),
            Self::Stop { socket, names } => slice::stop(socket, names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Job, Error> {
        Job::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn jobs_are_read_as_they_are_written() {
        let own = |text: &str| text.to_owned();
        let leaf = Job::Leaf { mount: "/cgroup".into(), id: own("abc") };
        assert_eq!(parsed("leaf /cgroup abc").expect("a job"), leaf);
        let properties = vec![(own("MemoryMax"), own("1")), (own("AllowedCPUs"), own("0-1,3"))];
        let slice = Job::Slice { socket: "/s".into(), name: own("a.slice"), properties };
        assert_eq!(parsed("slice /s a.slice MemoryMax=1 AllowedCPUs=0-1,3").expect("a job"), slice);
        let stop = Job::Stop { socket: "/s".into(), names: vec![own("a.slice"), own("b.slice")] };
        assert_eq!(parsed("stop /s a.slice b.slice").expect("a job"), stop);
        for wrong in ["", "leaf", "leaf /cgroup", "leaf / a b", "slice /s", "slice /s a MemoryMax", "stop /s", "x /s a"]
        {
            assert!(matches!(parsed(wrong), Err(Error::Usage)), "{wrong}");
        }
    }
}
