//! How a container of Podman ends.

use std::thread;
use std::time::Duration;

use super::super::containers::WaitAnswer;
use super::super::{Engine, Error, JsonLines};
use crate::http::Limit;

/// How long an alarm is trusted that does not ring.
const LOOK: Duration = Duration::from_secs(3);
/// Before an alarm is set again that was wrong.
const PAUSE: Duration = Duration::from_millis(100);

/// Watches over a container that has been started. Its exit code stays with it until it is removed: nothing is missed.
#[derive(Debug)]
pub(in super::super) struct Vigil {
    engine: Engine,
    id: String,
}

impl Vigil {
    pub(in super::super) fn over(engine: &Engine, id: &str) -> Self {
        Self { engine: engine.clone(), id: id.to_owned() }
    }

    /// Blocks until the container ends, and returns the exit code.
    pub(in super::super) fn exit_code(self) -> Result<i64, Error> {
        let mut alarm = None;
        let mut pause = Duration::ZERO;
        let mut told = None;
        loop {
            match self.engine.inspect(&self.id) {
                Ok(details) if !details.state.running => return Ok(details.state.exit_code),
                Ok(_) => {}
                Err(error) if error.is_not_found() => return told.ok_or(error),
                Err(error) => return Err(error),
            }
            let Some(set) = &mut alarm else {
                thread::sleep(pause);
                pause = PAUSE;
                alarm = self.alarm().ok();
                continue;
            };
            match set.expect() {
                // Where somebody has removed it, that is all there is to know.
                Ok(answer) => told = Some(answer.status_code).filter(|code| *code >= 0),
                Err(Error::TimedOut { .. }) => continue,
                Err(_) => {}
            }
            alarm = None;
        }
    }

    fn alarm(&self) -> Result<JsonLines<WaitAnswer>, Error> {
        let mut alarm = self.engine.open_wait(&self.id, "not-running")?;
        alarm.set_limit(Limit::Idle(LOOK));
        Ok(alarm)
    }
}
