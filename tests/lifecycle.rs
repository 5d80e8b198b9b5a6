//! The life of components against the fake engine: restarts, roles, the order of the stop and the time for it.

mod support;

use std::time::Duration;

use serde_json::json;
use support::controller::{Controller, Launch};
use support::fake_engine::{Call, FakeEngine, Fault, Script};
use support::pod::{PODLIKE, SOON, TERM, created, ends, place, pod, refuses, says, start, stops};

/// Restarts follow soon.
fn start_quickly(engine: &FakeEngine) -> Controller {
    Launch::of(PODLIKE, engine).arg("-restart-delay=50ms").start()
}

/// A component that ends with this code in its first life, when the gate `over` is opened, and then runs on.
fn ends_once(engine: &FakeEngine, name: &str, code: i64) {
    engine.until_running(name, SOON);
    engine.script(name, Script::new().until_stopped());
    assert!(engine.is_running(name), "it was to end with {code} later");
    engine.open("over");
}

fn one_that_ends(code: i64) -> Script {
    Script::new().until_open("over").exit(code)
}

fn t_of(engine: &FakeEngine, name: &str) -> String {
    let stop = format!("POST /containers/{name}/stop");
    let request = engine.requests().into_iter().find(|request| request.call == stop);
    request.map(|request| request.query["t"].clone()).unwrap_or_default()
}

fn start_of(name: &str) -> String {
    format!("POST /containers/{name}/start")
}

// Restarts.

#[test]
fn a_component_restarts_in_place_and_others_run_on() {
    let engine = pod(&[("web", "{image: demo, restart: always}"), ("db", "image: demo")]);
    engine.script("web", one_that_ends(3));
    let controller = start_quickly(&engine);
    ends_once(&engine, "web", 3);
    engine.until_seen(&start_of("web"), 2, SOON);
    engine.until_running("web", SOON);
    assert_eq!((engine.seen("POST /containers/create web"), engine.seen(start_of("db").as_str())), (1, 1));
    assert_eq!(engine.container("web").expect("it runs").host_config("AutoRemove"), &json!(false));
    assert_eq!(engine.container("db").expect("it runs").host_config("AutoRemove"), &json!(true));
    controller.until_stderr_repeats("web: started", 2, SOON);
    let ended = stops(&controller, &engine);
    says(&ended, &["warning: web: ended with exit code 3 after ", ", restarting in 50 ms (1st time)"]);
}

#[test]
fn the_last_attempt_that_fails_ends_the_pod_with_its_code() {
    let engine = pod(&[("web", "{image: demo, restart: 'on-failure:2'}"), ("db", "image: demo")]);
    engine.script("web", Script::new().exit(7));
    let ended = ends(&start_quickly(&engine), &engine, 7);
    says(&ended, &["restarting in 50 ms (1st time)", "restarting in 100 ms (2nd time)", "web: ended with exit code 7"]);
    assert_eq!(engine.seen(start_of("web").as_str()), 3);
}

#[test]
fn on_failure_0_is_no_failure() {
    let engine = pod(&[("web", "{image: demo, deploy: {restart_policy: {condition: on-failure, delay: 10ms}}}")]);
    engine.script("web", Script::new().exit(0));
    ends(&start(&engine), &engine, 0);
    assert_eq!(engine.seen(start_of("web").as_str()), 1);
}

#[test]
fn output_and_exit_are_armed_again_before_each_start() {
    let engine = pod(&[("web", "{image: demo, restart: always}")]);
    engine.script("web", Script::new().write_out("first\n").until_open("over").exit(1));
    let controller = Launch::of(PODLIKE, &engine).args(&["-logs", "-restart-delay=50ms"]).start();
    engine.until_running("web", SOON);
    engine.script("web", Script::new().write_out("second\n").until_stopped());
    engine.open("over");
    controller.until_stdout_contains("[out] web: first\n[out] web: second\n", SOON);
    stops(&controller, &engine);
    let calls = engine.calls();
    let nth = |call: &str| calls.iter().enumerate().filter(|(_, seen)| *seen == call).nth(1).map(|(place, _)| place);
    let second = nth(&start_of("web"));
    assert!(nth("POST /containers/web/attach") < second && nth("POST /containers/web/wait") < second);
    assert_eq!(engine.seen("POST /containers/web/attach"), 2, "nothing is attached to twice");
}

#[test]
fn a_restart_that_the_engine_refuses_is_tried_again() {
    for fault in [Fault::status(500, "no"), Fault::Cut] {
        let engine = pod(&[("web", "{image: demo, restart: always}")]);
        engine.script("web", one_that_ends(1));
        let controller = start_quickly(&engine);
        ends_once(&engine, "web", 1);
        engine.fault(Call::new(&start_of("web")).nth(1), fault.clone());
        engine.until_seen(&start_of("web"), 3, SOON);
        engine.until_running("web", SOON);
        controller.until_stderr_repeats("web: started", 2, SOON);
        let ended = stops(&controller, &engine);
        says(&ended, &["web: cannot start its container: ", "restarting in 100 ms (2nd time)"]);
    }
}

/// An engine never ends the stream of a container that it did not start: who is removed in the moment of its restart.
#[test]
fn nobody_listens_on_to_a_start_that_was_refused() {
    let engine = pod(&[("web", "{image: demo, restart: always}")]);
    engine.script("web", one_that_ends(1));
    let controller = start_quickly(&engine);
    ends_once(&engine, "web", 1);
    engine.fault(Call::new(&start_of("web")).nth(1), Fault::status(409, "marked for removal"));
    engine.until_seen(&start_of("web"), 3, SOON);
    engine.until("one listens", |engine| engine.is_running("web") && engine.listeners("web") == 1, SOON);
    stops(&controller, &engine);
}

#[test]
fn a_first_start_that_fails_ends_the_pod_whatever_the_policy() {
    let engine = pod(&[("web", "{image: demo, restart: always}")]);
    engine.fault(start_of("web").as_str(), Fault::status(500, "no"));
    ends(&start_quickly(&engine), &engine, 125);
    assert_eq!(engine.seen(start_of("web").as_str()), 1);
}

#[test]
fn a_container_that_was_removed_between_two_lives_is_made_anew() {
    let engine = pod(&[("web", "{image: demo, restart: always}")]);
    engine.script("web", one_that_ends(1));
    let controller = Launch::of(PODLIKE, &engine).arg("-restart-delay=1s").start();
    ends_once(&engine, "web", 1);
    controller.until_stderr_contains("restarting in 1 s", SOON);
    engine.vanish("web");
    engine.until_seen("POST /containers/create web", 2, SOON);
    engine.until_running("web", SOON);
    stops(&controller, &engine);
}

#[test]
fn a_container_that_was_removed_while_it_ran_is_made_anew() {
    let engine = pod(&[("web", "{image: demo, restart: always}"), ("db", "image: demo")]);
    let controller = start_quickly(&engine);
    for name in ["web", "db"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    engine.vanish("web");
    engine.until_seen("POST /containers/create web", 2, SOON);
    engine.until_running("web", SOON);
    let ended = stops(&controller, &engine);
    says(&ended, &["web: lost its container: "]);
}

#[test]
fn a_signal_ends_a_pod_whose_component_rests() {
    let engine = pod(&[("web", "{image: demo, restart: always}"), ("db", "image: demo")]);
    engine.script("web", Script::new().exit(1));
    let controller = start(&engine);
    controller.until_stderr_contains("restarting in 10 s", SOON);
    controller.until_stderr_contains("db: started", SOON);
    let ended = stops(&controller, &engine);
    assert!(ended.took < Duration::from_secs(9), "{:?}", ended.took);
    assert_eq!(engine.seen("POST /containers/web/stop"), 0, "there is nothing to stop");
}

#[test]
fn nothing_restarts_while_the_pod_ends() {
    let engine = pod(&[("web", "{image: demo, restart: always}"), ("db", "image: demo")]);
    engine.script("db", one_that_ends(4));
    let controller = start_quickly(&engine);
    for name in ["web", "db"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    engine.open("over");
    ends(&controller, &engine, 4);
    assert_eq!(engine.seen(start_of("web").as_str()), 1);
}

#[test]
fn who_restarts_with_another_is_halted_and_comes_after_it() {
    let engine = pod(&[
        ("db", "{image: demo, restart: always}"),
        ("web", "{image: demo, depends_on: {db: {condition: service_started, restart: true}}}"),
        ("log", "{image: demo, depends_on: [db]}"),
    ]);
    engine.script("db", one_that_ends(1));
    let controller = Launch::of(PODLIKE, &engine).arg("-restart-delay=300ms").start();
    for name in ["web", "log"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    ends_once(&engine, "db", 1);
    engine.until_seen(&start_of("web"), 2, SOON);
    controller.until_stderr_repeats("web: started", 2, SOON);
    let calls = engine.calls();
    let last = |call: &str| calls.iter().rposition(|seen| seen == call);
    assert!(last("POST /containers/web/stop") < last(&start_of("db")));
    assert!(last(&start_of("db")) < last(&start_of("web")));
    assert_eq!(engine.seen("POST /containers/create web"), 1);
    assert_eq!(engine.seen(start_of("log").as_str()), 1);
    let ended = stops(&controller, &engine);
    says(&ended, &["restarting with 'db'"]);
}

/// The kernel kills who is in the PIDs of `db` before that is reaped.
fn killed_with_another(restart: &str) -> FakeEngine {
    let engine = pod(&[
        ("db", &format!("{{image: demo, pid: private, restart: '{restart}'}}")),
        ("web", "{image: demo, pid: 'service:db'}"),
    ]);
    engine.script("web", one_that_ends(137));
    engine.script("db", Script::new().until_open("over").wait(Duration::from_millis(300)).exit(3));
    engine
}

#[test]
fn who_is_killed_with_another_is_not_why_the_pod_ends() {
    let engine = killed_with_another("no");
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    engine.open("over");
    ends(&controller, &engine, 3);
}

#[test]
fn who_is_in_the_pids_of_another_restarts_with_it() {
    let engine = killed_with_another("always");
    let controller = start_quickly(&engine);
    controller.until_stderr_contains("web: started", SOON);
    engine.script("web", Script::new().until_stopped());
    ends_once(&engine, "db", 3);
    controller.until_stderr_repeats("web: started", 2, SOON);
    let ended = stops(&controller, &engine);
    says(&ended, &["web: ended with exit code 137 after ", "restarting with 'db'"]);
    assert_eq!(engine.seen("POST /containers/create web"), 1, "it is there to be started again");
}

#[test]
fn a_restart_that_fails_because_the_other_one_restarts_again_is_tried_with_that() {
    let engine = killed_with_another("always");
    let controller = start_quickly(&engine);
    controller.until_stderr_contains("web: started", SOON);
    engine.fault(Call::new(&start_of("web")).nth(1), Fault::Held("second".into()));
    engine.script("web", Script::new().start_error(409, "cannot join PID of a non running container"));
    engine.script("db", Script::new().until_open("again").exit(4));
    engine.open("over");
    engine.until_seen(&start_of("web"), 2, SOON);
    engine.script("db", Script::new().until_stopped());
    engine.open("again");
    engine.open("second");
    controller.until_stderr_repeats("web: cannot start its container: ", 1, SOON);
    engine.script("web", Script::new().until_stopped());
    controller.until_stderr_repeats("web: started", 2, SOON);
    stops(&controller, &engine);
}

// Roles.

#[test]
fn a_sidecar_is_ready_before_the_others_start_and_stops_after_them() {
    let engine = pod(&[
        ("proxy", "{image: demo, x-podlike-role: sidecar, healthcheck: {test: [CMD, check]}}"),
        ("log", "image: demo"),
        ("web", "{image: demo}"),
    ]);
    engine.label("pod.role.log", "sidecar");
    engine.script("web", Script::new().until_stopped().until_open("stopped"));
    let controller = start(&engine);
    controller.until_stderr_contains("proxy: started", SOON);
    controller.until_stderr_contains("log: started", SOON);
    assert!(!created(&engine, "web"));
    engine.set_health("proxy", "healthy");
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    engine.until_seen("POST /containers/web/stop", 1, SOON);
    controller.runs_on(Duration::from_millis(300));
    assert!(engine.is_running("proxy") && engine.is_running("log"));
    engine.open("stopped");
    ends(&controller, &engine, 0);
}

#[test]
fn a_job_with_a_sidecar_completes() {
    let engine = pod(&[("proxy", "{image: demo, x-podlike-role: sidecar}"), ("job", "image: demo")]);
    engine
        .script("proxy", Script::new().until_open("over").exit(1))
        .script("job", Script::new().until_open("done").exit(0));
    let controller = start_quickly(&engine);
    engine.until_running("job", SOON);
    ends_once(&engine, "proxy", 1);
    // It restarts, and its end is not the pod's.
    engine.until_seen(&start_of("proxy"), 2, SOON);
    controller.until_stderr_repeats("proxy: started", 2, SOON);
    engine.open("done");
    ends(&controller, &engine, 0);
    assert_eq!(engine.container("proxy").expect("it ran").signals, ["TERM"]);
}

#[test]
fn a_sidecar_without_a_policy_stays_ended_once_it_was_ready() {
    let engine = pod(&[("proxy", "{image: demo, x-podlike-role: sidecar, restart: 'no'}"), ("web", "image: demo")]);
    engine.script("proxy", one_that_ends(1));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    engine.open("over");
    controller.until_stderr_contains("warning: proxy: ended with exit code 1", SOON);
    controller.runs_on(Duration::from_millis(300));
    assert_eq!(engine.seen(start_of("proxy").as_str()), 1);
    stops(&controller, &engine);
}

#[test]
fn a_sidecar_that_is_never_ready_ends_the_pod() {
    let engine = pod(&[
        ("proxy", "{image: demo, x-podlike-role: sidecar, restart: 'no', healthcheck: {test: [CMD, check]}}"),
        ("web", "image: demo"),
    ]);
    engine.script("proxy", Script::new().exit(0));
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["component 'proxy': a sidecar that ended with exit code 0 before it was ready"]);
    assert!(!created(&engine, "web"));
}

#[test]
fn a_task_may_end_with_0_and_with_nothing_else() {
    for (code, goes_on) in [(0, true), (5, false)] {
        let engine = pod(&[("task", "{image: demo, x-podlike-role: task}"), ("web", "image: demo")]);
        engine.script("task", Script::new().until_open("over").exit(code));
        let controller = start(&engine);
        for name in ["task", "web"] {
            controller.until_stderr_contains(&format!("{name}: started"), SOON);
        }
        engine.open("over");
        if goes_on {
            controller.until_stderr_contains("task: ended with exit code 0", SOON);
            controller.runs_on(Duration::from_millis(300));
            stops(&controller, &engine);
        } else {
            ends(&controller, &engine, 5);
        }
    }
}

#[test]
fn a_pod_whose_tasks_are_done_ends_with_0() {
    let engine = pod(&[
        ("a", "{image: demo, x-podlike-role: task}"),
        ("b", "{image: demo, x-podlike-role: task, depends_on: {a: {condition: service_completed_successfully}}}"),
        ("proxy", "{image: demo, x-podlike-role: sidecar}"),
    ]);
    engine.script("a", Script::new().exit(0)).script("b", Script::new().exit(0));
    ends(&start(&engine), &engine, 0);
    assert_eq!(engine.seen(start_of("b").as_str()), 1);
}

#[test]
fn the_leaders_code_is_the_pods() {
    let engine = pod(&[("web", "image: demo"), ("helper", "image: demo")]);
    engine.label("pod.leader", "web");
    engine.script("helper", one_that_ends(1)).script("web", Script::new().until_stopped().exit(42));
    let controller = start(&engine);
    for name in ["helper", "web"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    engine.open("over");
    let ended = ends(&controller, &engine, 42);
    says(
        &ended,
        &["the pod ended with component 'helper', exit code 1", "its exit code is that of its leader 'web': 42"],
    );
}

#[test]
fn a_signal_ends_with_0_whatever_the_leaders_code() {
    let engine = pod(&[("web", "{image: demo, x-podlike-leader: true}")]);
    engine.script("web", Script::new().until_stopped().exit(42));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    stops(&controller, &engine);
}

#[test]
fn roles_that_make_no_sense_are_refused() {
    let one = "image: demo";
    for (components, labels, part) in [
        (vec![("web", one)], vec![("pod.role.web", "sidecar")], "only sidecars"),
        (
            vec![("web", one)],
            vec![("pod.role.web", "main")],
            "label 'pod.role.web', line 1, column 1: 'main' is not a role",
        ),
        (vec![("web", one)], vec![("pod.role.webb", "task")], "no such component 'webb', did you mean 'web'?"),
        (vec![("web", one)], vec![("pod.leader", "webb")], "no such component 'webb', did you mean 'web'?"),
        (
            vec![("web", one)],
            vec![("pod.role.web", "task"), ("pod.leader", "web")],
            "the leader 'web' is not essential",
        ),
        (
            vec![("web", one), ("db", "{image: demo, x-podlike-leader: true}")],
            vec![("pod.leader", "web")],
            "'db' and 'web'",
        ),
        (vec![("web", "{image: demo, x-podlike-role: task}")], vec![("pod.role.web", "essential")], "another role"),
        (vec![("web", "{image: demo, x-podlike-rol: task}")], vec![], "unknown key 'x-podlike-rol', did you mean"),
        (vec![("web", one)], vec![("pod.init.components", "[{image: demo, x-podlike-role: task}]")], "init component"),
        (vec![("web", one)], vec![("pod.init.components", "[{image: demo, restart: always}]")], "init component"),
        (vec![("web", one)], vec![("pod.stop_grace_period", "soon")], "'soon' is not a duration"),
    ] {
        let engine = pod(&components);
        for (key, value) in labels {
            engine.label(key, value);
        }
        refuses(Launch::of(PODLIKE, &engine), &engine, &[part]);
    }
}

// Needs.

#[test]
fn who_requires_nobody_starts_without() {
    let engine = pod(&[
        ("db", "{image: demo, healthcheck: {test: [CMD, check]}}"),
        ("web", "{image: demo, depends_on: {db: {condition: service_healthy, required: false}}}"),
    ]);
    let controller = start(&engine);
    controller.until_stderr_contains("db: started", SOON);
    assert!(!created(&engine, "web"));
    engine.set_health("db", "unhealthy");
    controller.until_stderr_contains("web: started", SOON);
    let ended = stops(&controller, &engine);
    says(&ended, &["web: depends_on 'db': service_healthy, but it is unhealthy, it starts all the same"]);
}

#[test]
fn what_nobody_requires_may_fail_to_start() {
    let engine = pod(&[
        ("db", "{image: demo}"),
        ("web", "{image: demo, depends_on: {db: {condition: service_started, required: false}}}"),
    ]);
    engine.script("db", Script::new().start_error(400, "exec: \"nope\": not found"));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let ended = stops(&controller, &engine);
    says(&ended, &["error: db: cannot start its container", "the pod goes on without it"]);
}

#[test]
fn what_nobody_requires_may_fail_to_complete() {
    let engine = pod(&[
        ("job", "{image: demo}"),
        ("web", "{image: demo, depends_on: {job: {condition: service_completed_successfully, required: false}}}"),
    ]);
    engine.script("job", Script::new().exit(4));
    let controller = start(&engine);
    controller.until_stderr_contains("the pod is healthy", SOON);
    let ended = stops(&controller, &engine);
    let why = "warning: web: depends_on 'job': service_completed_successfully, but it ended with exit code 4, it starts all the same";
    says(&ended, &[why, "warning: job: ended with exit code 4 after "]);
}

#[test]
fn health_is_waited_for_as_long_as_was_said() {
    let text = "{image: demo, depends_on: {db: {condition: service_healthy, x-podlike-timeout: 300ms}}}";
    let engine = pod(&[("db", "{image: demo, healthcheck: {test: [CMD, check]}}"), ("web", text)]);
    let ended = ends(&start(&engine), &engine, 125);
    says(
        &ended,
        &["component 'web': depends_on 'db': service_healthy, but it was not healthy within 300ms of its start"],
    );
}

// The order of the stop, and the time for it.

#[test]
fn who_needs_another_stops_before_it() {
    let engine = pod(&[
        ("db", "image: demo"),
        ("web", "{image: demo, depends_on: [db]}"),
        ("api", "{image: demo, depends_on: [db]}"),
    ]);
    for name in ["web", "api"] {
        engine.script(name, Script::new().until_stopped().until_open("asked"));
    }
    let controller = start(&engine);
    for name in ["web", "api"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    controller.signal(TERM);
    // Both at a time, and db after both.
    engine.until_seen("POST /containers/*/stop", 2, SOON);
    controller.runs_on(Duration::from_millis(300));
    assert_eq!(engine.seen("POST /containers/db/stop"), 0);
    engine.open("asked");
    ends(&controller, &engine, 0);
    assert!(place(&engine, "POST /containers/web/stop") < place(&engine, "POST /containers/db/stop"));
}

/// Two that need each other and stay until they are killed.
fn stubborn() -> FakeEngine {
    let engine = pod(&[("db", "image: demo"), ("web", "{image: demo, depends_on: [db]}")]);
    for name in ["db", "web"] {
        engine.script(name, Script::new().ignore_term().until_stopped());
    }
    engine
}

#[test]
fn the_graces_are_cut_to_the_time_that_the_pod_has() {
    let engine = stubborn();
    engine.label("pod.stop_grace_period", "4s");
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let before = std::time::Instant::now();
    controller.signal(TERM);
    let ended = ends(&controller, &engine, 0);
    assert!(before.elapsed() < Duration::from_secs(4), "{:?}\n{}", before.elapsed(), ended.err());
    // A second is kept, a part of one does not count; nothing is left for the other.
    assert_eq!((t_of(&engine, "web"), t_of(&engine, "db")), ("2".to_owned(), "0".to_owned()));
}

#[test]
fn the_time_is_that_of_the_label_the_flag_the_container_or_the_service() {
    let second = Duration::from_secs(1);
    for (label, flag, own, of_service, time) in [
        (true, true, true, true, "3"),
        (false, true, true, true, "4"),
        (false, false, true, true, "5"),
        (false, false, false, true, "6"),
        (false, false, false, false, "8"),
    ] {
        let engine = pod(&[("web", "{image: demo, stop_grace_period: 1m}")]);
        engine.label("com.docker.swarm.service.id", "shop");
        let mut launch = Launch::of(PODLIKE, &engine);
        if label {
            engine.label("pod.stop_grace_period", "5s");
        }
        if flag {
            launch = launch.arg("-stop-timeout=6s");
        }
        if own {
            engine.controller(&json!({"Config": {"StopTimeout": 7}}));
        }
        if of_service {
            engine.service("shop", 8 * second);
        }
        let controller = launch.start();
        controller.until_stderr_contains("web: started", SOON);
        stops(&controller, &engine);
        assert_eq!(t_of(&engine, "web"), time);
    }
}

#[test]
fn what_is_left_is_killed_a_second_before_the_time_is_over() {
    let engine = pod(&[("web", "image: demo")]);
    engine.label("pod.stop_grace_period", "3s").fault("POST /containers/web/stop", Fault::Silence);
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let before = std::time::Instant::now();
    controller.signal(TERM);
    ends(&controller, &engine, 143);
    assert!((2..3).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
}

#[test]
fn an_end_of_its_own_has_the_time_that_components_ask_for_until_a_signal_comes() {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 1m}"), ("job", "image: demo")]);
    engine.label("pod.stop_grace_period", "2s");
    engine.script("web", Script::new().ignore_term().until_stopped()).script("job", one_that_ends(6));
    let controller = start(&engine);
    for name in ["web", "job"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    engine.open("over");
    engine.until_seen("POST /containers/web/stop", 1, SOON);
    assert_eq!(t_of(&engine, "web"), "60");
    controller.runs_on(Duration::from_secs(2));
    let before = std::time::Instant::now();
    controller.signal(TERM);
    ends(&controller, &engine, 6);
    assert!((1..3).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
}
