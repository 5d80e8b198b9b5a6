//! The engine's events of containers, read by `Action` and `Actor.ID`: the older `status` and `id` are gone in API 1.52.

use std::io::BufReader;

use serde::Deserialize;

use super::host::Socket;
use super::http::Body;
use super::{Engine, Error, broken, encoded};

/// Something that happened to a container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ContainerEvent {
    /// What, such as `start`, `die` or `health_status: healthy`.
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
}

/// An open stream of events: an iterator that blocks.
pub struct Events {
    lines: serde_json::StreamDeserializer<'static, serde_json::de::IoRead<BufReader<Body<Socket>>>, ContainerEvent>,
}

impl Engine {
    /// `GET /events`: the events of the containers that carry a label, from this moment on.
    pub fn events(&self, label: &str) -> Result<Events, Error> {
        let filters = serde_json::json!({ "type": ["container"], "label": [label] });
        let response = self.stream("GET", &format!("/events?filters={}", encoded(&filters.to_string())))?;
        let lines = serde_json::Deserializer::from_reader(BufReader::new(response.body)).into_iter();
        Ok(Events { lines })
    }
}

impl Iterator for Events {
    type Item = Result<ContainerEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let call = || "GET /events".to_owned();
        Some(self.lines.next()?.map_err(|error| {
            if error.is_io() {
                broken(call(), error.into())
            } else {
                Error::Nonsense { call: call(), what: error.to_string() }
            }
        }))
    }
}
