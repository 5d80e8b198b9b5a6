//! Components share network, PIDs, IPC and volumes, but what asks for its own.

use serde_json::{Value, json};

use crate::support::lookout::{process, shared, shared_with_controller};
use crate::support::real_engine::{BUSYBOX, Pod, SOCKET, exec, sh, stays, try_docker, until, with};

const KINDS: [&str; 3] = ["net", "pid", "ipc"];

#[test]
fn the_network_pids_and_ipc_are_shared() {
    let page = json!({"image": BUSYBOX, "command": "httpd -f -p 127.0.0.1:8000 -h /etc"});
    let pod = Pod::new().component("app", page).component("db", stays()).run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    let (app, db) = (pod.of("app"), pod.of("db"));
    until("the page is there", || exec(&db, "wget -qO- http://127.0.0.1:8000/passwd || :").contains("root:"));
    exec(&app, "echo hello >/dev/shm/note");
    assert_eq!(exec(&db, "cat /dev/shm/note"), "hello");
    assert_eq!(exec(&db, "tr '\\0' ' ' </proc/1/cmdline"), "/podlike");
    assert_eq!(shared(process(&app), process(&db), &KINDS), "net pid ipc");
    for shares in shared_with_controller(&pod, &["app", "db"], &["net", "pid", "mnt"]) {
        assert_eq!(shares, "net pid");
    }
    pod.stop();
}

#[test]
fn flags_and_components_choose_what_is_not_shared() {
    // They listen, as they may be PID 1.
    let listens = || sh("trap 'exit 0' TERM; sleep 1000 & wait");
    let own = |kind: &str| with(listens(), json!({kind: "private"}));
    let pod = Pod::new()
        .component("app", listens())
        .component("db", listens())
        .component("lone", own("pid"))
        .component("still", own("ipc"))
        .run();
    for name in ["app", "db", "lone", "still"] {
        pod.tells(&format!("podlike: {name}: started"));
    }
    let app = process(&pod.of("app"));
    for (name, wanted) in [("db", "net pid ipc"), ("lone", "net ipc"), ("still", "net pid")] {
        assert_eq!(shared(app, process(&pod.of(name)), &KINDS), wanted, "{name}");
    }
    pod.stop();

    let pod = Pod::new().component("app", listens()).component("db", listens()).flags("-pids=false -ipc=false").run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    assert_eq!(shared_with_controller(&pod, &["app", "db"], &KINDS), ["net", "net"]);
    assert_eq!(shared(process(&pod.of("app")), process(&pod.of("db")), &KINDS), "net");
    pod.stop();
}

#[test]
fn components_have_the_users_of_the_controller_whoever_these_are() {
    for options in ["", "--userns host"] {
        let pod = Pod::new().options(options).label("pod.volume.fast", "memory");
        let pod =
            pod.component("app", with(stays(), json!({"volumes": ["fast:/fast"]}))).component("db", stays()).run();
        pod.tells("podlike: app: started").tells("podlike: db: started");
        assert_eq!(shared_with_controller(&pod, &["app", "db"], &["user"]), ["user", "user"], "{options}");
        pod.stop();
    }
}

#[test]
fn the_controllers_volumes_are_shared_on_demand_but_never_the_engines_socket() {
    let look = format!("test -e {SOCKET} && echo the socket; cat /kept/note; touch /kept/mine && echo wrote");
    let pod = |flags: &str| {
        let pod = Pod::new().options("--volume /kept").flags("-logs").flags(flags);
        let writes = json!({"app": "/kept/note"});
        // Written by an init component, which has the volume, or its own folder.
        pod.init(&[sh("mkdir -p /kept; echo a note >/kept/note")]).component("app", sh(&look)).label("app", writes)
    };
    let with_volumes = pod("-volumes").end();
    assert_eq!(with_volumes.out(), "[out] app: a note\n[out] app: wrote\n", "{}", with_volumes.err());
    let without = pod("").end();
    assert_eq!(without.out(), "", "{}", without.err());
}

#[test]
fn volumes_of_the_pod_are_shared_by_name_and_go_with_it() {
    let memory = json!({"medium": "memory", "size": "1m"});
    let mounts = |component: Value| with(component, json!({"volumes": ["disk:/disk", "fast:/fast"]}));
    let pod = Pod::new()
        .label("pod.volume.disk", "")
        .label("pod.volume.fast", memory)
        .init(&[mounts(sh("echo of init >/disk/note; cp /disk/note /fast"))])
        .component("app", mounts(stays()))
        .component("db", mounts(with(stays(), json!({"user": "1000:1000"}))))
        .run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    let db = pod.of("db");
    assert_eq!(exec(&db, "cat /disk/note /fast/note"), "of init\nof init");
    exec(&db, "echo of db >/disk/db; cp /disk/db /fast");
    assert_eq!(exec(&pod.of("app"), "cat /disk/db /fast/db; stat -f -c %T /fast"), "of db\nof db\ntmpfs");
    assert_eq!(pod.container.volumes().len(), 2);
    // It ends without them.
    let ended = pod.stop();
    assert!(!ended.err().contains("warning"), "{}", ended.err());
}

#[test]
fn a_config_is_a_file_that_touches_no_disk() {
    let project = "services: {app: {image: podlike-test/busybox, configs: [note], \
        command: [sh, -c, 'cat /note; stat -f -c %T /note; sleep 1000']}}\nconfigs: {note: {content: of the config}}\n";
    let pod = Pod::new().label("pod.compose.file", "/compose.yml").flags("-logs").create();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("compose.yml");
    std::fs::write(&file, project).expect("a file");
    let (code, said) = try_docker(&["cp", &file.display().to_string(), &format!("{}:/compose.yml", pod.name)]);
    assert_eq!(code, Some(0), "{said}");
    let pod = pod.start();
    pod.says("[out] app: of the config").says("tmpfs");
    pod.stop();
}
