//! The binary against the fake engine, one fault each: whatever a call is answered, the pod ends with the right code, in
//! bounded time, with a message that names the call, and leaves no container behind.
//!
//! ```text
//!   calls × answers ─▶ a case each ─▶ a thread, an engine, a controller each ─▶ what went wrong, by case
//! ```
//!
//! An ordinary call is given up after 15 s, one that makes the engine work after 60 s: all cases run at a time.

mod support;

use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use podlike::engine::{Engine, Host};
use podlike::pod::{Controller as Facts, Options, Placement, PodSpec, Surroundings};
use podlike::supervisor::{self, Cause, Crew, End, Event, Images};
use serde_json::{Value, json};
use support::cases::Fate::{self, Failed, Lives, Refused};
use support::cases::{LIMIT, QUICK, SOON, WORK, all, bodies, check, faults};
use support::controller::{Controller, Launch};
use support::fake_engine::{Call, FakeEngine, Fault, Pull, Script};

const PODLIKE: &str = env!("CARGO_BIN_EXE_podlike");

struct Case {
    name: String,
    call: &'static str,
    fault: Fault,
    after_work: bool,
    fate: Fate,
    takes: RangeInclusive<u64>,
}

/// The calls of a start, in order: what becomes of the pod when one of them fails, and the call that comes next and must
/// not have been made then.
const CALLS: [(&str, Fate, &str); 15] = [
    ("GET /_ping", Refused, "GET /containers/controller/json"),
    ("GET /containers/controller/json", Refused, "GET /info"),
    ("GET /version", Lives, "none"),
    ("GET /info", Refused, "GET /containers/json"),
    ("GET /containers/json", Refused, "DELETE /containers/old"),
    ("DELETE /containers/old", Refused, "GET /events"),
    ("GET /events", Refused, "POST /containers/create"),
    ("POST /containers/create web", Failed, "PUT /containers/web/archive"),
    ("GET /images/demo/json", Failed, "POST /images/create"),
    ("POST /images/create", Failed, "PUT /containers/web/archive"),
    ("GET /containers/web/json", Failed, "PUT /containers/web/archive"),
    ("PUT /containers/web/archive", Failed, "POST /containers/web/attach"),
    ("POST /containers/web/attach", Failed, "POST /containers/web/wait"),
    ("POST /containers/web/wait", Failed, "POST /containers/web/start"),
    ("POST /containers/web/start", Failed, "none"),
];

/// Whether podlike reads the body of the answer whole.
fn body_is_read(call: &str) -> bool {
    call == "POST /images/create"
        || call.starts_with("POST /containers/create")
        || call.starts_with("GET /containers")
        || call.starts_with("GET /images")
        || call == "GET /version"
        || call == "GET /info"
}

/// Calls that make or unmake something, and so are given more time.
fn is_work(call: &str) -> bool {
    call.starts_with("POST /containers/create") || call.starts_with("DELETE") || call.ends_with("/start")
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (call, fate, _) in CALLS {
        let mut add = |what: &str, fault: Fault, after_work, fate, takes| {
            let when = if after_work { ", after its work" } else { "" };
            let name = format!("{call}: {what}{when}");
            cases.push(Case { name, call, fault, after_work, fate, takes });
        };
        let given_up = if is_work(call) || call.starts_with("PUT") { WORK } else { QUICK };
        for (what, fault) in faults() {
            match (&fault, call) {
                // A pull may take for ever, and only a signal ends it (tests/controller.rs); an upload goes on as long as
                // something moves.
                (Fault::Silence | Fault::Slow(_), "POST /images/create")
                | (Fault::Slow(_), "PUT /containers/web/archive") => {}
                (Fault::Silence | Fault::Slow(_), _) => add(what, fault, false, fate.clone(), given_up.clone()),
                _ => add(what, fault, false, fate.clone(), SOON),
            }
        }
        for (what, fault) in bodies() {
            match (&fault, call) {
                // A pull goes on as long as its body does.
                (Fault::HugeBody, "POST /images/create") => {}
                // Megabytes are read before it is given up.
                (Fault::HugeBody, _) if body_is_read(call) => add(what, fault, false, fate.clone(), 0..=29),
                _ if body_is_read(call) => add(what, fault, false, fate.clone(), SOON),
                // An engine that says that it has done it, and has not, cannot be seen through. What a wait says is
                // asked again; what comes after an attach is only output.
                _ => add(what, fault, false, Lives, SOON),
            }
        }
        // The engine has done it, and podlike cannot know.
        if is_work(call) && matches!(fate, Failed) {
            for (what, fault) in faults() {
                let takes = match fault {
                    Fault::Silence => WORK,
                    // It is answered in the end: the answer is the true one.
                    Fault::Slow(_) => continue,
                    _ => SOON,
                };
                add(what, fault, true, Failed, takes);
            }
            if body_is_read(call) {
                for (what, fault) in bodies() {
                    add(what, fault, true, Failed, SOON);
                }
            }
        }
    }
    cases
}

/// A pod of `web`, which gets a file, and `aux`, which depends on nothing; a container of an earlier life.
fn pod() -> FakeEngine {
    let engine = FakeEngine::new();
    let label = json!({"Labels": {"podlike.controller.id": engine.controller_id()}});
    engine.leftover("pod.podlike.old", label);
    engine
        .controller(&json!({"HostConfig": {"IpcMode": "shareable"}}))
        .image("other")
        .label("pod.component.web", "{image: demo, stop_grace_period: 1s}")
        .label("pod.component.aux", "{image: other, stop_grace_period: 1s}")
        .label("pod.copy.web", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml:/etc/conf"));
    engine
}

fn start(engine: &FakeEngine) -> Controller {
    Launch::of(PODLIKE, engine).arg("-logs").start()
}

fn left(engine: &FakeEngine) -> Vec<String> {
    engine.containers().iter().map(|one| one.short_name().to_owned()).collect()
}

/// The call as messages name it: with ids.
fn as_told(engine: &FakeEngine, call: &str) -> String {
    let mut words: Vec<_> = call.split(' ').take(2).map(ToOwned::to_owned).collect();
    for name in ["controller", "web", "old"] {
        let id = match name {
            "controller" => Some(engine.controller_id()),
            name => engine.container(name).map(|one| one.id),
        };
        if let Some(id) = id {
            words[1] = words[1].replace(&format!("/{name}"), &format!("/{id}"));
        }
    }
    words.join(" ")
}

#[test]
fn whatever_a_call_of_the_start_is_answered_the_pod_ends_well() {
    all(
        &cases(),
        |case| &case.name,
        |case| {
            let Case { name, call, fault, after_work, fate, takes } = case;
            let engine = pod();
            if call.contains("/images/") {
                engine.pull("demo", Pull::Works(json!({})));
            } else {
                engine.image("demo");
            }
            if *after_work {
                engine.fault_after(*call, fault.clone());
            } else {
                engine.fault(*call, fault.clone());
            }
            let controller = start(&engine);
            if matches!(fate, Lives) {
                // A component that was only said to be started does not run.
                controller.until_stderr_contains("web: started", LIMIT);
                engine.until_running("aux", LIMIT);
                controller.signal(Signal::SIGTERM);
            }
            let ended = controller.wait(LIMIT);
            check(
                name,
                &ended,
                match fate {
                    Refused => 2,
                    Failed => 125,
                    Lives => 0,
                },
                takes,
            );
            let lies = !body_is_read(call) && bodies().iter().any(|(body, _)| name.ends_with(body));
            if !matches!(fate, Lives) {
                let told = as_told(&engine, if lies { "POST /containers/create" } else { call });
                assert!(ended.err().contains(&told), "{name}: no {told:?} in {}", ended.err());
                let next = CALLS.iter().find(|(one, ..)| one == call).expect("one of them").2;
                assert_eq!(engine.seen(next), 0, "{name}: {next}");
            }
            // What an earlier life left stays where its removal was not come to, or not done, whatever the engine said.
            let swept = match *call {
                "DELETE /containers/old" => matches!(fault, Fault::Slow(_)),
                _ => engine.seen("DELETE /containers/old") > 0,
            };
            let stays: &[&str] = if swept { &[] } else { &["old"] };
            assert_eq!(left(&engine), stays, "{name}: {}", ended.err());
        },
    );
}

/// A fault at the end of the pod: the case, the component's script, what is done, its fate.
struct AtTheEnd {
    name: &'static str,
    /// Whether the engine removes what ends.
    auto_remove: bool,
    /// Only KILL ends the component.
    stubborn: bool,
    call: Call,
    fault: Fault,
    /// TERM, or the component `aux` ends by itself with 7.
    by_signal: bool,
    code: i32,
    takes: RangeInclusive<u64>,
    says: &'static [&'static str],
    stays: &'static [&'static str],
}

/// When the time is up: the grace of 1 s and 10 s more.
const FORCED: RangeInclusive<u64> = 11..=22;
/// When the removal by force, which gets 15 s, does not work either.
const GIVEN_UP: RangeInclusive<u64> = 26..=37;

fn at_the_end() -> Vec<AtTheEnd> {
    let ordinary = |name, call, fault| AtTheEnd {
        name,
        auto_remove: false,
        stubborn: false,
        call,
        fault,
        by_signal: true,
        code: 0,
        takes: SOON,
        says: &[],
        stays: &[],
    };
    let stop = || Call::new("POST /containers/web/stop");
    let delete = || Call::new("DELETE /containers/web");
    let wait = || Call::new("POST /containers/web/wait");
    let refusal = || Fault::status(500, "on purpose");
    let removed_by_force: &[&str] = &["web: cannot stop it, it is removed by force: POST /containers/"];
    let left_behind: &[&str] = &["the container pod.podlike.web may be left behind"];
    let mut cases = Vec::new();
    for (name, fault) in
        [("stop answered by 500", refusal()), ("stop cut", Fault::Cut), ("stop answered by garbage", Fault::Garbage)]
    {
        cases.push(AtTheEnd { stubborn: true, says: removed_by_force, ..ordinary(name, stop(), fault) });
    }
    cases.push(AtTheEnd {
        code: 143,
        takes: FORCED,
        says: &["the pod was killed after SIGTERM"],
        ..ordinary("silence to the stop", stop(), Fault::Silence)
    });
    cases.push(AtTheEnd {
        by_signal: false,
        code: 7,
        takes: FORCED,
        ..ordinary("silence to the stop, after an end of its own", stop(), Fault::Silence)
    });
    for (name, fault) in [
        ("delete answered by 500 once", refusal()),
        ("delete cut once", Fault::Cut),
        ("delete answered by garbage once", Fault::Garbage),
    ] {
        cases.push(ordinary(name, delete().nth(1), fault));
    }
    cases.push(AtTheEnd {
        says: left_behind,
        // The engine refuses the very call that would remove it.
        stays: &["web"],
        ..ordinary("delete answered by 500 always", delete(), refusal())
    });
    cases.push(AtTheEnd {
        by_signal: false,
        code: 7,
        says: left_behind,
        stays: &["web"],
        ..ordinary("delete answered by 500 always, after an end of its own", delete(), refusal())
    });
    cases.push(AtTheEnd {
        auto_remove: true,
        ..ordinary("delete answered by 500 always, but the engine removes what ends", delete(), refusal())
    });
    cases.push(AtTheEnd {
        code: 143,
        takes: GIVEN_UP,
        says: left_behind,
        // The engine is silent to the very call that would remove it.
        stays: &["web"],
        ..ordinary("silence to the delete", delete(), Fault::Silence)
    });
    cases.push(AtTheEnd {
        auto_remove: true,
        code: 143,
        takes: GIVEN_UP,
        ..ordinary("silence to the delete, but the engine removes what ends", delete(), Fault::Silence)
    });
    // The first delete hangs, the one by force does not.
    cases.push(AtTheEnd {
        code: 143,
        takes: FORCED,
        ..ordinary("silence to the first delete", delete().nth(1), Fault::Silence)
    });
    // A wait that breaks off does not end the pod, and is asked again.
    for (name, fault) in
        [("wait cut in its body", Fault::CutInBody), ("wait with nonsense in its body", Fault::NonsenseJson)]
    {
        cases.push(ordinary(name, wait().nth(1), fault));
    }
    cases
}

#[test]
fn whatever_goes_wrong_at_the_end_the_pod_ends_in_time_with_its_own_code() {
    all(
        &at_the_end(),
        |case| case.name,
        |case| {
            let engine = pod();
            engine
                .image("demo")
                .info(&json!({"LiveRestoreEnabled": !case.auto_remove}))
                .script("aux", Script::new().until_open("over").exit(7));
            if case.stubborn {
                engine.script("web", Script::new().ignore_term().until_stopped());
            }
            engine.fault(case.call.clone(), case.fault.clone());
            let controller = start(&engine);
            for name in ["web", "aux"] {
                controller.until_stderr_contains(&format!("{name}: started"), LIMIT);
            }
            if case.by_signal {
                controller.signal(Signal::SIGTERM);
            } else {
                engine.open("over");
            }
            let ended = controller.wait(LIMIT);
            check(case.name, &ended, case.code, &case.takes);
            for part in case.says {
                assert!(ended.err().contains(part), "{}: no {part:?} in {}", case.name, ended.err());
            }
            // The components have said nothing.
            assert!(!ended.err().contains("some output"), "{}: {}", case.name, ended.err());
            assert_eq!(left(&engine), case.stays, "{}: {}", case.name, ended.err());
        },
    );
}

#[test]
fn a_signal_that_cannot_be_forwarded_ends_nothing() {
    let faults = [("500", Fault::status(500, "on purpose")), ("silence", Fault::Silence), ("cut", Fault::Cut)];
    all(
        &faults,
        |(name, _)| name,
        |(name, fault)| {
            let engine = pod();
            engine.image("demo").fault("POST /containers/web/kill", fault.clone());
            let controller = start(&engine);
            for name in ["web", "aux"] {
                controller.until_stderr_contains(&format!("{name}: started"), LIMIT);
            }
            controller.signal(Signal::SIGHUP);
            let forwarded = |engine: &FakeEngine| {
                engine.container("aux").is_some_and(|one| one.signals == ["HUP"])
                    && engine.seen("POST /containers/web/kill") == 1
            };
            engine.until("both were asked", forwarded, LIMIT);
            controller.signal(Signal::SIGTERM);
            check(name, &controller.wait(LIMIT), 0, &SOON);
            assert_eq!(left(&engine), Vec::<String>::new(), "{name}");
        },
    );
}

#[test]
fn a_wait_that_breaks_again_and_again_is_not_asked_without_a_pause() {
    let engine = pod();
    engine.image("demo");
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", LIMIT);
    engine.fault("POST /containers/web/wait", Fault::status(500, "on purpose"));
    // Those that are open end with the connection, as when the engine is restarted.
    engine.cut_waits();
    let storm = engine.wait_for(|engine| engine.seen("POST /containers/web/wait") > 100, Duration::from_secs(3));
    assert!(!storm, "a hundred waits in 3 s");
    assert!(engine.is_running("web"), "it is not the component's fault");
    controller.signal(Signal::SIGTERM);
    check("after that", &controller.wait(LIMIT), 0, &SOON);
    assert_eq!(left(&engine), Vec::<String>::new());
}

/// What the supervisor says, in this process.
struct Ear(Mutex<Vec<String>>);

static EAR: Ear = Ear(Mutex::new(Vec::new()));

impl log::Log for Ear {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().expect("an ear").push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Runs a pod of `web`, and of `aux` that comes after it, below the cgroup of a controller with limits, and ends it when
/// `aux` runs, if it ever does. The test's process has no cgroup of its own: the supervisor is called as a library.
fn below_a_cgroup(fake: &FakeEngine, name: &str, runs: bool) -> End {
    fake.controller_name(name).image("demo");
    let engine = Engine::connect(Host::Unix(fake.socket().into())).expect("an engine");
    let labels = [
        ("pod.component.web", "{image: demo, mem_limit: 8m}"),
        ("pod.component.aux", "{image: demo, depends_on: [web]}"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let spec = PodSpec::from_labels(&labels.into(), &Surroundings::default()).expect("a pod");
    let mut controller = Facts::assumed(engine.capabilities().expect("an engine"));
    (controller.id, controller.name) = (fake.controller_id(), name.to_owned());
    controller.host.memory = 64 << 20;
    controller.host.pids_limit = Some(100);
    let placement = Placement::Below("/docker/controller".to_owned());
    let options = Options { ipc: false, ..Options::default() };
    let (plan, _) = podlike::pod::plan(&spec, &controller, &placement, options).expect("a plan");
    let health = podlike::health::listen(&fake.controller_id()).expect("a socket");
    let events = supervisor::subscribe(&engine, &controller.id).expect("a stream");
    let images = Images::default();
    let pod = supervisor::Pod { engine, controller: controller.id, plan, options, images, health, events, slice: None };
    let (sender, inbox) = supervisor::inbox();
    let crew = Crew::new(sender.clone());
    thread::scope(|scope| {
        let end = scope.spawn(|| supervisor::run(pod, &crew, &inbox));
        if runs {
            fake.until_running("aux", Duration::from_secs(20));
            sender.event(Event::Signal(15));
        }
        end.join().expect("no panic")
    })
}

/// The cgroup, the memory and the processes of each container that was asked for.
fn limits_of(fake: &FakeEngine, name: &str) -> Vec<(Value, Value, Value)> {
    let call = format!("POST /containers/create {name}");
    let requests = fake.requests().into_iter().filter(|request| request.call == call);
    let of = |host: &Value| (host["CgroupParent"].clone(), host["Memory"].clone(), host["PidsLimit"].clone());
    requests.map(|request| of(&request.json()["HostConfig"])).collect()
}

#[test]
fn a_cgroup_that_the_engine_refuses_is_done_without_once_and_said_once() {
    // The ear may have been opened by nobody else: this is the only test that listens.
    log::set_logger(&EAR).expect("no other logger");
    log::set_max_level(log::LevelFilter::Warn);
    let slices = "cgroup-parent for systemd cgroup should be a valid slice named as \"xxx.slice\"";
    let domain = "OCI runtime create failed: cannot enter cgroupv2 \"/sys/fs/cgroup/docker/c/x\" with domain controllers \
                  -- it is in an invalid state: unknown";
    let nested = |memory: Value| (json!("/docker/controller"), memory, Value::Null);
    let apart = |memory: i64| (Value::Null, json!(memory), json!(100));
    for (name, call, words) in
        [("at-create", "POST /containers/create web", slices), ("at-start", "POST /containers/web/start", domain)]
    {
        let fake = FakeEngine::new();
        fake.fault(Call::new(call).nth(1), Fault::status(500, words));
        let end = below_a_cgroup(&fake, name, true);
        assert!(matches!(end.cause, Cause::Signal(15)) && !end.forced, "{name}: {end:?}");
        assert_eq!(limits_of(&fake, "web"), [nested(json!(8 << 20)), apart(8 << 20)], "{name}");
        assert_eq!(limits_of(&fake, "aux"), [apart(64 << 20)], "{name}: it is known by now");
        assert!(fake.containers().is_empty(), "{name}");
        let said = std::mem::take(&mut *EAR.0.lock().expect("an ear"));
        assert_eq!(said.len(), 1, "{name}: {said:?}");
        assert!(said[0].contains("its limits hold for each of them") && said[0].contains(words), "{name}: {said:?}");
    }
    // What is refused without a cgroup, too, is an error as every other.
    let fake = FakeEngine::new();
    fake.fault("POST /containers/web/start", Fault::status(500, domain));
    let end = below_a_cgroup(&fake, "always", false);
    let Cause::Failed(_, error) = &end.cause else { panic!("{end:?}") };
    assert!(error.to_string().contains("start its container"), "{error}");
    assert_eq!(limits_of(&fake, "web").len(), 2);
    assert!(fake.containers().is_empty());
}
