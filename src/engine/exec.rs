//! Commands in a running container. The engine starts them and tells how they ended, and does not end them: when we hang up,
//! a command runs on as long as its container does (run on Docker 20.10; the same by Podman's documentation).

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::containers::Attach;
use super::types::{ExecDetails, ExecRequest};
use super::{Engine, Error, QUICK, WORK, encoded};
use crate::http::{Limit, Payload, Request};

impl Engine {
    /// `POST /containers/ID/exec`: prepares a command, and returns its id. A container that does not run, or is paused, is a
    /// conflict. Given up at `until`, if that comes first.
    pub fn prepare_exec(
        &self,
        container: &str,
        request: &ExecRequest,
        until: Option<Instant>,
    ) -> Result<String, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Created {
            id: String,
        }
        let path = format!("/containers/{}/exec", encoded(container));
        let created: Created = self.read("POST", &path, Payload::Json(&super::json(request)), left(until, QUICK))?;
        Ok(created.id)
    }

    /// `POST /exec/ID/start`: starts a command that was prepared; what it writes comes as frames, until it has closed its output
    /// or `until` is over. Why it could not be run is among what it says.
    pub fn start_exec(&self, id: &str, until: Option<Instant>) -> Result<Attach, Error> {
        let path = format!("/exec/{}/start", encoded(id));
        // Podman answers when it runs.
        let patience = if self.podman { WORK } else { QUICK };
        let mut response = self.in_its_version(|| {
            let limit = Limit::Until(Instant::now() + left(until, patience));
            let body = Payload::Json(br#"{"Detach":false,"Tty":false}"#);
            self.versioned(Request::new("POST", &path), body, limit, |_| ())
        })?;
        response.body.stream_mut().set_limit(until.map_or(Limit::Never, Limit::Until));
        Ok(Attach { body: response.body })
    }

    /// `GET /exec/ID/json`: whether a command runs, and how it ended.
    pub fn exec_details(&self, id: &str, until: Option<Instant>) -> Result<ExecDetails, Error> {
        self.read("GET", &format!("/exec/{}/json", encoded(id)), Payload::Nothing, left(until, QUICK))
    }
}

/// The time for a call that may take so long.
fn left(until: Option<Instant>, patience: Duration) -> Duration {
    until.map_or(patience, |end| end.saturating_duration_since(Instant::now()).min(patience))
}
