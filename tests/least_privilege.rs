//! A proxy that allows only what the README lists: what podlike does when it refuses more.

mod support;

use std::fs;
use std::path::Path;

use serde_json::json;
use support::controller::{Controller, Launch};
use support::endpoints::{endpoints, haproxy_rules};
use support::fake_engine::{FakeEngine, Pull, Script};
use support::pod::{PODLIKE, SOON, TERM, ends, pod, says, web};
use support::socket_proxy::SocketProxy;

/// A controller that knows the engine through the proxy only.
fn launch(engine: &FakeEngine, proxy: &SocketProxy) -> Launch {
    Launch::new(PODLIKE, &proxy.host(), &engine.controller_id())
}

fn start(engine: &FakeEngine, proxy: &SocketProxy) -> Controller {
    launch(engine, proxy).arg("-logs").start()
}

/// A pod that ends well although a call is refused, and says what it lost by that in one line.
#[track_caller]
fn does_without(call: &str, engine: &FakeEngine, lost: &str) {
    let proxy = SocketProxy::before(engine.socket()).without(call);
    let controller = start(engine, &proxy);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    let ended = ends(&controller, engine, 0);
    let text = ended.err();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("forbidden")).collect();
    assert_eq!(lines.len(), 1, "{call}: {text}");
    let hint = "forbidden: 403 Forbidden Request forbidden by administrative rules. (a proxy";
    assert!(lines[0].contains(lost) && lines[0].contains(hint), "{call}: {}", lines[0]);
    assert!(!proxy.refused().is_empty(), "{call} was not made");
}

#[test]
fn without_a_list_leftovers_are_not_swept() {
    does_without("GET /containers/json", &web(), "left behind may stay: GET /containers/json");
}

#[test]
fn without_an_attach_there_is_no_output() {
    does_without("POST /containers/{id}/attach", &web(), "web: its output is not shown: POST /containers/");
}

#[test]
fn without_a_list_of_volumes_those_that_were_left_are_not_swept() {
    let engine = web();
    engine.label("pod.volume.scratch", "").label("pod.component.web", "{image: demo, volumes: ['scratch:/x']}");
    does_without("GET /volumes", &engine, "volumes that were left behind are not looked for: GET /volumes:");
}

#[test]
fn without_their_labels_volumes_are_known_by_name() {
    let engine = web();
    let mount = json!({"Type": "volume", "Name": "data", "Source": "/var/data", "Destination": "/data", "RW": true});
    engine.volume("data", "/var/data").controller(&json!({ "Mounts": [mount] }));
    does_without("GET /volumes/{name}", &engine, "volumes are known by their names only");
}

#[test]
fn without_the_service_its_grace_is_not_known() {
    let engine = web();
    engine.label("com.docker.swarm.service.id", "shop");
    does_without("GET /services/{id}", &engine, "the service's stop_grace_period is not known: GET /services/shop");
}

#[test]
fn without_a_tag_the_time_of_a_pull_is_not_noted() {
    let engine = pod(&[("web", "{image: new, pull_policy: daily}")]);
    engine.pull("new", Pull::Works(json!({})));
    does_without("POST /images/{image}/tag", &engine, "web: the time of the pull is not noted");
}

#[test]
fn without_exec_a_pre_stop_is_left_out() {
    for call in ["POST /containers/{id}/exec", "POST /exec/{id}/start", "GET /exec/{id}/json"] {
        let engine = pod(&[("web", "{image: demo, pre_stop: [{command: drain}]}")]);
        does_without(call, &engine, "web: pre_stop, hook 1 of 1, could not be run: ");
    }
}

#[test]
fn without_exec_a_post_start_fails() {
    let engine = pod(&[("web", "{image: demo, post_start: [{command: x}]}")]);
    let proxy = SocketProxy::before(engine.socket()).without("POST /containers/{id}/exec");
    let ended = ends(&start(&engine, &proxy), &engine, 125);
    says(&ended, &["post_start, hook 1 of 1, could not be run: POST /containers/", "forbidden: 403 Forbidden"]);
}

#[test]
fn the_version_of_the_engine_is_not_asked_for_at_a_start() {
    let engine = web();
    let proxy = SocketProxy::before(engine.socket()).without("GET /version");
    let controller = start(&engine, &proxy);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    ends(&controller, &engine, 0);
    assert!(proxy.refused().is_empty(), "{:?}", proxy.refused());
}

#[test]
fn a_stop_that_is_refused_is_a_kill() {
    let engine = web();
    does_without("POST /containers/{id}/stop", &engine, "web: cannot stop it, it is removed by force");
    assert_eq!(engine.container("web").expect("it ran").signals, ["KILL"]);
}

#[test]
fn a_signal_that_is_refused_is_not_forwarded() {
    let engine = web();
    let proxy = SocketProxy::before(engine.socket()).without("POST /containers/{id}/kill");
    let controller = start(&engine, &proxy);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(nix::sys::signal::Signal::SIGHUP);
    controller.until_stderr_contains("web: cannot forward SIGHUP: POST /containers/", SOON);
    controller.signal(TERM);
    ends(&controller, &engine, 0);
}

/// What cannot be missed is named, and so is who may have refused it.
#[test]
fn what_cannot_be_missed_ends_the_start_and_is_named() {
    let asked = |call: &str| call.replace("{id}", "").split("//").next().unwrap_or_default().to_owned();
    for (call, code) in [
        ("GET /_ping", 2),
        ("GET /info", 2),
        ("GET /containers/{id}/json", 2),
        ("GET /events", 2),
        ("POST /containers/create", 125),
        ("POST /containers/{id}/start", 125),
        ("POST /containers/{id}/wait", 125),
        ("PUT /containers/{id}/archive", 125),
        ("POST /images/create", 125),
        ("GET /images/{image}/json", 125),
        ("POST /volumes/create", 125),
    ] {
        let engine = web();
        engine.label("pod.copy.web", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml:/etc/conf"));
        engine.label("pod.component.web", "{image: demo, volumes: ['made:/x']}");
        if call.contains("/images") {
            engine.label("pod.component.web", "{image: new}");
        }
        let proxy = SocketProxy::before(engine.socket()).without(call);
        let ended = ends(&start(&engine, &proxy), &engine, code);
        let hint = "(a proxy or an authorization plugin in front of the engine may refuse it; see 'Least privilege'";
        says(&ended, &[asked(call).split('{').next().unwrap_or_default(), "forbidden: 403 Forbidden", hint]);
        assert!(!proxy.refused().is_empty(), "{call} was not made");
    }
}

#[test]
fn volumes_and_containers_that_may_not_be_removed_are_told_of() {
    let engine = web();
    engine.label("pod.volume.scratch", "").label("pod.component.web", "{image: demo, volumes: ['scratch:/x']}");
    engine.script("web", Script::new().until_stopped());
    let proxy = SocketProxy::before(engine.socket()).without("DELETE /volumes/{name}");
    let controller = start(&engine, &proxy);
    controller.until_stderr_contains("web: started", SOON);
    controller.signal(TERM);
    let ended = controller.wait(SOON);
    says(&ended, &["the volume pod.podlike-volume.scratch may be left behind: DELETE /volumes/", "forbidden"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err());
}

#[test]
fn the_rules_for_haproxy_are_those_of_the_table() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    let rules = readme.lines().map(str::trim).filter(|line| line.starts_with("http-request allow"));
    assert_eq!(rules.collect::<Vec<_>>(), haproxy_rules(&endpoints()));
}
