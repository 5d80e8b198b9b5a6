//! A killed controller takes the PIDs it shares along; its next start removes what was left.

use crate::support::real_engine::{BUSYBOX, OWNER, Pod, docker, exec, sh, stays, try_docker, until};

use serde_json::json;

#[test]
fn a_killed_controller_takes_its_components_along_and_starts_again() {
    let page = json!({"image": BUSYBOX, "command": "httpd -f -p 127.0.0.1:8000 -h /etc"});
    let pod = Pod::new().component("app", page).component("db", stays()).run();
    pod.tells("podlike: app: started").tells("podlike: db: started").signal("KILL");
    assert_eq!(pod.wait().code, Some(137));
    let runs = |line: &String| line.contains(" Up ");
    until("nothing runs any more", || !pod.container.components().iter().any(runs));

    // What a run that ended in the middle of its start may have left, if the engine removed the others.
    let owner = format!("{OWNER}={}", pod.container.id);
    try_docker(&["create", "--name", &pod.of("app"), "--label", &owner, BUSYBOX]);
    let pod = pod.again();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    assert_eq!(pod.container.components().len(), 2);
    until("its network works", || exec(&pod.of("db"), "wget -qO- http://127.0.0.1:8000/passwd || :").contains("root"));
    let health = || try_docker(&["exec", pod.name(), "/podlike", "healthcheck"]);
    until("it answers its health check", || health() == (Some(0), "healthy".to_owned()));
    let ended = pod.stop();
    assert!(ended.err().contains("removed what the last run of this controller left behind: "), "{}", ended.err());
}

#[test]
fn what_survives_a_killed_controller_is_removed_by_its_guard() {
    let script = "echo ready; trap 'exit 0' TERM; sleep 1000 & wait";
    let pod = Pod::new().component("app", sh(script)).component("db", sh(script)).flags("-pids=false -logs").run();
    pod.says("app: ready").says("db: ready");
    pod.signal("KILL");
    assert_eq!(pod.wait().code, Some(137));
    let runs = |line: &String| line.contains(" Up ");
    until("nothing runs any more", || !pod.container.components().iter().any(runs));
    let pod = pod.again();
    pod.says("app: ready").says("db: ready");
    assert_eq!(pod.container.components().len(), 3, "with their guard");
    pod.stop();
}

#[test]
fn volumes_that_a_killed_controller_left_are_used_anew_and_go_with_the_pod() {
    let memory = json!({"medium": "memory", "size": "1m"});
    let app = json!({"image": BUSYBOX, "command": "tail -f /dev/null", "volumes": ["disk:/disk", "fast:/fast"]});
    let pod = Pod::new().label("pod.volume.disk", "").label("pod.volume.fast", memory).component("app", app).run();
    pod.tells("podlike: app: started");
    exec(&pod.of("app"), "touch /disk/old /fast/old");
    docker(&["kill", "--signal", "KILL", pod.name()]);
    assert_eq!(pod.wait().code, Some(137));
    let pod = pod.again();
    pod.tells("podlike: app: started");
    assert_eq!(exec(&pod.of("app"), "ls /disk /fast"), "/disk:\n\n/fast:");
    pod.stop();
}
