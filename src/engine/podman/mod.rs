//! What Podman does otherwise behind Docker's API (run on 4.3.1 and 5.4.2), so that nobody else needs to know:
//!
//! * a wait may miss the end of a short run, answers at once for what has not started, lags by seconds, and never ends
//!   when the container is removed: it is no more than an alarm here, and the code comes from inspect ([`Vigil`]);
//! * `health_status` is told at every check, on 4.3 before the check has been counted; a label without a value selects no
//!   events; the head of `GET /events` may come with the first event; and with the log of events in a file, clients that
//!   hang up have crashed the engine: it is not asked for events, but how its containers are ([`Rounds`]);
//! * a removal by force stops first, with the container's own grace, and no container can be removed before those that
//!   are in its namespaces ([`remove`]);
//! * a container that is being stopped is not told to be running: see [`Engine::inspect`];
//! * a new volume takes owner and mode from what the first container has in its place, unless it has an owner ([`volume`]);
//! * an archive is unpacked below the mounts of a container, but for the one that the path of the call leads into;
//! * what is a conflict for Docker, or not there, may be a failure of the server: see [`Error::is_conflict`].

mod rounds;
mod vigil;

use std::borrow::Cow;
use std::thread;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};

use super::types::{ContainerSummary, VolumeRequest};
use super::{Engine, Error};
pub(super) use rounds::Rounds;
pub(super) use vigil::Vigil;

/// How often a removal is tried while others are in the container's namespaces, at first and later.
const OFTEN: Duration = Duration::from_millis(50);
const SELDOM: Duration = Duration::from_secs(1);

/// Kills and removes a container, once nobody is in its namespaces any more.
pub(super) fn remove(engine: &Engine, id: &str) -> Result<(), Error> {
    let mut pause = OFTEN;
    loop {
        match remove_now(engine, id) {
            Err(error) if error.has_dependents() => thread::sleep(pause),
            result => return result,
        }
        pause = (pause * 2).min(SELDOM);
    }
}

/// Kills and removes containers: those that are in the namespaces of others before these.
pub(super) fn remove_all(engine: &Engine, containers: &[ContainerSummary]) -> Result<(), Error> {
    let mut left: Vec<&str> = containers.iter().map(|container| container.id.as_str()).collect();
    while !left.is_empty() {
        let mut held = Vec::new();
        let mut refusal = None;
        for id in &left {
            match remove_now(engine, id) {
                Err(error) if error.has_dependents() => {
                    held.push(*id);
                    refusal = Some(error);
                }
                result => result?,
            }
        }
        if let Some(refusal) = refusal.filter(|_| held.len() == left.len()) {
            return Err(refusal);
        }
        left = held;
    }
    Ok(())
}

/// Kills and removes a container, unless others are in its namespaces.
fn remove_now(engine: &Engine, id: &str) -> Result<(), Error> {
    match engine.kill(id, "KILL") {
        Err(error) if error.is_not_found() => Ok(()),
        // One that has ended cannot be killed; of all else the removal tells.
        _ => engine.delete(id),
    }
}

/// The request of a volume, so that Podman makes of it what Docker does. It gives a volume that nobody owns the owner and
/// the mode of what the first container has in its place; and Podman 4 takes a size for a quota on its own disk, also where
/// the volume is in memory, but leaves a number of pages to the kernel.
pub(super) fn volume(request: &VolumeRequest, page: u64) -> Cow<'_, VolumeRequest> {
    let option = |key: &str| request.driver_opts.get(key).map(String::as_str).unwrap_or_default();
    if !matches!(request.driver.as_str(), "" | "local") || option("o").is_empty() {
        return Cow::Borrowed(request);
    }
    let in_memory = option("type") == "tmpfs";
    let spelled = |option: &str| match option.strip_prefix("size=").and_then(bytes) {
        Some(size) if in_memory => format!("nr_blocks={}", size.div_ceil(page)),
        _ => option.to_owned(),
    };
    let mut options: Vec<String> = option("o").split(',').map(spelled).collect();
    let says = |key: &str| options.iter().any(|option| option.starts_with(key));
    if says("mode=") && !says("uid=") && !says("gid=") {
        options.push("uid=0".to_owned());
    }
    let mut owned = request.clone();
    owned.driver_opts.insert("o".to_owned(), options.join(","));
    Cow::Owned(owned)
}

/// A size as the kernel reads it: `64k`, `1m`, `2g`, or a number of bytes.
fn bytes(size: &str) -> Option<u64> {
    let (number, unit) = match size.split_at(size.len().checked_sub(1)?) {
        (number, "k" | "K") => (number, 1 << 10),
        (number, "m" | "M") => (number, 1 << 20),
        (number, "g" | "G") => (number, 1 << 30),
        _ => (size, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// The size of a page of memory, here and for the engine, whose kernel is ours.
pub(super) fn page() -> u64 {
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0).unwrap_or(4096)
}

/// The words of a refusal without the dump of what its program was doing.
pub(super) fn plain(words: &str) -> &str {
    let dump = words.split_once("copier.request{");
    dump.and_then(|(_, dump)| dump.rsplit("}: ").next()).unwrap_or(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(driver: &str, kind: &str, options: &str) -> String {
        let driver_opts =
            [("type", kind), ("o", options)].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let request = VolumeRequest { driver: driver.to_owned(), driver_opts, ..VolumeRequest::default() };
        volume(&request, 4096).driver_opts["o"].clone()
    }

    #[test]
    fn a_volume_that_asks_for_a_mode_is_roots() {
        assert_eq!(options("local", "tmpfs", "mode=1777"), "mode=1777,uid=0");
        for (driver, theirs) in [("local", "noexec"), ("local", "mode=0700,uid=7"), ("nfs", "mode=0700")] {
            assert_eq!(options(driver, "tmpfs", theirs), theirs);
        }
    }

    #[test]
    fn a_size_in_memory_is_told_in_pages() {
        for (size, pages) in [("1048576", "256"), ("64k", "16"), ("1m", "256"), ("2G", "524288"), ("4097", "2")] {
            assert_eq!(options("", "tmpfs", &format!("size={size},noexec")), format!("nr_blocks={pages},noexec"));
        }
        assert_eq!(options("", "tmpfs", "size=50%"), "size=50%");
        assert_eq!(options("", "xfs", "size=1m"), "size=1m");
    }

    #[test]
    fn a_refusal_is_told_without_a_dump() {
        let words = "error during bulk transfer for copier.request{Request:\"PUT\", GetOptions:copier.GetOptions{UIDMap:\
                     []idtools.IDMap(nil)}, RemoveOptions:copier.RemoveOptions{All:false}}: copier: put: error creating \
                     \"/etc/passwd\": mkdir /etc/passwd: file exists";
        assert_eq!(plain(words), "copier: put: error creating \"/etc/passwd\": mkdir /etc/passwd: file exists");
        assert_eq!(plain("no such container"), "no such container");
    }
}
