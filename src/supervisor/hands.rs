//! Carries out what the machine decides, an action at a time. Holds what that takes: pulls that can be cancelled, who
//! forwards signals, the ear for what components say.

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

pub(super) struct Hands {
    pub(super) crew: Crew,
    pub(super) components: Vec<Component>,
    pub(super) board: Board,
    pub(super) ear: Ear,
    /// Dropped when the pod ends: nothing new is begun then.
    pod_stays: Option<Sender<()>>,
    /// Ready when the time is up that the machine asked for.
    pub(super) deadline: Receiver<Instant>,
    /// When that is.
    ends_at: Option<Instant>,
    /// What is held of each component, by position.
    held: Vec<Held>,
    probers: Probers,
    /// Whether the engine has refused the controller's cgroup.
    pub(super) apart: bool,
}

/// What is held of a component.
#[derive(Default)]
struct Held {
    pull: Option<Canceller>,
    /// To who forwards signals to the container of this id.
    forwarder: Option<(String, Sender<i32>)>,
    /// Whether it was brought up once: something of it may be there.
    has_begun: bool,
    /// Its present life; both ends, of which the first is dropped when the life ends.
    life: Option<(Sender<()>, Receiver<()>)>,
    /// Where a halt has begun its `pre_stop`; closed when that is done.
    halt: Option<Receiver<()>>,
}

impl Hands {
    pub(super) fn new(crew: Crew, components: Vec<Component>, board: Board, ear: Ear, pod_stays: Sender<()>) -> Self {
        Self {
            crew,
            held: components.iter().map(|_| Held::default()).collect(),
            components,
            board,
            ear,
            pod_stays: Some(pod_stays),
            deadline: never(),
            ends_at: None,
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
                    self.held[who.0].halt = Some(done);
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
                if let Some(pull) = self.held[who.0].pull.take() {
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
            self.held[who.0].life = None;
        }
    }

    fn heed_probes(&mut self, action: &Action, id: impl Fn(Who) -> Option<String>) {
        let probed = if let Action::Probe(who) = *action { id(who) } else { None };
        let (crew, components) = (&self.crew, &self.components);
        self.probers.heed(action, probed, |who, lives| {
            let component = components[who.0].clone();
            crew.spawn(format!("probe/{}", component.planned.name), move || component.probe_all(&lives));
        });
    }

    /// Keeps the means to cancel a pull.
    pub(super) fn hold_pull(&mut self, who: Who, cancel: Canceller) {
        self.held[who.0].pull = Some(cancel);
    }

    /// Listens to a component.
    pub(super) fn follow(&self, who: Who, id: String, tty: bool, attach: Attach) {
        self.ear.follow(self.component(who), id, tty, attach);
    }

    fn component(&self, who: Who) -> Component {
        let life = self.held[who.0].life.as_ref().map_or_else(never, |(_, over)| over.clone());
        Component { apart: self.apart, life, ..self.components[who.0].clone() }
    }

    fn spawn(&self, what: &str, who: Who, work: impl FnOnce() + Send + 'static) {
        self.crew.spawn(format!("{what}/{}", self.components[who.0].planned.name), work);
    }

    /// In place where the container is known; what may be left of an earlier try goes first.
    fn start(&mut self, who: Who, id: Option<String>) {
        let held = &mut self.held[who.0];
        held.life = Some(bounded(0));
        held.halt = None;
        let is_first = !std::mem::replace(&mut held.has_begun, true);
        let component = self.component(who);
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
        let halted = self.held[who.0].halt.clone();
        self.spawn("stop", who, move || component.leave(id.as_deref(), grace, halted.as_ref()));
    }

    /// One thread a component, so that an engine that hangs costs no more than that, and signals keep their order.
    fn forward(&mut self, who: Who, id: Option<String>, signal: i32) {
        let Some(id) = id else { return };
        let known = self.held[who.0].forwarder.take().filter(|(known, _)| *known == id);
        let (id, signals) = known.unwrap_or_else(|| {
            let (signals, pending) = unbounded();
            let (component, container) = (self.component(who), id.clone());
            self.spawn("forward", who, move || component.forward_all(&container, &pending));
            (id, signals)
        });
        // The forwarder outlives us, unless it crashed, and then the pod ends for that reason.
        let _ = signals.send(signal);
        self.held[who.0].forwarder = Some((id, signals));
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
        let pauses: std::collections::BTreeSet<Duration> = (0..50).map(|_| varied(pause)).collect();
        assert!(pauses.len() > 1);
        assert!(pauses.iter().all(|varied| *varied >= pause.mul_f64(0.9) && *varied <= pause.mul_f64(1.1)));
    }
}
