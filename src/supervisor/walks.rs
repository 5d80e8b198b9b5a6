//! Long seeded random walks of the machine through imagined worlds.
//!
//! A world has the truth about its containers and threads, makes the moves that a real one could make, in any order, and
//! delivers what they report through an inbox, as late as it likes. After every step the rules of the machine are held
//! against the world's own account of what was reported. `tests/mutants.rs` breaks the machine rule by rule and requires
//! that a walk goes red.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::engine::types::CreateRequest;
use crate::health::Health;
use crate::pod::{Check, Need, Plan, Planned, Probe, Probes, Restart, Role, Until, When};

use super::Error;
use super::event::{Action, Cause, Event, Who};
use super::machine::{Machine, ends};

const TERM: i32 = 15;
const HUP: i32 = 1;

/// A small generator (xorshift64*): the same walk for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides as u64).expect("small")
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }
}

/// Where the thread of a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Thread {
    #[default]
    None,
    Begun,
    /// Starts a container that is there.
    Again,
    Pulling,
    Cancelled,
    Creating,
    Created,
    Running,
    Done,
}

/// How far a component has come, by what was reported and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Waiting,
    Starting,
    Running,
    Halting,
    Resting,
    /// It ended for good, or is being stopped or removed.
    Leaving,
    Gone,
}

/// The truth about a component, and what was reported of it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
struct Imagined {
    thread: Thread,
    /// Whether there is a container, whoever knows of it.
    exists: bool,
    /// Whether it runs.
    runs: bool,
    checked: bool,
    /// Stops and removals under way.
    leaving: usize,
    halts: usize,
    rests: usize,
    /// For whom it waits with a limit that may be over.
    limits: Vec<usize>,
    /// Whether the engine refuses the place of its container, at most once.
    misplaced: bool,
    /// Reported: it is misplaced, and nothing was done about it.
    refused: bool,
    starts: usize,
    stops: usize,
    removes: usize,
    cancels: usize,
    /// Reported: the image is being pulled.
    pulling: bool,
    /// Reported: there is a container.
    known: bool,
    lived: bool,
    ended: bool,
    failed: bool,
    done: bool,
    phase: Phase,
    code: Option<i64>,
    long: bool,
    health: Option<Health>,
    ready: bool,
    was_ready: bool,
    dead: bool,
    /// It restarts with another.
    with: bool,
    /// It will restart with another as soon as it runs.
    again: bool,
    in_a_row: u32,
    /// The needs that it does without, by whom they are on.
    waived: BTreeSet<usize>,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Why {
    Exited(usize, i64),
    Failed(usize),
    Signal(i32),
    Crashed,
}

/// How often the interesting things happened.
#[derive(Default)]
struct Seen(std::collections::BTreeMap<&'static str, usize>);

impl Seen {
    fn note(&mut self, what: &'static str, so: bool) {
        *self.0.entry(what).or_default() += usize::from(so);
    }
}

#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
struct World<'a> {
    dice: Dice,
    plan: Plan,
    machine: Machine,
    all: Vec<Imagined>,
    inbox: VecDeque<Event>,
    cause: Option<Why>,
    /// When the deadline was last set.
    deadline: Option<Duration>,
    wanted: bool,
    forced: bool,
    given_up: bool,
    finished: bool,
    was_healthy: bool,
    published: Option<Health>,
    /// What the last event asks for: restarts with their pauses, halts.
    expected: Vec<Action>,
    seen: &'a mut Seen,
}

const RESET: Duration = Duration::from_mins(10);

pub(super) fn planned(position: usize, needs: Vec<Need>, grace: u64) -> Planned {
    let container = format!("pod.podlike.c{position}");
    let planned = Planned::new(&format!("c{position}"), container, CreateRequest::default());
    Planned { needs, grace: Duration::from_secs(grace), ..planned }
}

pub(super) fn plan(components: Vec<Planned>, budget: u64) -> Plan {
    Plan { components, hosts: Vec::new(), prepared: None, budget: Duration::from_secs(budget) }
}

pub(super) fn probe() -> Probe {
    Probe {
        check: Check::Exec(vec!["true".to_owned()]),
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        retries: 3,
        start_period: Duration::ZERO,
    }
}

/// A pod as it may be planned: sidecars first, so that nothing goes in circles.
fn some_plan(dice: &mut Dice) -> Plan {
    let size = 1 + dice.roll(6);
    let sidecars = if dice.one_in(2) { dice.roll(size) } else { 0 };
    let mut components = Vec::new();
    for position in 0..size {
        let role = match position {
            position if position < sidecars => Role::Sidecar,
            _ if dice.one_in(4) => Role::Task,
            _ => Role::Essential,
        };
        let mut needs = Vec::new();
        for on in 0..position {
            let untils = [Until::Started, Until::Healthy, Until::Succeeded];
            if dice.one_in(4) {
                let until = untils[dice.roll(if on < sidecars { 2 } else { 3 })];
                let limit = Some(Duration::from_mins(1)).filter(|_| until == Until::Healthy && dice.one_in(2));
                let lent = until == Until::Started && dice.one_in(3);
                let required = !dice.one_in(if until == Until::Succeeded { 2 } else { 4 });
                let restart = !lent && dice.one_in(3);
                needs.push(Need { required, restart, limit, lent, ..Need::new(on, until) });
            } else if on < sidecars && role != Role::Sidecar {
                needs.push(Need::new(on, Until::Ready));
            }
        }
        let when = [When::No, When::Dead, When::Always, When::OnFailure][dice.roll(4)];
        let at_most = [None, Some(1), Some(2)][dice.roll(3)];
        let mut probes = Probes::default();
        if dice.one_in(4) {
            probes.liveness = Some(probe());
        }
        if dice.one_in(5) {
            probes.readiness = Some(probe());
        }
        let restart = Restart { when, at_most, reset: RESET, ..Restart::default() };
        components.push(Planned { role, restart, probes, ..planned(position, needs, dice.roll(30) as u64) });
    }
    let leader = sidecars + dice.roll(size - sidecars);
    components[leader].leader = dice.one_in(2) && components[leader].role == Role::Essential;
    plan(components, dice.roll(40) as u64)
}

impl<'a> World<'a> {
    fn new(number: u64, seen: &'a mut Seen) -> Self {
        let mut dice = Dice::new(number);
        let plan = some_plan(&mut dice);
        let imagined = |_: &Planned| Imagined { checked: !dice.one_in(3), ..Imagined::default() };
        let all = plan.components.iter().map(imagined).collect();
        let machine = Machine::new(&plan);
        Self {
            dice,
            plan,
            machine,
            all,
            inbox: VecDeque::new(),
            cause: None,
            deadline: None,
            wanted: false,
            forced: false,
            given_up: false,
            finished: false,
            was_healthy: false,
            published: None,
            expected: Vec::new(),
            seen,
        }
    }

    // What the account comes to.

    fn needs_on(&self, on: usize) -> impl Iterator<Item = (usize, Need)> + '_ {
        let all = self.plan.components.iter().enumerate();
        all.flat_map(move |(who, planned)| {
            planned.needs.iter().filter(move |need| need.on == on).map(move |need| (who, *need))
        })
    }

    fn is_finite(&self, who: usize) -> bool {
        let succeeds = |(_, need): (usize, Need)| need.until == Until::Succeeded;
        self.plan.components[who].role == Role::Task || self.needs_on(who).any(succeeds)
    }

    fn helps(&self, who: usize) -> bool {
        self.plan.components[who].role == Role::Sidecar
    }

    fn is_probed(&self, who: usize) -> bool {
        self.plan.components[who].probes.readiness.is_some()
    }

    /// Whether it runs, as far as was reported.
    fn is_well(&self, who: usize) -> bool {
        let it = &self.all[who];
        it.phase == Phase::Running
            && it.health.is_none_or(|health| health == Health::Healthy)
            && (it.ready || !self.is_probed(who))
    }

    fn is_met(&self, need: Need) -> bool {
        let on = &self.all[need.on];
        match need.until {
            Until::Started => on.phase == Phase::Running || on.done,
            Until::Healthy => self.is_well(need.on) && (on.health.is_some() || self.is_probed(need.on)),
            Until::Ready => self.is_well(need.on) || on.done,
            Until::Succeeded => on.done && on.code == Some(0),
        }
    }

    /// What it waits for: all needs at first, later who it restarts with.
    fn waits(&self, who: usize) -> impl Iterator<Item = Need> + '_ {
        let it = &self.all[who];
        let needs = self.plan.components[who].needs.iter();
        needs.copied().filter(|need| !it.waived.contains(&need.on) && (need.restart || !it.lived))
    }

    fn is_waiting(&self, who: usize) -> bool {
        self.all[who].phase == Phase::Waiting
    }

    fn lives_on(&self, who: usize, code: Option<i64>, dead: bool) -> bool {
        let (it, restart) = (&self.all[who], self.plan.components[who].restart);
        let wanted = match restart.when {
            When::No => false,
            When::Dead => dead || it.phase == Phase::Starting,
            When::Always => code != Some(0) || !self.is_finite(who),
            When::OnFailure => code != Some(0),
        };
        wanted && it.lived && restart.at_most.is_none_or(|times| it.in_a_row < times)
    }

    /// Whether it is in the way of those that it needs.
    fn is_there(&self, who: usize) -> bool {
        let it = &self.all[who];
        match it.phase {
            Phase::Starting | Phase::Running | Phase::Halting | Phase::Leaving => !it.ended,
            Phase::Waiting | Phase::Resting | Phase::Gone => false,
        }
    }

    /// Whether it is the leader, and its code counts and is still to be told.
    fn is_awaited(&self, who: usize) -> bool {
        let counts = matches!(self.cause, Some(Why::Exited(..))) && self.plan.components[who].leader;
        counts && self.all[who].lived && !self.all[who].ended
    }

    fn must_stay(&self, who: usize) -> bool {
        self.needs_on(who).any(|(other, need)| !need.lent && self.is_there(other))
    }

    /// The sum of the graces of those that stop one after the other, the longest there is.
    fn longest_chain(&self, who: usize) -> Duration {
        let before =
            self.needs_on(who).filter(|(_, need)| !need.lent).map(|(other, _)| self.longest_chain(other)).max();
        let is_up = matches!(self.all[who].phase, Phase::Starting | Phase::Running | Phase::Halting);
        let own = if is_up { self.plan.components[who].grace } else { Duration::ZERO };
        before.unwrap_or_default() + own
    }

    fn health(&mut self) -> Health {
        let positions = 0..self.all.len();
        self.was_healthy |= positions.clone().all(|who| self.all[who].done || self.is_well(who));
        let lost = |who: usize| {
            let (it, planned) = (&self.all[who], &self.plan.components[who]);
            let runs = matches!(it.phase, Phase::Starting | Phase::Running);
            runs && it.health == Some(Health::Unhealthy) && !self.helps(who) && planned.restart.when == When::No
        };
        match () {
            () if positions.clone().any(lost) => Health::Unhealthy,
            () if self.was_healthy => Health::Healthy,
            () => Health::Starting,
        }
    }

    /// Takes note of what is about to be reported, and of the cause that it may be.
    fn note(&mut self, event: &Event) {
        let had_cause = self.cause.is_some();
        let why = match *event {
            Event::Pulling(Who(who)) => {
                self.all[who].pulling = true;
                None
            }
            Event::Created { who: Who(who), .. } => {
                let it = &mut self.all[who];
                it.known = true;
                it.pulling = false;
                self.seen.note("a container that appears after the cause", had_cause);
                None
            }
            Event::Started { who: Who(who), checked } => self.note_start(who, checked),
            Event::Ran(Who(who), time) => {
                self.all[who].long = time >= RESET;
                None
            }
            Event::Exited(Who(who), code) => self.note_exit(who, Some(code)),
            Event::Failed(Who(who), _) => {
                self.all[who].failed = true;
                self.note_exit(who, None)
            }
            Event::Misplaced(Who(who), _) => {
                if !had_cause {
                    self.all[who].known = false;
                }
                self.seen.note("a cgroup that is refused after the cause", had_cause);
                self.all[who].refused = true;
                None
            }
            Event::Vanished(Who(who)) => {
                if !had_cause {
                    self.all[who].known = false;
                    self.expected.push(Action::Start(Who(who)));
                }
                self.all[who].ended |= had_cause;
                self.seen.note("a container that vanished between two lives", !had_cause);
                None
            }
            Event::Rested(Who(who)) => {
                if self.all[who].phase == Phase::Resting {
                    self.all[who].phase = Phase::Waiting;
                }
                None
            }
            Event::Health(ref id, health) => self.note_health(id.parse().expect("ids are positions here"), health),
            Event::Ready(Who(who), ready) => {
                if self.all[who].phase == Phase::Running {
                    self.all[who].ready = ready;
                }
                None
            }
            Event::Dead(Who(who), _) => {
                if self.all[who].phase == Phase::Running && !had_cause {
                    self.all[who].phase = Phase::Halting;
                    self.all[who].dead = true;
                    self.expected.push(Action::Halt(Who(who)));
                    self.seen.note("a component that is dead", true);
                }
                None
            }
            Event::Late { who: Who(who), on: Who(on) } => {
                let need = self.waits(who).find(|need| need.on == on && need.limit.is_some());
                let late = need.filter(|need| self.is_waiting(who) && !had_cause && !self.is_met(*need));
                self.seen.note("a limit that is over", late.is_some());
                late.and_then(|need| self.give_up(who, need))
            }
            Event::Stopped(Who(who)) => {
                let it = &mut self.all[who];
                it.phase = Phase::Gone;
                None
            }
            Event::Signal(signal) => {
                self.wanted |= ends(signal);
                ends(signal).then_some(Why::Signal(signal))
            }
            Event::Crashed(_) => Some(Why::Crashed),
            Event::Oom(_) | Event::Died(..) | Event::Deadline => None,
        };
        let starting = self.all.iter().filter(|it| it.phase == Phase::Starting).count();
        let signal = matches!(why, Some(Why::Signal(_))) && !had_cause;
        self.seen.note("a signal while several components start", signal && starting > 1);
        if !had_cause {
            let needs = |who: usize| self.waits(who).map(move |need| (who, need));
            let waiting = (0..self.all.len()).filter(|who| self.is_waiting(*who)).flat_map(needs);
            let in_vain = |(_, need): &(usize, Need)| need.until == Until::Healthy && self.all[need.on].done;
            let in_vain: Vec<(usize, Need)> = waiting.filter(in_vain).collect();
            self.cause = why.or_else(|| in_vain.into_iter().find_map(|(who, need)| self.give_up(who, need)));
        }
    }

    fn note_start(&mut self, who: usize, checked: bool) -> Option<Why> {
        if self.all[who].phase != Phase::Starting {
            return None;
        }
        let first = !self.all[who].lived;
        let it = &mut self.all[who];
        it.phase = Phase::Running;
        it.lived = true;
        if checked {
            it.health.get_or_insert(Health::Starting);
        }
        if self.cause.is_some() {
            return None;
        }
        let well = it.health.is_some();
        if !self.plan.components[who].probes.is_empty() {
            self.expected.push(Action::Probe(Who(who)));
        }
        if first {
            let waits: Vec<(usize, Need)> = self.needs_on(who).filter(|(other, _)| self.is_waiting(*other)).collect();
            for (other, need) in waits.into_iter().filter(|(other, _)| !self.all[*other].waived.contains(&who)) {
                let (other, on) = (Who(other), Who(who));
                self.expected.extend(need.limit.map(|time| Action::Limit { who: other, on, time }));
            }
        }
        let why = if well || self.is_probed(who) { None } else { self.disappoint(who, &[Until::Healthy]) };
        if why.is_none() && std::mem::take(&mut self.all[who].again) {
            self.halt_with(who);
        }
        why
    }

    /// It restarts with another, and others with it.
    fn halt_with(&mut self, who: usize) {
        self.all[who].phase = Phase::Halting;
        self.all[who].with = true;
        self.expected.push(Action::Halt(Who(who)));
        self.seen.note("a component that restarts with another", true);
        self.halt_followers(who);
    }

    fn halt_followers(&mut self, who: usize) {
        let followers: Vec<usize> = self.needs_on(who).filter(|(_, need)| need.restart).map(|(who, _)| who).collect();
        for other in followers {
            match self.all[other].phase {
                Phase::Running => self.halt_with(other),
                Phase::Starting => self.all[other].again = true,
                _ => {}
            }
        }
    }

    fn note_exit(&mut self, who: usize, code: Option<i64>) -> Option<Why> {
        let it = &mut self.all[who];
        it.ended = true;
        it.health = None;
        it.ready = false;
        it.code = code.or(it.code);
        if it.long {
            it.in_a_row = 0;
        }
        let again = code.is_none() && it.lived && it.again;
        let (dead, with) = (std::mem::take(&mut it.dead), std::mem::take(&mut it.with) || again);
        if self.cause.is_some() {
            return None;
        }
        if with {
            it.phase = Phase::Waiting;
            return None;
        }
        let code = if dead { code.map(|code| code.max(1)) } else { code };
        it.code = code.or(it.code);
        if self.lives_on(who, code, dead) {
            self.note_rest(who);
            return None;
        }
        let it = &mut self.all[who];
        it.done = true;
        let (lived, was_ready) = (it.lived, it.was_ready);
        it.phase = if code.is_some() || !it.known { Phase::Leaving } else { it.phase };
        let waited_for =
            (0..self.all.len()).any(|other| self.is_waiting(other) && self.waits(other).any(|n| n.on == who));
        let others: Vec<Need> = self.needs_on(who).map(|(_, need)| need).collect();
        let optional = !others.is_empty() && others.iter().all(|need| !need.required);
        let may_fail = optional && others.iter().any(|need| need.until == Until::Succeeded);
        let why = match code {
            None if (optional && !lived) || (self.helps(who) && was_ready) => {
                self.all[who].phase = Phase::Leaving;
                self.expected.push(Action::Remove(Who(who)));
                self.seen.note("a failure that the pod can do without", true);
                for other in &mut self.all {
                    other.waived.insert(who);
                }
                None
            }
            None => Some(Why::Failed(who)),
            Some(_) if self.helps(who) && !was_ready && waited_for => Some(Why::Failed(who)),
            Some(code) if !(self.helps(who) || (code == 0 && self.is_finite(who)) || may_fail) => {
                Some(Why::Exited(who, code))
            }
            Some(code) => {
                self.seen.note("a component that may end", true);
                self.seen.note("a component that may fail", may_fail && code != 0);
                if code == 0 { None } else { self.disappoint(who, &[Until::Succeeded]) }
            }
        };
        let nothing_left = (0..self.all.len()).all(|who| self.helps(who) || self.all[who].done);
        self.seen.note("a pod of which nothing is left to do", why.is_none() && nothing_left);
        why.or_else(|| nothing_left.then_some(Why::Exited(who, 0)))
    }

    fn note_rest(&mut self, who: usize) {
        let it = &mut self.all[who];
        it.phase = Phase::Resting;
        let pause = [10, 20, 40, 80, 160, 300][usize::try_from(it.in_a_row).expect("small").min(5)];
        it.in_a_row += 1;
        self.seen.note("a restart after a restart", it.in_a_row > 1);
        self.expected.push(Action::Restart(Who(who), Duration::from_secs(pause)));
        self.halt_followers(who);
    }

    fn note_health(&mut self, who: usize, health: Health) -> Option<Why> {
        let it = &mut self.all[who];
        if !it.known || !matches!(it.phase, Phase::Starting | Phase::Running) {
            return None;
        }
        it.health = Some(health);
        let ill = health == Health::Unhealthy && self.cause.is_none();
        ill.then(|| self.disappoint(who, &[Until::Healthy, Until::Ready])).flatten()
    }

    /// Nobody waits in vain: the first who requires it ends the pod.
    fn disappoint(&mut self, on: usize, untils: &[Until]) -> Option<Why> {
        let waiting: Vec<(usize, Need)> = (0..self.all.len())
            .filter(|who| self.is_waiting(*who))
            .flat_map(|who| self.waits(who).map(move |need| (who, need)))
            .filter(|(_, need)| need.on == on && untils.contains(&need.until))
            .collect();
        let why = waiting.into_iter().find_map(|(who, need)| self.give_up(who, need));
        self.seen.note("a need that can be met no more", why.is_some());
        why
    }

    fn give_up(&mut self, who: usize, need: Need) -> Option<Why> {
        if need.required {
            return Some(Why::Failed(who));
        }
        self.all[who].waived.insert(need.on);
        self.seen.note("a need that is done without", true);
        None
    }

    fn deliver(&mut self, event: Event) {
        let (had_cause, was_wanted) = (self.cause.is_some(), self.wanted);
        let struck = matches!(event, Event::Deadline);
        let asked = matches!(event, Event::Signal(signal) if ends(signal));
        let hup = matches!(event, Event::Signal(HUP));
        let leaving: Vec<usize> = (0..self.all.len()).filter(|who| self.all[*who].leaving > 0).collect();
        let may_run = |it: &Imagined| it.phase == Phase::Running || (it.phase == Phase::Starting && it.known);
        let running: Vec<usize> = (0..self.all.len()).filter(|who| may_run(&self.all[*who])).collect();
        self.note(&event);
        let actions = self.machine.step(event);
        let forwarded: Vec<usize> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Forward(Who(who), HUP) => Some(*who),
                Action::Forward(_, signal) => panic!("{signal} is forwarded"),
                _ => None,
            })
            .collect();
        assert_eq!(forwarded, if hup { running } else { Vec::new() }, "a signal is forwarded to all that run");
        self.seen.note("a signal that is forwarded", !forwarded.is_empty());
        if (struck || (asked && was_wanted)) && had_cause && !self.forced {
            self.forced = true;
            self.seen.note("an end by force", true);
            for who in leaving.into_iter().filter(|who| self.all[*who].phase == Phase::Leaving) {
                assert!(actions.contains(&Action::Remove(Who(who))), "time is up: {who} is removed by force");
            }
        } else if struck && self.forced {
            self.given_up = true;
            self.seen.note("an end that is given up", true);
        }
        let begins = had_cause && asked && !was_wanted && !self.forced;
        self.seen.note("a signal in an end of the pod's own", begins);
        let sets_time = actions.iter().any(|action| matches!(action, Action::Deadline(_)));
        assert!(sets_time || !begins, "the time begins that the pod has");
        self.obey(actions, !had_cause || begins);
        for action in std::mem::take(&mut self.expected) {
            assert!(self.cause.is_some(), "{action:?} is not done");
        }
        for who in 0..self.all.len() {
            self.all[who].was_ready |= self.cause.is_none() && self.is_well(who);
        }
        self.hold_rules();
    }

    /// That an action was asked for by what was reported last.
    fn was_expected(&mut self, action: &Action) -> bool {
        let found = self.expected.iter().position(|expected| expected == action);
        found.map(|place| self.expected.remove(place)).is_some()
    }

    fn obey(&mut self, actions: Vec<Action>, begins: bool) {
        for action in actions {
            assert!(!self.finished, "the finish is the last action");
            match action {
                Action::Start(Who(who)) => self.obey_start(who),
                Action::StartApart(Who(who)) => {
                    assert!(self.cause.is_none(), "nothing starts again after the cause");
                    assert!(self.all[who].refused, "{who} starts again and was not refused");
                    self.all[who].refused = false;
                    assert_eq!(self.all[who].thread, Thread::Done, "one thread a component");
                    self.all[who].thread = Thread::Begun;
                    self.seen.note("a cgroup that is refused", true);
                }
                Action::Restart(Who(who), _) => {
                    assert!(self.was_expected(&action), "{action:?} of {:?}", self.all[who]);
                    self.all[who].rests += 1;
                    self.seen.note("a restart", true);
                }
                Action::Halt(Who(who)) => {
                    assert!(self.was_expected(&action), "{action:?} of {:?}", self.all[who]);
                    self.all[who].halts += 1;
                }
                Action::Probe(_) => assert!(self.was_expected(&action), "{action:?}"),
                Action::Limit { who: Who(who), on: Who(on), .. } => {
                    assert!(self.was_expected(&action), "{action:?}");
                    self.all[who].limits.push(on);
                }
                Action::Tell(..) | Action::Forward(..) => {}
                Action::Cancel(Who(who)) => {
                    assert!(self.cause.is_some() && self.all[who].pulling, "only pulls of an ending pod are cancelled");
                    self.all[who].cancels += 1;
                    if self.all[who].thread == Thread::Pulling {
                        self.all[who].thread = Thread::Cancelled;
                        self.seen.note("a pull that is cancelled", true);
                    }
                }
                Action::Stop(Who(who)) => self.obey_stop(who),
                Action::Remove(Who(who)) => self.obey_remove(who, &action),
                Action::Publish(health) => {
                    assert_ne!(self.published, Some(health), "only news is published");
                    self.published = Some(health);
                }
                Action::Deadline(time) => self.obey_deadline(time, begins),
                Action::Finish => self.finished = true,
            }
        }
    }

    fn obey_start(&mut self, who: usize) {
        assert!(self.cause.is_none(), "nothing starts after the cause");
        let unmet = self.waits(who).find(|need| !self.is_met(*need));
        let vanished = self.was_expected(&Action::Start(Who(who)));
        assert!(vanished || unmet.is_none(), "{who} starts without {unmet:?}");
        assert!(vanished || self.is_waiting(who), "{who} does not wait for a start: {:?}", self.all[who]);
        let it = &mut self.all[who];
        assert!(matches!(it.thread, Thread::None | Thread::Done), "one thread a component");
        it.starts += 1;
        it.phase = Phase::Starting;
        it.ended = false;
        it.failed = false;
        it.again &= vanished;
        it.pulling = false;
        it.thread = if it.known { Thread::Again } else { Thread::Begun };
    }

    fn obey_stop(&mut self, who: usize) {
        assert!(self.cause.is_some(), "nothing is stopped for good while the pod goes on");
        assert!(self.all[who].known, "only what is there can be stopped");
        assert!(!self.all[who].ended || self.all[who].failed, "{who} ended by itself and needs no stop");
        assert!(!self.forced, "no grace when time is up");
        let lost = self.all[who].failed || self.all[who].refused;
        assert!(lost || !self.must_stay(who), "{who} stops before those that need it");
        let others = self.needs_on(who).any(|(_, need)| !need.lent);
        self.seen.note("a component that stops after others", others && !lost);
        let it = &mut self.all[who];
        it.stops += 1;
        assert_eq!(it.stops, 1, "each is stopped once");
        it.phase = Phase::Leaving;
        it.leaving += 1;
    }

    fn obey_remove(&mut self, who: usize, action: &Action) {
        let expected = self.was_expected(action);
        let it = &mut self.all[who];
        let between = matches!(it.phase, Phase::Waiting | Phase::Resting) && it.lived;
        let nothing_to_stop = if it.failed || it.refused { !it.known } else { it.ended };
        assert!(expected || nothing_to_stop || between || self.forced, "{who} is removed without grace");
        it.phase = Phase::Leaving;
        it.removes += 1;
        it.leaving += 1;
    }

    fn obey_deadline(&mut self, time: Duration, begins: bool) {
        if begins && self.wanted {
            let second = Duration::from_secs(1);
            assert_eq!(time, self.plan.budget.saturating_sub(second), "the end has the time that it was given");
        } else if begins {
            let longest = (0..self.all.len()).map(|who| self.longest_chain(who)).max().expect("a component");
            assert!(time > longest, "the end has time for the graces of those that stop one after the other");
        }
        self.deadline = Some(time);
    }

    fn hold_rules(&mut self) {
        if self.cause.is_none() {
            for who in 0..self.all.len() {
                let met = self.waits(who).all(|need| self.is_met(need));
                assert!(!met || !self.is_waiting(who), "{who} has all it needs and is not started");
                let hopeless = |need: &Need| need.until == Until::Healthy && self.all[need.on].done;
                assert!(!self.is_waiting(who) || !self.waits(who).any(|need| hopeless(&need)), "{who} waits for ever");
                let it = &self.all[who];
                assert!(it.phase != Phase::Resting || it.rests > 0 || !self.inbox.is_empty(), "{who} rests for ever");
                assert!(!it.done || it.removes > 0, "{who} has ended and is not removed");
            }
            assert!(self.all.iter().all(|it| !it.refused), "what was refused starts again");
            let health = self.health();
            assert_eq!(self.published, Some(health), "the health is published");
        } else {
            assert!(self.deadline.is_some() || self.finished, "the end has a deadline");
            let gone = |who: usize| self.all[who].starts == 0 || self.all[who].phase == Phase::Gone;
            let all_gone = (0..self.all.len()).all(|who| gone(who) && !self.is_awaited(who));
            assert!(self.finished || !all_gone, "everything is gone, and the pod does not finish");
            for (who, it) in self.all.iter().enumerate() {
                let is_there = (it.known || it.failed || it.refused) && it.starts > 0;
                let left_alone = is_there && it.stops + it.removes == 0 && !self.must_stay(who);
                assert!(!left_alone || self.finished, "{who} may be there, and nobody stops it: {it:?}");
                let between = it.lived && matches!(it.phase, Phase::Waiting | Phase::Resting);
                let forgotten = between && it.stops + it.removes == 0;
                assert!(!forgotten || self.finished, "{who} was there, and nobody removes it: {it:?}");
                assert!(!it.pulling || it.cancels > 0 || it.failed, "the pull of {who} is not cancelled");
                let stays = it.known && !matches!(it.phase, Phase::Leaving | Phase::Gone);
                assert!(!(self.forced && stays) || self.finished, "time is up, and {who} is left alone");
            }
        }
        assert!(self.finished || !self.given_up, "what hangs for ever is left to the engine");
        if self.finished {
            assert!(self.cause.is_some(), "a pod ends for a cause");
            if !self.given_up {
                for (who, it) in self.all.iter().enumerate() {
                    assert!(!it.exists, "the container of {who} is left behind");
                    assert!(it.starts == 0 || it.phase == Phase::Gone, "{who} may still be at work");
                    assert!(!self.is_awaited(who), "the leader is about to tell its code");
                }
            }
        }
    }

    /// One of the moves that the world can make now.
    fn moved(&mut self) -> bool {
        let mut moves: Vec<(usize, usize)> = Vec::new();
        for (who, it) in self.all.iter().enumerate() {
            let at_work = !matches!(it.thread, Thread::None | Thread::Done);
            let can = [at_work, it.leaving > 0, it.halts > 0, it.rests > 0, !it.limits.is_empty(), it.exists];
            moves.extend(can.into_iter().enumerate().filter(|(_, can)| *can).map(|(what, _)| (who, what)));
        }
        if moves.is_empty() {
            return false;
        }
        let (who, what) = moves[self.dice.roll(moves.len())];
        match what {
            0 => self.live(who),
            1 => {
                // A stop or a removal gets done. The thread learns of the end of its container in its own time.
                let it = &mut self.all[who];
                // Without an id it cannot be seen whether a create is still to come.
                it.exists = false;
                it.runs = false;
                it.leaving -= 1;
                self.inbox.push_back(Event::Stopped(Who(who)));
            }
            2 => {
                self.all[who].halts -= 1;
                self.all[who].runs = false;
            }
            3 => {
                self.all[who].rests -= 1;
                // The end of the pod ends it without a word.
                if self.deadline.is_none() || self.dice.one_in(10) {
                    self.inbox.push_back(Event::Rested(Who(who)));
                }
            }
            4 if self.dice.one_in(4) => {
                let on = Who(self.all[who].limits.swap_remove(0));
                self.inbox.push_back(Event::Late { who: Who(who), on });
            }
            // Somebody removes it while it rests.
            5 if !self.all[who].runs && self.all[who].phase == Phase::Resting && self.dice.one_in(4) => {
                self.all[who].exists = false;
            }
            _ => {}
        }
        true
    }

    fn live(&mut self, who: usize) {
        let failed = || Event::Failed(Who(who), Error::NoHealthCheck { on: String::new() });
        let (thread, event) = match self.all[who].thread {
            // Only what is planned can be refused, and not what follows.
            Thread::Creating | Thread::Created if !self.all[who].misplaced && self.dice.one_in(12) => {
                self.all[who].misplaced = true;
                (Thread::Done, Some(Event::Misplaced(Who(who), Error::Over)))
            }
            Thread::Begun if self.all[who].exists => {
                // What is left of an earlier try goes first.
                self.all[who].exists = false;
                (Thread::Begun, None)
            }
            Thread::Again if !self.all[who].exists => (Thread::Done, Some(Event::Vanished(Who(who)))),
            Thread::Again if self.dice.one_in(2) => (Thread::Again, None),
            // The one whose namespace it joins has ended.
            Thread::Again if self.all[who].again => (Thread::Done, Some(failed())),
            Thread::Again | Thread::Pulling if self.dice.one_in(8) => (Thread::Done, Some(failed())),
            Thread::Begun if self.dice.one_in(3) => (Thread::Pulling, Some(Event::Pulling(Who(who)))),
            Thread::Begun | Thread::Pulling => (Thread::Creating, None),
            Thread::Cancelled => (Thread::Done, Some(failed())),
            Thread::Creating => {
                // One that fails may have made a container all the same.
                self.all[who].exists = !self.dice.one_in(20);
                if self.dice.one_in(12) {
                    (Thread::Done, Some(failed()))
                } else {
                    self.all[who].exists = true;
                    (Thread::Created, Some(Event::Created { who: Who(who), id: who.to_string() }))
                }
            }
            Thread::Created if !self.all[who].exists || self.dice.one_in(12) => (Thread::Done, Some(failed())),
            Thread::Created | Thread::Again => {
                let checked = self.all[who].checked;
                self.all[who].runs = true;
                if checked && self.dice.one_in(10) {
                    self.inbox.push_back(Event::Health(who.to_string(), Health::Healthy));
                }
                (Thread::Running, Some(Event::Started { who: Who(who), checked }))
            }
            Thread::Running if !self.all[who].runs => {
                let code = i64::from(!self.dice.one_in(4)) * 137;
                self.end_life(who, Event::Exited(Who(who), code))
            }
            Thread::Running => self.run(who),
            same => (same, None),
        };
        self.all[who].thread = thread;
        self.inbox.extend(event);
    }

    /// What a component does that runs.
    fn run(&mut self, who: usize) -> (Thread, Option<Event>) {
        let planned = &self.plan.components[who];
        let (watched, probed) = (planned.probes.liveness.is_some(), planned.probes.readiness.is_some());
        if self.all[who].checked && self.dice.one_in(3) {
            let health = [Health::Healthy, Health::Healthy, Health::Unhealthy][self.dice.roll(3)];
            return (Thread::Running, Some(Event::Health(who.to_string(), health)));
        }
        if probed && self.dice.one_in(2) {
            return (Thread::Running, Some(Event::Ready(Who(who), !self.dice.one_in(4))));
        }
        if watched && self.dice.one_in(8) {
            return (Thread::Running, Some(Event::Dead(Who(who), "a test".to_owned())));
        }
        if self.dice.one_in(6) {
            // The engine may or may not remove it by itself.
            self.all[who].exists = !self.dice.one_in(3);
            self.all[who].runs = false;
            let code = if self.is_finite(who) && !self.dice.one_in(2) { 0 } else { self.dice.roll(3) };
            return self.end_life(who, Event::Exited(Who(who), i64::try_from(code).expect("small")));
        }
        if self.dice.one_in(30) {
            let error = Error::NoHealthCheck { on: String::new() };
            return self.end_life(who, Event::Failed(Who(who), error));
        }
        (Thread::Running, None)
    }

    fn end_life(&mut self, who: usize, event: Event) -> (Thread, Option<Event>) {
        let long = self.dice.one_in(4);
        let time = if long { RESET } else { Duration::from_secs(1) };
        self.inbox.push_back(Event::Ran(Who(who), time));
        (Thread::Done, Some(event))
    }

    fn walk(mut self, seed: u64) {
        let first = self.machine.begin();
        self.obey(first, false);
        self.hold_rules();
        for step in 0.. {
            if self.finished {
                break;
            }
            let late = step > 400;
            match self.dice.roll(40) {
                0 => self.inbox.push_back(Event::Signal(HUP)),
                1 if late || self.dice.one_in(6) => self.inbox.push_back(Event::Signal(TERM)),
                2 if self.dice.one_in(12) => self.inbox.push_back(Event::Crashed("a test".to_owned())),
                3 if self.deadline.is_some() && (late || self.dice.one_in(3)) => self.inbox.push_back(Event::Deadline),
                4..=21 => {
                    if let Some(event) = self.inbox.pop_front() {
                        self.deliver(event);
                    }
                }
                _ => {
                    self.moved();
                }
            }
            assert!(step < 4000, "seed {seed}: the pod does not end");
        }
        for event in self.inbox.drain(..).chain([Event::Signal(HUP), Event::Signal(TERM), Event::Deadline]) {
            let actions = self.machine.step(event);
            assert!(actions.is_empty(), "something happens after the finish: {actions:?}");
        }
        let end = self.machine.into_end().expect("a cause");
        let why = match end.cause {
            Cause::Exited(Who(who), code) => Why::Exited(who, code),
            Cause::Failed(Who(who), _) => Why::Failed(who),
            Cause::Signal(signal) => Why::Signal(signal),
            Cause::Crashed(_) => Why::Crashed,
        };
        assert_eq!(Some(why), self.cause, "the first cause wins");
        assert_eq!(end.forced, self.forced);
        let leader = self.plan.components.iter().position(|planned| planned.leader);
        let code = leader.and_then(|leader| Some((Who(leader), self.all[leader].code?)));
        assert_eq!(end.leader, code, "the leader's code is told");
        self.seen.note("a leader's code", code.is_some());
    }
}

#[test]
fn the_machine_keeps_its_rules_in_every_imagined_world() {
    let mut seen = Seen::default();
    for seed in 1..=30_000 {
        let world = World::new(seed, &mut seen);
        let walk = std::panic::AssertUnwindSafe(|| world.walk(seed));
        if let Err(panic) = std::panic::catch_unwind(walk) {
            let why = panic.downcast_ref::<String>().map(String::as_str);
            panic!("seed {seed}: {}", why.or(panic.downcast_ref().copied()).unwrap_or("panicked"));
        }
    }
    // A world that is too small proves nothing.
    assert_eq!(seen.0.len(), 23, "{:#?}", seen.0);
    for (what, count) in seen.0 {
        assert!(count > 100, "{what} was seen only {count} times");
    }
}
