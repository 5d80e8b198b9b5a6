//! Services of Swarm, which only a manager tells of.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::types::null_is_empty;
use super::{Engine, Error, QUICK, encoded};
use crate::http::Payload;

/// The part of `GET /services/ID` that we read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Service {
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Spec {
    #[serde(deserialize_with = "null_is_empty")]
    labels: BTreeMap<String, String>,
    task_template: TaskTemplate,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TaskTemplate {
    container_spec: ContainerSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContainerSpec {
    /// In nanoseconds.
    stop_grace_period: Option<u64>,
}

impl Service {
    /// The time that its tasks have to stop, if it says one.
    pub fn grace(&self) -> Option<Duration> {
        self.spec.task_template.container_spec.stop_grace_period.map(Duration::from_nanos)
    }

    /// Its own labels, which its containers do not have.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.spec.labels
    }
}

impl Engine {
    /// `GET /services/ID`. None where the engine is no manager of a swarm.
    pub fn service(&self, id: &str) -> Result<Option<Service>, Error> {
        let path = format!("/services/{}", encoded(id));
        match self.read("GET", &path, Payload::Nothing, QUICK) {
            Ok(service) => Ok(Some(service)),
            Err(error) if error.is_not_found() || error.is_unavailable() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_of_a_service_is_in_nanoseconds_and_may_be_missing() {
        let service = |text: &str| -> Service { serde_json::from_str(text).expect("a service") };
        let text = r#"{"ID":"s","Spec":{"TaskTemplate":{"ContainerSpec":{"Image":"x","StopGracePeriod":4000000000}}}}"#;
        assert_eq!(service(text).grace(), Some(Duration::from_secs(4)));
        assert_eq!(service(r#"{"Spec":{"Labels":null,"TaskTemplate":{"ContainerSpec":{}}}}"#).grace(), None);
        assert_eq!(service(r#"{"Spec":{"Labels":{"a":"b"}}}"#).labels(), &[("a".into(), "b".into())].into());
    }
}
