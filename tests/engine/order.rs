//! What starts before what, and what never starts.

use serde_json::{Value, json};

use crate::support::real_engine::{CHECKED, Events, Pod, exec, place, sh, stays, with};

/// A component that waits for another one.
fn after(on: &str, condition: &str) -> Value {
    with(stays(), json!({"depends_on": {on: {"condition": condition}}}))
}

#[test]
fn init_components_run_one_after_the_other_and_then_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let note = |what: &str| {
        let volume = format!("{}:/notes", folder.path().display());
        with(sh(&format!("echo {what} >>/notes/all; sleep 0.2; cat /notes/all")), json!({"volumes": [volume]}))
    };
    let events = Events::subscribe();
    let pod = Pod::new()
        .init(&[note("first"), note("second"), note("third")])
        .component("app", note("app"))
        .flags("-logs")
        .run();
    let ended = pod.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    for line in ["first", "second", "third", "app"] {
        assert!(ended.out().contains(&format!("[out] app: {line}\n")), "{}", ended.out());
    }
    let notes = std::fs::read_to_string(folder.path().join("all")).expect("notes");
    assert_eq!(notes, "first\nsecond\nthird\napp\n");
    let history = events.of(&pod);
    let places = ["init-1", "init-2", "init-3"]
        .map(|name| [place(&history, &format!("create {name}")), place(&history, &format!("die {name}"))]);
    assert!(places.concat().is_sorted(), "{history:?}");
    assert!(place(&history, "die init-3") < place(&history, "create app"), "{history:?}");
}

#[test]
fn an_init_component_that_fails_ends_the_pod_with_its_code_before_anything_else_is_made() {
    let events = Events::subscribe();
    let pod = Pod::new().init(&[sh("exit 0"), sh("exit 7"), sh("exit 0")]).component("app", stays()).run();
    let ended = pod.end();
    assert_eq!(ended.code, Some(7), "{}", ended.err());
    let history = events.of(&pod);
    assert!(place(&history, "die init-1") < place(&history, "create init-2"));
    for never in ["create init-3", "create app"] {
        assert!(!history.contains(&never.to_owned()), "{history:?}");
    }
}

#[test]
fn service_started_waits_for_the_start() {
    let events = Events::subscribe();
    let pod = Pod::new().component("app", with(stays(), json!({"depends_on": ["db"]}))).component("db", stays()).run();
    pod.tells("podlike: app: started").stop();
    let history = events.of(&pod);
    assert!(place(&history, "start db") < place(&history, "create app"), "{history:?}");
}

#[test]
fn service_healthy_waits_for_the_first_passed_check() {
    let events = Events::subscribe();
    let pod = Pod::new()
        .component("app", after("db", "service_healthy"))
        .component(
            "db",
            with(
                stays(),
                json!({
                    "healthcheck": {"test": "test -e /tmp/ready", "interval": "1s", "retries": 1000},
                }),
            ),
        )
        .run();
    pod.tells("podlike: db: started");
    exec(&pod.of("db"), "touch /tmp/ready");
    pod.tells("podlike: app: started").stop();
    let history = events.of(&pod);
    assert!(place(&history, "health_status: healthy db") < place(&history, "create app"), "{history:?}");
}

#[test]
fn service_completed_successfully_waits_for_the_end_which_does_not_end_the_pod() {
    let events = Events::subscribe();
    let pod = Pod::new()
        .component("app", after("job", "service_completed_successfully"))
        .component("job", sh("sleep 0.3"))
        .run();
    pod.tells("podlike: app: started").stop();
    let history = events.of(&pod);
    assert!(place(&history, "die job") < place(&history, "create app"), "{history:?}");
}

#[test]
fn a_dependency_that_does_not_hold_ends_the_pod() {
    let events = Events::subscribe();
    let failing = Pod::new()
        .component("app", after("job", "service_completed_successfully"))
        .component("job", sh("exit 3"))
        .run();
    let ended = failing.end();
    assert_eq!(ended.code, Some(3), "{}", ended.err());
    let history = events.of(&failing);
    assert!(!history.contains(&"create app".to_owned()), "{history:?}");

    for (db, parts) in [
        (stays(), ["component 'app'", "it has no health check"]),
        (with(stays(), json!({"image": CHECKED})), ["component 'app'", "it is unhealthy"]),
    ] {
        let pod = Pod::new().component("app", after("db", "service_healthy")).component("db", db);
        let ended = pod.end();
        assert_eq!(ended.code, Some(125), "{}", ended.err());
        for part in parts {
            assert!(ended.err().contains(part), "{}", ended.err());
        }
    }
}
