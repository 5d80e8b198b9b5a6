//! Secrets and configs: in memory, as they were asked for, and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::real_engine::{Pod, Running, docker, exec, inspect, stays, try_docker, until, with};

/// A text that nobody else writes.
const SECRET: &str = "the-secret-of-podlike-tests";

/// What Swarm puts under `/run/secrets` and `/` of a controller.
fn given() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("token", SECRET), ("key", "-----KEY-----"), ("app.conf", "the config")] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// A component that nobody may write to, and that is not root.
fn app() -> Value {
    let keys = json!({
        "user": "1000:1000",
        "read_only": true,
        "secrets": [
            "token",
            {"source": "key", "target": "app.key", "uid": "1000", "gid": "1001", "mode": 0o400},
            {"source": "token", "target": "/etc/app/token", "uid": 7, "mode": "0440"},
        ],
        "configs": ["app.conf", {"source": "app.conf", "target": "/etc/app.conf", "gid": 1000, "mode": 0o640}],
    });
    with(stays(), keys)
}

fn pod(given: &Path) -> Pod {
    let config = given.join("app.conf");
    Pod::new()
        .mount(given, "/run/secrets:ro")
        .mount(&config, "/app.conf:ro")
        .component("app", app())
        .flags("-logs -volumes")
}

/// The files below a folder that have a text in them, but for what is no file.
fn holding(text: &str, folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() => {
                    let bytes = fs::read(&path).unwrap_or_default();
                    if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                        found.push(path);
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// The folder of the engine that holds what a container wrote to its root file system.
fn layer(container: &str) -> PathBuf {
    let data = inspect(container)["GraphDriver"]["Data"].clone();
    data["UpperDir"].as_str().expect("the engine has overlay2").into()
}

fn memory(pod: &Running) -> String {
    format!("{}.podlike-memory", pod.name())
}

/// Whether nothing is left of what a pod has in memory.
fn is_gone(pod: &Running) -> bool {
    let gone = |words: &[&str]| try_docker(words).0 != Some(0);
    gone(&["inspect", "--type=container", &memory(pod)]) && gone(&["volume", "inspect", &memory(pod)])
}

#[test]
fn a_component_has_its_secrets_and_configs_in_memory_and_as_they_were_asked_for() {
    let given = given();
    let pod = pod(given.path()).run();
    pod.tells("podlike: app: started");
    let app = pod.of("app");
    let look = "for file in /run/secrets/token /run/secrets/app.key /etc/app/token /app.conf /etc/app.conf; do
            echo $file $(stat -c '%a %u %g' $file) $(cat $file 2>/dev/null || echo -)
        done; ls /run/secrets";
    let seen = format!(
        "/run/secrets/token 444 0 0 {SECRET}
/run/secrets/app.key 400 1000 1001 -----KEY-----
/etc/app/token 440 7 0 -
/app.conf 444 0 0 the config
/etc/app.conf 640 0 1000 the config
app.key
token"
    );
    assert_eq!(exec(&app, look), seen);
    for target in ["/run/secrets", "/etc/app/token", "/app.conf", "/etc/app.conf"] {
        let line = exec(&app, &format!("grep -F ' {target} ' /proc/self/mountinfo"));
        assert!(line.contains(" - tmpfs tmpfs ") && line.contains(" ro,"), "{target}: {line}");
    }
    let write = "echo x 2>/dev/null >/run/secrets/app.key; touch /run/secrets/x 2>/dev/null || echo refused";
    assert_eq!(exec(&app, write), "refused");

    // What the engine made for the mounts: folders and empty files.
    let diff = docker(&["diff", &app]);
    let mut diff: Vec<_> = diff.lines().collect();
    diff.sort_unstable();
    let places =
        ["A /app.conf", "A /etc/app", "A /etc/app.conf", "A /etc/app/token", "A /run/secrets", "C /etc", "C /run"];
    assert!(diff.iter().all(|line| places.contains(line) || *line == "A /run"), "{diff:?}");
    for container in [app.as_str(), &memory(&pod), pod.name()] {
        let found = holding(SECRET, &layer(container));
        assert!(found.is_empty(), "{container}: {found:?}");
        assert!(!inspect(container).to_string().contains(SECRET), "{container}");
    }
    let upper = layer(&app);
    for place in ["app.conf", "etc/app.conf", "etc/app/token"] {
        assert_eq!(fs::metadata(upper.join(place)).expect("a placeholder").len(), 0, "{place}");
    }
    let plan = docker(&["exec", pod.name(), "/podlike", "validate", "--json"]);
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    let put = plan["pods"][0]["plan"]["components"][1]["in_memory"].as_array().cloned().unwrap_or_default();
    assert_eq!(put.len(), 5, "{plan}");
    assert!(!plan.to_string().contains(SECRET));

    let holder = inspect(&memory(&pod));
    assert_eq!(holder["Config"]["Labels"]["podlike.component"], "(memory)");
    assert_eq!(holder["HostConfig"]["NetworkMode"], "none");
    let ended = pod.stop();
    assert!(!(ended.out() + &ended.err()).contains(SECRET));
    assert!(is_gone(&pod), "{}", ended.err());
}

#[test]
fn a_secret_that_the_controller_does_not_have_is_named_and_nothing_is_left() {
    let given = given();
    let more = json!({"secrets": ["token", "nobodys"]});
    let pod = pod(given.path()).component("web", with(stays(), more)).run();
    let ended = pod.end();
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    let part = "cannot copy /run/secrets/nobodys of the controller to /run/secrets/nobodys of component 'web': ";
    for part in [part, "No such file"] {
        assert!(ended.err().contains(part), "no '{part}' in {}", ended.err());
    }
    assert!(!ended.err().contains(SECRET));
    assert!(is_gone(&pod), "{}", ended.err());
}

#[test]
fn no_secret_outlives_a_controller_that_was_killed_and_none_is_seen_through_its_holder() {
    let given = given();
    let pod = pod(given.path()).component("root", with(stays(), json!({}))).run();
    pod.tells("podlike: app: started").tells("podlike: root: started");
    let reach =
        "for process in /proc/[0-9]*; do cat $process/root/memory/app/secrets/token 2>/dev/null; done; echo looked";
    assert_eq!(exec(&pod.of("root"), reach), "looked");
    docker(&["kill", "--signal", "KILL", pod.name()]);
    until("the holder is gone", || try_docker(&["inspect", "--type=container", &memory(&pod)]).0 != Some(0));
    docker(&["volume", "rm", "--force", &memory(&pod)]);
}
