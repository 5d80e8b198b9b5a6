//! Why a component could not be brought or kept up.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::engine;

/// A component's failure.
#[derive(Debug)]
pub enum Error {
    /// A step of its start.
    Step {
        /// What was being done, such as `create its container`.
        step: &'static str,
        /// What the engine made of it.
        source: engine::Error,
    },
    /// A copy into it.
    Copy {
        /// The path in the controller; none for a text that has no file.
        from: Option<PathBuf>,
        /// The path in the component.
        to: String,
        /// Whether the component's root file system is read-only.
        read_only: bool,
        /// What the engine or the file system made of it.
        source: engine::Error,
    },
    /// The engine does not have its image, and it must not be pulled.
    NoImage {
        /// The reference of the image.
        image: String,
        /// The platform that it must be for, if that matters.
        platform: Option<String>,
    },
    /// The image is there, but for other machines.
    OtherPlatform {
        /// The reference of the image.
        image: String,
        /// The platform that was asked for.
        platform: String,
    },
    /// A volume that must be there is not.
    NoVolume {
        /// The engine's name for it.
        name: String,
    },
    /// A volume that goes with the pod has the name of one that is not ours.
    VolumeTaken {
        /// The engine's name for it.
        name: String,
    },
    /// The guard, which holds what is in memory, has ended, although the pod did not.
    HolderEnded {
        /// Its exit code.
        code: i64,
    },
    /// Its container vanished, and its exit code with it.
    Lost {
        /// Why we cannot know more.
        source: engine::Error,
    },
    /// The pod has ended for another reason before it had all that it needs. Nobody is told.
    Over,
    /// It waits for the health of a component that has no health check.
    NoHealthCheck {
        /// The other component.
        on: String,
    },
    /// It waits for the health of a component that has ended.
    Ended {
        /// The other component.
        on: String,
    },
    /// It waits for the success of a component that has failed.
    NoSuccess {
        /// The other component.
        on: String,
        /// Its exit code.
        code: i64,
    },
    /// It waits for the health of a component that takes too long.
    Late {
        /// The other component.
        on: String,
        /// How long it waited.
        limit: Duration,
    },
    /// A sidecar ended before it was ready, and others wait for that.
    NeverReady {
        /// Its exit code.
        code: i64,
    },
    /// It waits for the health of a component that is unhealthy.
    Unhealthy {
        /// The other component.
        on: String,
    },
    /// A hook failed.
    Hook {
        /// Its key.
        hook: &'static str,
        /// Its place in the list, from 1 on.
        number: usize,
        /// How many there are.
        of: usize,
        /// What became of it.
        why: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { step, .. } => write!(f, "cannot {step}"),
            Self::Copy { from, to, read_only, .. } => {
                match from {
                    Some(from) => write!(f, "cannot copy {} of the controller to {to}", from.display())?,
                    None => write!(f, "cannot copy the content of {to}")?,
                }
                if *read_only { f.write_str(" (with read_only: true only a volume can take a copy)") } else { Ok(()) }
            }
            Self::NoImage { image, platform } => {
                write!(f, "the engine does not have the image '{image}'")?;
                if let Some(platform) = platform {
                    write!(f, " for the platform {platform}")?;
                }
                f.write_str(", and with pull_policy 'never' it is not pulled")
            }
            Self::OtherPlatform { image, platform } => {
                write!(f, "there is no image '{image}' for the platform {platform}")
            }
            Self::NoVolume { name } => {
                write!(f, "there is no volume '{name}' (it is declared as external: make it, or leave out 'external')")
            }
            Self::VolumeTaken { name } => write!(f, "there is a volume '{name}' that is not this pod's (remove it)"),
            Self::HolderEnded { code } => {
                write!(
                    f,
                    "it ended with {code}, and what it held in memory may be lost: secrets, configs, volumes, shared memory"
                )
            }
            Self::Lost { .. } => f.write_str("lost its container"),
            Self::Over => f.write_str("the pod has ended before it was started"),
            Self::NoHealthCheck { on } => write!(
                f,
                "depends_on '{on}': service_healthy, but it has no health check (add one under 'healthcheck' of '{on}')"
            ),
            Self::Ended { on } => {
                write!(f, "depends_on '{on}': service_healthy, but it ended before it was healthy")
            }
            Self::NoSuccess { on, code } => {
                write!(f, "depends_on '{on}': service_completed_successfully, but it ended with exit code {code}")
            }
            Self::Late { on, limit } => {
                write!(f, "depends_on '{on}': service_healthy, but it was not healthy within {limit:?} of its start")
            }
            Self::NeverReady { code } => write!(
                f,
                "a sidecar that ended with exit code {code} before it was ready, and the others wait for that (let it restart)"
            ),
            Self::Unhealthy { on } => {
                write!(f, "depends_on '{on}': service_healthy, but it is unhealthy")
            }
            Self::Hook { hook, number, of, why } => write!(f, "{hook}, hook {number} of {of}, {why}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Step { source, .. } | Self::Copy { source, .. } | Self::Lost { source } => Some(source),
            Self::NoImage { .. }
            | Self::OtherPlatform { .. }
            | Self::NoVolume { .. }
            | Self::VolumeTaken { .. }
            | Self::HolderEnded { .. }
            | Self::Over
            | Self::NoHealthCheck { .. }
            | Self::Ended { .. }
            | Self::NoSuccess { .. }
            | Self::Late { .. }
            | Self::NeverReady { .. }
            | Self::Unhealthy { .. }
            | Self::Hook { .. } => None,
        }
    }
}

/// The failure of a step.
pub(super) fn step(step: &'static str) -> impl Fn(engine::Error) -> Error {
    move |source| Error::Step { step, source }
}

/// Goes on without a call that is forbidden, as by a proxy in front of the engine: one line says what is lost.
pub(super) fn if_allowed<T>(result: Result<T, engine::Error>, lost: &str) -> Result<Option<T>, engine::Error> {
    match result {
        Err(error) if error.is_forbidden() => {
            log::warn!("{lost}: {}", chain(&error));
            Ok(None)
        }
        result => result.map(Some),
    }
}

/// An error and what caused it, as one sentence.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
