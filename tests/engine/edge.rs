//! The edge flavour in its image: a pod lives as with the full one, and who asks for what is not in it is told so.

use serde_json::json;

use crate::support::real_engine::{CHECKED, Pod, docker, edge, exec, inspect, sh, stays, try_docker, until, with};

/// Runs it without an engine.
fn run(options: &[&str], words: &[&str]) -> (Option<i32>, String) {
    let image = edge();
    let run = ["run", "--rm", "--pull=never", "--label", "podlike-test", "--network=none"];
    try_docker(&[&run[..], options, &[&image], words].concat())
}

#[test]
fn it_says_what_it_is_and_what_is_not_in_it() {
    let (code, said) = run(&[], &["version"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with(&format!("podlike {} edge (", env!("CARGO_PKG_VERSION"))), "{said}");
    let lacks = |what: &str| format!("this is podlike's edge flavour, without {what}: run the full image for that");
    for words in [&["template", "stack.yml"][..], &["template", "-offline", "-o", "x", "--help"]] {
        assert_eq!(run(&[], words), (Some(2), format!("podlike: error: {}", lacks("templates"))));
    }
    for (address, option) in [
        ("tcp://127.0.0.1:2376", "--env=DOCKER_TLS_VERIFY=1"),
        ("tcp://127.0.0.1:2376", "--env=DOCKER_TLS=1"),
        ("https://h:2376", "--env=X="),
    ] {
        let (code, said) = run(&[&format!("--env=DOCKER_HOST={address}"), option], &[]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(&lacks("TLS")), "{said}");
    }
}

#[test]
fn a_pod_lives_in_it() {
    let pod = Pod::new()
        .image(&edge())
        .init(&[sh("echo init")])
        .component("app", sh("cat /etc/conf/podlike | wc -c; exec tail -f /dev/null"))
        .component("checked", with(stays(), json!({"image": CHECKED})))
        .label("pod.copy.app", "/podlike:/etc/conf/podlike")
        .flags("-logs")
        .run();
    let size = docker(&["image", "inspect", "--format", "{{.Size}}", &edge()]);
    pod.says("[out] init-1: init").says(&format!("[out] app: {size}"));
    pod.tells("podlike: checked: started");
    exec(&pod.of("checked"), "touch /tmp/healthy");
    pod.tells("the pod is healthy");
    until("the controller is healthy", || inspect(pod.name())["State"]["Health"]["Status"] == "healthy");
    let ended = pod.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
}
