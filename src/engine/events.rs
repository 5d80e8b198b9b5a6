//! The engine's events of containers, read by `Action` and `Actor.ID`: the older `status` and `id` are gone in API 1.52.

use serde::Deserialize;

use super::{Engine, Error, JsonLines, encoded};

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

impl Engine {
    /// `GET /events`: the events of the containers that carry a label, from this moment on.
    pub fn events(&self, label: &str) -> Result<JsonLines<ContainerEvent>, Error> {
        let filters = serde_json::json!({ "type": ["container"], "label": [label] });
        let response = self.stream("GET", &format!("/events?filters={}", encoded(&filters.to_string())))?;
        Ok(JsonLines::new("GET /events", response.body))
    }
}
