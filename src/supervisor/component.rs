//! One component's story, told on a thread of its own, and how its container leaves.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::engine::{self, Condition, Engine, Wait};
use crate::pod::{CONTROLLER_ID, Planned, Until};

use super::Error;
use super::event::{Event, Who, signal_name};
use super::inbox::{Message, Sender};
use super::retry::Retry;

/// How long a start that failed waits for what others have to tell.
const OTHERS: Duration = Duration::from_secs(1);

/// A component and what its story needs.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) who: Who,
    pub(super) planned: Arc<Planned>,
    pub(super) engine: Engine,
    pub(super) inbox: Sender,
    /// Attach to its output.
    pub(super) logs: bool,
    /// Pull the image also if the engine has it.
    pub(super) pull: bool,
    /// Closed at the end of the pod.
    pub(super) over: Receiver<()>,
}

impl Component {
    /// From nothing to the exit.
    pub(super) fn live(self) {
        let started = self.start().inspect_err(|_| self.let_others_speak());
        let end = match started.and_then(|(id, wait)| self.see_it_end(&id, wait)) {
            Ok(code) => Event::Exited(self.who, code),
            Err(error) => Event::Failed(self.who, error),
        };
        self.inbox.event(end);
    }

    /// What must not be missed is armed before the start: the first line of the log, and the exit.
    fn start(&self) -> Result<(String, Wait), Error> {
        if self.pull {
            self.pull()?;
        }
        let id = self.create()?;
        self.inbox.event(Event::Created { who: self.who, id: id.clone() });
        let details = self.engine.inspect(&id).map_err(step("inspect its container"))?;
        for copy in &self.planned.copies {
            let copied = self.engine.copy_into(&id, &copy.source, &copy.target);
            copied.map_err(|source| Error::Copy { from: copy.source.clone(), to: copy.target.clone(), source })?;
        }
        if self.logs {
            let attach = self.engine.attach(&id).map_err(step("attach to its output"))?;
            self.inbox.send(Message::Attached { who: self.who, tty: details.config.tty, attach });
        }
        let wait = self.engine.wait(&id, Condition::NextExit).map_err(step("wait for its exit"))?;
        self.engine.start(&id).map_err(step("start its container"))?;
        let checked = details.config.healthcheck.is_some_and(|check| check.is_on());
        self.inbox.event(Event::Started { who: self.who, checked });
        Ok((id, wait))
    }

    /// A start fails when the component whose namespace it joins has just ended. Then that end is the cause, and its own
    /// thread is about to tell it.
    fn let_others_speak(&self) {
        if self.planned.needs.iter().any(|need| need.until == Until::Started) {
            let _ = self.over.recv_timeout(OTHERS);
        }
    }

    fn create(&self) -> Result<String, Error> {
        let Planned { container, request, .. } = &*self.planned;
        let missing = match self.engine.create(container, request) {
            Err(error) if error.is_not_found() => error,
            result => return result.map_err(step("create its container")),
        };
        // The image, or a container whose namespace it joins?
        if self.engine.has_image(&request.image).map_err(step("look for its image"))? {
            return Err(step("create its container")(missing));
        }
        self.pull()?;
        self.engine.create(container, request).map_err(step("create its container"))
    }

    fn pull(&self) -> Result<(), Error> {
        let Planned { name, request, .. } = &*self.planned;
        log::info!("{name}: pulling the image '{}'", request.image);
        let pulling = |cancel| self.inbox.send(Message::Pulling(self.who, cancel));
        self.engine.pull(&request.image, pulling).map_err(step("pull its image"))
    }

    /// A wait that breaks says nothing about the container: look, and wait again if it still runs.
    fn see_it_end(&self, id: &str, wait: Wait) -> Result<i64, Error> {
        let mut result = wait.exit_code();
        let mut retry = Retry::until(&self.over);
        loop {
            let error = match result {
                Ok(code) => return Ok(code),
                Err(error) => error,
            };
            log::warn!("{}: {error}", self.planned.name);
            let details = self.engine.inspect(id).map_err(|source| Error::Lost { source })?;
            if !details.state.running {
                return Ok(details.state.exit_code);
            }
            if !retry.pause() {
                return Err(Error::Lost { source: error });
            }
            result = self.engine.wait(id, Condition::NotRunning).and_then(Wait::exit_code);
        }
    }

    /// Stops the container with its grace if `stop` says so, and removes it; tells when that is done.
    pub(super) fn leave(&self, id: Option<&str>, stop: bool) {
        let name = &self.planned.name;
        if let (Some(id), true) = (id, stop)
            && let Err(error) = self.engine.stop(id, self.planned.grace)
            && !error.is_not_found()
        {
            log::warn!("{name}: cannot stop it, it is removed by force: {error}");
        }
        // Once more: what an engine refuses in the middle of something it often does a moment later.
        let removed = self.remove(id).or_else(|_| self.remove(id));
        if let Err(error) = removed {
            log::error!("{name}: the container {} may be left behind: {error}", self.planned.container);
        }
        self.inbox.event(Event::Stopped(self.who));
    }

    /// Removes the container, by its name where the id is not known: a create that broke may have made one. A container
    /// of that name that is not ours is left alone.
    fn remove(&self, id: Option<&str>) -> Result<(), engine::Error> {
        if let Some(id) = id {
            return self.engine.remove(id);
        }
        match self.engine.inspect(&self.planned.container) {
            Ok(found) if found.config.labels.get(CONTROLLER_ID) == self.planned.request.labels.get(CONTROLLER_ID) => {
                self.engine.remove(&found.id)
            }
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Passes a signal on.
    pub(super) fn forward(&self, id: &str, signal: i32) {
        if let Err(error) = self.engine.kill(id, &signal.to_string())
            && !error.is_conflict()
            && !error.is_not_found()
        {
            log::warn!("{}: cannot forward {}: {error}", self.planned.name, signal_name(signal));
        }
    }
}

fn step(step: &'static str) -> impl Fn(engine::Error) -> Error {
    move |source| Error::Step { step, source }
}
