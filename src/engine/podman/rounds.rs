//! How the containers of Podman are.

use std::collections::{HashMap, VecDeque};
use std::thread;
use std::time::Duration;

use super::super::events::{Actor, Attributes, ContainerEvent};
use super::super::{Engine, Error};

/// Between two rounds: after something has changed, and when nothing has for a while.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(5);

/// Looks again and again how the containers are that carry a label, and tells what is new as Docker's events of health.
#[derive(Debug)]
pub(in super::super) struct Rounds {
    engine: Engine,
    label: String,
    /// The containers that are known: their health, if they have a health check.
    known: HashMap<String, Option<String>>,
    news: VecDeque<ContainerEvent>,
    pause: Duration,
}

impl Rounds {
    pub(in super::super) fn begin(engine: &Engine, label: &str) -> Result<Self, Error> {
        let (engine, label) = (engine.clone(), label.to_owned());
        let mut rounds = Self { engine, label, known: HashMap::new(), news: VecDeque::new(), pause: OFTEN };
        rounds.go().map(|()| rounds)
    }

    fn go(&mut self) -> Result<(), Error> {
        let found = self.engine.list(&self.label)?;
        let mut news = false;
        self.known.retain(|id, _| found.iter().any(|container| container.id == *id));
        for container in found {
            // One without a health check stays so.
            if !matches!(self.known.get(&container.id), Some(None)) {
                news |= self.look_at(&container.id)?;
            }
        }
        self.pause = if news { OFTEN } else { (self.pause * 2).min(SELDOM) };
        Ok(())
    }

    /// Says whether something about it is new.
    fn look_at(&mut self, id: &str) -> Result<bool, Error> {
        let details = match self.engine.inspect(id) {
            // While it is removed it is not there, or cannot be inspected.
            Err(error) if error.is_refusal() => return Ok(false),
            details => details?,
        };
        let checked = details.config.healthcheck.is_some_and(|check| check.is_on());
        let health = checked.then(|| details.state.health.unwrap_or_default().status);
        let before = self.known.insert(id.to_owned(), health.clone());
        if before.as_ref() == Some(&health) {
            return Ok(false);
        }
        if let Some(health) = health.filter(|health| !health.is_empty()) {
            let actor = Actor { id: id.to_owned(), attributes: Attributes::default() };
            self.news.push_back(ContainerEvent { action: format!("health_status: {health}"), actor });
        }
        Ok(true)
    }
}

impl Iterator for Rounds {
    type Item = Result<ContainerEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.news.pop_front() {
                return Some(Ok(event));
            }
            thread::sleep(self.pause);
            if let Err(error) = self.go() {
                return Some(Err(error));
            }
        }
    }
}
