//! What was left behind: by earlier lives of this controller, which goes before its pod begins; and by controllers that are
//! dead, once the pod is on its way. What belongs to a controller that lives is never touched.
//!
//! ```text
//! start: list of our own ─▶ removed, the guard first, until the list is empty
//! later: list of all ─▶ by controller ─▶ list of these controllers ─▶ inspect of each that does not live ─▶ removed
//!        └── one that the engine may restart is looked at once more, after a while
//! ```
//!
//! Where the controller has a volume that lives as long as its task, those of tasks that are gone are removed, too.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::engine::types::{ContainerSummary, Volume};
use crate::engine::{self, Engine};
use crate::pod::{COMPONENT, CONTROLLER_ID, INSTANCE, LIFETIME, OF_TASK, Plan, Planned, owned_by};

use super::error::{chain, if_allowed};
use super::scratch;

/// How often the list of our own leftovers is looked at: a guard that is about to die may have made an heir.
const LOOKS: usize = 3;
/// How long a pod runs at least before dead controllers are looked for, so that its start has the engine for itself.
const SETTLED: Duration = Duration::from_secs(1);
/// Over which time those looks are spread: after a failure of power many pods begin at once.
const SPREAD: Duration = Duration::from_secs(9);
/// How long a controller with a restart policy must have ended to be dead: one that is restarted sweeps for itself.
const DEAD: Duration = Duration::from_secs(10);
/// As many ids as fit well into the line of a request.
const IDS: usize = 100;

/// Removes the containers and scratch volumes that an earlier life of this controller left behind, and says how many
/// there were. Volumes are looked for only where the plan has some.
pub fn sweep(engine: &Engine, controller: &str, plan: &Plan) -> Result<usize, engine::Error> {
    let containers = sweep_containers(engine, controller)?;
    if plan.scratch().is_empty() {
        return Ok(containers);
    }
    Ok(containers + scratch::remove_leftovers(engine, controller)?)
}

/// The containers alone. A guard goes first: what it is about to remove may soon be there again under the same name.
pub(super) fn sweep_containers(engine: &Engine, controller: &str) -> Result<usize, engine::Error> {
    let lost = "containers that an earlier life of this controller left behind may stay";
    let mut seen = BTreeSet::new();
    for _ in 0..LOOKS {
        let mut leftovers = if_allowed(engine.list(&owned_by(controller)), lost)?.unwrap_or_default();
        if leftovers.is_empty() {
            break;
        }
        leftovers.sort_by_key(|one| !one.labels.get(COMPONENT).is_some_and(|name| name.starts_with('(')));
        engine.remove_all(&leftovers)?;
        seen.extend(leftovers.into_iter().map(|one| one.id));
    }
    Ok(seen.len())
}

/// Makes way for a container whose name is taken, if it is by one that a controller left which the engine does not know any
/// more: replaced by this one under its name. False where the name stays taken.
pub(super) fn make_way(engine: &Engine, container: &str) -> bool {
    let Ok(found) = engine.inspect(container) else { return false };
    let owner = found.config.labels.get(CONTROLLER_ID).map(String::as_str).unwrap_or_default();
    scratch::is_gone(engine, owner) && engine.remove(&found.id).is_ok()
}

/// A look for what dead controllers have left on this engine.
pub(super) struct Neighbours {
    engine: Engine,
    /// The id of our own.
    controller: String,
    /// Its life; empty where that is not known.
    instance: String,
    /// Whether the controller has a volume of its task: those of others are not looked for without, as the engine asks every
    /// volume plugin of the host for them, and one that hangs is no business of other pods.
    has_volume_of_task: bool,
    /// Closed when the pod begins to end.
    ending: Receiver<()>,
}

impl Neighbours {
    /// Of a pod with these components.
    pub(super) fn of(engine: Engine, controller: String, components: &[Planned], ending: Receiver<()>) -> Self {
        let instance = components.iter().find_map(|planned| planned.request.labels.get(INSTANCE).cloned());
        Self { engine, controller, instance: instance.unwrap_or_default(), has_volume_of_task: false, ending }
    }

    /// Also looks for the volumes of tasks that are gone.
    pub(super) fn and_of_tasks(self, has_volume_of_task: bool) -> Self {
        Self { has_volume_of_task, ..self }
    }

    /// Takes a look some time after the pod has begun. Whatever fails, the pod goes on.
    pub(super) fn look(&self) {
        let chance = RandomState::new().build_hasher().finish();
        let spread = Duration::from_millis(chance % u64::try_from(SPREAD.as_millis()).unwrap_or(1));
        if self.ending.recv_timeout(SETTLED + spread) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        match self.sweep(chance).and_then(|()| self.sweep_volumes_of_tasks()) {
            Ok(()) => {}
            // The start of the pod has said so.
            Err(error) if error.is_forbidden() => log::debug!("{}", chain(&error)),
            Err(error) => log::warn!("what dead controllers left behind is not looked for: {}", chain(&error)),
        }
    }

    fn sweep(&self, chance: u64) -> Result<(), engine::Error> {
        let mut left: BTreeMap<String, Vec<ContainerSummary>> = BTreeMap::new();
        for mut one in self.engine.list(CONTROLLER_ID)? {
            if let Some(owner) = one.labels.remove(CONTROLLER_ID) {
                left.entry(owner).or_default().push(one);
            }
        }
        // An engine that was cut from power removes containers, and never a volume.
        for mut volume in self.volumes()? {
            if let Some(owner) = volume.labels.remove(CONTROLLER_ID) {
                left.entry(owner).or_default();
            }
        }
        if let Some(own) = left.remove(&self.controller) {
            self.remove_late(own);
        }
        let mut suspects: Vec<&String> = left.keys().collect();
        let lives = self.living(&suspects)?;
        suspects.retain(|owner| !lives.contains(*owner));
        if !suspects.is_empty() {
            // Others may be at it at this moment: let each begin with another.
            let first = usize::try_from(chance).unwrap_or_default() % suspects.len();
            suspects.rotate_left(first);
        }
        let mut later = Vec::new();
        for owner in suspects {
            match self.fate_of(owner) {
                Fate::Lives => {}
                Fate::Dead => self.remove_of(owner, &left[owner]),
                Fate::Ended { at } => later.push((owner, at)),
            }
        }
        if !later.is_empty() && self.ending.recv_timeout(DEAD) == Err(RecvTimeoutError::Timeout) {
            for (owner, at) in later {
                if matches!(self.fate_of(owner), Fate::Ended { at: again } if again == at) {
                    self.remove_of(owner, &left[owner]);
                }
            }
        }
        Ok(())
    }

    /// The volumes of all pods; none where that may not be asked, which the start of a pod that has some tells.
    fn volumes(&self) -> Result<Vec<Volume>, engine::Error> {
        match self.engine.local_volumes(CONTROLLER_ID) {
            Err(error) if error.is_forbidden() => {
                log::debug!("{}", chain(&error));
                Ok(Vec::new())
            }
            found => found,
        }
    }

    /// Removes the volumes of tasks that Swarm has forgotten: those that carry the label, and that no container has. The engine
    /// refuses to remove one that somebody has taken in the meantime.
    fn sweep_volumes_of_tasks(&self) -> Result<(), engine::Error> {
        if !self.has_volume_of_task {
            return Ok(());
        }
        for volume in self.engine.unused_volumes(&format!("{LIFETIME}={OF_TASK}"))? {
            // An engine may pass over a filter that it does not know.
            if volume.labels.get(LIFETIME).is_none_or(|life| life != OF_TASK) {
                continue;
            }
            match self.engine.remove_volume(&volume.name) {
                Ok(()) => log::info!("removed the volume {}, whose task is gone", volume.name),
                Err(error) if error.is_conflict() => {}
                Err(error) => log::warn!("the volume {}, whose task is gone, may stay: {}", volume.name, chain(&error)),
            }
        }
        Ok(())
    }

    /// What became of a controller that did not run when it was listed, after its containers were. What the engine does not
    /// tell may live.
    fn fate_of(&self, controller: &str) -> Fate {
        match self.engine.inspect(controller) {
            Ok(details) if !details.state.has_ended() => Fate::Lives,
            Ok(details) if details.host_config.restart_policy.is_on() => Fate::Ended { at: details.state.finished_at },
            Ok(_) => Fate::Dead,
            Err(error) if error.is_not_found() => Fate::Dead,
            Err(_) => Fate::Lives,
        }
    }

    /// What the engine was still making for an earlier life when this one began.
    fn remove_late(&self, own: Vec<ContainerSummary>) {
        let late = |one: &ContainerSummary| one.labels.get(INSTANCE) != Some(&self.instance);
        let late: Vec<_> = own.into_iter().filter(|one| !self.instance.is_empty() && late(one)).collect();
        match self.engine.remove_all(&late) {
            Ok(()) if late.is_empty() => {}
            Ok(()) => {
                log::warn!("removed what came late of the last run of this controller: {} containers", late.len());
            }
            Err(error) => log::warn!("what came late of the last run of this controller may stay: {}", chain(&error)),
        }
    }

    /// Those of some controllers that run, or are about to.
    fn living(&self, controllers: &[&String]) -> Result<BTreeSet<String>, engine::Error> {
        let mut lives = BTreeSet::new();
        for some in controllers.chunks(IDS) {
            let ids: Vec<&str> = some.iter().map(|id| id.as_str()).collect();
            let found = self.engine.list_these(&ids)?;
            let ended = |one: &ContainerSummary| ["exited", "dead", "stopped"].contains(&one.state.as_str());
            lives.extend(found.into_iter().filter(|one| !ended(one)).map(|one| one.id));
        }
        Ok(lives)
    }

    /// Removes what a dead controller has left, as far as its guard or another pod has not yet.
    fn remove_of(&self, owner: &str, containers: &[ContainerSummary]) {
        let pod = containers.iter().flat_map(|one| &one.names).find_map(|name| name.split_once(".podlike"));
        let pod = pod.map_or(owner, |(pod, _)| pod.trim_start_matches('/'));
        match scratch::remove_of(&self.engine, owner, containers) {
            Ok(removed) => {
                log::info!(
                    "removed what {pod} left behind, whose controller is dead: {removed} containers and volumes"
                );
            }
            Err(error) => log::warn!("what {pod} left behind, whose controller is dead, may stay: {}", chain(&error)),
        }
    }
}

/// What became of a controller.
enum Fate {
    /// It runs, or is about to.
    Lives,
    /// It is gone, or has ended and nobody restarts it.
    Dead,
    /// It has ended, and the engine may restart it.
    Ended {
        /// When that was, as the engine tells it.
        at: String,
    },
}
