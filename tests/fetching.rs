//! The binary against the fake engine: where the image of a component comes from, a sentence each.

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use support::archives::{file, gzipped, saved};
use support::controller::Launch;
use support::fake_engine::{FakeEngine, Fault, Pull, Request};
use support::pod::{PODLIKE, SOON, TERM, created, ends, place, pod, refuses, says, start, start_with, stops};
use tempfile::TempDir;

const PULL: &str = "POST /images/create";
const LOAD: &str = "POST /images/load";
const TAG: &str = "POST /images/*/tag";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// It looks into this folder.
fn with_images(engine: &FakeEngine, folder: &Path) -> Launch {
    Launch::of(PODLIKE, engine).args(&["-images", &folder.display().to_string()])
}

fn requests(engine: &FakeEngine, call: &str) -> Vec<Request> {
    let is_it = |request: &Request| request.call == call || request.call.starts_with(&format!("{call} "));
    engine.requests().into_iter().filter(is_it).collect()
}

// Pull policies.

#[test]
fn never_takes_what_is_there_and_pulls_nothing_also_with_an_old_image() {
    let engine = pod(&[("web", "{image: demo, pull_policy: never}")]);
    engine.image_says("demo", json!({"Metadata": {"LastTagTime": "2000-01-01T00:00:00Z"}}));
    let controller = start(&engine);
    engine.until_running("web", SOON);
    stops(&controller, &engine);
    assert_eq!(engine.seen(PULL), 0);
}

#[test]
fn never_does_not_pull_what_is_missing() {
    let engine = pod(&[("web", "{image: x, pull_policy: never}")]);
    engine.pull("x", Pull::Works(json!({})));
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["component 'web': the engine does not have the image 'x'", "pull_policy 'never'"]);
    assert_eq!(engine.seen(PULL), 0);
}

#[test]
fn always_pulls_before_the_container_is_made_and_takes_no_for_an_answer() {
    for there in [true, false] {
        let engine = pod(&[("web", "{image: x, pull_policy: always}")]);
        if there {
            engine.image("x");
        }
        engine.pull("x", Pull::Works(json!({})));
        let controller = start(&engine);
        engine.until_running("web", SOON);
        assert_eq!(engine.seen(PULL), 1, "there: {there}");
        assert!(place(&engine, PULL) < place(&engine, "POST /containers/create"));
        stops(&controller, &engine);
        assert_eq!(engine.seen(TAG), 0, "nobody asks for its age");
    }
    let engine = pod(&[("web", "{image: demo, pull_policy: always}")]);
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["component 'web': cannot pull its image", "denied"]);
    assert!(!created(&engine, "web"));
}

#[test]
fn an_image_with_an_age_is_renewed_when_it_is_older_or_nobody_knows() {
    for (time, pulls) in [
        ("2100-01-01T00:00:00Z", 0),
        ("2000-01-01T00:00:00Z", 1),
        // Docker's own store says so after a pull that podlike has not noted.
        ("0001-01-01T00:00:00Z", 1),
        ("", 1),
    ] {
        let engine = pod(&[("web", "{image: demo, pull_policy: every_1h}")]);
        engine.image_says("demo", json!({"Metadata": {"LastTagTime": time}})).pull("demo", Pull::Works(json!({})));
        let controller = start(&engine);
        engine.until_running("web", SOON);
        stops(&controller, &engine);
        assert_eq!((engine.seen(PULL), engine.seen(TAG)), (pulls, pulls), "{time}");
        // The time of the pull is noted, so the next start pulls nothing.
        let controller = start(&engine);
        engine.until("web runs again", |engine| engine.seen("POST /containers/web/start") == 2, SOON);
        stops(&controller, &engine);
        assert_eq!(engine.seen(PULL), pulls, "{time}, again");
    }
}

#[test]
fn the_age_counts_in_the_unit_that_was_asked_for() {
    for (policy, pulls) in [("every_12h", 1), ("daily", 0), ("weekly", 0)] {
        let engine = pod(&[("web", &format!("{{image: demo, pull_policy: {policy}}}"))]);
        let time = Command::new("date").args(["-u", "-d", "13 hours ago", "+%Y-%m-%dT%H:%M:%S.123456789Z"]).output();
        let time = String::from_utf8(time.expect("a date").stdout).expect("text").trim().to_owned();
        engine.image_says("demo", json!({"Metadata": {"LastTagTime": time}})).pull("demo", Pull::Works(json!({})));
        let controller = start(&engine);
        engine.until_running("web", SOON);
        stops(&controller, &engine);
        assert_eq!(engine.seen(PULL), pulls, "{policy}, pulled at {time}");
    }
}

#[test]
fn what_cannot_be_renewed_is_used_as_it_is() {
    let engine = pod(&[("web", "{image: demo, pull_policy: daily}")]);
    let controller = start(&engine);
    engine.until_running("web", SOON);
    let ended = stops(&controller, &engine);
    says(&ended, &["warning: web: the image stays as it is: cannot pull its image: POST /images/create", "denied"]);
    // What is not there cannot be used as it is.
    let engine = pod(&[("web", "{image: x, pull_policy: daily}")]);
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["component 'web': cannot pull its image"]);
}

#[test]
fn a_time_that_cannot_be_noted_does_no_harm() {
    let engine = pod(&[("web", "{image: x, pull_policy: daily}")]);
    engine.pull("x", Pull::Works(json!({}))).fault(TAG, Fault::status(500, "on purpose"));
    let controller = start(&engine);
    engine.until_running("web", SOON);
    stops(&controller, &engine);
    assert_eq!((engine.seen(PULL), engine.seen(TAG)), (1, 1));
}

// The folder of archives.

#[test]
fn archives_are_loaded_before_any_pull_and_one_that_holds_two_images_once() {
    for policy in ["missing", "never", "always", "daily"] {
        let component = |image: &str| format!("{{image: {image}, pull_policy: {policy}}}");
        let engine = pod(&[("a", &component("x")), ("b", &component("'org/y:1'"))]);
        let folder = folder();
        file(folder.path(), "other.tar", &saved(&["other:1"]));
        file(folder.path(), "both.tar.gz", &gzipped(&saved(&["x:latest", "org/y:1"])));
        let controller = with_images(&engine, folder.path()).start();
        for name in ["a", "b"] {
            engine.until_running(name, SOON);
        }
        let ended = stops(&controller, &engine);
        assert_eq!((engine.seen(LOAD), engine.seen(PULL)), (1, 0), "{policy}");
        assert_eq!(ended.err().matches("loading the image").count(), 1, "{}", ended.err());
        says(&ended, &["both.tar.gz"]);
    }
}

#[test]
fn what_the_engine_has_is_not_loaded_and_what_no_archive_has_is_pulled() {
    let engine = pod(&[("a", "image: demo"), ("b", "image: x")]);
    engine.pull("x", Pull::Works(json!({})));
    let folder = folder();
    file(folder.path(), "demo.tar", &saved(&["demo"]));
    let controller = with_images(&engine, folder.path()).start();
    for name in ["a", "b"] {
        engine.until_running(name, SOON);
    }
    stops(&controller, &engine);
    assert_eq!((engine.seen(LOAD), engine.seen(PULL)), (0, 1));
}

#[test]
fn a_folder_that_is_none_is_a_refusal() {
    let folder = folder();
    let plain = file(folder.path(), "x.tar", &saved(&["x"]));
    for path in [folder.path().join("none"), plain] {
        let engine = pod(&[("web", "image: demo")]);
        let told = format!("-images: {} is no folder", path.display());
        refuses(with_images(&engine, &path), &engine, &[&told, "mount it"]);
    }
}

#[test]
fn an_archive_that_is_broken_is_told_of_and_the_image_is_pulled() {
    let folder = folder();
    file(folder.path(), "broken.tar", b"this is no archive, and it says nothing about x");
    let engine = pod(&[("web", "image: x")]);
    engine.pull("x", Pull::Works(json!({})));
    let controller = with_images(&engine, folder.path()).start();
    engine.until_running("web", SOON);
    let ended = stops(&controller, &engine);
    assert_eq!((engine.seen(LOAD), engine.seen(PULL)), (0, 1));
    says(&ended, &["warning: the archive ", "broken.tar is left out: "]);
}

#[test]
fn an_archive_that_the_engine_does_not_take_is_told_of_and_the_next_one_is_tried() {
    let folder = folder();
    for name in ["a.tar", "b.tar"] {
        file(folder.path(), name, &saved(&["x"]));
    }
    for (refused, pulls) in [(1, 0), (2, 1)] {
        let engine = pod(&[("web", "image: x")]);
        engine.pull("x", Pull::Works(json!({})));
        for nth in 1..=refused {
            engine.fault(support::fake_engine::Call::new(LOAD).nth(nth), Fault::status(500, "no space left"));
        }
        let controller = with_images(&engine, folder.path()).start();
        engine.until_running("web", SOON);
        let ended = stops(&controller, &engine);
        assert_eq!((engine.seen(LOAD), engine.seen(PULL)), (2, pulls));
        says(&ended, &["warning: web: POST /images/load: the engine answered 500: no space left", "b.tar"]);
    }
}

#[test]
fn an_archive_that_does_not_hold_what_it_says_is_not_enough() {
    let folder = folder();
    // The engine loads it, and has the image for another machine then.
    file(folder.path(), "x.tar", &saved(&["x"]));
    let engine = pod(&[("web", "{image: x, platform: linux/arm64, pull_policy: never}")]);
    let ended = ends(&with_images(&engine, folder.path()).start(), &engine, 125);
    says(&ended, &["component 'web': the engine does not have the image 'x'"]);
    assert_eq!(engine.seen(LOAD), 1);
}

// Logins.

const SECRET: &str = "hunter2";
const LOGIN: &str = r#"{"auths": {"host:5000": {"username": "me", "password": "hunter2"}}}"#;

fn flag(path: &Path) -> String {
    format!("-registry-auth={}", path.display())
}

/// The password in the headers of the pulls, by image.
fn logins(engine: &FakeEngine) -> Vec<(String, bool)> {
    let mut logins: Vec<_> = requests(engine, PULL)
        .into_iter()
        .map(|pull| (pull.query["fromImage"].clone(), pull.headers.contains_key("x-registry-auth")))
        .collect();
    logins.sort();
    logins
}

#[test]
fn a_login_is_sent_to_its_registry_and_nowhere_else_and_is_never_told() {
    let folder = folder();
    let path = file(folder.path(), "auth.json", LOGIN.as_bytes());
    let engine = pod(&[("a", "image: 'host:5000/x'"), ("b", "image: 'host:5001/x'"), ("c", "image: y")]);
    for image in ["host:5000/x", "host:5001/x", "y"] {
        engine.pull(image, Pull::Works(json!({})));
    }
    let controller = Launch::of(PODLIKE, &engine).arg(&flag(&path)).env("PODLIKE_LOG", "trace").start();
    for name in ["a", "b", "c"] {
        engine.until_running(name, SOON);
    }
    let ended = stops(&controller, &engine);
    let sent = [("docker.io/library/y", false), ("host:5000/x", true), ("host:5001/x", false)];
    assert_eq!(logins(&engine), sent.map(|(image, login)| (image.to_owned(), login)));
    let header = requests(&engine, PULL).into_iter().find_map(|pull| pull.headers.get("x-registry-auth").cloned());
    let header = header.expect("one login");
    for text in [SECRET, &header] {
        assert!(!ended.err().contains(text) && !ended.out().contains(text), "{}", ended.err());
    }
    for request in engine.requests().iter().filter(|request| request.headers.contains_key("x-registry-auth")) {
        assert!(request.call.starts_with(PULL), "{}", request.call);
    }
}

#[test]
fn the_configuration_of_docker_is_read_and_the_flag_counts_more() {
    let folder = folder();
    let config =
        |name: &str| file(folder.path(), "config.json", LOGIN.replace("\"me\"", &format!("\"{name}\"")).as_bytes());
    config("of-docker");
    let mine = file(folder.path(), "mine.json", LOGIN.replace("\"me\"", "\"of-the-flag\"").as_bytes());
    for (flagged, user) in [(false, "of-docker"), (true, "of-the-flag")] {
        let engine = pod(&[("web", "image: 'host:5000/x'")]);
        engine.pull("host:5000/x", Pull::Works(json!({})));
        let launch = Launch::of(PODLIKE, &engine).env("DOCKER_CONFIG", &folder.path().display().to_string());
        let launch = if flagged { launch.arg(&flag(&mine)) } else { launch };
        let controller = launch.start();
        engine.until_running("web", SOON);
        stops(&controller, &engine);
        // {"username":"of-…
        let encoded =
            if user == "of-docker" { "eyJ1c2VybmFtZSI6Im9mLWRvY2tlci" } else { "eyJ1c2VybmFtZSI6Im9mLXRoZS1mbGFn" };
        let header = requests(&engine, PULL)[0].headers["x-registry-auth"].clone();
        assert!(header.starts_with(encoded), "{user}: {header}");
    }
    // None is no mistake.
    let engine = pod(&[("web", "image: demo")]);
    let controller = Launch::of(PODLIKE, &engine).env("DOCKER_CONFIG", "/no/such/folder").start();
    engine.until_running("web", SOON);
    stops(&controller, &engine);
}

#[test]
fn logins_that_cannot_be_read_are_a_refusal_that_shows_nothing_of_them() {
    let folder = folder();
    let missing = folder.path().join("none.json");
    let engine = pod(&[("web", "image: demo")]);
    refuses(Launch::of(PODLIKE, &engine).arg(&flag(&missing)), &engine, &["cannot read ", "none.json", "No such file"]);
    for (number, text) in [
        SECRET.to_owned(),
        format!("{{\"auths\": \"{SECRET}\"}}"),
        format!("{{\"auths\": {{\"host\": \"{SECRET}\"}}}}"),
        format!("{{\"auths\": {{\"host\": {{\"auth\": \"{SECRET}!\"}}}}}}"),
        format!("{{\"auths\": {{\"host\": {{\"password\": [\"{SECRET}\"]}}}}}}"),
        format!("{{\"auths\": {{\"host\": {{\"password\": \"{SECRET}\"}}}}"),
        format!("{{\"auths\": {{\"host\": {{\"password\": \"{SECRET}\n\"}}}}}}"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = file(folder.path(), "config.json", text.as_bytes());
        for by_flag in [true, false] {
            let engine = pod(&[("web", "image: demo")]);
            let launch = Launch::of(PODLIKE, &engine).env("PODLIKE_LOG", "trace");
            let launch = if by_flag {
                launch.arg(&flag(&path))
            } else {
                launch.env("DOCKER_CONFIG", &folder.path().display().to_string())
            };
            let ended = ends(&launch.start(), &engine, 2);
            says(&ended, &["config.json has no logins for registries: line "]);
            assert!(!ended.err().contains("hunter"), "{number}: {}", ended.err());
            assert_eq!(engine.seen("POST /containers/create"), 0);
        }
    }
}

#[test]
fn helpers_are_told_of_and_the_logins_beside_them_count() {
    let folder = folder();
    let text = LOGIN.replacen('{', "{\"credsStore\": \"pass\", ", 1);
    let path = file(folder.path(), "auth.json", text.as_bytes());
    let engine = pod(&[("web", "image: 'host:5000/x'")]);
    engine.pull("host:5000/x", Pull::Works(json!({})));
    let controller = start_with(&engine, &flag(&path));
    engine.until_running("web", SOON);
    let ended = stops(&controller, &engine);
    says(&ended, &["warning: ", "auth.json: credential helpers are programs that the controller does not have"]);
    assert_eq!(logins(&engine), [("host:5000/x".to_owned(), true)]);
}

// Platforms.

#[test]
fn the_platform_goes_with_the_create_and_the_pull() {
    let engine = pod(&[("web", "{image: x, platform: linux/arm64}"), ("plain", "image: demo")]);
    engine.pull("x", Pull::Works(json!({}))).image_says("x", json!({"Architecture": "arm64"}));
    let controller = start(&engine);
    for name in ["web", "plain"] {
        engine.until_running(name, SOON);
    }
    stops(&controller, &engine);
    for request in requests(&engine, "POST /containers/create web").iter().chain(&requests(&engine, PULL)) {
        assert_eq!(request.query["platform"], "linux/arm64", "{}", request.call);
    }
    assert!(!requests(&engine, "POST /containers/create plain")[0].query.contains_key("platform"));
}

#[test]
fn an_image_for_another_platform_is_as_good_as_none() {
    let engine = pod(&[("web", "{image: demo, platform: linux/arm64}")]);
    engine.pull("demo", Pull::Works(json!({})));
    // The registry has nothing else either, and the engine takes what there is.
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["component 'web': there is no image 'demo' for the platform linux/arm64"]);
    assert_eq!(engine.seen(PULL), 1);
    assert!(engine.container("web").is_none());
}

// Progress.

/// What is left to see on a terminal: a line that was erased is not.
fn rendered(text: &str) -> Vec<String> {
    let seen = |line: &str| line.rsplit("\x1b[2K").next().unwrap_or_default().trim_matches('\r').to_owned();
    text.split('\n').map(seen).collect()
}

#[test]
fn progress_is_a_line_that_is_replaced_on_a_terminal() {
    let engine = pod(&[("web", "image: x")]);
    engine.pull("x", Pull::Slow(40, Duration::from_millis(50), json!({})));
    let controller = Launch::of(PODLIKE, &engine).env("NO_COLOR", "1").start_on_terminal();
    engine.until_running("web", SOON);
    let ended = stops(&controller, &engine);
    let text = ended.err();
    let steps =
        text.matches("\rpodlike: web: pulling, ").count() + text.matches("\x1b[2Kpodlike: web: pulling, ").count();
    // Every 100 ms at most, in two seconds.
    assert!((3..=25).contains(&steps), "{steps} steps in {text:?}");
    assert!(text.contains("\r\x1b[2K"), "{text:?}");
    let lines = rendered(&text);
    assert!(lines.iter().all(|line| !line.contains("pulling, ")), "{lines:#?}");
    assert!(lines.iter().any(|line| line == "podlike: web: pulling the image 'x'"), "{lines:#?}");
    assert!(lines.iter().any(|line| line == "podlike: web: started"), "{lines:#?}");
}

#[test]
fn progress_is_a_line_now_and_then_elsewhere() {
    let engine = pod(&[("web", "image: x"), ("quick", "image: y")]);
    engine.pull("x", Pull::Slow(110, Duration::from_millis(100), json!({}))).pull("y", Pull::Works(json!({})));
    let controller = start(&engine);
    engine.until_running("web", Duration::from_mins(1));
    let ended = stops(&controller, &engine);
    let seconds = ended.took.as_secs();
    let told = ended.err().lines().filter(|line| line.starts_with("podlike: web: pulling, 0 of 1 layer")).count();
    assert!(told >= 1 && told as u64 <= seconds / 5, "{told} in {seconds} s: {}", ended.err());
    assert!(!ended.err().contains("quick: pulling, ") && !ended.err().contains('\r'), "{}", ended.err());
}

// Signals.

#[test]
fn a_signal_ends_it_while_an_archive_is_loaded_and_nothing_else_is_begun() {
    let folder = folder();
    for name in ["a.tar", "b.tar"] {
        file(folder.path(), name, &saved(&["x", "y"]));
    }
    // The second component waits for its turn.
    let engine = pod(&[("web", "image: x"), ("aux", "image: y")]);
    engine.fault(LOAD, Fault::Silence);
    let controller = with_images(&engine, folder.path()).start();
    engine.until_seen(LOAD, 1, SOON);
    engine.until_seen("GET /images/*/json", 3, SOON);
    let ended = stops(&controller, &engine);
    assert!(ended.took < Duration::from_secs(8), "{:?}", ended.took);
    assert_eq!((engine.seen(LOAD), engine.seen(PULL)), (1, 0));
    assert_eq!(engine.seen("GET /images/*/json"), 3);
    assert!(!ended.err().contains("warning: web") && !ended.err().contains("warning: aux"), "{}", ended.err());
}

#[test]
fn a_signal_ends_it_while_a_large_archive_is_looked_into() {
    // 64 GiB of nothing, in members of 64 MiB.
    let mut header = tar::Header::new_gnu();
    header.set_size(64 << 30);
    header.set_path("layer.tar").expect("a path");
    header.set_cksum();
    let nothing = gzipped(&vec![0; 64 << 20]);
    let folder = folder();
    let path = file(folder.path(), "large.tar.gz", &gzipped(header.as_bytes()));
    let mut archive = fs::OpenOptions::new().append(true).open(path).expect("it is there");
    for _ in 0..1024 {
        archive.write_all(&nothing).expect("written");
    }
    for signal in [TERM, Signal::SIGINT] {
        let engine = pod(&[("web", "image: x"), ("aux", "image: y")]);
        let controller = with_images(&engine, folder.path()).start();
        engine.until_seen("GET /images/*/json", 3, SOON);
        controller.runs_on(Duration::from_millis(500));
        controller.signal(signal);
        let ended = ends(&controller, &engine, 0);
        assert!(ended.took < Duration::from_secs(8), "{:?}", ended.took);
        assert_eq!((engine.seen(LOAD), engine.seen(PULL)), (0, 0));
    }
}

#[test]
fn a_signal_ends_it_while_an_image_is_renewed_and_no_container_is_made() {
    let engine = pod(&[("web", "{image: demo, pull_policy: daily}")]);
    engine.pull("demo", Pull::Held("never".into(), json!({})));
    let controller = start(&engine);
    engine.until_seen(PULL, 1, SOON);
    let ended = stops(&controller, &engine);
    assert!(!created(&engine, "web"));
    assert!(!ended.err().contains("stays as it is"), "{}", ended.err());
}

// What else the command line says of components.

#[test]
fn components_with_profiles_run_only_when_one_of_them_is_chosen() {
    let components = [
        ("web", "{image: demo, depends_on: {debug: {condition: service_started, required: false}}}"),
        ("debug", "{image: demo, profiles: [debug, all]}"),
        ("other", "{image: demo, profiles: [other]}"),
    ];
    for (chosen, there) in [
        (None, [true, false, false]),
        (Some("all"), [true, true, false]),
        (Some("x, debug,other"), [true, true, true]),
        (Some("x"), [true, false, false]),
    ] {
        let engine = pod(&components);
        let launch = Launch::of(PODLIKE, &engine);
        let controller =
            chosen.map_or(Launch::of(PODLIKE, &engine), |names| launch.args(&["-profiles", names])).start();
        for ((name, _), _) in components.iter().zip(there).filter(|(_, there)| *there) {
            engine.until_running(name, SOON);
        }
        stops(&controller, &engine);
        assert_eq!(components.map(|(name, _)| created(&engine, name)), there, "{chosen:?}");
    }
}
