//! `podlike healthcheck`: what the engine runs in the controller to learn the pod's health.

use crate::cli::Settings;
use crate::health::{self, Health};

use super::{Error, Outcome, health_name, version};

/// Prints the health of the pod. A controller that does not answer is unhealthy.
pub fn healthcheck(settings: &Settings) -> Result<Outcome, Error> {
    let health = match health::ask(&health_name(settings)?) {
        Ok(health) => {
            version::print(&health.to_string())?;
            health
        }
        Err(error) => {
            version::print(&format!("unhealthy: the controller does not answer: {error}"))?;
            Health::Unhealthy
        }
    };
    Ok(Outcome::Health(health))
}
