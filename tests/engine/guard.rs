//! What is left of a controller that was killed: nothing, soon, where there is a guard; and nothing after the next start of
//! whomever.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::real_engine::{
    BUSYBOX, Created, OWNER, Pod, Running, SOCKET, docker, exec, image, inspect, sh, stays, try_docker, until, with,
};

/// How soon nothing of a dead controller runs any more, and how soon nothing is left: on a machine that does other things
/// at the same time.
const STILL: Duration = Duration::from_secs(20);
const GONE: Duration = Duration::from_secs(30);

/// A component that takes its time to be stopped, and two that have volumes, a secret among them.
fn full() -> Pod {
    let volumes = json!({"volumes": ["disk:/disk", "fast:/fast"], "configs": ["app.conf"]});
    Pod::new()
        .mount(&conf(), "/app.conf:ro")
        .label("pod.volume.disk", "")
        .label("pod.volume.fast", json!({"medium": "memory", "size": "1m"}))
        .component("app", with(stays(), volumes.clone()))
        .component("db", with(sh("trap '' TERM; tail -f /dev/null & wait; wait"), volumes))
}

/// A file that is there, whatever a test does.
fn conf() -> std::path::PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into()
}

fn without_memory() -> Pod {
    Pod::new()
        .label("pod.volume.disk", "")
        .component("app", with(stays(), json!({"volumes": ["disk:/disk"]})))
        .component("db", sh("trap '' TERM; tail -f /dev/null & wait; wait"))
}

#[track_caller]
fn started(pod: &Running) {
    pod.tells("podlike: app: started").tells("podlike: db: started");
}

fn run_on(container: &Created) -> bool {
    container.components().iter().any(|line| line.contains(" Up "))
}

/// Kills the controller, and tells how long it took until nothing ran and until nothing was left.
#[track_caller]
fn killed(pod: &Running, still: Duration, gone: Duration) -> (Duration, Duration) {
    pod.signal("KILL");
    let killed = Instant::now();
    until("nothing runs", || !run_on(&pod.container));
    let nothing_runs = killed.elapsed();
    assert!(nothing_runs < still, "it took {nothing_runs:?} until nothing ran");
    until("nothing is left", || pod.container.components().is_empty() && pod.container.volumes().is_empty());
    let nothing_left = killed.elapsed();
    assert!(nothing_left < gone, "it took {nothing_left:?} until nothing was left");
    (nothing_runs, nothing_left)
}

#[test]
fn nothing_is_left_of_a_killed_controller_that_has_a_guard() {
    let pods = [("-pids=true", full as fn() -> Pod), ("-pids=false", full), ("-pids=false", without_memory)];
    for (flags, pod) in pods {
        for policy in ["", "--memory 512m"] {
            let pod = pod().options(policy).flags(flags).run();
            started(&pod);
            let times = killed(&pod, STILL, GONE);
            eprintln!("{flags} {policy}: nothing ran and nothing was left after {times:?}");
        }
    }
}

#[test]
fn a_killed_controller_with_a_restart_policy_begins_anew_and_is_left_alone_by_its_old_guard() {
    for flags in ["-pids=true", "-pids=false"] {
        let pod = full().options("--restart always").flags(flags).run();
        started(&pod);
        let first = inspect(&pod.of("app"))["Id"].clone();
        let kill = |pod: &Running| {
            let pid = inspect(pod.name())["State"]["Pid"].as_i64().expect("a pid");
            // By another hand than the engine's, which would not start it again.
            let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a pid"));
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("it runs");
        };
        kill(&pod);
        let now = || docker(&["ps", "--no-trunc", "--quiet", "--filter", &format!("name=^/{}$", pod.of("app"))]);
        until("it runs again", || !now().is_empty() && now() != first.as_str().unwrap_or_default());
        is_whole(&pod);
        docker(&["update", "--restart", "no", pod.name()]);
        docker(&["kill", "--signal", "TERM", pod.name()]);
        until("it is over", || inspect(pod.name())["State"]["Running"] == false);
        until("nothing is left", || pod.container.components().is_empty() && pod.container.volumes().is_empty());
    }
}

/// A new life that its old guard has not touched: it has all that it had, for longer than a guard takes.
#[track_caller]
fn is_whole(pod: &Running) {
    let look = || try_docker(&["exec", &pod.of("db"), "sh", "-c", "grep -c podlike /app.conf; ls -d /disk /fast"]).0;
    until("it has its files", || look() == Some(0));
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(look(), Some(0));
    let in_memory = exec(&pod.of("app"), "grep -F ' /app.conf ' /proc/self/mountinfo");
    assert!(in_memory.contains(" - tmpfs tmpfs "), "{in_memory}");
    assert_eq!(pod.container.volumes().len(), 3, "{:?}", pod.container.volumes());
    let alive: Vec<_> = pod.container.components().into_iter().filter(|line| line.contains(" Up ")).collect();
    assert_eq!(alive.len(), 3, "{alive:?}");
}

#[test]
fn a_killed_controller_is_started_again_at_once_or_later() {
    for flags in ["-pids=true -logs", "-pids=false -logs"] {
        let mut pod = full().flags(flags).run();
        for wait in [0, 100, 300, 700, 1500] {
            started(&pod);
            pod.signal("KILL");
            pod.wait();
            std::thread::sleep(Duration::from_millis(wait));
            pod = pod.again();
        }
        started(&pod);
        is_whole(&pod);
        pod.stop();
    }
}

#[test]
fn a_pod_that_needs_no_guard_has_none() {
    let pod = Pod::new().component("app", stays()).component("db", stays()).run();
    started(&pod);
    assert_eq!(pod.container.components().len(), 2, "{:?}", pod.container.components());
    pod.stop();
}

#[test]
fn a_guard_can_do_its_work_and_nothing_else_and_ends_at_once() {
    let pod = without_memory().component("root", stays()).flags("-pids=false").run();
    started(&pod);
    let guard = format!("{}.podlike-guard", pod.name());
    let found = inspect(&guard);
    let host = &found["HostConfig"];
    for (key, value) in [
        ("NetworkMode", json!("none")),
        ("PidMode", json!("")),
        ("CgroupParent", json!("")),
        ("ReadonlyRootfs", json!(true)),
        ("CapDrop", json!(["ALL"])),
        ("CapAdd", Value::Null),
        ("SecurityOpt", json!(["no-new-privileges"])),
        ("IpcMode", json!("shareable")),
    ] {
        assert_eq!(host[key], value, "{key}");
    }
    let mounts: Vec<_> = found["Mounts"].as_array().into_iter().flatten().collect();
    assert!(mounts.len() == 1 && mounts[0]["Source"] == SOCKET && mounts[0]["RW"] == false, "{mounts:?}");
    let labels = |container: &str| inspect(container)["Config"]["Labels"]["podlike.instance"].clone();
    assert!(labels(&guard).is_string() && labels(&guard) == labels(&pod.of("app")));
    assert_eq!(pod.namespace(Some("app"), "ipc"), pod.namespace(Some("db"), "ipc"), "it lends its IPC namespace");
    let reach = "ls /proc/*/root/engine 2>/dev/null; cat /proc/*/comm | grep -c podlike";
    assert_eq!(try_docker(&["exec", &pod.of("root"), "sh", "-c", reach]).1, "0");
    let pid = found["State"]["Pid"].clone();
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    eprintln!("a guard takes {:?}", rollup.lines().find(|line| line.starts_with("Pss:")));
    let begun = Instant::now();
    docker(&["stop", "--time", "30", &guard]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let ended = pod.end();
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    assert!(ended.err().contains("component '(guard)': it ended with 0"), "{}", ended.err());
}

#[test]
fn what_a_controller_left_that_is_gone_goes_while_another_pod_runs_and_what_lives_stays() {
    let living = Pod::new().component("app", stays()).component("db", stays()).run();
    started(&living);
    // As an old podlike leaves it: without a guard, its controller removed.
    let gone = docker(&["create", "--label", &format!("podlike-test={}", std::process::id()), BUSYBOX]);
    let label = format!("{OWNER}={gone}");
    let left = format!("{}-gone.podlike.app", living.name());
    docker(&["run", "--detach", "--name", &left, "--label", &label, BUSYBOX, "tail", "-f", "/dev/null"]);
    docker(&["rm", "--force", &gone]);
    let pod = Pod::new().component("app", stays()).component("db", stays()).run();
    started(&pod);
    until("it is gone", || try_docker(&["inspect", &left]).0 != Some(0));
    assert_eq!(living.container.components().len(), 2);
    assert_eq!(pod.container.components().len(), 2);
}

#[test]
fn what_has_the_names_of_a_new_controller_makes_way() {
    let before = without_memory().flags("-pids=false").run();
    started(&before);
    let name = before.name().to_owned();
    let guard = format!("{name}.podlike-guard");
    // Nobody removes what it leaves.
    docker(&["pause", &guard]);
    docker(&["rm", "--force", &name]);
    let (socket, app) = (format!("{SOCKET}:{SOCKET}:ro"), format!("pod.component.app={}", stays()));
    let id = docker(&["create", "--name", &name, "--volume", &socket, "--label", &app, &image(), "-pids=false"]);
    let again = Created { name, id: id.lines().last().unwrap_or_default().to_owned() }.start();
    again.tells("podlike: app: started");
    until("the old one's are gone", || before.container.components().is_empty());
    again.stop();
}
