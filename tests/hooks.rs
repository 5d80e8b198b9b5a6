//! Hooks of components: what runs when, what their failures cost, and what they may take. The binary against the fake engine.

mod support;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use support::fake_engine::{Call, FakeEngine, Fault, Program, Script};
use support::pod::{SOON, TERM, created, ends, place, pod, says, start, stops};

/// What a second of a grace of three leaves to the hooks, with room for a busy machine.
const TWO_SECONDS: std::ops::Range<Duration> = Duration::from_millis(1900)..Duration::from_secs(15);

fn seen(engine: &FakeEngine, call: &str) -> usize {
    engine.seen(Call::new(call))
}

// After the start.

#[test]
fn post_start_runs_in_order_and_before_who_waits_for_the_start() {
    let web = "{image: demo, post_start: [{command: first}, {command: [second, word], user: '7', privileged: true, \
               working_dir: /srv, environment: {A: '1'}}]}";
    let engine = pod(&[("web", web), ("other", "{image: demo, depends_on: [web]}")]);
    engine.program("first", Program::new().until_open("first"));
    let controller = start(&engine);
    engine.until_seen("POST /exec/web/start", 1, SOON);
    assert_eq!(seen(&engine, "POST /containers/web/exec second"), 0, "one after the other");
    assert!(!created(&engine, "other"));
    engine.open("first");
    engine.until_running("other", SOON);
    let starts = ["POST /containers/web/start", "POST /containers/web/exec first", "POST /containers/web/exec second"];
    let places = starts.map(|call| place(&engine, call));
    assert!(places.is_sorted(), "{:#?}", engine.calls());
    assert!(places[2] < place(&engine, "POST /containers/create other"));
    let expected = json!({
        "Cmd": ["second", "word"], "User": "7", "Privileged": true, "WorkingDir": "/srv", "Env": ["A=1"],
        "AttachStdout": true, "AttachStderr": true,
    });
    assert_eq!(engine.execs()[1], expected);
    stops(&controller, &engine);
}

#[test]
fn a_post_start_that_fails_ends_the_pod_with_its_words() {
    let engine = pod(&[("web", "{image: demo, post_start: [{command: good}, {command: bad}, {command: never}]}")]);
    engine.program("bad", Program::new().write_out("trying\n").write_err("no \x1b[1mway\n").exit(3));
    let ended = ends(&start(&engine), &engine, 125);
    says(
        &ended,
        &[
            "component 'web': post_start, hook 2 of 3, ended with exit code 3, its last words: trying | no \\u{1b}[1mway",
        ],
    );
    assert_eq!(seen(&engine, "POST /containers/web/exec never"), 0);
    assert_eq!(engine.container("web").expect("it ran").signals, ["TERM"], "it is stopped with its grace");
}

#[test]
fn a_post_start_that_is_no_command_ends_the_pod() {
    let engine = pod(&[("web", "{image: demo, post_start: [{command: none}]}")]);
    engine.program("none", Program::new().cannot_be_found());
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["post_start, hook 1 of 1, ended with exit code 126", "executable file not found in $PATH"]);
}

#[test]
fn a_call_that_fails_is_a_post_start_that_fails() {
    for (call, part) in [
        ("POST /containers/web/exec", "could not be run: POST /containers/"),
        ("POST /exec/web/start", "could not be run: POST /exec/"),
        ("GET /exec/web/json", "could not be run: GET /exec/"),
    ] {
        let engine = pod(&[("web", "{image: demo, post_start: [{command: x}]}")]);
        engine.fault(Call::new(call), Fault::status(500, "on purpose"));
        let ended = ends(&start(&engine), &engine, 125);
        says(&ended, &["post_start, hook 1 of 1, ", part, "the engine answered 500: on purpose"]);
    }
}

#[test]
fn a_post_start_is_done_when_it_has_ended_and_not_when_it_is_silent() {
    let engine = pod(&[("web", "{image: demo, post_start: [{command: quiet}, {command: next}]}")]);
    engine.program("quiet", Program::new().closes_its_output().until_open("done"));
    let controller = start(&engine);
    engine.until_seen("GET /exec/web/json", 3, SOON);
    assert_eq!(seen(&engine, "POST /containers/web/exec next"), 0);
    engine.open("done");
    controller.until_stderr_contains("web: started", SOON);
    assert_eq!(seen(&engine, "POST /containers/web/exec next"), 1);
    stops(&controller, &engine);
}

#[test]
fn an_exit_code_that_cannot_be_asked_for_is_asked_for_again() {
    let engine = pod(&[("web", "{image: demo, post_start: [{command: x}]}")]);
    engine.fault(Call::new("GET /exec/web/json").nth(1), Fault::Cut);
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    assert_eq!(seen(&engine, "GET /exec/web/json"), 2);
    stops(&controller, &engine);
}

#[test]
fn a_pod_that_ends_does_not_wait_for_post_start() {
    let engine = pod(&[("web", "{image: demo, post_start: [{command: long}, {command: never}]}")]);
    engine.program("long", Program::new().hangs());
    let controller = start(&engine);
    engine.until_seen("POST /exec/web/start", 1, SOON);
    let begun = Instant::now();
    stops(&controller, &engine);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(seen(&engine, "POST /containers/web/exec never"), 0);
}

#[test]
fn no_post_start_is_begun_once_the_pod_ends() {
    let web = "{image: demo, stop_grace_period: 3s, post_start: [{command: first}, {command: never}]}";
    let engine = pod(&[("web", web)]);
    engine.script("web", Script::new().ignore_term().until_stopped());
    engine.program("first", Program::new().until_open("first"));
    let controller = start(&engine);
    engine.until_seen("POST /exec/web/start", 1, SOON);
    controller.signal(TERM);
    engine.until_seen("POST /containers/web/stop", 1, SOON);
    engine.open("first");
    ends(&controller, &engine, 0);
    assert_eq!(seen(&engine, "POST /containers/web/exec never"), 0);
}

#[test]
fn a_component_that_ends_during_its_post_start_ends_with_its_own_code() {
    let engine = pod(&[("web", "{image: demo, post_start: [{command: long}]}")]);
    engine.program("long", Program::new().hangs());
    engine.script("web", Script::new().until_open("end").exit(3));
    let controller = start(&engine);
    engine.until_seen("POST /exec/web/start", 1, SOON);
    engine.open("end");
    let ended = ends(&controller, &engine, 3);
    says(&ended, &["web: it ended before its post_start was done", "ended with component 'web', exit code 3"]);

    let engine = pod(&[("web", "{image: demo, post_start: [{command: x}]}")]);
    engine.script("web", Script::new().exit(4));
    engine.fault(Call::new("POST /containers/web/exec"), Fault::Held("ended".into()));
    let controller = start(&engine);
    engine.until_seen("POST /containers/web/exec", 1, SOON);
    engine.until("web has ended", |engine| !engine.is_running("web"), SOON);
    engine.open("ended");
    ends(&controller, &engine, 4);
}

#[test]
fn a_signal_reaches_a_component_during_its_post_start() {
    let engine = pod(&[("web", "{image: demo, post_start: [{command: long}]}"), ("db", "image: demo")]);
    engine.program("long", Program::new().hangs());
    let controller = start(&engine);
    controller.until_stderr_contains("db: started", SOON);
    engine.until_seen("POST /exec/web/start", 1, SOON);
    controller.signal(Signal::SIGHUP);
    let got = |name: &str| engine.container(name).is_some_and(|one| one.signals == ["HUP"]);
    engine.until("all have it that run", |_| got("web") && got("db"), SOON);
    stops(&controller, &engine);
}

// Before the stop.

/// The whole seconds that the engine was given for a stop.
fn grace_of(engine: &FakeEngine, name: &str) -> String {
    let call = format!("POST /containers/{name}/stop");
    let stop = engine.requests().into_iter().find(|request| request.call == call);
    stop.expect("it was stopped").query["t"].clone()
}

#[test]
fn pre_stop_runs_in_order_and_before_the_stop() {
    let engine = pod(&[("web", "{image: demo, pre_stop: [{command: first}, {command: second, user: root}]}")]);
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    assert!(engine.execs().is_empty());
    stops(&controller, &engine);
    let calls = ["POST /containers/web/exec first", "POST /containers/web/exec second", "POST /containers/web/stop"];
    let places = calls.map(|call| place(&engine, call));
    assert!(places.is_sorted(), "{:#?}", engine.calls());
    assert_eq!(engine.execs()[1]["User"], "root");
}

#[test]
fn without_pre_stop_a_component_has_its_whole_grace() {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 7s}")]);
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    stops(&controller, &engine);
    assert_eq!(grace_of(&engine, "web"), "7");
}

#[test]
fn what_pre_stop_takes_is_taken_off_the_grace() {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 30s, pre_stop: [{command: drain}]}")]);
    engine.label("pod.stop_grace_period", "1m");
    engine.program("drain", Program::new().until_open("drained"));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    engine.until_seen("POST /exec/web/start", 1, SOON);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(seen(&engine, "POST /containers/web/stop"), 0, "the stop waits for it");
    engine.open("drained");
    ends(&controller, &engine, 0);
    let left: u64 = grace_of(&engine, "web").parse().expect("seconds");
    assert!((10..=28).contains(&left), "{left} s");
}

#[test]
fn a_pre_stop_that_hangs_is_left_alone_a_second_before_the_grace_is_over() {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 3s, pre_stop: [{command: long}, {command: never}]}")]);
    engine.program("long", Program::new().hangs());
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let begun = Instant::now();
    let ended = stops(&controller, &engine);
    assert!(TWO_SECONDS.contains(&begun.elapsed()), "{:?}", begun.elapsed());
    says(&ended, &["web: pre_stop, hook 1 of 2, takes too long; it runs on", "it is stopped all the same"]);
    assert!(!ended.err().contains("hook 2 of 2"), "what had no time is not told of: {}", ended.err());
    assert_eq!(seen(&engine, "POST /containers/web/exec never"), 0);
    assert_eq!(grace_of(&engine, "web"), "1");
    assert_eq!(engine.container("web").expect("it ran").signals, ["TERM"]);
}

#[test]
fn an_engine_that_does_not_answer_a_pre_stop_holds_up_no_stop() {
    for call in ["POST /containers/web/exec", "POST /exec/web/start", "GET /exec/web/json"] {
        let engine = pod(&[("web", "{image: demo, stop_grace_period: 3s, pre_stop: [{command: x}]}")]);
        engine.fault(Call::new(call), Fault::Silence);
        let controller = start(&engine);
        controller.until_stderr_contains("web: started", SOON);
        let begun = Instant::now();
        let ended = stops(&controller, &engine);
        assert!(TWO_SECONDS.contains(&begun.elapsed()), "{call}: {:?}", begun.elapsed());
        says(&ended, &["web: pre_stop, hook 1 of 1, takes too long"]);
    }
}

#[test]
fn a_pre_stop_that_fails_is_told_and_the_stop_goes_on() {
    let engine = pod(&[("web", "{image: demo, pre_stop: [{command: bad}, {command: next}]}")]);
    engine.program("bad", Program::new().write_err("cannot drain\n").exit(2));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let ended = stops(&controller, &engine);
    says(
        &ended,
        &[
            "warning: web: pre_stop, hook 1 of 2, ended with exit code 2, its last words: cannot drain; it is stopped all the same",
        ],
    );
    assert_eq!(seen(&engine, "POST /containers/web/exec next"), 1);
    assert_eq!(engine.container("web").expect("it ran").signals, ["TERM"]);
}

#[test]
fn who_ends_by_itself_has_no_pre_stop_and_the_others_have() {
    let engine = pod(&[
        ("job", "{image: demo, pre_stop: [{command: x}], depends_on: [web]}"),
        ("web", "{image: demo, pre_stop: [{command: x}]}"),
    ]);
    engine.script("job", Script::new().exit(5));
    let ended = ends(&start(&engine), &engine, 5);
    assert_eq!(seen(&engine, "POST /containers/job/exec"), 0);
    assert_eq!(seen(&engine, "POST /containers/web/exec"), 1);
    assert!(!ended.err().contains("pre_stop"), "{}", ended.err());
}

#[test]
fn what_has_not_been_started_has_no_pre_stop_and_that_is_not_told() {
    let engine = pod(&[("web", "{image: demo, pre_stop: [{command: x}]}")]);
    engine.fault(Call::new("POST /containers/web/wait"), Fault::status(500, "on purpose"));
    let ended = ends(&start(&engine), &engine, 125);
    assert!(!ended.err().contains("pre_stop"), "{}", ended.err());
}

#[test]
fn pre_stop_runs_once_where_the_pod_ends_in_the_middle_of_a_restart() {
    let dead = "x-podlike-probes: {liveness: {tcp: '127.0.0.1:1', interval: 100ms, timeout: 100ms, retries: 1}}";
    let engine =
        pod(&[("web", &format!("{{image: demo, pre_stop: [{{command: bye}}], stop_grace_period: 3s, {dead}}}"))]);
    engine.program("bye", Program::new().hangs());
    let controller = start(&engine);
    engine.until_seen("POST /exec/web/start", 1, SOON);
    let ended = stops(&controller, &engine);
    assert_eq!(engine.seen("POST /exec/web/start"), 1, "{}", ended.err());
    assert!(ended.took >= Duration::from_secs(2), "it has its time: {:?}", ended.took);
}

#[test]
fn a_second_signal_cuts_pre_stop() {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 10m, pre_stop: [{command: long}]}")]);
    engine.program("long", Program::new().hangs());
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    engine.until_seen("POST /exec/web/start", 1, SOON);
    controller.signal(Signal::SIGINT);
    ends(&controller, &engine, 143);
    assert_eq!(engine.container("web").expect("it ran").signals, ["KILL"]);
}

// Before the start.

#[test]
fn pre_start_runs_one_step_after_the_other_and_then_the_component() {
    let web = "{image: demo, pre_start: [{command: [migrate, up], image: tools}, {command: check}], depends_on: [db]}";
    let engine = pod(&[("web", web), ("db", "image: demo")]);
    engine.image("tools");
    for step in ["web-pre-1", "web-pre-2"] {
        engine.script(step, Script::new().until_open(step));
    }
    let controller = start(&engine);
    engine.until_running("web-pre-1", SOON);
    assert!(!created(&engine, "web-pre-2"));
    engine.open("web-pre-1");
    engine.until_running("web-pre-2", SOON);
    assert!(!created(&engine, "web"));
    engine.open("web-pre-2");
    engine.until_running("web", SOON);
    assert!(place(&engine, "POST /containers/db/start") < place(&engine, "POST /containers/create web-pre-1"));
    let step = engine.container("web-pre-1").expect("it ran");
    assert_eq!((step.image.as_str(), &step.body["Cmd"]), ("tools", &json!(["migrate", "up"])));
    stops(&controller, &engine);
}

#[test]
fn a_step_of_pre_start_that_fails_ends_the_pod_with_its_code() {
    let engine = pod(&[("web", "{image: demo, pre_start: [{command: x}, {command: y}]}")]);
    engine.script("web-pre-1", Script::new().exit(7));
    let ended = ends(&start(&engine), &engine, 7);
    says(&ended, &["ended with component 'web-pre-1', exit code 7"]);
    assert!(!created(&engine, "web") && !created(&engine, "web-pre-2"));
}
