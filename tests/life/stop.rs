//! A stop is orderly, with each one's grace; whatever ends leaves no process, container or volume.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::abilities::Abilities;
use crate::support::lookout::look;
use crate::support::real_engine::{Pod, docker, inspect, sh, stays, until, with};

#[test]
fn a_stop_by_the_engine_leaves_nothing_and_ends_with_0() {
    let pod = Pod::new().component("app", stays()).component("db", sh("trap 'exit 3' TERM; sleep 1000 & wait")).run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    let begun = Instant::now();
    docker(&["stop", "--time=30", pod.name()]);
    assert!(begun.elapsed() < Duration::from_secs(28), "{:?}", begun.elapsed());
    let ended = pod.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
}

#[test]
fn each_component_has_its_own_stop_signal_and_grace() {
    let polite = with(
        sh("trap 'echo got QUIT; exit 0' QUIT; echo ready; sleep 1000 & wait"),
        json!({"stop_signal": "SIGQUIT", "stop_grace_period": "30s"}),
    );
    let stubborn =
        with(sh("trap '' TERM; echo ready; while :; do sleep 1000; done"), json!({"stop_grace_period": "2s"}));
    let pod = Pod::new().component("polite", polite).component("stubborn", stubborn).flags("-logs").run();
    pod.says("[out] polite: ready").says("[out] stubborn: ready");
    let begun = Instant::now();
    let ended = pod.stop();
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(28), "{took:?}");
    assert!(ended.out().contains("[out] polite: got QUIT"), "{}", ended.out());
}

#[test]
fn a_second_signal_means_now() {
    let stubborn =
        with(sh("trap '' TERM INT; echo ready; while :; do sleep 1000; done"), json!({"stop_grace_period": "100s"}));
    let pod = Pod::new().component("app", stubborn).flags("-logs").run();
    pod.says("ready").signal("TERM").tells("podlike: got SIGTERM");
    let ended = pod.signal("INT").end();
    assert_eq!(ended.code, Some(143), "{}", ended.err());
}

/// The PID namespace is shared, so nothing but the engine ends what such a component leaves.
#[test]
fn a_component_that_has_ended_leaves_no_process() {
    let script = "(setsid sleep 987654 >/dev/null 2>&1 &) ; sleep 0.3; echo forked";
    let app = json!({"depends_on": {"job": {"condition": "service_completed_successfully"}}});
    let pod = Pod::new().component("job", sh(script)).component("app", with(stays(), app)).flags("-logs").run();
    pod.says("[out] job: forked").tells("podlike: app: started");
    let app = pod.of("app");
    until("the orphan has gone", || !docker(&["exec", &app, "ps"]).contains("sleep 987654"));
    pod.stop();
}

#[test]
fn a_component_that_somebody_else_ends_ends_the_pod() {
    // Docker kills what it is made to remove, Podman stops it.
    for (words, codes) in [(["kill", "--signal=KILL"], [137, 137]), (["rm", "--force"], [137, 143])] {
        let pod = Pod::new().component("app", stays()).component("other", stays()).run();
        pod.tells("podlike: app: started").tells("podlike: other: started");
        docker(&[words[0], words[1], &pod.of("app")]);
        let ended = pod.end();
        assert_eq!(ended.code, Some(codes[usize::from(Abilities::get().podman)]), "{words:?}: {}", ended.err());
    }
}

#[test]
fn the_cgroups_of_a_pod_go_with_it() {
    let limit = if Abilities::get().memory { "--memory 64m" } else { "" };
    let pod = Pod::new().options(limit).component("app", stays()).run();
    pod.tells("podlike: app: started");
    let app = inspect(&pod.of("app"))["Id"].as_str().expect("an id").to_owned();
    let find = format!("find /cgroups -type d -name '*{}*' -o -type d -name '*{app}*'", pod.container.id);
    assert!(look(&find).lines().count() >= 2, "the cgroups are not where they were looked for");
    pod.stop();
    until("no cgroup is left", || look(&find).is_empty());
}
