//! Services of Swarm, which only a manager tells of.

use std::time::Duration;

use serde::Deserialize;

use super::http::Payload;
use super::{Engine, Error, QUICK, encoded};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Service {
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Spec {
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

impl Engine {
    /// `GET /services/ID`: the time that tasks of a service have to stop, if it says one. None where the engine is no
    /// manager of a swarm.
    pub fn service_grace(&self, id: &str) -> Result<Option<Duration>, Error> {
        let path = format!("/services/{}", encoded(id));
        match self.read::<Service>("GET", &path, Payload::Nothing, QUICK) {
            Ok(service) => Ok(service.spec.task_template.container_spec.stop_grace_period.map(Duration::from_nanos)),
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
        let grace = |text: &str| {
            let service: Service = serde_json::from_str(text).expect("a service");
            service.spec.task_template.container_spec.stop_grace_period
        };
        let text = r#"{"ID":"s","Spec":{"TaskTemplate":{"ContainerSpec":{"Image":"x","StopGracePeriod":4000000000}}}}"#;
        assert_eq!(grace(text).map(Duration::from_nanos), Some(Duration::from_secs(4)));
        assert_eq!(grace(r#"{"Spec":{"TaskTemplate":{"ContainerSpec":{}}}}"#), None);
    }
}
