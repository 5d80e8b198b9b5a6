//! The probes of a component: a thread that asks, and the pure state that makes verdicts of the answers. The rules are the
//! kubelet's: until the startup probe has passed, no other one is asked; so many failures in a row count, and one success.
//!
//! ```text
//! Started ─▶ Action::Probe ─▶ Probers ── life ──▶ probe/NAME: ask ─▶ outcome ─▶ Probing ─▶ Verdict ─▶ inbox
//! its end ─▶ any other action about it ── end ──▶    └──── waits for what is due, or its end ────┘
//! ```

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, never, unbounded};

use crate::engine::types::ExecRequest;
use crate::pod::{Check, HttpCheck, Probe, Probes};
use crate::probe::{Get, Place};

use super::component::Component;
use super::event::{Action, Event, Who};
use super::exec::{Exec, Outcome};

/// What a probe is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Startup,
    Liveness,
    Readiness,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Startup, Self::Liveness, Self::Readiness];

    fn name(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
        }
    }

    fn of(self, probes: &Probes) -> Option<&Probe> {
        match self {
            Self::Startup => probes.startup.as_ref(),
            Self::Liveness => probes.liveness.as_ref(),
            Self::Readiness => probes.readiness.as_ref(),
        }
    }
}

/// What the answers of a life come to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// Whether it is ready has changed, or was not known; with the reason why it is not.
    Ready(Result<(), String>),
    /// It must be restarted.
    Dead(String),
}

/// The state of one probe.
#[derive(Debug)]
struct Asked<'a> {
    kind: Kind,
    probe: &'a Probe,
    /// When it is asked next, since the start of the life.
    due: Duration,
    /// In a row.
    failures: u32,
    /// From then on failures count in the start period, too.
    passed: bool,
}

/// What the answers of one life have come to so far. Times are those since its start.
#[derive(Debug)]
struct Probing<'a> {
    asked: Vec<Asked<'a>>,
    started: bool,
    ready: Option<bool>,
    dead: bool,
}

impl<'a> Probing<'a> {
    fn new(probes: &'a Probes) -> Self {
        let asked = |kind: Kind| {
            let probe = kind.of(probes)?;
            Some(Asked { kind, probe, due: Duration::ZERO, failures: 0, passed: false })
        };
        let asked: Vec<_> = Kind::ALL.into_iter().filter_map(asked).collect();
        Self { asked, started: probes.startup.is_none(), ready: None, dead: false }
    }

    /// What is asked next, and when; nothing where all is said.
    fn next(&self) -> Option<(Kind, Duration)> {
        let open = |asked: &&Asked<'_>| !self.dead && (asked.kind == Kind::Startup) != self.started;
        self.asked.iter().filter(open).map(|asked| (asked.kind, asked.due)).min_by_key(|(_, due)| *due)
    }

    /// Takes in an answer to what was asked at `begun` and answered at `now`.
    fn outcome(&mut self, kind: Kind, begun: Duration, now: Duration, answer: Result<(), String>) -> Option<Verdict> {
        let decides = kind == Kind::Readiness || !self.asked.iter().any(|asked| asked.kind == Kind::Readiness);
        let asked = self.asked.iter_mut().find(|asked| asked.kind == kind)?;
        asked.due = (begun + asked.probe.interval).max(now);
        let why = match answer {
            Ok(()) => {
                (asked.failures, asked.passed) = (0, true);
                if kind == Kind::Startup {
                    self.start(now);
                }
                let tells = decides && kind != Kind::Liveness;
                return if tells { self.changes_to(Ok(())) } else { None };
            }
            Err(why) => why,
        };
        if !asked.passed && now < asked.probe.start_period {
            return None;
        }
        asked.failures += 1;
        if asked.failures < asked.probe.retries {
            return None;
        }
        let times = match asked.failures {
            1 => "failed".to_owned(),
            failures => format!("failed {failures} times in a row"),
        };
        let why = format!("the {} probe {times}: {}: {why}", kind.name(), asked.probe.check);
        if kind == Kind::Readiness {
            return self.changes_to(Err(why));
        }
        self.dead = true;
        Some(Verdict::Dead(why))
    }

    /// The others are asked from now on.
    fn start(&mut self, now: Duration) {
        self.started = true;
        for asked in &mut self.asked {
            asked.due = asked.due.max(now);
        }
    }

    fn changes_to(&mut self, ready: Result<(), String>) -> Option<Verdict> {
        let before = self.ready.replace(ready.is_ok());
        (before != Some(ready.is_ok())).then_some(Verdict::Ready(ready))
    }
}

/// A life that is to be probed, or the end of one.
type Life = Option<String>;

/// The threads that ask, one a component at most.
#[derive(Debug, Default)]
pub(super) struct Probers {
    lives: BTreeMap<Who, Sender<Life>>,
}

impl Probers {
    /// Begins to ask after a start, and leaves it with whatever else is done about a component. `spawn` starts the thread of
    /// one that has none yet.
    pub(super) fn heed(&mut self, action: &Action, id: Option<String>, spawn: impl FnOnce(Who, Receiver<Life>)) {
        let (who, life) = match *action {
            Action::Probe(who) => (who, id),
            Action::Halt(who) | Action::Restart(who, _) | Action::Stop(who) | Action::Remove(who) => (who, None),
            _ => return,
        };
        if let Some(lives) = self.lives.get(&who) {
            // It listens until we hang up.
            let _ = lives.send(life);
        } else if life.is_some() {
            let (lives, told) = unbounded();
            let _ = lives.send(life);
            spawn(who, told);
            self.lives.insert(who, lives);
        }
    }
}

impl Component {
    /// Asks, life by life, until nobody tells of another one.
    pub(super) fn probe_all(&self, lives: &Receiver<Life>) {
        let mut told = lives.recv();
        while let Ok(life) = told {
            told = match life {
                Some(id) => self.probe(&id, lives),
                None => lives.recv(),
            };
        }
    }

    /// Asks as long as a life lasts; returns what comes after it.
    fn probe(&self, id: &str, lives: &Receiver<Life>) -> Result<Life, crossbeam_channel::RecvError> {
        let begun = Instant::now();
        let mut probing = Probing::new(&self.planned.probes);
        let mut hanging = BTreeMap::new();
        while let Some((kind, due)) = probing.next() {
            match lives.recv_deadline(begun + due) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(life) => return Ok(life),
                Err(RecvTimeoutError::Disconnected) => return Err(crossbeam_channel::RecvError),
            }
            let Some(probe) = kind.of(&self.planned.probes) else { break };
            let asked = begun.elapsed();
            let answer = self.ask(id, probe, hanging.entry(kind.name()).or_default());
            if let Err(why) = &answer {
                log::debug!("{}: {} probe: {}: {why}", self.planned.name, kind.name(), probe.check);
            }
            let verdict = probing.outcome(kind, asked, begun.elapsed(), answer);
            // A life that is over says no more.
            if lives.is_empty()
                && let Some(verdict) = verdict
            {
                self.tell(verdict);
            }
        }
        lives.recv()
    }

    fn tell(&self, verdict: Verdict) {
        let name = &self.planned.name;
        self.inbox.event(match verdict {
            Verdict::Ready(Ok(())) => {
                log::info!("{name}: ready");
                Event::Ready(self.who, true)
            }
            Verdict::Ready(Err(why)) => {
                log::warn!("{name}: not ready: {why}");
                Event::Ready(self.who, false)
            }
            Verdict::Dead(why) => Event::Dead(self.who, why),
        });
    }

    /// `hanging` is a command that has taken too long. While it does there is no other one: they would become more and more.
    fn ask(&self, id: &str, probe: &Probe, hanging: &mut Option<String>) -> Result<(), String> {
        match &probe.check {
            Check::Tcp { host, port } => {
                let place = Place { host, port: *port };
                place.takes_connections(probe.timeout).map_err(|error| error.to_string())
            }
            Check::Http(HttpCheck { host, port, path, headers }) => {
                let get = Get { place: Place { host, port: *port }, path, headers };
                get.is_answered_well(probe.timeout).map_err(|error| error.to_string())
            }
            Check::Exec(words) => self.ask_inside(id, words, probe.timeout, hanging),
        }
    }

    fn ask_inside(
        &self,
        id: &str,
        words: &[String],
        timeout: Duration,
        hanging: &mut Option<String>,
    ) -> Result<(), String> {
        let until = Some(Instant::now() + timeout);
        if let Some(exec) = hanging.take() {
            match self.engine.exec_details(&exec, until) {
                Err(error) if error.is_refusal() => {}
                Ok(details) if !details.running => {}
                _ => {
                    *hanging = Some(exec);
                    return Err("the command still runs that was asked before".to_owned());
                }
            }
        }
        let (attach_stdout, attach_stderr) = (true, true);
        let request = ExecRequest { cmd: words.to_vec(), attach_stdout, attach_stderr, ..ExecRequest::default() };
        let outcome = Exec { engine: &self.engine, container: id, request, until, unwanted: &never() }.run();
        let failure = outcome.failure();
        if let Outcome::TooLong { exec } = outcome {
            *hanging = exec;
            return Err(format!("no exit code in {} s", timeout.as_secs_f64()));
        }
        failure.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn probe(retries: u32, start_period: u64) -> Probe {
        let check = Check::Tcp { host: "127.0.0.1".to_owned(), port: 1 };
        let (interval, timeout) = (seconds(10), seconds(1));
        Probe { check, interval, timeout, retries, start_period: seconds(start_period) }
    }

    fn bad() -> Result<(), String> {
        Err("no".to_owned())
    }

    fn is_dead(verdict: Option<&Verdict>) -> bool {
        matches!(verdict, Some(Verdict::Dead(_)))
    }

    const READY: Option<Verdict> = Some(Verdict::Ready(Ok(())));

    fn is_unready(verdict: Option<&Verdict>) -> bool {
        matches!(verdict, Some(Verdict::Ready(Err(_))))
    }

    /// Answers what is asked next, and what it says to that.
    fn answered(probing: &mut Probing<'_>, answer: Result<(), String>) -> (Kind, Duration, Option<Verdict>) {
        let (kind, due) = probing.next().expect("something is asked");
        (kind, due, probing.outcome(kind, due, due, answer))
    }

    #[test]
    fn liveness_fails_by_failures_in_a_row_and_only_once() {
        let probes = Probes { liveness: Some(probe(3, 0)), ..Probes::default() };
        let mut probing = Probing::new(&probes);
        for answer in [bad(), bad(), Ok(()), bad(), bad()] {
            assert_eq!(answered(&mut probing, answer).2, None);
        }
        let (kind, due, verdict) = answered(&mut probing, bad());
        assert_eq!((kind, due), (Kind::Liveness, seconds(50)), "every ten seconds, from the start on");
        let why = "the liveness probe failed 3 times in a row: tcp 127.0.0.1:1: no";
        assert_eq!(verdict, Some(Verdict::Dead(why.to_owned())));
        assert_eq!(probing.next(), None, "who is dead is not asked");
    }

    #[test]
    fn readiness_takes_one_success_and_several_failures() {
        let probes = Probes { readiness: Some(probe(2, 0)), ..Probes::default() };
        let mut probing = Probing::new(&probes);
        assert_eq!(answered(&mut probing, bad()).2, None);
        assert!(is_unready(answered(&mut probing, bad()).2.as_ref()), "why it is not ready is said once");
        assert_eq!(answered(&mut probing, bad()).2, None);
        assert_eq!(answered(&mut probing, Ok(())).2, READY);
        assert_eq!(answered(&mut probing, Ok(())).2, None, "only news");
        assert_eq!(answered(&mut probing, bad()).2, None);
        assert!(is_unready(answered(&mut probing, bad()).2.as_ref()));
        assert_eq!(answered(&mut probing, Ok(())).2, READY);
    }

    #[test]
    fn until_it_has_started_nothing_else_is_asked() {
        let probes = Probes { liveness: Some(probe(1, 0)), readiness: Some(probe(1, 0)), startup: Some(probe(2, 0)) };
        let mut probing = Probing::new(&probes);
        let (kind, due, verdict) = answered(&mut probing, bad());
        assert_eq!((kind, due, verdict), (Kind::Startup, Duration::ZERO, None));
        let (kind, due, verdict) = answered(&mut probing, Ok(()));
        assert_eq!((kind, due, verdict), (Kind::Startup, seconds(10), None), "readiness decides");
        let (kind, due, verdict) = answered(&mut probing, Ok(()));
        assert_eq!((kind, due, verdict), (Kind::Liveness, seconds(10), None), "at once");
        let (kind, due, verdict) = answered(&mut probing, Ok(()));
        assert_eq!((kind, due, verdict), (Kind::Readiness, seconds(10), READY));
        for _ in 0..4 {
            assert_ne!(answered(&mut probing, Ok(())).0, Kind::Startup, "once is enough");
        }
    }

    #[test]
    fn who_has_started_is_ready_where_no_other_probe_says() {
        let probes = Probes { startup: Some(probe(2, 0)), liveness: Some(probe(1, 0)), ..Probes::default() };
        let mut probing = Probing::new(&probes);
        assert_eq!(answered(&mut probing, Ok(())).2, READY);
        assert_eq!(answered(&mut probing, Ok(())).2, None, "liveness says nothing of that");
        let probes = Probes { liveness: Some(probe(1, 0)), ..Probes::default() };
        assert_eq!(answered(&mut Probing::new(&probes), Ok(())).2, None);
    }

    #[test]
    fn who_does_not_start_is_dead() {
        let probes = Probes { startup: Some(probe(2, 0)), readiness: Some(probe(1, 0)), ..Probes::default() };
        let mut probing = Probing::new(&probes);
        assert_eq!(answered(&mut probing, bad()).2, None);
        assert!(is_dead(answered(&mut probing, bad()).2.as_ref()));
    }

    #[test]
    fn failures_in_the_start_period_count_only_after_a_success() {
        let probes = Probes { liveness: Some(probe(1, 25)), ..Probes::default() };
        let mut probing = Probing::new(&probes);
        for _ in [0, 10, 20] {
            assert_eq!(answered(&mut probing, bad()).2, None);
        }
        assert!(is_dead(answered(&mut probing, bad()).2.as_ref()), "it is over");
        let mut probing = Probing::new(&probes);
        assert_eq!(answered(&mut probing, Ok(())).2, None);
        assert!(is_dead(answered(&mut probing, bad()).2.as_ref()), "it has passed before");
    }

    #[test]
    fn an_answer_that_takes_long_delays_the_next_question() {
        let probes = Probes { liveness: Some(probe(3, 0)), ..Probes::default() };
        let mut probing = Probing::new(&probes);
        probing.outcome(Kind::Liveness, Duration::ZERO, seconds(4), Ok(()));
        assert_eq!(probing.next(), Some((Kind::Liveness, seconds(10))));
        probing.outcome(Kind::Liveness, seconds(10), seconds(33), Ok(()));
        assert_eq!(probing.next(), Some((Kind::Liveness, seconds(33))));
    }

    #[test]
    fn one_thread_hears_of_every_life_and_of_every_end() {
        let mut probers = Probers::default();
        let mut threads = Vec::new();
        let who = Who(0);
        for (action, id) in [
            (Action::Remove(who), None),
            (Action::Probe(who), Some("first".to_owned())),
            (Action::Forward(who, 1), Some("first".to_owned())),
            (Action::Remove(who), None),
            (Action::Probe(who), Some("second".to_owned())),
            (Action::Stop(who), None),
        ] {
            probers.heed(&action, id, |_, lives| threads.push(lives));
        }
        assert_eq!(threads.len(), 1);
        drop(probers);
        let told: Vec<Life> = threads.remove(0).iter().collect();
        assert_eq!(told, [Some("first".to_owned()), None, Some("second".to_owned()), None]);
    }
}
