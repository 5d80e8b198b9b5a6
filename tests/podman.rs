//! The binary against the fake engine as Podman: a pod lives there as it does with Docker, by other calls.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::json;
use support::fake_engine::{FakeEngine, Flavour, Script};
use support::pod::{SOON, TERM, ends, place, says, start, stops};

/// Podman with the image `demo`, and a controller that declares these components.
fn pod(components: &[(&str, &str)]) -> FakeEngine {
    let engine = FakeEngine::of(Flavour::Podman);
    engine.image("demo").controller(&json!({"HostConfig": {"IpcMode": "shareable"}}));
    for (name, text) in components {
        engine.label(&format!("pod.component.{name}"), text);
    }
    engine
}

/// Asks the engine for something, as somebody else with a command of his own.
fn ask(engine: &FakeEngine, call: &str) -> UnixStream {
    let mut stream = UnixStream::connect(engine.socket()).expect("the engine's socket");
    write!(stream, "{call} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").expect("sent");
    stream
}

fn id(engine: &FakeEngine, name: &str) -> String {
    engine.container(name).expect("a container").id
}

#[test]
fn the_exit_code_of_the_shortest_run_is_the_controllers() {
    let engine = pod(&[("web", "image: demo")]);
    engine.script("web", Script::new().exit(7));
    ends(&start(&engine), &engine, 7);
}

#[test]
fn what_somebody_stops_has_not_ended_before_its_grace() {
    let engine = pod(&[("web", "image: demo")]);
    engine.script("web", Script::new().until_stopped().wait(Duration::from_secs(6)).exit(7));
    let controller = start(&engine);
    engine.until_running("web", SOON);
    let asked = ask(&engine, &format!("POST /v1.41/containers/{}/stop?t=20", id(&engine, "web")));
    ends(&controller, &engine, 7);
    drop(asked);
}

#[test]
fn what_somebody_removes_ends_the_pod() {
    let engine = pod(&[("web", "image: demo"), ("db", "image: demo")]);
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let mut asked = ask(&engine, &format!("DELETE /v1.41/containers/{}?force=1", id(&engine, "web")));
    let mut answer = String::new();
    asked.read_to_string(&mut answer).expect("an answer");
    let ended = controller.wait(SOON);
    assert_ne!(ended.code, Some(0), "{}", ended.err());
    says(&ended, &["component 'web'"]);
    engine.until_empty(SOON);
}

#[test]
fn health_is_looked_for_and_events_are_not() {
    let waits = "{image: demo, depends_on: {db: {condition: service_healthy}}}";
    let engine = pod(&[("db", "{image: demo, healthcheck: {test: [CMD, check]}}"), ("web", waits)]);
    engine.script("db", Script::new().until_stopped().healthy_after(Duration::from_millis(300)));
    let controller = start(&engine);
    controller.until_stderr_contains("the pod is healthy", SOON);
    engine.set_health("db", "unhealthy");
    controller.until_stderr_contains("the pod is unhealthy", SOON);
    stops(&controller, &engine);
    assert_eq!(engine.seen("GET /events"), 0, "its head may never come");
}

#[test]
fn who_lends_a_namespace_is_removed_after_those_who_have_it() {
    let engine = pod(&[("a", "image: demo"), ("b", "{image: demo, pid: 'service:a', depends_on: [a]}")]);
    engine.script("b", Script::new().until_stopped().wait(Duration::from_secs(2)));
    let controller = start(&engine);
    controller.until_stderr_contains("b: started", SOON);
    let ended = stops(&controller, &engine);
    assert!(!ended.err().contains("left behind"), "{}", ended.err());
}

#[test]
fn leftovers_are_removed_in_an_order_that_it_takes() {
    let engine = pod(&[("web", "image: demo")]);
    let body = |ipc: &str| {
        let owner = engine.controller_id();
        json!({"Image": "demo", "Labels": {"podlike.controller.id": owner}, "HostConfig": {"IpcMode": ipc}})
    };
    engine.leftover("pod.podlike.joins", body("container:pod.podlike.lends"));
    engine.leftover("pod.podlike.lends", body("shareable"));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    stops(&controller, &engine);
    assert!(place(&engine, "DELETE /containers/lends") < place(&engine, "DELETE /containers/joins"), "it was refused");
}

#[test]
fn a_removal_by_force_has_no_grace() {
    let engine = pod(&[("web", "{image: demo, stop_grace_period: 1m}")]);
    engine.script("web", Script::new().ignore_term().until_stopped());
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    engine.until_seen("POST /containers/web/stop", 1, SOON);
    let second = Instant::now();
    controller.signal(TERM);
    controller.wait(SOON);
    assert!(second.elapsed() < Duration::from_secs(5), "{:?}", second.elapsed());
}

#[test]
fn a_folder_is_unpacked_where_a_volume_may_be() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "x").expect("a file");
    let engine = pod(&[("web", "image: demo")]);
    engine.label("pod.copy.web", &format!("{}:/data", folder.path().display()));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let web = engine.container("web").expect("a container");
    stops(&controller, &engine);
    let [archive] = &web.archives[..] else { panic!("one archive: {:?}", web.archives.len()) };
    let names: Vec<_> = archive.entries().expect("an archive").into_iter().map(|entry| entry.path).collect();
    assert_eq!((archive.path.as_str(), names), ("/data", vec![".".to_owned(), "file".to_owned()]));
}

#[test]
fn a_scratch_volume_is_opened_where_it_is_mounted() {
    let engine = pod(&[("web", "{image: demo, volumes: ['scratch:/data']}")]);
    engine.label("pod.volume.scratch", "");
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let opener = engine.container("pod.podlike-volume.scratch.opener").expect("a container");
    let archive = &opener.archives[0];
    assert_eq!((archive.path.as_str(), archive.entries().expect("an archive")[0].path.as_str()), ("/volume", "."));
    stops(&controller, &engine);
}
