//! Plays the life of a pod's containers on a real engine, by raw calls, and keeps what it answers: see `records.rs`.
//!
//! ```text
//!   RECORD_ENGINE=docker-28.5 RECORD_SOCKET=/run/other.sock cargo test --test record
//! ```
//!
//! `RECORD_IMAGE` is an archive with the image `podlike-test/busybox`. `RECORD_SYSTEMD_SOCKET` is one of the same engine with
//! the systemd driver, running or not: it refuses a parent. `RECORD_DATA` is the engine's data root, if not the usual one.

#![allow(clippy::panic, reason = "who records sees what went wrong")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, thread};

use serde_json::{Value, json};

use support::real_engine::BUSYBOX;
use support::records::{Record, folder};

/// Longer than any call takes.
const LONG: Duration = Duration::from_secs(40);
const TAR: &str = "application/x-tar";

fn main() {
    let value = |key: &str| env::var(key).unwrap_or_else(|_| panic!("{key} is not set"));
    let image = fs::read(value("RECORD_IMAGE")).expect("an archive");
    let data = env::var("RECORD_DATA").unwrap_or_else(|_| "/var/lib/docker".to_owned());
    let mut recorder = Recorder::new(&value("RECORD_ENGINE"), &value("RECORD_SOCKET"), &data);
    recorder.run(&image);
    if let Ok(socket) = env::var("RECORD_SYSTEMD_SOCKET") {
        recorder.parent_refused_by(&socket, &image);
    }
}

/// An engine that is being recorded.
struct Recorder {
    engine: String,
    socket: PathBuf,
    /// The version that podlike speaks with it.
    api: String,
    data: String,
    /// Each id that was seen, and what it is called in the records.
    ids: BTreeMap<String, String>,
}

/// A call whose answer is still to come.
struct Pending {
    name: &'static str,
    request: String,
    answer: BufReader<UnixStream>,
}

impl Recorder {
    fn new(engine: &str, socket: &str, data: &str) -> Self {
        let socket = PathBuf::from(socket);
        Self { engine: engine.to_owned(), socket, api: "1.40".to_owned(), data: data.to_owned(), ids: BTreeMap::new() }
    }

    /// Records all but what takes an engine with the systemd driver.
    fn run(&mut self, image: &[u8]) {
        let _ = fs::remove_dir_all(folder(&self.engine));
        fs::create_dir_all(folder(&self.engine)).expect("a folder");
        self.the_engine();
        self.images(image);
        self.volumes();
        self.refused_requests();
        self.life();
        self.what_fails();
        self.stops_and_removals();
    }

    fn the_engine(&mut self) {
        let ping = self.keep("ping", "GET", "/_ping", &Value::Null);
        let newest = ping.header("Api-Version").expect("every engine says it").to_owned();
        let minor = |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        self.api = format!("1.{}", minor(&newest).expect("a version").min(44));
        self.get("version", "/version");
        self.get("info", "/info");
        if ping.header("Libpod-Api-Version").is_some() {
            self.get("libpod_info", "/libpod/info");
        }
        for (name, version) in [("too_new", "1.99"), ("too_old", "1.10")] {
            let answer = self.ask("GET", &format!("/v{version}/info"), "", &[]);
            if answer.status() >= 400 {
                self.save(name, &answer);
            }
        }
    }

    fn images(&mut self, image: &[u8]) {
        self.get("image_missing", "/images/recorded%2Fmissing%3A1/json");
        self.upload("load", "POST", "/images/load?quiet=0", image);
        self.upload("load_refused", "POST", "/images/load?quiet=0", b"no archive");
        self.get("image", &format!("/images/{}/json", BUSYBOX.replace('/', "%2F")));
        let path = format!("/images/{}/tag?repo=recorded%2Ftag&tag=1", BUSYBOX.replace('/', "%2F"));
        self.post("tag", &path, &Value::Null);
        self.ask("DELETE", "/images/recorded%2Ftag%3A1", "", &[]);
        self.post("pull_refused", "/images/create?fromImage=127.0.0.1%3A1%2Frecorded&tag=1", &Value::Null);
        self.create("create_no_image", "recorded-web", &json!({"Image": "recorded/missing:1"}));
    }

    fn volumes(&mut self) {
        self.get("volume_missing", "/volumes/recorded-none");
        let labels = json!({"podlike.controller.id": "recorded"});
        let request = json!({"Name": "recorded-data", "Driver": "local", "Labels": labels});
        self.post("volume_create", "/volumes/create", &request);
        self.post("volume_create_again", "/volumes/create", &request);
        self.post("volume_create_bad_name", "/volumes/create", &json!({"Name": "recorded/bad"}));
        self.post("volume_create_bad_driver", "/volumes/create", &json!({"Name": "recorded-x", "Driver": "recorded"}));
        self.get("volume", "/volumes/recorded-data");
        self.get(
            "volumes",
            &format!("/volumes?filters={}", encoded(r#"{"driver":["local"],"label":["podlike.controller.id"]}"#)),
        );
        let user = json!({"Image": BUSYBOX, "HostConfig": {"Binds": ["recorded-data:/data"]}});
        let user = self.make("recorded-user", &user);
        self.delete("volume_in_use", "/volumes/recorded-data");
        self.clear(&user);
        self.delete("volume_remove", "/volumes/recorded-data");
        self.delete("volume_remove_missing", "/volumes/recorded-none");
    }

    fn refused_requests(&mut self) {
        // Podman takes a name beside the network of another.
        if !self.engine.starts_with("podman") {
            let joined = json!({"NetworkMode": "container:recorded-none"});
            self.try_create("create_hostname", &json!({"Image": BUSYBOX, "Hostname": "x", "HostConfig": joined}));
        }
        let donor = json!({"Image": BUSYBOX, "HostConfig": {"PidMode": "container:recorded-none"}});
        self.try_create("create_no_donor", &donor);
        let warned = json!({"OomKillDisable": true, "MemorySwappiness": 1, "Memory": 64 << 20, "NetworkMode": "none"});
        self.try_create("create_warns", &json!({"Image": BUSYBOX, "HostConfig": warned}));
        if self.engine.starts_with("podman") {
            self.refused_parent("recorded.slice");
        }
    }

    /// What an engine says that only takes slices, or none.
    fn refused_parent(&mut self, parent: &str) {
        let below = json!({"Image": BUSYBOX, "HostConfig": {"CgroupParent": parent}});
        self.try_create("create_parent_refused", &below);
    }

    /// As [`Self::refused_parent`], of another engine of the same kind.
    fn parent_refused_by(&mut self, socket: &str, image: &[u8]) {
        let own = std::mem::replace(&mut self.socket, PathBuf::from(socket));
        self.ask("POST", "/images/load", TAR, image);
        self.refused_parent("/docker/recorded");
        self.socket = own;
    }

    fn life(&mut self) {
        let filters = r#"{"label":["podlike.controller.id=recorded"],"type":["container"]}"#;
        let events = self.open("events", "GET", &format!("/events?filters={}", encoded(filters)));
        thread::sleep(Duration::from_secs(1));
        let script = "echo hi; echo oops >&2; sleep 4; exit 3";
        let request = json!({
            "Image": BUSYBOX, "Cmd": ["sh", "-c", script],
            "Labels": {"podlike.controller.id": "recorded"},
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1_000_000_000u64, "Retries": 1},
            "HostConfig": {"NetworkMode": "none", "OomScoreAdj": 1},
        });
        let created = self.create("create", "recorded-web", &request);
        let id = created.json()["Id"].as_str().expect("an id").to_owned();
        self.create("create_name_taken", "recorded-web", &request);
        let of = |rest: &str| format!("/containers/{id}{rest}");
        self.get("inspect_created", &of("/json"));
        let list = label("podlike.controller.id=recorded");
        self.get("list", &format!("/containers/json?all=1&filters={list}"));
        let archive = archive();
        self.upload("archive", "PUT", &of("/archive?noOverwriteDirNonDir=1&path=%2Froot"), &archive);
        self.upload("archive_no_folder", "PUT", &of("/archive?noOverwriteDirNonDir=1&path=%2Fnone"), &archive);
        let attach = self.open("attach", "POST", &of("/attach?stream=1&stdout=1&stderr=1"));
        let wait = self.open("wait", "POST", &of("/wait?condition=next-exit"));
        // Nothing of either answer is needed to go on, and some engines send no head yet.
        thread::sleep(Duration::from_millis(500));
        self.post("start", &of("/start"), &Value::Null);
        self.post("start_again", &of("/start"), &Value::Null);
        self.get("inspect_running", &of("/json"));
        self.delete("remove_running", &of(""));
        self.finish(attach, |_| false);
        self.finish(wait, |body| body.contains('}'));
        self.get("inspect_exited", &of("/json"));
        self.post("stop_stopped", &of("/stop?t=1"), &Value::Null);
        self.post("kill_stopped", &of("/kill?signal=1"), &Value::Null);
        self.delete("remove", &of("?force=1&v=1"));
        self.finish(events, |body| body.contains("\"destroy\"") || body.contains("\"Action\":\"remove\""));
    }

    fn what_fails(&mut self) {
        for (name, rest) in [("inspect_missing", "/json"), ("remove_missing", "?force=1&v=1")] {
            let method = if name == "inspect_missing" { "GET" } else { "DELETE" };
            self.keep(name, method, &self.path(&format!("/containers/recorded-none{rest}")), &Value::Null);
        }
        for call in ["start", "stop", "kill", "wait", "attach"] {
            let rest = match call {
                "stop" => "?t=1",
                "kill" => "?signal=1",
                "wait" => "?condition=next-exit",
                "attach" => "?stream=1&stdout=1&stderr=1",
                _ => "",
            };
            let name = ["start_missing", "stop_missing", "kill_missing", "wait_missing", "attach_missing"];
            let name = name.into_iter().find(|name| name.starts_with(call)).expect("one of them");
            self.post(name, &format!("/containers/recorded-none/{call}{rest}"), &Value::Null);
        }
        let path = "/containers/recorded-none/archive?noOverwriteDirNonDir=1&path=%2F";
        self.upload("archive_missing", "PUT", path, &archive());

        let id = self.make(
            "recorded-bad",
            &json!({"Image": BUSYBOX, "Cmd": ["/recorded/command"], "HostConfig": {"NetworkMode": "none"}}),
        );
        self.post("start_no_command", &format!("/containers/{id}/start"), &Value::Null);
        self.get("inspect_failed", &format!("/containers/{id}/json"));
        self.clear(&id);

        let read_only = json!({"ReadonlyRootfs": true, "NetworkMode": "none"});
        let id = self.make("recorded-bad", &json!({"Image": BUSYBOX, "HostConfig": read_only}));
        let path = format!("/containers/{id}/archive?noOverwriteDirNonDir=1&path=%2Froot");
        self.upload("archive_read_only", "PUT", &path, &archive());
        self.clear(&id);

        let donor = json!({"Image": BUSYBOX, "Cmd": ["sleep", "1000"], "HostConfig": {"IpcMode": "private", "NetworkMode": "none"}});
        let donor = self.make("recorded-donor", &donor);
        self.ask("POST", &self.path(&format!("/containers/{donor}/start")), "", &[]);
        let joins = json!({"IpcMode": format!("container:{donor}"), "NetworkMode": "none"});
        let joiner = json!({"Image": BUSYBOX, "Cmd": ["true"], "HostConfig": joins});
        let created = self.create("", "recorded-bad", &joiner);
        if created.status() == 201 {
            let id = created.json()["Id"].as_str().expect("an id").to_owned();
            self.post("start_private_ipc", &format!("/containers/{id}/start"), &Value::Null);
            self.clear(&id);
        } else {
            self.save("create_private_ipc", &created);
        }
        self.clear(&donor);
    }

    fn stops_and_removals(&mut self) {
        let host_config = json!({"NetworkMode": "none"});
        let stays = json!({"Image": BUSYBOX, "Cmd": ["tail", "-f", "/dev/null"], "HostConfig": host_config});
        let id = self.make("recorded-stays", &stays);
        self.ask("POST", &self.path(&format!("/containers/{id}/start")), "", &[]);
        self.post("kill", &format!("/containers/{id}/kill?signal=28"), &Value::Null);
        self.post("kill_bad_signal", &format!("/containers/{id}/kill?signal=RECORDED"), &Value::Null);
        self.post("stop", &format!("/containers/{id}/stop?t=1"), &Value::Null);
        self.clear(&id);

        let donor = self.make("recorded-stays", &stays);
        let joins = json!({"NetworkMode": format!("container:{donor}")});
        let joiner = self.make("recorded-joiner", &json!({"Image": BUSYBOX, "Cmd": ["true"], "HostConfig": joins}));
        let path = self.path(&format!("/containers/{donor}?force=1&v=1"));
        let removed = self.ask("DELETE", &path, "", &[]);
        if removed.status() >= 400 {
            self.save("remove_depended", &removed);
        }
        self.clear(&joiner);
        self.clear(&donor);

        for _ in 0..10 {
            let id = self.make("recorded-stays", &stays);
            self.ask("POST", &self.path(&format!("/containers/{id}/start")), "", &[]);
            let path = self.path(&format!("/containers/{id}?force=1&v=1"));
            let answers: Vec<Record> = thread::scope(|scope| {
                let ask = || self.ask("DELETE", &path, "", &[]);
                let threads: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
                threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
            });
            self.clear(&id);
            if let Some(busy) = answers.into_iter().find(|answer| answer.status() == 409) {
                self.save("remove_busy", &busy);
                break;
            }
        }
    }

    fn path(&self, path: &str) -> String {
        format!("/v{}{path}", self.api)
    }

    fn get(&mut self, name: &'static str, path: &str) {
        self.keep(name, "GET", &self.path(path), &Value::Null);
    }

    fn post(&mut self, name: &'static str, path: &str, body: &Value) {
        self.keep(name, "POST", &self.path(path), body);
    }

    fn delete(&mut self, name: &'static str, path: &str) {
        self.keep(name, "DELETE", &self.path(path), &Value::Null);
    }

    /// Asks for a container; what is answered is kept if it has a name.
    fn create(&mut self, name: &'static str, container: &str, request: &Value) -> Record {
        let path = self.path(&format!("/containers/create?name={container}"));
        let answer = self.ask("POST", &path, "application/json", request.to_string().as_bytes());
        if !name.is_empty() {
            self.save(name, &answer);
        }
        answer
    }

    /// As [`Self::create`], of a container that is not needed.
    fn try_create(&mut self, name: &'static str, request: &Value) {
        let answer = self.create(name, "recorded-try", request);
        if let Some(id) = answer.json()["Id"].as_str() {
            self.clear(id);
        }
    }

    fn make(&mut self, container: &str, request: &Value) -> String {
        let answer = self.create("", container, request);
        assert_eq!(answer.status(), 201, "{container}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()["Id"].as_str().expect("an id").to_owned()
    }

    fn clear(&self, id: &str) {
        self.ask("DELETE", &self.path(&format!("/containers/{id}?force=1&v=1")), "", &[]);
    }

    fn keep(&mut self, name: &'static str, method: &str, path: &str, body: &Value) -> Record {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let kind = if body.is_empty() { "" } else { "application/json" };
        let answer = self.ask(method, path, kind, body.as_bytes());
        self.save(name, &answer);
        answer
    }

    fn upload(&mut self, name: &'static str, method: &str, path: &str, archive: &[u8]) {
        let answer = self.ask(method, &self.path(path), TAR, archive);
        self.save(name, &answer);
    }

    /// One call and its whole answer.
    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Record {
        let mut stream = UnixStream::connect(&self.socket).expect("an engine");
        stream.set_read_timeout(Some(LONG)).expect("a timeout");
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n");
        if !kind.is_empty() {
            let _ = write!(head, "Content-Type: {kind}\r\n");
        }
        if method == "POST" || !body.is_empty() {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).expect("sent");
        // An engine that refuses an upload hangs up on it.
        let _ = stream.write_all(body);
        let sent = match kind {
            "" => String::new(),
            TAR => "\n(an archive)".to_owned(),
            _ => format!("\n{}", String::from_utf8_lossy(body)),
        };
        let request = format!("{method} {path}{sent}");
        read(&mut BufReader::new(stream), request, |_| false)
    }

    fn open(&self, name: &'static str, method: &str, path: &str) -> Pending {
        let mut stream = UnixStream::connect(&self.socket).expect("an engine");
        stream.set_read_timeout(Some(LONG)).expect("a timeout");
        let path = self.path(path);
        let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n{length}\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        Pending { name, request: format!("{method} {path}"), answer: BufReader::new(stream) }
    }

    /// Reads a stream to its end, or until it has said enough.
    fn finish(&mut self, pending: Pending, enough: impl Fn(&str) -> bool) {
        let Pending { name, request, mut answer } = pending;
        let record = read(&mut answer, request, enough);
        self.save(name, &record);
    }

    fn save(&mut self, name: &str, record: &Record) {
        let text = self.normal(name, &record.text());
        let mut record = Record::parse(&text);
        let length = record.body.len();
        for line in &mut record.head {
            if line.starts_with("Content-Length:") {
                *line = format!("Content-Length: {length}");
            }
        }
        let path = folder(&self.engine).join(name).with_extension("http");
        fs::write(path, record.text()).expect("a record");
    }

    /// The text without what differs from run to run and from host to host.
    fn normal(&mut self, name: &str, text: &str) -> String {
        let mut text = text.replace(&self.data, "/var/lib/docker");
        text = self.with_equal_ids(&text);
        text = with_equal_dates(&text);
        let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("a host has a name");
        text = text.replace(&format!("\"Name\":\"{}\"", host.trim()), "\"Name\":\"host\"");
        if name == "info" {
            text = with_field(&text, "{\"ID", "\"00000000-0000-0000-0000-000000000000\"");
        }
        for (field, value) in FIELDS {
            text = with_field(&text, field, value);
        }
        for (header, value) in [("Date", "Thu, 01 Jan 2026 00:00:00 GMT"), ("X-Reference-Id", "0xc000000000")] {
            let mark = format!("< {header}: ");
            if let Some(start) = text.find(&mark) {
                let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
                text.replace_range(start + mark.len()..end, value);
            }
        }
        text
    }

    /// Each id of 64 digits by a number, and its first 12 digits with it.
    fn with_equal_ids(&mut self, text: &str) -> String {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        for run in text.as_bytes().split(|byte| !is_digit(byte)).filter(|run| run.len() == 64) {
            let id = String::from_utf8_lossy(run).into_owned();
            let next = format!("{:02x}", self.ids.len() + 0xa0).repeat(32);
            self.ids.entry(id).or_insert(next);
        }
        let mut text = text.to_owned();
        for (id, known) in &self.ids {
            text = text.replace(id, known).replace(&id[..12], &known[..12]);
        }
        text
    }
}

/// What is the host's, or the moment's, by the name of its field.
const FIELDS: [(&str, &str); 37] = [
    ("Pid", "4242"),
    ("ConmonPid", "4241"),
    ("MemTotal", "8000000000"),
    ("memTotal", "8000000000"),
    ("memFree", "4000000000"),
    ("cpus", "2"),
    ("hostname", "\"host\""),
    ("kernel", "\"6.12.0\""),
    ("uptime", "\"1h 0m 0.00s\""),
    ("userPercent", "1"),
    ("systemPercent", "1"),
    ("idlePercent", "98"),
    ("graphRootAllocated", "100000000000"),
    ("graphRootUsed", "50000000000"),
    ("NCPU", "2"),
    ("NFd", "30"),
    ("NGoroutines", "40"),
    ("NEventsListener", "1"),
    ("Images", "1"),
    ("Containers", "0"),
    ("ContainersRunning", "0"),
    ("ContainersStopped", "0"),
    ("KernelVersion", "\"6.12.0\""),
    ("OperatingSystem", "\"Debian GNU/Linux\""),
    ("HttpProxy", "\"\""),
    ("HttpsProxy", "\"\""),
    ("NoProxy", "\"\""),
    ("time", "1767225600"),
    ("timeNano", "1767225600000000000"),
    ("Created", "1767225600"),
    ("Size", "2000000"),
    ("VirtualSize", "2000000"),
    ("SwapTotal", "0"),
    ("SwapFree", "0"),
    ("execDuration", "\"4\""),
    ("GoVersion", "\"go1.24\""),
    ("Uptime", "\"1h\""),
];

/// The text with another value for a number or text of this name; none stays none.
fn with_field(text: &str, field: &str, value: &str) -> String {
    let mark = if field.starts_with('{') { format!("{field}\":") } else { format!("\"{field}\":") };
    let mut parts = text.split(&mark);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += &mark;
        let end = match part.as_bytes().first() {
            Some(b'"') => part[1..].find('"').map(|end| end + 2),
            Some(b'0'..=b'9') => part.find(|letter: char| !letter.is_ascii_digit()),
            _ => None,
        };
        let same_kind = part.starts_with('"') == value.starts_with('"');
        match end.filter(|end| same_kind && !["0", "\"\""].contains(&&part[..*end])) {
            Some(end) => out = out + value + &part[end..],
            None => out += part,
        }
    }
    out
}

/// The text with one date for all, but for the one that stands for none.
fn with_equal_dates(text: &str) -> String {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let fits = |bytes: &[u8]| {
        bytes.len() >= SHAPE.len()
            && bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if !fits(rest.as_bytes()) || rest.starts_with("0001-") {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        rest = &rest[SHAPE.len()..];
        out += "2026-01-01T00:00:00";
        if let Some(fraction) = rest.strip_prefix('.') {
            out += ".123456789";
            rest = fraction.trim_start_matches(|letter: char| letter.is_ascii_digit());
        }
    }
    out
}

/// Reads an answer until it ends or has said enough.
fn read(stream: &mut BufReader<UnixStream>, request: String, enough: impl Fn(&str) -> bool) -> Record {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a head");
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        head.push(line.to_owned());
    }
    assert!(!head.is_empty(), "no answer: {request}");
    let mut record = Record { request, head, body: Vec::new() };
    let length = record.header("Content-Length").and_then(|length| length.parse::<u64>().ok());
    let is_empty = matches!(record.status(), 204 | 304);
    if record.header("Transfer-Encoding") == Some("chunked") {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).expect("the length of a chunk");
            let length = u64::from_str_radix(line.trim(), 16).expect("a length");
            stream.take(length).read_to_end(&mut record.body).expect("a chunk");
            stream.read_line(&mut line).expect("the end of a chunk");
            if length == 0 || enough(&String::from_utf8_lossy(&record.body)) {
                break;
            }
        }
    } else if let Some(length) = length {
        stream.take(length).read_to_end(&mut record.body).expect("a body");
    } else if !is_empty {
        stream.read_to_end(&mut record.body).expect("a body");
    }
    record
}

fn label(label: &str) -> String {
    encoded(&json!({ "label": [label] }).to_string())
}

fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// One small file.
fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(5);
    header.set_mode(0o644);
    archive.append_data(&mut header, "recorded", b"hello".as_slice()).expect("a file");
    archive.into_inner().expect("an archive")
}
