//! Prepares what components are placed below, and takes away again what must go with the pod: the controller's leaf stays,
//! and goes with its cgroup; a slice would stay for ever.

use std::time::{SystemTime, UNIX_EPOCH};

use crossbeam_channel::Receiver;

use crate::engine::Engine;
use crate::pod::{Controller, Errand, Placement, Purpose, Why};

use super::crew::Crew;
use super::errand::{self, Failure, Outcome};
use super::event::Cause;
use super::inbox::Report;

/// A slice of this pod.
#[derive(Debug)]
pub struct Slice(Errand);

/// Prepares a placement, and says what came of it: where it cannot be, components are placed each for itself. Also returns
/// the slice that must be removed at the end. Returns the cause when the pod ends meanwhile; nothing is left then.
pub fn place(
    engine: &Engine,
    controller: &Controller,
    placement: Placement,
    crew: &Crew,
    inbox: &Receiver<Report>,
) -> Result<(Placement, Option<Slice>), Cause> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let Some(errand) = Errand::preparing(&placement, controller, now) else {
        return Ok((placement, None));
    };
    let slice = errand.undoing(controller).map(Slice);
    let outcome = errand::run(engine, &errand, crew, inbox);
    if let (Some(slice), Outcome::Over(_) | Outcome::Failed(Failure::TooLong | Failure::Nonsense { .. })) =
        (&slice, &outcome)
    {
        slice.remove(engine, crew, inbox);
    }
    match outcome {
        Outcome::Answer(path) => {
            log::debug!("components are placed below {path}");
            Ok((Placement::Below(path), slice))
        }
        Outcome::Failed(failure) => Ok((Placement::Each(Why::Failed(failure.to_string())), None)),
        Outcome::Over(cause) => Err(cause),
    }
}

impl Slice {
    /// Removes it, or says that it may be left. No component may be left in it: they would be killed.
    pub fn remove(&self, engine: &Engine, crew: &Crew, inbox: &Receiver<Report>) {
        let Purpose::Stop(name) = &self.0.purpose else { return };
        let why = match errand::run(engine, &self.0, crew, inbox) {
            Outcome::Answer(_) => return,
            Outcome::Failed(failure) => failure.to_string(),
            Outcome::Over(Cause::Crashed(why)) => why,
            Outcome::Over(_) => "there was no time".to_owned(),
        };
        log::error!("the slice {name} may be left behind (systemctl stop {name}): {why}");
    }
}
