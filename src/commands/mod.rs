//! The subcommands: wiring only, no decisions.

mod cgroup;
mod controller;
mod error;
mod healthcheck;
mod input;
mod pause;
mod run;
#[cfg(feature = "template")]
mod template;
mod validate;
mod version;

use std::path::Path;

use crate::cli::{Flags, Settings};
use crate::engine::{self, Host, Tls};
use crate::health::Health;
use crate::pod::{self, Surroundings, identity};
use crate::supervisor::End;

pub use cgroup::cgroup;
pub use error::Error;
pub use healthcheck::healthcheck;
pub use pause::pause;
pub use run::run;
#[cfg(feature = "template")]
pub use template::template;
pub use validate::validate;
pub use version::{help, version};

/// What came of a command.
#[derive(Debug)]
pub enum Outcome {
    /// A pod ended.
    Ended {
        /// How.
        end: Box<End>,
        /// The components' names, by position.
        names: Vec<String>,
    },
    /// The pod's health.
    Health(Health),
    /// What was asked for is done.
    Done,
}

/// What a pod is read with, as this process sees it.
fn surroundings(settings: &Settings, flags: &Flags) -> Surroundings {
    Surroundings {
        root: "/".into(),
        working_dir: settings.working_dir.clone(),
        env: settings.env.clone(),
        profiles: flags.profiles.clone(),
        kept: &pod::METADATA,
        ..Surroundings::default()
    }
}

/// Where the engine is, as the environment says it.
fn host(settings: &Settings) -> Result<Host, engine::Error> {
    let (verify, anybody) = (settings.docker_tls_verify, settings.docker_tls);
    Host::parse(settings.docker_host.as_deref(), &Tls { verify, anybody, folder: settings.docker_cert_path.clone() })
}

/// The name under which the controller and its health check find each other: what `/proc` says first of the container
/// that both are in, whether the engine confirms it or not.
fn health_name(settings: &Settings) -> Result<String, Error> {
    let first = || identity::candidates(Path::new("/")).into_iter().next().map(|candidate| candidate.id);
    settings.container_id.clone().or_else(first).ok_or(Error::NoIdentity { tried: Vec::new() })
}
