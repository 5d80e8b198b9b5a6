//! The machine: events in, actions out. It owns all state of the pod, and does no I/O, reads no clock, starts no thread.
//!
//! ```text
//!             ┌──────────Rested: what it restarts with is up again──────────┐
//! component:  Waiting ──needs met──▶ Starting ──Started──▶ Running ──┐ Exited, another life: Restart ──▶ Resting
//!                │                       └─────Failed────────────────┤ Dead, or restarts with another: Halt ──▶ Halting
//!                │                                                   └ Exited for good: Remove ─┐
//!                └──the pod ends──▶ Gone ◀──Stopped── Leaving ◀──the pod ends, its turn: Stop───┘
//! pod:        running ──first Cause──▶ terminating ──all gone, or out of time──▶ Finish
//! ```
//!
//! What a component is by itself, and what follows from that, is in `member.rs`.

use std::time::Duration;

use log::Level;

use crate::health::Health;
use crate::pod::{Need, Plan, Role, Until};

use super::Error;
use super::error::chain;
use super::event::{Action, Cause, End, Event, Who};
use super::member::{Halted, Member, Stage};
use super::words;

/// How much longer than the graces of those that stop one after the other an end of its own may take before everything
/// left is removed by force.
const STOP_MARGIN: Duration = Duration::from_secs(10);
/// How long before the end of its time a pod that somebody ends removes by force what is left.
const LAST: Duration = Duration::from_secs(1);
/// How long the removal by force may take before we leave it to the engine.
const REMOVE_LIMIT: Duration = Duration::from_secs(15);

/// SIGINT and SIGTERM, by their numbers on every Linux.
const ENDING: [i32; 2] = [2, 15];

/// Whether a signal to the controller ends the pod; others are forwarded.
pub fn ends(signal: i32) -> bool {
    ENDING.contains(&signal)
}

/// The state of a pod.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
pub(super) struct Machine {
    members: Vec<Member>,
    /// Who stops before each: those that need it.
    before: Vec<Vec<usize>>,
    /// Who restarts with each.
    followers: Vec<Vec<usize>>,
    /// The time to stop when somebody wants that.
    budget: Duration,
    cause: Option<Cause>,
    /// Whether somebody wants the pod to end.
    wanted: bool,
    forced: bool,
    finished: bool,
    /// Whether all were well at a time.
    was_healthy: bool,
    published: Option<Health>,
    actions: Vec<Action>,
}

impl Machine {
    /// A pod of which nothing has started.
    pub(super) fn new(plan: &Plan) -> Self {
        let all = &plan.components;
        let mut needed = vec![Vec::new(); all.len()];
        let mut before = vec![Vec::new(); all.len()];
        let mut followers = vec![Vec::new(); all.len()];
        for (position, planned) in all.iter().enumerate() {
            for need in &planned.needs {
                needed[need.on].push(*need);
                if !need.lent || all[need.on].is_holder() {
                    before[need.on].push(position);
                }
                if need.restart {
                    followers[need.on].push(position);
                }
            }
        }
        for holder in (0..all.len()).filter(|position| all[*position].is_holder()) {
            before[holder] = (0..all.len()).filter(|position| !all[*position].is_holder()).collect();
        }
        Self {
            members: all.iter().zip(&needed).map(|(planned, needed)| Member::new(planned, needed)).collect(),
            before,
            followers,
            budget: plan.budget,
            cause: None,
            wanted: false,
            forced: false,
            finished: false,
            was_healthy: false,
            published: None,
            actions: Vec::new(),
        }
    }

    /// The first actions.
    pub(super) fn begin(&mut self) -> Vec<Action> {
        self.go_on();
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
            Event::Created { who, id } => {
                let member = self.of(who);
                member.id = Some(id);
                member.pulling = false;
            }
            Event::Started { who, checked } => self.started(who, checked),
            Event::Ran(who, time) => self.of(who).ran = time,
            Event::Exited(who, code) => self.exited(who, code),
            Event::Failed(who, error) => self.failed(who, error),
            Event::Misplaced(who, _) => self.misplaced(who),
            Event::Vanished(who) => self.vanished(who),
            Event::Rested(who) => {
                if self.of(who).stage == Stage::Resting {
                    self.of(who).stage = Stage::Waiting;
                }
            }
            Event::Health(id, health) => self.checked(&id, health),
            // Its exit tells that it ended.
            Event::Oom(_) => {}
            Event::Died(id, code) => {
                if let Some(who) = self.who_has(&id) {
                    self.of(who).said = Some(code);
                }
            }
            Event::Ready(who, ready) => {
                if self.of(who).stage == Stage::Running {
                    self.of(who).ready = ready;
                }
            }
            Event::Dead(who, why) => self.dead(who, why),
            Event::Late { who, on } => self.late(who, on),
            Event::Stopped(who) => self.of(who).stage = Stage::Gone,
            Event::Signal(signal) if ends(signal) => self.want_the_end(signal),
            Event::Signal(signal) => self.forward(signal),
            Event::Crashed(message) => self.end(Cause::Crashed(message)),
            Event::Deadline if !self.terminating() => {}
            Event::Deadline if !self.forced => self.force(),
            Event::Deadline => self.finish(),
        }
        if !self.terminating() {
            self.go_on();
        }
        if self.terminating() {
            self.stop_who_can();
        }
        if self.is_over() {
            self.finish();
        }
        std::mem::take(&mut self.actions)
    }

    /// Why and how the pod ended, once it has.
    pub(super) fn into_end(self) -> Option<End> {
        let mut all = self.members.iter().enumerate();
        let leader = all.find_map(|(who, member)| Some((Who(who), member.code?)).filter(|_| member.leader));
        self.cause.map(|cause| End { leader, ..End::new(cause, self.forced) })
    }

    /// The components whose containers may still be there.
    pub(super) fn left(&self) -> Vec<Who> {
        let there = |who: &usize| match self.members[*who].stage {
            Stage::Waiting => self.members[*who].lived,
            stage => stage != Stage::Gone,
        };
        (0..self.members.len()).filter(there).map(Who).collect()
    }

    /// The id of a component's container, if it is known.
    pub(super) fn id(&self, who: Who) -> Option<&str> {
        self.members[who.0].id.as_deref()
    }

    fn of(&mut self, who: Who) -> &mut Member {
        &mut self.members[who.0]
    }

    fn everybody(&self) -> impl Iterator<Item = Who> + use<> {
        (0..self.members.len()).map(Who)
    }

    fn who_has(&self, id: &str) -> Option<Who> {
        self.members.iter().position(|member| member.id.as_deref() == Some(id)).map(Who)
    }

    fn tell(&mut self, level: Level, text: String) {
        self.actions.push(Action::Tell(level, text));
    }

    fn terminating(&self) -> bool {
        self.cause.is_some()
    }

    // While the pod goes on.

    fn go_on(&mut self) {
        for who in self.everybody() {
            self.of(who).was_ready |= self.members[who.0].is_ready();
        }
        self.bury_hopes();
        if !self.terminating() {
            self.start_who_can();
            self.publish();
        }
    }

    /// What has ended for good gets well no more.
    fn bury_hopes(&mut self) {
        for who in self.everybody() {
            let member = &self.members[who.0];
            let in_vain = |need: &&Need| need.until == Until::Healthy && self.members[need.on].done;
            let in_vain = |need: &&Need| member.stage == Stage::Waiting && in_vain(need);
            let needs: Vec<Need> = member.waits.iter().filter(in_vain).copied().collect();
            for need in needs {
                self.give_up(who, need, &|on| Error::Ended { on });
            }
        }
    }

    fn start_who_can(&mut self) {
        for who in self.everybody() {
            let member = &self.members[who.0];
            if member.stage == Stage::Waiting && member.waits.iter().all(|need| self.is_met(*need)) {
                self.of(who).begin();
                self.actions.push(Action::Start(who));
            }
        }
    }

    fn is_met(&self, need: Need) -> bool {
        self.members[need.on].has_come_to(need.until)
    }

    fn started(&mut self, who: Who, checked: bool) {
        let terminating = self.terminating();
        let member = self.of(who);
        if member.stage != Stage::Starting {
            return;
        }
        let first = !member.lived;
        member.started(checked);
        if terminating {
            return;
        }
        let (watched, is_checked, again) = (member.watched, member.is_checked(), member.again.take());
        if watched {
            self.actions.push(Action::Probe(who));
        }
        if first {
            self.set_limits(who);
        }
        if !is_checked {
            self.disappoint(who, &[Until::Healthy], |on| Error::NoHealthCheck { on });
        }
        if let Some(with) = again.filter(|_| !self.terminating()) {
            self.halt(who, Halted::With(with));
        }
    }

    /// The time begins that others have who wait for its health.
    fn set_limits(&mut self, on: Who) {
        for who in self.everybody().filter(|who| self.members[who.0].stage == Stage::Waiting) {
            let limits = self.members[who.0].waits.iter().filter(|need| need.on == on.0).filter_map(|need| need.limit);
            if let Some(time) = limits.min() {
                self.actions.push(Action::Limit { who, on, time });
            }
        }
    }

    fn late(&mut self, who: Who, on: Who) {
        let member = &self.members[who.0];
        let waits = |need: &&Need| need.on == on.0 && need.limit.is_some() && !self.is_met(**need);
        let late = member.waits.iter().find(waits).filter(|_| member.stage == Stage::Waiting).copied();
        if let Some(need) = late {
            let limit = need.limit.unwrap_or_default();
            self.give_up(who, need, &|on| Error::Late { on, limit });
        }
    }

    /// What was made of it is removed by who brings it up again.
    fn misplaced(&mut self, who: Who) {
        if self.terminating() {
            self.clear(who);
        } else {
            self.of(who).id = None;
            self.actions.push(Action::StartApart(who));
        }
    }

    /// Somebody has removed its container between two lives: another one is made.
    fn vanished(&mut self, who: Who) {
        if self.terminating() {
            self.of(who).ended = true;
            self.remove(who);
        } else {
            self.of(who).id = None;
            self.actions.push(Action::Start(who));
        }
    }

    fn exited(&mut self, who: Who, code: i64) {
        let member = self.of(who);
        member.ended(Some(code));
        let ran = words::span(member.ran);
        let halted = member.halted.take();
        if self.terminating() {
            self.remove(who);
            return;
        }
        // Who is dead has failed, however politely it ends.
        let code = if matches!(halted, Some(Halted::Dead(_))) && code == 0 { 1 } else { code };
        self.of(who).code = Some(code);
        let words = match &halted {
            Some(Halted::Dead(why)) => format!("{why}, it ended with exit code {code} after {ran}"),
            _ => format!("ended with exit code {code} after {ran}"),
        };
        if self.lives_on(who, halted.as_ref(), &words, Some(code)) {
            return;
        }
        self.of(who).done = true;
        self.remove(who);
        self.over(who, Cause::Exited(who, code), code == 0);
        // The end of the pod tells its own, but not why somebody was dead.
        if !self.terminating() || matches!(halted, Some(Halted::Dead(_))) {
            let name = self.of(who).name.clone();
            let helps = self.of(who).role == Role::Sidecar;
            self.tell(if helps || code != 0 { Level::Warn } else { Level::Info }, format!("{name}: {words}"));
        }
    }

    fn failed(&mut self, who: Who, error: Error) {
        let member = self.of(who);
        if let (Error::Lost { .. }, Some(code)) = (&error, member.said.take()) {
            return self.exited(who, code);
        }
        member.ended(None);
        // It may have failed for the end of the one that it restarts with.
        let again = member.again.take().filter(|_| member.lived);
        let halted = member.halted.take().or(again.map(Halted::With));
        if self.terminating() {
            self.clear(who);
            return;
        }
        if self.lives_on(who, halted.as_ref(), &chain(&error), None) {
            return;
        }
        self.of(who).done = true;
        let goes_on = self.of(who).optional && !self.of(who).lived;
        let helps = self.of(who).role == Role::Sidecar && self.of(who).was_ready;
        if self.of(who).id.is_none() || goes_on || helps {
            self.remove(who);
        }
        if goes_on || helps {
            let name = &self.members[who.0].name;
            self.tell(Level::Error, format!("{name}: {}, the pod goes on without it", chain(&error)));
            self.waive_all(who);
            self.end_if_nothing_is_left(who);
        } else {
            self.end(Cause::Failed(who, error));
        }
    }

    /// Begins the pause before another life, if there is to be one.
    fn lives_on(&mut self, who: Who, halted: Option<&Halted>, words: &str, code: Option<i64>) -> bool {
        let name = self.of(who).name.clone();
        if let Some(Halted::With(other)) = halted {
            let other = &self.members[*other].name;
            self.tell(Level::Warn, format!("{name}: {words}, restarting with '{other}'"));
            self.of(who).restarts += 1;
            self.of(who).stage = Stage::Waiting;
            return true;
        }
        if !self.of(who).lives_on_after(code, matches!(halted, Some(Halted::Dead(_)))) {
            return false;
        }
        let pause = self.of(who).rest();
        let times = words::ordinal(self.of(who).restarts);
        self.tell(Level::Warn, format!("{name}: {words}, restarting in {} ({times} time)", words::span(pause)));
        self.actions.push(Action::Restart(who, pause));
        self.halt_followers(who);
        true
    }

    /// A component is dead: it is stopped, and what follows is that of its end.
    fn dead(&mut self, who: Who, why: String) {
        if self.of(who).stage == Stage::Running && !self.terminating() {
            self.halt(who, Halted::Dead(why));
        }
    }

    fn halt(&mut self, who: Who, why: Halted) {
        let member = self.of(who);
        member.stage = Stage::Halting;
        let restarts = matches!(why, Halted::With(_));
        member.halted = Some(why);
        self.actions.push(Action::Halt(who));
        if restarts {
            self.halt_followers(who);
        }
    }

    /// Who restarts with another one stops when that begins to.
    fn halt_followers(&mut self, who: Who) {
        for other in self.followers[who.0].clone().into_iter().map(Who) {
            match self.of(other).stage {
                Stage::Running => self.halt(other, Halted::With(who.0)),
                Stage::Starting => self.of(other).again = Some(who.0),
                _ => {}
            }
        }
    }

    /// A component has ended for good.
    fn over(&mut self, who: Who, cause: Cause, success: bool) {
        let helps = self.of(who).role == Role::Sidecar;
        if helps && !self.of(who).was_ready && self.is_waited_for(who) {
            let Cause::Exited(_, code) = cause else { return self.end(cause) };
            self.end(Cause::Failed(who, Error::NeverReady { code }));
        } else if !(helps || (success && self.of(who).finite) || self.of(who).may_fail) {
            self.end(cause);
        } else if let (Cause::Exited(_, code), false) = (cause, success) {
            self.disappoint(who, &[Until::Succeeded], |on| Error::NoSuccess { on, code });
        }
        self.end_if_nothing_is_left(who);
    }

    fn is_waited_for(&self, who: Who) -> bool {
        let waits = |member: &Member| member.waits.iter().any(|need| need.on == who.0);
        self.members.iter().any(|member| member.stage == Stage::Waiting && waits(member))
    }

    /// A pod whose tasks are all done has nothing to live for.
    fn end_if_nothing_is_left(&mut self, last: Who) {
        let helps = |member: &Member| member.role == Role::Sidecar || member.holds;
        if !self.terminating() && self.members.iter().all(|member| helps(member) || member.done) {
            self.end(Cause::Exited(last, 0));
        }
    }

    fn checked(&mut self, id: &str, health: Health) {
        let Some(who) = self.who_has(id) else { return };
        if !matches!(self.of(who).stage, Stage::Running | Stage::Starting) {
            return;
        }
        self.of(who).health = Some(health);
        if health == Health::Unhealthy && !self.terminating() {
            self.disappoint(who, &[Until::Healthy, Until::Ready], |on| Error::Unhealthy { on });
        }
    }

    /// Who waits for the health of a component will wait in vain.
    fn disappoint(&mut self, on: Who, untils: &[Until], why: impl Fn(String) -> Error) {
        for who in self.everybody() {
            let member = &self.members[who.0];
            let waits = |need: &&Need| need.on == on.0 && untils.contains(&need.until);
            let waits = |need: &&Need| member.stage == Stage::Waiting && waits(need);
            let needs: Vec<Need> = member.waits.iter().filter(waits).copied().collect();
            for need in needs {
                self.give_up(who, need, &why);
            }
        }
    }

    /// A need can be met no more: the pod ends, unless it can do without.
    fn give_up(&mut self, who: Who, need: Need, why: &dyn Fn(String) -> Error) {
        let error = why(self.members[need.on].name.clone());
        if need.required {
            self.end(Cause::Failed(who, error));
        } else {
            let name = &self.members[who.0].name;
            self.tell(Level::Warn, format!("{name}: {error}, it starts all the same"));
            self.of(who).waits.retain(|other| *other != need);
        }
    }

    fn waive_all(&mut self, on: Who) {
        for who in self.everybody() {
            self.of(who).waits.retain(|need| need.on != on.0);
        }
    }

    /// Healthy once all were well at a time; unhealthy when the pod should be replaced; starting before.
    fn health(&mut self) -> Health {
        self.was_healthy |= self.members.iter().all(Member::is_settled);
        if self.members.iter().any(Member::is_lost) {
            Health::Unhealthy
        } else if self.was_healthy {
            Health::Healthy
        } else {
            Health::Starting
        }
    }

    fn publish(&mut self) {
        let health = self.health();
        if self.published != Some(health) {
            self.published = Some(health);
            self.actions.push(Action::Publish(health));
        }
    }

    fn forward(&mut self, signal: i32) {
        for who in self.everybody() {
            // One that starts may run already, and its hooks take their time; where it does not, the engine says so.
            let may_run = |member: &Member| match member.stage {
                Stage::Running => true,
                Stage::Starting => member.id.is_some(),
                _ => false,
            };
            if may_run(self.of(who)) {
                self.actions.push(Action::Forward(who, signal));
            }
        }
    }

    // The end.

    /// Somebody wants the pod to end: the second time, at once.
    fn want_the_end(&mut self, signal: i32) {
        let again = std::mem::replace(&mut self.wanted, true);
        if self.cause.is_none() {
            self.end(Cause::Signal(signal));
        } else if again && !self.forced {
            self.force();
        } else if !again && !self.forced {
            self.actions.push(Action::Deadline(self.time_to_stop()));
        }
    }

    /// The pod ends: nothing starts any more. Only the first cause counts.
    fn end(&mut self, cause: Cause) {
        if self.terminating() {
            return;
        }
        self.cause = Some(cause);
        self.actions.push(Action::Deadline(self.time_to_stop()));
        for who in self.everybody() {
            let member = self.of(who);
            match member.stage {
                // Between two lives, or after a try at one, there is a container that does not run.
                Stage::Waiting if member.lived => self.remove(who),
                Stage::Waiting => member.stage = Stage::Gone,
                Stage::Resting => self.remove(who),
                Stage::Starting if member.id.is_none() && member.pulling => self.actions.push(Action::Cancel(who)),
                _ => {}
            }
        }
    }

    /// How long the end may take before it is forced: what we were given, or what the components were.
    fn time_to_stop(&self) -> Duration {
        if self.wanted {
            return self.budget.saturating_sub(LAST);
        }
        let mut times = vec![None; self.members.len()];
        let longest = self.everybody().map(|who| self.time_of(who.0, &mut times)).max().unwrap_or_default();
        longest.saturating_add(STOP_MARGIN)
    }

    /// How long it takes until a component has stopped, and all that stop before it.
    fn time_of(&self, who: usize, times: &mut Vec<Option<Duration>>) -> Duration {
        if let Some(time) = times[who] {
            return time;
        }
        let before = self.before[who].iter().map(|other| self.time_of(*other, times)).max().unwrap_or_default();
        let own = if self.members[who].is_up() { self.members[who].grace } else { Duration::ZERO };
        let time = before.saturating_add(own);
        times[who] = Some(time);
        time
    }

    /// Who is needed by nobody that is there is stopped.
    fn stop_who_can(&mut self) {
        for who in self.everybody() {
            let member = &self.members[who.0];
            let is_needed = self.before[who.0].iter().any(|other| self.members[*other].is_there());
            if member.is_up() && member.id.is_some() && (self.forced || !is_needed) {
                self.stop(who);
            }
        }
    }

    fn stop(&mut self, who: Who) {
        let member = self.of(who);
        if !matches!(member.stage, Stage::Leaving | Stage::Gone) {
            member.stage = Stage::Leaving;
            let action = if self.forced { Action::Remove(who) } else { Action::Stop(who) };
            self.actions.push(action);
        }
    }

    /// What is left of a start that failed goes. Without an id there may be a container all the same, but nothing in it that
    /// could be asked to stop.
    fn clear(&mut self, who: Who) {
        if self.of(who).id.is_none() { self.remove(who) } else { self.stop(who) }
    }

    fn remove(&mut self, who: Who) {
        let member = self.of(who);
        if !matches!(member.stage, Stage::Leaving | Stage::Gone) {
            member.stage = Stage::Leaving;
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

    /// Whether all are gone, and the leader has told its code where that counts.
    fn is_over(&self) -> bool {
        let told = |member: &Member| !member.leader || !member.lived || member.ended;
        let counts = matches!(self.cause, Some(Cause::Exited(..)));
        let gone = |member: &Member| member.stage == Stage::Gone && (told(member) || !counts);
        self.terminating() && !self.finished && self.members.iter().all(gone)
    }

    fn finish(&mut self) {
        self.finished = true;
        self.actions.push(Action::Finish);
    }
}
