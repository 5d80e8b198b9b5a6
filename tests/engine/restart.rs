//! Components that restart in their pod, and those that only help.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::real_engine::{Events, Pod, docker, exec, inspect, place, sh, stays, try_docker, until, with};

#[test]
fn a_restart_keeps_the_container_its_files_and_the_network() {
    let script = "echo life >>/lives; echo $(wc -l </lives) lives; test $(wc -l </lives) -gt 2 || exit 3; sleep 1000";
    let pod = Pod::new()
        .component("app", with(sh(script), json!({"restart": "always"})))
        .component("db", stays())
        .flags("-logs -restart-delay=200ms")
        .run();
    pod.says("[out] app: 1 lives").says("[out] app: 2 lives").says("[out] app: 3 lives");
    pod.tells("app: ended with exit code 3 after ").tells("restarting in 400 ms (2nd time)");
    let network = |container: &str| exec(container, "readlink /proc/self/ns/net");
    assert_eq!(network(&pod.of("app")), network(&pod.of("db")));
    assert_eq!(inspect(&pod.of("app"))["HostConfig"]["AutoRemove"], false);
    let ended = pod.stop();
    assert_eq!(ended.out().matches("3 lives").count(), 1, "{}", ended.out());
}

#[test]
fn the_last_failure_is_the_pods_code() {
    let app = with(sh("exit 7"), json!({"restart": "on-failure:2"}));
    let ended = Pod::new().component("app", app).flags("-restart-delay=100ms").end();
    assert_eq!(ended.code, Some(7), "{}", ended.err());
    assert!(ended.err().contains("restarting in 200 ms (2nd time)"), "{}", ended.err());
}

#[test]
fn a_container_that_somebody_removes_is_made_anew() {
    let pod = Pod::new()
        .component("app", with(stays(), json!({"restart": "always"})))
        .component("db", stays())
        .flags("-restart-delay=200ms")
        .run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    let before = inspect(&pod.of("app"))["Id"].clone();
    docker(&["rm", "-f", &pod.of("app")]);
    let other = |id: &str| !id.is_empty() && before != id;
    until("it runs again", || {
        let names = try_docker(&["inspect", "-f", "{{.Id}}", &pod.of("app")]);
        names.0 == Some(0) && other(names.1.trim())
    });
    pod.stop();
}

#[test]
fn a_job_completes_beside_a_sidecar_that_stops_last() {
    let events = Events::subscribe();
    let proxy = with(stays(), json!({"x-podlike-role": "sidecar"}));
    let pod = Pod::new().component("proxy", proxy).component("job", sh("sleep 1; exit 0")).run();
    let ended = pod.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    let history = events.of(&pod);
    assert!(place(&history, "start proxy") < place(&history, "create job"), "{history:?}");
    assert!(place(&history, "die job") < place(&history, "die proxy"), "{history:?}");
}

#[test]
fn who_needs_another_is_gone_before_it_is_asked_to_stop() {
    let slow = "trap 'sleep 1; exit 0' TERM; echo ready; sleep 1000 & wait";
    let events = Events::subscribe();
    let pod = Pod::new()
        .component("web", with(sh(slow), json!({"depends_on": ["db"]})))
        .component("db", stays())
        .flags("-logs")
        .run();
    pod.says("[out] web: ready").stop();
    let history = events.of(&pod);
    assert!(place(&history, "die web") < place(&history, "kill db"), "{history:?}");
}

#[test]
fn a_pod_ends_within_the_time_that_it_has() {
    let stubborn = |more| with(sh("trap '' TERM; echo ready; while :; do sleep 1000; done"), more);
    let pod = Pod::new()
        .component("web", stubborn(json!({"depends_on": ["db"]})))
        .component("db", stubborn(json!({})))
        .label("pod.stop_grace_period", "5s")
        .flags("-logs")
        .run();
    pod.says("[out] web: ready").says("[out] db: ready");
    let begun = Instant::now();
    let ended = pod.signal("TERM").end();
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}\n{}", begun.elapsed(), ended.err());
    assert_eq!(ended.code, Some(0), "{}", ended.err());
}

#[test]
fn the_leaders_code_is_the_pods() {
    let web = with(sh("trap 'exit 42' TERM; echo ready; sleep 1000 & wait"), json!({"x-podlike-leader": true}));
    let helper = with(sh("sleep 1; exit 1"), json!({"depends_on": ["web"]}));
    let ended = Pod::new().component("web", web).component("helper", helper).end();
    assert_eq!(ended.code, Some(42), "{}", ended.err());
}
