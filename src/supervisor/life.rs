//! What became of each component: written down from what passes by the loop, for the day when the pod ends.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::health::Health;
use crate::pod::{Need, Planned, Until};

use super::Error;
use super::event::{Action, Cause, Event, Who};
use super::inbox::Report;

/// How long the end waits for what is told after it: the engine tells an exit, and why, by two streams.
const LATE: Duration = Duration::from_millis(250);

/// The exit code of what was killed by SIGKILL.
pub(super) const KILLED: i64 = 137;

/// The life of a component, or what there was of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// How it ended.
    pub fate: Fate,
    /// The exit code, if it was told.
    pub code: Option<i64>,
    /// Whether the OOM killer struck in it.
    pub oom: bool,
    /// How long it ran, the last time.
    pub ran: Duration,
    /// How often it was started again.
    pub restarts: u32,
    /// A container of podlike's own, which nobody asked for.
    pub ours: bool,
}

/// How a component ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It never ran, and this, if anything, is what it waited for.
    NeverStarted(Option<String>),
    /// It could not be brought or kept up.
    Failed,
    /// It ended by itself.
    Ended,
    /// It ran to the end of the pod.
    Stopped,
}

/// The last lines of the component that is the reason for the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWords {
    /// Whose.
    pub of: Who,
    /// Its lines, at most ten.
    pub lines: Vec<String>,
}

/// Writes the lives of all components down.
#[derive(Debug)]
pub(super) struct Chronicle(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    name: String,
    needs: Vec<Need>,
    id: Option<String>,
    /// Its health, if it has a check that the engine makes.
    health: Option<Health>,
    /// Whether it is ready, if it has a probe that says so.
    ready: Option<bool>,
    /// The exit code that the engine told on the way.
    said: Option<i64>,
    /// Since when it runs.
    since: Option<Instant>,
    /// Whether the pod has it stopped.
    stopped: bool,
    life: Life,
}

impl Entry {
    fn end(&mut self, fate: Fate, now: Instant) {
        // What has not begun to run has not run: an earlier life is another one.
        self.life.ran = self.since.take().map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.life.fate = fate;
    }

    fn has_started(&self) -> bool {
        !matches!(self.life.fate, Fate::NeverStarted(_))
    }

    fn is_ready(&self) -> bool {
        self.has_started() && self.health.is_none_or(|health| health == Health::Healthy) && self.ready != Some(false)
    }
}

impl Chronicle {
    /// Of components that nothing has happened to.
    pub(super) fn new(plan: &[Planned]) -> Self {
        let entry = |planned: &Planned| Entry {
            name: planned.name.clone(),
            needs: planned.needs.clone(),
            id: None,
            health: None,
            ready: planned.probes.tell_readiness().then_some(false),
            said: None,
            since: None,
            stopped: false,
            life: Life {
                fate: Fate::NeverStarted(None),
                code: None,
                oom: false,
                ran: Duration::ZERO,
                restarts: 0,
                ours: planned.is_holder(),
            },
        };
        Self(plan.iter().map(entry).collect())
    }

    /// Something happened.
    pub(super) fn note(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Created { who, id } => self.change(*who, |entry| entry.id = Some(id.clone())),
            Event::Started { who, checked } => self.change(*who, |entry| {
                entry.health = entry.health.or(checked.then_some(Health::Starting));
                if entry.has_started() {
                    entry.life.restarts += 1;
                    entry.life.code = None;
                    entry.life.oom = false;
                }
                // Unless it ends before. What the OOM killer did may have been told already.
                entry.life.fate = Fate::Stopped;
                entry.since = Some(now);
            }),
            Event::Exited(who, code) => self.change(*who, |entry| {
                entry.life.code = Some(*code);
                entry.said = None;
                entry.end(if entry.stopped { Fate::Stopped } else { Fate::Ended }, now);
            }),
            // One that has not begun yet when the pod ends did not fail.
            Event::Failed(_, Error::Over) => {}
            Event::Failed(who, Error::Lost { .. }) if self.0.get(who.0).is_some_and(|entry| entry.said.is_some()) => {
                let code = self.0[who.0].said.unwrap_or_default();
                self.note(&Event::Exited(*who, code), now);
            }
            Event::Failed(who, _) => self.change(*who, |entry| {
                let fate = if entry.stopped { Fate::Stopped } else { Fate::Failed };
                entry.end(fate, now);
            }),
            Event::Died(id, code) => self.change_by_id(id, |entry| entry.said = Some(*code)),
            Event::Health(id, health) => self.change_by_id(id, |entry| entry.health = Some(*health)),
            Event::Ready(who, ready) => self.change(*who, |entry| entry.ready = Some(*ready)),
            Event::Oom(id) => self.change_by_id(id, |entry| {
                if !std::mem::replace(&mut entry.life.oom, true) {
                    log::warn!("{}: the OOM killer struck in it", entry.name);
                }
            }),
            _ => {}
        }
    }

    /// Something is done about it.
    pub(super) fn note_action(&mut self, action: &Action) {
        if let Action::Stop(who) | Action::Remove(who) = action {
            self.change(*who, |entry| entry.stopped |= entry.since.is_some());
        }
    }

    /// Listens for a moment to what comes after the end, where something is missing.
    pub(super) fn hear_out(&mut self, cause: &Cause, inbox: &Receiver<Report>) {
        let until = Instant::now() + LATE;
        while self.is_incomplete(cause)
            && let Ok(report) = inbox.recv_deadline(until)
        {
            if let Report::Event(event) = report {
                self.note(&event, Instant::now());
            }
        }
    }

    fn is_incomplete(&self, cause: &Cause) -> bool {
        let oom = |who: Who| self.0.get(who.0).is_some_and(|entry| entry.life.oom);
        let unexplained = matches!(cause, Cause::Exited(who, KILLED) if !oom(*who));
        unexplained || self.0.iter().any(|entry| entry.since.is_some())
    }

    /// The component whose last words tell most about a cause.
    pub(super) fn culprit(&self, cause: &Cause) -> Option<Who> {
        match cause {
            Cause::Failed(_, Error::Ended { on } | Error::Unhealthy { on } | Error::Late { on, .. }) => {
                self.0.iter().position(|entry| entry.name == *on).map(Who)
            }
            Cause::Exited(who, _) | Cause::Failed(who, _) => Some(*who),
            Cause::Signal(_) | Cause::Crashed(_) => None,
        }
    }

    /// The lives of all, by position.
    pub(super) fn close(mut self, now: Instant) -> Vec<Life> {
        for position in 0..self.0.len() {
            let waited_for = self.waited_for(position);
            let entry = &mut self.0[position];
            if let Fate::NeverStarted(why) = &mut entry.life.fate {
                *why = waited_for;
            } else if entry.since.is_some() {
                entry.end(Fate::Stopped, now);
            }
        }
        self.0.into_iter().map(|entry| entry.life).collect()
    }

    /// The first need of a component that is not met.
    fn waited_for(&self, position: usize) -> Option<String> {
        let unmet = |need: &&Need| {
            let other = &self.0[need.on];
            match need.until {
                Until::Started => !other.has_started(),
                Until::Healthy | Until::Ready => !other.is_ready(),
                Until::Succeeded => other.life.code != Some(0),
            }
        };
        let need = self.0[position].needs.iter().find(unmet)?;
        let on = &self.0[need.on].name;
        Some(match need.until {
            Until::Started => on.clone(),
            Until::Healthy => format!("{on} to be healthy"),
            Until::Ready => format!("{on} to be ready"),
            Until::Succeeded => format!("{on} to end with 0"),
        })
    }

    fn change(&mut self, who: Who, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.0.get_mut(who.0) {
            change(entry);
        }
    }

    fn change_by_id(&mut self, id: &str, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.id.as_deref() == Some(id)) {
            change(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::inbox::inbox;
    use super::*;
    use crate::engine::types::CreateRequest;

    const DB: Who = Who(0);
    const WEB: Who = Who(1);

    /// `web` needs `db`.
    fn chronicle(until: Until) -> Chronicle {
        let planned = |name: &str| Planned::new(name, name.to_owned(), CreateRequest::default());
        let needs = vec![Need::new(0, until)];
        Chronicle::new(&[planned("db"), Planned { needs, ..planned("web") }])
    }

    fn started(chronicle: &mut Chronicle, who: Who, now: Instant) {
        chronicle.note(&Event::Created { who, id: who.0.to_string() }, now);
        chronicle.note(&Event::Started { who, checked: false }, now);
    }

    #[test]
    fn who_ended_and_who_was_stopped_are_told_apart() {
        let (mut chronicle, begin) = (chronicle(Until::Started), Instant::now());
        let after = |seconds| begin + Duration::from_secs(seconds);
        started(&mut chronicle, DB, begin);
        started(&mut chronicle, WEB, after(1));
        chronicle.note(&Event::Exited(WEB, 3), after(4));
        chronicle.note_action(&Action::Remove(WEB));
        chronicle.note_action(&Action::Stop(DB));
        chronicle.note(&Event::Exited(DB, 143), after(6));
        let lives = chronicle.close(after(9));
        let told = |life: &Life| (life.fate.clone(), life.code, life.ran.as_secs());
        assert_eq!(told(&lives[0]), (Fate::Stopped, Some(143), 6));
        assert_eq!(told(&lives[1]), (Fate::Ended, Some(3), 3));
    }

    #[test]
    fn who_never_started_says_what_it_waited_for() {
        for (until, waited_for) in [
            (Until::Started, "db"),
            (Until::Healthy, "db to be healthy"),
            (Until::Ready, "db to be ready"),
            (Until::Succeeded, "db to end with 0"),
        ] {
            let lives = chronicle(until).close(Instant::now());
            assert_eq!(lives[1].fate, Fate::NeverStarted(Some(waited_for.to_owned())));
            assert_eq!(lives[0].fate, Fate::NeverStarted(None));
        }
        let mut chronicle = chronicle(Until::Healthy);
        started(&mut chronicle, DB, Instant::now());
        chronicle.note(&Event::Health("0".to_owned(), Health::Healthy), Instant::now());
        assert_eq!(chronicle.close(Instant::now())[1].fate, Fate::NeverStarted(None), "the end was first");
    }

    #[test]
    fn a_new_life_begins_anew_and_is_counted() {
        let (mut chronicle, begin) = (chronicle(Until::Started), Instant::now());
        started(&mut chronicle, DB, begin);
        chronicle.note(&Event::Oom("0".to_owned()), begin);
        chronicle.note(&Event::Exited(DB, 137), begin);
        started(&mut chronicle, DB, begin);
        let life = &chronicle.close(begin + Duration::from_secs(5))[0];
        assert_eq!((life.restarts, life.code, life.oom, life.ran.as_secs()), (1, None, false, 5));
        assert_eq!(life.fate, Fate::Stopped);
    }

    #[test]
    fn a_start_that_fails_is_no_life() {
        let (mut chronicle, begin) = (chronicle(Until::Started), Instant::now());
        started(&mut chronicle, DB, begin);
        let end = begin + Duration::from_secs(5);
        chronicle.note(&Event::Exited(DB, 3), end);
        chronicle.note(&Event::Failed(DB, Error::NoHealthCheck { on: String::new() }), end);
        let life = &chronicle.close(end)[0];
        assert_eq!((life.fate.clone(), life.ran), (Fate::Failed, Duration::ZERO));
    }

    #[test]
    fn want_of_memory_that_is_told_before_the_start_counts() {
        let (mut chronicle, now) = (chronicle(Until::Started), Instant::now());
        chronicle.note(&Event::Created { who: DB, id: "0".to_owned() }, now);
        chronicle.note(&Event::Oom("0".to_owned()), now);
        chronicle.note(&Event::Started { who: DB, checked: false }, now);
        assert!(chronicle.close(now)[0].oom);
    }

    #[test]
    fn what_is_told_after_the_end_is_heard() {
        let (sender, inbox) = inbox();
        let (mut chronicle, now) = (chronicle(Until::Started), Instant::now());
        started(&mut chronicle, DB, now);
        started(&mut chronicle, WEB, now);
        chronicle.note(&Event::Exited(DB, KILLED), now);
        sender.event(Event::Exited(WEB, 0));
        sender.event(Event::Oom("0".to_owned()));
        chronicle.hear_out(&Cause::Exited(DB, KILLED), &inbox);
        let lives = chronicle.close(now);
        assert_eq!((lives[0].oom, lives[1].code), (true, Some(0)));
    }

    #[test]
    fn nothing_is_waited_for_where_nothing_is_missing() {
        let (_sender, inbox) = inbox();
        let (mut chronicle, now) = (chronicle(Until::Started), Instant::now());
        started(&mut chronicle, DB, now);
        chronicle.note(&Event::Exited(DB, 1), now);
        assert!(!chronicle.is_incomplete(&Cause::Exited(DB, 1)));
        chronicle.hear_out(&Cause::Exited(DB, 1), &inbox);
        assert!(now.elapsed() < LATE);
    }

    #[test]
    fn the_culprit_is_who_was_waited_for() {
        let chronicle = chronicle(Until::Healthy);
        let on = || "db".to_owned();
        assert_eq!(chronicle.culprit(&Cause::Failed(WEB, Error::Unhealthy { on: on() })), Some(DB));
        assert_eq!(chronicle.culprit(&Cause::Failed(WEB, Error::Ended { on: on() })), Some(DB));
        assert_eq!(chronicle.culprit(&Cause::Failed(WEB, Error::NoHealthCheck { on: on() })), Some(WEB));
        assert_eq!(chronicle.culprit(&Cause::Exited(WEB, 0)), Some(WEB));
        assert_eq!(chronicle.culprit(&Cause::Signal(15)), None);
    }
}
