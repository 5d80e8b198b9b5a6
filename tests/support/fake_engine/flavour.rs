//! Whose answers the fake gives: heads, documents and refusals are those that a real engine was recorded with.
//!
//! ```text
//!   tests/golden/engines/ENGINE/*.http ──▶ Flavour ─┬─ headers  of every answer, of a ping, of an attach
//!                                                   ├─ document of /info, /version, a container that was created
//!                                                   └─ refusal  with the name and the id of who asks
//! ```

use std::collections::BTreeMap;
use std::env;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};

use super::model::Refusal;
use crate::support::records::Record;

/// The engines that the fake can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flavour {
    /// Docker 20.10, the oldest that is common.
    OldDocker,
    /// Docker 28.5.
    NewDocker,
    /// Podman 5.4 by Docker's API.
    Podman,
}

/// Headers that are about one body or one moment.
const FRAMING: [&str; 5] = ["Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Date"];

impl Flavour {
    /// Names the engine to be by default.
    pub(crate) const VARIABLE: &str = "PODLIKE_FAKE_ENGINE";
    pub(crate) const ALL: [Self; 3] = [Self::OldDocker, Self::NewDocker, Self::Podman];

    /// The one that [`Self::VARIABLE`] names, else Docker 20.10.
    pub(super) fn by_default() -> Self {
        let wanted = env::var(Self::VARIABLE).unwrap_or_default();
        Self::ALL.into_iter().find(|flavour| flavour.engine() == wanted).unwrap_or(Self::OldDocker)
    }

    /// Its name among the records.
    pub(crate) fn engine(self) -> &'static str {
        match self {
            Self::OldDocker => "docker-20.10",
            Self::NewDocker => "docker-28.5",
            Self::Podman => "podman-5.4",
        }
    }

    pub(super) fn is_podman(self) -> bool {
        self == Self::Podman
    }

    fn find(self, name: &str) -> Option<Record> {
        type Known = BTreeMap<(Flavour, String), Option<Record>>;
        static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
        let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        known.entry((self, name.to_owned())).or_insert_with(|| Record::find(self.engine(), name)).clone()
    }

    fn record(self, name: &str) -> Record {
        // What one engine never says is told in the words of another.
        let record = self.find(name).or_else(|| Self::OldDocker.find(name));
        record.unwrap_or_else(|| Record::of(self.engine(), name))
    }

    /// The status line and the headers that do not depend on the body, as an engine sends them.
    pub(super) fn headers(self, name: &str) -> Vec<(String, String)> {
        let record = self.record(name);
        let own = record.headers().filter(|(header, _)| !FRAMING.contains(header));
        own.map(|(header, value)| (header.to_owned(), value.to_owned())).collect()
    }

    /// The head of an attach, which is all that it has.
    pub(super) fn attach_head(self) -> String {
        self.record("attach").head.join("\r\n") + "\r\n\r\n"
    }

    /// The answer to a call as a document.
    pub(super) fn document(self, name: &str) -> Value {
        self.record(name).json()
    }

    /// Whether it refuses such a call at all.
    pub(super) fn refuses(self, name: &str) -> bool {
        self.find(name).is_some_and(|record| record.status() >= 400)
    }

    /// A recorded refusal, about somebody else: `recorded` becomes `actual`, and every id becomes `id`.
    pub(super) fn refusal(self, name: &str, recorded: &str, actual: &str, id: &str) -> Refusal {
        let record = self.record(name);
        let document = record.json();
        let text = match document["message"].as_str() {
            Some(message) => message.to_owned(),
            None => String::from_utf8_lossy(&record.body).trim_end().to_owned(),
        };
        let text = text.replace(recorded, actual);
        let is_digit = |letter: char| letter.is_ascii_digit() || ('a'..='f').contains(&letter);
        let words = text.split_inclusive(|letter: char| !is_digit(letter));
        let with_id = |word: &str| match word.split_at_checked(64) {
            Some((run, end)) if run.chars().all(is_digit) && end.chars().count() <= 1 => format!("{id}{end}"),
            _ => word.to_owned(),
        };
        Refusal(record.status(), words.map(with_id).collect())
    }

    /// The body of a refusal.
    pub(super) fn error_body(self, status: u16, text: &str) -> Value {
        match self {
            Self::Podman => {
                let cause = text.rsplit(": ").next().unwrap_or(text);
                json!({ "cause": cause, "message": text, "response": status })
            }
            _ => json!({ "message": text }),
        }
    }

    /// What inspect says of a container that nobody has asked anything of.
    pub(super) fn container(self) -> Value {
        let mut document = self.document("inspect_created");
        document["Config"]["Labels"] = json!({});
        document["HostConfig"]["OomScoreAdj"] = json!(0);
        document["HostConfig"]["NetworkMode"] = json!("default");
        for (part, key) in [("Config", "Healthcheck"), ("State", "Health")] {
            if let Some(part) = document[part].as_object_mut() {
                part.remove(key);
            }
        }
        // Only whoever makes a container says these.
        document["Config"]["Cmd"] = Value::Null;
        document["GraphDriver"]["Data"] = json!({});
        document
    }

    /// The document of an event, with what this engine calls it.
    pub(super) fn event(self, action: &str, mut document: Value) -> Value {
        if !self.is_podman() {
            return document;
        }
        if let Some(health) = action.strip_prefix("health_status: ") {
            document["Action"] = json!("health_status");
            document["HealthStatus"] = json!(health);
        } else if action == "destroy" {
            document["Action"] = json!("remove");
        }
        document
    }
}
