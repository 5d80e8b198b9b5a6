//! The life of a container, one call a function.

use std::io;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::podman::{self, Vigil};
use super::types::{ContainerDetails, ContainerSummary, CreateRequest};
use super::{Engine, Error, JsonLines, QUICK, WORK, encoded, label_filter, read_json};
use crate::http::{Body, Canceller, Limit, Payload, Socket};

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The next exit: to be armed before the start.
    NextExit,
    /// That it does not run: at once if it does not.
    NotRunning,
}

impl Engine {
    /// `POST /containers/create`: makes a container, of the image for a platform if not for the engine's own, and returns
    /// its id. A request that needs a newer API than we speak is made in that.
    pub fn create(&self, name: &str, request: &CreateRequest, platform: Option<&str>) -> Result<String, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Created {
            id: String,
            #[serde(default)]
            warnings: Option<Vec<String>>,
        }
        let body = super::json(request);
        let platform = platform.map(|platform| format!("&platform={}", encoded(platform))).unwrap_or_default();
        let path = format!("/containers/create?name={}{platform}", encoded(name));
        let engine = self.speaking(request.needs());
        let created: Created = engine.read("POST", &path, Payload::Json(&body), WORK)?;
        for warning in created.warnings.unwrap_or_default() {
            log::warn!("{name}: the engine warns: {warning}");
        }
        Ok(created.id)
    }

    /// `GET /containers/ID/json`: what the engine knows of a container, by its id or name.
    pub fn inspect(&self, id: &str) -> Result<ContainerDetails, Error> {
        let path = format!("/containers/{}/json", encoded(id));
        let mut details: ContainerDetails = self.read("GET", &path, Payload::Nothing, QUICK)?;
        // What Podman is stopping runs on until its grace is over.
        details.state.running |= self.podman && details.state.status == "stopping";
        Ok(details)
    }

    /// Whether a container runs, as far as that can be told: it does unless the engine denies it.
    pub fn may_run(&self, id: &str) -> bool {
        match self.inspect(id) {
            Ok(details) => details.state.running,
            Err(error) => !error.is_not_found(),
        }
    }

    /// `GET /containers/json?all=1`: the containers that carry a label, running or not.
    pub fn list(&self, label: &str) -> Result<Vec<ContainerSummary>, Error> {
        let path = format!("/containers/json?all=1&filters={}", label_filter(label));
        self.read("GET", &path, Payload::Nothing, QUICK)
    }

    /// The same: which of these containers there are, by their ids.
    pub fn list_these(&self, ids: &[&str]) -> Result<Vec<ContainerSummary>, Error> {
        let filters = encoded(&serde_json::json!({ "id": ids }).to_string());
        self.read("GET", &format!("/containers/json?all=1&filters={filters}"), Payload::Nothing, QUICK)
    }

    /// `POST /containers/ID/start`. One that runs already is fine.
    pub fn start(&self, id: &str) -> Result<(), Error> {
        tolerate(304, self.perform("POST", &format!("/containers/{}/start", encoded(id)), Payload::Nothing, WORK))
    }

    /// `POST /containers/ID/stop`: sends the stop signal of the container, and kills it after the grace (whole
    /// seconds). Returns when it has stopped; one that does not run is fine.
    pub fn stop(&self, id: &str, grace: Duration) -> Result<(), Error> {
        let seconds = grace.as_millis().div_ceil(1000);
        let path = format!("/containers/{}/stop?t={seconds}", encoded(id));
        tolerate(304, self.perform("POST", &path, Payload::Nothing, grace.saturating_add(WORK)))
    }

    /// `POST /containers/ID/kill`: sends a signal, by name or number.
    pub fn kill(&self, id: &str, signal: &str) -> Result<(), Error> {
        let path = format!("/containers/{}/kill?signal={}", encoded(id), encoded(signal));
        self.perform("POST", &path, Payload::Nothing, QUICK)
    }

    /// `DELETE /containers/ID?force=1&v=1`: kills and removes a container with its anonymous volumes. Returns when it
    /// is gone, also when it was gone before or the engine is just removing it. Podman removes it once no other container
    /// is in its namespaces, and that is waited for.
    pub fn remove(&self, id: &str) -> Result<(), Error> {
        if self.podman { podman::remove(self, id) } else { self.delete(id) }
    }

    /// Removes containers as [`Self::remove`] does, in an order that the engine takes.
    pub fn remove_all(&self, containers: &[ContainerSummary]) -> Result<(), Error> {
        if self.podman {
            return podman::remove_all(self, containers);
        }
        containers.iter().try_for_each(|container| self.delete(&container.id))
    }

    /// Removes the container that we are in, as far as we live to see it: by Podman, too, without a kill before.
    pub fn remove_ourselves(&self, id: &str) -> Result<(), Error> {
        self.delete(id)
    }

    pub(super) fn delete(&self, id: &str) -> Result<(), Error> {
        let path = format!("/containers/{}?force=1&v=1", encoded(id));
        match self.perform("DELETE", &path, Payload::Nothing, WORK) {
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) if error.is_conflict() => match self.call(
                "POST",
                &format!("/containers/{}/wait?condition=removed", encoded(id)),
                Payload::Nothing,
                WORK,
            ) {
                Ok(response) => read_json::<WaitAnswer>(&format!("POST /containers/{id}/wait"), response).map(drop),
                Err(gone) if gone.is_not_found() => Ok(()),
                Err(_) => Err(error),
            },
            result => result,
        }
    }

    /// `POST /containers/ID/wait`: once this returns, the exit code will be told, whatever happens to the container. For
    /// Podman nothing is to be armed.
    pub fn wait(&self, id: &str, condition: Condition) -> Result<Wait, Error> {
        if self.podman {
            return Ok(Wait(Waiting::Vigil(Vigil::over(self, id))));
        }
        let condition = match condition {
            Condition::NextExit => "next-exit",
            Condition::NotRunning => "not-running",
        };
        Ok(Wait(Waiting::Armed(self.open_wait(id, condition)?)))
    }

    pub(super) fn open_wait(&self, id: &str, condition: &str) -> Result<JsonLines<WaitAnswer>, Error> {
        let path = format!("/containers/{}/wait?condition={condition}", encoded(id));
        let response = self.stream("POST", &path, QUICK)?;
        Ok(JsonLines::new(format!("POST /containers/{id}/wait"), response.body))
    }

    /// `POST /containers/ID/attach`: the output of a container from this moment on, from any log driver.
    pub fn attach(&self, id: &str) -> Result<Attach, Error> {
        let path = format!("/containers/{}/attach?stream=1&stdout=1&stderr=1", encoded(id));
        // Podman sets up what has not been started.
        let patience = if self.podman { WORK } else { QUICK };
        Ok(Attach { body: self.stream("POST", &path, patience)?.body })
    }
}

/// Takes a status that says "already so" for success.
fn tolerate(already: u16, result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::Refused { status, .. }) if status == already => Ok(()),
        result => result,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WaitAnswer {
    pub(super) status_code: i64,
}

/// An armed wait. It is asked for the exit code of what has been started.
#[derive(Debug)]
pub struct Wait(Waiting);

#[derive(Debug)]
enum Waiting {
    Armed(JsonLines<WaitAnswer>),
    Vigil(Vigil),
}

impl Wait {
    /// Blocks until the condition holds, and returns the exit code.
    pub fn exit_code(self) -> Result<i64, Error> {
        match self.0 {
            Waiting::Armed(mut lines) => Ok(lines.expect()?.status_code),
            Waiting::Vigil(vigil) => vigil.exit_code(),
        }
    }
}

/// The output of a container: frames, or raw bytes where it has a terminal.
#[derive(Debug)]
pub struct Attach {
    pub(super) body: Body<Socket>,
}

impl Attach {
    /// From now on a read fails at this moment with [`io::ErrorKind::TimedOut`] or [`io::ErrorKind::WouldBlock`]; what comes
    /// later can be read then with another one.
    pub fn give_up_at(&mut self, end: Instant) {
        self.body.stream_mut().set_limit(Limit::Until(end));
    }

    /// The means to end it from another thread.
    pub fn canceller(&mut self) -> io::Result<Canceller> {
        self.body.stream_mut().canceller()
    }
}

impl io::Read for Attach {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}
