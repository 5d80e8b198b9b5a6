//! One component's story, told on a thread of its own from its start, on another to its end; and how its container leaves.

mod image;
mod volumes;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{self as channel, Receiver, RecvTimeoutError, TryRecvError};

use crate::engine::types::{ConfiguredCheck, ContainerDetails, CreateRequest, MountRequest};
use crate::engine::{self, Attach, Condition, Engine, Source, Upload, Wait};
use crate::pod::{CONTROLLER_ID, Content, FileCopy, FromMemory, Hidden, InMemory, Planned, Until};

use super::Error;
use super::crew::Crew;
use super::error::{chain, step};
use super::event::{Event, Who, signal_name};
use super::hook::wait_for_pre_stop;
use super::images::Images;
use super::inbox::{Report, Sender};
use super::life::KILLED;
use super::retry::Retry;
use super::sweep::make_way;
pub use image::PROGRESS;

/// How long a start that failed waits for what others have to tell.
const OTHERS: Duration = Duration::from_secs(1);

/// How often a removal is tried that the engine refuses.
const ATTEMPTS: usize = 3;

/// A component and what its story needs.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) who: Who,
    pub(super) planned: Arc<Planned>,
    pub(super) engine: Engine,
    pub(super) inbox: Sender,
    /// Its output is shown, where it may be.
    pub(super) logs: bool,
    /// Where its image may come from.
    pub(super) images: Arc<Images>,
    /// The volumes that were opened: what components do with them afterwards is theirs.
    pub(super) opened: Arc<Mutex<HashSet<String>>>,
    /// Not in the cgroup that is planned: the engine refuses it.
    pub(super) apart: bool,
    /// Closed when its present life has ended.
    pub(super) life: Receiver<()>,
    /// Closed when the pod begins to end.
    pub(super) ending: Receiver<()>,
    /// Closed at the end of the pod.
    pub(super) over: Receiver<()>,
}

impl Component {
    /// From nothing to the exit.
    pub(super) fn live(self) {
        let started = self.start().inspect_err(|error| {
            if !self.is_misplaced(error) {
                self.let_others_speak();
            }
        });
        self.follow(started);
    }

    /// From a start to the exit: on a new thread, as a start takes much of a stack, and an exit may be far.
    fn follow(self, started: Result<(String, Wait), Error>) {
        let crew = Crew::new(self.inbox.clone());
        crew.spawn(format!("wait/{}", self.planned.name), move || self.see_through(started));
    }

    fn see_through(&self, started: Result<(String, Wait), Error>) {
        let begun = Instant::now();
        let ended = started.and_then(|(id, wait)| self.see_it_end(&id, wait).inspect(|code| self.tell_oom(&id, *code)));
        self.inbox.event(Event::Ran(self.who, begun.elapsed()));
        if matches!(ended, Ok(KILLED)) && self.is_in_anothers_pids() {
            self.let_others_speak();
        }
        let end = match ended {
            Ok(code) if self.planned.is_holder() => Event::Failed(self.who, Error::HolderEnded { code }),
            Ok(code) => Event::Exited(self.who, code),
            Err(error) if self.is_misplaced(&error) => Event::Misplaced(self.who, error),
            Err(error) => Event::Failed(self.who, error),
        };
        self.inbox.event(end);
    }

    /// Another life of a container that is there, unless somebody has removed it.
    pub(super) fn live_on(self, id: String) {
        let started = self.go_on().and_then(|()| self.start_container(&id));
        match started {
            Err(Error::Step { source, .. }) if source.is_not_found() && self.is_gone(&id) => {
                self.inbox.event(Event::Vanished(self.who));
            }
            started => {
                if started.is_err() {
                    self.let_others_speak();
                }
                self.follow(started.map(|wait| (id, wait)));
            }
        }
    }

    /// What is not found at a start may be another container, whose namespace it joins.
    fn is_gone(&self, id: &str) -> bool {
        matches!(self.engine.inspect(id), Err(error) if error.is_not_found())
    }

    /// The pause between two lives, which the end of the pod ends.
    pub(super) fn rest(self, pause: Duration) {
        if self.ending.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            self.inbox.event(Event::Rested(self.who));
        }
    }

    /// Tells when it has waited too long for another.
    pub(super) fn limit(self, on: Who, time: Duration) {
        if self.ending.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
            self.inbox.event(Event::Late { who: self.who, on });
        }
    }

    /// Stops the container with its grace, and keeps it. Hangs up on `busy` when `pre_stop` is done.
    pub(super) fn halt(&self, id: &str, busy: channel::Sender<()>) {
        let mut retry = Retry::until(&self.life);
        let grace = self.pre_stop(id, self.planned.grace);
        drop(busy);
        while let Err(error) = self.engine.stop(id, grace) {
            if error.is_not_found() || !retry.pause() || self.go_on().is_err() {
                return;
            }
            log::warn!("{}: cannot stop it, trying again: {}", self.planned.name, chain(&error));
        }
    }

    /// The same after what an engine has refused to start, or what is left of a start that failed: that goes first.
    pub(super) fn live_again(self) {
        match self.remove(None).map_err(step("remove its container")) {
            Ok(()) => self.live(),
            Err(error) => self.inbox.event(Event::Failed(self.who, error)),
        }
    }

    /// Whether it failed for the cgroup that we chose, which it can do without.
    fn is_misplaced(&self, error: &Error) -> bool {
        let Error::Step { source, .. } = error else { return false };
        !self.apart && self.planned.apart.is_some() && source.refuses_cgroup_parent()
    }

    fn start(&self) -> Result<(String, Wait), Error> {
        self.refresh_image()?;
        self.make_volumes()?;
        let id = self.create()?;
        self.open_volumes()?;
        self.inbox.event(Event::Created { who: self.who, id: id.clone() });
        let details = self.engine.inspect(&id).map_err(step("inspect its container"))?;
        for FileCopy { source, target, uid, gid, mode } in &self.planned.copies {
            let (uid, gid, mode) = (*uid, *gid, *mode);
            let read_only = self.planned.request.host_config.readonly_rootfs;
            let failed =
                |error| Error::Copy { from: Some(source.clone()), to: target.clone(), read_only, source: error };
            let upload = Upload { source: Source::Path(source), target, uid, gid, mode };
            self.engine.copy_into(&id, &upload).map_err(failed)?;
        }
        let wait = self.start_inspected(&id, &details)?;
        Ok((id, wait))
    }

    /// Starts the container as it is.
    fn start_container(&self, id: &str) -> Result<Wait, Error> {
        let details = self.engine.inspect(id).map_err(step("inspect its container"))?;
        self.start_inspected(id, &details)
    }

    /// What must not be missed is armed before the start: the first line of the log, and the exit.
    fn start_inspected(&self, id: &str, details: &ContainerDetails) -> Result<Wait, Error> {
        let mut hang_up = None;
        if let Some(mut attach) = self.listen(id)? {
            hang_up = attach.canceller().ok();
            let (id, tty) = (id.to_owned(), details.config.tty);
            self.inbox.send(Report::Attached { who: self.who, id, tty, attach });
        }
        let wait = self.engine.wait(id, Condition::NextExit).map_err(step("wait for its exit"))?;
        let started = self.engine.start(id);
        // The stream of a container that does not start may have no end; an engine may have started what it says it did not.
        if let Some(stream) = hang_up
            && started.as_ref().is_err_and(engine::Error::is_refusal)
            && !self.engine.may_run(id)
        {
            stream.cancel();
        }
        started.map_err(step("start its container"))?;
        for InMemory { component, path, file } in &self.planned.in_memory {
            let (from, source) = match &file.content {
                Content::File(path) => (Some(path.clone()), Source::Path(path)),
                Content::Text(Hidden(text)) => (None, Source::Bytes(text.as_bytes())),
            };
            let to = format!("{} of component '{component}'", file.target);
            let failed = |source| Error::Copy { from, to, read_only: false, source };
            let (uid, gid, mode) = (Some(file.uid), Some(file.gid), Some(file.mode));
            self.engine.copy_into(id, &Upload { source, target: path, uid, gid, mode }).map_err(failed)?;
        }
        self.post_start(id)?;
        let checked = details.config.healthcheck.as_ref().is_some_and(ConfiguredCheck::is_on);
        self.inbox.event(Event::Started { who: self.who, checked });
        Ok(wait)
    }

    /// Whether the process 1 that it has is another component's: the kernel kills it with that, and may be done first.
    fn is_in_anothers_pids(&self) -> bool {
        let owner = self.planned.request.labels.get(CONTROLLER_ID);
        let lender = self.planned.request.host_config.pid_mode.strip_prefix("container:");
        lender.is_some_and(|lender| Some(lender) != owner.map(String::as_str))
    }

    /// A start fails when the component whose namespace it joins has just ended, and who is in its PIDs is killed. Then that
    /// end is the cause, and its own thread is about to tell it.
    fn let_others_speak(&self) {
        if self.planned.needs.iter().any(|need| need.until == Until::Started) {
            let _ = self.ending.recv_timeout(OTHERS);
        }
    }

    /// Fails once the pod ends: what it has not got then it shall not get any more.
    pub(super) fn go_on(&self) -> Result<(), Error> {
        if self.ending.try_recv() == Err(TryRecvError::Disconnected) { Err(Error::Over) } else { Ok(()) }
    }

    fn create(&self) -> Result<String, Error> {
        let request = self.request()?;
        self.go_on()?;
        let create = || self.engine.create(&self.planned.container, &request, self.planned.platform.as_deref());
        match create() {
            Err(error) if error.is_not_found() => {}
            Err(error) if error.is_conflict() && make_way(&self.engine, &self.planned.container) => {
                return create().map_err(step("create its container"));
            }
            result => return result.map_err(step("create its container")),
        }
        // The image, or a container whose namespace it joins? Another component may just have got the image.
        if !self.has_image()? {
            self.fetch_image()?;
        }
        create().map_err(step("create its container"))
    }

    /// The request, out of the planned cgroup if need be, and with the binds out of the pod's memory: only the engine knows
    /// where that is.
    fn request(&self) -> Result<CreateRequest, Error> {
        let mut request = self.planned.request.clone();
        if let Some(apart) = self.planned.apart.as_ref().filter(|_| self.apart) {
            apart.apply(&mut request.host_config);
        }
        if let Some(FromMemory { volume, binds }) = &self.planned.from_memory {
            let root = self.engine.volume(volume).map_err(step("look for its secrets and configs"))?.mountpoint;
            let bind = |(inner, target): &(String, String)| MountRequest {
                kind: "bind".to_owned(),
                source: format!("{root}/{inner}"),
                target: target.clone(),
                read_only: true,
                ..MountRequest::default()
            };
            request.host_config.mounts.extend(binds.iter().map(bind));
        }
        Ok(request)
    }

    /// Tells of the OOM killer's strike, where the container is still there to be asked: not every engine has an event for it.
    fn tell_oom(&self, id: &str, code: i64) {
        if code != KILLED || self.planned.request.host_config.auto_remove {
            return;
        }
        if self.engine.inspect(id).is_ok_and(|details| details.state.oom_killed) {
            self.inbox.event(Event::Oom(id.to_owned()));
        }
    }

    /// A wait that breaks says nothing about the container, and an engine that is away comes back: look, and wait again.
    /// Only a container that the engine does not know is lost.
    fn see_it_end(&self, id: &str, wait: Wait) -> Result<i64, Error> {
        let mut result = wait.exit_code();
        let mut retry = Retry::until(&self.over);
        loop {
            match result {
                Ok(code) => return Ok(code),
                Err(source) if source.is_not_found() => return Err(Error::Lost { source }),
                Err(source) => {
                    log::warn!("{}: out of sight, trying again: {}", self.planned.name, chain(&source));
                    if !retry.pause() {
                        return Err(Error::Lost { source });
                    }
                }
            }
            result = match self.engine.inspect(id) {
                Ok(details) if details.state.running => {
                    self.engine.wait(id, Condition::NotRunning).and_then(Wait::exit_code)
                }
                Ok(details) => Ok(details.state.exit_code),
                Err(error) => Err(error),
            };
        }
    }

    /// Attaches again to the output of a container that still runs, in the same life, until `over` is closed.
    pub(super) fn attach_again(&self, id: &str, over: &Receiver<()>) -> Option<Attach> {
        let has_ended = || self.life.try_recv() == Err(TryRecvError::Disconnected);
        let mut retry = Retry::until(over);
        let mut failure = None;
        while retry.pause() && !has_ended() {
            let found = self.engine.inspect(id);
            match found {
                Ok(details) if !details.state.can_be_attached_to() => break,
                // It may be the next life already.
                Ok(_) if has_ended() => failure = Some("it has ended before it could be heard again".to_owned()),
                Ok(_) => match self.engine.attach(id) {
                    Ok(attach) => return Some(attach),
                    Err(error) => failure = Some(chain(&error)),
                },
                Err(error) if error.is_not_found() => break,
                Err(error) => failure = Some(chain(&error)),
            }
        }
        if let Some(why) = failure.filter(|_| self.logs) {
            log::warn!("{}: its log was cut for good, lines may be missing: {why}", self.planned.name);
        }
        None
    }

    /// Stops the container with a grace, if it gets one, and removes it; tells when that is done. `halted` is closed when
    /// the `pre_stop` is done that a halt has begun: it is run once a life.
    pub(super) fn leave(&self, id: Option<&str>, grace: Option<Duration>, halted: Option<&Receiver<()>>) {
        let name = &self.planned.name;
        if let (Some(id), Some(grace)) = (id, grace) {
            let left = halted.map_or_else(|| self.pre_stop(id, grace), |done| wait_for_pre_stop(done, grace));
            if let Err(error) = self.engine.stop(id, left)
                && !error.is_not_found()
            {
                log::warn!("{name}: cannot stop it, it is removed by force: {}", chain(&error));
            }
        }
        let mut retry = Retry::until(&self.over);
        for attempt in 1.. {
            match self.remove(id) {
                Ok(()) => break,
                // What an engine refuses in the middle of something it often does a moment later.
                Err(error) if (error.is_refusal() && attempt >= ATTEMPTS) || !retry.pause() => {
                    let container = &self.planned.container;
                    log::error!("{name}: the container {container} may be left behind: {}", chain(&error));
                    break;
                }
                Err(error) => log::debug!("{name}: cannot remove it, trying again: {}", chain(&error)),
            }
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

    /// Passes signals on, in their order; equal ones that wait are one, as the kernel has it.
    pub(super) fn forward_all(&self, id: &str, signals: &Receiver<i32>) {
        while let Ok(first) = signals.recv() {
            let mut pending = vec![first];
            for signal in signals.try_iter() {
                if !pending.contains(&signal) {
                    pending.push(signal);
                }
            }
            for signal in pending {
                self.forward(id, signal);
            }
        }
    }

    fn forward(&self, id: &str, signal: i32) {
        if let Err(error) = self.engine.kill(id, &signal.to_string())
            && !error.is_conflict()
            && !error.is_not_found()
        {
            log::warn!("{}: cannot forward {}: {}", self.planned.name, signal_name(signal), chain(&error));
        }
    }
}
