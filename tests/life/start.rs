//! Components start in their order, without a warning; the pod ends with the code of the first to end.

use serde_json::json;

use crate::support::abilities::Abilities;
use crate::support::real_engine::{BUSYBOX, Pod, inspect, sh, stays, with};

#[test]
fn components_start_in_their_order_and_the_first_end_is_the_pods() {
    let db = with(stays(), json!({"healthcheck": {"test": "test -e /tmp/up", "interval": "1s"}}));
    let db = with(db, json!({"command": ["sh", "-c", "echo db; touch /tmp/up; exec tail -f /dev/null"]}));
    let job = with(sh("echo job"), json!({"depends_on": {"db": {"condition": "service_healthy"}}}));
    let app =
        with(sh("echo app; exit 7"), json!({"depends_on": {"job": {"condition": "service_completed_successfully"}}}));
    let pod = Pod::new().init(&[sh("echo init")]).component("db", db).component("job", job).component("app", app);
    let ended = pod.flags("-logs").end();
    assert_eq!(ended.code, Some(7), "{}", ended.err());
    assert_eq!(ended.out(), "[out] init-1: init\n[out] db: db\n[out] job: job\n[out] app: app\n", "{}", ended.err());
}

#[test]
fn a_pod_that_asks_for_nothing_starts_without_a_warning() {
    let pod = Pod::new().component("app", stays()).component("db", stays()).run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    let ended = pod.stop();
    assert!(!ended.err().contains("warning"), "{}", ended.err());
}

#[test]
fn a_component_that_cannot_start_ends_the_pod_with_125() {
    let missing = json!({"image": BUSYBOX, "command": ["/no/such/command"]});
    let ended = Pod::new().component("app", missing).component("other", stays()).end();
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    for part in ["error: component 'app': cannot start", "/no/such/command"] {
        assert!(ended.err().contains(part), "{}", ended.err());
    }
}

#[test]
fn an_image_that_nobody_has_ends_the_pod_with_125() {
    let nowhere = json!({"image": "127.0.0.1:1/nobody/has:it", "pull_policy": "missing"});
    let ended = Pod::new().component("app", nowhere).component("other", stays()).end();
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    assert!(ended.err().contains("127.0.0.1:1/nobody/has:it"), "{}", ended.err());
}

#[test]
fn the_controller_finds_itself_wherever_it_is() {
    // Only the host's users may have the host's network.
    let in_hosts_network = if Abilities::get().remaps { "--userns host" } else { "" };
    let in_hosts_network = format!("--network host --hostname 0123456789ab {in_hosts_network}");
    for options in ["--hostname web", &in_hosts_network, "--network none --read-only"] {
        let pod = Pod::new().options(options).component("app", stays()).run();
        pod.tells("podlike: app: started");
        let owner = inspect(&pod.of("app"))["Config"]["Labels"]["podlike.controller.id"].clone();
        assert_eq!(owner, pod.container.id, "{options}");
        pod.stop();
    }
}
