//! Room for components in the cgroup of the controller. In cgroup v2 only leaves hold processes where limits are divided
//! ("no internal processes", the kernel's cgroup-v2.rst), so those of the controller move one level down.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;

use super::Error;

/// The leaf that the controller's processes go to.
const LEAF: &str = "podlike";
/// What is divided below the controller, where it is there.
const CONTROLLERS: [&str; 5] = ["memory", "pids", "cpu", "io", "cpuset"];
/// A health check may come in while processes are moved; never so often.
const TRIES: usize = 100;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(10);

/// Writes a text to a file of a cgroup at once.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

/// A cgroup to be prepared.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// As the engine names it.
    path: String,
    /// Where it is.
    folder: PathBuf,
}

impl Leaf {
    /// The cgroup of a container, as its processes tell it: their path ends with its id. Others, the host's among them, are
    /// never touched.
    pub(super) fn of(proc: &Path, mount: &Path, id: &str) -> Result<Self, Error> {
        let failed = |source| Error::File { doing: "read", path: proc.to_owned(), source };
        let mut pids: Vec<u32> = fs::read_dir(proc)
            .map_err(failed)?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        // The first is the controller's, nearly always.
        pids.sort_unstable();
        let of_process = |pid| path_of(&fs::read_to_string(proc.join(format!("{pid}/cgroup"))).ok()?, id);
        let path = pids.into_iter().find_map(of_process).ok_or_else(|| Error::NoCgroup { id: id.to_owned() })?;
        let folder = mount.join(path.trim_start_matches('/'));
        Ok(Self { path, folder })
    }

    /// Moves the processes and divides the limits, and returns the path. `write` is [`write`], and in tests another kernel.
    pub(super) fn prepare(self, write: &impl Fn(&Path, &str) -> io::Result<()>) -> Result<String, Error> {
        let leaf = self.folder.join(LEAF);
        let made = DirBuilder::new().recursive(false).create(&leaf);
        if let Err(source) = made
            && source.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(Error::File { doing: "make", path: leaf, source });
        }
        for _ in 0..TRIES {
            self.move_all(&leaf, write)?;
            if self.divide(write)? && self.processes()?.is_empty() {
                return Ok(self.path);
            }
            // Who is about to come in shall do so now.
            thread::sleep(PAUSE);
        }
        Err(Error::Busy { path: self.folder, tries: TRIES })
    }

    fn move_all(&self, leaf: &Path, write: &impl Fn(&Path, &str) -> io::Result<()>) -> Result<(), Error> {
        let to = leaf.join("cgroup.procs");
        // A process that has not come into our PID namespace yet is a `0`, which would move ourselves.
        for pid in self.processes()?.into_iter().filter(|pid| pid != "0") {
            match write(&to, &pid) {
                // It has ended.
                Err(error) if errno(&error) == Some(Errno::ESRCH) => {}
                Err(source) => return Err(Error::File { doing: "move a process to", path: to, source }),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn processes(&self) -> Result<Vec<String>, Error> {
        Ok(self.read("cgroup.procs")?.lines().map(str::to_owned).collect())
    }

    /// Divides what there is; false if a process has come in between.
    fn divide(&self, write: &impl Fn(&Path, &str) -> io::Result<()>) -> Result<bool, Error> {
        let there = self.read("cgroup.controllers")?;
        let path = self.folder.join("cgroup.subtree_control");
        for controller in there.split_whitespace().filter(|name| CONTROLLERS.contains(name)) {
            match write(&path, &format!("+{controller}")) {
                Err(error) if errno(&error) == Some(Errno::EBUSY) => return Ok(false),
                Err(source) => return Err(Error::Divide { controller: controller.to_owned(), path, source }),
                Ok(()) => {}
            }
        }
        Ok(true)
    }

    fn read(&self, name: &str) -> Result<String, Error> {
        let path = self.folder.join(name);
        fs::read_to_string(&path).map_err(|source| Error::File { doing: "read", path, source })
    }
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

/// The cgroup v2 of a container, from what the kernel tells of a process in it or in its leaf.
fn path_of(text: &str, id: &str) -> Option<String> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    let path = path.strip_suffix(LEAF).and_then(|path| path.strip_suffix('/')).unwrap_or(path);
    let is_whole = path.starts_with('/') && !path.split('/').any(|part| part == "..");
    (is_whole && path.rsplit('/').next() == Some(id)).then(|| path.to_owned())
}

#[cfg(test)]
mod tests;
