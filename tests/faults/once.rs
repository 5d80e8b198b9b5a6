//! Faults that are no cell of the matrix.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use podlike::engine::{Engine, Host};
use podlike::health::Board;
use podlike::pod::{Controller as Facts, Options, Placement, PodSpec, Surroundings};
use podlike::supervisor::{self, Cause, Crew, End, Event, Images};
use serde_json::{Value, json};

use crate::support::cases::LIMIT;
use crate::support::fake_engine::{Call, FakeEngine, Fault};
use crate::support::pod::{ends, start, web};

#[test]
fn a_wait_that_breaks_again_and_again_is_not_asked_without_a_pause() {
    let engine = web();
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", LIMIT);
    engine.fault("POST /containers/web/wait", Fault::status(500, "on purpose"));
    // Those that are open end with the connection, as when the engine is restarted.
    engine.cut_waits();
    let storm = engine.wait_for(|engine| engine.seen("POST /containers/web/wait") > 100, Duration::from_secs(3));
    assert!(!storm, "a hundred waits in 3 s");
    assert!(engine.is_running("web"), "it is not the component's fault");
    controller.signal(Signal::SIGTERM);
    ends(&controller, &engine, 0);
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
    let board = Board::new();
    let events = supervisor::subscribe(&engine, &controller.id).expect("a stream");
    let images = Images::default();
    let (controller, slice, has_volume_of_task) = (controller.id, None, false);
    let pod = supervisor::Pod { engine, controller, plan, options, images, board, events, slice, has_volume_of_task };
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
