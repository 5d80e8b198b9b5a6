//! The engine's events become [`Event::Health`], [`Event::Oom`] and [`Event::Died`]; the stream reconnects.

use crossbeam_channel::Receiver;

use crate::engine::{Engine, Error, Events};
use crate::health::Health;

use super::error::chain;
use super::event::Event;
use super::inbox::Sender;
use super::retry::Retry;

/// The feed of one controller's components.
#[derive(Debug, Clone)]
pub(super) struct HealthFeed {
    pub(super) engine: Engine,
    /// The label that the components carry.
    pub(super) label: String,
    pub(super) inbox: Sender,
    /// Closed at the end of the pod.
    pub(super) over: Receiver<()>,
}

impl HealthFeed {
    /// Tells what happens, until the pod is over.
    pub(super) fn follow(&self, mut events: Events) {
        loop {
            match self.tell(events) {
                None => log::debug!("the engine closed the stream of events"),
                Some(error) => log::debug!("the stream of events broke: {error}"),
            }
            events = match self.reconnect() {
                Some(again) => again,
                None => return,
            };
        }
    }

    fn tell(&self, events: Events) -> Option<Error> {
        for event in events {
            match event {
                Err(error) => return Some(error),
                Ok(event) => {
                    let word = event.action.strip_prefix("health_status:").map(str::trim);
                    if let Some(health) = word.and_then(Health::parse) {
                        self.inbox.event(Event::Health(event.actor.id, health));
                    } else if event.action == "oom" {
                        self.inbox.event(Event::Oom(event.actor.id));
                    } else if event.action == "die"
                        && let Some(code) = event.actor.attributes.exit_code.and_then(|code| code.parse().ok())
                    {
                        self.inbox.event(Event::Died(event.actor.id, code));
                    }
                }
            }
        }
        None
    }

    fn reconnect(&self) -> Option<Events> {
        let mut retry = Retry::until(&self.over);
        while retry.pause() {
            match self.engine.events(&self.label).and_then(|events| self.catch_up().map(|()| events)) {
                Ok(events) => return Some(events),
                Err(error) => {
                    log::warn!("cannot follow the engine's events, trying again: {}", chain(&error));
                }
            }
        }
        None
    }

    /// Looks once at each component: what happened while there was no stream has not been told.
    fn catch_up(&self) -> Result<(), Error> {
        for container in self.engine.list(&self.label)? {
            let details = match self.engine.inspect(&container.id) {
                Err(error) if error.is_not_found() => continue,
                details => details?,
            };
            if details.state.oom_killed {
                self.inbox.event(Event::Oom(container.id.clone()));
            }
            if let Some(health) = details.state.health.and_then(|health| Health::parse(&health.status)) {
                self.inbox.event(Event::Health(container.id, health));
            }
        }
        Ok(())
    }
}
