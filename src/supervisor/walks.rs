//! Long seeded random walks of the machine through imagined worlds.
//!
//! A world has the truth about its containers and threads, makes the moves that a real one could make, in any order, and
//! delivers what they report through an inbox, as late as it likes. After every step the rules of the machine are held
//! against the world's own account of what was reported. `tests/mutants.rs` breaks the machine rule by rule and requires
//! that a walk goes red.

use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::types::CreateRequest;
use crate::health::Health;
use crate::pod::{Need, Planned, Until};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thread {
    None,
    Begun,
    Pulling,
    Cancelled,
    Creating,
    Created,
    Running,
    Done,
}

/// The truth about a component, and what was reported of it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
struct Imagined {
    thread: Thread,
    /// Whether there is a container, whoever knows of it.
    exists: bool,
    checked: bool,
    /// Stops and removals under way.
    leaving: usize,
    starts: usize,
    /// Whether the engine refuses the place of its container, at most once.
    misplaced: bool,
    /// Reported: it is misplaced, and nothing was done about it.
    refused: bool,
    stops: usize,
    removes: usize,
    cancels: usize,
    /// Reported: the image is being pulled.
    pulling: bool,
    /// Reported: there is a container.
    known: bool,
    started: bool,
    exit_code: Option<i64>,
    failed: bool,
    stopped: bool,
    health: Option<Health>,
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
struct Seen {
    signal_amid_starts: usize,
    created_late: usize,
    pulls_cancelled: usize,
    forced: usize,
    given_up: usize,
    finite: usize,
    unhealthy_needs: usize,
    forwarded: usize,
    misplaced: usize,
    misplaced_late: usize,
}

struct World<'a> {
    dice: Dice,
    plan: Vec<Planned>,
    machine: Machine,
    all: Vec<Imagined>,
    inbox: VecDeque<Event>,
    cause: Option<Why>,
    /// When the deadline was last set, and how often it has struck.
    deadline: Option<Duration>,
    forced: bool,
    given_up: bool,
    finished: bool,
    published: Option<Health>,
    seen: &'a mut Seen,
}

fn planned(position: usize, needs: Vec<Need>, grace: u64) -> Planned {
    let container = format!("pod.podlike.c{position}");
    let planned = Planned::new(&format!("c{position}"), container, CreateRequest::default());
    Planned { needs, grace: Duration::from_secs(grace), ..planned }
}

impl<'a> World<'a> {
    fn new(number: u64, seen: &'a mut Seen) -> Self {
        let mut dice = Dice::new(number);
        let size = 1 + dice.roll(6);
        let plan: Vec<_> = (0..size)
            .map(|position| {
                let untils = [Until::Started, Until::Healthy, Until::Succeeded];
                let mut needs = Vec::new();
                for on in 0..position {
                    if dice.one_in(4) {
                        needs.push(Need { on, until: untils[dice.roll(3)] });
                    }
                }
                planned(position, needs, dice.roll(30) as u64)
            })
            .collect();
        let all = (0..size)
            .map(|_| Imagined {
                thread: Thread::None,
                exists: false,
                checked: !dice.one_in(3),
                leaving: 0,
                starts: 0,
                misplaced: false,
                refused: false,
                stops: 0,
                removes: 0,
                cancels: 0,
                pulling: false,
                known: false,
                started: false,
                exit_code: None,
                failed: false,
                stopped: false,
                health: None,
            })
            .collect();
        let machine = Machine::new(&plan);
        Self {
            dice,
            plan,
            machine,
            all,
            inbox: VecDeque::new(),
            cause: None,
            deadline: None,
            forced: false,
            given_up: false,
            finished: false,
            published: None,
            seen,
        }
    }

    fn is_finite(&self, who: usize) -> bool {
        let need = Need { on: who, until: Until::Succeeded };
        self.plan.iter().any(|planned| planned.needs.contains(&need))
    }

    fn is_met(&self, need: Need) -> bool {
        let on = &self.all[need.on];
        match need.until {
            Until::Started => on.started && !on.failed,
            Until::Healthy => self.runs(need.on) && on.health == Some(Health::Healthy),
            Until::Succeeded => on.exit_code == Some(0),
        }
    }

    /// As far as was reported.
    fn runs(&self, who: usize) -> bool {
        let it = &self.all[who];
        it.started && it.exit_code.is_none() && !it.failed && !it.stopped
    }

    fn waiting_for_health_of(&self, who: usize) -> Option<usize> {
        let need = Need { on: who, until: Until::Healthy };
        (0..self.plan.len()).find(|other| self.all[*other].starts == 0 && self.plan[*other].needs.contains(&need))
    }

    fn lowest_health(&self) -> Health {
        let mut lowest = Health::Healthy;
        for (who, it) in self.all.iter().enumerate() {
            if !it.started && !it.failed {
                lowest = lowest.min(Health::Starting);
            }
            if it.known && (self.runs(who) || !it.started) {
                lowest = lowest.min(it.health.unwrap_or(Health::Healthy));
            }
        }
        lowest
    }

    /// Takes note of what is about to be reported, and of the cause that it may be.
    fn note(&mut self, event: &Event) {
        let why = match *event {
            Event::Pulling(Who(who)) => {
                self.all[who].pulling = true;
                None
            }
            Event::Created { who: Who(who), .. } => {
                let it = &mut self.all[who];
                it.known = true;
                it.pulling = false;
                if self.cause.is_some() {
                    self.seen.created_late += 1;
                }
                None
            }
            Event::Started { who: Who(who), checked } => {
                let waiting = self.waiting_for_health_of(who);
                let it = &mut self.all[who];
                it.started = true;
                let counts = it.stops + it.removes == 0;
                if checked && counts {
                    it.health.get_or_insert(Health::Starting);
                }
                waiting.filter(|_| !checked && counts).map(Why::Failed)
            }
            Event::Exited(Who(who), code) => {
                self.all[who].exit_code = Some(code);
                let goes_on = code == 0 && self.is_finite(who);
                self.seen.finite += usize::from(goes_on);
                match self.waiting_for_health_of(who) {
                    _ if !goes_on => Some(Why::Exited(who, code)),
                    waiting => waiting.map(Why::Failed),
                }
            }
            Event::Failed(Who(who), _) => {
                self.all[who].failed = true;
                Some(Why::Failed(who))
            }
            Event::Misplaced(Who(who), _) => {
                match self.cause {
                    None => self.all[who].known = false,
                    Some(_) => self.seen.misplaced_late += 1,
                }
                self.all[who].refused = true;
                None
            }
            Event::Health(ref id, health) => {
                let who: usize = id.parse().expect("ids are positions here");
                let it = &mut self.all[who];
                let alive = it.exit_code.is_none() && !it.failed && !it.stopped && it.stops + it.removes == 0;
                if alive {
                    it.health = Some(health);
                }
                let waiting = self.waiting_for_health_of(who);
                waiting.filter(|_| alive && health == Health::Unhealthy).map(|waiting| {
                    self.seen.unhealthy_needs += usize::from(self.cause.is_none());
                    Why::Failed(waiting)
                })
            }
            Event::Stopped(Who(who)) => {
                self.all[who].stopped = true;
                None
            }
            Event::Signal(signal) => ends(signal).then_some(Why::Signal(signal)),
            Event::Crashed(_) => Some(Why::Crashed),
            Event::Deadline | Event::Oom(_) => None,
        };
        let starting = self.all.iter().filter(|it| it.starts > 0 && !it.started && !it.failed).count();
        if matches!(why, Some(Why::Signal(_))) && self.cause.is_none() && starting > 1 {
            self.seen.signal_amid_starts += 1;
        }
        if self.cause.is_none() {
            self.cause = why;
        }
    }

    fn deliver(&mut self, event: Event) {
        let had_cause = self.cause.is_some();
        let struck = matches!(event, Event::Deadline);
        let again = had_cause && matches!(event, Event::Signal(signal) if ends(signal));
        let hup = matches!(event, Event::Signal(HUP));
        let unsettled: Vec<usize> = (0..self.all.len())
            .filter(|who| {
                let it = &self.all[*who];
                it.known && !it.stopped && it.stops + it.removes > 0
            })
            .collect();
        self.note(&event);
        let actions = self.machine.step(event);
        let mut forwarded = Vec::new();
        let forcing = (struck || again) && had_cause && !self.forced;
        for action in &actions {
            if let Action::Forward(Who(who), signal) = action {
                assert_eq!(*signal, HUP);
                forwarded.push(*who);
            }
        }
        if hup {
            let running: Vec<usize> = (0..self.all.len())
                .filter(|who| self.runs(*who) && self.all[*who].stops + self.all[*who].removes == 0)
                .collect();
            assert_eq!(forwarded, running, "a signal is forwarded to all that run");
            self.seen.forwarded += forwarded.len();
        } else {
            assert!(forwarded.is_empty(), "nothing to forward");
        }
        if forcing {
            self.forced = true;
            self.seen.forced += 1;
            for who in unsettled {
                let removed = actions.contains(&Action::Remove(Who(who)));
                assert!(removed || self.all[who].stopped, "time is up: {who} is removed by force");
            }
        } else if struck && self.forced {
            self.given_up = true;
            self.seen.given_up += 1;
        }
        self.obey(actions, had_cause);
        self.hold_rules();
    }

    fn obey(&mut self, actions: Vec<Action>, had_cause: bool) {
        for action in actions {
            assert!(!self.finished, "the finish is the last action");
            match action {
                Action::Start(Who(who)) => {
                    assert!(self.cause.is_none(), "nothing starts after the cause");
                    let unmet = self.plan[who].needs.iter().find(|need| !self.is_met(**need));
                    assert!(unmet.is_none(), "{who} starts without {unmet:?}");
                    self.all[who].starts += 1;
                    assert_eq!(self.all[who].starts, 1, "each starts once");
                    self.all[who].thread = Thread::Begun;
                }
                Action::StartApart(Who(who)) => {
                    assert!(self.cause.is_none(), "nothing starts again after the cause");
                    assert!(self.all[who].refused, "{who} starts again and was not refused");
                    self.all[who].refused = false;
                    assert_eq!(self.all[who].thread, Thread::Done, "one thread a component");
                    self.all[who].thread = Thread::Begun;
                    self.seen.misplaced += 1;
                }
                Action::Cancel(Who(who)) => {
                    assert!(self.cause.is_some() && self.all[who].pulling, "only pulls of an ending pod are cancelled");
                    self.all[who].cancels += 1;
                    if self.all[who].thread == Thread::Pulling {
                        self.all[who].thread = Thread::Cancelled;
                        self.seen.pulls_cancelled += 1;
                    }
                }
                Action::Stop(Who(who)) => {
                    assert!(self.cause.is_some(), "nothing is stopped while the pod goes on");
                    assert!(self.all[who].known, "only what is there can be stopped");
                    assert!(self.all[who].exit_code.is_none(), "{who} ended by itself and needs no stop");
                    assert!(!self.forced, "no grace when time is up");
                    self.all[who].stops += 1;
                    assert_eq!(self.all[who].stops, 1, "each is stopped once");
                    self.all[who].leaving += 1;
                }
                Action::Remove(Who(who)) => {
                    let it = &mut self.all[who];
                    let nothing_to_stop = it.exit_code.is_some() || ((it.failed || it.refused) && !it.known);
                    assert!(nothing_to_stop || self.forced, "{who} is removed without grace");
                    it.removes += 1;
                    it.leaving += 1;
                }
                Action::Forward(..) => {}
                Action::Publish(health) => {
                    assert_ne!(self.published, Some(health), "only news is published");
                    self.published = Some(health);
                }
                Action::Deadline(time) => {
                    if !had_cause {
                        let alive =
                            |it: &&(usize, &Imagined)| it.1.starts > 0 && it.1.exit_code.is_none() && !it.1.failed;
                        let all: Vec<_> = self.all.iter().enumerate().collect();
                        let longest = all.iter().filter(alive).map(|(who, _)| self.plan[*who].grace).max();
                        assert!(time > longest.unwrap_or_default(), "the end has time for the longest grace");
                    }
                    self.deadline = Some(time);
                }
                Action::Finish => self.finished = true,
            }
        }
    }

    fn hold_rules(&mut self) {
        if self.cause.is_none() {
            for (who, planned) in self.plan.iter().enumerate() {
                let met = planned.needs.iter().all(|need| self.is_met(*need));
                assert!(!met || self.all[who].starts > 0, "{who} has all it needs and is not started");
                let waits = self.all[who].starts == 0;
                let hopeless = |need: &Need| need.until == Until::Healthy && self.all[need.on].exit_code.is_some();
                assert!(!waits || !planned.needs.iter().any(hopeless), "{who} waits for ever");
            }
            assert!(self.all.iter().all(|it| !it.refused), "what was refused starts again");
            assert_eq!(self.published, Some(self.lowest_health()), "the lowest health is published");
        } else {
            assert!(self.deadline.is_some() || self.finished, "the end has a deadline");
            let all_gone = self.all.iter().all(|it| it.starts == 0 || it.stopped);
            assert!(self.finished || !all_gone, "everything is gone, and the pod does not finish");
            for (who, it) in self.all.iter().enumerate() {
                let left_alone = (it.known || it.failed || it.refused) && it.stops + it.removes == 0 && it.starts > 0;
                assert!(!left_alone || self.finished, "{who} may be there, and nobody stops it");
                assert!(!it.pulling || it.cancels > 0 || it.failed, "the pull of {who} is not cancelled");
            }
        }
        assert!(self.finished || !self.given_up, "what hangs for ever is left to the engine");
        if self.finished {
            assert!(self.cause.is_some(), "a pod ends for a cause");
            if !self.given_up {
                for (who, it) in self.all.iter().enumerate() {
                    assert!(!it.exists, "the container of {who} is left behind");
                    assert!(it.starts == 0 || it.stopped, "{who} may still be at work");
                }
            }
        }
    }

    /// One of the moves that the world can make now.
    fn moved(&mut self) -> bool {
        let mut moves: Vec<(usize, bool)> = Vec::new();
        for (who, it) in self.all.iter().enumerate() {
            if !matches!(it.thread, Thread::None | Thread::Done) {
                moves.push((who, false));
            }
            if it.leaving > 0 {
                moves.push((who, true));
            }
        }
        if moves.is_empty() {
            return false;
        }
        let (who, leaves) = moves[self.dice.roll(moves.len())];
        if leaves {
            self.leave(who);
        } else {
            self.live(who);
        }
        true
    }

    /// A stop or a removal gets done. The thread learns of the end of its container in its own time.
    fn leave(&mut self, who: usize) {
        let it = &mut self.all[who];
        // Without an id it cannot be seen whether a create is still to come.
        it.exists = false;
        it.leaving -= 1;
        self.inbox.push_back(Event::Stopped(Who(who)));
    }

    fn live(&mut self, who: usize) {
        let failed = || Event::Failed(Who(who), Error::NoHealthCheck { on: String::new() });
        let (thread, event) = match self.all[who].thread {
            // Only what is planned can be refused, and not what follows.
            Thread::Creating | Thread::Created if !self.all[who].misplaced && self.dice.one_in(12) => {
                self.all[who].misplaced = true;
                (Thread::Done, Some(Event::Misplaced(Who(who), Error::Over)))
            }
            Thread::Begun if self.all[who].misplaced && self.all[who].exists => {
                self.all[who].exists = false;
                (Thread::Begun, None)
            }
            Thread::Begun if self.dice.one_in(3) => (Thread::Pulling, Some(Event::Pulling(Who(who)))),
            Thread::Pulling if self.dice.one_in(8) => (Thread::Done, Some(failed())),
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
            Thread::Created => {
                let checked = self.all[who].checked;
                if checked && self.dice.one_in(10) {
                    self.inbox.push_back(Event::Health(who.to_string(), Health::Healthy));
                }
                (Thread::Running, Some(Event::Started { who: Who(who), checked }))
            }
            Thread::Running if !self.all[who].exists => (Thread::Done, Some(Event::Exited(Who(who), 137))),
            Thread::Running if self.all[who].checked && self.dice.one_in(2) => {
                let health = [Health::Healthy, Health::Healthy, Health::Unhealthy][self.dice.roll(3)];
                (Thread::Running, Some(Event::Health(who.to_string(), health)))
            }
            Thread::Running if self.dice.one_in(6) => {
                // The engine may or may not remove it by itself.
                self.all[who].exists = self.dice.one_in(2);
                let code = if self.is_finite(who) && !self.dice.one_in(5) { 0 } else { self.dice.roll(3) };
                (Thread::Done, Some(Event::Exited(Who(who), i64::try_from(code).expect("small"))))
            }
            Thread::Running if self.dice.one_in(30) => (Thread::Done, Some(failed())),
            same => (same, None),
        };
        self.all[who].thread = thread;
        self.inbox.extend(event);
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
                1 if late || self.dice.one_in(3) => self.inbox.push_back(Event::Signal(TERM)),
                2 if self.dice.one_in(12) => self.inbox.push_back(Event::Crashed("a test".to_owned())),
                3 if self.deadline.is_some() && (late || self.dice.one_in(8)) => self.inbox.push_back(Event::Deadline),
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
    }
}

#[test]
fn the_machine_keeps_its_rules_in_every_imagined_world() {
    let mut seen = Seen::default();
    for seed in 1..=30_000 {
        let world = World::new(seed, &mut seen);
        let walk = std::panic::AssertUnwindSafe(|| world.walk(seed));
        if let Err(panic) = std::panic::catch_unwind(walk) {
            panic!("seed {seed}: {}", super::crew::message(panic.as_ref()));
        }
    }
    // A world that is too small proves nothing.
    for (what, count) in [
        ("a signal while several components start", seen.signal_amid_starts),
        ("a container that appears after the cause", seen.created_late),
        ("a pull that is cancelled", seen.pulls_cancelled),
        ("an end by force", seen.forced),
        ("an end that is given up", seen.given_up),
        ("a component that may end", seen.finite),
        ("a need that turns unhealthy", seen.unhealthy_needs),
        ("a signal that is forwarded", seen.forwarded),
        ("a cgroup that is refused", seen.misplaced),
        ("a cgroup that is refused after the cause", seen.misplaced_late),
    ] {
        assert!(count > 100, "{what} was seen only {count} times");
    }
}
