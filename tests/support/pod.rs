//! What a test of the binary against the fake engine begins and ends with.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::controller::{Controller, Ended, Launch};
use super::fake_engine::{Call, FakeEngine};

pub(crate) const PODLIKE: &str = env!("CARGO_BIN_EXE_podlike");
/// Enough for what needs no waiting, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const TERM: Signal = Signal::SIGTERM;

/// An engine whose controller declares these components; it has the image `demo`, and its IPC can be shared.
pub(crate) fn pod(components: &[(&str, &str)]) -> FakeEngine {
    let engine = FakeEngine::new();
    engine.image("demo").controller(&json!({"HostConfig": {"IpcMode": "shareable"}}));
    for (name, text) in components {
        engine.label(&format!("pod.component.{name}"), text);
    }
    engine
}

/// One component that runs until it is stopped.
pub(crate) fn web() -> FakeEngine {
    pod(&[("web", "image: demo")])
}

pub(crate) fn start(engine: &FakeEngine) -> Controller {
    Launch::of(PODLIKE, engine).start()
}

pub(crate) fn start_with(engine: &FakeEngine, arg: &str) -> Controller {
    Launch::of(PODLIKE, engine).arg(arg).start()
}

/// It ends with this code, and leaves nothing.
#[track_caller]
pub(crate) fn ends(controller: &Controller, engine: &FakeEngine, code: i32) -> Ended {
    let ended = controller.wait(SOON);
    assert_eq!(ended.code, Some(code), "{}", ended.err());
    let left: Vec<_> = engine.containers().into_iter().map(|one| one.name).collect();
    assert!(left.is_empty(), "{left:?} left behind\n{}", ended.err());
    assert_eq!(scratch(engine), Vec::<String>::new(), "left behind\n{}", ended.err());
    ended
}

/// The volumes that go with the pod, and are there.
pub(crate) fn scratch(engine: &FakeEngine) -> Vec<String> {
    let id = engine.controller_id();
    let ours = |volume: &Value| volume["Labels"]["podlike.controller.id"] == id.as_str();
    engine.volumes().into_iter().filter(|(_, volume)| ours(volume)).map(|(name, _)| name).collect()
}

#[track_caller]
pub(crate) fn stops(controller: &Controller, engine: &FakeEngine) -> Ended {
    controller.signal(TERM);
    ends(controller, engine, 0)
}

#[track_caller]
pub(crate) fn says(ended: &Ended, parts: &[&str]) {
    for part in parts {
        assert!(ended.err().contains(part), "no {part:?} in {}", ended.err());
    }
}

/// It refuses to start, says this, and has created nothing.
#[track_caller]
pub(crate) fn refuses(launch: Launch, engine: &FakeEngine, parts: &[&str]) {
    let ended = ends(&launch.start(), engine, 2);
    says(&ended, parts);
    assert_eq!(engine.seen("POST /containers/create"), 0);
}

/// The place of the first such call among all.
#[track_caller]
pub(crate) fn place(engine: &FakeEngine, call: &str) -> usize {
    let calls = engine.calls();
    let found = calls.iter().position(|seen| seen == call || seen.starts_with(&format!("{call} ")));
    assert!(found.is_some(), "no {call} among {calls:#?}");
    found.expect("asserted")
}

pub(crate) fn created(engine: &FakeEngine, name: &str) -> bool {
    engine.seen(Call::new(&format!("POST /containers/create {name}"))) > 0
}
