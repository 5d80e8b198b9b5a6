//! The hooks of a component: commands that are run in it when it has started, and before it is stopped.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::engine::types::ExecRequest;
use crate::pod::{Hook, When};

use super::Error;
use super::component::Component;
use super::error::chain;
use super::exec::{Exec, Outcome};
use super::life::KILLED;

/// How often, and how many times, a container is looked at that may be about to end.
const LOOK: (Duration, usize) = (Duration::from_millis(100), 10);

/// What is left at least of a grace for the stop itself, unless all of it is shorter than twice that.
const RESERVED: Duration = Duration::from_secs(1);

/// Waits for a `pre_stop` that somebody else runs, within a grace, and returns what is left of that.
pub(super) fn wait_for_pre_stop(done: &Receiver<()>, grace: Duration) -> Duration {
    let begun = Instant::now();
    // Nothing is ever sent.
    let _ = done.recv_timeout(grace.saturating_sub(reserved(grace)));
    left_of(grace, begun)
}

/// What of a grace is the stop's own.
fn reserved(grace: Duration) -> Duration {
    RESERVED.min(grace / 2)
}

/// What is left for the stop of a grace that has begun.
fn left_of(grace: Duration, begun: Instant) -> Duration {
    let left = grace.saturating_sub(begun.elapsed()).max(reserved(grace));
    // The engine takes whole seconds, and takes more for a part of one.
    if left > RESERVED { Duration::from_secs(left.as_secs()) } else { left }
}

impl Component {
    /// Runs what is to be run in a container that has just started, one after the other. That it has ended in the meantime is
    /// no failure of a hook: its end tells. A failure stops it before it is started again; the end of the pod does otherwise.
    pub(super) fn post_start(&self, id: &str) -> Result<(), Error> {
        let hooks = &self.planned.post_start;
        for (place, hook) in hooks.iter().enumerate() {
            self.go_on()?;
            let outcome = self.run_hook(id, hook, None, &self.ending);
            let Some(why) = outcome.failure() else { continue };
            let killed = matches!(outcome, Outcome::Ended { code: KILLED, .. });
            if self.has_ended(id, if killed { LOOK.1 } else { 1 }) {
                log::warn!("{}: it ended before its post_start was done", self.planned.name);
                return Ok(());
            }
            if self.planned.restart.when != When::No
                && let Err(error) = self.engine.stop(id, self.planned.grace)
            {
                log::warn!("{}: cannot stop it: {}", self.planned.name, chain(&error));
            }
            return Err(Error::Hook { hook: "post_start", number: place + 1, of: hooks.len(), why });
        }
        Ok(())
    }

    /// Runs what is to be run before a container is stopped, one after the other, within its grace. Returns what is left of
    /// that: at least a second, where it had two.
    pub(super) fn pre_stop(&self, id: &str, grace: Duration) -> Duration {
        let (name, hooks) = (&self.planned.name, &self.planned.pre_stop);
        if hooks.is_empty() {
            return grace;
        }
        let begun = Instant::now();
        let until = Some(begun + grace.saturating_sub(reserved(grace)));
        for (place, hook) in hooks.iter().enumerate() {
            let outcome = self.run_hook(id, hook, until, &self.over);
            if matches!(outcome, Outcome::Failed(_)) && self.has_ended(id, 1) {
                break;
            }
            if let Some(why) = outcome.failure() {
                let (number, of) = (place + 1, hooks.len());
                log::warn!("{name}: pre_stop, hook {number} of {of}, {why}; it is stopped all the same");
            }
            if matches!(outcome, Outcome::TooLong { .. } | Outcome::Unwanted) {
                break;
            }
        }
        left_of(grace, begun)
    }

    fn run_hook(&self, id: &str, hook: &Hook, until: Option<Instant>, unwanted: &Receiver<()>) -> Outcome {
        let Hook { command, user, privileged, working_dir, env } = hook.clone();
        let request =
            ExecRequest { cmd: command, user, privileged, working_dir, env, attach_stdout: true, attach_stderr: true };
        Exec { engine: &self.engine, container: id, request, until, unwanted }.run()
    }

    /// Whether the container does not run, looked at so many times: what ends takes along what runs in it, which may be told
    /// first.
    fn has_ended(&self, id: &str, times: usize) -> bool {
        for look in 1..=times {
            match self.engine.inspect(id) {
                Ok(details) if !details.state.running => return true,
                Err(error) if error.is_not_found() => return true,
                _ => {}
            }
            if look < times && self.ending.recv_timeout(LOOK.0) != Err(RecvTimeoutError::Timeout) {
                return false;
            }
        }
        false
    }
}
