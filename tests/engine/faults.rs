//! What befalls a component, by itself or by somebody else, while its pod runs: the code, the words, and nothing left.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::abilities::Abilities;
use crate::support::real_engine::{BUSYBOX, Pod, docker, inspect, sh, stays, try_docker, until, with};

/// A pod of `app` and `db` that runs.
fn runs() -> crate::support::real_engine::Running {
    let pod = Pod::new().component("app", stays()).component("db", stays()).run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    pod
}

#[test]
fn whoever_ends_a_component_from_outside_ends_the_pod_with_its_code() {
    for (words, code) in [
        (&["rm", "--force"][..], 137),
        (&["stop"], 143),
        (&["kill", "--signal=KILL"], 137),
        (&["kill", "--signal=TERM"], 143),
        // The engine starts it again, and the pod has ended meanwhile.
        (&["restart"], 143),
    ] {
        let pod = runs();
        let app = pod.of("app");
        // A restart of what is removed at its end may fail.
        try_docker(&[words, &[app.as_str()]].concat());
        let ended = pod.end();
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.err());
        let told = format!("the pod ended with component 'app', exit code {code}");
        assert!(ended.err().contains(&told), "{words:?}: {}", ended.err());
    }
}

#[test]
fn a_component_that_somebody_pauses_runs_on_afterwards_and_ends_with_the_pod() {
    let pod = runs();
    docker(&["pause", &pod.of("app")]);
    docker(&["unpause", &pod.of("app")]);
    assert!(inspect(&pod.of("app"))["State"]["Running"] == true);
    // And one that is still paused at the end.
    docker(&["pause", &pod.of("db")]);
    let begun = Instant::now();
    let ended = pod.stop();
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}: {}", begun.elapsed(), ended.err());
}

#[test]
fn a_component_that_takes_too_much_memory_ends_the_pod_as_killed() {
    if !Abilities::get().memory {
        return;
    }
    let greedy = with(sh("dd if=/dev/zero of=/dev/null bs=256M count=1; exit 3"), json!({"mem_limit": "16m"}));
    let alone = with(sh("exec dd if=/dev/zero of=/dev/null bs=256M count=1"), json!({"mem_limit": "16m"}));
    let ended = Pod::new().component("app", alone).component("db", stays()).end();
    assert_eq!(ended.code, Some(137), "{}", ended.err());
    // A child that is killed is the component's own business.
    let ended = Pod::new().component("app", greedy).component("db", stays()).end();
    assert_eq!(ended.code, Some(3), "{}", ended.err());
}

#[test]
fn a_component_that_is_deaf_to_term_is_killed_after_its_grace() {
    let deaf = with(sh("trap '' TERM; echo ready; while :; do sleep 1; done"), json!({"stop_grace_period": "1s"}));
    let pod = Pod::new().component("app", deaf).component("db", stays()).flags("-logs").run();
    pod.says("[out] app: ready");
    let begun = Instant::now();
    pod.stop();
    assert!(
        begun.elapsed() > Duration::from_secs(1) && begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn two_controllers_whose_names_begin_alike_leave_each_other_alone() {
    let one = Pod::new();
    let name = one.of("");
    let other = Pod::new().named(&format!("{name}x"));
    let (one, other) = (one.component("app", stays()).run(), other.component("app", stays()).run());
    one.tells("podlike: app: started");
    other.tells("podlike: app: started");
    one.stop();
    assert_eq!(other.container.components().len(), 1);
    // Neither by a start of the first, nor by its end.
    let one = one.again();
    one.tells("podlike: app: started");
    assert_eq!(other.container.components().len(), 1);
    other.stop();
    assert_eq!(one.container.components().len(), 1);
    one.stop();
}

#[test]
fn a_component_named_like_somebody_elses_container_fails_and_leaves_that_alone() {
    let pod = Pod::new();
    let name = pod.of("app");
    docker(&["run", "--detach", "--label=podlike-test", "--name", &name, BUSYBOX, "tail", "-f", "/dev/null"]);
    let ended = pod.component("app", stays()).component("db", stays()).end();
    let left = inspect(&name)["State"]["Running"].clone();
    docker(&["rm", "--force", &name]);
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    for part in ["error: component 'app': cannot create its container", "is already in use"] {
        assert!(ended.err().contains(part), "{}", ended.err());
    }
    assert_eq!(left, true, "somebody else's container is gone");
}

/// As many as a small machine runs in a minute; 500 are in `tests/many.rs`.
#[test]
fn sixty_components_start_and_end() {
    let mut pod = Pod::new();
    for number in 0..60 {
        pod = pod.component(&format!("app{number}"), stays());
    }
    let pod = pod.run();
    let mut least = 0;
    until("all of them run", || {
        least = least.max(pod.container.components().iter().filter(|line| line.contains(" Up ")).count());
        least == 60
    });
    let status = std::fs::read_to_string(format!("/proc/{}/status", inspect(pod.name())["State"]["Pid"]));
    let resident = kilobytes(&status.expect("the engine runs here"));
    let begun = Instant::now();
    let ended = pod.stop();
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}: {}", begun.elapsed(), ended.err());
    assert!(resident < 40 << 10, "{resident} KiB");
}

/// `VmRSS` of a `/proc/PID/status`.
fn kilobytes(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or_default()
}
