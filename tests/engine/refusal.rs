//! Input that makes no pod: an exit code, a message for a stranger, and nothing left.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::support::controller::Launch;
use crate::support::real_engine::{LONG, Pod, SOCKET, stays, with};

#[track_caller]
fn refused(pod: Pod, code: i32, parts: &[&str]) {
    let ended = pod.end();
    let told = ended.err();
    assert_eq!(ended.code, Some(code), "{told}");
    assert!(told.contains("podlike: error: "), "{told}");
    for part in parts {
        assert!(told.contains(part), "no '{part}' in: {told}");
    }
    assert!(ended.took < Duration::from_secs(20), "{:?}", ended.took);
}

fn web(text: &str) -> Pod {
    Pod::new().component("web", text)
}

#[test]
fn labels_that_make_no_pod_are_refused_with_label_key_and_hint() {
    let label = "label 'pod.component.web'";
    refused(web("{image: x"), 2, &[label, "not valid YAML", "line 1, column 10"]);
    refused(web("just words"), 2, &[label, "expected a mapping"]);
    refused(web("{image: x, comand: y}"), 2, &[label, "'comand'", "did you mean 'command'?"]);
    refused(web("{command: y}"), 2, &[label, "'image' is missing"]);
    refused(web("{image: x, privileged: 7}"), 2, &[label, "privileged: expected"]);
    refused(web("{image: x, mem_limit: much}"), 2, &[label, "mem_limit: 'much'"]);
    refused(
        Pod::new().init(&[json!({"image": "x", "tmpf": "y"})]).component("web", stays()),
        2,
        &["label 'pod.init.components'", "'tmpf'", "did you mean 'tmpfs'?"],
    );
    let pod = web("image: x").label("pod.copy.webb", "/a:/b");
    refused(pod, 2, &["label 'pod.copy.webb'", "did you mean 'web'?"]);
    let pod = web("image: x").label("pod.copy.web", "/a");
    refused(pod, 2, &["label 'pod.copy.web'", "SOURCE:TARGET"]);
}

#[test]
fn needs_that_cannot_be_met_are_refused() {
    let needs = |on: &str| with(stays(), json!({"depends_on": [on]}));
    let pod = || Pod::new().component("db", stays());
    let parts = ["label 'pod.component.web'", "depends_on", "'dbb'", "did you mean 'db'?"];
    refused(pod().component("web", needs("dbb")), 2, &parts);
    let pod = pod().component("web", needs("app")).component("app", needs("web"));
    refused(pod, 2, &["depends_on", "circle", "web", "app"]);
}

#[test]
fn a_controller_without_components_is_told_where_they_belong() {
    refused(Pod::new(), 2, &["pod.component.NAME", "deploy"]);
    refused(Pod::new().label("pods.component.web", "image: x"), 2, &["'pods.component.web'"]);
    refused(Pod::new().init(&[stays()]), 2, &["no components"]);
}

#[test]
fn images_that_are_none_are_refused_and_those_that_cannot_be_had_are_125() {
    for image in ["Not:An:Image", "UPPER", "a b"] {
        let pod = Pod::new().component("db", stays()).component("web", json!({"image": image}));
        refused(pod, 2, &["label 'pod.component.web', line 1, column 10: image: ", &format!("'{image}'")]);
    }
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let image = format!("{closed}/web:1");
    let pod = Pod::new().component("db", stays()).component("web", json!({"image": image}));
    refused(pod, 125, &["component 'web': cannot pull its image", &image, "connection refused"]);
}

#[test]
fn what_the_engine_refuses_to_create_is_125() {
    let pod = Pod::new().component("web", with(stays(), json!({"cap_add": ["NOPE"]})));
    refused(pod, 125, &["component 'web': cannot create its container", "NOPE"]);
}

#[test]
fn without_the_engine_it_refuses() {
    let pod = Pod::without_socket().component("web", stays());
    refused(pod, 2, &[SOCKET, "is the engine's socket mounted?", "-v"]);
    let pod = Pod::new().options("--user 65534:65534").component("web", stays());
    refused(pod, 2, &[SOCKET, "--group-add"]);
    let pod = Pod::new().options("--env DOCKER_HOST=npipe://x").component("web", stays());
    refused(pod, 2, &["DOCKER_HOST is 'npipe://x'"]);
    let pod = Pod::new().options("--env DOCKER_HOST=tcp://127.0.0.1:1").component("web", stays());
    refused(pod, 2, &["tcp://127.0.0.1:1", "is the engine running?"]);
}

#[test]
fn outside_of_a_container_it_refuses() {
    let host = format!("unix://{SOCKET}");
    let ended = Launch::new(env!("CARGO_BIN_EXE_podlike"), &host, "").start().wait(LONG);
    assert_eq!(ended.code, Some(2), "{}", ended.err());
    assert!(ended.err().contains("cannot find out which container this is"), "{}", ended.err());
    let pod = Pod::new().options("--env PODLIKE_CONTAINER_ID=nobody").component("web", stays());
    refused(pod, 2, &["PODLIKE_CONTAINER_ID says nobody", "is this the engine that runs it?"]);
}

#[test]
fn a_flag_that_is_not_known_is_refused() {
    for flag in ["-nope", "-logs=maybe"] {
        refused(web("image: x").flags(flag), 2, &[flag.trim_start_matches('-').split('=').next().expect("a name")]);
    }
}
