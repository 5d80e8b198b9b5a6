//! What real engines answered, fed to our own client: every engine means the same.
//!
//! ```text
//!   records ──▶ Replay ──unix socket──▶ podlike::engine ──▶ what we read of it
//!                  ◀── the very request that was recorded ──┘
//! ```

#![allow(clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::fmt::Debug;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fs, thread};

use podlike::engine::capabilities::{CgroupDriver, CgroupVersion, Cgroups, Product};
use podlike::engine::types::{CreateRequest, VolumeRequest};
use podlike::engine::{Condition, Engine, Error, Frames, Host, Source, Stream, Tls, Upload};
use support::records::{ENGINES, Record};

/// What the recorder called things.
const NOBODY: &str = "recorded-none";
const BUSYBOX: &str = "podlike-test/busybox";

fn is_docker(engine: &str) -> bool {
    engine.starts_with("docker")
}

/// The id that a container has in the records of an engine.
fn id(engine: &str) -> String {
    Record::of(engine, "create").json()["Id"].as_str().expect("an id").to_owned()
}

/// A call whose answers are recorded: the request must be the one that was recorded, too.
fn replay<T>(engine: &str, names: &[&str], call: impl FnOnce(&Engine) -> T) -> T {
    let records: Vec<Record> = names.iter().map(|name| Record::of(engine, name)).collect();
    let asked = |record: &Record| record.request.lines().next().unwrap_or_default().to_owned();
    let expected: Vec<String> = records.iter().map(asked).collect();
    let (result, requests) = serve(engine, &records, call);
    assert_eq!(requests, expected, "{engine}");
    result
}

/// Makes calls to an engine that answers with these records, one after the other, and says what it was asked.
fn serve<T>(engine: &str, records: &[Record], call: impl FnOnce(&Engine) -> T) -> (T, Vec<String>) {
    let asked = Mutex::new(Vec::new());
    let answer = |request: &str| {
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(request.to_owned());
        records.get(asked.len() - 1).cloned()
    };
    let result = with_answers(engine, answer, call);
    (result, asked.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Makes calls to an engine that knows one container, in whatever way it is asked for it.
fn with_one<T>(engine: &str, call: impl FnOnce(&Engine) -> T) -> T {
    let answer = |request: &str| {
        let path = request.split('?').next().unwrap_or_default();
        let name = match path.rsplit('/').next() {
            Some("events") => "events",
            Some("wait") => "wait",
            Some("json") if path.ends_with("/containers/json") => "list",
            Some("json") => "inspect_exited",
            _ => return None,
        };
        Record::find(engine, name)
    };
    with_answers(engine, answer, call)
}

fn with_answers<T>(
    engine: &str,
    answers: impl Fn(&str) -> Option<Record> + Send,
    call: impl FnOnce(&Engine) -> T,
) -> T {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).expect("a socket");
    thread::scope(|scope| {
        let server = scope.spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = read_request(&stream) else { break };
                let known = request.rsplit('/').next().unwrap_or_default();
                let record = if request.ends_with("/libpod/info") {
                    Some(Record::of(engine, "libpod_info"))
                } else if ["_ping", "version", "info"].contains(&known) {
                    Some(Record::of(engine, known.trim_start_matches('_')))
                } else {
                    answers(&request)
                };
                answer(stream, &record.unwrap_or_else(|| panic!("{engine}: nothing is known of: {request}")));
            }
        });
        let host = Host::parse(Some(&format!("unix://{}", socket.display())), &Tls::default()).expect("an address");
        let client = Engine::connect(host).unwrap_or_else(|error| panic!("{engine}: {error}"));
        let result = call(&client);
        // A connection without a request ends the server.
        drop(UnixStream::connect(&socket));
        server.join().unwrap_or_else(|_| panic!("{engine}: the server has failed"));
        result
    })
}

/// The first line of a request without its protocol; its head and its body are read.
fn read_request(stream: &UnixStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().ok()?;
        }
        if line.starts_with("Transfer-Encoding") {
            // A small archive comes at once, and its end is known.
            length = u64::MAX;
        }
        head.push(line.trim_end().to_owned());
    }
    let mut body = Vec::new();
    while (body.len() as u64) < length && !body.ends_with(b"\r\n0\r\n\r\n") {
        let mut byte = [0];
        reader.read_exact(&mut byte).ok()?;
        body.push(byte[0]);
    }
    Some(head[0].trim_end_matches(" HTTP/1.1").to_owned())
}

fn answer(mut stream: UnixStream, record: &Record) {
    // A byte less than all at a time, as a network may cut it.
    let bytes = record.answer();
    let (first, last) = bytes.split_at(bytes.len() / 2);
    let _ = stream.write_all(first).and_then(|()| stream.write_all(last));
}

/// The error, which there must be.
#[track_caller]
fn refused<T: Debug>(engine: &str, result: Result<T, Error>) -> Error {
    result.expect_err(engine)
}

#[track_caller]
fn not_found<T: Debug>(engine: &str, result: Result<T, Error>) {
    let error = refused(engine, result);
    assert!(error.is_not_found(), "{engine}: {error}");
}

#[track_caller]
fn says(engine: &str, error: &Error, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{engine}: no '{part}' in {text}");
    }
    assert!(!text.contains(['{', '\r', '\n']), "{engine}: {text}");
}

fn each(test: impl Fn(&str)) {
    for engine in ENGINES {
        test(engine);
    }
}

#[test]
fn the_version_and_what_the_engine_is_are_read() {
    for (engine, spoken, version, cgroups) in [
        ("docker-20.10", "1.41", "20.10.24", CgroupVersion::V1),
        ("docker-26.1", "1.44", "26.1.5", CgroupVersion::V2),
        ("docker-28.5", "1.44", "28.5.2", CgroupVersion::V2),
        ("podman-5.4", "1.41", "5.4.2", CgroupVersion::V2),
    ] {
        let known = replay(engine, &[], |client| client.capabilities().expect("an answer"));
        assert_eq!(known.spoken.to_string(), spoken, "{engine}");
        assert!(known.version.starts_with(version), "{engine}: {known:?}");
        assert_eq!(known.cgroups, Cgroups { version: cgroups, driver: CgroupDriver::Cgroupfs }, "{engine}");
        assert_eq!(known.product == Product::Docker, is_docker(engine));
        assert_eq!(known.limits.memory, engine == "docker-20.10", "{engine}");
        assert!(!known.rootless && !known.selinux && !known.userns_remap && !known.live_restore, "{engine}");
    }
}

#[test]
fn a_container_is_created_and_a_refusal_says_why() {
    let create = |client: &Engine, name: &str| client.create(name, &CreateRequest::default(), None);
    each(|engine| {
        assert_eq!(replay(engine, &["create"], |client| create(client, "recorded-web")).expect("an id"), id(engine));
        let warned = replay(engine, &["create_warns"], |client| create(client, "recorded-try"));
        assert_eq!(warned.expect("an id").len(), 64);
        not_found(engine, replay(engine, &["create_no_image"], |client| create(client, "recorded-web")));
        let refusal = |name, container| {
            let error = refused(engine, replay(engine, &[name], |client| create(client, container)));
            assert!(error.is_refusal() && !error.is_not_found(), "{engine} {name}: {error}");
            error
        };
        says(engine, &refusal("create_name_taken", "recorded-web"), &["recorded-web", "already in use"]);
        says(engine, &refusal("create_no_donor", "recorded-try"), &[NOBODY]);
        if is_docker(engine) {
            says(engine, &refusal("create_hostname", "recorded-try"), &["hostname and the network mode"]);
        }
        let no_parent = refusal("create_parent_refused", "recorded-try");
        assert!(no_parent.refuses_cgroup_parent(), "{engine}: {no_parent}");
    });
}

#[test]
fn a_container_is_the_same_at_every_age() {
    each(|engine| {
        let inspect = |name| replay(engine, &[name], |client| client.inspect(&id(engine)));
        let created = inspect("inspect_created").expect("details");
        assert_eq!((created.name.as_str(), created.id), ("/recorded-web", id(engine)), "{engine}");
        assert!(!created.state.running && !created.config.tty, "{engine}");
        assert_eq!(created.config.labels["podlike.controller.id"], "recorded");
        assert!(created.config.healthcheck.is_some_and(|check| check.is_on()), "{engine}");
        assert_eq!(created.host_config.network_mode, "none");
        let running = inspect("inspect_running").expect("details");
        assert!(running.state.running && running.state.health.is_some(), "{engine}");
        let exited = inspect("inspect_exited").expect("details");
        assert_eq!((exited.state.running, exited.state.exit_code), (false, 3), "{engine}");
        let list = |client: &Engine| client.list("podlike.controller.id=recorded");
        let listed = replay(engine, &["list"], list).expect("a list");
        assert_eq!(listed.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), [id(engine)], "{engine}");
        not_found(engine, replay(engine, &["inspect_missing"], |client| client.inspect(NOBODY)));
    });
}

#[test]
fn a_start_works_is_done_already_or_names_what_is_missing() {
    each(|engine| {
        for name in ["start", "start_again"] {
            replay(engine, &[name], |client| client.start(&id(engine))).expect(engine);
        }
        not_found(engine, replay(engine, &["start_missing"], |client| client.start(NOBODY)));
        let of = |name| Record::of(engine, name).request.split('/').nth(3).expect("an id").to_owned();
        let error =
            refused(engine, replay(engine, &["start_no_command"], |client| client.start(&of("start_no_command"))));
        says(engine, &error, &["/recorded/command"]);
        if is_docker(engine) {
            let start = |client: &Engine| client.start(&of("start_private_ipc"));
            says(engine, &refused(engine, replay(engine, &["start_private_ipc"], start)), &["non-shareable IPC"]);
        } else {
            let create = |client: &Engine| client.create("recorded-bad", &CreateRequest::default(), None);
            let error = refused(engine, replay(engine, &["create_private_ipc"], create));
            says(engine, &error, &["shareable"]);
        }
    });
}

#[test]
fn an_exit_code_and_the_output_come_as_they_were() {
    each(|engine| {
        let wait =
            |client: &Engine| client.wait(&id(engine), Condition::NextExit).and_then(podlike::engine::Wait::exit_code);
        assert_eq!(with_one(engine, wait).expect("a code"), 3, "{engine}");
        if is_docker(engine) {
            let armed = |client: &Engine| client.wait(NOBODY, Condition::NextExit);
            not_found(engine, replay(engine, &["wait_missing"], armed));
            assert_eq!(replay(engine, &["wait"], wait).expect("a code"), 3, "{engine}");
        }
        not_found(engine, replay(engine, &["attach_missing"], |client| client.attach(NOBODY)));
        let output = replay(engine, &["attach"], |client| {
            let mut bytes = Vec::new();
            client.attach(&id(engine)).expect("a stream").read_to_end(&mut bytes).expect("an end");
            let (mut frames, mut input) = (Frames::new(), bytes.as_slice());
            let (mut out, mut err) = (Vec::new(), Vec::new());
            while let Some((stream, content)) = frames.next(&mut input).expect("frames") {
                let to = if stream == Stream::Out { &mut out } else { &mut err };
                to.extend_from_slice(content);
            }
            (out, err)
        });
        assert_eq!(output, (b"hi\n".to_vec(), b"oops\n".to_vec()), "{engine}");
    });
}

#[test]
fn what_happens_is_told_by_action_and_id() {
    each(|engine| {
        let events = |client: &Engine| client.events("podlike.controller.id=recorded").expect("a stream");
        if !is_docker(engine) {
            let health = with_one(engine, |client| {
                let mut events = events(client).map(|event| event.expect("an event"));
                events.find(|event| event.action.starts_with("health_status"))
            });
            assert_eq!(health.map(|event| event.actor.id), Some(id(engine)), "{engine}");
            return;
        }
        let told: Vec<_> = replay(engine, &["events"], |client| events(client).collect());
        let mut actions = Vec::new();
        for event in told {
            let event = event.expect("an event");
            assert_eq!(event.actor.id, id(engine), "{engine}");
            actions.push(event.action);
        }
        let place = |action: &str| {
            let place = actions.iter().position(|known| known == action);
            place.unwrap_or_else(|| panic!("{engine}: no {action} in {actions:?}"))
        };
        let order = ["create", "start", "health_status: healthy", "die", "destroy"].map(place);
        assert!(order.is_sorted(), "{engine}: {actions:?}");
    });
}

#[test]
fn a_container_that_has_stopped_or_is_gone_is_told_from_one_that_cannot_be_stopped() {
    let grace = Duration::from_secs(1);
    each(|engine| {
        let of = |name| Record::of(engine, name).request.split(['/', '?']).nth(3).expect("an id").to_owned();
        for name in ["stop", "stop_stopped"] {
            replay(engine, &[name], |client| client.stop(&of(name), grace)).expect(engine);
        }
        not_found(engine, replay(engine, &["stop_missing"], |client| client.stop(NOBODY, grace)));
        replay(engine, &["kill"], |client| client.kill(&of("kill"), "28")).expect(engine);
        let stopped =
            refused(engine, replay(engine, &["kill_stopped"], |client| client.kill(&of("kill_stopped"), "1")));
        assert!(stopped.is_conflict(), "{engine}: {stopped}");
        not_found(engine, replay(engine, &["kill_missing"], |client| client.kill(NOBODY, "1")));
        for (name, killed) in [("remove", "kill_stopped"), ("remove_missing", "kill_missing")] {
            // Podman is told to kill it first, as it gives a grace to what it removes.
            let calls = if is_docker(engine) { vec![name] } else { vec![killed, name] };
            let answers: Vec<Record> = calls.iter().map(|call| Record::of(engine, call)).collect();
            serve(engine, &answers, |client| client.remove(&of(name))).0.expect(engine);
        }
        if is_docker(engine) {
            let busy = ["remove_busy", "wait"].map(|name| Record::of(engine, name));
            let (removed, asked) = serve(engine, &busy, |client| client.remove(&of("remove_busy")));
            removed.expect(engine);
            assert!(asked[1].ends_with("/wait?condition=removed"), "{engine}: {asked:?}");
        }
    });
}

#[test]
fn images_are_there_or_not_and_what_fails_within_an_answer_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("images.tar");
    fs::write(&archive, "no archive").expect("a file");
    each(|engine| {
        let image = replay(engine, &["image"], |client| client.image(BUSYBOX)).expect("an answer").expect("an image");
        assert!(image.is_for("linux/amd64") && image.id.starts_with("sha256:"), "{engine}: {image:?}");
        assert!(image.repo_tags[0].ends_with("podlike-test/busybox:latest"), "{engine}: {image:?}");
        let missing = replay(engine, &["image_missing"], |client| client.image("recorded/missing:1"));
        assert!(missing.expect("an answer").is_none(), "{engine}");
        let pull = |client: &Engine| client.pull("127.0.0.1:1/recorded:1", None, None, |_| (), &mut |_| ());
        says(engine, &refused(engine, replay(engine, &["pull_refused"], pull)), &["connection refused"]);
        let load = |client: &Engine| client.load(&archive, |_| (), &mut |_| ());
        replay(engine, &["load"], load).expect(engine);
        says(engine, &refused(engine, replay(engine, &["load_refused"], load)), &["POST /images/load"]);
        let (tagged, _) = serve(engine, &[Record::of(engine, "tag")], |client| client.renew_tag(BUSYBOX));
        tagged.expect(engine);
    });
}

#[test]
fn volumes_are_made_found_kept_and_removed() {
    let request = VolumeRequest { name: "recorded-data".to_owned(), ..VolumeRequest::default() };
    each(|engine| {
        for name in ["volume_create", "volume_create_again"] {
            let made = replay(engine, &[name], |client| client.create_volume(&request)).expect(engine);
            assert_eq!((made.name.as_str(), made.driver.as_str()), ("recorded-data", "local"), "{engine}");
            assert_eq!(made.labels["podlike.controller.id"], "recorded", "{engine}");
            assert!(made.mountpoint.ends_with("/recorded-data/_data"), "{engine}: {made:?}");
        }
        let found = replay(engine, &["volume"], |client| client.volume("recorded-data")).expect(engine);
        let listed =
            replay(engine, &["volumes"], |client| client.local_volumes("podlike.controller.id")).expect(engine);
        assert_eq!(listed, [found], "{engine}");
        not_found(engine, replay(engine, &["volume_missing"], |client| client.volume(NOBODY)));
        let in_use = replay(engine, &["volume_in_use"], |client| client.remove_volume("recorded-data"));
        assert!(refused(engine, in_use).is_conflict(), "{engine}");
        replay(engine, &["volume_remove"], |client| client.remove_volume("recorded-data")).expect(engine);
        replay(engine, &["volume_remove_missing"], |client| client.remove_volume(NOBODY)).expect(engine);
        for (name, part) in [("volume_create_bad_name", "[a-zA-Z0-9]"), ("volume_create_bad_driver", "recorded")] {
            let error = refused(engine, replay(engine, &[name], |client| client.create_volume(&request)));
            says(engine, &error, &["POST /volumes/create", part]);
        }
    });
}

#[test]
fn a_file_is_copied_or_put_above_the_folder_that_is_not_there() {
    let upload = |target| Upload { source: Source::Bytes(b"hello"), target, uid: None, gid: None, mode: None };
    each(|engine| {
        let of = |name| Record::of(engine, name).request.split('/').nth(3).expect("an id").to_owned();
        let copy = |client: &Engine| client.copy_into(&id(engine), &upload("/root/recorded"));
        replay(engine, &["archive"], copy).expect(engine);
        let copy = |client: &Engine| client.copy_into(&id(engine), &upload("/none/recorded"));
        let answers = ["archive_no_folder", "archive"].map(|name| Record::of(engine, name));
        let (copied, asked) = serve(engine, &answers, copy);
        copied.expect(engine);
        // Podman makes what is missing.
        let above = if is_docker(engine) { ["path=%2Fnone", "path=%2F"].as_slice() } else { &["path=%2Fnone"] };
        assert_eq!(
            asked.iter().filter_map(|request| request.rsplit('&').next()).collect::<Vec<_>>(),
            above,
            "{engine}"
        );
        let copy = |client: &Engine| client.copy_into(&of("archive_read_only"), &upload("/root/recorded"));
        let copied = replay(engine, &["archive_read_only"], copy);
        if is_docker(engine) {
            says(engine, &refused(engine, copied), &["read-only"]);
        } else {
            copied.expect("Podman writes to it before it is started");
        }
    });
}

#[test]
fn an_engine_that_does_not_speak_our_version_is_spoken_with_in_one_that_both_know() {
    each(|engine| {
        for (name, part) in [("too_new", "too new"), ("too_old", "too old")] {
            // Podman takes any.
            let Some(record) = Record::find(engine, name) else {
                assert!(!is_docker(engine));
                continue;
            };
            let records = [record, Record::of(engine, "inspect_running")];
            let (result, asked) = serve(engine, &records, |client| client.inspect("x"));
            // The oldest that these engines know is too old for us, and 1.41 is what 20.10 was asked in.
            let other = match (engine, name) {
                ("docker-26.1", "too_new") => Some("1.45"),
                ("docker-28.5", "too_new") => Some("1.51"),
                _ => None,
            };
            if let Some(version) = other {
                assert!(result.expect(engine).state.running, "{engine}");
                assert_eq!(asked[1], format!("GET /v{version}/containers/x/json"));
            } else {
                let error = refused(engine, result);
                says(engine, &error, &["GET /containers/x/json", part, "supported API version is 1."]);
            }
        }
    });
}
