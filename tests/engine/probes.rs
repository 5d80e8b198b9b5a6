//! Probes: the controller asks from inside the network of the pod, and commands in components.

use std::fs;

use serde_json::json;

use crate::support::real_engine::{Events, Pod, exec, inspect, place, sh, stays, try_docker, until, with};

/// What `podlike healthcheck` says in the controller.
fn health(pod: &str) -> String {
    try_docker(&["exec", pod, "/podlike", "healthcheck"]).1
}

#[test]
fn a_server_in_an_image_without_a_shell_is_asked_over_http() {
    let folder = tempfile::tempdir().expect("a folder");
    let conf = folder.path().join("site.conf");
    fs::write(
        &conf,
        "server { listen 127.0.0.1:8080; location = /ready { return 302 /; } location / { return 404; } }\n",
    )
    .expect("a file");
    let web = |path: &str| {
        let http = json!({"port": 8080, "path": path, "headers": {"X-Check": "1"}});
        json!({"image": "demo/nginx", "x-podlike-probes": {"readiness": {"http": http, "interval": "1s", "timeout": "1s"}}})
    };
    let waits = with(stays(), json!({"depends_on": {"web": {"condition": "service_healthy"}}}));
    let pod = |path: &str| {
        let pod =
            Pod::new().mount(&conf, "/site.conf:ro").label("pod.copy.web", "/site.conf:/etc/nginx/conf.d/site.conf");
        pod.component("web", web(path)).component("app", waits.clone()).run()
    };
    let good = pod("/ready");
    assert_ne!(try_docker(&["exec", &good.of("web"), "sh", "-c", "true"]).0, Some(0), "it has no shell");
    good.tells("podlike: web: ready").tells("podlike: app: started").tells("podlike: the pod is healthy");
    good.stop();

    let bad = pod("/other");
    bad.tells("web: not ready: the readiness probe failed 3 times in a row: http://127.0.0.1:8080/other: status 404");
    assert_eq!(health(bad.name()), "starting");
    let (code, _) = try_docker(&["inspect", &bad.of("app")]);
    assert_ne!(code, Some(0), "who waits for it is not there");
    bad.stop();
}

#[test]
fn a_server_that_hangs_is_found_dead() {
    let script =
        "mkdir /www; echo hello >/www/index.html; httpd -f -p 127.0.0.1:8081 -h /www & echo $! >/tmp/pid; wait";
    let every = |check: serde_json::Value| with(check, json!({"interval": "300ms", "timeout": "300ms"}));
    let probes = json!({
        "startup": every(json!({"tcp": 8081, "retries": 100})),
        "liveness": every(json!({"http": ":8081/"})),
    });
    let pod = Pod::new()
        .component("web", with(sh(script), json!({"x-podlike-probes": probes, "stop_grace_period": "1s"})))
        .run();
    pod.tells("podlike: web: ready");
    exec(&pod.of("web"), "kill -STOP $(cat /tmp/pid)");
    pod.tells("the liveness probe failed 3 times in a row: http://127.0.0.1:8081/: no answer in 0.3 s");
}

#[test]
fn a_command_is_run_in_the_component() {
    let events = Events::subscribe();
    let probe = json!({"exec": "test -e /tmp/ready", "interval": "5s", "timeout": "5s", "retries": 1});
    let pod = Pod::new()
        .component("db", with(stays(), json!({"x-podlike-probes": {"readiness": probe}})))
        .component("app", with(stays(), json!({"depends_on": {"db": {"condition": "service_healthy"}}})))
        .run();
    pod.tells("db: not ready: the readiness probe failed: exec test: ended with exit code 1");
    assert_eq!(inspect(&pod.of("db"))["State"]["Health"], serde_json::Value::Null, "the engine checks nothing");
    exec(&pod.of("db"), "touch /tmp/ready");
    pod.tells("podlike: db: ready").tells("podlike: app: started");
    until("the pod is healthy", || health(pod.name()) == "healthy");
    pod.stop();
    let history = events.of(&pod);
    assert!(place(&history, "exec_die db") < place(&history, "create app"), "{history:?}");
}
