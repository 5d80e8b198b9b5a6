//! The engine's events of containers, read by `Action` and `Actor.ID`: the older `status` and `id` are gone in API 1.52.

use serde::Deserialize;

use super::podman::Rounds;
use super::{Engine, Error, JsonLines, QUICK, encoded};

/// Something that happened to a container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ContainerEvent {
    /// What, such as `oom`, `die` or `health_status: healthy`.
    #[serde(rename = "Action")]
    pub action: String,
    /// To which container.
    #[serde(rename = "Actor")]
    pub actor: Actor,
}

/// The container that an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Actor {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: String,
    /// What else is said.
    #[serde(rename = "Attributes", default)]
    pub attributes: Attributes,
}

/// What an event says beside what happened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Attributes {
    /// Of `die`: the exit code.
    #[serde(rename = "exitCode")]
    pub exit_code: Option<String>,
}

/// What happens to containers: an iterator that blocks.
#[derive(Debug)]
pub struct Events(Source);

#[derive(Debug)]
enum Source {
    Stream(JsonLines<ContainerEvent>),
    Rounds(Rounds),
}

impl Engine {
    /// `GET /events`: the events of the containers that carry a label, as `KEY=VALUE`, from this moment on. Podman is asked
    /// by `GET /containers/json` and inspect for their health, and for nothing else.
    pub fn events(&self, label: &str) -> Result<Events, Error> {
        if self.podman {
            return Ok(Events(Source::Rounds(Rounds::begin(self, label)?)));
        }
        let filters = serde_json::json!({ "type": ["container"], "label": [label] });
        let response = self.stream("GET", &format!("/events?filters={}", encoded(&filters.to_string())), QUICK)?;
        Ok(Events(Source::Stream(JsonLines::new("GET /events", response.body))))
    }
}

impl Iterator for Events {
    type Item = Result<ContainerEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Stream(lines) => lines.next(),
            Source::Rounds(rounds) => rounds.next(),
        }
    }
}
