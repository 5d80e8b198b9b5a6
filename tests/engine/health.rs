//! The pod's health, as the engine and `podlike healthcheck` show it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::real_engine::{CHECKED, Events, Pod, Running, exec, inspect, stays, try_docker, until, with};

/// With a check that passes while there is a `/tmp/healthy`.
fn checked() -> Value {
    with(stays(), json!({"image": CHECKED}))
}

fn check_often(pod: Pod) -> Pod {
    pod.options("--health-interval=1s --health-retries=1")
}

/// What `podlike healthcheck` says in the controller, and its exit code.
fn asked(pod: &Running) -> (Option<i32>, String) {
    try_docker(&["exec", pod.name(), "/podlike", "healthcheck"])
}

fn until_engine_says(pod: &Running, health: &str) {
    until(&format!("the engine says {health}"), || inspect(pod.name())["State"]["Health"]["Status"] == health);
}

#[test]
fn starting_healthy_unhealthy_and_back() {
    let events = Events::subscribe();
    let pod = check_often(Pod::new())
        .component("app", checked())
        .component("db", checked())
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
    let begun = Instant::now();
    assert_eq!(asked(&pod), (Some(0), "healthy".to_owned()));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    exec(&pod.of("app"), "rm /tmp/healthy");
    until_engine_says(&pod, "unhealthy");
    assert_eq!(asked(&pod), (Some(1), "unhealthy".to_owned()));
    exec(&pod.of("app"), "touch /tmp/healthy");
    until_engine_says(&pod, "healthy");
    pod.stop();
    let history = events.of(&pod);
    let seen: Vec<_> = history.iter().filter_map(|action| action.strip_prefix("health_status: ")).collect();
    let controllers: Vec<_> = seen.into_iter().filter(|health| !health.contains(' ')).collect();
    assert_eq!(controllers, ["healthy", "unhealthy", "healthy"]);
}

#[test]
fn starting_until_the_first_check_and_while_an_init_component_runs() {
    let slow = json!({"healthcheck": {"test": "true", "interval": "1000s"}});
    let pod = check_often(Pod::new()).component("app", with(stays(), slow)).run();
    pod.tells("podlike: app: started");
    assert_eq!(asked(&pod), (Some(1), "starting".to_owned()));
    pod.stop();

    let pod = check_often(Pod::new()).init(&[checked()]).component("app", stays()).run();
    pod.tells("podlike: init-1: started");
    assert_eq!(asked(&pod), (Some(1), "starting".to_owned()));
    assert_eq!(inspect(&pod.of("init-1"))["Config"]["Healthcheck"]["Test"], json!(["NONE"]));
    pod.stop();
}

#[test]
fn a_read_only_controller_has_health_too() {
    let pod = check_often(Pod::new()).options("--read-only").component("app", checked()).run();
    pod.tells("podlike: app: started");
    exec(&pod.of("app"), "touch /tmp/healthy");
    until_engine_says(&pod, "healthy");
    assert_eq!(asked(&pod), (Some(0), "healthy".to_owned()));
    pod.stop();
}

#[test]
fn without_checks_a_pod_is_healthy_once_it_runs() {
    let pod = check_often(Pod::new()).component("app", stays()).component("db", stays()).run();
    until_engine_says(&pod, "healthy");
    pod.stop();
}
