//! The engine restarts a pod that failed, and on demand.

use crate::support::real_engine::{Pod, docker, inspect, sh, stays, try_docker, until};

#[test]
fn a_pod_that_fails_is_restarted_by_its_policy_and_ends_with_its_code() {
    let pod = Pod::new().options("--restart on-failure:2").component("app", sh("exit 3")).create();
    docker(&["start", &pod.name]);
    until("it gave up", || {
        let container = inspect(&pod.name);
        container["RestartCount"] == 2 && container["State"]["Running"] == false
    });
    assert_eq!(inspect(&pod.name)["State"]["ExitCode"], 3);
    assert!(pod.components().is_empty());
}

#[test]
fn a_restart_by_hand_runs_the_pod_again() {
    let pod = Pod::new().component("app", stays()).run();
    pod.tells("podlike: app: started");
    let before = inspect(&pod.of("app"))["Id"].clone();
    docker(&["restart", pod.name()]);
    until("it runs again", || try_docker(&["exec", &pod.of("app"), "true"]).0 == Some(0));
    assert_ne!(inspect(&pod.of("app"))["Id"], before);
    docker(&["stop", pod.name()]);
    assert!(pod.container.components().is_empty());
}
