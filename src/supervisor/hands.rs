//! Carries out what the machine decides, an action at a time. Holds what that takes: pulls that can be cancelled, who
//! forwards signals, the ear for what components say.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, never, unbounded};

use crate::engine::{Attach, Canceller};
use crate::health::Board;

use super::component::Component;
use super::crew::Crew;
use super::ear::Ear;
use super::event::{Action, Event, Who};
use super::probe::Probers;

pub(super) struct Hands<'a> {
    pub(super) crew: &'a Crew,
    pub(super) components: &'a [Component],
    pub(super) board: &'a Board,
    pub(super) ear: &'a Ear,
    /// Dropped when the pod ends: nothing new is begun then.
    pod_stays: Option<Sender<()>>,
    /// Ready when the time is up that the machine asked for.
    pub(super) deadline: Receiver<Instant>,
    /// When that is.
    ends_at: Option<Instant>,
    pulls: BTreeMap<Who, Canceller>,
    /// Of containers by their ids.
    forwarders: BTreeMap<Who, (String, Sender<i32>)>,
    /// Who was brought up once: something of it may be there.
    begun: BTreeSet<Who>,
    /// The present lives; both ends, of which the first is dropped when a life ends.
    lives: BTreeMap<Who, (Sender<()>, Receiver<()>)>,
    /// Those whose `pre_stop` a halt has begun; closed when that is done.
    halts: BTreeMap<Who, Receiver<()>>,
    probers: Probers,
    /// Whether the engine has refused the controller's cgroup.
    pub(super) apart: bool,
}

impl<'a> Hands<'a> {
    pub(super) fn new(
        crew: &'a Crew,
        components: &'a [Component],
        board: &'a Board,
        ear: &'a Ear,
        pod_stays: Sender<()>,
    ) -> Self {
        Self {
            crew,
            components,
            board,
            ear,
            pod_stays: Some(pod_stays),
            deadline: never(),
            ends_at: None,
            pulls: BTreeMap::new(),
            forwarders: BTreeMap::new(),
            begun: BTreeSet::new(),
            lives: BTreeMap::new(),
            halts: BTreeMap::new(),
            probers: Probers::default(),
            apart: false,
        }
    }

    /// Carries out an action; `id` is the component's container, where it is known.
    pub(super) fn carry_out(&mut self, action: &Action, id: impl Fn(Who) -> Option<String>) {
        self.heed_probes(action, &id);
        match *action {
            Action::Start(who) => self.start(who, id(who)),
            Action::StartApart(who) => {
                self.apart = true;
                self.start(who, None);
            }
            Action::Restart(who, pause) => {
                let component = self.component(who);
                self.spawn("rest", who, move || component.rest(varied(pause)));
            }
            Action::Halt(who) => {
                if let Some(id) = id(who) {
                    let component = self.component(who);
                    let (busy, done) = bounded(0);
                    self.halts.insert(who, done);
                    self.spawn("halt", who, move || component.halt(&id, busy));
                }
            }
            Action::Limit { who, on, time } => {
                let component = self.component(who);
                self.spawn("limit", who, move || component.limit(on, time));
            }
            Action::Tell(level, ref text) => log::log!(level, "{text}"),
            Action::Cancel(who) => {
                // Only the end cancels, and who is cancelled must know why.
                self.pod_stays = None;
                if let Some(pull) = self.pulls.remove(&who) {
                    pull.cancel();
                }
            }
            Action::Stop(who) => self.leave(who, id(who), Some(self.grace(who))),
            Action::Remove(who) => self.leave(who, id(who), None),
            Action::Forward(who, signal) => self.forward(who, id(who), signal),
            Action::Publish(health) => {
                self.board.publish(health);
                log::info!("the pod is {health}");
            }
            Action::Deadline(time) => {
                self.deadline = after(time);
                self.ends_at = Instant::now().checked_add(time);
                self.pod_stays = None;
            }
            Action::Probe(_) | Action::Finish => {}
        }
    }

    /// Takes note of what ends a life.
    pub(super) fn notice(&mut self, event: &Event) {
        if let Event::Exited(who, _) | Event::Failed(who, _) | Event::Misplaced(who, _) | Event::Vanished(who) = event {
            self.lives.remove(who);
        }
    }

    fn heed_probes(&mut self, action: &Action, id: impl Fn(Who) -> Option<String>) {
        let probed = if let Action::Probe(who) = *action { id(who) } else { None };
        let (crew, components) = (self.crew, self.components);
        self.probers.heed(action, probed, |who, lives| {
            let component = components[who.0].clone();
            crew.spawn(format!("probe/{}", component.planned.name), move || component.probe_all(&lives));
        });
    }

    /// Keeps the means to cancel a pull.
    pub(super) fn hold_pull(&mut self, who: Who, cancel: Canceller) {
        self.pulls.insert(who, cancel);
    }

    /// Listens to a component.
    pub(super) fn follow(&self, who: Who, id: String, tty: bool, attach: Attach) {
        self.ear.follow(self.component(who), id, tty, attach);
    }

    fn component(&self, who: Who) -> Component {
        let life = self.lives.get(&who).map_or_else(never, |(_, over)| over.clone());
        Component { apart: self.apart, life, ..self.components[who.0].clone() }
    }

    fn spawn(&self, what: &str, who: Who, work: impl FnOnce() + Send + 'static) {
        self.crew.spawn(format!("{what}/{}", self.components[who.0].planned.name), work);
    }

    /// In place where the container is known; what may be left of an earlier try goes first.
    fn start(&mut self, who: Who, id: Option<String>) {
        self.lives.insert(who, bounded(0));
        self.halts.remove(&who);
        let component = self.component(who);
        let is_first = self.begun.insert(who);
        self.spawn("component", who, move || match id {
            Some(id) => component.live_on(id),
            None if is_first => component.live(),
            None => component.live_again(),
        });
    }

    /// A component's own grace, or what is left of the time for all: whole seconds, as the engine takes them.
    fn grace(&self, who: Who) -> Duration {
        let own = self.components[who.0].planned.grace;
        let left = self.ends_at.map(|end| end.saturating_duration_since(Instant::now()));
        match left.filter(|left| *left < own) {
            Some(left) => Duration::from_secs(left.as_secs()),
            None => own,
        }
    }

    fn leave(&self, who: Who, id: Option<String>, grace: Option<Duration>) {
        let component = self.component(who);
        let halted = self.halts.get(&who).cloned();
        self.spawn("stop", who, move || component.leave(id.as_deref(), grace, halted.as_ref()));
    }

    /// One thread a component, so that an engine that hangs costs no more than that, and signals keep their order.
    fn forward(&mut self, who: Who, id: Option<String>, signal: i32) {
        let Some(id) = id else { return };
        if self.forwarders.get(&who).is_none_or(|(known, _)| *known != id) {
            let (signals, pending) = unbounded();
            let (component, container) = (self.component(who), id.clone());
            self.spawn("forward", who, move || component.forward_all(&container, &pending));
            self.forwarders.insert(who, (id, signals));
        }
        // The forwarder outlives us, unless it crashed, and then the pod ends for that reason.
        let _ = self.forwarders[&who].1.send(signal);
    }
}

/// A pause up to a tenth longer or shorter, so that what failed together is not started together for ever.
fn varied(pause: Duration) -> Duration {
    const STEPS: u32 = 1 << 16;
    // The keys of each state are random.
    let chance = u32::try_from(RandomState::new().hash_one(0) % u64::from(STEPS)).expect("below the number of steps");
    pause.mul_f64(0.9 + 0.2 * f64::from(chance) / f64::from(STEPS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_vary_by_a_tenth() {
        let pause = Duration::from_secs(10);
        let pauses: BTreeSet<Duration> = (0..50).map(|_| varied(pause)).collect();
        assert!(pauses.len() > 1);
        assert!(pauses.iter().all(|varied| *varied >= pause.mul_f64(0.9) && *varied <= pause.mul_f64(1.1)));
    }
}
