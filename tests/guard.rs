//! The binary against the fake engine: the guard of a pod, and what is swept of dead controllers, a sentence each.

mod support;

use std::time::Duration;

use podlike::engine::types::{CreateRequest, VolumeRequest};
use podlike::engine::{Engine, Host};
use serde_json::{Value, json};
use support::controller::{Controller, Launch};
use support::fake_engine::{Call, FakeEngine, Fault, Request, Status};
use support::pod::{PODLIKE, SOON, created, ends, place, pod, says, start, start_with, stops};

const OWNER: &str = "podlike.controller.id";
const INSTANCE: &str = "podlike.instance";
const GUARD: &str = "pod.podlike-guard";
const HOLDER: &str = "pod.podlike-memory";

/// An engine whose socket the controller has mounted.
fn with_socket(components: &[(&str, &str)]) -> FakeEngine {
    let engine = pod(components);
    let socket = engine.socket().display().to_string();
    let mount = json!({"Type": "bind", "Source": "/host/docker.sock", "Destination": socket, "RW": false});
    engine.controller(&json!({"Mounts": [mount], "HostConfig": {"IpcMode": "private"}}));
    engine
}

fn connect(engine: &FakeEngine) -> Engine {
    Engine::connect(Host::Unix(engine.socket().into())).expect("an engine")
}

/// A container that runs.
fn running(engine: &FakeEngine, name: &str, labels: &[(&str, &str)]) -> String {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let request = CreateRequest { image: "demo".to_owned(), labels, ..CreateRequest::default() };
    let client = connect(engine);
    let id = client.create(name, &request, None).expect("created");
    client.start(&id).expect("started");
    id
}

/// What a life of a controller has made, and its guard.
struct Life {
    engine: FakeEngine,
    controller: String,
}

impl Life {
    /// Of one whose guard is called so.
    fn new(name: &str) -> Self {
        let engine = pod(&[]);
        let controller = running(&engine, "boss", &[]);
        running(&engine, "web", &[(OWNER, &controller), (INSTANCE, "1"), ("podlike.component", "web")]);
        running(&engine, "new", &[(OWNER, &controller), (INSTANCE, "2"), ("podlike.component", "web")]);
        running(&engine, "own", &[(OWNER, &controller), (INSTANCE, "1"), ("podlike.component", name)]);
        engine.volume_of("old", INSTANCE, "1").volume_of("made-anew", INSTANCE, "2");
        Self { engine, controller }
    }

    fn guard(&self, name: &str) -> Controller {
        let before = self.engine.seen("POST /containers/boss/wait");
        let words = ["pause", name, &self.controller, "1", "old", "made-anew", "gone"];
        let guard = Launch::of(PODLIKE, &self.engine).args(&words).start();
        self.engine.until_seen("POST /containers/boss/wait", before + 1, SOON);
        guard
    }

    fn kill_boss(&self) {
        connect(&self.engine).kill(&self.controller, "KILL").expect("it runs");
    }

    fn left(&self) -> Vec<String> {
        self.engine.containers().into_iter().map(|one| one.name).collect()
    }
}

#[test]
fn a_guard_removes_what_the_life_made_and_nothing_of_another_life() {
    let life = Life::new("(guard)");
    let guard = life.guard("(guard)");
    guard.runs_on(Duration::from_millis(300));
    assert_eq!(life.left(), ["boss", "web", "new", "own"]);
    life.kill_boss();
    assert_eq!(guard.wait(SOON).code, Some(0));
    // It has removed itself, too: this engine does not.
    assert_eq!(life.left(), ["boss", "new"]);
    assert_eq!(life.engine.volumes().into_keys().collect::<Vec<_>>(), ["made-anew"]);
}

#[test]
fn a_guard_whose_controller_was_removed_does_so_as_well() {
    let life = Life::new("(guard)");
    let guard = life.guard("(guard)");
    connect(&life.engine).remove(&life.controller).expect("removed");
    assert_eq!(guard.wait(SOON).code, Some(0));
    assert_eq!(life.left(), ["new"]);
}

#[test]
fn a_guard_ends_by_term_and_leaves_all_as_it_is() {
    let life = Life::new("(guard)");
    for signal in [nix::sys::signal::Signal::SIGTERM, nix::sys::signal::Signal::SIGINT] {
        let guard = life.guard("(guard)");
        guard.signal(nix::sys::signal::Signal::SIGHUP);
        guard.runs_on(Duration::from_millis(200));
        guard.signal(signal);
        let ended = guard.wait(Duration::from_secs(5));
        assert_eq!((ended.code, ended.out().as_str(), ended.err().as_str()), (Some(0), "", ""));
        assert_eq!(life.left(), ["boss", "web", "new", "own"]);
    }
}

#[test]
fn a_guard_looks_again_for_what_the_engine_was_making() {
    let life = Life::new("(guard)");
    let guard = life.guard("(guard)");
    let lists = life.engine.seen("GET /containers/json");
    life.kill_boss();
    life.engine.until_seen("GET /containers/json", lists + 2, SOON);
    running(&life.engine, "late", &[(INSTANCE, "1"), ("podlike.component", "late")]);
    assert_eq!(guard.wait(SOON).code, Some(0));
    assert_eq!(life.left(), ["boss", "new"]);
}

#[test]
fn a_guard_waits_for_an_engine_that_is_away_and_knows_a_new_life() {
    for restarted in [false, true] {
        let life = Life::new("(guard)");
        let guard = life.guard("(guard)");
        life.engine.go_away();
        guard.runs_on(Duration::from_millis(500));
        life.engine.come_back();
        life.engine.until_seen("POST /containers/boss/wait", 2, SOON);
        assert_eq!(life.left(), ["boss", "web", "new", "own"], "the controller lives");
        life.engine.go_away();
        if restarted {
            life.engine.container_says("boss", &json!({"State": {"StartedAt": "2026-02-02T00:00:00Z"}}));
        }
        life.engine.come_back();
        if !restarted {
            life.engine.until_seen("POST /containers/boss/wait", 3, SOON);
            life.kill_boss();
        }
        assert_eq!(guard.wait(SOON).code, Some(0), "{restarted}");
        assert_eq!(life.left(), ["boss", "new"], "{restarted}");
    }
}

#[test]
fn a_guard_goes_on_where_the_engine_refuses_for_a_while() {
    for call in ["GET /containers/json", "DELETE /containers/web", "GET /volumes/old", "DELETE /volumes/old"] {
        let life = Life::new("(guard)");
        life.engine.fault(Call::new(call).nth(1), Fault::status(500, "on purpose"));
        let guard = life.guard("(guard)");
        life.kill_boss();
        assert_eq!(guard.wait(SOON).code, Some(0), "{call}");
        assert_eq!(life.left(), ["boss", "new"], "{call}");
        assert_eq!(life.engine.volumes().len(), 1, "{call}");
    }
}

#[test]
fn a_guard_that_has_volumes_leaves_them_to_an_heir() {
    let life = Life::new("(memory)");
    let guard = life.guard("(memory)");
    life.kill_boss();
    assert_eq!(guard.wait(SOON).code, Some(0));
    assert_eq!(life.left(), ["boss", "new", "own-heir-1"]);
    assert_eq!(life.engine.volumes().len(), 2);
    let heir = life.engine.container("own-heir-1").expect("made");
    assert_eq!(heir.status, Status::Running);
    let own = life.engine.container("own").expect("it was there").id;
    assert_eq!(heir.body["Cmd"], json!(["pause", "(heir)", own, "1", "old", "made-anew", "gone"]));
    assert_eq!(heir.body["Labels"][OWNER], life.controller.as_str());
    assert_eq!(heir.host_config("NetworkMode"), "none");
    // What the engine would run.
    let words: Vec<String> = serde_json::from_value(heir.body["Cmd"].clone()).expect("words");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = Launch::of(PODLIKE, &life.engine).args(&words).start().wait(SOON);
    assert_eq!(ended.code, Some(0));
    assert_eq!(life.left(), ["boss", "new"]);
    assert_eq!(life.engine.volumes().into_keys().collect::<Vec<_>>(), ["made-anew"]);
}

// The guard of a pod.

#[test]
fn private_pids_have_a_guard_before_any_component_is_created() {
    let engine = with_socket(&[("web", "{image: demo, shm_size: 128m}"), ("aux", "{image: demo, pid: private}")]);
    let controller = start_with(&engine, "-pids=false");
    for name in ["web", "aux"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    let guard = engine.container(GUARD).expect("it runs");
    let web = engine.container("web").expect("it runs");
    assert_eq!(guard.body["Labels"][INSTANCE], web.body["Labels"][INSTANCE]);
    let instance = guard.body["Labels"][INSTANCE].as_str().expect("a life").to_owned();
    assert_eq!(guard.body["Cmd"], json!(["pause", "(guard)", engine.controller_id(), instance]));
    assert_eq!(guard.body["Env"], json!(["DOCKER_HOST=unix:///engine"]));
    let door = json!([{"Type": "bind", "Source": "/host/docker.sock", "Target": "/engine", "ReadOnly": true}]);
    assert_eq!(guard.host_config("Mounts"), &door);
    assert_eq!(guard.host_config("PidMode"), &Value::Null);
    assert_eq!((guard.host_config("IpcMode"), guard.host_config("ShmSize")), (&json!("shareable"), &json!(128 << 20)));
    assert_eq!(web.host_config("IpcMode"), &json!(format!("container:{GUARD}")));
    let begins = place(&engine, &format!("POST /containers/{GUARD}/start"));
    assert!(["web", "aux"].iter().all(|name| begins < place(&engine, &format!("POST /containers/create {name}"))));
    stops(&controller, &engine);
    // Another life.
    let controller = start_with(&engine, "-pids=false");
    controller.until_stderr_contains("web: started", SOON);
    assert_ne!(engine.container(GUARD).expect("it runs").body["Labels"][INSTANCE], instance.as_str());
    stops(&controller, &engine);
}

#[test]
fn who_has_no_socket_mounted_is_told_that_nothing_is_guarded() {
    let engine = pod(&[("web", "image: demo")]);
    let controller = start_with(&engine, "-pids=false");
    controller.until_stderr_contains("web: started", SOON);
    let ended = stops(&controller, &engine);
    says(
        &ended,
        &["warning: what a killed controller leaves stays until a pod starts on this engine again: no guard can"],
    );
    assert!(!created(&engine, GUARD));
}

#[test]
fn a_guard_that_dies_or_cannot_be_started_ends_the_pod() {
    let engine = with_socket(&[("web", "image: demo")]);
    engine.fault(Call::new(&format!("POST /containers/{GUARD}/start")).nth(1), Fault::status(500, "on purpose"));
    let controller = start_with(&engine, "-pids=false");
    let ended = ends(&controller, &engine, 125);
    says(&ended, &["component '(guard)': cannot start its container", "on purpose"]);
    assert!(!created(&engine, "web"));
    let controller = start_with(&engine, "-pids=false");
    controller.until_stderr_contains("web: started", SOON);
    let guard = engine.containers().into_iter().find(|one| one.name == GUARD).expect("it runs");
    connect(&engine).kill(&guard.id, "KILL").expect("it runs");
    let ended = ends(&controller, &engine, 125);
    says(&ended, &["component '(guard)': it ended with 137, and what it held in memory may be lost"]);
}

#[test]
fn who_holds_secrets_guards_where_it_can() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for guards in [true, false] {
        let engine = if guards { with_socket(&[]) } else { pod(&[]) };
        engine.label("pod.compose.file", &compose(path));
        let controller = start(&engine);
        controller.until_stderr_contains("web: started", SOON);
        let holder = engine.container(HOLDER).expect("it runs");
        let instance = holder.body["Labels"][INSTANCE].as_str().expect("a life");
        let (id, joined) = (engine.controller_id(), format!("container:{}", engine.controller_id()));
        if guards {
            assert_eq!(holder.body["Cmd"], json!(["pause", "(memory)", id, instance, HOLDER]));
            assert_eq!(holder.host_config("PidMode"), &Value::Null, "it outlives the controller");
        } else {
            assert_eq!(holder.body["Cmd"], json!(["pause"]));
            assert_eq!(holder.host_config("PidMode"), &json!(joined));
        }
        let ended = stops(&controller, &engine);
        assert!(!ended.err().contains("warning"), "{}", ended.err());
    }
}

/// A Compose file with a secret, which stays where it is.
fn compose(secret: &str) -> String {
    let text = format!("services: {{web: {{image: demo, secrets: [s]}}}}\nsecrets: {{s: {{file: {secret}}}}}\n");
    let folder = tempfile::tempdir().expect("a folder").keep();
    support::archives::file(&folder, "compose.yml", text.as_bytes()).display().to_string()
}

// What dead controllers left.

#[test]
fn what_dead_controllers_left_is_swept_once_a_pod_runs_and_what_others_have_stays() {
    let engine = pod(&[("web", "image: demo")]);
    let of = |owner: &str, name: &str| engine.leftover(name, json!({"Image": "demo", "Labels": {OWNER: owner}}));
    let ended = |name: &str, policy: &str| {
        let id = engine.leftover(name, json!({"Image": "podlike"}));
        engine.container_says(name, &json!({"HostConfig": {"RestartPolicy": {"Name": policy}}}));
        id
    };
    let gone = "f".repeat(64);
    let (task, given_up, again) = (ended("task", "no"), ended("given-up", "on-failure"), ended("again", "always"));
    let lives = running(&engine, "lives", &[]);
    let created = connect(&engine)
        .create("created", &CreateRequest { image: "demo".to_owned(), ..CreateRequest::default() }, None)
        .expect("created");
    of(&gone, "gone.podlike.app");
    of(&gone, "gone.podlike-guard");
    of(&task, "task.podlike.app");
    engine.volume_of("task.podlike-volume.x", OWNER, &task);
    of(&given_up, "given-up.podlike.app");
    for (owner, name) in [(&again, "again"), (&lives, "lives"), (&created, "created")] {
        of(owner, &format!("{name}.podlike.app"));
        engine.volume_of(&format!("{name}.podlike-volume.x"), OWNER, owner);
    }
    let before = engine.requests().len();
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    controller.until_stderr_repeats("whose controller is dead", 2, SOON);
    // What the engine may restart it does, at last.
    for name in ["again", "given-up"] {
        engine.until_answered(&format!("GET /containers/{name}/json"), SOON);
    }
    engine.container_says("again", &json!({"State": {"FinishedAt": "2026-01-01T00:00:00Z"}}));
    controller.until_stderr_repeats("whose controller is dead", 3, Duration::from_secs(40));
    engine.until_seen("GET /containers/again/json", 2, SOON);
    let calls = engine.calls().split_off(before);
    let count = |call: &str| calls.iter().filter(|seen| *seen == call).count();
    // One of our own, one of all, one of the controllers; and no inspect of who lives.
    assert_eq!(count("GET /containers/json"), 3, "{calls:#?}");
    for (name, inspected) in [("lives", 0), ("created", 0), ("task", 1), ("again", 2), ("given-up", 2)] {
        assert_eq!(count(&format!("GET /containers/{name}/json")), inspected, "{name}");
    }
    controller.signal(support::pod::TERM);
    let told = controller.wait(SOON);
    says(&told, &["removed what gone left behind, whose controller is dead: 2 containers and volumes"]);
    says(&told, &["removed what task left behind, whose controller is dead: 2 containers and volumes"]);
    says(&told, &["removed what given-up left behind, whose controller is dead: 1 containers and volumes"]);
    let mut left: Vec<String> = engine.containers().into_iter().map(|one| one.name).collect();
    left.retain(|name| name.contains(".podlike"));
    let stay = ["again", "lives", "created"];
    assert_eq!(left, stay.map(|name| format!("{name}.podlike.app")));
    assert_eq!(engine.volumes().len(), stay.len(), "{:?}", engine.volumes().into_keys());
}

#[test]
fn volumes_that_are_all_that_a_dead_controller_left_are_swept() {
    let engine = pod(&[("web", "image: demo")]);
    let task = engine.leftover("task", json!({"Image": "podlike"}));
    engine.volume_of("task.podlike-volume.x", OWNER, &task);
    let controller = start(&engine);
    controller.until_stderr_contains("whose controller is dead: 1 containers and volumes", SOON);
    assert_eq!(engine.volumes().len(), 0, "{:?}", engine.volumes().into_keys());
    controller.signal(support::pod::TERM);
    controller.wait(SOON);
}

#[test]
fn volumes_of_tasks_that_are_gone_are_swept_by_a_pod_that_has_one_and_no_others() {
    const LIFETIME: &str = "com.github.rycus86.podlike.lifetime";
    let mount =
        |name: &str| json!({"Type": "volume", "Name": name, "Source": "/v", "Destination": "/data", "RW": true});
    for (own, left) in [("data-t1", 4), ("plain", 5)] {
        let engine = pod(&[("web", "image: demo")]);
        for task in ["data-t1", "data-t2", "data-t3"] {
            engine.volume_of(task, LIFETIME, "task");
        }
        engine.volume_of("data-for-ever", LIFETIME, "ever").volume_of("plain", "a", "b");
        engine.leftover("old-task", json!({"Image": "podlike", "HostConfig": {"Binds": ["data-t2:/data"]}}));
        engine.controller(&json!({"Mounts": [mount(own)], "HostConfig": {"Binds": [format!("{own}:/data")]}}));
        let controller = start(&engine);
        controller.until_stderr_contains("web: started", SOON);
        if left == 4 {
            controller.until_stderr_contains("removed the volume data-t3, whose task is gone", SOON);
        } else {
            engine.until_seen("GET /containers/json", 2, SOON);
            controller.runs_on(Duration::from_millis(300));
            let of_all_drivers = |one: &Request| one.call == "GET /volumes" && !one.query["filters"].contains("local");
            assert!(!engine.requests().iter().any(of_all_drivers), "every plugin of the host was asked");
        }
        controller.signal(support::pod::TERM);
        controller.wait(SOON);
        assert_eq!(engine.volumes().len(), left, "{:?}", engine.volumes().into_keys());
    }
}

#[test]
fn a_volume_of_a_task_that_is_taken_in_that_moment_stays_without_a_word() {
    let engine = pod(&[("web", "image: demo")]);
    let mount = json!({"Type": "volume", "Name": "a", "Source": "/v", "Destination": "/data", "RW": true});
    for task in ["a", "b"] {
        engine.volume_of(task, "com.github.rycus86.podlike.lifetime", "task");
    }
    engine.controller(&json!({"Mounts": [mount], "HostConfig": {"Binds": ["a:/data"]}}));
    engine.fault("DELETE /volumes/b", Fault::status(409, "volume is in use"));
    let controller = start(&engine);
    engine.until_seen("DELETE /volumes/b", 1, SOON);
    controller.runs_on(Duration::from_millis(300));
    controller.signal(support::pod::TERM);
    let ended = controller.wait(SOON);
    assert!(!ended.err().contains("whose task is gone"), "{}", ended.err());
    assert_eq!(engine.volumes().len(), 2);
}

#[test]
fn nothing_is_swept_of_who_comes_back_in_that_moment_and_of_who_may_live() {
    for fault in [Fault::Held("looked".into()), Fault::status(500, "on purpose"), Fault::Cut] {
        let engine = pod(&[("web", "image: demo")]);
        let task = engine.leftover("task", json!({"Image": "podlike"}));
        engine.leftover("task.podlike.app", json!({"Image": "demo", "Labels": {OWNER: task}}));
        engine.fault("GET /containers/task/json", fault.clone());
        let controller = start(&engine);
        engine.until_seen("GET /containers/task/json", 1, SOON);
        connect(&engine).start(&task).expect("started");
        engine.open("looked");
        controller.runs_on(Duration::from_millis(500));
        assert_eq!(engine.seen("DELETE /containers/app"), 0, "{fault:?}");
        controller.signal(support::pod::TERM);
        assert_eq!(controller.wait(SOON).code, Some(0), "{fault:?}");
    }
}

#[test]
fn a_volume_that_a_controller_makes_as_it_comes_back_is_not_swept() {
    let engine = pod(&[("web", "image: demo")]);
    let task = engine.leftover("task", json!({"Image": "podlike"}));
    engine.leftover("task.podlike.app", json!({"Image": "demo", "Labels": {OWNER: task}}));
    let make = |name: &str, life: &str| {
        let labels = [(OWNER, task.as_str()), (INSTANCE, life)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let (name, labels) = (format!("task.podlike-volume.{name}"), labels.into());
        connect(&engine).create_volume(&VolumeRequest { name, labels, ..VolumeRequest::default() }).expect("a volume");
    };
    make("x", "1");
    make("old", "1");
    engine.fault("DELETE /containers/app", Fault::Held("removed".into()));
    let controller = start(&engine);
    engine.until_seen("DELETE /containers/app", 1, SOON);
    // It is started again just now, and sweeps for itself.
    connect(&engine).remove_volume("task.podlike-volume.x").expect("removed");
    make("x", "2");
    engine.open("removed");
    controller.until_stderr_contains("removed what task left behind, whose controller is dead", SOON);
    let left: Vec<String> = engine.volumes().into_keys().collect();
    assert_eq!(left, ["task.podlike-volume.x"]);
    controller.signal(support::pod::TERM);
    assert_eq!(controller.wait(SOON).code, Some(0));
}

#[test]
fn what_cannot_be_swept_of_others_is_one_line_and_no_reason_to_end() {
    let gone = "f".repeat(64);
    for (call, line) in [
        ("GET /containers/json", "warning: what dead controllers left behind is not looked for: GET /containers/json"),
        ("DELETE /containers/*", "warning: what gone left behind, whose controller is dead, may stay: DELETE"),
    ] {
        let engine = pod(&[("web", "image: demo")]);
        engine.leftover("gone.podlike.app", json!({"Image": "demo", "Labels": {OWNER: gone}}));
        let nth = if call.starts_with("GET") { 2 } else { 1 };
        engine.fault(Call::new(call).nth(nth), Fault::status(500, "on purpose"));
        let controller = start(&engine);
        controller.until_stderr_contains(line, SOON);
        controller.signal(support::pod::TERM);
        let ended = controller.wait(SOON);
        assert_eq!(ended.code, Some(0), "{}", ended.err());
    }
}

#[test]
fn the_guard_of_the_last_life_goes_first_and_who_came_after_it_too() {
    let engine = pod(&[("web", "image: demo")]);
    let id = engine.controller_id();
    let left = |name: &str, component: &str| {
        let labels = [(OWNER, id.as_str()), (INSTANCE, "1"), ("podlike.component", component)];
        running(&engine, &format!("pod.podlike-{name}"), &labels);
    };
    left("memory", "(memory)");
    left("web", "web");
    engine.fault(Call::new("DELETE /containers/pod.podlike-web").nth(1), Fault::Held("made".into()));
    let controller = start(&engine);
    engine.until_seen("DELETE /containers/pod.podlike-web", 1, SOON);
    assert_eq!(engine.seen("DELETE /containers/pod.podlike-memory"), 1, "{:?}", engine.calls());
    left("heir", "(heir)");
    engine.open("made");
    controller.until_stderr_contains("web: started", SOON);
    let calls = engine.calls();
    let at = |call: &str| calls.iter().rposition(|seen| seen == call).expect(call);
    assert!(at("DELETE /containers/pod.podlike-heir") < at("POST /containers/create web"), "{calls:#?}");
    let ended = stops(&controller, &engine);
    says(&ended, &["removed what the last run of this controller left behind: 3 containers and volumes"]);
}

#[test]
fn what_came_late_of_the_last_life_goes_a_moment_later() {
    let engine = pod(&[("web", "image: demo")]);
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    let id = engine.controller_id();
    running(&engine, "pod.podlike.late", &[(OWNER, &id), (INSTANCE, "another")]);
    running(&engine, "pod.podlike.old", &[(OWNER, &id)]);
    controller.until_stderr_contains("removed what came late of the last run of this controller: 2", SOON);
    assert!(engine.is_running("web"));
    stops(&controller, &engine);
}

#[test]
fn a_name_that_a_replaced_controller_left_taken_makes_way() {
    let engine = pod(&[("web", "image: demo")]);
    let gone = "f".repeat(64);
    engine.leftover("pod.podlike.web", json!({"Image": "demo", "Labels": {OWNER: gone}}));
    let controller = start(&engine);
    controller.until_stderr_contains("web: started", SOON);
    stops(&controller, &engine);
    // Not where its controller is still known.
    let other = engine.leftover("other", json!({"Image": "podlike"}));
    engine.leftover("pod.podlike.web", json!({"Image": "demo", "Labels": {OWNER: other}}));
    let ended = start(&engine).wait(SOON);
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    says(&ended, &["already in use"]);
}
