//! Runs pods on the real engine, by the `docker` command and a little of the API.
//!
//! ```text
//!   Pod::new().component("app", …).flag("-logs").run() ─▶ Running ──docker start --attach──▶ controller.rs: output, end
//!                                                            │                                     dropped: all removed
//!   Events::subscribe() ◀──GET /events── what happened to it, in order
//! ```
//!
//! `PODLIKE_IMAGE` names the image under test, `PODLIKE_ENGINE` the engine, as `DOCKER_HOST` does, which is taken without
//! it. Wherever that is, its containers find its socket at [`SOCKET`]. Every controller carries the label `podlike-test`,
//! its components and scratch volumes that of their controller's id; nothing else is ever removed.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use serde_json::{Value, json};

use super::controller::{Controller, Ended, Launch};

/// Longer than anything takes here, on a busy machine too.
pub(crate) const LONG: Duration = Duration::from_mins(1);

pub(crate) const BUSYBOX: &str = "podlike-test/busybox";
/// Unhealthy, but while there is a `/tmp/healthy`.
pub(crate) const CHECKED: &str = "podlike-test/healthcheck";
/// The engine's socket, where the engine runs.
pub(crate) const SOCKET: &str = "/var/run/docker.sock";

/// On a component: its controller's id.
pub(crate) const OWNER: &str = "podlike.controller.id";

/// A component that runs a script.
pub(crate) fn sh(script: &str) -> Value {
    json!({"image": BUSYBOX, "command": ["sh", "-c", script]})
}

/// A component that runs until it is stopped, at once by any signal.
pub(crate) fn stays() -> Value {
    json!({"image": BUSYBOX, "command": "tail -f /dev/null"})
}

/// A component with more keys, or other ones.
pub(crate) fn with(mut component: Value, more: Value) -> Value {
    if let (Some(keys), Value::Object(more)) = (component.as_object_mut(), more) {
        keys.extend(more);
    }
    component
}

/// The image under test.
pub(crate) fn image() -> String {
    let image = env::var("PODLIKE_IMAGE").unwrap_or_default();
    assert!(
        !image.is_empty(),
        "PODLIKE_IMAGE is not set, it names the image under test: run `make test`, \
         or `make image images IMAGE=podlike:test` and set PODLIKE_IMAGE=podlike:test"
    );
    image
}

/// The image of the edge flavour.
#[track_caller]
pub(crate) fn edge() -> String {
    let image = env::var("PODLIKE_EDGE").unwrap_or_default();
    assert!(
        !image.is_empty(),
        "PODLIKE_EDGE is not set, it names the image of the edge flavour: run `make test`, \
         or `make image FLAVOUR=edge IMAGE=podlike:edge` and set PODLIKE_EDGE=podlike:edge"
    );
    image
}

/// Where the engine under test is.
pub(crate) fn host() -> String {
    let set = |key| env::var(key).ok().filter(|host| !host.is_empty());
    set("PODLIKE_ENGINE").or_else(|| set("DOCKER_HOST")).unwrap_or_else(|| format!("unix://{SOCKET}"))
}

/// The `docker` command with an empty environment but for what it needs.
fn docker_command() -> Launch {
    let value = |key| env::var(key).unwrap_or_default();
    Launch::new("docker", &host(), "").env("PATH", &value("PATH")).env("HOME", &value("HOME"))
}

/// What a `docker` command printed, and its exit code.
pub(crate) fn try_docker(words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new("docker");
    let command = command.args(words).env("DOCKER_HOST", host()).stdin(Stdio::null());
    let output = command.output().expect("there is a docker command");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim_end().to_owned();
    (output.status.code(), text)
}

/// What a `docker` command that must succeed printed.
#[track_caller]
pub(crate) fn docker(words: &[&str]) -> String {
    let (code, text) = try_docker(words);
    assert_eq!(code, Some(0), "docker {}: {text}", words.join(" "));
    text
}

/// What the engine says of a container.
#[track_caller]
pub(crate) fn inspect(container: &str) -> Value {
    let text = docker(&["inspect", "--type=container", container]);
    let mut found: Value = serde_json::from_str(&text).expect("JSON");
    found[0].take()
}

/// What a shell in a container prints.
#[track_caller]
pub(crate) fn exec(container: &str, script: &str) -> String {
    docker(&["exec", container, "sh", "-c", script])
}

/// Looks again and again until it is so: for what no stream tells of.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "not so after {LONG:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A volume of the driver `local`. Dropped, it is removed.
pub(crate) struct Volume(pub(crate) String);

impl Volume {
    /// With options of a mount, such as `type=tmpfs`.
    pub(crate) fn new(options: &[&str]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("podlike-test-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let options = options.iter().flat_map(|option| ["--opt", option]);
        docker(&["volume", "create"].into_iter().chain(options).chain([name.as_str()]).collect::<Vec<_>>());
        Self(name)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        try_docker(&["volume", "rm", "--force", &self.0]);
    }
}

/// A registry that takes connections and never answers. Tells when there is one.
pub(crate) fn silent_registry() -> (String, impl FnOnce()) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let (asked, tell) = crossbeam_channel::unbounded();
    thread::spawn(move || {
        let mut open: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            open.push(stream);
            let _ = asked.send(());
        }
    });
    (address, move || {
        tell.recv_timeout(LONG).expect("the engine asks");
    })
}

/// A controller about to be created.
pub(crate) struct Pod {
    name: String,
    image: Option<String>,
    options: Vec<String>,
    flags: Vec<String>,
}

impl Pod {
    /// With the engine's socket, and no components.
    pub(crate) fn new() -> Self {
        Self::without_socket().mount(Path::new(SOCKET), SOCKET)
    }

    pub(crate) fn without_socket() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let run = process::id();
        Self {
            name: format!("pod-{run}-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
            image: None,
            options: Vec::new(),
            flags: Vec::new(),
        }
        .label("podlike-test", run)
    }

    /// Another name for the controller, which must be nobody's.
    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Another image than the one under test.
    pub(crate) fn image(mut self, image: &str) -> Self {
        self.image = Some(image.to_owned());
        self
    }

    /// The container that a component will be.
    pub(crate) fn of(&self, component: &str) -> String {
        format!("{}.podlike.{component}", self.name)
    }

    /// Options of `docker run`.
    pub(crate) fn options(mut self, words: &str) -> Self {
        self.options.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    pub(crate) fn label(mut self, key: &str, value: impl Display) -> Self {
        self.options.extend(["--label".to_owned(), format!("{key}={value}")]);
        self
    }

    pub(crate) fn component(self, name: &str, text: impl Display) -> Self {
        self.label(&format!("pod.component.{name}"), text)
    }

    pub(crate) fn init(self, components: &[Value]) -> Self {
        self.label("pod.init.components", json!(components))
    }

    pub(crate) fn mount(mut self, source: &Path, target: &str) -> Self {
        let volume = format!("{}:{target}", source.display());
        self.options.extend(["--volume".to_owned(), volume]);
        self
    }

    /// Flags of podlike.
    pub(crate) fn flags(mut self, words: &str) -> Self {
        self.flags.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    /// Creates the controller, to be started.
    pub(crate) fn create(self) -> Created {
        let image = self.image.clone().unwrap_or_else(image);
        let mut words = vec!["create", "--pull=never", "--name", &self.name];
        words.extend(self.options.iter().map(String::as_str));
        words.push(&image);
        words.extend(self.flags.iter().map(String::as_str));
        let said = docker(&words);
        // Beside warnings of the engine.
        let is_id = |line: &&str| line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = said.lines().find(is_id).unwrap_or_default().to_owned();
        Created { name: self.name, id }
    }

    pub(crate) fn run(self) -> Running {
        self.create().start()
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        self.run().end()
    }
}

/// A controller that has been created. Dropped, it and its components are removed.
pub(crate) struct Created {
    pub(crate) name: String,
    pub(crate) id: String,
}

impl Created {
    pub(crate) fn start(self) -> Running {
        let process = docker_command().args(&["start", "--attach", &self.name]).start();
        Running { process, container: self }
    }

    /// The container of a component.
    pub(crate) fn of(&self, component: &str) -> String {
        format!("{}.podlike.{component}", self.name)
    }

    /// The volumes that go with the pod.
    pub(crate) fn volumes(&self) -> Vec<String> {
        let filter = format!("label={OWNER}={}", self.id);
        let (_, names) = try_docker(&["volume", "ls", "--quiet", "--filter", &filter]);
        names.lines().map(str::to_owned).collect()
    }

    /// The containers of the components, whether they run or not.
    pub(crate) fn components(&self) -> Vec<String> {
        let filter = format!("label={OWNER}={}", self.id);
        let format = "{{.ID}} {{.Names}} {{.Status}}";
        let text = docker(&["ps", "--all", "--filter", &filter, "--format", format]);
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        let (removed, _) = try_docker(&["rm", "--force", "--volumes", &self.name]);
        let filter = format!("label={OWNER}={}", self.id);
        let (_, left) = try_docker(&["ps", "--all", "--quiet", "--filter", &filter]);
        for id in left.lines() {
            try_docker(&["rm", "--force", "--volumes", id]);
        }
        if removed != Some(0) {
            // Podman removes nothing that others have joined.
            try_docker(&["rm", "--force", "--volumes", &self.name]);
        }
        for volume in self.volumes() {
            try_docker(&["volume", "rm", "--force", &volume]);
        }
    }
}

/// A pod that runs.
pub(crate) struct Running {
    process: Controller,
    pub(crate) container: Created,
}

impl Running {
    pub(crate) fn name(&self) -> &str {
        &self.container.name
    }

    /// The container of a component.
    pub(crate) fn of(&self, component: &str) -> String {
        self.container.of(component)
    }

    /// What it writes, as it comes.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        self.process.until_stdout_contains(text, LONG);
        self
    }

    /// What podlike and the stderr of the components say, as it comes.
    #[track_caller]
    pub(crate) fn tells(&self, text: &str) -> &Self {
        self.process.until_stderr_contains(text, LONG);
        self
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) -> &Self {
        docker(&["kill", "--signal", signal, self.name()]);
        self
    }

    /// The end of the controller, whatever it left.
    #[track_caller]
    pub(crate) fn wait(&self) -> Ended {
        let ended = self.process.wait(LONG);
        let code = inspect(self.name())["State"]["ExitCode"].as_i64();
        let code = code.and_then(|code| i32::try_from(code).ok());
        Ended { code, ..ended }
    }

    /// Its end, which must leave nothing.
    #[track_caller]
    pub(crate) fn end(&self) -> Ended {
        let ended = self.wait();
        let left = self.container.components();
        assert!(left.is_empty(), "left behind: {left:?}\n{}", ended.err());
        let left = self.container.volumes();
        assert!(left.is_empty(), "left behind: {left:?}\n{}", ended.err());
        ended
    }

    /// Ends it by a signal, in time and without a trace.
    #[track_caller]
    pub(crate) fn stop(&self) -> Ended {
        let ended = self.signal("TERM").end();
        assert_eq!(ended.code, Some(0), "{}", ended.err());
        ended
    }

    /// The same controller once more, after its end.
    pub(crate) fn again(self) -> Running {
        self.container.start()
    }

    /// Which of its namespaces the controller or a component is in.
    #[track_caller]
    pub(crate) fn namespace(&self, component: Option<&str>, kind: &str) -> String {
        let container = component.map_or(self.name().to_owned(), |name| self.of(name));
        let pid = inspect(&container)["State"]["Pid"].clone();
        let link = fs::read_link(format!("/proc/{pid}/ns/{kind}"));
        link.expect("the engine runs here, and so do we as root").display().to_string()
    }
}

/// What happens to containers from now on.
pub(crate) struct Events(BufReader<UnixStream>);

impl Events {
    pub(crate) fn subscribe() -> Self {
        let host = host();
        let path = host.strip_prefix("unix://").expect("an engine at a socket");
        let mut stream = UnixStream::connect(path).expect("the engine's socket");
        stream.set_read_timeout(Some(LONG)).expect("a timeout");
        // HTTP/1.0: an event a line, and no chunks.
        let filters = "%7B%22type%22:%5B%22container%22%5D%7D";
        write!(stream, "GET /events?filters={filters} HTTP/1.0\r\n\r\n").expect("sent");
        let mut events = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            let length = events.read_line(&mut line).expect("a head");
            assert!(length > 0, "the head ends early");
        }
        Self(events)
    }

    /// What happened to a pod until its controller died: `start app` for a component, `start` for the controller.
    pub(crate) fn of(self, pod: &Running) -> Vec<String> {
        let id = pod.container.id.as_str();
        let mut history = Vec::new();
        for line in self.0.lines() {
            let event: Value = serde_json::from_str(&line.expect("an event")).expect("JSON");
            let action = event["Action"].as_str().expect("an action").to_owned();
            let of = &event["Actor"]["Attributes"];
            if event["Actor"]["ID"] == id {
                history.push(action);
                if history.last().is_some_and(|action| action == "die") {
                    break;
                }
            } else if of[OWNER] == id {
                let component = of["podlike.component"].as_str();
                history.push(format!("{action} {}", component.unwrap_or("nobody")));
            }
        }
        history
    }
}

/// The place of the first of them in a history.
#[track_caller]
pub(crate) fn place(history: &[String], what: &str) -> usize {
    let place = history.iter().position(|happened| happened == what);
    assert!(place.is_some(), "no '{what}' in {history:?}");
    place.unwrap_or_default()
}
