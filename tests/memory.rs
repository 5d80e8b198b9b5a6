//! The binary against the fake engine: secrets, configs and volumes of the pod, a sentence each.

mod support;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::archives::file;
use support::controller::{Ended, Launch};
use support::fake_engine::{Call, FakeEngine, Fault, Request, Script};
use support::pod::{PODLIKE, SOON, TERM, created, ends, place, pod, says, scratch, start, stops};
use tempfile::TempDir;

/// The container and the volume that keep what is in memory.
const HOLDER: &str = "pod.podlike-memory";
const ROOT: &str = "/var/lib/docker/volumes/pod.podlike-memory/_data";
const OWNER: &str = "podlike.controller.id";
/// Of each kind of secret, the content.
const SECRETS: [&str; 3] = ["hunter2-of-a-file", "hunter2-of-a-variable", "hunter2-of-the-text"];

/// A pod of a Compose file, with a secret of each kind for `web`; `aux` has none.
fn with_secrets() -> (FakeEngine, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    file(folder.path(), "secret.txt", SECRETS[0].as_bytes());
    let text = format!(
        "
services:
  web:
    image: demo
    secrets: [of-file, {{source: of-variable, target: renamed, uid: '5', gid: '6', mode: 0400}}]
    configs: [{{source: of-text, target: /etc/app/conf}}]
  aux:
    image: demo
secrets:
  of-file: {{file: ./secret.txt}}
  of-variable: {{environment: THE_SECRET}}
configs:
  of-text: {{content: {}}}
",
        SECRETS[2]
    );
    let path = file(folder.path(), "compose.yml", text.as_bytes());
    let engine = pod(&[]);
    engine.label("pod.compose.file", &path.display().to_string());
    (engine, folder)
}

fn launch(engine: &FakeEngine) -> Launch {
    Launch::of(PODLIKE, engine).env("THE_SECRET", SECRETS[1]).env("PODLIKE_LOG", "trace")
}

#[track_caller]
fn shows_nothing(ended: &Ended) {
    for text in [ended.err(), ended.out()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

fn request(engine: &FakeEngine, call: &str) -> Request {
    let found = engine.requests().into_iter().find(|request| request.call == call);
    assert!(found.is_some(), "no {call} among {:#?}", engine.calls());
    found.expect("asserted")
}

// Secrets and configs.

#[test]
fn secrets_are_in_the_memory_of_a_holder_before_any_component_is_created() {
    let (engine, _folder) = with_secrets();
    let controller = launch(&engine).arg("-logs").start();
    for name in ["web", "aux"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    let ended = stops(&controller, &engine);
    let order = [
        format!("POST /volumes/create {HOLDER}"),
        format!("POST /containers/create {HOLDER}"),
        format!("POST /containers/{HOLDER}/start"),
        format!("PUT /containers/{HOLDER}/archive"),
        format!("GET /volumes/{HOLDER}"),
        "POST /containers/create web".to_owned(),
    ];
    let places = order.each_ref().map(|call| place(&engine, call));
    assert!(places.is_sorted(), "{places:?} in {:#?}", engine.calls());
    let last = engine.calls().iter().rposition(|call| call.starts_with(&format!("PUT /containers/{HOLDER}/")));
    for name in ["web", "aux"] {
        assert!(last.expect("a PUT") < place(&engine, &format!("POST /containers/create {name}")), "{name}");
    }
    assert_eq!(engine.seen(Call::new(&format!("POST /containers/{HOLDER}/attach"))), 0, "it says nothing");
    shows_nothing(&ended);
}

#[test]
fn the_memory_is_a_small_tmpfs_of_this_pod_and_its_holder_can_do_nothing() {
    let (engine, _folder) = with_secrets();
    let controller = launch(&engine).start();
    controller.until_stderr_contains("web: started", SOON);
    stops(&controller, &engine);
    let volume = request(&engine, &format!("POST /volumes/create {HOLDER}")).json();
    assert_eq!(volume["Driver"], "local");
    assert_eq!(volume["DriverOpts"], json!({"type": "tmpfs", "device": "tmpfs", "o": "size=67108864,mode=0700"}));
    assert_eq!(volume["Labels"][OWNER], engine.controller_id().as_str());
    let holder = engine.container(HOLDER).expect("it ran");
    assert_eq!(holder.body["Cmd"], json!(["pause"]));
    assert_eq!(holder.body["Labels"]["podlike.component"], "(memory)");
    assert_eq!(holder.host_config("Binds"), &json!([format!("{HOLDER}:/memory")]));
    for (key, value) in [
        ("ReadonlyRootfs", json!(true)),
        ("NetworkMode", json!("none")),
        ("CapDrop", json!(["ALL"])),
        ("SecurityOpt", json!(["no-new-privileges"])),
    ] {
        assert_eq!(holder.host_config(key), &value, "{key}");
    }
}

#[test]
fn each_secret_comes_with_its_owner_and_mode_and_is_bound_read_only_from_where_the_engine_has_it() {
    let (engine, _folder) = with_secrets();
    let controller = launch(&engine).start();
    for name in ["web", "aux"] {
        engine.until_running(name, SOON);
    }
    stops(&controller, &engine);
    let mut files = Vec::new();
    for archive in engine.container(HOLDER).expect("it ran").archives {
        for entry in archive.entries().expect("a tar") {
            if entry.header.entry_type().is_file() {
                let path = Path::new(&archive.path).join(&entry.path).display().to_string();
                let owner = (entry.header.uid().expect("a uid"), entry.header.gid().expect("a gid"));
                let mode = entry.header.mode().expect("a mode") & 0o777;
                files.push((path, owner, mode, String::from_utf8_lossy(&entry.content).into_owned()));
            }
        }
    }
    files.sort();
    let content = |text: &str| text.to_owned();
    let wanted = [
        (content("/memory/web/files/2"), (0, 0), 0o444, content(SECRETS[2])),
        (content("/memory/web/secrets/of-file"), (0, 0), 0o444, content(SECRETS[0])),
        (content("/memory/web/secrets/renamed"), (5, 6), 0o400, content(SECRETS[1])),
    ];
    assert_eq!(files, wanted);
    let bind = |inner: &str, target: &str| json!({"Type": "bind", "Source": format!("{ROOT}/{inner}"), "Target": target, "ReadOnly": true});
    let mounts = engine.container("web").expect("it ran").host_config("Mounts").clone();
    assert_eq!(mounts, json!([bind("web/secrets", "/run/secrets"), bind("web/files/2", "/etc/app/conf")]));
    assert_eq!(engine.container("aux").expect("it ran").host_config("Mounts"), &Value::Null);
}

#[test]
fn nothing_of_a_secret_is_told_whatever_goes_wrong() {
    for (call, fault) in [
        (format!("PUT /containers/{HOLDER}/archive"), Fault::status(500, "on purpose")),
        (format!("PUT /containers/{HOLDER}/archive"), Fault::Cut),
        (format!("PUT /containers/{HOLDER}/archive"), Fault::Garbage),
        (format!("POST /containers/{HOLDER}/start"), Fault::status(500, "on purpose")),
        (format!("GET /volumes/{HOLDER}"), Fault::NonsenseJson),
        ("POST /containers/create web".to_owned(), Fault::Garbage),
    ] {
        let (engine, _folder) = with_secrets();
        engine.fault(Call::new(&call).nth(1), fault);
        let controller = launch(&engine).start();
        let ended = ends(&controller, &engine, 125);
        shows_nothing(&ended);
    }
}

#[test]
fn a_secret_whose_file_is_gone_is_a_failed_start_that_names_it() {
    let (engine, folder) = with_secrets();
    engine.fault(Call::new(&format!("POST /containers/create {HOLDER}")), Fault::Held("gone".into()));
    let controller = launch(&engine).start();
    engine.until_seen(&format!("POST /containers/create {HOLDER}"), 1, SOON);
    let path = folder.path().join("secret.txt");
    fs::remove_file(&path).expect("it was there");
    engine.open("gone");
    let ended = ends(&controller, &engine, 125);
    let told =
        format!("component '(memory)': cannot copy {} of the controller to /run/secrets/of-file", path.display());
    says(&ended, &[&told, "No such file"]);
    assert!(!created(&engine, "web") && !created(&engine, "aux"));
}

#[test]
fn a_holder_that_dies_ends_the_pod() {
    let (engine, _folder) = with_secrets();
    engine.script(HOLDER, Script::new().until_open("dies").exit(0));
    let controller = launch(&engine).start();
    for name in ["web", "aux"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    engine.open("dies");
    let ended = ends(&controller, &engine, 125);
    says(&ended, &["component '(memory)': it ended with 0, and what it held in memory may be lost"]);
    assert_eq!(engine.container("web").expect("it ran").signals, ["TERM"]);
}

#[test]
fn a_pod_without_secrets_and_volumes_has_no_holder_and_makes_no_volume() {
    let engine = pod(&[("web", "image: demo")]);
    let controller = start(&engine);
    engine.until_running("web", SOON);
    stops(&controller, &engine);
    assert!(!created(&engine, HOLDER));
    // A plugin of the host that hangs is asked for nothing.
    for call in ["GET /volumes/*", "POST /volumes/create", "DELETE /volumes/*"] {
        assert_eq!(engine.seen(call), 0, "{call}");
    }
}

// Volumes that go with the pod.

const DISK: &str = "pod.podlike-volume.data";
const FAST: &str = "pod.podlike-volume.fast";

/// Two components with a volume on disk and one in memory.
fn with_volumes() -> FakeEngine {
    let web = "{image: demo, stop_grace_period: 1s, volumes: ['data:/data', 'fast:/fast']}";
    let engine = pod(&[("web", web), ("aux", "{image: demo, stop_grace_period: 1s, volumes: ['data:/other:ro']}")]);
    engine.label("pod.volume.data", "").label("pod.volume.fast", "{medium: memory, size: 64m}");
    engine
}

#[track_caller]
fn until_started(engine: &FakeEngine, controller: &support::controller::Controller) {
    for name in ["web", "aux"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    assert_eq!(scratch(engine), [DISK, FAST]);
}

#[test]
fn volumes_of_the_pod_are_made_for_whoever_names_them() {
    let engine = with_volumes();
    let controller = start(&engine);
    until_started(&engine, &controller);
    stops(&controller, &engine);
    let disk = request(&engine, &format!("POST /volumes/create {DISK}")).json();
    assert_eq!((&disk["Driver"], &disk["DriverOpts"]), (&json!("local"), &json!({})));
    assert_eq!(disk["Labels"][OWNER], engine.controller_id().as_str());
    let fast = request(&engine, &format!("POST /volumes/create {FAST}")).json();
    assert_eq!(fast["DriverOpts"], json!({"type": "tmpfs", "device": "tmpfs", "o": "size=67108864,mode=1777"}));
    let binds = |name| engine.container(name).expect("it ran").host_config("Binds").clone();
    assert_eq!(binds("web"), json!([format!("{DISK}:/data:nocopy"), format!("{FAST}:/fast:nocopy")]));
    assert_eq!(binds("aux"), json!([format!("{DISK}:/other:ro,nocopy")]));
    // What is in memory has a holder from the first moment to the last, what is on disk needs none.
    assert_eq!(binds(HOLDER), json!([format!("{FAST}:/scratch/fast")]));
    assert!(
        place(&engine, &format!("POST /containers/{HOLDER}/start")) < place(&engine, "POST /containers/create web")
    );
}

#[test]
fn volumes_of_the_pod_are_removed_however_it_ends() {
    for (way, code) in [("exit", 3), ("signal", 0), ("two signals", 143), ("failed start", 125), ("lost", 125)] {
        let engine = with_volumes();
        match way {
            "exit" => engine.script("aux", Script::new().until_open("over").exit(3)),
            "two signals" => engine.script("web", Script::new().ignore_term().until_stopped()),
            "failed start" => engine
                .script("aux", Script::new().until_open("over").exit(0))
                .fault(Call::new("POST /containers/web/start"), Fault::status(500, "on purpose")),
            _ => &engine,
        };
        let controller = start(&engine);
        if way != "failed start" {
            until_started(&engine, &controller);
        }
        match way {
            "exit" => drop(engine.open("over")),
            "signal" => controller.signal(TERM),
            "two signals" => {
                controller.signal(TERM);
                engine.until_seen("POST /containers/web/stop", 1, SOON);
                controller.signal(TERM);
            }
            "lost" => drop(engine.vanish("aux")),
            _ => {}
        }
        let ended = ends(&controller, &engine, code);
        assert!(engine.volumes().is_empty(), "{way}: {:?}\n{}", engine.volumes(), ended.err());
        assert!(!ended.err().contains("left behind"), "{way}: {}", ended.err());
    }
}

#[test]
fn what_a_killed_controller_left_behind_is_swept_before_anything_is_made_anew() {
    let engine = with_volumes();
    let controller = start(&engine);
    until_started(&engine, &controller);
    controller.signal(Signal::SIGKILL);
    assert_eq!(controller.wait(SOON).signal, Some(9));
    assert_eq!(scratch(&engine).len(), 2);
    let before = engine.calls().len();
    let controller = start(&engine);
    until_started(&engine, &controller);
    let ended = stops(&controller, &engine);
    says(&ended, &["removed what the last run of this controller left behind: 5 containers and volumes"]);
    let calls = engine.calls().split_off(before);
    let at = |call: String| {
        let found = calls.iter().position(|seen| *seen == call);
        assert!(found.is_some(), "no {call} among {calls:#?}");
        found
    };
    for name in [DISK, FAST] {
        assert!(at(format!("DELETE /volumes/{name}")) < at(format!("POST /volumes/create {name}")), "{name}");
    }
    assert!(at("DELETE /containers/web".to_owned()) < at(format!("DELETE /volumes/{DISK}")));
}

#[test]
fn volumes_of_others_are_not_swept() {
    let engine = with_volumes();
    let other = engine.leftover("other", json!({"Image": "podlike"}));
    engine.volume_of("pod.podlike-volume.else", OWNER, &other).volume("plain", "/plain");
    let controller = start(&engine);
    until_started(&engine, &controller);
    controller.signal(TERM);
    let ended = controller.wait(SOON);
    assert_eq!(engine.volumes().into_keys().collect::<Vec<_>>(), ["plain", "pod.podlike-volume.else"]);
    assert!(!ended.err().contains("left behind"), "{}", ended.err());
}

#[test]
fn a_volume_of_an_earlier_life_that_is_still_in_use_for_a_moment_is_waited_for() {
    let engine = with_volumes();
    engine.volume_of(DISK, OWNER, &engine.controller_id());
    for nth in 1..=2 {
        engine.fault(Call::new(&format!("DELETE /volumes/{DISK}")).nth(nth), Fault::status(409, "volume is in use"));
    }
    let controller = start(&engine);
    until_started(&engine, &controller);
    let ended = stops(&controller, &engine);
    says(&ended, &["removed what the last run of this controller left behind: 1 containers"]);
}

#[test]
fn a_volume_of_an_earlier_life_that_somebody_uses_is_a_refusal_that_names_both() {
    let engine = with_volumes();
    engine.volume_of(DISK, OWNER, &engine.controller_id());
    let user = engine.leftover("backup", json!({"Image": "demo", "HostConfig": {"Binds": [format!("{DISK}:/x")]}}));
    let ended = start(&engine).wait(SOON);
    assert_eq!(ended.code, Some(2), "{}", ended.err());
    says(&ended, &[&format!("DELETE /volumes/{DISK}: the engine answered 409"), "volume is in use", &user]);
    assert_eq!(engine.seen("POST /containers/create"), 0);
}

#[test]
fn what_a_controller_left_that_is_gone_is_swept_whatever_its_name_was() {
    let engine = with_volumes();
    for name in [DISK, FAST, "pod.podlike-volume.else"] {
        engine.volume_of(name, OWNER, "f00");
    }
    let bind = json!({"Binds": ["pod.podlike-volume.else:/x"]});
    engine.leftover("orphan", json!({"Image": "demo", "Labels": {OWNER: "f00"}, "HostConfig": bind}));
    let controller = start(&engine);
    until_started(&engine, &controller);
    let ended = stops(&controller, &engine);
    says(&ended, &["left behind: 3 containers and volumes"]);
    assert!(engine.volumes().is_empty());
    // Where the engine does not say that it is gone, it may be there.
    let engine = with_volumes();
    engine.volume_of(DISK, OWNER, "f00").fault("GET /containers/f00/json", Fault::status(500, "on purpose"));
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &[&format!("there is a volume '{DISK}' that is not this pod's")]);
    assert_eq!(engine.seen(Call::new(&format!("DELETE /volumes/{DISK}"))), 0);
}

#[test]
fn a_volume_with_the_name_of_ours_that_is_somebody_elses_is_neither_used_nor_removed() {
    for (name, of_another_pod) in [(DISK, false), (FAST, true)] {
        let engine = with_volumes();
        // It does not run, but it can.
        let other = engine.leftover("other", json!({"Image": "podlike"}));
        if of_another_pod {
            engine.volume_of(name, OWNER, &other);
        } else {
            engine.volume(name, "/elsewhere");
        }
        let ended = start(&engine).wait(SOON);
        assert_eq!(ended.code, Some(125), "{}", ended.err());
        says(&ended, &[&format!("there is a volume '{name}' that is not this pod's (remove it)")]);
        assert!(!created(&engine, "web"));
        assert_eq!(engine.volumes().into_keys().collect::<Vec<_>>(), [name]);
        assert_eq!(engine.seen(Call::new(&format!("DELETE /volumes/{name}"))), 0);
    }
    // A secret is not put where a disk may be behind.
    let (engine, _folder) = with_secrets();
    engine.volume(HOLDER, "/elsewhere");
    let ended = ends(&launch(&engine).start(), &engine, 125);
    says(&ended, &["component '(memory)': there is a volume 'pod.podlike-memory' that is not this pod's"]);
    assert_eq!(engine.seen("PUT /containers/*/archive"), 0);
}

// Other volumes.

#[test]
fn an_external_volume_must_be_there_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "
services: {web: {image: demo, volumes: ['state:/state']}}
volumes: {state: {external: true, name: the-state}}
";
    let path = file(folder.path(), "compose.yml", text.as_bytes()).display().to_string();
    let engine = pod(&[]);
    engine.label("pod.compose.file", &path);
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["component 'web': there is no volume 'the-state' (it is declared as external: make it"]);
    assert!(!created(&engine, "web") && engine.seen("POST /volumes/create") == 0);
    engine.volume("the-state", "/state");
    let controller = start(&engine);
    engine.until_running("web", SOON);
    stops(&controller, &engine);
    assert_eq!(engine.container("web").expect("it ran").host_config("Binds"), &json!(["the-state:/state"]));
    assert!(engine.volumes().contains_key("the-state"));
}

#[test]
fn a_volume_that_nobody_has_is_made_with_a_label_and_stays() {
    let engine = pod(&[("web", "{image: demo, volumes: ['state:/state']}")]);
    for _ in 0..2 {
        let controller = start(&engine);
        controller.until_stderr_contains("web: started", SOON);
        stops(&controller, &engine);
        let volume = &engine.volumes()["state"];
        assert_eq!((&volume["Labels"]["podlike.volume"], &volume["Labels"][OWNER]), (&json!("state"), &Value::Null));
    }
    assert_eq!(engine.seen("DELETE /volumes/state"), 0);
}

// The end.

#[test]
fn a_volume_that_is_made_while_the_pod_ends_is_removed_and_nothing_is_created_with_it() {
    for after_work in [false, true] {
        let engine = with_volumes();
        let call = Call::new(&format!("POST /volumes/create {DISK}"));
        let held = Fault::Held("late".into());
        if after_work {
            engine.fault_after(call, held)
        } else {
            engine.fault(call, held)
        };
        let controller = start(&engine);
        engine.until_seen(&format!("POST /volumes/create {DISK}"), 2, SOON);
        controller.signal(TERM);
        controller.until_stderr_contains("got SIGTERM", SOON);
        controller.runs_on(Duration::from_millis(300));
        engine.open("late");
        ends(&controller, &engine, 0);
        assert!(!created(&engine, "web") && !created(&engine, "aux"));
    }
}

#[test]
fn a_signal_ends_it_at_any_step_of_what_is_held_in_memory() {
    for step in [
        "POST /volumes/create HOLDER",
        "POST /containers/create HOLDER",
        "POST /containers/HOLDER/start",
        "PUT /containers/HOLDER/archive",
        "GET /volumes/HOLDER",
    ] {
        for after_work in [false, true] {
            let call = step.replace("HOLDER", HOLDER);
            let (engine, _folder) = with_secrets();
            let held = Fault::Held("late".into());
            if after_work {
                engine.fault_after(Call::new(&call).nth(1), held);
            } else {
                engine.fault(Call::new(&call).nth(1), held);
            }
            let controller = launch(&engine).start();
            engine.until_seen(&call, 1, SOON);
            controller.signal(TERM);
            controller.until_stderr_contains("got SIGTERM", SOON);
            // It says so just before it knows.
            thread::sleep(Duration::from_millis(200));
            engine.open("late");
            let ended = ends(&controller, &engine, 0);
            shows_nothing(&ended);
            assert!(!created(&engine, "web"), "{step}");
        }
    }
}

/// A pod of one component with so many volumes.
fn with_many_volumes(count: usize) -> FakeEngine {
    let names: Vec<String> = (0..count).map(|number| format!("v{number}")).collect();
    let volumes: Vec<String> = names.iter().map(|name| format!("'{name}:/{name}'")).collect();
    let engine = pod(&[("web", &format!("{{image: demo, volumes: [{}]}}", volumes.join(", ")))]);
    for name in &names {
        engine.label(&format!("pod.volume.{name}"), "disk");
    }
    engine
}

#[test]
fn many_volumes_are_removed_at_a_time() {
    let engine = with_many_volumes(50);
    engine.fault(Call::new("DELETE /volumes/*"), Fault::Slow(Duration::from_millis(10)));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    let ended = controller.wait(SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    assert!(engine.volumes().is_empty() && !ended.err().contains("left behind"), "{}", ended.err());
}

#[test]
fn one_volume_that_the_engine_does_not_remove_does_not_keep_the_others() {
    let engine = with_many_volumes(3);
    engine.fault("DELETE /volumes/pod.podlike-volume.v0", Fault::status(500, "on purpose"));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    let ended = controller.wait(SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    says(
        &ended,
        &["the volume pod.podlike-volume.v0 may be left behind: DELETE /volumes/pod.podlike-volume.v0", "on purpose"],
    );
    assert_eq!(ended.err().matches("may be left behind").count(), 1, "{}", ended.err());
    assert_eq!(scratch(&engine), ["pod.podlike-volume.v0"]);
}

#[test]
fn a_volume_that_is_still_in_use_for_a_moment_is_removed_then() {
    let engine = with_volumes();
    for nth in 1..=3 {
        engine.fault(Call::new(&format!("DELETE /volumes/{DISK}")).nth(nth), Fault::status(409, "volume is in use"));
    }
    let controller = start(&engine);
    until_started(&engine, &controller);
    let ended = stops(&controller, &engine);
    assert!(!ended.err().contains("left behind"), "{}", ended.err());
}

#[test]
fn a_signal_hurries_the_removal_of_volumes_and_changes_nothing_else() {
    let engine = with_many_volumes(3);
    engine.fault("DELETE /volumes/*", Fault::Silence);
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    engine.until_seen("DELETE /volumes/*", 3, SOON);
    // Only one that ends a pod counts.
    controller.signal(Signal::SIGHUP);
    controller.runs_on(Duration::from_secs(5));
    for _ in 0..2 {
        controller.signal(TERM);
    }
    let ended = controller.wait(SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    assert!(ended.took < Duration::from_secs(12), "{:?}", ended.took);
    for number in 0..3 {
        says(&ended, &[&format!("the volume pod.podlike-volume.v{number} may be left behind")]);
    }
}
