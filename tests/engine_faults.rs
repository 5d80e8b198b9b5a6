//! What befalls a whole engine: it is stopped, killed and comes back, with live-restore and without; its socket is another
//! one then; its disk is full. On throw-away engines within `.ci/engines.sh`'s own, so that they can be ended.
//!
//! ```text
//!   engines.sh up docker-v2 ─▶ Host ── exec dockerd … ─▶ Engine, one a case ── docker, by its socket ─▶ pods
//! ```
//!
//! A controller that mounts the engine's socket as a file keeps the old one when the engine makes a new one, and must be
//! started again; one that mounts its folder does not notice.

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::controller::{Ended, Launch};
use support::matrix::{Case, Promise, Verdict, hold};
use support::real_engine::{BUSYBOX, CHECKED, OWNER, image};
use tempfile::TempDir;

/// Longer than anything takes here, on a busy machine too.
const LONG: Duration = Duration::from_secs(90);
/// In which an engine that has come back has ended what it shall not let run on.
const AT_LAST: Duration = Duration::from_secs(30);

/// Where the engines of the cases run. Dropped, all of them end.
struct Host {
    folder: TempDir,
}

impl Host {
    const NAME: &str = "docker-v2";

    fn up() -> Self {
        let host = Self { folder: tempfile::tempdir().expect("a folder") };
        host.script(&["up", Self::NAME]);
        host
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/engines.sh"));
        command.args(words).env("PODLIKE_ENGINES", self.folder.path()).stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn script(&self, words: &[&str]) -> String {
        let output = self.command(words).output().expect("the script is there");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "engines.sh {words:?}: {text}");
        text
    }

    /// Runs a shell script where the engines run.
    #[track_caller]
    fn sh(&self, script: &str) -> String {
        self.script(&["exec", Self::NAME, "sh", "-c", script])
    }

    /// Where `/run` of the engines is.
    fn run(&self) -> PathBuf {
        self.folder.path().join(Self::NAME).join("run")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.command(&["down", Self::NAME]).output();
    }
}

/// An engine of its own, that can be ended and brought back.
struct Engine<'a> {
    host: &'a Host,
    name: &'static str,
    live_restore: bool,
    process: Option<Child>,
}

impl<'a> Engine<'a> {
    /// `name` is that of its folders; its data may be no more than so many megabytes.
    fn up(host: &'a Host, name: &'static str, live_restore: bool, disk: Option<u32>) -> Self {
        let data = format!("/var/lib/containers/{name}");
        host.sh(&format!("mkdir -p {data} /run/{name}"));
        if let Some(megabytes) = disk {
            host.sh(&format!("mount -t tmpfs -o size={megabytes}m tmpfs {data}"));
        }
        let mut engine = Self { host, name, live_restore, process: None };
        engine.start();
        let images = Command::new("docker").args(["save", BUSYBOX, CHECKED, &image()]).stdout(Stdio::piped()).spawn();
        let mut images = images.expect("a docker command");
        let load = engine.docker_command(&["load", "--quiet"]).stdin(images.stdout.take().expect("piped")).output();
        assert!(load.expect("a docker command").status.success() && images.wait().expect("a child").success());
        engine
    }

    /// Starts it, once more if it was ended, and waits until it answers.
    fn start(&mut self) {
        let name = self.name;
        let (data, run) = (format!("--data-root=/var/lib/containers/{name}"), format!("/run/{name}"));
        let (exec, pid) = (format!("--exec-root={run}/exec"), format!("--pidfile={run}/docker.pid"));
        let socket = format!("--host=unix://{run}/docker.sock");
        let mut words = vec!["exec", Host::NAME, "dockerd", &data, &exec, &pid, &socket];
        words.extend(["--bridge=none", "--iptables=false"]);
        if self.live_restore {
            words.push("--live-restore");
        }
        let log = File::create(self.host.folder.path().join(format!("{name}.log"))).expect("a file");
        let process = self.host.command(&words).stdout(log.try_clone().expect("a file")).stderr(log).spawn();
        self.process = Some(process.expect("the script is there"));
        let answers = || self.try_docker(&["version"]).0 == Some(0);
        assert!(comes(LONG, answers), "{name} does not answer: {}", self.log());
    }

    /// Ends it by a signal, and waits until it has ended.
    fn end(&mut self, signal: &str) {
        self.host.sh(&format!("kill -{signal} $(cat /run/{}/docker.pid)", self.name));
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.host.folder.path().join(format!("{}.log", self.name))).unwrap_or_default()
    }

    fn address(&self) -> String {
        format!("unix://{}", self.host.run().join(self.name).join("docker.sock").display())
    }

    fn docker_command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(words).env("DOCKER_HOST", self.address()).stdin(Stdio::null());
        command
    }

    fn try_docker(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.docker_command(words).output().expect("a docker command");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim_end().to_owned();
        (output.status.code(), text)
    }

    #[track_caller]
    fn docker(&self, words: &[&str]) -> String {
        let (code, text) = self.try_docker(words);
        assert_eq!(code, Some(0), "docker {words:?}: {text}");
        text
    }

    /// Makes a controller `pod`, with the engine's socket as a file or with its folder.
    fn create(&self, by_folder: bool, options: &[&str], flags: &[&str]) {
        let run = format!("/run/{}", self.name);
        let mount =
            if by_folder { format!("{run}:/engine") } else { format!("{run}/docker.sock:/var/run/docker.sock") };
        let address = if by_folder { "unix:///engine/docker.sock" } else { "unix:///var/run/docker.sock" };
        let (host, image) = (format!("DOCKER_HOST={address}"), image());
        let words = ["create", "--pull=never", "--name=pod", "--network=none", "--volume", &mount, "--env", &host];
        self.docker(&[&words[..], options, &[&image], flags].concat());
    }

    /// Runs `pod` to its end, watched from outside of the engine's disk.
    fn watch(&self) -> Ended {
        let path = std::env::var("PATH").unwrap_or_default();
        let docker = Launch::new("docker", &self.address(), "").env("PATH", &path).env("HOME", "/root");
        docker.args(&["start", "--attach", "pod"]).start().wait(LONG)
    }

    fn state(&self, container: &str, key: &str) -> String {
        self.try_docker(&["inspect", "--format", &format!("{{{{.State.{key}}}}}"), container]).1
    }

    fn runs(&self, container: &str) -> bool {
        self.state(container, "Running") == "true"
    }

    /// The components that there are, or that run.
    fn components(&self, all: &str) -> Vec<String> {
        let words = ["ps", all, "--filter", &format!("label={OWNER}"), "--format", "{{.Names}} ({{.Status}})"];
        self.docker(&words).lines().map(str::to_owned).collect()
    }

    fn left(&self) -> Vec<String> {
        let volumes = self.docker(&["volume", "ls", "--quiet", "--filter", &format!("label={OWNER}")]);
        self.components("--all=true").into_iter().chain(volumes.lines().map(str::to_owned)).collect()
    }

    /// Starts `pod` once more, ends it, and looks what is left.
    fn next_start(&self, verdict: &mut Verdict) {
        self.docker(&["start", "pod"]);
        let up = comes(LONG, || ["app", "db"].iter().all(|name| self.runs(&format!("pod.podlike.{name}"))));
        verdict.holds(Promise::Clean, up, || format!("the next start does not come up: {}", self.said()));
        self.docker(&["stop", "--time=40", "pod"]);
        let code = self.state("pod", "ExitCode");
        verdict.holds(Promise::Code, code == "0", || format!("the next start ended with {code}: {}", self.said()));
        // What the engine itself removes as it comes back it may be about to.
        let clean = comes(AT_LAST, || self.left().is_empty());
        verdict.holds(Promise::Clean, clean, || format!("{:?} after the next start: {}", self.left(), self.said()));
    }

    fn said(&self) -> String {
        self.try_docker(&["logs", "pod"]).1
    }
}

impl Drop for Engine<'_> {
    fn drop(&mut self) {
        if self.process.is_some() {
            let _ = self.try_docker(&["rm", "--force", "pod"]);
            self.end("TERM");
        }
    }
}

fn comes(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !is_so() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(100));
    }
    true
}

const STAYS: &str =
    "{image: podlike-test/busybox, command: tail -f /dev/null, stop_grace_period: 1s, volumes: ['disk:/disk']}";

/// A pod that runs while its engine ends, by this signal, and comes back.
fn survive(engine: &mut Engine<'_>, by_folder: bool, signal: &str, verdict: &mut Verdict) {
    let (app, db) = (format!("pod.component.app={STAYS}"), format!("pod.component.db={STAYS}"));
    engine.create(by_folder, &["--label", &app, "--label", &db, "--label", "pod.volume.disk="], &[]);
    engine.docker(&["start", "pod"]);
    let up = comes(LONG, || ["app", "db"].iter().all(|name| engine.runs(&format!("pod.podlike.{name}"))));
    assert!(up, "it does not come up: {}", engine.said());
    let begun = Instant::now();
    engine.end(signal);
    let took = begun.elapsed();
    verdict.holds(Promise::Bounded, took < Duration::from_secs(25), || format!("the engine took {took:?} to end"));
    thread::sleep(Duration::from_secs(1));
    engine.start();
    if engine.live_restore {
        live_on(engine, by_folder, verdict);
    } else {
        let gone = comes(AT_LAST, || engine.components("--all=false").is_empty() && !engine.runs("pod"));
        verdict.holds(Promise::Bounded, gone, || format!("these run on: {:?}", engine.components("--all=false")));
        // By the engine's TERM, or by the KILL that it sends where the engine is not there to stop the components.
        let code = engine.state("pod", "ExitCode");
        let right = ["0", "137", "143"].contains(&code.as_str());
        verdict.holds(Promise::Code, right, || format!("it ended with {code}: {}", engine.said()));
    }
    let said = engine.said();
    let told = engine.live_restore || said.contains("out of sight") || said.contains("got SIGTERM") || signal == "KILL";
    verdict.holds(Promise::Told, told, || said.clone());
    engine.next_start(verdict);
}

/// The pod runs on as its engine comes back, and can be ended.
fn live_on(engine: &Engine<'_>, by_folder: bool, verdict: &mut Verdict) {
    // A moment for what it tries again.
    thread::sleep(Duration::from_secs(6));
    let runs = ["pod", "pod.podlike.app", "pod.podlike.db"].iter().all(|name| engine.runs(name));
    verdict.holds(Promise::Code, runs, || format!("it has not lived on: {}", engine.said()));
    let begun = Instant::now();
    engine.docker(&["stop", "--time=60", "pod"]);
    let (took, code, said) = (begun.elapsed(), engine.state("pod", "ExitCode"), engine.said());
    // Through an old socket nobody is stopped in an orderly way.
    let wanted = if by_folder { "0" } else { "143" };
    verdict.holds(Promise::Code, code == wanted, || format!("ended with {code}, not {wanted}: {said}"));
    let limit = if by_folder { 15 } else { 45 };
    verdict.holds(Promise::Bounded, took < Duration::from_secs(limit), || format!("it took {took:?} to stop: {said}"));
    verdict.holds(Promise::Told, said.contains("trying again"), || said.clone());
    let left = engine.left();
    verdict.holds(Promise::Clean, !by_folder || left.is_empty(), || format!("{left:?}: {said}"));
    verdict
        .holds(Promise::Told, left.is_empty() || said.contains("may be left behind"), || format!("{left:?}: {said}"));
    let running = engine.components("--all=false");
    verdict.holds(Promise::Bounded, running.is_empty(), || format!("{running:?} run on: {said}"));
}

/// A pod whose engine runs out of disk in the middle of its start.
fn run_out(engine: &Engine<'_>, what: Full, verdict: &mut Verdict) {
    let folder = engine.host.run().join(engine.name).join("files");
    fs::create_dir_all(&folder).expect("a folder");
    let mount = format!("/run/{}/files:/files", engine.name);
    let mut options = vec!["--volume".to_owned(), mount];
    let mut label = |key: &str, value: &str| options.extend(["--label".to_owned(), format!("{key}={value}")]);
    let mut flags: &[&str] = &[];
    match what {
        Full::Create => {
            let fills = "dd if=/dev/zero of=/fill bs=1M; touch /full; exec tail -f /dev/null";
            let filler = serde_json::json!({"image": BUSYBOX, "command": ["sh", "-c", fills], "stop_grace_period": "1s",
                "healthcheck": {"test": ["CMD", "test", "-e", "/full"], "interval": "1s", "retries": 60}});
            label("pod.component.filler", &filler.to_string());
            let app = "{image: podlike-test/busybox, depends_on: {filler: {condition: service_healthy}}}";
            label("pod.component.app", app);
        }
        Full::Copy => {
            File::create(folder.join("large")).and_then(|file| file.set_len(200 << 20)).expect("a file");
            label("pod.component.app", STAYS);
            label("pod.copy.app", "/files/large:/large");
            label("pod.volume.disk", "");
        }
        Full::Load => {
            save_large(&folder, engine.name);
            label("pod.component.app", &format!("{{image: podlike-test/large-{}, pull_policy: never}}", engine.name));
            flags = &["-images", "/files"];
        }
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    engine.create(false, &options, flags);
    let ended = engine.watch();
    let (code, said) = (engine.state("pod", "ExitCode"), ended.err());
    verdict.holds(Promise::Code, code == "125", || format!("ended with {code}, not 125: {said}"));
    verdict.holds(Promise::Told, said.contains("no space left on device"), || said.clone());
    verdict
        .holds(Promise::Bounded, ended.took < Duration::from_mins(1), || format!("it took {:?}: {said}", ended.took));
    let left = engine.left();
    verdict.holds(Promise::Clean, left.is_empty(), || format!("{left:?}: {said}"));
}

/// What there is no room for.
#[derive(Clone, Copy)]
enum Full {
    Create,
    Copy,
    Load,
}

/// Makes an archive of an image that is larger than the engine's disk; the image does not stay.
fn save_large(folder: &Path, name: &str) {
    let context = tempfile::tempdir().expect("a folder");
    File::create(context.path().join("large")).and_then(|file| file.set_len(200 << 20)).expect("a file");
    fs::write(context.path().join("Dockerfile"), "FROM scratch\nCOPY large /large\n").expect("a file");
    let image = format!("podlike-test/large-{name}");
    let docker = |words: &[&str]| {
        let done = Command::new("docker").args(words).env("DOCKER_BUILDKIT", "0").output().expect("a docker command");
        assert!(done.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    docker(&["build", "--quiet", "--tag", &image, &context.path().display().to_string()]);
    docker(&["save", "--output", &folder.join("large.tar").display().to_string(), &image]);
    docker(&["image", "rm", &image]);
}

/// An engine's end: its name, live-restore, whether the controller has the folder of the socket, the signal.
const ENDS: [(&str, bool, bool, &str); 6] = [
    ("stopped", false, false, "TERM"),
    ("killed", false, false, "KILL"),
    ("stopped-live", true, true, "TERM"),
    ("killed-live", true, true, "KILL"),
    ("stopped-live-file", true, false, "TERM"),
    ("killed-live-file", true, false, "KILL"),
];

#[test]
fn whatever_befalls_the_engine_the_pod_ends_or_lives_on_and_its_next_start_leaves_nothing() {
    let host = Host::up();
    let mut cases = Vec::new();
    for (name, live_restore, by_folder, signal) in ENDS {
        let host = &host;
        cases.push(Case {
            row: format!(
                "{}, {}",
                if live_restore { "live-restore" } else { "plain" },
                if by_folder { "its folder" } else { "its socket" }
            ),
            name: name.to_owned(),
            waits: false,
            run: Box::new(move |verdict| {
                survive(&mut Engine::up(host, name, live_restore, None), by_folder, signal, verdict);
            }),
        });
    }
    for (name, what) in [("full-create", Full::Create), ("full-copy", Full::Copy), ("full-load", Full::Load)] {
        let host = &host;
        cases.push(Case {
            row: "a full disk".to_owned(),
            name: name.to_owned(),
            waits: false,
            run: Box::new(move |verdict| run_out(&Engine::up(host, name, false, Some(100)), what, verdict)),
        });
    }
    hold("faults of the engine", cases, 3);
}
