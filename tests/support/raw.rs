//! The floor: the same containers made by parallel raw calls, and what the engine says happened when.
//!
//! ```text
//!   RawPod::open ─▶ create, attach, start of a container that only is there ─▶ "runs" ─▶ the clock starts
//!       .start(n) ─▶ create, attach, start of each, all at a time or one after the other
//!       .stop()   ─▶ stop of each, all at a time          Watch ◀── GET /events ── both read the engine's own times
//! ```

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, process, thread};

use serde_json::{Value, json};

use super::real_engine::{BUSYBOX, SOCKET, try_docker};

/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_mins(5);

/// Nanoseconds of the clock that the engine's events have.
pub(crate) fn now() -> u64 {
    nanoseconds(SystemTime::now())
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Milliseconds between two such times.
pub(crate) fn ms(from: u64, to: u64) -> f64 {
    Duration::from_nanos(to.saturating_sub(from)).as_secs_f64() * 1000.0
}

/// Sends a call; the answer's head is read, the rest is to come.
fn send(method: &str, path: &str, body: &Value) -> io::Result<(u16, BufReader<UnixStream>)> {
    let mut stream = UnixStream::connect(SOCKET)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    // HTTP/1.0: no chunks.
    let head =
        format!("{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all((head + &body).as_bytes())?;
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    while line != "\r\n" && !line.is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
    }
    Ok((status, reader))
}

/// A call that must succeed, and its body.
#[track_caller]
pub(crate) fn call(method: &str, path: &str, body: &Value) -> Value {
    let (status, mut reader) = send(method, path, body).expect("the engine answers");
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("a body");
    assert!(status < 400, "{method} {path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// Attaches to the output of a container.
#[track_caller]
pub(crate) fn attach(container: &str) -> BufReader<UnixStream> {
    let path = format!("/containers/{container}/attach?stream=1&stdout=1&stderr=1");
    let (status, reader) = send("POST", &path, &Value::Null).expect("the engine answers");
    assert!(status < 400, "{path}: {status}");
    reader
}

/// What happened to a container.
#[derive(Clone, Debug)]
struct Happened {
    at: u64,
    action: String,
    name: String,
}

type Seen = (Mutex<Vec<Happened>>, Condvar);

/// All that happens to containers.
pub(crate) struct Watch {
    seen: Arc<Seen>,
    stream: UnixStream,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        let filters = "%7B%22type%22:%5B%22container%22%5D%7D";
        let (_, reader) =
            send("GET", &format!("/events?filters={filters}"), &Value::Null).expect("the engine's events");
        reader.get_ref().set_read_timeout(None).expect("a socket");
        let stream = reader.get_ref().try_clone().expect("a socket");
        let seen = Arc::new(Seen::default());
        let ours = Arc::clone(&seen);
        thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let (at, action) = (event["timeNano"].as_u64().unwrap_or_default(), text(&event["Action"]));
                let name = text(&event["Actor"]["Attributes"]["name"]);
                if !action.starts_with("exec_") {
                    ours.0.lock().unwrap_or_else(PoisonError::into_inner).push(Happened { at, action, name });
                    ours.1.notify_all();
                }
            }
        });
        Self { seen, stream }
    }

    /// When the last of so many of these containers came to this.
    #[track_caller]
    pub(crate) fn all(&self, action: &str, count: usize, is: impl Fn(&str) -> bool) -> u64 {
        let times = |all: &[Happened]| -> Vec<u64> {
            all.iter().filter(|one| one.action == action && is(&one.name)).map(|one| one.at).collect()
        };
        let seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.seen.1.wait_timeout_while(seen, PATIENCE, |all| times(all).len() < count);
        let (seen, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let times = times(&seen);
        assert!(times.len() >= count, "{action}: {} of {count} after {PATIENCE:?}", times.len());
        times.into_iter().max().unwrap_or_default()
    }

    /// When a container came to this.
    #[track_caller]
    pub(crate) fn one(&self, action: &str, name: &str) -> u64 {
        self.all(action, 1, |other| other == name)
    }

    /// Whether a container has come to this.
    pub(crate) fn has(&self, action: &str, name: &str) -> bool {
        let seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().any(|one| one.action == action && one.name == name)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Whether that is a component of the pod, and not its guard.
pub(crate) fn component_of(pod: &str) -> impl Fn(&str) -> bool {
    let prefix = format!("{pod}.podlike.c");
    move |name| name.starts_with(&prefix)
}

/// Removes whatever has the name of the pod or of one of its components.
pub(crate) fn clear(pod: &str) {
    let (_, ids) = try_docker(&["ps", "--all", "--quiet", "--filter", &format!("name=^/{pod}(\\.podlike.*)?$")]);
    let ids: Vec<&str> = ids.lines().collect();
    if !ids.is_empty() {
        try_docker(&[&["rm", "--force", "--volumes"], &ids[..]].concat());
    }
}

/// A name that nobody has.
pub(crate) fn name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    format!("bench-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A container whose namespaces and limits others share. Dropped, it and they are removed.
pub(crate) struct RawPod {
    pub(crate) name: String,
    id: String,
    /// When its process ran, by the kernel's clock of files.
    pub(crate) ran: u64,
    /// When that could be seen here.
    pub(crate) seen: u64,
    attached: Mutex<Vec<BufReader<UnixStream>>>,
}

impl RawPod {
    pub(crate) fn open() -> Self {
        let name = name();
        let folder = tempfile::tempdir().expect("a folder");
        let host = json!({"IpcMode": "shareable", "Binds": [format!("{}:/ran", folder.path().display())]});
        let script = ": >/ran/file; echo; exec tail -f /dev/null";
        let body = json!({"Image": BUSYBOX, "Cmd": ["sh", "-c", script], "Labels": labels(), "HostConfig": host});
        let id = create(&name, &body);
        let mut output = attach(&id);
        let start = thread::spawn({
            let id = id.clone();
            move || call("POST", &format!("/containers/{id}/start"), &Value::Null)
        });
        output.read_exact(&mut [0; 1]).expect("it says that it runs");
        let seen = now();
        // The answer comes when the engine has done with it, as it does behind the back of a controller.
        drop(start);
        let ran =
            fs::metadata(folder.path().join("file")).and_then(|file| file.modified()).expect("it has made the file");
        Self { name, id, ran: nanoseconds(ran), seen, attached: Mutex::new(vec![output]) }
    }

    /// Starts so many components; all at a time, or each after the one before.
    pub(crate) fn start(&self, count: usize, in_sequence: bool) {
        if in_sequence {
            (0..count).for_each(|number| self.component(number));
            return;
        }
        thread::scope(|scope| {
            for number in 0..count {
                scope.spawn(move || self.component(number));
            }
        });
    }

    fn component(&self, number: usize) {
        let mode = format!("container:{}", self.id);
        let host = json!({"AutoRemove": true, "NetworkMode": mode, "PidMode": mode, "IpcMode": mode,
            "CgroupParent": format!("/docker/{}", self.id), "OomScoreAdj": 1});
        let body = json!({"Image": BUSYBOX, "Cmd": ["tail", "-f", "/dev/null"], "Labels": labels(), "Tty": false,
            "OpenStdin": false, "HostConfig": host});
        let id = create(&format!("{}.podlike.c{number}", self.name), &body);
        let output = attach(&id);
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).push(output);
        call("POST", &format!("/containers/{id}/start"), &Value::Null);
    }

    /// Stops so many components, all at a time; the engine removes them.
    pub(crate) fn stop(&self, count: usize) {
        thread::scope(|scope| {
            for number in 0..count {
                scope.spawn(move || {
                    let path = format!("/containers/{}.podlike.c{number}/stop?t=8", self.name);
                    call("POST", &path, &Value::Null);
                });
            }
        });
    }
}

impl Drop for RawPod {
    fn drop(&mut self) {
        clear(&self.name);
    }
}

/// As many as podlike gives.
fn labels() -> Value {
    json!({"podlike-test": process::id().to_string(), "bench.a": "raw", "bench.b": "raw", "bench.c": "raw"})
}

fn create(name: &str, body: &Value) -> String {
    let answer = call("POST", &format!("/containers/create?name={name}"), body);
    answer["Id"].as_str().expect("an id").to_owned()
}

/// A container that writes a file of the host to its output, without a pod. Dropped, it is removed.
pub(crate) struct Loose(pub(crate) String);

impl Loose {
    pub(crate) fn create(command: &[&str], binds: &[String]) -> Self {
        let name = name();
        let body = json!({"Image": BUSYBOX, "Cmd": command, "Labels": labels(), "HostConfig": {"Binds": binds, "NetworkMode": "none"}});
        create(&name, &body);
        Self(name)
    }

    pub(crate) fn start(&self) {
        start(&self.0);
    }
}

impl Drop for Loose {
    fn drop(&mut self) {
        clear(&self.0);
    }
}

/// Starts a container.
pub(crate) fn start(container: &str) {
    call("POST", &format!("/containers/{container}/start"), &Value::Null);
}

/// A mount of a file of the host.
pub(crate) fn bind(source: &Path, target: &str) -> String {
    format!("{}:{target}:ro", source.display())
}
