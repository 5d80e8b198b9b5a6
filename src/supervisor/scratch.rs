//! Volumes that go with the pod: how they leave.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, at, never, select, unbounded};

use crate::engine::types::ContainerSummary;
use crate::engine::{self, Engine};
use crate::pod::{CONTROLLER_ID, INSTANCE, owned_by};

use super::crew::Crew;
use super::error::{chain, if_allowed};
use super::event::Event;
use super::inbox::Report;
use super::machine::ends;
use super::retry::Retry;

/// How often a removal is tried: an engine forgets a container before it lets go of its volumes.
const ATTEMPTS: usize = 5;
/// How long the end of the pod waits for the engine, which may have millions of files to remove.
const LIMIT: Duration = Duration::from_secs(15);
/// How long it waits once a signal says that it shall not.
const HURRY: Duration = Duration::from_secs(3);

/// The volumes of a pod that has ended.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    pub(super) engine: Engine,
    /// The id of the controller.
    pub(super) controller: String,
    /// Closed at the end of the pod.
    pub(super) over: Receiver<()>,
}

impl Scratch {
    /// Removes these volumes, all at a time, and tells of each that may be left. It takes no longer than [`LIMIT`].
    pub(super) fn remove_all(&self, names: BTreeSet<&str>, crew: &Crew, inbox: &Receiver<Report>) {
        let (gone, told) = unbounded();
        for name in &names {
            let (scratch, gone, name) = (self.clone(), gone.clone(), (*name).to_owned());
            crew.spawn(format!("volume/{name}"), move || {
                scratch.remove_in_time(&name);
                // Nobody listens after the limit.
                let _ = gone.send(name);
            });
        }
        drop(gone);
        let mut left: Vec<&str> = names.into_iter().collect();
        let mut end = Instant::now() + LIMIT;
        while !left.is_empty() {
            select! {
                recv(told) -> name => match name {
                    Ok(name) => left.retain(|left| *left != name),
                    // A thread has crashed.
                    Err(_) => break,
                },
                recv(inbox) -> report => {
                    if matches!(report, Ok(Report::Event(Event::Signal(signal))) if ends(signal)) {
                        end = end.min(Instant::now() + HURRY);
                    }
                }
                recv(at(end)) -> _ => break,
            }
        }
        for name in left {
            log::error!("the volume {name} may be left behind: the engine takes too long to remove it");
        }
    }

    fn remove_in_time(&self, name: &str) {
        let mut retry = Retry::until(&self.over);
        for attempt in 1.. {
            match self.remove(name) {
                Ok(()) => return,
                Err(error) if attempt >= ATTEMPTS || !retry.pause() => {
                    return log::error!("the volume {name} may be left behind: {}", chain(&error));
                }
                Err(error) => log::debug!("cannot remove the volume {name}, trying again: {}", chain(&error)),
            }
        }
    }

    /// Removes a volume if it is there and ours: one that is somebody else's may be the reason for the end.
    fn remove(&self, name: &str) -> Result<(), engine::Error> {
        match self.engine.volume(name) {
            Ok(volume) if volume.labels.get(CONTROLLER_ID) == Some(&self.controller) => self.engine.remove_volume(name),
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// Removes the volumes that an earlier life of a controller left behind, and those of controllers that are gone: killed,
/// removed, and replaced under another name, as Swarm does it. Says how many there were. It waits a moment for a volume that
/// is in use; one of another controller is left then.
pub(super) fn remove_leftovers(engine: &Engine, controller: &str) -> Result<usize, engine::Error> {
    let mut removed = 0;
    let lost = "volumes that were left behind are not looked for";
    for volume in if_allowed(engine.local_volumes(CONTROLLER_ID), lost)?.unwrap_or_default() {
        let owner = volume.labels.get(CONTROLLER_ID).map(String::as_str).unwrap_or_default();
        if owner == controller {
            patiently(|| engine.remove_volume(&volume.name))?;
        } else if !is_gone(engine, owner) {
            continue;
        } else if let Err(error) = remove_one_of(engine, owner, &volume.name) {
            log::warn!("the volume {} of a controller that is gone is left behind: {}", volume.name, chain(&error));
            continue;
        }
        removed += 1;
    }
    Ok(removed)
}

/// Removes what a dead controller left, these containers and its volumes, and says how much it was. Others may be at it, and
/// it may be started again: a volume that it makes anew stays.
pub(super) fn remove_of(engine: &Engine, owner: &str, containers: &[ContainerSummary]) -> Result<usize, engine::Error> {
    let lost = "volumes of dead controllers are not looked for";
    let volumes = if_allowed(engine.local_volumes(&owned_by(owner)), lost)?.unwrap_or_default();
    engine.remove_all(containers)?;
    volumes.iter().try_for_each(|known| {
        patiently(|| match engine.volume(&known.name) {
            Ok(volume) if volume.labels.get(INSTANCE) == known.labels.get(INSTANCE) => {
                engine.remove_volume(&known.name)
            }
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        })
    })?;
    Ok(containers.len() + volumes.len())
}

/// Removes a volume of a controller that is gone, and the components that it left.
fn remove_one_of(engine: &Engine, owner: &str, name: &str) -> Result<(), engine::Error> {
    engine.remove_all(&engine.list(&owned_by(owner))?)?;
    patiently(|| engine.remove_volume(name))
}

/// Whether the engine knows no such controller any more. What it does not answer it may know.
pub(super) fn is_gone(engine: &Engine, controller: &str) -> bool {
    !controller.is_empty() && engine.inspect(controller).is_err_and(|error| error.is_not_found())
}

pub(super) fn patiently(remove: impl Fn() -> Result<(), engine::Error>) -> Result<(), engine::Error> {
    let no_end = never();
    let mut retry = Retry::until(&no_end);
    for _ in 1..ATTEMPTS {
        match remove() {
            Err(error) if error.is_conflict() => drop(retry.pause()),
            result => return result,
        }
    }
    remove()
}
