//! The fake engine keeps its own promises: what the other tests rely on, asked by plain HTTP.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::controller::Launch;
use support::fake_engine::{Call, FakeEngine, Fault, Pull, Script, Status};

const SOON: Duration = Duration::from_secs(10);
const WEB: &str = "/containers/pod.podlike.web";

/// Sends a request; what comes back is for the caller to read.
fn send(engine: &FakeEngine, request: &str, rest: &str) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(engine.socket()).expect("the engine listens");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    write!(stream, "{request} HTTP/1.1\r\nHost: x\r\n{rest}").expect("sent");
    BufReader::new(stream)
}

/// A request, and the status (0: none) and the text after the head of its answer.
fn ask(engine: &FakeEngine, request: &str, body: &str) -> (u16, String) {
    let rest = format!("Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut answer = Vec::new();
    let _ = send(engine, request, &rest).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).filter(|_| head.starts_with("HTTP/1.1 "));
    (status.and_then(|status| status.parse().ok()).unwrap_or(0), body.to_owned())
}

fn status(engine: &FakeEngine, request: &str) -> u16 {
    ask(engine, request, "").0
}

fn text(engine: &FakeEngine, request: &str) -> String {
    ask(engine, request, "").1
}

/// Opens a stream and reads its head.
fn open(engine: &FakeEngine, request: &str) -> BufReader<UnixStream> {
    let mut stream = send(engine, request, "\r\n");
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert!(stream.read_line(&mut line).expect("a head") > 0, "the head ends early");
    }
    stream
}

fn rest(mut stream: BufReader<UnixStream>) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Creates `pod.podlike.NAME`.
fn create(engine: &FakeEngine, name: &str, host_config: &Value) -> u16 {
    let body = json!({"Image": "demo", "Labels": {"of": name}, "HostConfig": host_config});
    let request = format!("POST /v1.41/containers/create?name=pod.podlike.{name}");
    ask(engine, &request, &body.to_string()).0
}

fn with_web(script: Script) -> FakeEngine {
    let engine = FakeEngine::new();
    engine.image("demo").script("web", script);
    engine
}

#[test]
fn an_image_for_another_platform_is_not_there() {
    let engine = FakeEngine::new();
    engine.image("demo").image("arm").image_says("arm", json!({"Architecture": "arm64"}));
    for (image, platform, code) in [
        ("demo", "", 201),
        ("demo", "linux/amd64", 201),
        ("demo", "linux/arm64", 404),
        ("arm", "linux/arm64", 201),
        ("arm", "linux/amd64", 404),
    ] {
        let request = format!("POST /v1.41/containers/create?platform={platform}");
        assert_eq!(ask(&engine, &request, &json!({"Image": image}).to_string()).0, code, "{image} {platform}");
    }
}

#[test]
fn a_container_is_created_attached_awaited_started_and_removed() {
    let script = Script::new().write_out("hi\n").write_err("oops\n");
    let engine = with_web(script.until_stopped().exit(3));
    let joined = json!({"NetworkMode": format!("container:{}", engine.controller_id())});
    assert_eq!(create(&engine, "web", &joined), 201);
    assert_eq!(create(&engine, "web", &joined), 409);
    assert_eq!(create(&engine, "db", &json!({"PidMode": "container:nobody"})), 400);
    let attach = open(&engine, &format!("POST {WEB}/attach?stream=1&stdout=1&stderr=1"));
    let wait = open(&engine, &format!("POST {WEB}/wait?condition=next-exit"));
    assert_eq!(status(&engine, &format!("POST {WEB}/start")), 204);
    assert_eq!(status(&engine, &format!("POST {WEB}/start")), 304);
    assert_eq!(status(&engine, &format!("DELETE {WEB}")), 409);
    assert!(engine.is_running("web"));
    assert_eq!(status(&engine, &format!("POST {WEB}/kill?signal=SIGHUP")), 204);
    assert_eq!(status(&engine, &format!("POST {WEB}/stop?t=5")), 204);
    assert!(rest(wait).contains("\"StatusCode\":3}"));
    assert_eq!(rest(attach), "\x01\0\0\0\0\0\0\x03hi\n\x02\0\0\0\0\0\0\x05oops\n");
    assert_eq!(status(&engine, &format!("POST {WEB}/kill?signal=TERM")), 409);
    assert_eq!(status(&engine, &format!("DELETE {WEB}?force=1&v=1")), 204);
    assert_eq!(status(&engine, &format!("GET {WEB}/json")), 404);
    assert!(engine.containers().is_empty());
    assert_eq!(engine.container("web").expect("remembered").signals, ["HUP", "TERM"]);
    assert_eq!(engine.calls()[0], "POST /containers/create web");
    assert_eq!(engine.seen(Call::new("POST /containers/*/start")), 2);
}

#[test]
fn auto_remove_takes_the_container_away_and_a_stubborn_one_is_killed() {
    let engine = with_web(Script::new().ignore_term().until_stopped());
    create(&engine, "web", &json!({"AutoRemove": true}));
    let wait = open(&engine, &format!("POST {WEB}/wait?condition=removed"));
    status(&engine, &format!("POST {WEB}/start"));
    assert_eq!(status(&engine, &format!("POST {WEB}/stop?t=0")), 204);
    assert!(rest(wait).contains("\"StatusCode\":137}"));
    engine.until_empty(SOON);
    assert_eq!(engine.container("web").expect("remembered").status, Status::Removed);
}

#[test]
fn a_start_that_fails_leaves_the_wait_pending_until_the_removal() {
    let engine = with_web(Script::new().start_error(400, "exec: \"nope\": not found"));
    create(&engine, "web", &json!({}));
    let wait = open(&engine, &format!("POST {WEB}/wait?condition=next-exit"));
    assert_eq!(status(&engine, &format!("POST {WEB}/start")), 400);
    status(&engine, &format!("DELETE {WEB}"));
    assert!(rest(wait).contains("\"StatusCode\":127}"));
    let private = format!("container:{}", engine.controller_id());
    create(&engine, "db", &json!({"IpcMode": private}));
    let (status, text) = ask(&engine, "POST /containers/pod.podlike.db/start", "");
    assert!(status == 500 && text.contains("non-shareable IPC"), "{status} {text}");
}

#[test]
fn an_upload_is_refused_before_it_is_read_and_else_kept() {
    let engine = with_web(Script::new());
    engine.directories(&["/etc"]).early_refusals(true);
    create(&engine, "web", &json!({}));
    let begun = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello";
    let refused = rest(send(&engine, &format!("PUT {WEB}/archive?path=%2Fnope"), begun));
    assert!(refused.contains("404 Not Found") && refused.contains("Could not find the file"));
    let whole = format!("Connection: close\r\n{begun}\r\n0\r\n\r\n");
    assert!(rest(send(&engine, &format!("PUT {WEB}/archive?path=/etc"), &whole)).contains(" 200 "));
    assert_eq!(engine.container("web").expect("created").archives[0].bytes, b"hello");
}

#[test]
fn volumes_are_created_once_listed_by_label_and_kept_while_a_container_has_them() {
    let engine = with_web(Script::new());
    let data = json!({"Name": "data", "DriverOpts": {"type": "tmpfs"}, "Labels": {"of": "web"}}).to_string();
    assert_eq!(ask(&engine, "POST /v1.41/volumes/create", &data).0, 201);
    let (status_code, again) = ask(&engine, "POST /volumes/create", r#"{"Name":"data","Labels":{"of":"db"}}"#);
    assert!(status_code == 201 && again.contains("\"of\":\"web\"") && again.contains("tmpfs"), "{again}");
    assert_eq!(ask(&engine, "POST /volumes/create", r#"{"Name":"a/b"}"#).0, 400);
    assert_eq!(ask(&engine, "POST /volumes/create", r#"{"Name":"ab","Driver":"nope"}"#).0, 404);
    create(
        &engine,
        "web",
        &json!({"Binds": ["data:/data:ro", "/etc:/etc"], "Mounts": [
            {"Type": "volume", "Source": "new", "Target": "/new"},
            {"Type": "bind", "Source": "/var/lib/docker/volumes/ab/_data/x", "Target": "/x"},
        ]}),
    );
    assert!(text(&engine, "GET /volumes/new").contains("\"Mountpoint\":\"/var/lib/docker/volumes/new/_data\""));
    assert_eq!(engine.volumes().into_keys().collect::<Vec<_>>(), ["data", "new"]);
    let listed = |label: &str| text(&engine, &format!("GET /volumes?filters=%7B%22label%22:%5B%22{label}%22%5D%7D"));
    assert!(listed("of=web").contains("\"Name\":\"data\"") && !listed("of=web").contains("new"));
    assert_eq!(listed("of=db"), "{\"Volumes\":[],\"Warnings\":null}\n");
    let id = engine.container("web").expect("created").id;
    let in_use = (409, format!("{{\"message\":\"remove data: volume is in use - [{id}]\"}}\n"));
    assert_eq!(ask(&engine, "DELETE /volumes/data", ""), in_use);
    status(&engine, &format!("DELETE {WEB}"));
    assert_eq!(status(&engine, "DELETE /volumes/data"), 204);
    assert_eq!(ask(&engine, "DELETE /volumes/data", "").0, 404);
    assert!(text(&engine, "GET /volumes/data").contains("get data: no such volume"));
    assert_eq!(engine.seen("POST /volumes/create data"), 2);
}

#[test]
fn events_tell_of_the_wanted_containers_until_they_are_cut() {
    let engine = with_web(Script::new());
    let events = open(&engine, "GET /events?filters=%7B%22label%22%3A%5B%22of%3Dweb%22%5D%7D");
    create(&engine, "web", &json!({}));
    create(&engine, "other", &json!({}));
    engine.set_health("web", "unhealthy");
    assert!(text(&engine, &format!("GET {WEB}/json")).contains("\"Status\":\"unhealthy\""));
    let mut told = String::new();
    for line in events.lines().map_while(Result::ok) {
        if line.contains("unhealthy") {
            engine.cut_events();
        }
        told += &line;
    }
    assert!(told.contains("\"create\"") && told.contains("\"health_status: unhealthy\""));
    assert!(!told.contains("other"));
}

#[test]
fn versions_are_gated_images_pulled_and_leftovers_listed() {
    let engine = FakeEngine::new();
    engine.api("1.40", "1.41").pull("bad", Pull::ErrorLine("denied".into()));
    engine.pull("web", Pull::Works(json!({})));
    let too_new = "client version 1.99 is too new. Maximum supported API version is 1.41";
    assert!(text(&engine, "GET /v1.99/info").contains(too_new));
    assert!(text(&engine, "GET /v1.24/info").contains("Minimum supported API version is 1.40"));
    assert_eq!(status(&engine, "POST /images/create?fromImage=nope&tag=1"), 404);
    assert!(text(&engine, "POST /images/create?fromImage=bad&tag=latest").contains("errorDetail"));
    assert_eq!(status(&engine, "GET /images/web/json"), 404);
    assert_eq!(status(&engine, "POST /images/create?fromImage=web&tag=latest"), 200);
    assert_eq!(status(&engine, "GET /images/web/json"), 200);
    let id = engine.leftover("pod.podlike.web", json!({"Labels": {"k": "v"}}));
    let filters = "%7B%22label%22:%7B%22k=v%22:true%7D%7D";
    assert!(text(&engine, &format!("GET /containers/json?all=1&filters={filters}")).contains(&id));
}

#[test]
fn each_fault_strikes_once_and_after_the_work_if_asked_to() {
    let engine = with_web(Script::new());
    let faults = [
        (Fault::status(500, "boom"), 500, "boom"),
        (Fault::Cut, 0, ""),
        (Fault::CutInHead, 200, ""),
        (Fault::CutInBody, 200, "{\"Id\":\"c0ffee"),
        (Fault::Garbage, 0, ""),
        (Fault::NonsenseJson, 200, "nonsense"),
        (Fault::HugeHead, 200, "{}"),
        (Fault::Slow(Duration::from_micros(10)), 200, "OK"),
    ];
    for (fault, wanted, part) in faults {
        engine.clear_faults().fault(Call::new("GET /_ping").nth(1), fault.clone());
        let (seen, body) = ask(&engine, "GET /_ping", "");
        assert!(seen == wanted && body.contains(part), "{fault:?}: {seen} {body}");
        assert_eq!(status(&engine, "GET /_ping"), 200, "after {fault:?}");
    }
    engine.fault("GET /info", Fault::HugeBody).fault("GET /version", Fault::Silence);
    let mut endless = vec![0; 1 << 20];
    open(&engine, "GET /info").read_exact(&mut endless).expect("more and more");
    let silent = send(&engine, "GET /version", "\r\n");
    engine.fault_after("POST /containers/create web", Fault::Cut);
    assert_eq!(create(&engine, "web", &json!({})), 0);
    assert_eq!(engine.containers().len(), 1);
    drop(engine);
    assert_eq!(rest(silent), "", "silent to the end");
}

#[test]
fn a_program_is_run_watched_signalled_and_killed() {
    let engine = FakeEngine::new();
    let sh = |script: &str| Launch::of("/bin/sh", &engine).args(&["-c", script]).start();
    let ended = sh("echo $DOCKER_HOST; echo x >&2; exit 7").wait(SOON);
    assert_eq!((ended.code, ended.err().as_str()), (Some(7), "x\n"));
    assert_eq!(ended.out(), format!("{}\n", engine.host()));
    let running = sh("echo ready; exec sleep 1000");
    running.until_stdout_contains("ready", SOON);
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait(SOON).signal, Some(15));
    let begun = Instant::now();
    drop(sh("exec sleep 1000"));
    assert!(begun.elapsed() < SOON);
}
