//! Hooks: commands in a component that has started, or is about to be stopped, and containers that run before it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::real_engine::{Events, Pod, exec, place, sh, stays, try_docker, until, with};

/// Notes what happens in it, and ends at a TERM.
const NOTES: &str = "trap 'echo got TERM; exit 0' TERM; echo began; while :; do sleep 0.1; done";

#[test]
fn post_start_runs_in_the_component_before_who_waits_for_it() {
    let hooks = json!({
        "user": "app",
        "environment": {"OWN": "component", "OVER": "component"},
        "post_start": [
            {"command": ["sh", "-c", "(id -un; id -Gn; pwd; echo $OWN $OVER) >/tmp/first"], "working_dir": "/etc", "environment": ["OVER=hook"]},
            {"command": "sh -c 'cat /tmp/first >/tmp/second; id -un >>/tmp/second; sleep 1'", "user": "root"},
        ],
    });
    let wait = json!({"depends_on": ["app"]});
    let events = Events::subscribe();
    let pod = Pod::new().component("app", with(stays(), hooks)).component("web", with(stays(), wait)).run();
    pod.tells("podlike: web: started");
    assert_eq!(exec(&pod.of("app"), "cat /tmp/second"), "app\napp\n/etc\ncomponent hook\nroot");
    pod.stop();
    let history = events.of(&pod);
    let ends: Vec<_> = history.iter().filter(|action| *action == "exec_die app").collect();
    assert!(ends.len() >= 2, "{history:?}");
    assert!(place(&history, "exec_die app") < place(&history, "create web"), "{history:?}");
}

/// A machine in a machine may not give all capabilities away: then a hook fails as a command by hand does.
#[test]
fn a_privileged_hook_may_what_docker_makes_of_it() {
    const LOOK: &str = "grep CapEff /proc/self/status";
    let app = with(stays(), json!({"cap_drop": ["ALL"]}));
    let pod = Pod::new().component("app", app.clone()).run();
    pod.tells("podlike: app: started");
    let none = exec(&pod.of("app"), LOOK);
    let (code, by_hand) = try_docker(&["exec", "--privileged", &pod.of("app"), "sh", "-c", LOOK]);
    assert_ne!(none, by_hand);
    pod.stop();

    let hook = json!({"command": ["sh", "-c", format!("{LOOK} >/tmp/caps")], "privileged": true});
    let pod = Pod::new().component("app", with(app, json!({"post_start": [hook]}))).run();
    if code == Some(0) {
        pod.tells("podlike: app: started");
        assert_eq!(exec(&pod.of("app"), "cat /tmp/caps"), by_hand);
        pod.stop();
    } else {
        let ended = pod.end();
        assert_eq!(ended.code, Some(125), "{}", ended.err());
        assert!(ended.err().contains("unable to apply caps"), "{}\n{by_hand}", ended.err());
    }
}

#[test]
fn a_post_start_that_fails_ends_the_pod_with_125_and_its_words() {
    for (command, parts) in [
        (json!(["sh", "-c", "echo trying; echo no way >&2; exit 3"]), ["ended with exit code 3", "trying", "no way"]),
        (json!(["/no/such/command"]), ["ended with exit code 12", "/no/such/command", "no such file or directory"]),
    ] {
        let app = with(sh(NOTES), json!({"post_start": [{"command": "true"}, {"command": command}]}));
        let ended = Pod::new().component("app", app).flags("-logs").end();
        assert_eq!(ended.code, Some(125), "{}", ended.err());
        assert!(ended.err().contains("component 'app': post_start, hook 2 of 2, "), "{}", ended.err());
        for part in parts {
            assert!(ended.err().contains(part), "no {part:?} in {}", ended.err());
        }
    }
}

#[test]
fn a_component_that_ends_during_its_post_start_ends_with_its_own_code() {
    let app = with(sh("sleep 0.5; exit 4"), json!({"post_start": [{"command": "sleep 1000"}]}));
    let ended = Pod::new().component("app", app).end();
    assert_eq!(ended.code, Some(4), "{}", ended.err());
    assert!(ended.err().contains("app: it ended before its post_start was done"), "{}", ended.err());
}

#[test]
fn a_pod_can_be_ended_while_a_post_start_hangs() {
    let hook = json!({"post_start": [{"command": ["sh", "-c", "touch /tmp/began; sleep 1000"]}]});
    let pod = Pod::new().component("app", with(sh(NOTES), hook)).run();
    let runs = || try_docker(&["exec", &pod.of("app"), "test", "-e", "/tmp/began"]).0 == Some(0);
    until("the hook runs", runs);
    let begun = Instant::now();
    let ended = pod.stop();
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    assert!(!ended.err().contains("app: started"), "{}", ended.err());
}

#[test]
fn pre_stop_runs_before_the_stop_signal_and_within_the_grace() {
    // What it writes to the output of PID 1 of the component is seen in order.
    let drain = json!({"pre_stop": [{"command": ["sh", "-c", "sleep 1; echo drained >/tmp/note"]}], "stop_grace_period": "20s"});
    let script = "trap 'cat /tmp/note; echo got TERM; exit 0' TERM; echo began; while :; do sleep 0.1; done";
    let pod = Pod::new().component("app", with(sh(script), drain)).flags("-logs").run();
    pod.says("[out] app: began").tells("podlike: app: started");
    let ended = pod.stop();
    assert!(ended.out().ends_with("[out] app: drained\n[out] app: got TERM\n"), "{}", ended.out());
    assert!(!ended.err().contains("pre_stop"), "{}", ended.err());

    let hangs = json!({"pre_stop": [{"command": "sleep 1000"}], "stop_grace_period": "3s"});
    let pod = Pod::new().component("app", with(sh(NOTES), hangs)).flags("-logs").run();
    pod.says("[out] app: began").tells("podlike: app: started");
    let begun = Instant::now();
    let ended = pod.stop();
    assert!((2..12).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(ended.err().contains("app: pre_stop, hook 1 of 1, takes too long; it runs on"), "{}", ended.err());
    assert!(ended.out().ends_with("[out] app: got TERM\n"), "{}", ended.out());
}

#[test]
fn who_ends_by_itself_has_no_pre_stop() {
    let hook =
        json!({"pre_stop": [{"command": ["sh", "-c", "echo left >/shared/$NAME"]}], "volumes": ["shared:/shared"]});
    let named = |name: &str, script: &str| with(with(sh(script), hook.clone()), json!({"environment": {"NAME": name}}));
    let folder = tempfile::tempdir().expect("a folder");
    let shared = json!([format!("{}:/shared", folder.path().display())]);
    let ended = Pod::new()
        .component("job", with(named("job", "sleep 0.5; exit 5"), json!({"volumes": shared, "depends_on": ["web"]})))
        .component("web", with(named("web", NOTES), json!({"volumes": shared})))
        .end();
    assert_eq!(ended.code, Some(5), "{}", ended.err());
    assert!(folder.path().join("web").exists() && !folder.path().join("job").exists(), "{}", ended.err());
}

#[test]
fn pre_start_runs_before_the_component_with_what_it_has() {
    let component = json!({
        "user": "app",
        "environment": {"WORD": "hello"},
        "volumes": ["scratch:/data"],
        "pre_start": [
            {"command": ["sh", "-c", "mkdir /data/own && chown app /data/own"], "user": "root"},
            {"command": ["sh", "-c", "echo $WORD $MORE by $(id -un) >/data/own/note"], "environment": {"MORE": "there"}},
        ],
    });
    let ended = Pod::new()
        .label("pod.volume.scratch", "")
        .component("app", with(sh("cat /data/own/note"), component))
        .flags("-logs")
        .end();
    assert_eq!((ended.code, ended.out().as_str()), (Some(0), "[out] app: hello there by app\n"), "{}", ended.err());

    let events = Events::subscribe();
    let pod = Pod::new()
        .component("app", with(stays(), json!({"pre_start": [{"command": "true"}, {"command": "sh -c 'exit 6'"}]})))
        .run();
    let ended = pod.end();
    assert_eq!(ended.code, Some(6), "{}", ended.err());
    let history = events.of(&pod);
    assert!(place(&history, "die app-pre-1") < place(&history, "create app-pre-2"), "{history:?}");
    assert!(!history.contains(&"create app".to_owned()), "{history:?}");
}
