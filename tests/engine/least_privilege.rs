//! Pods behind a proxy that allows only what the README lists: nothing is refused, and nothing is listed in vain.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process;

use serde_json::json;

use crate::support::endpoints::endpoints;
use crate::support::real_engine::{
    BUSYBOX, CHECKED, Pod, SOCKET, Volume, docker, exec, inspect, sh, stays, try_docker, until, with,
};
use crate::support::registry::Registry;
use crate::support::socket_proxy::SocketProxy;

/// A controller that has the proxy for an engine.
fn behind(proxy: &SocketProxy) -> Pod {
    Pod::without_socket().mount(&proxy.socket(), SOCKET)
}

#[test]
fn nothing_is_asked_that_is_not_listed_and_all_that_is() {
    let proxy = SocketProxy::before(Path::new(SOCKET));
    everything_that_a_pod_has(&proxy);
    images_from_a_registry_and_a_folder(&proxy);
    what_a_kill_left_is_removed(&proxy);
    assert_eq!(proxy.refused(), Vec::<String>::new());
    let used: BTreeSet<String> = proxy.used().iter().map(ToString::to_string).collect();
    // What only Podman is asked, a fake one answers in `tests/podman.rs`.
    let listed = endpoints().into_iter().filter(|call| !call.path.starts_with("/libpod/"));
    assert_eq!(used, listed.map(|call| call.to_string()).collect());
}

/// An init component, copies, logs, health, volumes of every kind, a secret, hooks, signals, limits, `validate`.
fn everything_that_a_pod_has(proxy: &SocketProxy) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "hello\n").expect("a file");
    let (found, made) = (Volume::new(&[]), format!("podlike-test-{}-made", process::id()));
    let volumes = json!(["scratch:/scratch", "memory:/memory", format!("{}:/found", found.0), format!("{made}:/made")]);
    let script = "trap 'echo got it' HUP; touch /tmp/healthy; cat /copy /run/secrets/word; while :; do sleep 0.2; done";
    let hooks = json!([{"command": "true"}]);
    let checked =
        json!({"image": CHECKED, "volumes": volumes, "secrets": ["word"], "post_start": hooks, "pre_stop": hooks});
    let waits = json!({"depends_on": {"app": {"condition": "service_healthy"}}});
    let pod = behind(proxy)
        .options("--memory 128m")
        .mount(&file, "/file:ro")
        .mount(&file, "/run/secrets/word:ro")
        .mount(Path::new(&found.0), "/data")
        .init(&[sh("echo first")])
        .label("com.docker.swarm.service.id", "of-no-swarm")
        .label("pod.volume.scratch", "")
        .label("pod.volume.memory", "memory")
        .label("pod.copy.app", "/file:/copy")
        .component("app", with(sh(script), checked))
        .component("web", with(sh("trap : HUP; while :; do sleep 0.2; done"), waits))
        .flags("-logs")
        .run();
    pod.says("[out] init-1: first").says("[out] app: hello").tells("web: started");
    let (code, plan) = try_docker(&["exec", pod.name(), "/podlike", "validate"]);
    assert_eq!(code, Some(0), "{plan}");
    assert_eq!(exec(&pod.of("app"), "touch /scratch/x /memory/x /found/x /made/x; cat /run/secrets/word"), "hello");
    pod.signal("HUP").says("[out] app: got it");
    let ended = pod.stop();
    assert!(!ended.err().contains("forbidden"), "{}", ended.err());
    docker(&["volume", "rm", &made]);
}

fn images_from_a_registry_and_a_folder(proxy: &SocketProxy) {
    let mut registry = Registry::open();
    let pulled = registry.push(BUSYBOX, "least:1");
    let component = with(sh("echo pulled"), json!({"image": pulled, "pull_policy": "weekly"}));
    let ended = behind(proxy).component("app", component).flags("-logs").end();
    assert_eq!((ended.code, ended.out().as_str()), (Some(0), "[out] app: pulled\n"), "{}", ended.err());
    try_docker(&["rmi", &pulled]);

    let folder = tempfile::tempdir().expect("a folder");
    let loaded = format!("podlike-test-{}/least", process::id());
    let archive = folder.path().join("least.tar").display().to_string();
    docker(&["tag", BUSYBOX, &loaded]);
    docker(&["save", "--output", &archive, &loaded]);
    docker(&["rmi", &loaded]);
    let component = with(sh("echo loaded"), json!({"image": loaded}));
    let pod = behind(proxy).mount(folder.path(), "/images:ro").flags("-logs -images /images");
    let ended = pod.component("app", component).end();
    assert_eq!((ended.code, ended.out().as_str()), (Some(0), "[out] app: loaded\n"), "{}", ended.err());
    try_docker(&["rmi", &loaded]);
}

fn what_a_kill_left_is_removed(proxy: &SocketProxy) {
    // In PIDs of its own the kernel keeps it from dying of a TERM that it does not expect.
    let app = with(stays(), json!({"volumes": ["scratch:/scratch"], "stop_signal": "SIGKILL"}));
    let pod = behind(proxy).label("pod.volume.scratch", "").component("app", app).flags("-pids=false").run();
    pod.tells("app: started");
    let left = inspect(&pod.of("app"))["Id"].clone();
    pod.signal("KILL").wait();
    until("its guard has removed it", || pod.container.components().is_empty() && pod.container.volumes().is_empty());
    let pod = pod.again();
    pod.tells("app: started");
    assert_ne!(inspect(&pod.of("app"))["Id"], left);
    pod.stop();
}
