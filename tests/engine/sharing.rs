//! What components share with the controller and with each other: namespaces, volumes, limits; and who the controller is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::support::real_engine::{
    BUSYBOX, Pod, Running, SOCKET, Volume, docker, exec, inspect, sh, stays, try_docker, until, with,
};

/// Two components that run.
fn pair(options: &str, flags: &str) -> Running {
    // A shell that listens, as it may be PID 1.
    let script = "trap 'exit 0' TERM; sleep 1000 & echo ready; wait";
    let pod = Pod::new()
        .options(options)
        .component("app", sh(script))
        .component("db", sh(script))
        .flags("-logs")
        .flags(flags)
        .run();
    pod.says("app: ready").says("db: ready");
    pod
}

/// The engine places a component below the controller's cgroup.
fn nests() -> bool {
    docker(&["info", "--format", "{{.CgroupVersion}} {{.CgroupDriver}}"]) == "1 cgroupfs"
}

#[test]
fn namespaces_are_shared_as_the_flags_say() {
    // Options of the controller, flags, whether a component shares PIDs and IPC with it, and IPC with another component.
    for (options, flags, pids, ipc, donated) in [
        ("", "", true, false, true),
        ("--ipc=shareable", "", true, true, true),
        ("--ipc=host", "", true, true, true),
        ("", "-ipc=false", true, false, false),
        ("--ipc=shareable", "-ipc=false", true, false, false),
        ("", "-pids=false", false, false, true),
    ] {
        let pod = pair(options, flags);
        let of = |component, kind| pod.namespace(component, kind);
        for name in ["app", "db"] {
            assert_eq!(of(Some(name), "net"), of(None, "net"), "{options} {flags}");
            assert_eq!(of(Some(name), "pid") == of(None, "pid"), pids, "{options} {flags}");
            assert_eq!(of(Some(name), "ipc") == of(None, "ipc"), ipc, "{options} {flags}");
            assert_ne!(of(Some(name), "mnt"), of(None, "mnt"));
        }
        assert_eq!(of(Some("app"), "ipc") == of(Some("db"), "ipc"), donated, "{options} {flags}");
        pod.stop();
    }
}

#[test]
fn components_meet_on_the_loopback_and_in_shared_memory() {
    let page = json!({"image": BUSYBOX, "command": "httpd -f -p 127.0.0.1:8000 -h /etc"});
    let pod = Pod::new().component("app", page).component("db", stays()).run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    until("the page is there", || exec(&pod.of("db"), "wget -qO- http://127.0.0.1:8000/passwd || :").contains("root:"));
    exec(&pod.of("app"), "echo hello >/dev/shm/note");
    assert_eq!(exec(&pod.of("db"), "cat /dev/shm/note"), "hello");
    pod.stop();
}

#[test]
fn volumes_are_shared_on_demand_but_never_the_engines_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "content\n").expect("a file");
    let look = "test -S /var/run/docker.sock && echo the socket
        cat /data/file; touch /data/x && echo wrote; touch /kept/$HOSTNAME.1 && ls /kept | wc -l; true";
    let asks = json!({"volumes": [format!("{SOCKET}:{SOCKET}")]});
    let pod = |flags: &str| {
        Pod::new()
            .mount(folder.path(), "/data:ro")
            .options("--volume /kept")
            .init(&[sh("touch /kept/first")])
            .component("app", sh(look))
            .flags("-logs")
            .flags(flags)
    };
    let shared = pod("-volumes").end();
    assert_eq!(shared.out(), "[out] app: content\n[out] app: 2\n", "{}", shared.err());
    assert!(shared.err().contains("warning: -volumes leaves out /var/run/docker.sock"), "{}", shared.err());
    let alone = Pod::new()
        .mount(folder.path(), "/data:ro")
        .component("app", sh("ls -d /data /var/run/docker.sock"))
        .flags("-logs")
        .end();
    assert_eq!(alone.out(), "", "{}", alone.err());
    let asked = Pod::new()
        .component("app", with(sh("test -S /var/run/docker.sock && echo the socket"), asks))
        .flags("-logs")
        .end();
    assert_eq!(asked.out(), "[out] app: the socket\n", "{}", asked.err());
}

#[test]
fn the_socket_is_not_shared_by_a_folder_that_holds_it() {
    let ended = Pod::without_socket()
        .options("--volume /var/run:/host/run --env DOCKER_HOST=unix:///host/run/docker.sock")
        .component("app", sh("ls -d /host"))
        .flags("-logs -volumes")
        .end();
    assert_eq!(ended.out(), "", "{}", ended.err());
    assert!(ended.err().contains("warning: -volumes leaves out /host/run"), "{}", ended.err());
}

#[test]
fn the_socket_is_not_shared_by_another_name() {
    let folder = tempfile::tempdir().expect("a folder");
    symlink("/run", folder.path().join("run")).expect("a link");
    symlink(SOCKET, folder.path().join("socket")).expect("a link");
    let volume = Volume::new(&["type=none", "o=bind", "device=/run"]);
    let look = "for found in $(find / -name '*.sock' 2>/dev/null | grep -v ^/proc); do
        test -S $found && echo $found; done; true";
    for (source, target) in [
        (folder.path().join("run"), "/linked"),
        (folder.path().join("socket"), "/linked.sock"),
        (Path::new(&volume.0).to_owned(), "/volume"),
    ] {
        let ended = Pod::new().mount(&source, target).component("app", sh(look)).flags("-logs -volumes").end();
        let told = ended.err();
        assert_eq!((ended.code, ended.out().as_str()), (Some(0), ""), "{target}: {told}");
        let warned = |line: &str| line.starts_with("podlike: warning: ") && line.contains(target);
        assert!(told.lines().any(warned), "{target}: {told}");
    }
}

#[test]
fn the_socket_is_not_reached_through_the_controllers_processes() {
    let look = "for root in /proc/[0-9]*/root; do ls $root/var/run/docker.sock $root/run/docker.sock; done 2>/dev/null
        ls /proc/1/root/var/run/docker.sock 2>/dev/null && echo leaked; ls -l /proc/1/fd 2>/dev/null | grep -c socket";
    let pod = Pod::new().component("app", stays()).run();
    pod.tells("podlike: app: started");
    let of_one = exec(&pod.of("app"), "tr '\\0' ' ' </proc/1/cmdline");
    assert_eq!(of_one, "/podlike", "it is in the controller's PID namespace");
    let (_, seen) = try_docker(&["exec", &pod.of("app"), "sh", "-c", look]);
    assert_eq!(seen, "0");
    pod.stop();
}

#[test]
fn a_controller_in_the_network_of_another_runs_its_own_pod() {
    let other = Pod::new().component("other", stays()).run();
    other.tells("podlike: other: started");
    let before = inspect(&other.of("other"))["Id"].clone();
    for options in ["", "--cgroupns=private"] {
        let pod = Pod::new()
            .options(&format!("--network container:{} {options}", other.name()))
            .component("b", sh("exit 5"))
            .run();
        let ended = pod.end();
        let told = ended.err();
        assert!(!told.contains("other"), "{options}: {told}");
        if options.is_empty() || ended.code != Some(2) {
            assert_eq!(ended.code, Some(5), "{options}: {told}");
        } else {
            assert!(told.contains("PODLIKE_CONTAINER_ID"), "{options}: {told}");
        }
        assert_eq!(inspect(&other.of("other"))["Id"], before, "{options}: {told}");
    }
    other.stop();
}

#[test]
fn the_controllers_memory_limit_holds_for_its_components() {
    let eats = json!({"image": BUSYBOX, "command": "dd if=/dev/zero of=/dev/null bs=100M count=1"});
    let pod = Pod::new().options("--memory 64m").component("app", stays()).run();
    pod.tells("podlike: app: started");
    let parent = inspect(&pod.of("app"))["HostConfig"]["CgroupParent"].clone();
    let parent = parent.as_str().unwrap_or_default();
    assert_eq!(parent.starts_with('/') && parent.ends_with(&pod.container.id), nests(), "{parent}");
    let ended = pod.stop();
    assert_eq!(ended.err().contains("hold for each component, not for their sum"), !nests(), "{}", ended.err());

    let ended = Pod::new().options("--memory 64m").component("app", &eats).end();
    assert_eq!(ended.code, Some(137), "{}", ended.err());
    let ended = Pod::new().options("--memory 300m").component("app", &eats).end();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
}

#[test]
fn the_controller_finds_itself_wherever_it_is() {
    for options in [
        "--hostname web",
        "--hostname 0123456789ab",
        "--network host",
        "--network host --hostname web",
        "--network none --read-only",
        "--cgroupns=private",
        "--cgroupns=private --hostname web --volume /etc/hosts:/etc/hosts:ro",
        "--pid=host",
    ] {
        let limited = format!("{options} --memory 256m");
        let ended = Pod::new().options(&limited).component("app", sh("exit 5")).end();
        assert_eq!(ended.code, Some(5), "{options}: {}", ended.err());
        let private = options.contains("cgroupns");
        let warned = ended.err().contains("hold for each component, not for their sum");
        assert_eq!(warned, private || !nests(), "{options}: {}", ended.err());
    }
}
