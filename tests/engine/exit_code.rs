//! What the controller ends with.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use serde_json::json;

use crate::support::real_engine::{BUSYBOX, Pod, docker, sh, stays, until};

/// So many pods at once keep two cores busy.
const AT_ONCE: usize = 6;

#[test]
fn each_exit_code_of_a_component_is_the_controllers() {
    let next = AtomicI32::new(0);
    let work = || {
        let mut wrong = Vec::new();
        loop {
            let code = next.fetch_add(1, Ordering::Relaxed);
            if code > 255 {
                return wrong;
            }
            let ended = Pod::new().options("--network none").component("app", sh(&format!("exit {code}"))).end();
            if ended.code != Some(code) {
                wrong.push((code, ended.code, ended.err()));
            }
        }
    };
    let wrong = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(thread::ScopedJoinHandle::join);
        results.flat_map(|wrong| wrong.expect("no worker fails")).collect::<Vec<_>>()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_component_that_dies_of_a_signal_ends_the_pod_with_128_and_its_number() {
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("SEGV", 139)] {
        let ended = Pod::new().component("app", sh(&format!("kill -{signal} $$"))).component("other", stays()).end();
        assert_eq!(ended.code, Some(code), "{}", ended.err());
    }
}

#[test]
fn the_first_component_to_end_ends_the_pod_and_the_others_codes_do_not_count() {
    let ended =
        Pod::new().component("app", sh("exit 0")).component("other", sh("trap 'exit 9' TERM; sleep 1000 & wait")).end();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
}

/// The others join what it shares while it ends: that they fail then is not the reason.
#[test]
fn a_component_that_ends_while_others_start_is_the_cause() {
    let run = |pod: usize| {
        let script = format!("sleep 0.{:02}; exit 5", 2 * pod);
        let pod = Pod::new().component("app", sh(&script));
        let ended = pod.component("db", stays()).component("web", stays()).end();
        assert_eq!(ended.code, Some(5), "{}", ended.err());
    };
    for quarter in 0..4 {
        thread::scope(|scope| {
            for pod in 0..4 {
                scope.spawn(move || run(4 * quarter + pod));
            }
        });
    }
}

#[test]
fn a_command_that_does_not_exist_is_125() {
    let missing = json!({"image": BUSYBOX, "command": ["/no/such/command"]});
    let ended = Pod::new().component("app", missing).component("other", stays()).end();
    assert_eq!(ended.code, Some(125));
    for part in ["error: component 'app': cannot start", "/no/such/command"] {
        assert!(ended.err().contains(part), "{}", ended.err());
    }
}

#[test]
fn a_component_that_somebody_else_ends_ends_the_pod() {
    for (words, code) in [(["kill", "--signal=KILL"], 137), (["stop", "--time=10"], 143), (["rm", "--force"], 137)] {
        let pod = Pod::new().component("app", stays()).component("other", stays()).run();
        pod.tells("podlike: app: started").tells("podlike: other: started");
        docker(&[words[0], words[1], &pod.of("app")]);
        let ended = pod.end();
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.err());
    }
}

#[test]
fn swarm_and_docker_can_restart_on_failure_because_of_it() {
    let pod = Pod::new().options("--restart on-failure:2").component("app", sh("exit 3")).create();
    docker(&["start", &pod.name]);
    until("it gave up", || {
        let state = docker(&["inspect", "--format", "{{.RestartCount}} {{.State.Status}}", &pod.name]);
        state == "2 exited"
    });
    let log = docker(&["logs", &pod.name]);
    assert_eq!(log.matches("podlike: the pod ended with component 'app', exit code 3").count(), 3, "{log}");
    assert!(pod.components().is_empty());
}
