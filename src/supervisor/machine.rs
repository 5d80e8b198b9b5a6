//! The machine: events in, actions out. It owns all state of the pod, and does no I/O, reads no clock, starts no thread.
//!
//! ```text
//! component:  Waiting ──needs met──▶ Starting ──Started──▶ Running ──┐ Exited: Remove
//!                │                       └──────────────────────────┴ Failed, the pod ends: Stop ──▶ Leaving ──Stopped──▶ Gone
//!                └──the pod ends──▶ Gone
//! pod:        running ──first Cause──▶ terminating ──all gone, or out of time──▶ Finish
//! ```

use std::time::Duration;

use crate::health::Health;
use crate::pod::{Need, Planned, Until};

use super::Error;
use super::event::{Action, Cause, End, Event, Who};

/// How much longer than the longest grace the end of a pod may take before everything left is removed by force.
const STOP_MARGIN: Duration = Duration::from_secs(10);
/// How long the removal by force may take before we leave it to the engine.
const REMOVE_LIMIT: Duration = Duration::from_secs(15);

/// SIGINT and SIGTERM, by their numbers on every Linux.
const ENDING: [i32; 2] = [2, 15];

/// Whether a signal to the controller ends the pod; others are forwarded.
pub fn ends(signal: i32) -> bool {
    ENDING.contains(&signal)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// For what it needs.
    Waiting,
    /// Its thread is at work.
    Starting,
    /// Its container runs.
    Running,
    /// Its container is being stopped or removed.
    Leaving,
    /// There is no container, and there will be none.
    Gone,
}

#[derive(Debug)]
struct Component {
    name: String,
    needs: Vec<Need>,
    grace: Duration,
    /// Whether it may end with 0 while the pod goes on: somebody waits for that.
    finite: bool,
    stage: Stage,
    pulling: bool,
    id: Option<String>,
    exit_code: Option<i64>,
    /// Its health, if it is known to have a check.
    health: Option<Health>,
}

/// The state of a pod.
#[derive(Debug)]
pub(super) struct Machine {
    components: Vec<Component>,
    cause: Option<Cause>,
    forced: bool,
    finished: bool,
    published: Option<Health>,
    actions: Vec<Action>,
}

impl Machine {
    /// A pod of which nothing has started.
    pub(super) fn new(plan: &[Planned]) -> Self {
        let finite = |who| {
            plan.iter().flat_map(|other| &other.needs).any(|need| *need == Need { on: who, until: Until::Succeeded })
        };
        let component = |(who, planned): (usize, &Planned)| Component {
            name: planned.name.clone(),
            needs: planned.needs.clone(),
            grace: planned.grace,
            finite: finite(who),
            stage: Stage::Waiting,
            pulling: false,
            id: None,
            exit_code: None,
            health: None,
        };
        Self {
            components: plan.iter().enumerate().map(component).collect(),
            cause: None,
            forced: false,
            finished: false,
            published: None,
            actions: Vec::new(),
        }
    }

    /// The first actions.
    pub(super) fn begin(&mut self) -> Vec<Action> {
        self.start_what_can();
        self.publish();
        std::mem::take(&mut self.actions)
    }

    /// What an event leads to.
    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        if self.finished {
            return Vec::new();
        }
        match event {
            Event::Pulling(who) => {
                self.of(who).pulling = true;
                if self.terminating() {
                    self.actions.push(Action::Cancel(who));
                }
            }
            Event::Created { who, id } => self.created(who, id),
            Event::Started { who, checked } => self.started(who, checked),
            Event::Exited(who, code) => self.exited(who, code),
            Event::Failed(who, error) => {
                // Without an id there may be a container all the same, but nothing in it that could be asked to stop.
                if self.of(who).id.is_none() {
                    self.remove(who);
                }
                self.end(Cause::Failed(who, error));
            }
            Event::Misplaced(who, _) => self.misplaced(who),
            Event::Health(id, health) => self.checked(&id, health),
            // It is for the obituary: how it ends is told by its exit.
            Event::Oom(_) => {}
            Event::Stopped(who) => self.of(who).stage = Stage::Gone,
            Event::Signal(signal) if ends(signal) => match self.cause {
                None => self.end(Cause::Signal(signal)),
                Some(_) if !self.forced => self.force(),
                Some(_) => {}
            },
            Event::Signal(signal) => self.forward(signal),
            Event::Crashed(message) => self.end(Cause::Crashed(message)),
            Event::Deadline if !self.terminating() => {}
            Event::Deadline if !self.forced => self.force(),
            Event::Deadline => self.finish(),
        }
        if !self.terminating() {
            self.start_what_can();
            self.publish();
        }
        if self.terminating() && self.components.iter().all(|component| component.stage == Stage::Gone) {
            self.finish();
        }
        std::mem::take(&mut self.actions)
    }

    /// Why and how the pod ended, once it has.
    pub(super) fn into_end(self) -> Option<End> {
        self.cause.map(|cause| End { cause, forced: self.forced, lives: Vec::new(), last_words: None })
    }

    /// The components whose containers may still be there.
    pub(super) fn left(&self) -> Vec<Who> {
        let there = |stage| !matches!(stage, Stage::Waiting | Stage::Gone);
        (0..self.components.len()).filter(|who| there(self.components[*who].stage)).map(Who).collect()
    }

    /// The id of a component's container, if it is known.
    pub(super) fn id(&self, who: Who) -> Option<&str> {
        self.components[who.0].id.as_deref()
    }

    fn of(&mut self, who: Who) -> &mut Component {
        &mut self.components[who.0]
    }

    fn everybody(&self) -> impl Iterator<Item = Who> + use<> {
        (0..self.components.len()).map(Who)
    }

    fn terminating(&self) -> bool {
        self.cause.is_some()
    }

    fn start_what_can(&mut self) {
        for who in self.everybody() {
            let component = &self.components[who.0];
            if component.stage == Stage::Waiting && component.needs.iter().all(|need| self.is_met(*need)) {
                self.of(who).stage = Stage::Starting;
                self.actions.push(Action::Start(who));
            }
        }
    }

    fn is_met(&self, need: Need) -> bool {
        let other = &self.components[need.on];
        match need.until {
            Until::Started => other.stage == Stage::Running || other.exit_code.is_some(),
            Until::Healthy => other.stage == Stage::Running && other.health == Some(Health::Healthy),
            Until::Succeeded => other.exit_code == Some(0),
        }
    }

    fn created(&mut self, who: Who, id: String) {
        let component = self.of(who);
        component.id = Some(id);
        component.pulling = false;
        if self.terminating() {
            self.stop(who);
        }
    }

    fn started(&mut self, who: Who, checked: bool) {
        let component = self.of(who);
        if component.stage != Stage::Starting {
            return;
        }
        component.stage = Stage::Running;
        if checked {
            // The first check may have been told before.
            component.health.get_or_insert(Health::Starting);
        } else if let Some(waiting) = self.who_waits_for_health_of(who) {
            let on = self.of(who).name.clone();
            self.end(Cause::Failed(waiting, Error::NoHealthCheck { on }));
        }
    }

    /// What was made of it is removed by who brings it up again.
    fn misplaced(&mut self, who: Who) {
        if !self.terminating() {
            self.of(who).id = None;
            self.actions.push(Action::StartApart(who));
        } else if self.of(who).id.is_none() {
            self.remove(who);
        }
    }

    fn exited(&mut self, who: Who, code: i64) {
        let component = self.of(who);
        component.exit_code = Some(code);
        component.health = None;
        let goes_on = component.finite && code == 0;
        self.remove(who);
        if !goes_on {
            self.end(Cause::Exited(who, code));
        } else if let Some(waiting) = self.who_waits_for_health_of(who) {
            let on = self.of(who).name.clone();
            self.end(Cause::Failed(waiting, Error::Ended { on }));
        }
    }

    fn checked(&mut self, id: &str, health: Health) {
        let found = self.components.iter().position(|component| component.id.as_deref() == Some(id));
        let Some(who) = found.map(Who) else { return };
        if self.of(who).stage != Stage::Running && self.of(who).stage != Stage::Starting {
            return;
        }
        self.of(who).health = Some(health);
        if health == Health::Unhealthy
            && let Some(waiting) = self.who_waits_for_health_of(who)
        {
            let on = self.of(who).name.clone();
            self.end(Cause::Failed(waiting, Error::Unhealthy { on }));
        }
    }

    fn who_waits_for_health_of(&self, who: Who) -> Option<Who> {
        let need = Need { on: who.0, until: Until::Healthy };
        self.everybody().find(|other| {
            self.components[other.0].stage == Stage::Waiting && self.components[other.0].needs.contains(&need)
        })
    }

    /// The pod ends: nothing starts any more, everything that is there is stopped. Only the first cause counts.
    fn end(&mut self, cause: Cause) {
        if self.terminating() {
            return;
        }
        self.cause = Some(cause);
        let mut grace = Duration::ZERO;
        for who in self.everybody() {
            let component = self.of(who);
            match component.stage {
                Stage::Waiting => component.stage = Stage::Gone,
                Stage::Starting | Stage::Running => {
                    grace = grace.max(component.grace);
                    if component.id.is_some() {
                        self.stop(who);
                    } else if component.pulling {
                        self.actions.push(Action::Cancel(who));
                    }
                }
                Stage::Leaving | Stage::Gone => {}
            }
        }
        self.actions.push(Action::Deadline(grace.saturating_add(STOP_MARGIN)));
    }

    fn stop(&mut self, who: Who) {
        let component = self.of(who);
        if matches!(component.stage, Stage::Starting | Stage::Running) {
            component.stage = Stage::Leaving;
            let action = if self.forced { Action::Remove(who) } else { Action::Stop(who) };
            self.actions.push(action);
        }
    }

    fn remove(&mut self, who: Who) {
        let component = self.of(who);
        if matches!(component.stage, Stage::Starting | Stage::Running) {
            component.stage = Stage::Leaving;
            self.actions.push(Action::Remove(who));
        }
    }

    /// Time is up: what is still there is removed without grace. A container that is just being created is removed as
    /// soon as it is known.
    fn force(&mut self) {
        self.forced = true;
        for who in self.everybody() {
            if self.of(who).stage == Stage::Leaving {
                self.actions.push(Action::Remove(who));
            }
        }
        self.actions.push(Action::Deadline(REMOVE_LIMIT));
    }

    fn finish(&mut self) {
        self.finished = true;
        self.actions.push(Action::Finish);
    }

    fn forward(&mut self, signal: i32) {
        for who in self.everybody() {
            if self.of(who).stage == Stage::Running {
                self.actions.push(Action::Forward(who, signal));
            }
        }
    }

    /// The lowest health of all that have a check; what has not started yet counts as `starting` at best.
    fn health(&self) -> Health {
        let of_each = self.components.iter().filter_map(|component| match component.stage {
            Stage::Waiting | Stage::Starting => {
                Some(component.health.unwrap_or(Health::Starting).min(Health::Starting))
            }
            _ => component.health,
        });
        of_each.min().unwrap_or(Health::Healthy)
    }

    fn publish(&mut self) {
        let health = self.health();
        if self.published != Some(health) {
            self.published = Some(health);
            self.actions.push(Action::Publish(health));
        }
    }
}
