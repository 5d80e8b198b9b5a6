//! The pods of the matrix: each is a row's worth of calls. To try more calls, add a scenario that makes them.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::support::archives::{file, saved};
use crate::support::cases::LIMIT;
use crate::support::controller::{Controller, Launch};
use crate::support::fake_engine::{FakeEngine, Pull, Script};
use crate::support::pod::{PODLIKE, scratch};

/// A pod of `web` and `aux`, and more.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) flags: &'static [&'static str],
    /// What it has besides [`Stage::of`]'s; the folder is for its files.
    prepare: fn(&FakeEngine, &Path),
    /// Who is told to be started, as podlike names them.
    starts: &'static [&'static str],
}

const WEB: &str = "{image: demo, stop_grace_period: 1s}";
const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml:/etc/conf");

/// The labels of both.
fn labelled<'a>(engine: &'a FakeEngine, web: &str) -> &'a FakeEngine {
    engine.label("pod.component.web", web).label("pod.component.aux", "{image: other, stop_grace_period: 1s}")
}

/// All of them. A call is tried in the first one that makes it, and in `make faults` in all.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "plain, a copy, a leftover",
        flags: &[],
        prepare: |engine, _| {
            labelled(engine, WEB).image("demo").label("pod.copy.web", COPY);
            let label = json!({"Labels": {"podlike.controller.id": engine.controller_id()}});
            engine.leftover("pod.podlike.old", label);
        },
        starts: &["web", "aux"],
    },
    Scenario {
        name: "-logs, containers that stay",
        flags: &["-logs"],
        prepare: |engine, _| {
            labelled(engine, WEB).image("demo").info(&json!({"LiveRestoreEnabled": true}));
        },
        starts: &["web", "aux"],
    },
    Scenario {
        name: "secrets, volumes, a holder",
        flags: &[],
        prepare: |engine, folder| {
            let text = "
services:
  web: {image: demo, stop_grace_period: 1s, volumes: ['data:/data', 'state:/state'], secrets: [secret]}
  aux: {image: other, stop_grace_period: 1s}
secrets: {secret: {environment: SECRET}}
volumes: {state: {external: true, name: the-state}}
";
            let path = file(folder, "compose.yml", text.as_bytes()).display().to_string();
            engine
                .image("demo")
                .volume("the-state", "/state")
                .volume_of("pod.podlike-volume.old", "podlike.controller.id", &engine.controller_id())
                .label("pod.compose.file", &path)
                .label("pod.volume.data", "disk");
        },
        starts: &["web", "aux"],
    },
    Scenario {
        name: "an image that is pulled",
        flags: &[],
        prepare: |engine, _| {
            labelled(engine, WEB).pull("demo", Pull::Works(json!({})));
        },
        starts: &["web", "aux"],
    },
    Scenario {
        name: "an image from an archive",
        flags: &["-images", "FOLDER"],
        prepare: |engine, folder| {
            file(folder, "web.tar", &saved(&["x"]));
            labelled(engine, "{image: x, pull_policy: daily, stop_grace_period: 1s}").pull("x", Pull::Works(json!({})));
        },
        starts: &["web", "aux"],
    },
    Scenario {
        name: "a need for health",
        flags: &[],
        prepare: |engine, _| {
            labelled(engine, "{image: demo, stop_grace_period: 1s, healthcheck: {test: x}}")
                .image("demo")
                .script("web", Script::new().healthy_after(Duration::from_millis(50)).until_stopped())
                .label(
                    "pod.component.late",
                    "{image: demo, stop_grace_period: 1s, depends_on: {web: {condition: service_healthy}}}",
                );
        },
        starts: &["web", "aux", "late"],
    },
    Scenario {
        name: "an init component",
        flags: &[],
        prepare: |engine, _| {
            labelled(engine, WEB)
                .image("demo")
                .label("pod.init.components", "[{image: demo, stop_grace_period: 1s}]")
                .script("init-1", Script::new().exit(0));
        },
        starts: &["web", "aux"],
    },
    Scenario {
        name: "PIDs of their own",
        flags: &["-pids=false"],
        prepare: |engine, _| {
            labelled(engine, WEB).image("demo");
        },
        starts: &["web", "aux"],
    },
];

/// A scenario that can be played once.
pub(crate) struct Stage {
    pub(crate) engine: FakeEngine,
    scenario: &'static Scenario,
    folder: TempDir,
}

impl Stage {
    pub(crate) fn of(scenario: &'static Scenario) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = FakeEngine::new();
        engine
            .controller(&json!({"HostConfig": {"IpcMode": "shareable"}}))
            .image("other")
            .script("aux", Script::new().until_open("over").exit(7))
            .script("web", Script::new().write_out("web begins\n").until_stopped().write_out("web ends\n"));
        (scenario.prepare)(&engine, folder.path());
        Self { engine, scenario, folder }
    }

    pub(crate) fn start(&self) -> Controller {
        let folder = self.folder.path().display().to_string();
        let flags: Vec<&str> =
            self.scenario.flags.iter().map(|flag| if *flag == "FOLDER" { folder.as_str() } else { flag }).collect();
        Launch::of(PODLIKE, &self.engine).env("SECRET", "hunter2").args(&flags).start()
    }

    /// Whether all are started, as far as podlike says.
    pub(crate) fn has_started(&self, controller: &Controller) -> bool {
        let said = controller.stderr_so_far();
        self.scenario.starts.iter().all(|name| said.contains(&format!("{name}: started")))
    }

    pub(crate) fn until_started(&self, controller: &Controller) {
        for name in self.scenario.starts {
            controller.until_stderr_contains(&format!("{name}: started"), LIMIT);
        }
    }

    /// Makes the controller make the calls of a pod that runs.
    pub(crate) fn stir(&self, controller: &Controller) {
        controller.signal(Signal::SIGHUP);
        self.engine.cut_events().cut_waits().cut_attaches();
    }

    /// What is there of the pod, or of an earlier life.
    pub(crate) fn left(&self) -> Vec<String> {
        let containers = self.engine.containers();
        let names = containers.iter().map(|one| one.short_name().to_owned());
        names.chain(scratch(&self.engine)).collect()
    }

    /// A next start without faults, and its end.
    pub(crate) fn start_and_end_again(&self) {
        self.engine.clear_faults();
        let controller = self.start();
        let end = Instant::now() + Duration::from_secs(20);
        while !self.has_started(&controller) && !controller.has_ended() && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        controller.signal_if_running(Signal::SIGTERM);
        controller.wait(LIMIT);
    }

    /// What is wrong with what podlike wrote, if there is something: a secret in it, or a line that is lost without a word.
    pub(crate) fn fault_of_output(&self, out: &str, err: &str) -> Option<String> {
        if format!("{out}{err}").contains("hunter2") {
            return Some("the secret is told".to_owned());
        }
        let logs = self.scenario.flags.contains(&"-logs");
        let written = self.engine.container("web").map_or(0, |one| one.written);
        let passed: usize =
            out.lines().filter_map(|line| line.strip_prefix("[out] web: ")).map(|line| line.len() + 1).sum();
        // What is said of the log of another is no word for this one.
        let of_web = ["web: its log", "web: the stream of its log", "component 'web': lost its container"];
        let of_all = ["is not shown", "is lost", "could not be written"];
        let told = of_web.iter().chain(&of_all).any(|excuse| err.contains(excuse));
        (logs && written > passed && !told)
            .then(|| format!("{written} bytes were written, {passed} passed on, and nothing is told\n{out}"))
    }
}

/// The calls of a pod's phases, as they come without a fault.
pub(crate) struct Calls {
    pub(crate) start: Vec<String>,
    pub(crate) run: Vec<String>,
    pub(crate) stop: Vec<String>,
}

/// Plays the scenario without a fault.
pub(crate) fn rehearse(scenario: &'static Scenario) -> Calls {
    let stage = Stage::of(scenario);
    let controller = stage.start();
    stage.until_started(&controller);
    let start = settled(&stage.engine);
    stage.stir(&controller);
    // The first pause of a retry is 100 ms.
    stage.engine.until_seen("POST /containers/web/wait", 2, LIMIT);
    let run = settled(&stage.engine);
    controller.signal(Signal::SIGTERM);
    let ended = controller.wait(LIMIT);
    assert_eq!(ended.code, Some(0), "{}: {}", scenario.name, ended.err());
    assert_eq!(stage.left(), Vec::<String>::new(), "{}: {}", scenario.name, ended.err());
    assert_eq!(stage.fault_of_output(&ended.out(), &ended.err()), None, "{}", scenario.name);
    let all = stage.engine.calls();
    Calls { start: all[..start].to_vec(), run: all[start..run].to_vec(), stop: all[run..].to_vec() }
}

/// How many calls there are once no more come.
fn settled(engine: &FakeEngine) -> usize {
    let mut seen = engine.calls().len();
    loop {
        thread::sleep(Duration::from_millis(800));
        let now = engine.calls().len();
        if now == seen {
            return seen;
        }
        seen = now;
    }
}
