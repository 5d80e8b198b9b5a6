//! What a guard does in its container: it waits for the end of a life of its controller, and removes what that made. It
//! never touches anything of another life, and asks for nothing that the controller does not ask for.
//!
//! ```text
//! connect ─▶ inspect, wait ─▶ its containers, until no more come ─▶ its volumes, or an heir for them ─▶ itself
//!    └───────── again, while the engine is away ─────────┘
//! ```

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crossbeam_channel::never;

use crate::engine::types::ContainerSummary;
use crate::engine::{self, Condition, Engine, Host, Wait};
use crate::pod::{COMPONENT, INSTANCE, Watch};

use super::error::chain;
use super::retry::Retry;
use super::scratch::patiently;

/// How many removals are under way at a time.
const AT_A_TIME: usize = 16;
/// How often it is looked again for what the engine was still making when the controller died.
const LOOKS: usize = 2;
/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// How often it looks at most.
const MOST_LOOKS: usize = 20;
/// How often all of it is tried before what is left is left.
const ATTEMPTS: usize = 40;

/// Stands guard at an engine. Returns when everything is gone but the guard's own container, or when that cannot be had.
pub fn stand_guard(host: &Host, watch: &Watch) {
    let no_end = never();
    let mut retry = Retry::until(&no_end);
    let mut told = false;
    let engine = loop {
        match Engine::connect(host.clone()) {
            Ok(engine) => break engine,
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    // Nobody listens but who asks the engine for the log of the container.
                    let _ = writeln!(io::stderr(), "podlike: warning: nothing is guarded yet: {}", chain(&error));
                }
                retry.pause();
            }
        }
    };
    see_it_end(&engine, &watch.over);
    let guard = Guard { engine, watch };
    let mut retry = Retry::until(&no_end);
    for _ in 0..ATTEMPTS {
        if guard.clear().is_ok() {
            break;
        }
        retry.pause();
    }
}

/// Waits until a container has ended, is gone, or has been started again in the meantime.
fn see_it_end(engine: &Engine, id: &str) {
    let no_end = never();
    let mut retry = Retry::until(&no_end);
    let mut life = None;
    loop {
        let waited = match engine.inspect(id) {
            Ok(details) if !details.state.running || details.state.restarting => return,
            Ok(details) => {
                if *life.get_or_insert_with(|| details.state.started_at.clone()) != details.state.started_at {
                    return;
                }
                engine.wait(id, Condition::NotRunning).and_then(Wait::exit_code)
            }
            Err(error) => Err(error),
        };
        match waited {
            Ok(_) => return,
            Err(error) if error.is_not_found() => return,
            Err(_) => drop(retry.pause()),
        }
    }
}

struct Guard<'a> {
    engine: Engine,
    watch: &'a Watch,
}

impl Guard<'_> {
    /// Removes everything of the life that is over.
    fn clear(&self) -> Result<(), engine::Error> {
        let own = self.clear_containers()?;
        if let (Some(own), true) = (&own, self.watch.needs_heir()) {
            self.make_heir(&own.id)?;
        } else {
            self.watch.volumes.iter().try_for_each(|name| self.remove_volume(name))?;
        }
        match own {
            // Where the engine does it, nothing is to be done.
            Some(own) if !self.engine.inspect(&own.id)?.host_config.auto_remove => {
                self.engine.remove_ourselves(&own.id)
            }
            _ => Ok(()),
        }
    }

    /// Removes the containers but its own, which it returns: until nothing more comes of what the engine was making.
    fn clear_containers(&self) -> Result<Option<ContainerSummary>, engine::Error> {
        let label = format!("{INSTANCE}={}", self.watch.instance);
        let mut quiet = 0;
        let mut own = None;
        for _ in 0..MOST_LOOKS {
            let is_own = |one: &ContainerSummary| one.labels.get(COMPONENT) == Some(&self.watch.name);
            let (mine, others): (Vec<_>, Vec<_>) = self.engine.list(&label)?.into_iter().partition(is_own);
            own = mine.into_iter().next();
            quiet = if others.is_empty() { quiet + 1 } else { 0 };
            if quiet == LOOKS {
                break;
            }
            self.remove_all(&others)?;
            // Nothing is ever sent.
            let _ = never::<()>().recv_timeout(PAUSE);
        }
        Ok(own)
    }

    /// Some at a time, so that it is soon that nothing runs any more.
    fn remove_all(&self, containers: &[ContainerSummary]) -> Result<(), engine::Error> {
        for some in containers.chunks(AT_A_TIME) {
            thread::scope(|scope| {
                let remove = |one: &ContainerSummary| {
                    let (engine, id) = (&self.engine, one.id.clone());
                    scope.spawn(move || engine.remove(&id))
                };
                let removals: Vec<_> = some.iter().map(remove).collect();
                let ended = removals.into_iter().map(|removal| removal.join().unwrap_or(Ok(())));
                // Each has its turn, whatever became of the others.
                ended.collect::<Vec<_>>().into_iter().collect::<Result<(), _>>()
            })?;
        }
        Ok(())
    }

    /// Removes a volume, unless a new life has made it anew.
    fn remove_volume(&self, name: &str) -> Result<(), engine::Error> {
        patiently(|| match self.engine.volume(name) {
            Ok(volume) if volume.labels.get(INSTANCE) == Some(&self.watch.instance) => self.engine.remove_volume(name),
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        })
    }

    /// Starts who removes the volumes once our own container has them no more.
    fn make_heir(&self, own: &str) -> Result<(), engine::Error> {
        let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("/podlike"));
        let details = self.engine.inspect(own)?;
        let (name, request) = self.watch.heir(&details, &program, &self.engine.host().to_string());
        match self.engine.create(&name, &request, None) {
            Err(error) if !error.is_conflict() => Err(error),
            // Made by an attempt that broke.
            _ => self.engine.start(&name),
        }
    }
}
