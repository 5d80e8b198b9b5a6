//! Jobs with a sidecar, which never ends by itself: they are done when their main component is.

use crate::support::real_engine::image;
use crate::support::swarm::{MANAGER, NODES, supplied, until};

/// A job that goes with its test: stacks know none before Docker 23.
struct Job(&'static str);

impl Job {
    fn create(name: &'static str, mode: &[&str], script: &str) -> Self {
        let app = format!("pod.component.app={{image: busybox, command: [sh, -c, '{script}']}}");
        let sidecar = "pod.component.sidecar={image: busybox, command: tail -f /dev/null, x-podlike-role: sidecar, stop_signal: KILL}";
        let socket = "type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock,readonly";
        let words = ["service", "create", "--detach", "--quiet", "--name", name, "--no-resolve-image"];
        let keys = ["--restart-condition", "none", "--mount", socket];
        let image = image();
        let labels = ["--container-label", &app, "--container-label", sidecar, &image];
        supplied();
        MANAGER.docker(&[&words, mode, keys.as_slice(), &labels].concat());
        Self(name)
    }

    /// What its tasks do, such as `Complete`.
    fn states(&self) -> Vec<String> {
        let text = MANAGER.docker(&["service", "ps", "--format", "{{.CurrentState}}", self.0]);
        text.lines().map(|state| state.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    fn ends(&self, count: usize, state: &str) {
        until(&format!("{count} tasks are {state}"), || self.states() == vec![state; count]);
        for node in NODES {
            until("no component is left", || !node.components().iter().any(|line| line.contains(self.0)));
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        MANAGER.try_docker(&["service", "rm", self.0]);
    }
}

#[test]
fn a_replicated_job_is_complete_when_its_main_components_are() {
    let job = Job::create("job-replicated", &["--mode", "replicated-job", "--replicas", "2"], "sleep 1");
    job.ends(2, "Complete");
}

#[test]
fn a_global_job_is_complete_on_each_node() {
    let job = Job::create("job-global", &["--mode", "global-job"], "sleep 1");
    job.ends(3, "Complete");
}

#[test]
fn a_job_fails_with_its_main_component() {
    let job = Job::create("job-failed", &["--mode", "replicated-job"], "exit 4");
    job.ends(1, "Failed");
    let error = MANAGER.docker(&["service", "ps", "--no-trunc", "--format", "{{.Error}}", job.0]);
    assert!(error.contains("non-zero exit (4)"), "{error}");
}
