//! As `faults.rs`, for the calls that get a component what it needs: volumes, what is in memory, images from archives.

mod support;

use std::ops::RangeInclusive;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use support::archives::{file, saved};
use support::cases::Fate::{self, Failed, Lives, Refused};
use support::cases::{LIMIT, QUICK, SOON, WORK, all, bodies, check, faults};
use support::controller::{Controller, Launch};
use support::fake_engine::{Call, FakeEngine, Fault, Pull, Script};
use support::pod::{PODLIKE, scratch};
use tempfile::TempDir;

const HOLDER: &str = "pod.podlike-memory";
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

struct Case {
    name: String,
    call: &'static str,
    fault: Fault,
    after_work: bool,
    fate: Fate,
    takes: RangeInclusive<u64>,
}

/// As in `faults.rs`: the calls in order, what becomes of the pod, and what must not have been asked then.
const CALLS: [(&str, Fate, &str); 8] = [
    ("GET /volumes", Refused, "GET /events"),
    ("DELETE /volumes/pod.podlike-volume.old", Refused, "GET /events"),
    ("POST /volumes/create pod.podlike-memory", Failed, "POST /containers/create"),
    ("POST /containers/create pod.podlike-memory", Failed, "POST /containers/pod.podlike-memory/wait"),
    ("POST /containers/pod.podlike-memory/start", Failed, "PUT /containers/*/archive"),
    ("PUT /containers/pod.podlike-memory/archive", Failed, "POST /containers/create web"),
    ("POST /volumes/create pod.podlike-volume.data", Failed, "POST /containers/create web"),
    ("GET /volumes/the-state", Failed, "POST /containers/create web"),
];

/// Whether podlike reads the body of the answer whole.
fn body_is_read(call: &str) -> bool {
    call.starts_with("GET") || call.contains("/create ")
}

/// Calls that are given a minute.
fn is_work(call: &str) -> bool {
    call == "GET /volumes" || !call.starts_with("GET")
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (call, fate, _) in CALLS {
        let mut add = |what: &str, fault: Fault, after_work, fate, takes| {
            let when = if after_work { ", after its work" } else { "" };
            cases.push(Case { name: format!("{call}: {what}{when}"), call, fault, after_work, fate, takes });
        };
        let given_up = if is_work(call) { WORK } else { QUICK };
        for (what, fault) in faults() {
            match &fault {
                // An upload goes on as long as something moves.
                Fault::Slow(_) if call.starts_with("PUT") => {}
                Fault::Silence | Fault::Slow(_) => add(what, fault, false, fate.clone(), given_up.clone()),
                _ => add(what, fault, false, fate.clone(), SOON),
            }
        }
        for (what, fault) in bodies() {
            match &fault {
                // An engine that says that it has done it, and has not, cannot be seen through.
                _ if !body_is_read(call) => add(what, fault, false, Lives, SOON),
                Fault::HugeBody => add(what, fault, false, fate.clone(), 0..=29),
                _ => add(what, fault, false, fate.clone(), SOON),
            }
        }
        // The engine has done it, and podlike cannot know.
        if is_work(call) && matches!(fate, Failed) {
            for (what, fault) in faults() {
                match fault {
                    // It is answered in the end: the answer is the true one.
                    Fault::Slow(_) => {}
                    Fault::Silence => add(what, fault, true, Failed, WORK),
                    _ => add(what, fault, true, Failed, SOON),
                }
            }
        }
    }
    cases
}

/// The call as messages name it: with ids.
fn as_told(engine: &FakeEngine, call: &str) -> String {
    let call: Vec<_> = call.split(' ').take(2).collect();
    let id = engine.container(HOLDER).map(|one| format!("/{}", one.id)).unwrap_or_default();
    call.join(" ").replace(&format!("/containers/{HOLDER}"), &format!("/containers{id}"))
}

#[test]
fn whatever_a_call_for_a_volume_or_its_holder_is_answered_the_pod_ends_well() {
    all(
        &cases(),
        |case| &case.name,
        |case| {
            let Case { name, call, fault, after_work, fate, takes } = case;
            let pod = Pod::new();
            let engine = &pod.engine;
            if *after_work {
                engine.fault_after(*call, fault.clone());
            } else {
                engine.fault(*call, fault.clone());
            }
            let controller = pod.start();
            if matches!(fate, Lives) {
                controller.until_stderr_contains("aux: started", LIMIT);
                controller.until_stderr_contains("web: started", LIMIT);
                controller.signal(Signal::SIGTERM);
            }
            let ended = controller.wait(LIMIT);
            let code = match fate {
                Refused => 2,
                Failed => 125,
                Lives => 0,
            };
            check(name, &ended, code, takes);
            if !matches!(fate, Lives) {
                let told = as_told(engine, call);
                assert!(ended.err().contains(&told), "{name}: no {told:?} in {}", ended.err());
                let next = CALLS.iter().find(|(one, ..)| one == call).expect("one of them").2;
                assert_eq!(engine.seen(next), 0, "{name}: {next}");
            }
            assert!(!ended.err().contains("hunter2"), "{name}: {}", ended.err());
            assert_eq!(pod.left(), Vec::<String>::new(), "{name}: {}", ended.err());
            // What an earlier life left stays where its removal was not come to, or not done.
            let swept = match *call {
                "GET /volumes" => false,
                call if call == format!("DELETE /volumes/{OLD}") => matches!(fault, Fault::Slow(_)),
                _ => true,
            };
            let stays: &[&str] = if swept { &[] } else { &[OLD] };
            assert_eq!(scratch(engine), stays, "{name}: {}", ended.err());
            assert!(engine.volumes().contains_key("the-state"), "{name}");
        },
    );
}

#[test]
fn where_the_memory_is_must_be_known_before_a_component_has_a_part_of_it() {
    let cases: Vec<_> = faults().into_iter().chain(bodies()).collect();
    all(
        &cases,
        |(name, _)| name,
        |(name, fault)| {
            let pod = Pod::new();
            let call = format!("GET /volumes/{HOLDER}");
            // The second one is that of the end.
            pod.engine.fault(Call::new(&call).nth(1), fault.clone());
            let ended = pod.start().wait(LIMIT);
            let takes = match fault {
                Fault::Silence | Fault::Slow(_) => QUICK,
                Fault::HugeBody => 0..=29,
                _ => SOON,
            };
            check(name, &ended, 125, &takes);
            let told = format!("component 'web': cannot look for its secrets and configs: {call}");
            assert!(ended.err().contains(&told), "{name}: no {told:?} in {}", ended.err());
            assert_eq!(pod.engine.seen("POST /containers/create web"), 0, "{name}");
            assert_eq!(pod.left(), Vec::<String>::new(), "{name}: {}", ended.err());
            assert_eq!(scratch(&pod.engine), Vec::<String>::new(), "{name}: {}", ended.err());
        },
    );
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

/// A fault at the end of the pod.
struct AtTheEnd {
    name: &'static str,
    call: Call,
    fault: Fault,
    after_work: bool,
    takes: RangeInclusive<u64>,
    /// What is told to be left, with why, and may be there.
    stays: &'static [(&'static str, &'static str)],
}

/// The limit of the removal of volumes, and the grace of the components before.
const LIMITED: RangeInclusive<u64> = 15..=25;

fn at_the_end() -> Vec<AtTheEnd> {
    const REFUSED: &str = "DELETE /volumes/pod.podlike-volume.data: the engine answered 500: on purpose";
    const SLOW: &str = "the engine takes too long to remove it";
    let delete = || Call::new(&format!("DELETE /volumes/{DISK}"));
    let look = || Call::new(&format!("GET /volumes/{DISK}"));
    let refusal = || Fault::status(500, "on purpose");
    let mut cases = Vec::new();
    let mut add = |name, call, fault, takes, stays| {
        cases.push(AtTheEnd { name, call, fault, after_work: false, takes, stays });
    };
    add("delete answered by 500 always", delete(), refusal(), SOON, &[(DISK, REFUSED)]);
    add("delete answered by 500 once", delete().nth(1), refusal(), SOON, &[]);
    add("delete cut once", delete().nth(1), Fault::Cut, SOON, &[]);
    add("delete answered by garbage always", delete(), Fault::Garbage, SOON, &[(DISK, "DELETE /volumes/")]);
    add("silence to the delete", delete(), Fault::Silence, LIMITED, &[(DISK, SLOW)]);
    add("silence to one delete", Call::new("DELETE /volumes/*").nth(2), Fault::Silence, LIMITED, &[]);
    add("a look answered by 500 always", look(), refusal(), SOON, &[(DISK, "GET /volumes/pod.podlike-volume.data")]);
    add("a look answered by nonsense once", look().nth(1), Fault::NonsenseJson, SOON, &[]);
    add("silence to the look", look(), Fault::Silence, LIMITED, &[(DISK, "")]);
    let name = "delete cut always, after its work";
    cases.push(AtTheEnd { name, call: delete(), fault: Fault::Cut, after_work: true, takes: SOON, stays: &[] });
    cases
}

#[test]
fn whatever_goes_wrong_with_volumes_at_the_end_the_pod_ends_in_time_with_its_own_code() {
    let cases = at_the_end();
    let cases: Vec<_> = cases.iter().flat_map(|case| [(case, true), (case, false)]).collect();
    all(
        &cases,
        |(case, _)| case.name,
        |(case, by_signal)| {
            let name = case.name;
            let pod = Pod::new();
            let engine = &pod.engine;
            if case.after_work {
                engine.fault_after(case.call.clone(), case.fault.clone());
            } else {
                engine.fault(case.call.clone(), case.fault.clone());
            }
            let controller = pod.start();
            for name in ["web", "aux"] {
                controller.until_stderr_contains(&format!("{name}: started"), LIMIT);
            }
            if *by_signal {
                controller.signal(Signal::SIGTERM);
            } else {
                engine.open("over");
            }
            let ended = controller.wait(LIMIT);
            check(name, &ended, if *by_signal { 0 } else { 7 }, &case.takes);
            for (volume, why) in case.stays {
                let told = format!("error: the volume {volume} may be left behind: {why}");
                assert!(ended.err().contains(&told), "{name}: no {told:?} in {}", ended.err());
            }
            let stays: Vec<_> = case.stays.iter().map(|(volume, _)| *volume).collect();
            // That may be of either volume.
            if name != "silence to one delete" {
                assert_eq!(scratch(engine), stays, "{name}: {}", ended.err());
            }
            assert_eq!(pod.left(), Vec::<String>::new(), "{name}: {}", ended.err());
        },
    );
}

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
    // The grace of 1 s and 10 s more, and 15 s for the removal by force.
    check("silence", &ended, 143, &(26..=37));
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
