//! Carries out what the machine decides, an action at a time. Holds what that takes: pulls that can be cancelled, who
//! forwards signals, the ear for what components say.

use std::collections::BTreeMap;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, after, never, unbounded};

use crate::engine::{Attach, Canceller};
use crate::health::Board;

use super::component::Component;
use super::crew::Crew;
use super::ear::Ear;
use super::event::{Action, Who};

pub(super) struct Hands<'a> {
    pub(super) crew: &'a Crew,
    pub(super) components: &'a [Component],
    pub(super) board: &'a Board,
    pub(super) ear: &'a Ear,
    /// Dropped when the pod ends: nothing new is begun then.
    pod_stays: Option<Sender<()>>,
    /// Ready when the time is up that the machine asked for.
    pub(super) deadline: Receiver<Instant>,
    pulls: BTreeMap<Who, Canceller>,
    forwarders: BTreeMap<Who, Sender<i32>>,
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
            pulls: BTreeMap::new(),
            forwarders: BTreeMap::new(),
            apart: false,
        }
    }

    /// Carries out an action; `id` is the component's container, where it is known.
    pub(super) fn carry_out(&mut self, action: &Action, id: impl Fn(Who) -> Option<String>) {
        match *action {
            Action::Start(who) => {
                let component = self.component(who);
                self.spawn("component", who, move || component.live());
            }
            Action::StartApart(who) => {
                self.apart = true;
                let component = self.component(who);
                self.spawn("component", who, move || component.live_again());
            }
            Action::Cancel(who) => {
                // Only the end cancels, and who is cancelled must know why.
                self.pod_stays = None;
                if let Some(pull) = self.pulls.remove(&who) {
                    pull.cancel();
                }
            }
            Action::Stop(who) => self.leave(who, id(who), true),
            Action::Remove(who) => self.leave(who, id(who), false),
            Action::Forward(who, signal) => self.forward(who, id(who), signal),
            Action::Publish(health) => {
                self.board.publish(health);
                log::info!("the pod is {health}");
            }
            Action::Deadline(time) => {
                self.deadline = after(time);
                self.pod_stays = None;
            }
            Action::Finish => {}
        }
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
        Component { apart: self.apart, ..self.components[who.0].clone() }
    }

    fn spawn(&self, what: &str, who: Who, work: impl FnOnce() + Send + 'static) {
        self.crew.spawn(format!("{what}/{}", self.components[who.0].planned.name), work);
    }

    fn leave(&self, who: Who, id: Option<String>, stop: bool) {
        let component = self.component(who);
        self.spawn("stop", who, move || component.leave(id.as_deref(), stop));
    }

    /// One thread a component, so that an engine that hangs costs no more than that, and signals keep their order.
    fn forward(&mut self, who: Who, id: Option<String>, signal: i32) {
        let Some(id) = id else { return };
        if !self.forwarders.contains_key(&who) {
            let (signals, pending) = unbounded();
            let component = self.component(who);
            self.spawn("forward", who, move || component.forward_all(&id, &pending));
            self.forwarders.insert(who, signals);
        }
        // The forwarder outlives us, unless it crashed, and then the pod ends for that reason.
        let _ = self.forwarders[&who].send(signal);
    }
}
