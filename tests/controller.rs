//! The binary against the fake engine: what a controller promises, a sentence each.

mod support;

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::controller::{Controller, Ended, Launch};
use support::fake_engine::{Call, FakeEngine, Fault, Flavour, Pull, Script, Status};
use support::pod::{PODLIKE, SOON, TERM, created, ends, place, pod, refuses, says, start, start_with, stops, web};

const ENDING: [Signal; 2] = [Signal::SIGTERM, Signal::SIGINT];

/// What `podlike healthcheck` prints and ends with.
fn health(engine: &FakeEngine) -> (String, i32) {
    let ended = Launch::of(PODLIKE, engine).arg("healthcheck").start().wait(SOON);
    (ended.out().trim().to_owned(), ended.code.expect("an exit code"))
}

/// The lines of one component on a stream, without their prefix.
fn lines_of<'a>(output: &'a [u8], prefix: &str) -> Vec<&'a [u8]> {
    let lines = output.split(|byte| *byte == b'\n');
    lines.filter_map(|line| line.strip_prefix(prefix.as_bytes())).collect()
}

// Order.

#[test]
fn components_without_needs_start_in_parallel() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
    // Neither comes further before both have come here.
    for name in ["a", "b"] {
        engine.fault(Call::new(&format!("POST /containers/create {name}")), Fault::Held("both".into()));
    }
    let controller = start(&engine);
    engine.until_seen("POST /containers/create", 2, SOON);
    engine.open("both");
    engine.until_running("a", SOON);
    engine.until_running("b", SOON);
    stops(&controller, &engine);
}

#[test]
fn who_depends_on_a_start_is_created_after_it() {
    let engine = pod(&[
        ("a", "{image: demo, depends_on: [b]}"),
        ("b", "{image: demo, depends_on: {c: {condition: service_started}}}"),
        ("c", "image: demo"),
    ]);
    let controller = start(&engine);
    engine.until_running("a", SOON);
    assert!(place(&engine, "POST /containers/c/start") < place(&engine, "POST /containers/create b"));
    assert!(place(&engine, "POST /containers/b/start") < place(&engine, "POST /containers/create a"));
    stops(&controller, &engine);
}

const CHECKED: &str = "{image: demo, healthcheck: {test: [CMD, check]}}";
const WANTS_DB_HEALTHY: &str = "{image: demo, depends_on: {db: {condition: service_healthy}}}";
const WANTS_DB_STARTED: &str = "{image: demo, depends_on: [db]}";

#[test]
fn who_depends_on_health_is_created_when_the_check_has_passed() {
    let engine = pod(&[("db", CHECKED), ("web", WANTS_DB_HEALTHY), ("witness", WANTS_DB_STARTED)]);
    let controller = start(&engine);
    // The witness runs, so the start of db has been dealt with.
    engine.until_running("witness", SOON);
    assert!(!created(&engine, "web"));
    engine.set_health("db", "healthy");
    engine.until_running("web", SOON);
    stops(&controller, &engine);
}

#[test]
fn the_health_check_may_be_the_one_of_the_image() {
    let engine = pod(&[("db", "image: checked"), ("web", WANTS_DB_HEALTHY)]);
    engine
        .image_with("checked", json!({"Healthcheck": {"Test": ["CMD", "check"]}}))
        .script("db", Script::new().healthy_after(Duration::from_millis(5)).until_stopped());
    let controller = start(&engine);
    engine.until_running("web", SOON);
    stops(&controller, &engine);
}

#[test]
fn who_depends_on_success_is_created_when_the_other_has_ended_with_0() {
    let engine = pod(&[
        ("job", "image: demo"),
        ("web", "{image: demo, depends_on: {job: {condition: service_completed_successfully}}}"),
        ("witness", "{image: demo, depends_on: [job]}"),
    ]);
    engine.script("job", Script::new().until_open("done").exit(0));
    let controller = start(&engine);
    engine.until_running("witness", SOON);
    assert!(!created(&engine, "web"));
    engine.open("done");
    engine.until_running("web", SOON);
    assert!(engine.is_running("witness"), "a job's success ends nothing");
    stops(&controller, &engine);
}

#[test]
fn a_dependency_that_ends_without_success_ends_the_pod_with_its_code() {
    let engine = pod(&[
        ("job", "image: demo"),
        ("web", "{image: demo, depends_on: {job: {condition: service_completed_successfully}}}"),
    ]);
    engine.script("job", Script::new().exit(9));
    let controller = start(&engine);
    ends(&controller, &engine, 9);
    assert!(!created(&engine, "web"));
}

#[test]
fn a_dependency_that_turns_unhealthy_is_a_failed_start() {
    let engine = pod(&[("db", CHECKED), ("web", WANTS_DB_HEALTHY)]);
    let controller = start(&engine);
    engine.until_running("db", SOON);
    engine.set_health("db", "unhealthy");
    let ended = ends(&controller, &engine, 125);
    says(&ended, &["component 'web': depends_on 'db': service_healthy, but it is unhealthy"]);
    assert!(!created(&engine, "web"));
}

#[test]
fn a_dependency_on_the_health_of_what_has_no_check_is_a_failed_start_that_names_it() {
    let engine = pod(&[("db", "image: demo"), ("web", WANTS_DB_HEALTHY)]);
    let controller = start(&engine);
    let ended = ends(&controller, &engine, 125);
    says(&ended, &["component 'web': depends_on 'db'", "it has no health check", "'healthcheck' of 'db'"]);
    assert!(!created(&engine, "web"));
}

#[test]
fn a_dependency_that_succeeds_before_it_was_healthy_is_a_failed_start_for_who_wants_its_health() {
    let engine = pod(&[
        ("a", CHECKED),
        ("b", "{image: demo, depends_on: {a: {condition: service_completed_successfully}}}"),
        ("c", "{image: demo, depends_on: {a: {condition: service_healthy}}}"),
    ]);
    engine.script("a", Script::new().until_open("done").exit(0));
    let controller = start(&engine);
    engine.until_running("a", SOON);
    engine.open("done");
    let ended = ends(&controller, &engine, 125);
    says(&ended, &["component 'c': depends_on 'a': service_healthy", "ended", "healthy"]);
    assert!(!created(&engine, "c"));
}

#[test]
fn init_components_run_one_after_the_other_and_before_all_others() {
    let engine = web();
    engine
        .label("pod.init.components", "[{image: demo}, {image: demo, command: two}]")
        .script("init-1", Script::new().until_open("one").exit(0))
        .script("init-2", Script::new().until_open("two").exit(0));
    let controller = start(&engine);
    engine.until_running("init-1", SOON);
    controller.until_stderr_contains("init-1: started", SOON);
    assert!(!created(&engine, "init-2") && !created(&engine, "web"));
    engine.open("one");
    engine.until_running("init-2", SOON);
    controller.until_stderr_contains("init-2: started", SOON);
    assert!(!engine.is_running("init-1") && !created(&engine, "web"));
    engine.open("two");
    engine.until_running("web", SOON);
    assert_eq!(engine.container("init-2").expect("it ran").body["Cmd"], json!(["two"]));
    stops(&controller, &engine);
}

#[test]
fn an_init_component_that_fails_ends_the_pod_with_its_code_and_no_other_is_created() {
    let engine = web();
    engine.label("pod.init.components", "[{image: demo}, {image: demo}]").script("init-1", Script::new().exit(17));
    let controller = start(&engine);
    ends(&controller, &engine, 17);
    assert_eq!(engine.seen("POST /containers/create"), 1);
}

#[test]
fn what_must_not_be_missed_is_armed_before_the_start() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
    let controller = start_with(&engine, "-logs");
    engine.until_running("a", SOON);
    engine.until_running("b", SOON);
    for name in ["a", "b"] {
        let start = place(&engine, &format!("POST /containers/{name}/start"));
        assert!(place(&engine, &format!("POST /containers/{name}/attach")) < start);
        assert!(place(&engine, &format!("POST /containers/{name}/wait")) < start);
    }
    assert!(place(&engine, "GET /events") < place(&engine, "POST /containers/create"));
    stops(&controller, &engine);
}

// The end.

#[test]
fn the_first_end_ends_the_pod_and_its_code_is_the_pods() {
    for code in [0, 1, 42, 125, 137, 255] {
        let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
        engine.script("a", Script::new().until_open("over").exit(code));
        let controller = start(&engine);
        engine.until_running("a", SOON);
        engine.until_running("b", SOON);
        engine.open("over");
        let ended = ends(&controller, &engine, i32::try_from(code).expect("small"));
        says(&ended, &[&format!("the pod ended with component 'a', exit code {code}")]);
        assert_eq!(engine.container("b").expect("it ran").signals, ["TERM"]);
    }
}

#[test]
fn a_component_that_ends_at_once_takes_the_pod_with_it() {
    let engine = web();
    engine.script("web", Script::new().exit(3));
    ends(&start(&engine), &engine, 3);
}

#[test]
fn a_component_that_is_killed_for_memory_or_by_hand_ends_the_pod_with_137() {
    let engine = web();
    engine.script("web", Script::new().oom());
    ends(&start(&engine), &engine, 137);
}

#[test]
fn a_pod_that_is_ended_because_it_is_unhealthy_has_failed() {
    for (health, code) in [("unhealthy", 143), ("healthy", 0), ("starting", 0)] {
        let engine = web();
        let controller = start(&engine);
        engine.until_running("web", SOON);
        engine.controller(&json!({"State": {"Health": {"Status": health}}}));
        controller.signal(TERM);
        let ended = ends(&controller, &engine, code);
        assert_eq!(ended.err().contains("the pod was unhealthy, and ended on SIGTERM"), code != 0, "{}", ended.err());
    }
}

#[test]
fn all_others_are_stopped_at_a_time_each_with_its_own_grace_and_signal() {
    let engine = pod(&[
        ("a", "image: demo"),
        ("b", "{image: demo, stop_grace_period: 2500ms, stop_signal: SIGQUIT}"),
        ("c", "{image: demo, stop_grace_period: 1m}"),
        ("d", "image: demo"),
    ]);
    engine.script("a", Script::new().until_open("over").exit(5));
    for name in ["b", "c", "d"] {
        // None ends before all have been asked to.
        engine.script(name, Script::new().until_stopped().until_open("asked"));
    }
    let controller = start(&engine);
    for name in ["a", "b", "c", "d"] {
        engine.until_running(name, SOON);
    }
    engine.open("over");
    engine.until_seen("POST /containers/*/stop", 3, SOON);
    engine.open("asked");
    ends(&controller, &engine, 5);
    let requests = engine.requests();
    for (name, grace, signal) in [("b", "3", "QUIT"), ("c", "60", "TERM"), ("d", "10", "TERM")] {
        let stop = format!("POST /containers/{name}/stop");
        let stop = requests.iter().find(|request| request.call == stop);
        assert_eq!(stop.expect("stopped").query["t"], grace, "{name}");
        assert_eq!(engine.container(name).expect("it ran").signals, [signal], "{name}");
        assert_eq!(engine.container(name).expect("it ran").status, Status::Removed);
    }
    assert_eq!(engine.seen("POST /containers/a/stop"), 0, "a had ended by itself");
}

#[test]
fn a_component_that_cannot_be_started_ends_the_pod_with_125_and_the_engines_words() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
    engine.script("b", Script::new().start_error(400, "exec: \"nope\": not found"));
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["component 'b'", "cannot start its container", "exec: \"nope\": not found"]);
}

#[test]
fn an_engine_that_goes_away_for_a_while_ends_nothing() {
    let engine = pod(&[("job", "{image: demo}"), ("web", CHECKED)]);
    engine.script("job", Script::new().write_out("one\n").until_open("again").write_out("two\n").until_stopped());
    let controller = start_with(&engine, "-logs");
    for name in ["job", "web"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    controller.until_stdout_contains("one", SOON);
    engine.go_away();
    engine.set_health_silently("web", "healthy");
    controller.runs_on(Duration::from_secs(3));
    assert!(engine.is_running("web") && engine.is_running("job"));
    engine.come_back();
    // All that it heard of the engine before, it hears of again.
    controller.until_stderr_contains("the pod is healthy", SOON);
    // It is told after the stream is open.
    controller.until_stderr_contains("job: its log was cut and goes on", SOON);
    engine.open("again");
    controller.until_stdout_contains("[out] job: two\n", SOON);
    stops(&controller, &engine);
}

#[test]
fn an_end_while_the_engine_was_away_is_learnt_when_it_is_back() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
    // Live restore: the engine does not remove what ends.
    engine.info(&json!({"LiveRestoreEnabled": true})).script("a", Script::new().until_open("over").exit(42));
    let controller = start(&engine);
    for name in ["a", "b"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    engine.go_away();
    engine.open("over");
    engine.until("a has ended", |engine| !engine.is_running("a"), SOON);
    controller.runs_on(Duration::from_secs(1));
    engine.come_back();
    ends(&controller, &engine, 42);
}

#[test]
fn a_signal_ends_it_while_the_engine_is_away() {
    let engine = web();
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    engine.go_away();
    controller.runs_on(Duration::from_secs(1));
    controller.signal(Signal::SIGTERM);
    // It has a grace to end in, and the engine a while to come back.
    let ended = controller.wait(Duration::from_mins(1));
    assert_eq!(ended.code, Some(143));
    says(&ended, &["pod.podlike.web may be left behind"]);
}

#[test]
fn the_exit_code_of_what_is_gone_is_known_by_the_events() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
    engine.script("a", Script::new().wait(Duration::from_millis(20)).exit(3));
    engine.fault("POST /containers/a/wait", Fault::CutInBody);
    let ended = ends(&start(&engine), &engine, 3);
    says(&ended, &["a: out of sight", "a: ended with exit code 3"]);
}

#[test]
fn a_container_that_is_gone_ends_the_pod() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
    let controller = start(&engine);
    for name in ["a", "b"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    engine.vanish("a");
    let ended = ends(&controller, &engine, 125);
    says(&ended, &["component 'a'", "lost its container"]);
}

#[test]
fn a_container_of_a_components_name_that_is_not_ours_is_left_alone() {
    let engine = web();
    let stranger = engine.leftover("pod.podlike.web", json!({"Image": "demo"}));
    let ended = start(&engine).wait(SOON);
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    says(&ended, &["component 'web'", "is already in use"]);
    assert_eq!(engine.containers()[0].id, stranger);
}

// Signals.

/// What the engine is asked before the first component.
const STARTING: [&str; 5] =
    ["GET /_ping", "GET /containers/controller/json", "GET /info", "GET /containers/json", "GET /events"];

#[test]
fn a_signal_ends_it_while_the_engine_does_not_answer() {
    for signal in ENDING {
        for call in STARTING {
            let engine = web();
            engine.fault(call, Fault::Silence);
            let controller = start(&engine);
            engine.until_seen(call, 1, SOON);
            controller.signal(signal);
            let ended = ends(&controller, &engine, 0);
            assert!(ended.took < Duration::from_secs(10), "{call}: {:?}", ended.took);
            assert!(!created(&engine, "web"));
        }
    }
}

#[test]
fn another_signal_does_no_harm_while_the_engine_is_slow() {
    for call in STARTING {
        let engine = web();
        engine.fault(call, Fault::Held("late".into()));
        let controller = start(&engine);
        engine.until_seen(call, 1, SOON);
        // So many that some reach the thread that waits for the engine.
        for signal in [Signal::SIGHUP, Signal::SIGWINCH, Signal::SIGCHLD].into_iter().cycle().take(300) {
            controller.signal(signal);
        }
        engine.open("late");
        controller.until_stderr_contains("web: started", SOON);
        stops(&controller, &engine);
    }
}

#[test]
fn a_signal_ends_it_while_a_pull_hangs() {
    for signal in ENDING {
        let engine = pod(&[("a", "image: demo"), ("b", "image: slow")]);
        engine.pull("slow", Pull::Held("never".into(), json!({})));
        let controller = start(&engine);
        engine.until_running("a", SOON);
        engine.until_seen("POST /images/create", 1, SOON);
        controller.signal(signal);
        ends(&controller, &engine, 0);
        assert_eq!(engine.seen("POST /containers/create b"), 1);
    }
}

#[test]
fn a_signal_ends_it_while_the_engine_is_silent_to_a_pull() {
    let engine = pod(&[("web", "image: slow")]);
    engine.fault("POST /images/create", Fault::Silence);
    let controller = start(&engine);
    engine.until_seen("POST /images/create", 1, SOON);
    stops(&controller, &engine);
}

#[test]
fn a_signal_ends_it_while_a_component_waits_for_health() {
    for signal in ENDING {
        let engine = pod(&[("db", CHECKED), ("web", WANTS_DB_HEALTHY), ("witness", WANTS_DB_STARTED)]);
        let controller = start(&engine);
        engine.until_running("witness", SOON);
        controller.signal(signal);
        ends(&controller, &engine, 0);
        assert!(!created(&engine, "web"));
    }
}

#[test]
fn a_signal_ends_it_at_any_step_of_a_components_start() {
    for signal in ENDING {
        for call in [
            "POST /containers/create",
            "GET /containers/web/json",
            "PUT /containers/web/archive",
            "POST /containers/web/attach",
            "POST /containers/web/wait",
            "POST /containers/web/start",
        ] {
            for after_work in [false, true] {
                let engine = web();
                engine.label("pod.copy.web", &format!("{PODLIKE}:/podlike"));
                let held = Fault::Held("late".into());
                if after_work {
                    engine.fault_after(Call::new(call).nth(1), held);
                } else {
                    engine.fault(Call::new(call).nth(1), held);
                }
                let controller = start_with(&engine, "-logs");
                engine.until_seen(call, 1, SOON);
                controller.signal(signal);
                controller.until_stderr_contains("got SIG", SOON);
                engine.open("late");
                let ended = controller.wait(SOON);
                let case = format!("{signal} at {call}, after its work: {after_work}");
                assert_eq!(ended.code, Some(0), "{case}: {}", ended.err());
                assert!(engine.containers().is_empty(), "{case}: {}", ended.err());
            }
        }
    }
}

#[test]
fn a_signal_ends_it_while_an_init_component_runs() {
    let engine = web();
    engine.label("pod.init.components", "[{image: demo}]");
    let controller = start(&engine);
    engine.until_running("init-1", SOON);
    stops(&controller, &engine);
    assert!(!created(&engine, "web"));
}

#[test]
fn a_signal_ends_a_pod_that_runs() {
    for signal in ENDING {
        let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
        let controller = start(&engine);
        engine.until_running("a", SOON);
        engine.until_running("b", SOON);
        controller.signal(signal);
        let ended = ends(&controller, &engine, 0);
        says(&ended, &[&format!("the pod ended on {signal}")]);
    }
}

#[test]
fn a_second_signal_means_now() {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 1h}")]);
    engine.script("web", Script::new().ignore_term().until_stopped());
    let controller = start(&engine);
    engine.until_running("web", SOON);
    controller.signal(TERM);
    engine.until_seen("POST /containers/web/stop", 1, SOON);
    controller.signal(TERM);
    let ended = ends(&controller, &engine, 143);
    says(&ended, &["the pod was killed after SIGTERM"]);
}

#[test]
fn a_component_that_ignores_its_stop_signal_is_killed_after_its_grace() {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 1s}")]);
    engine.script("web", Script::new().ignore_term().until_stopped());
    let controller = start(&engine);
    engine.until_running("web", SOON);
    stops(&controller, &engine);
    assert_eq!(engine.container("web").expect("it ran").signals, ["TERM", "KILL"]);
}

#[test]
fn other_signals_are_forwarded_to_every_component_that_runs_and_end_nothing() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
    let controller = start(&engine);
    for name in ["a", "b"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    let mut seen = Vec::new();
    for (signal, word) in
        [(Signal::SIGHUP, "HUP"), (Signal::SIGUSR1, "USR1"), (Signal::SIGUSR2, "USR2"), (Signal::SIGWINCH, "WINCH")]
    {
        controller.signal(signal);
        seen.push(word.to_owned());
        for name in ["a", "b"] {
            let has = |engine: &FakeEngine| engine.container(name).is_some_and(|one| one.signals == seen);
            engine.until(&format!("{name} got {seen:?}"), has, SOON);
        }
    }
    assert!(engine.is_running("a") && engine.is_running("b"));
    stops(&controller, &engine);
}

/// How many threads the process has.
fn threads(controller: &Controller) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", controller.pid())).expect("it runs");
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    threads.expect("on Linux").trim().parse().expect("a number")
}

#[test]
fn signals_without_number_do_not_make_threads_without_number() {
    let names: Vec<String> = (0..10).map(|number| format!("c{number}")).collect();
    let components: Vec<_> = names.iter().map(|name| (name.as_str(), "image: demo")).collect();
    let engine = pod(&components);
    engine.fault("POST /containers/*/kill", Fault::Silence);
    let controller = start(&engine);
    for name in &names {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    let mut most = 0;
    for _ in 0..300 {
        controller.signal(Signal::SIGWINCH);
        most = most.max(threads(&controller));
    }
    controller.signal(TERM);
    // All others have been dealt with then.
    controller.until_stderr_contains("got SIGTERM", SOON);
    most = most.max(threads(&controller));
    let ended = ends(&controller, &engine, 0);
    assert!(ended.took < Duration::from_secs(20), "{:?}", ended.took);
    assert!(most < 60, "{most} threads");
}

// Images.

#[test]
fn a_missing_image_is_pulled_once_and_one_that_is_there_is_not() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: 'org/img:1'")]);
    engine.pull("org/img:1", Pull::Works(json!({})));
    let controller = start(&engine);
    engine.until_running("a", SOON);
    engine.until_running("b", SOON);
    assert_eq!(engine.seen("POST /images/create"), 1);
    assert_eq!(engine.seen("POST /images/create org/img:1"), 1);
    assert_eq!(engine.seen("POST /containers/create b"), 2);
    stops(&controller, &engine);
}

#[test]
fn every_image_is_pulled_with_the_flag() {
    let engine = web();
    engine.pull("demo", Pull::Works(json!({})));
    let controller = start_with(&engine, "-pull");
    engine.until_running("web", SOON);
    assert_eq!(engine.seen("POST /images/create demo:latest"), 1);
    assert!(place(&engine, "POST /images/create") < place(&engine, "POST /containers/create"));
    stops(&controller, &engine);
}

#[test]
fn a_pull_that_fails_is_told_in_the_registrys_words() {
    for pull in [
        Pull::ErrorLine("manifest for x not found".into()),
        Pull::Refused(404, "manifest for x not found".into()),
        Pull::Refused(500, "manifest for x not found".into()),
    ] {
        let engine = pod(&[("a", "image: demo"), ("web", "image: x")]);
        engine.pull("x", pull);
        let ended = ends(&start(&engine), &engine, 125);
        says(&ended, &["component 'web': cannot pull its image", "manifest for x not found"]);
        assert_eq!(engine.seen("POST /containers/create web"), 1);
    }
}

// The other process.

#[test]
fn a_pause_does_nothing_until_it_is_told_to_end() {
    for end in ENDING {
        let engine = web();
        let pause = Launch::of(PODLIKE, &engine).arg("pause").start();
        // Once it is not asleep any more in the loader but in its wait, nothing ends it but these.
        pause.runs_on(Duration::from_millis(300));
        for signal in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGWINCH, Signal::SIGQUIT] {
            pause.signal(signal);
        }
        pause.runs_on(Duration::from_millis(300));
        pause.signal(end);
        let ended = pause.wait(SOON);
        assert_eq!((ended.code, ended.out(), ended.err()), (Some(0), String::new(), String::new()));
        assert!(engine.calls().is_empty());
    }
}

// Refusals.

#[test]
fn an_engine_that_cannot_be_reached_is_a_refusal_with_a_hint() {
    let engine = web();
    for (host, parts) in [
        ("ssh://host", ["DOCKER_HOST is 'ssh://host'", "unix://"]),
        ("nonsense", ["DOCKER_HOST is 'nonsense'", "unix:///PATH"]),
        (
            "unix:///no/such/docker.sock",
            ["cannot connect to the engine at unix:///no/such/docker.sock", "-v /no/such/docker.sock:"],
        ),
        ("tcp://127.0.0.1:1", ["cannot connect to the engine at tcp://127.0.0.1:1", "is the engine running?"]),
    ] {
        refuses(Launch::new(PODLIKE, host, &engine.controller_id()), &engine, &parts);
    }
}

#[test]
fn a_socket_without_permission_is_a_refusal_with_a_hint() {
    let engine = web();
    let home = engine.socket().parent().expect("a directory");
    let is_root = fs::metadata("/proc/self").expect("our process").uid() == 0;
    let program = home.join("podlike");
    fs::copy(PODLIKE, &program).expect("a copy");
    fs::set_permissions(engine.socket(), Permissions::from_mode(0o000)).expect("a mode");
    // Root may do everything, nobody may not; but nobody must reach the program and the socket.
    fs::set_permissions(home, Permissions::from_mode(0o755)).expect("a mode");
    let program = program.display().to_string();
    let launch = Launch::of(&program, &engine);
    let launch = if is_root { launch.run_as(65534) } else { launch };
    refuses(launch, &engine, &["cannot connect to the engine", "run the controller as root", "Permission denied"]);
    assert!(engine.calls().is_empty());
}

#[test]
fn a_folder_in_the_place_of_the_socket_is_a_refusal_that_says_so() {
    let engine = web();
    let home = engine.socket().parent().expect("a directory").display().to_string();
    let launch = Launch::new(PODLIKE, &format!("unix://{home}"), &engine.controller_id());
    refuses(launch, &engine, &["cannot connect to the engine", "it is a folder", "$XDG_RUNTIME_DIR/docker.sock"]);
}

/// A pod on an engine that remaps users, whose controller has the host's or not.
fn on_remapped(controller: &str, components: &[(&str, &str)]) -> FakeEngine {
    let engine = pod(components);
    engine
        .info(&json!({"SecurityOptions": ["name=seccomp,profile=default", "name=userns"]}))
        .controller(&json!({"HostConfig": {"IpcMode": "private", "UsernsMode": controller}}))
        .image("podlike");
    engine
}

#[test]
fn what_an_engine_that_remaps_users_would_refuse_is_refused_before_anything_is_there() {
    for (controller, component, part) in [
        ("", "{image: demo, privileged: true}", "privileged: the engine remaps users"),
        ("", "{image: demo, pid: host}", "takes 'userns_mode: host'"),
        ("host", "{image: demo, userns_mode: private}", "--userns=host"),
    ] {
        let engine = on_remapped(controller, &[("web", component)]);
        refuses(Launch::of(PODLIKE, &engine), &engine, &["label 'pod.component.web'", part]);
    }
}

#[test]
fn who_joins_a_controller_with_the_hosts_users_has_them_too() {
    let scratch = "{image: demo, volumes: ['fast:/fast']}";
    for (controller, warning) in [("host", "the components a, b run with the host's users"), ("", "")] {
        let engine = on_remapped(controller, &[("a", scratch), ("b", "image: demo")]);
        engine.label("pod.volume.fast", "memory");
        let running = start(&engine);
        for name in ["a", "b"] {
            engine.until_running(name, SOON);
        }
        says(&stops(&running, &engine), &[warning]);
    }
}

#[test]
fn one_with_the_hosts_users_beside_a_remapped_controller_lends_nothing() {
    let engine =
        on_remapped("", &[("a", "{image: demo, userns_mode: host}"), ("b", "image: demo"), ("c", "image: demo")]);
    let controller = start(&engine);
    for name in ["a", "b", "c"] {
        engine.until_running(name, SOON);
    }
    let ended = stops(&controller, &engine);
    says(&ended, &["component 'a' runs with the host's users", "component 'a' has an IPC namespace of its own"]);
}

#[test]
fn a_command_line_that_is_not_understood_is_a_refusal() {
    for (arg, part) in [("-nope", "-nope"), ("-pids=maybe", "expected true or false"), ("sidecar", "sidecar")] {
        let engine = web();
        refuses(Launch::of(PODLIKE, &engine).arg(arg), &engine, &[part]);
        assert!(engine.calls().is_empty());
    }
}

#[test]
fn a_controller_that_is_no_container_is_a_refusal() {
    let engine = web();
    let ended = engine.leftover("ended", json!({}));
    for (id, part) in [("0123456789ab", "which the engine does not know"), (&ended, "which is not running")] {
        let ended = Launch::new(PODLIKE, &engine.host(), id).start().wait(SOON);
        assert_eq!(ended.code, Some(2), "{}", ended.err());
        says(&ended, &["cannot find out which container this is", "PODLIKE_CONTAINER_ID", id, part]);
    }
    // Where the tests run in a container, there is an id, but not one of this engine.
    let nobody = Launch::of(PODLIKE, &engine).env_remove("PODLIKE_CONTAINER_ID");
    let ended = nobody.start().wait(SOON);
    assert_eq!(ended.code, Some(2), "{}", ended.err());
    says(&ended, &["cannot find out which container this is"]);
    assert_eq!(engine.seen("POST /containers/create"), 0);
}

#[test]
fn labels_that_make_no_pod_are_a_refusal_that_names_label_and_key() {
    type Texts = &'static [&'static str];
    type Labels = &'static [(&'static str, &'static str)];
    let cases: [(Labels, Texts); 20] = [
        (&[], &["no components", "pod.component.NAME", "not under 'deploy'"]),
        (&[("pods.component.web", "image: demo")], &["label 'pods.component.web'", "did you mean 'pod.component."]),
        (&[("pod.component.web", "image: [demo")], &["label 'pod.component.web'", "not valid YAML"]),
        (&[("pod.component.web", "just words")], &["label 'pod.component.web'", "expected a mapping"]),
        (
            &[("pod.component.web", "{image: demo, enviroment: [A=1]}")],
            &["label 'pod.component.web'", "unknown key 'enviroment', did you mean 'environment'?"],
        ),
        (&[("pod.component.web", "{command: x}")], &["label 'pod.component.web'", "the key 'image' is missing"]),
        (&[("pod.component.web", "{image: demo, tty: 'perhaps'}")], &["label 'pod.component.web'", "tty"]),
        (
            &[("pod.component.web", "{image: demo, stop_grace_period: soon}")],
            &["label 'pod.component.web'", "stop_grace_period", "'soon'"],
        ),
        (
            &[("pod.component.web", "{image: demo, depends_on: [dbb]}"), ("pod.component.db", "image: demo")],
            &[
                "label 'pod.component.web', line 1, column 28: depends_on[0]: no such component 'dbb', did you mean 'db'?",
            ],
        ),
        (
            &[
                ("pod.component.a", "{image: demo, depends_on: [b]}"),
                ("pod.component.b", "{image: demo, depends_on: [a]}"),
            ],
            &["depends_on[0]", "wait for each other in a circle: a → b → a"],
        ),
        (
            &[("pod.component.web", "{image: demo, depends_on: {web: {condition: ready}}}")],
            &["label 'pod.component.web'", "depends_on", "'ready'", "service_healthy"],
        ),
        (&[("pod.component.a b", "image: demo")], &["label 'pod.component.a b'", "letters, digits"]),
        (
            &[("pod.component.web", "image: demo"), ("pod.copy.webb", "/a:/b")],
            &["label 'pod.copy.webb'", "did you mean 'web'?"],
        ),
        (
            &[("pod.component.web", "image: demo"), ("pod.init.components", "[{imgae: demo}]")],
            &["label 'pod.init.components'", "[0]", "unknown key 'imgae'"],
        ),
        (
            &[("pod.component.a", "image: demo"), ("pod.copies.a", "/a:/b")],
            &["label 'pod.copies.a'", "did you mean 'pod.copy."],
        ),
        (
            &[("pod.component.a", "image: demo"), ("pod.init.component", "[]")],
            &["label 'pod.init.component'", "did you mean 'pod.init.components'?"],
        ),
        (
            &[("pod.component.a", "image: demo"), ("pod.componnet.b", "image: demo")],
            &["label 'pod.componnet.b'", "did you mean 'pod.component."],
        ),
        (
            &[("pod.component.a", "{image: demo, tmpfs: /scratch}"), ("pod.copy.a", "/etc/passwd:/scratch/x")],
            &["label 'pod.copy.a'", "/scratch", "tmpfs"],
        ),
        (
            &[("pod.component.a", "{image: demo, tmpfs: ['/run:size=1m', '/b']}"), ("pod.copy.a", "/etc/passwd:/run")],
            &["label 'pod.copy.a'", "/run", "tmpfs"],
        ),
        (
            &[("pod.component.a", "image: demo"), ("pod.copy.a", "/etc/passwd:/x:ro")],
            &["label 'pod.copy.a'", "/etc/passwd:/x:ro", "SOURCE:TARGET"],
        ),
    ];
    for (labels, parts) in cases {
        let engine = pod(&[]);
        for (key, text) in labels {
            engine.label(key, text);
        }
        refuses(Launch::of(PODLIKE, &engine), &engine, parts);
    }
}

#[test]
fn labels_of_others_are_left_alone() {
    let engine = web();
    engine.label("pod.owner", "me").label("podium", "x").label("component", "x").label("pod", "x");
    let controller = start(&engine);
    engine.until_running("web", SOON);
    let ended = stops(&controller, &engine);
    assert!(!ended.err().contains("pod.owner"), "{}", ended.err());
}

#[test]
fn the_labels_of_the_service_make_the_pod_where_the_container_has_none() {
    let engine = pod(&[]);
    engine.label("com.docker.swarm.service.id", "shop");
    engine.service_with("shop", &json!({"pod.component.web": "image: demo", "com.docker.swarm.task": "", "x": "y"}));
    let controller = start(&engine);
    engine.until_running("web", SOON);
    stops(&controller, &engine);
    engine.until_seen("GET /services/shop", 1, SOON);
    assert_eq!(engine.seen("GET /services/shop"), 1, "its grace is asked for with them");
}

#[test]
fn labels_of_the_container_leave_those_of_the_service_alone() {
    let engine = pod(&[("web", "image: demo")]);
    engine.label("com.docker.swarm.service.id", "shop");
    engine.service_with("shop", &json!({"pod.component.other": "image: demo"}));
    let controller = start(&engine);
    engine.until_running("web", SOON);
    assert!(!created(&engine, "other"));
    stops(&controller, &engine);
}

#[test]
fn labels_of_a_service_that_this_node_cannot_read_are_a_refusal_with_a_hint() {
    let engine = pod(&[]);
    engine.label("com.docker.swarm.service.id", "shop");
    let parts =
        ["only a manager of the Swarm can read", "put them under 'labels' of the service", "node.role == manager"];
    refuses(Launch::of(PODLIKE, &engine), &engine, &parts);
    refuses(Launch::of(PODLIKE, &engine).arg("validate"), &engine, &parts);
}

#[test]
fn what_the_operator_forbids_is_refused_before_anything_is_made() {
    let engine = pod(&[("web", "{image: demo}"), ("x", "{image: demo, privileged: true}")]);
    let parts =
        ["label 'pod.component.x', line 1, column 15: privileged: forbidden here", "runs with -deny privileged"];
    refuses(Launch::of(PODLIKE, &engine).args(&["-deny", "privileged", "-allow=all"]), &engine, &parts);
    let parts =
        ["label 'pod.component.x', line 1, column 15: privileged", "runs with -allow, which does not list privileged"];
    refuses(Launch::of(PODLIKE, &engine).arg("-allow=binds"), &engine, &parts);
    let allowed = Launch::of(PODLIKE, &engine).args(&["-deny", "devices,host-namespaces", "-deny=binds"]).start();
    engine.until_running("x", SOON);
    stops(&allowed, &engine);
}

#[test]
fn an_image_reference_that_is_none_is_a_refusal() {
    let engine = pod(&[("web", "image: 'Not An Image'")]);
    let parts = ["label 'pod.component.web'", "image: ", "'Not An Image'"];
    refuses(Launch::of(PODLIKE, &engine), &engine, &parts);
}

#[test]
fn an_engine_that_is_too_old_is_a_refusal() {
    let engine = web();
    engine.api("1.12", "1.39");
    refuses(Launch::of(PODLIKE, &engine), &engine, &["1.39", "1.40", "19.03"]);
}

#[test]
fn the_newest_version_that_both_speak_is_spoken_and_never_above_1_44() {
    for (min, max, spoken) in
        [("1.12", "1.40", "1.40"), ("1.12", "1.41", "1.41"), ("1.24", "1.51", "1.44"), ("1.44", "1.53", "1.44")]
    {
        let engine = web();
        engine.api(min, max);
        let controller = start(&engine);
        engine.until_running("web", SOON);
        stops(&controller, &engine);
        for request in engine.requests() {
            let unversioned = ["/_ping", "/version"].contains(&request.path.as_str());
            assert_eq!(request.version.as_deref(), (!unversioned).then_some(spoken), "{}", request.call);
        }
    }
}

#[test]
fn an_engine_that_does_not_tell_its_version_in_a_header_is_asked_for_it() {
    let engine = web();
    engine.ping_version(None);
    let controller = start(&engine);
    engine.until_running("web", SOON);
    let calls: Vec<String> = engine.calls().into_iter().take(2).collect();
    assert_eq!(calls, ["GET /_ping", "GET /version"]);
    assert_eq!(engine.requests()[2].version.as_deref(), Some("1.41"));
    stops(&controller, &engine);
}

/// The versions in which the calls were made that came after so many.
fn spoken(engine: &FakeEngine, after: usize) -> BTreeSet<String> {
    engine.requests().into_iter().skip(after).filter_map(|request| request.version).collect()
}

#[test]
fn a_version_that_the_engine_names_when_it_refuses_ours_is_kept_if_it_is_known() {
    let only = |version: &str| BTreeSet::from([version.to_owned()]);
    let engine = web();
    engine.api("1.48", "1.53");
    let controller = start(&engine);
    engine.until_running("web", SOON);
    let refused = engine.requests().iter().filter(|request| request.version.as_deref() == Some("1.44")).count();
    // Two calls are made at the same time.
    assert!((1..=2).contains(&refused), "{:?}", engine.calls());
    assert_eq!(spoken(&engine, 3), only("1.48"));
    // An engine that is replaced while the pod runs by one that has other versions.
    let before = engine.requests().len();
    engine.api("1.40", "1.41");
    stops(&controller, &engine);
    assert_eq!(spoken(&engine, before), BTreeSet::from(["1.48".to_owned(), "1.41".to_owned()]));
    // Before JSON there was plain text.
    let engine = web();
    engine.api("1.24", "1.44").fault(
        Call::new("GET /containers/controller/json").nth(1),
        Fault::Status(400, "client version 1.44 is too old. Minimum supported API version is 1.46\n".to_owned()),
    );
    engine.fault("GET /info", Fault::status(500, "on purpose"));
    ends(&start(&engine), &engine, 2);
    assert!(spoken(&engine, 0).contains("1.46"), "{:?}", engine.requests());
    // What nobody knows today is no promise.
    let engine = web();
    engine.api("1.99", "1.99");
    let parts = ["client version 1.44 is too old. Minimum supported API version is 1.99"];
    refuses(Launch::of(PODLIKE, &engine), &engine, &parts);
    assert_eq!(spoken(&engine, 0), only("1.44"));
}

// Output.

/// The end of a pod of one component that plays this script to its end.
fn logged(component: &str, script: Script) -> Ended {
    let engine = pod(&[("web", component)]);
    engine.script("web", script);
    let controller = start_with(&engine, "-logs");
    ends(&controller, &engine, 0)
}

#[test]
fn both_streams_come_out_as_lines_with_their_component_before_them() {
    let script = Script::new().write_out("one\ntw").write_err("oops\n").write_out("o\n").write_err("no end");
    let ended = logged("image: demo", script);
    assert_eq!(ended.out(), "[out] web: one\n[out] web: two\n");
    assert_eq!(lines_of(&ended.stderr, "[err] web: "), [&b"oops"[..], b"no end"]);
    assert!(ended.err().lines().all(|line| line.starts_with("podlike: ") || line.starts_with("[err] web: ")));
}

#[test]
fn a_component_that_is_not_attached_is_silent_with_the_flag_and_ends_the_pod_all_the_same() {
    let engine = pod(&[("loud", "image: demo"), ("quiet", "{image: demo, attach: false}")]);
    engine
        .script("loud", Script::new().write_out("hear me\n").until_stopped())
        .script("quiet", Script::new().write_out("nothing\n").write_err("nothing\n").until_open("over").exit(4));
    let controller = start_with(&engine, "-logs");
    controller.until_stderr_contains("quiet: started", SOON);
    controller.until_stdout_contains("[out] loud: hear me\n", SOON);
    engine.open("over");
    let ended = ends(&controller, &engine, 4);
    assert_eq!(ended.out(), "[out] loud: hear me\n");
    assert!(!ended.err().contains("nothing"), "{}", ended.err());
    assert_eq!((engine.seen("POST /containers/loud/attach"), engine.seen("POST /containers/quiet/attach")), (1, 0));
}

#[test]
fn a_component_that_lives_5_ms_or_less_loses_no_line_and_no_exit_code() {
    for round in 0..20 {
        let engine = web();
        let script = Script::new().wait(Duration::from_millis(round % 2 * 5)).write_out("first\nlast");
        engine.script("web", script.exit(4)).removal_takes(Duration::ZERO);
        let ended = ends(&start_with(&engine, "-logs"), &engine, 4);
        assert_eq!(ended.out(), "[out] web: first\n[out] web: last\n", "round {round}");
    }
}

#[test]
fn a_line_of_a_megabyte_is_one_line() {
    let line = "x".repeat(1 << 20);
    let ended = logged("image: demo", Script::new().write_out(format!("{line}\nnext\n")));
    assert!(ended.out() == format!("[out] web: {line}\n[out] web: next\n"));
}

#[test]
fn bytes_that_are_no_text_pass_unchanged() {
    let bytes: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').chain(*b"\n").collect();
    let ended = logged("image: demo", Script::new().write_out(bytes.clone()).write_err(bytes.clone()));
    assert_eq!(ended.stdout, [b"[out] web: ".as_slice(), &bytes].concat());
    assert_eq!(lines_of(&ended.stderr, "[err] web: "), [&bytes[..255]]);
}

#[test]
fn a_component_with_a_terminal_has_one_stream_of_lines() {
    let script = Script::new().write_out("one\r\ntwo\r\n").write_err("three\r\n");
    let ended = logged("{image: demo, tty: true}", script);
    assert_eq!(ended.out(), "[out] web: one\n[out] web: two\n[out] web: three\n");
}

#[test]
fn a_hundred_thousand_lines_of_four_components_are_neither_lost_nor_torn() {
    const LINES: usize = 25_000;
    let names = ["a", "b", "c", "d"];
    let engine = pod(&names.map(|name| (name, "image: demo")));
    let text = |name: &str| {
        let line = |number: usize| format!("{name} line {number} {}\n", "-".repeat(number % 90));
        (0..LINES).map(line).collect::<String>()
    };
    for name in names {
        engine.script(name, Script::new().write_out(text(name)).until_stopped());
    }
    let controller = start_with(&engine, "-logs");
    for name in names {
        let all = text(name).len();
        let wrote = |engine: &FakeEngine| engine.container(name).is_some_and(|one| one.written == all);
        engine.until(&format!("{name} has said all"), wrote, Duration::from_mins(1));
    }
    let ended = stops(&controller, &engine);
    assert_eq!(ended.out().matches('\n').count(), names.len() * LINES);
    for name in names {
        let lines = lines_of(&ended.stdout, &format!("[out] {name}: "));
        let text = text(name);
        assert!(lines.into_iter().eq(text.lines().map(str::as_bytes)), "the lines of {name}");
    }
}

#[test]
fn a_stdout_that_is_closed_early_neither_ends_the_pod_nor_keeps_it() {
    let engine = web();
    engine.script("web", Script::new().flood("water\n".repeat(1000)));
    let mut controller = Launch::of(PODLIKE, &engine).arg("-logs").start_unread();
    controller.close_stdout();
    controller.until_stderr_contains("the output of the components is lost", SOON);
    // It is read on: a component must not be stuck because nobody listens.
    let written = engine.container("web").expect("it runs").written;
    let goes_on = |engine: &FakeEngine| engine.container("web").is_some_and(|one| one.written > written + (4 << 20));
    engine.until("web writes on", goes_on, SOON);
    assert!(engine.is_running("web"));
    let ended = stops(&controller, &engine);
    assert_eq!(ended.err().matches("the output of the components is lost").count(), 1);
}

#[test]
fn a_reader_that_is_stuck_does_not_keep_the_pod_from_ending() {
    let water = "water\n".repeat(1000);
    for deaf in [false, true] {
        let engine = web();
        let launch = Launch::of(PODLIKE, &engine).arg("-logs");
        let script = Script::new();
        engine.script("web", if deaf { script.flood_err(water.clone()) } else { script.flood(water.clone()) });
        let controller = if deaf { launch.start_deaf() } else { launch.start_unread() };
        let full = |engine: &FakeEngine| engine.container("web").is_some_and(|one| one.written > 256 << 10);
        engine.until("the pipe is full", full, SOON);
        stops(&controller, &engine);
    }
}

#[test]
fn output_that_is_cut_while_a_component_runs_goes_on() {
    let engine = web();
    let script = Script::new().write_out("one\n").until_open("first").write_out("two\n").write_err("oops\n");
    engine.script("web", script.until_open("second").write_out("three\n").until_stopped());
    let controller = start_with(&engine, "-logs");
    controller.until_stdout_contains("[out] web: one\n", SOON);
    let warnings = |text: &str| text.matches("podlike: warning: web: ").count();
    for (times, gate, line) in [(2, "first", "two"), (3, "second", "three")] {
        engine.cut_attaches();
        engine.until_seen("POST /containers/web/attach", times, SOON);
        // It is told after the stream is open.
        controller.until_stderr_repeats("its log was cut", times - 1, SOON);
        engine.open(gate);
        controller.until_stdout_contains(&format!("[out] web: {line}\n"), SOON);
    }
    controller.until_stderr_contains("[err] web: oops\n", SOON);
    let ended = stops(&controller, &engine);
    assert_eq!(ended.out(), "[out] web: one\n[out] web: two\n[out] web: three\n");
    assert!((1..=2).contains(&warnings(&ended.err())), "one warning a cut at most: {}", ended.err());
}

// Health.

#[test]
fn a_controller_that_does_not_run_is_unhealthy() {
    let (said, code) = health(&web());
    assert!(said.starts_with("unhealthy: ") && code == 1, "{said} {code}");
}

#[test]
fn the_health_of_the_pod_is_the_lowest_of_its_checked_components() {
    let engine = pod(&[("a", CHECKED), ("b", CHECKED), ("c", "image: demo")]);
    let controller = start(&engine);
    for name in ["a", "b", "c"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    assert_eq!(health(&engine), ("starting".to_owned(), 1));
    engine.set_health("a", "healthy");
    engine.set_health("b", "healthy");
    controller.until_stderr_contains("the pod is healthy", SOON);
    assert_eq!(health(&engine), ("healthy".to_owned(), 0));
    engine.set_health("b", "unhealthy");
    controller.until_stderr_contains("the pod is unhealthy", SOON);
    assert_eq!(health(&engine), ("unhealthy".to_owned(), 1));
    engine.set_health("b", "healthy");
    controller.until_stderr_repeats("the pod is healthy", 2, SOON);
    assert_eq!(health(&engine), ("healthy".to_owned(), 0));
    stops(&controller, &engine);
    assert_eq!(health(&engine).1, 1, "it has ended");
}

#[test]
fn a_pod_without_checks_is_starting_while_an_init_component_runs_and_healthy_then() {
    let engine = web();
    engine.label("pod.init.components", "[{image: demo}]").script("init-1", Script::new().until_open("done"));
    let controller = start(&engine);
    controller.until_stderr_contains("init-1: started", SOON);
    assert_eq!(health(&engine), ("starting".to_owned(), 1));
    engine.open("done");
    controller.until_stderr_contains("the pod is healthy", SOON);
    assert_eq!(health(&engine), ("healthy".to_owned(), 0));
    stops(&controller, &engine);
}

#[test]
fn what_happens_while_the_stream_of_events_is_cut_is_learnt_afterwards() {
    let engine = pod(&[("web", CHECKED)]);
    let controller = start(&engine);
    engine.until_running("web", SOON);
    engine.set_health("web", "healthy");
    controller.until_stderr_contains("the pod is healthy", SOON);
    // The stream is there, but hears nothing; the next one finds out.
    engine.set_health_silently("web", "unhealthy").cut_events();
    controller.until_stderr_contains("the pod is unhealthy", SOON);
    assert_eq!(health(&engine), ("unhealthy".to_owned(), 1));
    engine.set_health("web", "healthy");
    controller.until_stderr_repeats("the pod is healthy", 2, SOON);
    stops(&controller, &engine);
}

#[test]
fn events_of_engines_from_29_on_are_understood_too() {
    let engine = pod(&[("web", CHECKED)]);
    engine.old_event_fields(false);
    let controller = start(&engine);
    engine.until_running("web", SOON);
    engine.set_health("web", "healthy");
    controller.until_stderr_contains("the pod is healthy", SOON);
    stops(&controller, &engine);
}

// What is created.

fn request_of(engine: &FakeEngine, name: &str) -> Value {
    engine.container(name).expect("it was created").body
}

/// What a pod of `web` with this flag creates.
fn request_with(engine: &FakeEngine, args: &[&str]) -> (Value, Ended) {
    let controller = Launch::of(PODLIKE, engine).args(args).start();
    engine.until_running("web", SOON);
    let ended = stops(&controller, engine);
    (request_of(engine, "web"), ended)
}

#[test]
fn what_an_earlier_life_left_behind_is_swept_and_what_is_others_is_left_alone() {
    let engine = web();
    let mine = json!({"Image": "demo", "Labels": {"podlike.controller.id": engine.controller_id()}});
    let others = json!({"Image": "demo", "Labels": {"podlike.controller.id": "f00", "podlike.component": "web"}});
    engine.leftover("pod.podlike.web", mine.clone());
    engine.leftover("pod.podlike.old", mine);
    let stays = [engine.leftover("other.podlike.web", others), engine.leftover("pod.podlike.none", json!({}))];
    let controller = start(&engine);
    engine.until_running("web", SOON);
    assert!(engine.container("old").is_some_and(|one| one.status == Status::Removed));
    controller.signal(TERM);
    let ended = controller.wait(SOON);
    assert_eq!(ended.code, Some(0));
    says(&ended, &["removed what the last run of this controller left behind: 2 containers"]);
    let left: Vec<_> = engine.containers().into_iter().map(|one| one.id).collect();
    assert_eq!(left, stays);
}

#[test]
fn components_are_in_the_network_and_the_pids_and_the_ipc_of_the_controller() {
    let engine = web();
    let (request, _) = request_with(&engine, &[]);
    let controller = json!(format!("container:{}", engine.controller_id()));
    let host = &request["HostConfig"];
    assert_eq!(host["NetworkMode"], controller);
    assert_eq!(host["PidMode"], controller);
    assert_eq!(host["IpcMode"], controller);
}

#[test]
fn namespaces_that_are_not_wanted_are_not_shared() {
    let (request, _) = request_with(&web(), &["-ipc=false"]);
    assert_eq!(request["HostConfig"]["IpcMode"], Value::Null);
    let (request, _) = request_with(&web(), &["-pids=false"]);
    assert_eq!(request["HostConfig"]["PidMode"], Value::Null);
}

#[test]
fn where_the_controllers_ipc_is_private_one_component_lends_its_own() {
    let names = ["a", "b", "c"];
    let engine = pod(&names.map(|name| (name, "image: demo")));
    engine.controller(&json!({"HostConfig": {"IpcMode": "private"}}));
    let controller = start(&engine);
    for name in names {
        engine.until_running(name, SOON);
    }
    stops(&controller, &engine);
    let mode = |name| request_of(&engine, name)["HostConfig"]["IpcMode"].clone();
    assert_eq!(mode("a"), "shareable");
    for name in ["b", "c"] {
        assert_eq!(mode(name), "container:pod.podlike.a");
        assert!(
            place(&engine, "POST /containers/a/start") < place(&engine, &format!("POST /containers/create {name}"))
        );
    }
}

#[test]
fn the_engine_removes_what_ends_unless_it_could_lose_it() {
    for (info, auto_remove) in [
        (json!({}), true),
        (json!({"LiveRestoreEnabled": true}), false),
        (json!({"LiveRestoreEnabled": true, "ServerVersion": "26.1.5"}), true),
    ] {
        let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
        engine.info(&info).script("a", Script::new().until_open("over").exit(6));
        let controller = start(&engine);
        engine.until_running("a", SOON);
        engine.until_running("b", SOON);
        engine.open("over");
        ends(&controller, &engine, 6);
        for name in ["a", "b"] {
            assert_eq!(request_of(&engine, name)["HostConfig"]["AutoRemove"], json!(auto_remove), "{info}");
        }
    }
}

#[test]
fn components_carry_labels_of_ours_and_none_of_swarms() {
    let engine = pod(&[("web", "{image: demo, labels: {my: own, com.docker.swarm.task.id: x}}")]);
    engine.label("com.docker.swarm.service.name", "stack_web");
    let (request, ended) = request_with(&engine, &[]);
    let wanted = json!({
        "my": "own", "podlike.controller.id": engine.controller_id(), "podlike.component": "web",
        "podlike.version": env!("CARGO_PKG_VERSION"), "podlike.instance": request["Labels"]["podlike.instance"],
    });
    assert_eq!(request["Labels"], wanted);
    assert!(wanted["podlike.instance"].is_string(), "{wanted}");
    says(&ended, &["the label 'com.docker.swarm.task.id' is left out"]);
}

#[test]
fn one_line_says_that_components_are_not_in_the_controllers_cgroup() {
    let line =
        "warning: the controller's limits hold for each component, not for their sum: the engine's systemd driver";
    // The engine is one with systemd: without limits there is nothing to say, unless more was asked for.
    for (memory, flag, times) in [(64 << 20, "auto", 1), (0, "auto", 0), (0, "pod", 1), (64 << 20, "none", 0)] {
        let engine = pod(&[("web", "image: demo"), ("db", "image: demo")]);
        engine.controller(&json!({"HostConfig": {"Memory": memory}}));
        let (request, ended) = request_with(&engine, &["-cgroup", flag]);
        assert_eq!(request["HostConfig"]["CgroupParent"], Value::Null);
        assert_eq!(request["HostConfig"]["Memory"].as_i64().unwrap_or(0), memory);
        assert_eq!(ended.err().matches(line).count(), times, "{memory} {flag}: {}", ended.err());
    }
}

#[test]
fn mounts_are_shared_with_the_flag_but_never_the_engines_socket() {
    let engine = web();
    let socket = engine.socket().display().to_string();
    let bind = |from: &str, to: &str, write: bool| json!({"Type": "bind", "Source": from, "Destination": to, "Mode": "", "RW": write, "Propagation": "rprivate"});
    let mounts = json!([
        bind("/var/run/docker.sock", &socket, true),
        bind("/run/docker.sock", "/other.sock", true),
        bind("/var/run", "/host/run", false),
        bind("/srv/data", "/data", false),
        {"Type": "volume", "Name": "state", "Source": "/var/lib/docker/volumes/state/_data", "Destination": "/state", "RW": true},
    ]);
    engine.controller(&json!({"Mounts": mounts}));
    let (request, _) = request_with(&engine, &[]);
    assert_eq!(request["HostConfig"]["Binds"], Value::Null);
    let (request, ended) = request_with(&engine, &["-volumes"]);
    assert_eq!(request["HostConfig"]["Binds"], json!(["/srv/data:/data:ro", "state:/state:rw"]));
    for place in [socket.as_str(), "/other.sock", "/host/run"] {
        says(&ended, &[&format!("-volumes leaves out {place}: it holds the engine's socket")]);
    }
}

#[test]
fn a_component_that_names_the_socket_gets_it() {
    let engine = pod(&[("web", "{image: demo, volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']}")]);
    let (request, _) = request_with(&engine, &["-volumes"]);
    assert_eq!(request["HostConfig"]["Binds"], json!(["/var/run/docker.sock:/var/run/docker.sock:ro"]));
}

#[test]
fn files_are_copied_before_the_start_with_mode_and_owner_also_where_no_directory_is() {
    let engine = web();
    let source = tempfile::tempdir().expect("a directory");
    let file = source.path().join("conf");
    fs::write(&file, "content").expect("a file");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("a mode");
    engine
        .directories(&["/etc"])
        .early_refusals(true)
        .label("pod.copy.web", &format!("[{0}:/etc/conf, {0}:/new/place/conf, {0}:/etc/a/b/conf]", file.display()));
    request_with(&engine, &[]);
    let archives = engine.container("web").expect("it ran").archives;
    let places: Vec<_> = archives.iter().map(|archive| archive.path.as_str()).collect();
    assert_eq!(places, ["/etc", "/", "/etc"]);
    for (archive, name) in archives.iter().zip(["conf", "new/place/conf", "a/b/conf"]) {
        let entries = archive.entries().expect("a tar");
        let entry = entries.last().expect("an entry");
        assert_eq!((entry.path.as_str(), entry.content.as_slice()), (name, b"content".as_slice()));
        assert_eq!(entry.header.mode().expect("a mode") & 0o777, 0o640);
        assert_eq!(entry.header.uid().expect("a uid"), u64::from(fs::metadata(&file).expect("it is there").uid()));
    }
    assert!(place(&engine, "PUT /containers/web/archive") < place(&engine, "POST /containers/web/start"));
}

#[test]
fn a_copy_that_is_refused_in_the_middle_is_told_in_the_engines_words() {
    let engine = pod(&[("web", "{image: demo, read_only: true}")]);
    // Larger than what a socket takes in: the engine hangs up on it.
    let source = tempfile::NamedTempFile::new().expect("a file");
    source.as_file().set_len(16 << 20).expect("a size");
    let path = source.path().display();
    engine.early_refusals(true).label("pod.copy.web", &format!("{path}:/etc/conf"));
    let ended = ends(&start(&engine), &engine, 125);
    says(
        &ended,
        &[
            &format!("component 'web': cannot copy {path} of the controller to /etc/conf"),
            "container rootfs is marked read-only",
        ],
    );
    assert_eq!(engine.seen("POST /containers/web/start"), 0);
}

#[test]
fn a_copy_of_a_file_that_is_not_there_is_a_failed_start_that_names_it() {
    let engine = web();
    engine.label("pod.copy.web", "/no/such/file:/etc/conf");
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["component 'web'", "/no/such/file"]);
}

// Other engines.

/// What a pod is made for, by the names of the tests above: it holds whatever an engine's answers look like.
const EVERYWHERE: [&str; 18] = [
    "a_component_that_cannot_be_started_ends_the_pod_with_125_and_the_engines_words",
    "a_component_that_ignores_its_stop_signal_is_killed_after_its_grace",
    "a_component_that_is_killed_for_memory_or_by_hand_ends_the_pod_with_137",
    "a_container_of_a_components_name_that_is_not_ours_is_left_alone",
    "a_dependency_that_ends_without_success_ends_the_pod_with_its_code",
    "a_missing_image_is_pulled_once_and_one_that_is_there_is_not",
    "a_pull_that_fails_is_told_in_the_registrys_words",
    "a_second_signal_means_now",
    "a_signal_ends_a_pod_that_runs",
    "an_init_component_that_fails_ends_the_pod_with_its_code_and_no_other_is_created",
    "both_streams_come_out_as_lines_with_their_component_before_them",
    "components_are_in_the_network_and_the_pids_and_the_ipc_of_the_controller",
    "init_components_run_one_after_the_other_and_before_all_others",
    "other_signals_are_forwarded_to_every_component_that_runs_and_end_nothing",
    "output_that_is_cut_while_a_component_runs_goes_on",
    "the_first_end_ends_the_pod_and_its_code_is_the_pods",
    "what_an_earlier_life_left_behind_is_swept_and_what_is_others_is_left_alone",
    "who_depends_on_success_is_created_when_the_other_has_ended_with_0",
];

/// By the names of tests above: what Podman does in another way, or not at all.
const ON_DOCKER: [&str; 4] = [
    "files_are_copied_before_the_start_with_mode_and_owner_also_where_no_directory_is",
    "the_health_of_the_pod_is_the_lowest_of_its_checked_components",
    "what_must_not_be_missed_is_armed_before_the_start",
    "who_depends_on_health_is_created_when_the_check_has_passed",
];

#[test]
fn a_pod_is_the_same_whatever_the_answers_of_its_engine_look_like() {
    for flavour in [Flavour::NewDocker, Flavour::Podman] {
        let names = EVERYWHERE.iter().chain(ON_DOCKER.iter().filter(|_| flavour != Flavour::Podman));
        let names: Vec<&str> = names.copied().collect();
        let mut again = Command::new(env::current_exe().expect("this program"));
        let output =
            again.arg("--exact").args(&names).env(Flavour::VARIABLE, flavour.engine()).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let all = format!("ok. {} passed; 0 failed", names.len());
        assert!(text.contains(&all), "{}: {text}{}", flavour.engine(), String::from_utf8_lossy(&output.stderr));
    }
}
