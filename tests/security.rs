//! What podlike keeps to itself, and what nobody can make it do.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use support::archives::file;
use support::controller::{Ended, Launch};
use support::fake_engine::{FakeEngine, Fault, Pull, Script};
use support::pod::{PODLIKE, SOON, TERM, ends, pod, stops, web};
use tempfile::TempDir;

/// In each secret of the pod below.
const MARK: &str = "hunter2";

/// A pod with a secret of every kind: in a file, in a text, in a variable, in an environment, in a command, in a login.
fn with_secrets() -> (FakeEngine, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    file(folder.path(), "secret.txt", format!("{MARK}-of-a-file").as_bytes());
    file(folder.path(), "app.env", format!("FROM_FILE={MARK}-of-an-env-file\n").as_bytes());
    let login = json!({"auths": {"h:1": {"username": "me", "password": format!("{MARK}-of-a-login")}}});
    file(folder.path(), "config.json", login.to_string().as_bytes());
    let text = format!(
        "
services:
  web:
    image: h:1/web
    command: [run, --password, '{MARK}-of-a-command']
    environment: {{PASSWORD: '{MARK}-of-an-environment', OTHER: \"${{VARIABLE}}\"}}
    env_file: [./app.env]
    secrets: [of-file, of-variable]
    configs: [{{source: of-text, target: /etc/app/conf}}]
  late:
    image: h:1/web
    depends_on: {{web: {{condition: service_healthy}}}}
secrets:
  of-file: {{file: ./secret.txt}}
  of-variable: {{environment: VARIABLE}}
configs:
  of-text: {{content: {MARK}-of-a-text}}
"
    );
    let path = file(folder.path(), "compose.yml", text.as_bytes());
    let engine = pod(&[]);
    engine.label("pod.compose.file", &path.display().to_string());
    let check = json!({"Healthcheck": {"Test": ["CMD", "x"]}});
    engine.pull("h:1/web", Pull::Works(check));
    engine.script("web", Script::new().until_open("over").exit(3));
    (engine, folder)
}

fn launch(engine: &FakeEngine, folder: &TempDir) -> Launch {
    Launch::of(PODLIKE, engine)
        .env("DOCKER_CONFIG", &folder.path().display().to_string())
        .env("VARIABLE", &format!("{MARK}-of-a-variable"))
        .env("PODLIKE_LOG", "trace")
}

/// Neither as it is nor as a header has it.
#[track_caller]
fn shows_nothing(ended: &Ended) {
    for text in [ended.err(), ended.out()] {
        assert!(!text.contains(MARK) && !text.contains("aHVudGVyM") && !text.contains("X-Registry"), "{text}");
    }
}

#[test]
fn secrets_go_where_they_are_asked_for_and_nowhere_else() {
    let (engine, folder) = with_secrets();
    let controller = launch(&engine, &folder).start();
    controller.until_stderr_contains("web: started", SOON);
    engine.open("over");
    let ended = ends(&controller, &engine, 3);
    shows_nothing(&ended);
    assert!(ended.err().contains("debug: "), "it says all that it can say: {}", ended.err());
    let mut with = Vec::new();
    for request in engine.requests() {
        let of_header = |(name, value): (&String, &String)| name != "x-registry-auth" && value.contains(MARK);
        assert!(!request.headers.iter().any(of_header) && !request.path.contains(MARK), "{}", request.call);
        assert!(!request.query.values().any(|value| value.contains(MARK)), "{}", request.call);
        assert!(!request.json()["Labels"].to_string().contains(MARK), "{}", request.call);
        if String::from_utf8_lossy(&request.body).contains(MARK) {
            with.push(request.call.clone());
        }
        let may_log_in = request.call.starts_with("POST /images/create");
        assert!(may_log_in || !request.headers.contains_key("x-registry-auth"), "{}", request.call);
    }
    with.dedup();
    let archives = with.iter().filter(|call| call.starts_with("PUT /containers/pod.podlike-memory/archive")).count();
    assert_eq!((with.len() - archives, archives > 0), (1, true), "{with:#?}");
    assert!(with.contains(&"POST /containers/create web".to_owned()), "{with:#?}");
}

#[test]
fn no_secret_is_in_what_is_said_when_a_call_fails() {
    for call in [
        "POST /images/create",
        "POST /containers/create web",
        "POST /containers/web/start",
        "PUT /containers/pod.podlike-memory/archive",
        "POST /volumes/create",
    ] {
        for fault in [Fault::status(500, "on purpose"), Fault::Cut, Fault::NonsenseJson, Fault::Garbage] {
            let (engine, folder) = with_secrets();
            engine.fault(call, fault.clone());
            let controller = launch(&engine, &folder).start();
            if !controller.ends_within(Duration::from_secs(3)) {
                controller.signal(TERM);
            }
            shows_nothing(&controller.wait(SOON));
        }
    }
}

#[test]
fn no_secret_is_in_what_is_said_of_labels_and_files_that_are_wrong() {
    for wrong in ["ports: [", "environment: 5", "nonsense: ${VARIABLE}", "command: {a: b}"] {
        let (engine, folder) = with_secrets();
        let path = folder.path().join("compose.yml");
        let text = fs::read_to_string(&path).expect("a file");
        fs::write(
            &path,
            text.replace("    image: h:1/web\n    command", &format!("    {wrong}\n    image: h:1/web\n    command")),
        )
        .expect("a file");
        let ended = launch(&engine, &folder).start().wait(SOON);
        assert_eq!(ended.code, Some(2), "{wrong}: {}", ended.err());
        shows_nothing(&ended);
    }
}

// The health socket.

fn health_socket(engine: &FakeEngine) -> UnixStream {
    let name = format!("podlike/{}/health", engine.controller_id());
    let address = SocketAddr::from_abstract_name(name).expect("an address");
    let stream = UnixStream::connect_addr(&address).expect("the controller listens");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    stream
}

#[test]
fn the_health_socket_answers_nothing_but_its_question() {
    let engine = web();
    let controller = Launch::of(PODLIKE, &engine).start();
    controller.until_stderr_contains("the pod is healthy", SOON);
    let calls = engine.calls().len();
    let long = vec![b'x'; 100_000];
    let words: [&[u8]; 7] =
        [b"", b"health\n", b"stop", b"\0\xff\xfe", b"POST /stop HTTP/1.1\r\n\r\n", b"unhealthy", &long];
    for word in words {
        let mut stream = health_socket(&engine);
        // It may be gone before all of it is said.
        let _ = stream.write_all(word);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(
            answer == b"healthy" || (answer.is_empty() && !word.is_empty()),
            "{:?}",
            answer.escape_ascii().to_string()
        );
    }
    assert_eq!(engine.calls().len(), calls, "nobody has been made to act");
    stops(&controller, &engine);
}

#[test]
fn a_thousand_who_ask_and_never_listen_keep_nobody_from_an_answer() {
    let engine = web();
    let controller = Launch::of(PODLIKE, &engine).start();
    controller.until_stderr_contains("the pod is healthy", SOON);
    let begun = Instant::now();
    let stuck: Vec<UnixStream> = (0..1000).map(|_| health_socket(&engine)).collect();
    let ended = Launch::of(PODLIKE, &engine).arg("healthcheck").start().wait(SOON);
    assert_eq!((ended.out().trim(), ended.code), ("healthy", Some(0)), "{}", ended.err());
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    drop(stuck);
    stops(&controller, &engine);
}

// The source.

/// The lines of the program, without tests, that hold one of these.
fn lines_with(parts: &[&str]) -> Vec<(String, String)> {
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                files(&path, found);
            } else if path
                .file_name()
                .is_some_and(|name| !["tests.rs", "walks.rs", "fake.rs"].iter().any(|it| name == *it))
            {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("text");
        let begin = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(super) mod tests {"].map(|begin| text.find(begin));
        let program = &text[..begin.into_iter().flatten().min().unwrap_or(text.len())];
        let name = path.strip_prefix(&root).expect("in it").display().to_string();
        for line in program.lines().map(|line| line.split("//").next().unwrap_or_default()) {
            if !line.trim_start().starts_with("use ") && parts.iter().any(|part| line.contains(part)) {
                found.push((name.clone(), line.trim().to_owned()));
            }
        }
    }
    found
}

#[track_caller]
fn only_in(found: &[(String, String)], allowed: &[&str]) {
    let mut files: Vec<&str> = found.iter().map(|(file, _)| file.as_str()).collect();
    files.dedup();
    assert_eq!(files, allowed, "{found:#?}");
}

#[test]
fn the_program_writes_files_at_three_places_and_one_of_them_makes_some() {
    let makes = [
        "File::create",
        "create(true)",
        "create_new(",
        "fs::write",
        "fs::copy",
        "fs::rename",
        "fs::symlink(",
        "OpenOptions",
        "File::options",
        "DirBuilder",
        "create_dir",
    ];
    // The leaf of a cgroup, which is the kernel's; the output of `podlike template -o`; /etc/hosts, which the engine has made.
    let writers = ["cgroup/leaf.rs", "commands/template.rs", "supervisor/hosts.rs"];
    only_in(&lines_with(&makes), &writers);
}

#[test]
fn what_the_time_of_day_says_decides_nothing_but_the_age_of_images() {
    let found = lines_with(&["SystemTime"]);
    // A name that is new, the age of an image, times in archives, the dates of the engine.
    let allowed = [
        "engine/archive.rs",
        "engine/images/date.rs",
        "engine/images/mod.rs",
        "supervisor/cgroup.rs",
        "supervisor/component/image.rs",
    ];
    only_in(&found, &allowed);
}

#[test]
fn the_program_starts_no_other_program() {
    only_in(&lines_with(&["process::Command", "Command::new", "fork(", "execv", "posix_spawn"]), &[]);
}
