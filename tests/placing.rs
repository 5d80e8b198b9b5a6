//! The binary against the fake engine: what is prepared for the cgroups of components before the first of them. It is there
//! or it is not, in bounded time and with the reason; nothing of it is left, whatever the engine does and whenever a signal
//! comes.

mod support;

use std::ops::RangeInclusive;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::cases::{LIMIT, QUICK, SOON as AT_ONCE, WORK, all, check};
use support::controller::{Controller, Launch};
use support::fake_engine::{Call, FakeEngine, Fault, Script};
use support::pod::{PODLIKE, SOON, TERM, created, ends, place, says};

const ERRAND: &str = "pod.podlike-cgroup";
const CREATE: &str = "POST /containers/create pod.podlike-cgroup";
const START: &str = "POST /containers/pod.podlike-cgroup/start";
const MEMORY: u64 = 64 << 20;

/// What is said of limits that do not hold for the sum.
const FOR_EACH: &str = "limits hold for each component, not for their sum";

/// A controller with limits on cgroup v2, and one component.
fn pod(driver: &str) -> FakeEngine {
    let engine = FakeEngine::new();
    engine
        .info(&json!({"CgroupVersion": "2", "CgroupDriver": driver}))
        .controller(&json!({"HostConfig": {"IpcMode": "shareable", "Memory": MEMORY, "PidsLimit": 40}}))
        .image("demo")
        .label("pod.component.web", "{image: demo, stop_grace_period: 1s}");
    engine
}

/// One whose errand does what it shall.
fn on_cgroupfs() -> FakeEngine {
    let engine = pod("cgroupfs");
    engine.script(ERRAND, Script::new().write_out(format!("{}\n", path(&engine))).exit(0));
    engine
}

/// Likewise: both errands say the name of the slice.
fn on_systemd() -> FakeEngine {
    let engine = pod("systemd");
    engine.script(ERRAND, Script::new().say_word(3).exit(0));
    engine
}

fn path(engine: &FakeEngine) -> String {
    format!("/docker/{}", engine.controller_id())
}

fn start(engine: &FakeEngine) -> Controller {
    Launch::of(PODLIKE, engine).arg("-cgroup=slice").start()
}

fn host_config(engine: &FakeEngine, name: &str, key: &str) -> Value {
    engine.container(name).expect(name).host_config(key).clone()
}

/// Where the component is: its parent, and the limit that it was given.
fn placed(engine: &FakeEngine) -> (Value, Value) {
    (host_config(engine, "web", "CgroupParent"), host_config(engine, "web", "Memory"))
}

#[test]
fn with_cgroupfs_components_go_where_the_errand_says() {
    let engine = on_cgroupfs();
    let controller = Launch::of(PODLIKE, &engine).start();
    engine.until_running("web", SOON);
    assert_eq!(placed(&engine), (json!(path(&engine)), Value::Null), "the controller's limit holds by itself");
    let removed = format!("DELETE /containers/{ERRAND}");
    assert!(place(&engine, &removed) < place(&engine, "POST /containers/create web"), "{:?}", engine.calls());
    let id = engine.controller_id();
    let errand = engine.container(ERRAND).expect("it was there");
    assert_eq!(errand.body["Cmd"], json!(["cgroup", "leaf", "/cgroup", id]));
    assert_eq!(errand.label("podlike.controller.id"), Some(id.as_str()), "the sweep of the next start finds it");
    assert_eq!(errand.host_config("PidMode"), &json!(format!("container:{id}")));
    controller.signal(TERM);
    let ended = ends(&controller, &engine, 0);
    assert!(!ended.err().contains(FOR_EACH), "{}", ended.err());
    assert_eq!(engine.seen(CREATE), 1, "a leaf goes with its cgroup");
}

#[test]
fn without_limits_nothing_is_prepared() {
    let engine = on_cgroupfs();
    engine.controller(&json!({"HostConfig": {"Memory": 0, "PidsLimit": 0}}));
    let controller = Launch::of(PODLIKE, &engine).start();
    engine.until_running("web", SOON);
    assert!(!created(&engine, ERRAND));
    controller.signal(TERM);
    ends(&controller, &engine, 0);
}

#[test]
fn a_slice_is_made_before_the_first_component_and_stopped_after_the_last() {
    let engine = on_systemd();
    let controller = start(&engine);
    engine.until_running("web", SOON);
    let words = engine.container(ERRAND).expect("it was there").body["Cmd"].clone();
    let name = words[3].clone();
    assert_eq!(placed(&engine), (name.clone(), Value::Null));
    let short = &engine.controller_id()[..12];
    assert!(name.as_str().is_some_and(|name| name.starts_with(&format!("podlike-{short}_"))), "{name}");
    assert!(words.to_string().contains(&format!("\"MemoryMax={MEMORY}\",\"TasksMax=40\"")), "{words}");
    controller.signal(TERM);
    ends(&controller, &engine, 0);
    assert_eq!(engine.container(ERRAND).expect("it was there").body["Cmd"], json!(["cgroup", "stop", "/bus", name]));
    let calls = engine.calls();
    let last = calls.iter().rposition(|call| call == CREATE).expect("a second one");
    assert!(place(&engine, "DELETE /containers/web") < last, "{calls:?}");
}

#[test]
fn a_slice_that_cannot_be_stopped_is_told() {
    let engine = on_systemd();
    engine.fault(Call::new(CREATE).nth(2), Fault::status(500, "on purpose"));
    let controller = start(&engine);
    engine.until_running("web", SOON);
    controller.signal(TERM);
    let ended = ends(&controller, &engine, 0);
    says(&ended, &["error: the slice podlike-", "may be left behind (systemctl stop podlike-", "on purpose"]);
}

#[test]
fn without_the_flag_systemd_is_left_alone() {
    let engine = on_systemd();
    let controller = Launch::of(PODLIKE, &engine).start();
    engine.until_running("web", SOON);
    assert_eq!(placed(&engine), (Value::Null, json!(MEMORY)));
    controller.signal(TERM);
    let ended = ends(&controller, &engine, 0);
    assert_eq!(ended.err().matches(FOR_EACH).count(), 1, "{}", ended.err());
    assert!(!created(&engine, ERRAND));
}

#[test]
fn what_an_earlier_life_left_is_in_nobody_s_way() {
    let engine = on_cgroupfs();
    engine.leftover(ERRAND, json!({"Labels": {"podlike.controller.id": engine.controller_id()}}));
    let controller = Launch::of(PODLIKE, &engine).start();
    engine.until_running("web", SOON);
    assert_eq!(placed(&engine).0, json!(path(&engine)));
    controller.signal(TERM);
    ends(&controller, &engine, 0);
}

#[test]
fn a_container_of_somebody_else_with_its_name_is_left_alone() {
    let engine = on_cgroupfs();
    let id = engine.leftover(ERRAND, json!({}));
    let controller = Launch::of(PODLIKE, &engine).start();
    engine.until_running("web", SOON);
    assert_eq!(placed(&engine), (Value::Null, json!(MEMORY)));
    controller.signal(TERM);
    let ended = controller.wait(SOON);
    says(&ended, &[FOR_EACH, "cannot create the container that prepares it"]);
    assert_eq!(engine.containers().into_iter().map(|one| one.id).collect::<Vec<_>>(), [id]);
}

/// Something goes wrong: what, how long it may take until the pod ends, what is said, whether the errand is left.
struct Case {
    name: String,
    takes: RangeInclusive<u64>,
    says: String,
    stays: bool,
    arm: Box<dyn Fn(&FakeEngine) + Sync>,
}

/// The time that an errand has, and what its removal may take.
const LIMITED: RangeInclusive<u64> = 70..=94;

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, takes, says: &str, stays, arm: Box<dyn Fn(&FakeEngine) + Sync>| {
        cases.push(Case { name: name.to_owned(), takes, says: says.to_owned(), stays, arm });
    };
    let script = |script: Script| -> Box<dyn Fn(&FakeEngine) + Sync> {
        Box::new(move |engine| {
            engine.script(ERRAND, script.clone());
        })
    };
    let words = "podlike: error: cannot divide cpuset by /cgroup/x: Operation not permitted\n";
    let script_of = Script::new;
    add(
        "it cannot do it",
        AT_ONCE,
        "not for their sum: cannot divide cpuset by /cgroup/x: Operation not permitted\n",
        false,
        script(script_of().write_err(format!("podlike: warning: first\n{words}")).exit(2)),
    );
    add(
        "it ends without a word",
        AT_ONCE,
        "the container that prepares it ended with exit code 139 and said nothing",
        false,
        script(script_of().exit(139)),
    );
    for (name, said) in [("nonsense", "/docker/../etc\n"), ("nothing", ""), ("another id", "/docker/0123\n")] {
        let script = script(script_of().write_out(said).exit(0));
        add(name, AT_ONCE, "which is no answer", false, script);
    }
    add("it hangs", LIMITED, "took longer than 70 seconds", false, script(script_of().ignore_term().until_stopped()));
    add("it talks for ever", LIMITED, "took longer than 70 seconds", false, script(script_of().flood("x\n")));
    add("its start fails", AT_ONCE, "no such program", false, script(script_of().start_error(400, "no such program")));
    let calls = [
        ("create", CREATE.to_owned()),
        ("attach to", format!("POST /containers/{ERRAND}/attach")),
        ("wait for", format!("POST /containers/{ERRAND}/wait")),
        ("start", START.to_owned()),
    ];
    for (step, call) in calls {
        let told = format!("not for their sum: cannot {step} the container that prepares it: ");
        for (name, fault) in [
            ("500", Fault::status(500, "on purpose")),
            ("cut", Fault::Cut),
            ("garbage", Fault::Garbage),
            ("silence", Fault::Silence),
        ] {
            let takes = match (&fault, step) {
                (Fault::Silence, "attach to" | "wait for") => QUICK,
                (Fault::Silence, _) => WORK,
                _ => AT_ONCE,
            };
            let call = call.clone();
            let arm = move |engine: &FakeEngine| {
                engine.fault(call.as_str(), fault.clone());
            };
            add(&format!("{step}: {name}"), takes, &told, false, Box::new(arm));
        }
        // The engine has done it, and podlike cannot know.
        let arm = move |engine: &FakeEngine| {
            engine.fault_after(call.as_str(), Fault::Cut);
        };
        add(&format!("{step}: cut after its work"), AT_ONCE, &told, false, Box::new(arm));
    }
    let delete = format!("DELETE /containers/{ERRAND}");
    let arm = move |engine: &FakeEngine| {
        // It is not removed by the engine either.
        engine.info(&json!({"LiveRestoreEnabled": true}));
        engine.fault(delete.as_str(), Fault::status(500, "on purpose"));
    };
    add("it cannot be removed", AT_ONCE, "the container pod.podlike-cgroup may be left behind", true, Box::new(arm));
    cases
}

#[test]
fn whatever_goes_wrong_the_pod_runs_and_says_why() {
    all(
        &cases(),
        |case| &case.name,
        |Case { name, takes, says, stays, arm }| {
            let engine = on_cgroupfs();
            arm(&engine);
            let controller = Launch::of(PODLIKE, &engine).start();
            engine.until_running("web", LIMIT);
            controller.signal(TERM);
            let ended = controller.wait(LIMIT);
            check(name, &ended, 0, takes);
            assert!(ended.err().contains(says.as_str()), "{name}: no {says:?} in {}", ended.err());
            if *stays {
                assert_eq!(placed(&engine).0, json!(path(&engine)), "{name}: what it did is done");
            } else {
                assert_eq!(placed(&engine), (Value::Null, json!(MEMORY)), "{name}");
                assert_eq!(ended.err().matches(FOR_EACH).count(), 1, "{name}: {}", ended.err());
            }
            let left: Vec<String> = engine.containers().into_iter().map(|one| one.name).collect();
            assert_eq!(left.contains(&ERRAND.to_owned()), *stays, "{name}: {left:?}");
            assert_eq!(left.len(), usize::from(*stays), "{name}: {left:?}");
        },
    );
}

#[test]
fn a_signal_in_the_middle_leaves_nothing_behind() {
    let cases = ["create", "attach", "wait", "start", "run"];
    all(
        &cases,
        |case| case,
        |case| {
            let engine = on_cgroupfs();
            let call = match *case {
                "create" => CREATE.to_owned(),
                step => format!("POST /containers/{ERRAND}/{step}"),
            };
            if *case == "run" {
                engine.script(ERRAND, Script::new().ignore_term().until_stopped());
            } else {
                engine.fault(call.as_str(), Fault::Held("signal".to_owned()));
            }
            let controller = Launch::of(PODLIKE, &engine).start();
            match *case {
                "run" => engine.until_running(ERRAND, SOON),
                _ => engine.until_seen(&call, 1, SOON),
            }
            controller.signal(Signal::SIGTERM);
            if *case == "create" {
                // Nobody knows the container yet: it waits to hear of it.
                controller.runs_on(Duration::from_millis(500));
            }
            engine.open("signal");
            let ended = controller.wait(LIMIT);
            check(case, &ended, 0, &AT_ONCE);
            assert_eq!(engine.containers().len(), 0, "{case}: {:?}", engine.calls());
            assert!(!created(&engine, "web"), "{case}");
            assert!(!ended.err().contains("error"), "{case}: {}", ended.err());
        },
    );
}

#[test]
fn a_slice_that_may_have_been_made_is_stopped() {
    let engine = on_systemd();
    // It makes its slice, and says nothing of it.
    engine.script(ERRAND, Script::new().until_open("stop").say_word(3).exit(0));
    let controller = start(&engine);
    engine.until_running(ERRAND, SOON);
    controller.signal(TERM);
    engine.until_seen(CREATE, 2, SOON);
    engine.open("stop");
    let ended = ends(&controller, &engine, 0);
    assert_eq!(engine.container(ERRAND).expect("it was there").body["Cmd"][1], json!("stop"));
    assert!(!ended.err().contains("left behind"), "{}", ended.err());
    assert!(!created(&engine, "web"));
}

#[test]
fn an_engine_that_hangs_holds_a_signal_up_for_a_moment_only() {
    let engine = on_cgroupfs();
    engine.fault(CREATE, Fault::Silence);
    let controller = Launch::of(PODLIKE, &engine).start();
    engine.until_seen(CREATE, 1, SOON);
    controller.signal(TERM);
    let ended = controller.wait(LIMIT);
    check("silence", &ended, 0, &(10..=24));
    says(&ended, &["error: the container pod.podlike-cgroup may be left behind"]);
}
