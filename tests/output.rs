//! What a pod says of its end, and what becomes of its output when nobody takes it.

#![allow(clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::fs::{self, File};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::json;
use support::controller::{Controller, Ended, Launch};
use support::fake_engine::{FakeEngine, Fault, Flavour, Script};
use support::pod::{PODLIKE, SOON, TERM, ends, pod, start, start_with, stops, web};

/// The lines of podlike's own, without its name.
fn told(ended: &Ended) -> Vec<String> {
    ended.err().lines().filter_map(|line| line.strip_prefix("podlike: ")).map(str::to_owned).collect()
}

/// What is told from the first line on that begins like that.
fn told_from(ended: &Ended, begin: &str) -> Vec<String> {
    let told = told(ended);
    let from = told.iter().position(|line| line.starts_with(begin));
    told[from.unwrap_or_else(|| panic!("no line begins with {begin:?}: {told:#?}"))..].to_vec()
}

/// A line without its times.
fn timeless(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    for unit in 1..words.len() {
        if ["ms", "s"].contains(&words[unit].trim_end_matches(',')) && words[unit - 1].parse::<f64>().is_ok() {
            words[unit - 1] = "N";
        }
    }
    words.join(" ").replace("N ms", "N s")
}

// The obituary.

#[test]
fn a_pod_that_ends_by_itself_says_how_each_component_ended_and_what_was_said_last() {
    let engine = pod(&[
        ("app", "image: demo"),
        ("db", "image: demo"),
        ("late", "{image: demo, depends_on: {db: {condition: service_healthy}}}"),
    ]);
    engine.image_with("checked", json!({"Healthcheck": {"Test": ["CMD", "x"]}}));
    engine.label("pod.component.db", "image: checked");
    engine.label("pod.init.components", r#"[{"image": "demo"}]"#).script("init-1", Script::new().exit(0));
    let lines: String = (1..=12).map(|number| format!("line {number}\n")).collect::<Vec<_>>().concat();
    engine.script("app", Script::new().write_out(lines).write_err("panic: on purpose").until_open("over").exit(3));
    let controller = start(&engine);
    engine.until_running("app", SOON);
    engine.until_running("db", SOON);
    controller.until_stderr_contains("db: started", SOON);
    controller.until_stderr_contains("app: started", SOON);
    engine.open("over");
    let ended = ends(&controller, &engine, 3);
    assert_eq!(ended.out(), "", "nothing of it is on stdout");
    let told = told_from(&ended, "app: ended with exit code 3 after");
    let told: Vec<String> = told.iter().map(|line| timeless(line)).collect();
    let wanted = [
        "app: ended with exit code 3 after N s",
        "db: stopped with the pod after N s, exit code 143 (SIGTERM)",
        "late: never started: waited for db to be healthy",
        "the last lines of app:",
        "  | line 4",
        "  | line 5",
    ];
    assert_eq!(told[..6], wanted, "{told:#?}");
    let last = ["  | line 12", "  | panic: on purpose", "the pod ended with component 'app', exit code 3"];
    assert_eq!(told[told.len() - 3..], last, "{told:#?}");
    assert!(!told.iter().any(|line| line.starts_with("init-1")), "it did its work: {told:#?}");
}

#[test]
fn who_was_killed_for_memory_is_told_from_who_was_killed_by_hand() {
    for (script, words) in [
        (Script::new().oom(), "web: ended with exit code 137 (killed by the OOM killer) after"),
        (Script::new().exit(137), "web: ended with exit code 137 (SIGKILL) after"),
        (Script::new().exit(143), "web: ended with exit code 143 (SIGTERM) after"),
    ] {
        let engine = web();
        let code = if words.contains("143") { 143 } else { 137 };
        engine.script("web", script);
        told_from(&ends(&start(&engine), &engine, code), words);
    }
}

#[test]
fn want_of_memory_is_learnt_by_looking_where_no_event_tells_of_it() {
    let engine = FakeEngine::of(Flavour::Podman);
    engine.image("demo").label("pod.component.web", "image: demo").script("web", Script::new().oom());
    told_from(&ends(&start(&engine), &engine, 137), "web: ended with exit code 137 (killed by the OOM killer)");
}

#[test]
fn a_pod_that_ends_by_a_signal_has_no_obituary() {
    let engine = web();
    engine.script("web", Script::new().write_out("hi\n").until_stopped());
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let ended = stops(&controller, &engine);
    assert!(!ended.err().contains(" after ") && !ended.err().contains("hi"), "{}", ended.err());
}

#[test]
fn what_was_shown_is_not_shown_again() {
    let engine = web();
    engine.script("web", Script::new().write_out("hi\n").exit(3));
    let ended = ends(&start_with(&engine, "-logs"), &engine, 3);
    assert_eq!(ended.out(), "[out] web: hi\n");
    told_from(&ended, "web: ended with exit code 3 after");
    assert!(!ended.err().contains("hi"), "{}", ended.err());
}

#[test]
fn what_is_not_to_be_attached_is_left_alone() {
    let engine = pod(&[("web", "{image: demo, attach: false}")]);
    engine.script("web", Script::new().write_out("hi\n").exit(3));
    let ended = ends(&start(&engine), &engine, 3);
    assert_eq!(engine.seen("POST /containers/web/attach"), 0);
    told_from(&ended, "web: ended with exit code 3 after");
    assert!(!ended.err().contains("hi") && !ended.err().contains("last lines"), "{}", ended.err());
}

#[test]
fn a_pod_lives_without_last_words_where_they_are_refused() {
    for fault in [Fault::status(403, "no"), Fault::status(404, "no"), Fault::status(500, "no"), Fault::Cut] {
        let engine = web();
        engine.fault("POST /containers/web/attach", fault.clone());
        engine.script("web", Script::new().write_out("hi\n").exit(3));
        let ended = ends(&start(&engine), &engine, 3);
        told_from(&ended, "web: ended with exit code 3 after");
        assert!(!ended.err().contains("warning") && !ended.err().contains("last lines"), "{fault:?}: {}", ended.err());
    }
}

#[test]
fn the_last_words_are_those_of_who_was_waited_for() {
    let engine = pod(&[("web", "{image: demo, depends_on: {db: {condition: service_healthy}}}")]);
    engine.image_with("checked", json!({"Healthcheck": {"Test": ["CMD", "x"]}}));
    engine.label("pod.component.db", "image: checked");
    engine.script("db", Script::new().write_err("no space on disk\n").until_stopped());
    let controller = start(&engine);
    controller.until_stderr_contains("db: started", SOON);
    engine.set_health("db", "unhealthy");
    let ended = ends(&controller, &engine, 125);
    assert_eq!(told_from(&ended, "the last lines of db:")[..2], ["the last lines of db:", "  | no space on disk"]);
    told_from(&ended, "web: never started").first().expect("a line");
}

#[test]
fn an_init_component_that_failed_says_why() {
    let engine = web();
    engine.label("pod.init.components", r#"[{"image": "demo"}, {"image": "demo"}]"#);
    engine.script("init-1", Script::new()).script("init-2", Script::new().write_err("no migration\n").exit(4));
    let ended = ends(&start(&engine), &engine, 4);
    let told: Vec<String> =
        told_from(&ended, "init-2: ended with exit code 4 after").iter().map(|it| timeless(it)).collect();
    let wanted =
        ["web: never started: waited for init-2 to end with 0", "the last lines of init-2:", "  | no migration"];
    assert_eq!(told[1..4], wanted, "{told:#?}");
}

#[test]
fn a_component_that_cannot_be_started_is_told_with_the_others() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: demo")]);
    engine.script("b", Script::new().start_error(400, "exec: no such file"));
    let ended = ends(&start(&engine), &engine, 125);
    told_from(&ended, "b: could not be started");
}

#[test]
fn a_component_that_says_much_is_not_held_up_and_the_rest_is_forgotten() {
    let engine = web();
    let water = "water\n".repeat(2000);
    engine.script("web", Script::new().flood(water));
    let controller = start(&engine);
    let wrote = |engine: &FakeEngine| engine.container("web").is_some_and(|one| one.written > 64 << 20);
    engine.until("web has said 64 MB", wrote, Duration::from_mins(1));
    let status = fs::read_to_string(format!("/proc/{}/status", controller.pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let peak: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < 64 << 10, "it came to hold {peak} KiB");
    stops(&controller, &engine);
}

#[test]
fn last_words_go_on_after_a_cut() {
    let engine = web();
    engine.script("web", Script::new().write_out("one\n").until_open("go").write_out("two\n").exit(3));
    let controller = Launch::of(PODLIKE, &engine).env("PODLIKE_LOG", "debug").start();
    engine.until("web has said one", |engine| engine.container("web").is_some_and(|web| web.written > 0), SOON);
    engine.cut_attaches();
    controller.until_stderr_contains("web: its log was cut and goes on", SOON);
    engine.open("go");
    let told = told_from(&ends(&controller, &engine, 3), "the last lines of web:");
    assert!(told[1..3] == ["  | one", "  | two"], "{told:#?}");
}

// Output that is cut.

/// A component that says something after its stop has come, and a pod that has told it to stop.
fn in_its_grace() -> (FakeEngine, Controller) {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 8s}")]);
    let script = Script::new().write_out("one\n").until_stopped().until_open("cut").write_out("bye\n");
    engine.script("web", script.until_open("heard").exit(0));
    let controller = start_with(&engine, "-logs");
    controller.until_stdout_contains("[out] web: one\n", SOON);
    controller.signal(TERM);
    engine.until_seen("POST /containers/web/stop", 1, SOON);
    (engine, controller)
}

#[test]
fn output_that_is_cut_while_a_component_stops_goes_on_to_its_last_word() {
    let (engine, controller) = in_its_grace();
    engine.cut_attaches();
    controller.until_stderr_contains("web: its log was cut and goes on, lines may be missing", SOON);
    engine.open("cut");
    controller.until_stdout_contains("[out] web: bye\n", SOON);
    engine.open("heard");
    ends(&controller, &engine, 0);
}

#[test]
fn output_that_is_cut_while_a_component_stops_and_cannot_go_on_is_told() {
    let (engine, controller) = in_its_grace();
    engine.fault("POST /containers/web/attach", Fault::status(500, "on purpose"));
    engine.cut_attaches();
    engine.until_seen("POST /containers/web/attach", 2, SOON);
    engine.open("cut").open("heard");
    let ended = ends(&controller, &engine, 0);
    assert!(ended.err().contains("web: its log was cut for good, lines may be missing: POST"), "{}", ended.err());
}

// Events that are cut.

#[test]
fn a_stream_of_events_that_is_cut_a_hundred_times_loses_nothing() {
    let engine = pod(&[("web", "image: checked")]);
    engine.image_with("checked", json!({"Healthcheck": {"Test": ["CMD", "x"]}}));
    engine.script("web", Script::new().until_open("over").exit(137));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    for cut in 1..=100_usize {
        let health = if cut % 2 == 1 { "healthy" } else { "unhealthy" };
        engine.set_health_silently("web", health).cut_events();
        controller.until_stderr_repeats(&format!("the pod is {health}"), cut.div_ceil(2), SOON);
    }
    engine.oom_silently("web").cut_events();
    let lists = engine.seen("GET /containers/web/json");
    engine.until_seen("GET /containers/web/json", lists + 1, SOON);
    controller.until_stderr_contains("web: the OOM killer struck in it", SOON);
    engine.open("over");
    let ended = ends(&controller, &engine, 137);
    told_from(&ended, "web: ended with exit code 137 (killed by the OOM killer) after");
    assert_eq!(engine.seen("GET /events"), 102);
}

// A stdout that takes nothing.

#[test]
fn a_full_disk_behind_stdout_costs_the_output_and_nothing_else() {
    let engine = web();
    engine.script("web", Script::new().write_out("lost\n").write_err("seen\n").until_open("over").exit(7));
    let full = File::options().write(true).open("/dev/full").expect("a disk that is full");
    let controller = Launch::of(PODLIKE, &engine).arg("-logs").stdout(full).start();
    controller.until_stderr_contains("the output of the components is lost, it cannot be written: No space", SOON);
    controller.until_stderr_contains("[err] web: seen", SOON);
    engine.open("over");
    let ended = ends(&controller, &engine, 7);
    assert!(
        ended.err().contains(&format!("{} bytes of the output were lost", "[out] web: lost\n".len())),
        "{}",
        ended.err()
    );
}

/// A file on a disk of a megabyte, 15/16 of which are taken: it is mounted where nobody else sees it.
#[test]
fn a_disk_that_has_room_again_gets_whole_lines_again_and_the_loss_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = web();
    let line = format!("{}\n", "x".repeat(99));
    let (much, all) = (line.repeat(2_000), "[out] web: ".len() * 2_000 + 2_000 * line.len());
    engine.script("web", Script::new().write_out(much).until_open("more").write_out("end\n").until_stopped());
    let script =
        r#"mount -t tmpfs -o size=1m none "$1" && head -c 983040 /dev/zero >"$1/filler" && exec "$2" -logs >"$1/out""#;
    let path = folder.path().to_str().expect("text");
    let controller = Launch::new("unshare", &engine.host(), &engine.controller_id())
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .args(&["--mount", "sh", "-c", script, "sh", path, PODLIKE])
        .start();
    controller.until_stderr_contains("the output of the components is lost, it cannot be written: No space", SOON);
    let inside = |name: &str| PathBuf::from(format!("/proc/{}/root{path}/{name}", controller.pid()));
    let wrote = |engine: &FakeEngine| engine.container("web").is_some_and(|one| one.written >= 2_000 * line.len());
    engine.until("all is said", wrote, SOON);
    // What is on its way to the disk gets there, or does not.
    thread::sleep(Duration::from_millis(300));
    fs::remove_file(inside("filler")).expect("room");
    engine.open("more");
    controller.until_stderr_contains("the output of the components goes on, ", SOON);
    let written = fs::read(inside("out")).expect("it is still there");
    let ended = stops(&controller, &engine);
    let text = String::from_utf8_lossy(&written);
    assert!(text.ends_with("\n[out] web: end\n"), "{:?}", &text[text.len().saturating_sub(300)..]);
    let said = ended.err();
    let (_, lost) = said.split_once("goes on, ").expect("it was told");
    let lost: usize = lost.split(' ').next().and_then(|word| word.parse().ok()).expect("a number");
    let kept = text.len() - "[out] web: end\n".len();
    let torn = usize::from(!(all - lost).is_multiple_of("[out] web: ".len() + line.len()));
    assert_eq!(lost + kept, all + torn, "each byte is written or counted");
}

#[test]
fn a_reader_that_pauses_holds_components_up_and_loses_nothing() {
    let engine = web();
    let text: String = (0..400_000).map(|number| format!("line {number} of many\n")).collect::<Vec<_>>().concat();
    engine.script("web", Script::new().write_out(text.clone()).until_open("over").exit(5));
    let mut controller = Launch::of(PODLIKE, &engine).arg("-logs").start_unread();
    controller.until_stderr_contains("web: started", SOON);
    controller.runs_on(Duration::from_secs(3));
    let written = engine.container("web").expect("it runs").written;
    assert!(written < text.len(), "what nobody reads pushes back on who writes it");
    controller.read_stdout();
    engine.until("all is said", |engine| engine.container("web").is_some_and(|one| one.written == text.len()), SOON);
    engine.open("over");
    let ended = ends(&controller, &engine, 5);
    let lines: String = ended
        .out()
        .lines()
        .map(|line| format!("{}\n", line.trim_start_matches("[out] web: ")))
        .collect::<Vec<_>>()
        .concat();
    assert!(lines == text, "{} of {} bytes", lines.len(), text.len());
}

#[test]
fn a_pod_ends_in_time_with_the_right_code_whatever_is_behind_its_stdout() {
    for unread in [true, false] {
        let engine = pod(&[("web", "image: demo"), ("loud", "image: demo")]);
        engine.script("loud", Script::new().flood("water\n".repeat(1000)));
        engine.script("web", Script::new().until_open("over").exit(9));
        let mut controller = Launch::of(PODLIKE, &engine).arg("-logs").start_unread();
        if !unread {
            controller.close_stdout();
        }
        controller.until_stderr_contains("web: started", SOON);
        controller.until_stderr_contains("loud: started", SOON);
        let loud = |engine: &FakeEngine| engine.container("loud").is_some_and(|one| one.written > 256 << 10);
        engine.until("much is said", loud, SOON);
        engine.open("over");
        let ended = ends(&controller, &engine, 9);
        assert!(ended.err().contains("lost") || ended.err().contains("could not be written"), "{}", ended.err());
    }
}

#[test]
fn a_component_that_closes_its_stdout_runs_on() {
    let engine = web();
    engine.script("web", Script::new().write_out("last\n").until_open("over").exit(4));
    let controller = start_with(&engine, "-logs");
    controller.until_stdout_contains("[out] web: last", SOON);
    engine.cut_attaches();
    controller.until_stderr_contains("its log was cut and goes on", SOON);
    engine.open("over");
    ends(&controller, &engine, 4);
}
