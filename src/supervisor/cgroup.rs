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
    if let Some(slice) = slice.as_ref().filter(|_| may_have_begun(&outcome)) {
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

/// Whether there is no answer, and the errand may have done it all the same. One that has ended with words has undone it.
fn may_have_begun(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answer(_) => false,
        Outcome::Over(_) => true,
        Outcome::Failed(failure) => match failure {
            Failure::TooLong | Failure::Nonsense { .. } => true,
            Failure::Step { step, .. } => ["start", "wait for"].contains(step),
            Failure::Ended { words, .. } => words.is_empty(),
        },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_that_may_have_made_a_slice_is_undone() {
        let timed_out = || crate::engine::Error::TimedOut { call: "a call".to_owned() };
        let ended = |words: &str| Failure::Ended { code: 2, words: words.to_owned() };
        for (failure, begun) in [
            (Failure::TooLong, true),
            (Failure::Nonsense { said: String::new() }, true),
            (Failure::Step { step: "create", source: timed_out() }, false),
            (Failure::Step { step: "attach to", source: timed_out() }, false),
            (Failure::Step { step: "start", source: timed_out() }, true),
            (Failure::Step { step: "wait for", source: timed_out() }, true),
            (ended("cannot start it"), false),
            // Killed, for example.
            (ended(""), true),
        ] {
            let said = failure.to_string();
            assert_eq!(may_have_begun(&Outcome::Failed(failure)), begun, "{said}");
        }
        assert!(may_have_begun(&Outcome::Over(Cause::Signal(15))));
        assert!(!may_have_begun(&Outcome::Answer(String::new())));
    }
}
