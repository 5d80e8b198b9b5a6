//! `podlike validate` against the fake engine, and without one: a sentence each.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::archives::file;
use support::controller::{Ended, Launch};
use support::fake_engine::{FakeEngine, Fault};
use support::pod::{PODLIKE, SOON, pod, says};
use tempfile::TempDir;

const NOWHERE: &str = "unix:///no/such/engine.sock";
const NO_ENGINE: &str =
    "without an engine nothing is known of images, volumes and limits: cannot connect to the engine";
const SERVICES: &str = "services: {web: {image: demo}, db: {image: other, profiles: [full]}}";
const STACK: &str = "
version: '3.7'
services:
  shop:
    image: podlike
    labels: {pod.component.web: 'image: demo'}
  plain: {image: nginx}
  blog:
    image: podlike
    labels: [\"pod.component.app=image: other\", 'pod.volume.data=disk']
";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn without_engine() -> Launch {
    Launch::new(PODLIKE, NOWHERE, "none")
}

#[track_caller]
fn ends(launch: Launch, code: i32) -> Ended {
    let ended = launch.start().wait(SOON);
    assert_eq!(ended.code, Some(code), "{}\n{}", ended.out(), ended.err());
    ended
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

/// What is checked is a Compose file of this text.
fn validation(launch: Launch, text: &str) -> Launch {
    launch.args(&["validate", "-f", "-"]).stdin(text)
}

fn warnings(ended: &Ended) -> Vec<String> {
    let value = json_of(ended);
    let warnings = value["pods"][0]["warnings"].as_array().expect("a list").iter();
    warnings.map(|warning| warning.as_str().expect("text").to_owned()).collect()
}

/// The names of the components that would run.
fn components(ended: &Ended) -> Vec<String> {
    let value = json_of(ended);
    let components = value["pods"][0]["plan"]["components"].as_array().expect("a list").iter();
    components.map(|one| one["name"].as_str().expect("text").to_owned()).collect()
}

// What can be validated.

#[test]
fn a_file_may_be_a_compose_file_a_stack_or_labels_and_comes_from_a_path_or_from_stdin() {
    let folder = folder();
    for (name, text, parts) in [
        ("compose.yml", SERVICES, &["web: demo"][..]),
        ("stack.yml", STACK, &["# shop\nweb: demo", "# blog\napp: other"]),
        ("labels.yml", "pod.component.web: 'image: demo'", &["web: demo"]),
        ("labels.txt", "pod.component.web={image: demo}\npod.volume.data=\n", &["web: demo"]),
    ] {
        let path = file(folder.path(), name, text.as_bytes()).display().to_string();
        let by_path = ends(without_engine().args(&["validate", "-f", &path]), 0);
        let by_stdin = ends(validation(without_engine(), text), 0);
        for ended in [&by_path, &by_stdin] {
            for part in parts.iter().chain(&[NO_ENGINE]) {
                assert!(ended.out().contains(part), "{name}: no {part:?} in {}", ended.out());
            }
            assert_eq!(ended.err(), "", "{name}");
        }
        assert!(!by_path.out().contains("nginx"), "a service that is no pod");
    }
}

#[test]
fn a_path_is_that_of_the_folder_that_it_is_called_in_and_relative_paths_are_the_files() {
    let folder = folder();
    file(folder.path(), "web.env", b"COLOUR=green\n");
    let path = file(folder.path(), "compose.yml", b"services: {web: {image: demo, env_file: web.env}}");
    let ended = ends(without_engine().args(&["validate", "--json", "-f", &path.display().to_string()]), 0);
    assert_eq!(json_of(&ended)["pods"][0]["plan"]["components"][0]["request"]["Env"], json!(["COLOUR=green"]));
}

#[test]
fn what_cannot_be_read_is_a_refusal() {
    let ended = ends(without_engine().args(&["validate", "-f", "/no/such/file.yml"]), 2);
    says(&ended, &["error: cannot read /no/such/file.yml: No such file"]);
    let ended = ends(validation(without_engine(), &"#".repeat((4 << 20) + 1)), 2);
    says(&ended, &["error: cannot read stdin: it is longer than 4 MiB"]);
    let ended = ends(validation(without_engine(), ""), 2);
    assert!(ended.err().starts_with("podlike: error: stdin"), "{}", ended.err());
}

#[test]
fn what_makes_no_pod_is_a_refusal_with_its_place_also_as_json() {
    let text = "services:\n  web:\n    image: demo\n    comand: x\n";
    let told = "stdin:4:5: services.web: unknown key 'comand', did you mean 'command'?";
    let ended = ends(validation(without_engine(), text), 2);
    assert_eq!((ended.out().as_str(), ended.err()), ("", format!("podlike: error: {told}\n")));
    let ended = ends(validation(without_engine(), text).arg("--json"), 2);
    assert_eq!(json_of(&ended), json!({"error": told}));
}

#[test]
fn without_a_file_the_labels_of_the_controller_are_read_and_nothing_is_run() {
    let engine = pod(&[("web", "image: demo")]);
    let ended = ends(Launch::of(PODLIKE, &engine).arg("validate"), 0);
    let engine_lines = "\
engine: Docker 20.10.24+dfsg1
  API          1.12 to 1.41, 1.41 is spoken
  cgroups      v2, systemd driver
  limits       memory, swap, CPU time, CPUs to use, processes
  removal      by the engine, when a container ends
  components   where the engine puts them, each with the controller's limits: it has no limits to share

";
    assert!(ended.out().starts_with(&format!("{engine_lines}web: demo\n")), "{}", ended.out());
    assert!(!ended.out().contains("without an engine"), "{}", ended.out());
    let made = |call: &String| !call.starts_with("GET ") && !call.starts_with("HEAD ");
    assert_eq!(engine.calls().into_iter().filter(made).collect::<Vec<_>>(), Vec::<String>::new());
    engine.label("pod.component.web", "imge: demo");
    let ended = ends(Launch::of(PODLIKE, &engine).arg("validate"), 2);
    says(&ended, &["error: label 'pod.component.web', line 1, column 1: unknown key 'imge'"]);
    // Nobody else can tell the labels.
    let ended = ends(without_engine().arg("validate"), 2);
    says(&ended, &["error: the labels of this container cannot be read (-f FILE names something else", NOWHERE]);
}

#[test]
fn what_the_engine_is_and_what_becomes_of_cgroups_is_shown_and_not_done() {
    let engine = pod(&[("web", "image: demo")]);
    engine
        .controller(&json!({"HostConfig": {"Memory": 64 << 20}}))
        .info(&json!({"CgroupDriver": "cgroupfs", "CPUSet": false, "SecurityOptions": ["name=apparmor"]}));
    let ended = ends(Launch::of(PODLIKE, &engine).args(&["validate", "--json"]), 0);
    let value = json_of(&ended);
    assert_eq!(value["placement"], json!("leaf"));
    assert_eq!(value["pods"][0]["plan"]["prepared"], json!("leaf"));
    let wanted = json!({
        "product": "docker", "version": "20.10.24+dfsg1", "oldest": "1.12", "newest": "1.41", "spoken": "1.41",
        "cgroups": {"version": "2", "driver": "cgroupfs"},
        "limits": {"memory": true, "swap": true, "cpus": true, "cpuset": false, "pids": true},
        "rootless": false, "userns_remap": false, "selinux": false, "apparmor": true, "live_restore": false,
        "auto_remove": true,
    });
    assert_eq!(value["engine"], wanted);
    let ended = ends(Launch::of(PODLIKE, &engine).arg("validate"), 0);
    says_out(&ended, &["  no limits of CPUs to use\n", "  security     AppArmor\n"]);
    let leaf = "below the controller's cgroup, once its processes are moved into a leaf\n";
    says_out(&ended, &[&format!("  components   {leaf}"), &format!("  cgroup       {leaf}")]);
    let made = |call: &String| !call.starts_with("GET ");
    assert_eq!(engine.calls().into_iter().filter(made).collect::<Vec<_>>(), Vec::<String>::new());

    let ended = ends(Launch::of(PODLIKE, &engine).args(&["version", "-engine"]), 0);
    let built = format!("podlike {} {} (", podlike::version::VERSION, podlike::version::FLAVOUR);
    says_out(&ended, &[&built, "\nengine: Docker 20.10.24+dfsg1\n", &format!("  components   {leaf}")]);
    let ended = ends(Launch::of(PODLIKE, &engine).args(&["version", "--engine", "-cgroup=none"]), 0);
    says_out(&ended, &["each with the controller's limits: -cgroup=none\n"]);
    assert_eq!(ends(without_engine().arg("version"), 0).out().lines().count(), 1);
    says(&ends(without_engine().args(&["version", "-engine"]), 2), &["error: cannot connect to the engine"]);
}

#[track_caller]
fn says_out(ended: &Ended, parts: &[&str]) {
    for part in parts {
        assert!(ended.out().contains(part), "no {part:?} in {}", ended.out());
    }
}

// How the result is shown.

#[test]
fn json_has_the_plan_and_every_warning() {
    let text = "services: {web: {image: demo, scale: 2, cap_add: [NET_ADMIN]}}";
    let value = json_of(&ends(validation(without_engine(), text).arg("--json"), 0));
    let pods = value["pods"].as_array().expect("a list");
    assert_eq!((pods.len(), &pods[0]["name"]), (1, &Value::Null));
    let web = &pods[0]["plan"]["components"][0];
    assert_eq!((&web["name"], &web["container"]), (&json!("web"), &json!("CONTROLLER.podlike.web")));
    assert_eq!(web["request"]["Image"], "demo");
    assert_eq!(web["request"]["HostConfig"]["CapAdd"], json!(["NET_ADMIN"]));
    assert_eq!(web["grace"], 10.0);
    let warnings = pods[0]["warnings"].as_array().expect("a list");
    let told = |part: &str| warnings.iter().any(|warning| warning.as_str().is_some_and(|text| text.contains(part)));
    assert!(told("services.web.scale: ignored: ") && told(NO_ENGINE), "{warnings:?}");
    // The same as text.
    let ended = ends(validation(without_engine(), text), 0);
    assert!(ended.out().contains("warning: stdin:1:"), "{}", ended.out());
    // A stack has several, by name.
    let value = json_of(&ends(validation(without_engine(), STACK).arg("--json=true"), 0));
    let names: Vec<_> = value["pods"].as_array().expect("a list").iter().map(|pod| pod["name"].clone()).collect();
    assert_eq!(names, ["shop", "blog"]);
}

#[test]
fn nothing_of_a_secret_is_shown() {
    let text = "
services: {web: {image: demo, secrets: [a], configs: [b]}}
secrets: {a: {environment: THE_SECRET}}
configs: {b: {content: hunter2-of-the-text}}
";
    for flags in [&[][..], &["--json"]] {
        let launch = validation(without_engine().env("THE_SECRET", "hunter2-of-the-variable"), text);
        let ended = ends(launch.args(flags).env("PODLIKE_LOG", "trace"), 0);
        assert!(ended.out().contains("/run/secrets"), "{}", ended.out());
        assert!(!ended.out().contains("hunter2") && !ended.err().contains("hunter2"), "{}", ended.out());
    }
}

// What an engine adds.

const NEEDS: &str = "
services:
  web: {image: demo, volumes: ['state:/state', 'new:/new'], secrets: [a]}
  aux: {image: other, platform: linux/arm64}
secrets: {a: {environment: A}}
volumes: {state: {external: true}, new: {}}
";

#[test]
fn with_an_engine_it_says_what_is_missing_there() {
    let engine = FakeEngine::new();
    let ask = || {
        let launch = validation(Launch::of(PODLIKE, &engine).env("A", "a"), NEEDS);
        let ended = ends(launch.arg("--json"), 0);
        warnings(&ended).into_iter().filter(|warning| warning.starts_with("component '")).collect::<Vec<_>>()
    };
    let missing = [
        "component 'web': the engine does not have the image 'demo'",
        "component 'web': the volume 'state': GET /volumes/state: the engine answered 404: get state: no such volume",
        "component 'aux': the engine does not have the image 'other'",
    ];
    assert_eq!(ask(), missing);
    engine.image("demo").image("other").volume("state", "/state");
    assert_eq!(ask(), ["component 'aux': the engine has the image 'other', but not for the platform linux/arm64"]);
    engine.image_says("other", json!({"Architecture": "arm64"}));
    assert_eq!(ask(), Vec::<String>::new());
}

#[test]
fn what_the_engine_is_too_old_for_is_a_refusal_only_where_there_is_one() {
    let text = "services: {web: {image: demo, annotations: {a: b}}}";
    let engine = FakeEngine::new();
    let ended = ends(validation(Launch::of(PODLIKE, &engine), text), 2);
    says(&ended, &["services.web.annotations", "1.43", "1.41"]);
    ends(validation(without_engine(), text), 0);
}

#[test]
fn an_engine_that_does_not_answer_is_a_warning_and_no_refusal() {
    for (call, fault, part) in [
        ("GET /_ping", Fault::Garbage, "without an engine nothing is known"),
        ("GET /_ping", Fault::Silence, "without an engine nothing is known"),
        ("GET /info", Fault::status(500, "on purpose"), "GET /info: the engine answered 500: on purpose"),
        (
            "GET /images/demo/json",
            Fault::status(500, "on purpose"),
            "the image 'demo': GET /images/demo/json: the engine",
        ),
        ("GET /images/demo/json", Fault::Cut, "component 'web': the image 'demo': GET /images/demo/json: "),
        (
            "GET /volumes/state",
            Fault::NonsenseJson,
            "the volume 'state': GET /volumes/state: the answer is not an engine's",
        ),
    ] {
        let engine = FakeEngine::new();
        engine.fault(call, fault);
        let launch = validation(Launch::of(PODLIKE, &engine).env("A", "a"), NEEDS);
        let ended = launch.arg("--json").start().wait(Duration::from_secs(40));
        assert_eq!(ended.code, Some(0), "{call}: {}", ended.err());
        assert!(warnings(&ended).iter().any(|warning| warning.contains(part)), "{call}: {:#?}", warnings(&ended));
        assert_eq!(components(&ended), ["web", "aux", "(memory)"], "{call}");
    }
}

// The command line.

#[test]
fn flags_stand_before_and_behind_the_subcommand() {
    for (args, all) in [
        (&["validate", "--json", "-f", "-"][..], false),
        (&["-profiles", "full", "validate", "--json", "-f", "-"], true),
        (&["validate", "-f", "-", "-json", "-profiles=full"], true),
        (&["validate", "-profiles", "full", "-json=1", "--file=-"], true),
        (&["--profiles=full", "validate", "-json", "--file", "-"], true),
    ] {
        let ended = ends(without_engine().args(args).stdin(SERVICES), 0);
        let wanted: &[&str] = if all { &["db", "web"] } else { &["web"] };
        let mut names = components(&ended);
        names.sort();
        assert_eq!(names, wanted, "{args:?}");
    }
}

#[test]
fn flags_that_change_the_plan_change_what_is_shown() {
    let host = |args: &[&str]| {
        let ended = ends(validation(without_engine().args(args), SERVICES).arg("--json"), 0);
        json_of(&ended)["pods"][0]["plan"]["components"][0].clone()
    };
    assert_eq!(host(&[])["request"]["HostConfig"]["PidMode"], "container:CONTROLLER");
    assert_eq!(host(&["-pids=false"])["request"]["HostConfig"]["PidMode"], Value::Null);
    assert_eq!((&host(&["-pull"])["pull"], &host(&[])["pull"]), (&json!("always"), &Value::Null));
}

#[test]
fn what_only_a_controller_knows_stays_as_it_is() {
    let text = "services: {web: {image: podlike, labels: {pod.component.app: '{image: x, command: [\"$${POD_TASK_ID}\", \
                \"$${POD_TASKID}\"]}'}}}";
    let ended = ends(validation(without_engine(), text).arg("--json"), 0);
    let request = &json_of(&ended)["pods"][0]["plan"]["components"][0]["request"];
    assert_eq!(request["Cmd"], json!(["${POD_TASK_ID}", "${POD_TASKID}"]));
    assert!(warnings(&ended)[0].contains("did you mean 'POD_TASK_ID'?"), "{:?}", warnings(&ended));
}

#[test]
fn what_the_operator_forbids_is_a_refusal() {
    let text = "services: {db: {image: x, pid: host}}";
    ends(validation(without_engine(), text), 0);
    let ended = ends(validation(without_engine().args(&["-deny", "all"]), text), 2);
    assert!(ended.err().contains("services.db.pid: forbidden here, the controller runs with -deny host-namespaces"));
}

#[test]
fn a_command_line_that_is_not_understood_is_a_refusal() {
    for (args, part) in [
        (&["validate", "-f"][..], "--file"),
        (&["validate", "x.yml"], "x.yml"),
        (&["validate", "--yaml"], "--yaml"),
        (&["validate", "--json=perhaps"], "expected true or false"),
        (&["validate", "--json", "true"], "-json=true"),
    ] {
        let ended = ends(without_engine().args(args), 2);
        assert!(ended.err().contains(part), "{args:?}: {}", ended.err());
        assert_eq!(ended.out(), "", "{args:?}");
    }
}
