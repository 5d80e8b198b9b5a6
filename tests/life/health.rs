//! The controller's health is that of its components: starting, healthy, unhealthy and back.

use crate::support::abilities::{Abilities, degraded};
use crate::support::real_engine::{CHECKED, Pod, Running, exec, inspect, stays, try_docker, until, with};

use serde_json::json;

/// What `podlike healthcheck` says in the controller, and its exit code.
fn asked(pod: &Running) -> (Option<i32>, String) {
    try_docker(&["exec", pod.name(), "/podlike", "healthcheck"])
}

fn until_engine_says(pod: &Running, health: &str) {
    until(&format!("the engine says {health}"), || inspect(pod.name())["State"]["Health"]["Status"] == health);
}

#[test]
fn starting_healthy_unhealthy_and_back() {
    let checked = with(stays(), json!({"image": CHECKED}));
    let pod = Pod::new()
        .options("--health-interval=1s --health-retries=1")
        .component("app", &checked)
        .component("db", &checked)
        .component("unchecked", stays())
        .run();
    for name in ["app", "db", "unchecked"] {
        pod.tells(&format!("podlike: {name}: started"));
    }
    // Their checks fail, until we let them pass.
    exec(&pod.of("app"), "touch /tmp/healthy");
    until("one of two is not enough", || asked(&pod) == (Some(1), "unhealthy".to_owned()));
    assert_eq!(inspect(pod.name())["State"]["Health"]["Status"], "starting");
    exec(&pod.of("db"), "touch /tmp/healthy");
    until_engine_says(&pod, "healthy");
    assert_eq!(asked(&pod), (Some(0), "healthy".to_owned()));
    exec(&pod.of("app"), "rm /tmp/healthy");
    if Abilities::get().podman {
        // A success does not end the start period there, and before its end no failure counts.
        degraded("unhealthy only after the start period");
        until("podlike says unhealthy", || asked(&pod) == (Some(1), "unhealthy".to_owned()));
    } else {
        until_engine_says(&pod, "unhealthy");
        assert_eq!(asked(&pod), (Some(1), "unhealthy".to_owned()));
    }
    exec(&pod.of("app"), "touch /tmp/healthy");
    until_engine_says(&pod, "healthy");
    pod.stop();
}

#[test]
fn without_checks_a_pod_is_healthy_once_it_runs() {
    let pod = Pod::new().options("--health-interval=1s").component("app", stays()).component("db", stays()).run();
    until_engine_says(&pod, "healthy");
    pod.stop();
}

#[test]
fn starting_until_the_first_check() {
    let slow = json!({"healthcheck": {"test": "true", "interval": "1000s"}});
    let pod = Pod::new().component("app", with(stays(), slow)).run();
    pod.tells("podlike: app: started");
    assert_eq!(asked(&pod), (Some(1), "starting".to_owned()));
    pod.stop();
}
