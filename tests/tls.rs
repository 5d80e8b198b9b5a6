//! The binary against the fake engine behind TLS: who is trusted, what is said when somebody is not, and that streams,
//! uploads, deadlines and cancels work as they do without.

#![cfg(feature = "tls")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use serde_json::json;
use support::controller::Launch;
use support::fake_engine::{FakeEngine, Fault, Pull, Script};
use support::pod::{PODLIKE, refuses, web};
use support::pod::{SOON, TERM, ends, pod, says, stops};
use support::tls::{Authority, Files, Flaw, Front, Key};

/// As the controller of a fake engine that is reached by another address.
fn launch(engine: &FakeEngine, host: &str) -> Launch {
    Launch::new(PODLIKE, host, &engine.controller_id()).env("DOCKER_TLS_VERIFY", "1")
}

/// With the certificates of a folder.
fn with(engine: &FakeEngine, front: &Front, files: &Files) -> Launch {
    launch(engine, &front.host()).env("DOCKER_CERT_PATH", &files.folder().display().to_string())
}

/// Text with a place for the path of a file.
fn in_folder(files: &Files, text: &str) -> String {
    text.replace("DIR", &files.folder().display().to_string())
}

#[test]
fn a_pod_lives_over_tls_with_a_certificate_of_ours() {
    for version in [&TLS12, &TLS13] {
        let engine = pod(&[("web", "{image: demo, healthcheck: {test: [CMD, check]}}"), ("job", "image: demo")]);
        let source = tempfile::NamedTempFile::new().expect("a file");
        source.as_file().set_len(5 << 20).expect("a size");
        let line = format!("{}\n", "x".repeat(999));
        engine
            .label("pod.copy.web", &format!("{}:/etc/conf", source.path().display()))
            .script("job", Script::new().write_out(line.repeat(4000)).until_stopped());
        let authority = Authority::new();
        let server = authority.server_of(None, Some(&authority), &[version]);
        let (front, files) = (Front::new(&server, engine.socket()), authority.files());
        let controller = with(&engine, &front, &files).arg("-logs").start();
        engine.until_running("web", SOON);
        engine.set_health("web", "healthy");
        controller.until_stdout_contains(&format!("[out] job: {line}").repeat(4000), SOON);
        let ended = stops(&controller, &engine);
        assert!(!ended.err().contains("broke"), "{}", ended.err());
        let archives = engine.container("web").expect("it ran").archives;
        assert_eq!(archives[0].entries().expect("a tar")[0].content.len(), 5 << 20);

        let seen = front.seen();
        assert!(seen.len() > 10 && seen.iter().all(|one| one.certified), "{seen:?}");
        // Streams that are open to the last end with the process.
        assert!(seen[..10].iter().all(|one| one.goodbye), "{seen:?}");
        assert!(seen.iter().any(|one| one.resumed), "{seen:?}");
    }
}

#[test]
fn a_key_may_be_of_any_kind_and_form() {
    let (engine, authority) = (web(), Authority::new());
    engine.script("web", Script::new().exit(3));
    let front = Front::new(&authority.server(None, Some(&authority)), engine.socket());
    let files = authority.files();
    let (rsa, p256) = (Key::rsa(), Key::generate(&rcgen::PKCS_ECDSA_P256_SHA256));
    let (p384, ed25519) = (Key::generate(&rcgen::PKCS_ECDSA_P384_SHA384), Key::generate(&rcgen::PKCS_ED25519));
    for (key, text) in [
        (&rsa, rsa.pkcs8()),
        (&rsa, rsa.inner("RSA PRIVATE KEY")),
        (&p256, p256.inner("EC PRIVATE KEY")),
        (&p384, p384.pkcs8()),
        (
            &p384,
            format!(
                "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n{}",
                p384.inner("EC PRIVATE KEY")
            ),
        ),
        (&ed25519, ed25519.pkcs8()),
    ] {
        files.write("cert.pem", &authority.client(key)).write("key.pem", &text);
        ends(&with(&engine, &front, &files).start(), &engine, 3);
    }
}

#[test]
fn an_engine_that_wants_no_certificate_gets_none() {
    let (engine, authority) = (web(), Authority::new());
    engine.script("web", Script::new().exit(3));
    let front = Front::new(&authority.server(None, None), engine.socket());
    let files = Files::empty();
    files.write("ca.pem", &authority.pem);
    ends(&with(&engine, &front, &files).start(), &engine, 3);
    let host = front.host().replace("tcp", "https");
    let plain = Launch::new(PODLIKE, &host, &engine.controller_id());
    ends(&plain.env("DOCKER_CERT_PATH", &files.folder().display().to_string()).start(), &engine, 3);
    assert!(front.seen().iter().all(|one| !one.certified));
}

#[test]
fn the_certificates_are_where_docker_looks_for_them() {
    let (engine, authority) = (web(), Authority::new());
    engine.script("web", Script::new().exit(3));
    let front = Front::new(&authority.server(None, Some(&authority)), engine.socket());
    let files = authority.files();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join(".docker");
    fs::create_dir(&folder).expect("a folder");
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        fs::copy(files.path(name), folder.join(name)).expect("a copy");
    }
    let (home, folder) = (home.path().display().to_string(), folder.display().to_string());
    let at = |variables: &[(&str, &str)]| {
        let launch = launch(&engine, &front.host());
        variables.iter().fold(launch, |launch, (key, value)| launch.env(key, value))
    };
    ends(&at(&[("HOME", &home)]).start(), &engine, 3);
    ends(&at(&[("HOME", "/nowhere"), ("DOCKER_CONFIG", &folder)]).start(), &engine, 3);
    ends(&at(&[("DOCKER_CONFIG", "/nowhere"), ("DOCKER_CERT_PATH", &folder)]).start(), &engine, 3);
    let ended = at(&[("HOME", "/nowhere")]).start().wait(SOON);
    says(&ended, &["no TLS with the engine: /nowhere/.docker/ca.pem: No such file"]);
}

#[test]
fn an_engine_that_is_not_who_it_should_be_is_refused_with_the_reason() {
    let (engine, authority) = (web(), Authority::new());
    for (flaw, reason) in [
        (Flaw::Foreign, "its certificate is for another host: elsewhere.test, 192.0.2.1 (DOCKER_HOST has to name one"),
        (Flaw::Expired, "its certificate has expired"),
        (Flaw::Early, "its certificate is not valid yet"),
    ] {
        let front = Front::new(&authority.server(Some(flaw), None), engine.socket());
        let reason = format!("cannot connect to the engine at {} with TLS: {reason}", front.host());
        refuses(with(&engine, &front, &authority.files()), &engine, &[&reason]);
    }
    let (one, other, namesake) = (Authority::called("x"), Authority::new(), Authority::called("x"));
    for stranger in [other, namesake] {
        let front = Front::new(&stranger.server(None, None), engine.socket());
        let files = one.files();
        let reason = "with TLS: its certificate is from an unknown authority (known are those of DIR/ca.pem)";
        refuses(with(&engine, &front, &files), &engine, &[&in_folder(&files, reason)]);
    }
    assert_eq!(engine.requests().len(), 0, "nothing is asked of one that is not trusted");
}

#[test]
fn what_the_engine_has_against_our_certificate_is_told() {
    let (engine, authority) = (web(), Authority::called("x"));
    for version in [&TLS12, &TLS13] {
        let server = authority.server_of(None, Some(&authority), &[version]);
        let front = Front::new(&server, engine.socket());
        let files = authority.files();
        files.remove("cert.pem").remove("key.pem");
        let wanted =
            in_folder(&files, "with TLS: it wants a certificate, and there is neither DIR/cert.pem nor DIR/key.pem: ");
        refuses(with(&engine, &front, &files), &engine, &[&wanted]);

        for stranger in [Authority::new(), Authority::called("x")] {
            let files = stranger.files();
            files.write("ca.pem", &authority.pem);
            let refused = in_folder(&files, "with TLS: it does not accept our certificate, DIR/cert.pem: ");
            refuses(with(&engine, &front, &files), &engine, &[&refused]);
        }
    }
}

#[test]
fn files_of_no_use_are_named_and_not_shown() {
    let (engine, authority) = (web(), Authority::new());
    let front = Front::new(&authority.server(None, Some(&authority)), engine.socket());
    let other = Key::generate(&rcgen::PKCS_ECDSA_P256_SHA256).pkcs8();
    let body: String = other.lines().nth(1).expect("a body").to_owned();
    let encrypted = other.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let old = other.replace("KEY-----\nM", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nM");
    let torn = other.replace("-----END", "---END");
    let empty = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (name, text, reason) in [
        ("ca.pem", None, "DIR/ca.pem: No such file or directory"),
        ("ca.pem", Some("nothing"), "DIR/ca.pem: it has no certificate"),
        (
            "ca.pem",
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
            "DIR/ca.pem: none of its certificates can be read",
        ),
        ("cert.pem", None, "DIR/cert.pem: No such file or directory"),
        ("cert.pem", Some(&*other), "DIR/cert.pem: it has no certificate"),
        (
            "cert.pem",
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
            "DIR/cert.pem: its first certificate cannot be read",
        ),
        ("key.pem", None, "DIR/key.pem: No such file or directory"),
        ("key.pem", Some(&*authority.pem), "DIR/key.pem: it has no private key"),
        ("key.pem", Some(&*torn), "DIR/key.pem: it has no private key"),
        ("key.pem", Some(empty), "DIR/key.pem: its key cannot be used"),
        ("key.pem", Some(&*encrypted), "DIR/key.pem: its key is encrypted"),
        ("key.pem", Some(&*old), "DIR/key.pem: its key is encrypted"),
        ("key.pem", Some(&*other), "DIR/key.pem: it is not the key of DIR/cert.pem"),
    ] {
        let files = authority.files();
        match text {
            None => files.remove(name),
            Some(text) => files.write(name, text),
        };
        let reason = in_folder(&files, &format!("no TLS with the engine: {reason}"));
        let ended = with(&engine, &front, &files).env("PODLIKE_LOG", "debug").start().wait(SOON);
        assert_eq!(ended.code, Some(2), "{name}");
        says(&ended, &[&reason, "DOCKER_CERT_PATH names the folder"]);
        assert!(!ended.err().contains(&body[8..]), "{}", ended.err());
    }
    let files = authority.files();
    files.remove("key.pem");
    fs::create_dir(files.path("key.pem")).expect("a folder");
    refuses(with(&engine, &front, &files), &engine, &[&in_folder(&files, "DIR/key.pem: Is a directory")]);
}

/// Answers each connection with these bytes, once something has come.
fn blunt(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]).and_then(|_| stream.write_all(answer));
        }
    });
    format!("tcp://{address}")
}

#[test]
fn tls_with_an_engine_that_has_none_and_the_other_way_round_is_told() {
    let (engine, authority) = (web(), Authority::new());
    let (id, files) = (engine.controller_id(), authority.files());
    let folder = files.folder().display().to_string();
    let hint = "it does not speak TLS (unset DOCKER_TLS_VERIFY for an engine without it)";
    for answer in [&b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request"[..], b""] {
        refuses(launch(&engine, &blunt(answer)).env("DOCKER_CERT_PATH", &folder), &engine, &[hint]);
    }

    let front = Front::new(&authority.server(None, None), engine.socket());
    let docker = blunt(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    for host in [front.host(), docker] {
        let hint = format!("the engine at {host} speaks TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH");
        refuses(Launch::new(PODLIKE, &host, &id), &engine, &[&hint]);
    }
    let other = blunt(b"HTTP/1.0 400 Bad Request\r\n\r\nno\n");
    refuses(Launch::new(PODLIKE, &other, &id), &engine, &["GET /_ping: the engine answered 400: no"]);
}

#[test]
fn tls_with_whoever_answers_is_refused_and_a_socket_needs_none() {
    let (engine, authority) = (web(), Authority::new());
    let front = Front::new(&authority.server(None, None), engine.socket());
    let anybody = Launch::new(PODLIKE, &front.host(), &engine.controller_id()).env("DOCKER_TLS", "1");
    let hint = format!("DOCKER_HOST is '{}': DOCKER_TLS is set, and TLS with whoever answers protects", front.host());
    refuses(anybody, &engine, &[&hint, "set DOCKER_TLS_VERIFY=1"]);
    assert_eq!(front.seen().len(), 0);
    engine.script("web", Script::new().exit(3));
    let socket = Launch::of(PODLIKE, &engine);
    let socket = socket.env("DOCKER_TLS", "1").env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", "/nowhere");
    ends(&socket.start(), &engine, 3);
}

#[test]
fn a_handshake_has_its_deadline_also_when_bytes_trickle() {
    let (engine, authority) = (web(), Authority::new());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let trickle = format!("tcp://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The head of a record that would be long, and its first bytes.
            let mut record = [22, 3, 3, 0x3f, 0, 2, 0, 0x3e].into_iter().chain(std::iter::repeat(0));
            thread::spawn(move || {
                while stream.write_all(&[record.next().expect("endless")]).is_ok() {
                    thread::sleep(Duration::from_millis(200));
                }
            });
        }
    });
    let silent = Front::new(&authority.server(None, None), engine.socket());
    silent.stall();
    let folder = authority.files();
    let folder = folder.folder().display().to_string();
    let at = |host: &str| launch(&engine, host).env("DOCKER_CERT_PATH", &folder).start();
    for controller in [at(&trickle), at(&silent.host())] {
        let ended = controller.wait(Duration::from_secs(40));
        assert_eq!(ended.code, Some(2));
        says(&ended, &["GET /_ping: the engine did not answer in time"]);
        assert!(ended.took >= Duration::from_secs(15) && ended.took < Duration::from_secs(30), "{:?}", ended.took);
    }
}

#[test]
fn a_signal_ends_a_pull_in_its_handshake_and_in_its_stream() {
    for stalls in [true, false] {
        let (engine, authority) = (pod(&[("web", "image: slow")]), Authority::new());
        engine.pull("slow", Pull::Held("never".into(), json!({})));
        let front = Front::new(&authority.server(None, Some(&authority)), engine.socket());
        let look = "POST /containers/create";
        engine.fault(look, Fault::Held("look".into()));
        let files = authority.files();
        let controller = with(&engine, &front, &files).arg("-stop-timeout=30s").start();
        engine.until_seen(look, 1, SOON);
        if stalls {
            // The next connection is that of the pull.
            front.stall();
            engine.open("look");
            front.until_stalled(SOON);
            controller.signal(TERM);
            let ended = controller.wait(SOON);
            assert_eq!(ended.code, Some(0), "{}", ended.err());
        } else {
            engine.open("look");
            engine.until_seen("POST /images/create", 1, SOON);
            stops(&controller, &engine);
        }
    }
}

#[test]
fn an_upload_that_is_refused_in_the_middle_is_told_in_the_engines_words() {
    let (engine, authority) = (pod(&[("web", "{image: demo, read_only: true}")]), Authority::new());
    let source = tempfile::NamedTempFile::new().expect("a file");
    source.as_file().set_len(64 << 20).expect("a size");
    engine.early_refusals(true).label("pod.copy.web", &format!("{}:/etc/conf", source.path().display()));
    for version in [&TLS12, &TLS13] {
        let server = authority.server_of(None, Some(&authority), &[version]);
        let front = Front::new(&server, engine.socket());
        let ended = ends(&with(&engine, &front, &authority.files()).start(), &engine, 125);
        says(&ended, &["component 'web': cannot copy", "container rootfs is marked read-only"]);
    }
}

#[test]
fn an_output_that_ends_without_a_goodbye_may_not_be_all_of_it() {
    for rude in [false, true] {
        let (engine, authority) = (web(), Authority::new());
        engine.script("web", Script::new().write_out("one\n").until_open("cut").write_out("two\n").until_stopped());
        let front = Front::new(&authority.server(None, Some(&authority)), engine.socket());
        if rude {
            front.be_rude();
        }
        let files = authority.files();
        let controller = with(&engine, &front, &files).arg("-logs").start();
        controller.until_stdout_contains("[out] web: one\n", SOON);
        engine.cut_attaches();
        controller.until_stderr_contains("its log was cut and goes on", SOON);
        engine.open("cut");
        controller.until_stdout_contains("[out] web: two\n", SOON);
        let ended = stops(&controller, &engine);
        let told = "the stream of its log broke: it ended without the goodbye of TLS, maybe too early";
        assert_eq!(ended.err().contains(told), rude, "{}", ended.err());
    }
}

#[test]
fn the_key_for_the_engine_is_shared_with_no_component() {
    let (engine, authority) = (web(), Authority::new());
    engine.script("web", Script::new().exit(3));
    let front = Front::new(&authority.server(None, Some(&authority)), engine.socket());
    let files = authority.files();
    let bind = |from: &str, to: &str| json!({"Type": "bind", "Source": from, "Destination": to, "Mode": "", "RW": true, "Propagation": "rprivate"});
    engine.controller(&json!({"Mounts": [bind("/srv/certs", "/"), bind("/srv/data", "/data")]}));
    let ended = ends(&with(&engine, &front, &files).arg("-volumes").start(), &engine, 3);
    let binds = engine.container("web").expect("it ran").body["HostConfig"]["Binds"].clone();
    assert_eq!(binds, json!(["/srv/data:/data:rw"]), "{}", ended.err());
    says(&ended, &["-volumes leaves out /: it holds the engine's socket or key"]);
}
