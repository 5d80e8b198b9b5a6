//! Beside the matrix of `faults.rs`: images that are pulled where an archive cannot be loaded, and volumes that take long.

mod support;

use std::ops::RangeInclusive;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use support::archives::{file, saved};
use support::cases::{LIMIT, QUICK, SOON, all, bodies, check, faults};
use support::controller::{Controller, Launch};
use support::fake_engine::{FakeEngine, Fault, Pull, Script};
use support::pod::{PODLIKE, scratch};
use tempfile::TempDir;

const DISK: &str = "pod.podlike-volume.data";
const OLD: &str = "pod.podlike-volume.old";
const OWNER: &str = "podlike.controller.id";

/// A pod, and the folder of its files.
struct Pod {
    engine: FakeEngine,
    folder: TempDir,
}

impl Pod {
    /// A pod of `web`, which has a volume of the pod, an external one and a secret, and `aux`; a volume of an earlier life.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "
services:
  web: {image: demo, stop_grace_period: 1s, volumes: ['data:/data', 'state:/state'], secrets: [secret]}
  aux: {image: other, stop_grace_period: 1s}
secrets: {secret: {environment: SECRET}}
volumes: {state: {external: true, name: the-state}}
";
        let path = file(folder.path(), "compose.yml", text.as_bytes()).display().to_string();
        let engine = FakeEngine::new();
        engine
            .controller(&json!({"HostConfig": {"IpcMode": "shareable"}}))
            .image("demo")
            .image("other")
            .volume("the-state", "/state")
            .volume_of(OLD, OWNER, &engine.controller_id())
            .script("aux", Script::new().until_open("over").exit(7))
            .label("pod.compose.file", &path)
            .label("pod.volume.data", "disk");
        Self { engine, folder }
    }

    /// A pod of `web` alone, whose image is in an archive that the engine is given.
    fn with_archive() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        file(folder.path(), "web.tar", &saved(&["x"]));
        let engine = FakeEngine::new();
        engine
            .controller(&json!({"HostConfig": {"IpcMode": "shareable"}}))
            .label("pod.component.web", "{image: x, pull_policy: daily, stop_grace_period: 1s}");
        Self { engine, folder }
    }

    fn start(&self) -> Controller {
        let folder = self.folder.path().display().to_string();
        Launch::of(PODLIKE, &self.engine).env("SECRET", "hunter2").args(&["-images", &folder]).start()
    }

    fn left(&self) -> Vec<String> {
        self.engine.containers().iter().map(|one| one.short_name().to_owned()).collect()
    }
}

/// A load that does not work is told of; then the image is pulled, if it can be. What the engine is silent to only a signal
/// ends (`fetching.rs`), or ten minutes.
#[test]
fn whatever_a_load_is_answered_the_image_is_pulled_instead() {
    let silent = |fault: &Fault| matches!(fault, Fault::Silence | Fault::Slow(_));
    // As long as something moves, it goes on.
    let cases: Vec<_> = faults().into_iter().chain(bodies()).filter(|(_, fault)| !silent(fault)).collect();
    let cases: Vec<_> =
        cases.iter().flat_map(|(name, fault)| [true, false].map(|pulls| (*name, fault, pulls))).collect();
    all(
        &cases,
        |(name, ..)| name,
        |(name, fault, pulls)| {
            let pod = Pod::with_archive();
            let engine = &pod.engine;
            engine.fault("POST /images/load", (*fault).clone());
            if *pulls {
                engine.pull("x", Pull::Works(json!({})));
            }
            let controller = pod.start();
            if *pulls {
                controller.until_stderr_contains("web: started", LIMIT);
                controller.signal(Signal::SIGTERM);
            }
            let ended = controller.wait(LIMIT);
            check(name, &ended, if *pulls { 0 } else { 125 }, &(0..=29));
            for part in ["warning: web: POST /images/load: ", "web: pulling the image 'x'"] {
                assert!(ended.err().contains(part), "{name}: no {part:?} in {}", ended.err());
            }
            assert_eq!(pod.left(), Vec::<String>::new(), "{name}: {}", ended.err());
        },
    );
}

#[test]
fn whatever_the_note_of_a_pulls_time_is_answered_the_pod_runs() {
    let cases: Vec<_> = faults().into_iter().chain(bodies()).collect();
    all(
        &cases,
        |(name, _)| name,
        |(name, fault)| {
            let pod = Pod::with_archive();
            pod.engine.fault("POST /images/*/tag", fault.clone());
            let controller = pod.start();
            controller.until_stderr_contains("web: started", LIMIT);
            controller.signal(Signal::SIGTERM);
            let takes = if matches!(fault, Fault::Silence | Fault::Slow(_)) { QUICK } else { SOON };
            check(name, &controller.wait(LIMIT), 0, &takes);
            assert_eq!(pod.engine.seen("POST /images/*/tag"), 1, "{name}");
            assert_eq!(pod.left(), Vec::<String>::new(), "{name}");
        },
    );
}

/// The limit of the removal of volumes, and the grace of the components before.
const LIMITED: RangeInclusive<u64> = 15..=25;

/// The volume may come when nobody waits for it any more.
#[test]
fn an_end_while_a_volume_is_made_that_never_comes_says_what_may_be_left() {
    let pod = Pod::new();
    let call = format!("POST /volumes/create {DISK}");
    pod.engine.fault(call.as_str(), Fault::Silence);
    let controller = pod.start();
    pod.engine.until_seen(&call, 1, LIMIT);
    controller.signal(Signal::SIGTERM);
    let ended = controller.wait(LIMIT);
    // The ten seconds that a pod has to stop, but for one, and 15 s for the removal by force.
    check("silence", &ended, 143, &(24..=35));
    let told = "the container pod.podlike.web may be left behind, with its volumes";
    assert!(ended.err().contains(told), "{}", ended.err());
    assert_eq!(pod.left(), Vec::<String>::new());
    assert_eq!(scratch(&pod.engine), Vec::<String>::new());
}

/// Bytes that trickle are no reason to wait longer.
#[test]
fn a_pod_with_many_volumes_ends_in_time_when_the_engine_is_slow_with_each() {
    let engine = FakeEngine::new();
    let volumes: Vec<String> = (0..40).map(|number| format!("'v{number}:/v{number}'")).collect();
    let web = format!("{{image: demo, volumes: [{}]}}", volumes.join(", "));
    engine.controller(&json!({"HostConfig": {"IpcMode": "shareable"}})).image("demo").label("pod.component.web", &web);
    for number in 0..40 {
        engine.label(&format!("pod.volume.v{number}"), "disk");
    }
    engine.fault("DELETE /volumes/*", Fault::Slow(Duration::from_secs(1)));
    let controller = Launch::of(PODLIKE, &engine).start();
    controller.until_stderr_contains("web: started", LIMIT);
    controller.signal(Signal::SIGTERM);
    let ended = controller.wait(LIMIT);
    check("slow", &ended, 0, &LIMITED);
    // The engine has done the work, and has not come to say so.
    assert_eq!(ended.err().matches("takes too long to remove it").count(), 40, "{}", ended.err());
    assert_eq!(scratch(&engine), Vec::<String>::new());
}
