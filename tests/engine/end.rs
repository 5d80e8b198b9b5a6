//! How a pod ends: signals at any moment, graces, orphans. What holds on every engine is in `tests/life`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::real_engine::{Events, Pod, exec, sh, silent_registry, stays, until, with};

/// Ends only by force.
fn stubborn(grace: &str) -> Value {
    let script = sh("trap '' TERM INT; echo ready; while :; do sleep 1000; done");
    with(script, json!({"stop_grace_period": grace}))
}

#[test]
fn term_in_the_middle_of_a_pull_ends_the_pod() {
    let (registry, until_asked) = silent_registry();
    let image = json!({"image": format!("{registry}/app:1")});
    let pod = Pod::new().component("db", stays()).component("web", image).run();
    pod.tells("podlike: db: started");
    until_asked();
    let begun = Instant::now();
    pod.stop();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn term_while_a_component_waits_for_another_ends_the_pod() {
    let check = json!({"healthcheck": {"test": "false", "interval": "1s", "retries": 1000}});
    let app = with(stays(), json!({"depends_on": {"db": {"condition": "service_healthy"}}}));
    let events = Events::subscribe();
    let pod = Pod::new().component("app", app).component("db", with(stays(), check)).run();
    pod.tells("podlike: db: started").stop();
    let history = events.of(&pod);
    assert!(!history.contains(&"create app".to_owned()), "{history:?}");

    let pod = Pod::new().init(&[stays()]).component("app", stays()).run();
    pod.tells("podlike: init-1: started").stop();
}

#[test]
fn a_signal_right_after_the_start_ends_the_pod() {
    for signal in ["TERM", "INT"] {
        let pod = Pod::new().component("app", stays()).component("db", stays()).run();
        pod.tells("podlike: starting app, db").signal(signal);
        let ended = pod.end();
        assert_eq!(ended.code, Some(0), "{signal}: {}", ended.err());
    }
}

#[test]
fn each_component_has_its_own_stop_signal_and_grace() {
    let on = |signal: &str| {
        let script = format!("trap 'echo got {signal}; exit 0' {signal}; echo ready; sleep 1000 & wait");
        with(sh(&script), json!({"stop_signal": format!("SIG{signal}")}))
    };
    let pod = Pod::new()
        .component("patient", with(on("USR1"), json!({"stop_grace_period": "30s"})))
        .component("polite", on("QUIT"))
        .component("stubborn", stubborn("2s"))
        .flags("-logs")
        .run();
    for name in ["patient", "polite", "stubborn"] {
        pod.says(&format!("[out] {name}: ready"));
    }
    let begun = Instant::now();
    let ended = pod.stop();
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(9), "{took:?}");
    for line in ["patient: got USR1", "polite: got QUIT"] {
        assert!(ended.out().contains(line), "{}", ended.out());
    }
}

#[test]
fn a_second_signal_means_now() {
    let pod = Pod::new().component("app", stubborn("50s")).flags("-logs").run();
    pod.says("ready").signal("TERM").tells("podlike: got SIGTERM");
    let begun = Instant::now();
    let ended = pod.signal("INT").end();
    assert_eq!(ended.code, Some(143), "{}", ended.err());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn orphans_are_reaped() {
    let script = "for i in $(seq 100); do (sleep 1000 &); done; echo ready; tail -f /dev/null";
    let pod = Pod::new().component("app", sh(script)).component("db", stays()).flags("-logs").run();
    pod.says("ready").tells("podlike: db: started");
    // Seen from another component: they all share one PID namespace, whose PID 1 is the controller.
    let count = |what: &str| exec(&pod.of("db"), &format!("grep -l '{what}' /proc/[0-9]*/status 2>/dev/null | wc -l"));
    let orphans = exec(&pod.of("db"), "grep -lx 'PPid:.1' $(grep -lx 'Name:.sleep' /proc/[0-9]*/status) | wc -l");
    assert_eq!(orphans, "100");
    exec(&pod.of("db"), "killall sleep");
    until("no orphan is left", || count("^Name:.sleep") == "0");
    assert_eq!(count("^State:.Z"), "0");
    assert_eq!(exec(&pod.of("db"), "tr '\\0' ' ' </proc/1/cmdline"), "/podlike -logs");
    pod.stop();
}
