//! What the controller asks a component by itself.

use std::time::Duration;

use serde::Serialize;

/// The probes of a component.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Probes {
    /// Fails when the component must be restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<Probe>,
    /// Passes while the component can do its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Probe>,
    /// Passes once the component has started: the others wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<Probe>,
}

impl Probes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether they tell when the component is ready.
    pub fn tell_readiness(&self) -> bool {
        self.readiness.is_some() || self.startup.is_some()
    }
}

/// A question that is asked again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// The question.
    #[serde(flatten)]
    pub check: Check,
    /// From one question to the next.
    #[serde(serialize_with = "super::plan::seconds")]
    pub interval: Duration,
    /// How long an answer may take.
    #[serde(serialize_with = "super::plan::seconds")]
    pub timeout: Duration,
    /// How many failures in a row count; at least one.
    pub retries: u32,
    /// How long after the start failures don't count, until the first success.
    #[serde(serialize_with = "super::plan::seconds", skip_serializing_if = "Duration::is_zero")]
    pub start_period: Duration,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// Whether a command in the component ends with 0.
    Exec(Vec<String>),
}
