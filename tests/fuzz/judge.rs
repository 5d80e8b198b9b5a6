//! The rules for any text: no panic, no long time, every error has a place in the text that it is about, and nothing
//! shows a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use podlike::compose::Place;
use podlike::engine::capabilities::{Capabilities, Product};
use podlike::engine::types::{HostConfig, Mount};
use podlike::pod::{self, Controller, Error, Options, Placement, Plan, PodSpec, Surroundings, Warning};
use podlike::report;
use serde_json::Value;

use super::corpus::{SECRET, World};
use super::watch::Watch;

/// For all texts of a mutant together, which are shorter than [`super::mutator::LONGEST`], without optimization.
const LONGEST: Duration = Duration::from_secs(5);

/// What became of the mutants.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) mutants: u64,
    /// Those that got as far as `plan`.
    pub(crate) planned: u64,
    refused: u64,
    warned: u64,
    slowest: (Duration, u64),
    /// Messages without what is different in each.
    errors: BTreeMap<String, u64>,
    warnings: BTreeSet<String>,
    /// The paths of what plans say.
    fields: BTreeSet<String>,
}

impl Tally {
    pub(crate) fn figures(&self, took: Duration) -> String {
        let mut text = String::new();
        let each = |many: u64| many * 100 / self.mutants.max(1);
        let rate = u128::from(self.mutants) * 1000 / took.as_millis().max(1);
        let mut line = |what: &str, many: &dyn std::fmt::Display| writeln!(text, "{what}: {many}").expect("a text");
        line("mutants", &format!("{} in {} s, {rate} a second", self.mutants, took.as_secs()));
        line("planned", &format!("{} ({} %)", self.planned, each(self.planned)));
        line("refused", &format!("{} ({} %)", self.refused, each(self.refused)));
        line("with warnings", &format!("{} ({} %)", self.warned, each(self.warned)));
        line("kinds of errors", &self.errors.len());
        line("kinds of warnings", &self.warnings.len());
        line("fields of plans", &self.fields.len());
        line("slowest", &format!("{} ms of CPU, seed {}", self.slowest.0.as_millis(), self.slowest.1));
        if std::env::var_os("FUZZ_KINDS").is_some() {
            for (error, many) in &self.errors {
                line("error", &format!("{many} {error}"));
            }
            for warning in &self.warnings {
                line("warning", warning);
            }
            for field in &self.fields {
                line("field", field);
            }
        }
        text
    }
}

pub(crate) struct Judge {
    root: tempfile::TempDir,
    /// The files of the mutant before.
    written: Vec<PathBuf>,
    controllers: Vec<(Controller, Options)>,
    watch: Watch,
}

impl Judge {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        Self { root, written: Vec::new(), controllers: controllers(), watch: Watch::new() }
    }

    /// Tries a mutant. What is returned is the rule that it broke.
    pub(crate) fn judge(&mut self, world: &World, seed: u64, tally: &mut Tally) -> Result<(), String> {
        self.write(world);
        let took = self.watch.attempt(|| self.read(world, seed, tally))?;
        tally.mutants += 1;
        tally.slowest = tally.slowest.max((took, seed));
        if took > LONGEST {
            return Err(format!("it took {} ms of CPU for {} bytes", took.as_millis(), world.size()));
        }
        Ok(())
    }

    fn write(&mut self, world: &World) {
        for path in self.written.drain(..) {
            fs::remove_file(path).expect("a file that was written");
        }
        for (path, text) in &world.files {
            let path = self.root.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            fs::write(&path, text).expect("a file");
            self.written.push(path);
        }
    }

    fn read(&self, world: &World, seed: u64, tally: &mut Tally) -> Result<(), String> {
        let surroundings = Surroundings {
            root: self.root.path().to_owned(),
            env: [("HOME", "/home"), ("TOKEN", SECRET), ("NAME", "me")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            profiles: world.profiles.clone(),
            ..Surroundings::default()
        };
        let specs = match &world.document {
            Some(text) => pod::pods_in(Path::new("document"), text, &surroundings)
                .map(|pods| pods.into_iter().map(|pod| pod.spec).take(3).collect()),
            None => PodSpec::from_labels(&world.labels, &surroundings).map(|spec| vec![spec]),
        };
        let specs = match specs {
            Ok(specs) => specs,
            Err(error) => {
                tally.refused += 1;
                return complaint(&error, world, tally);
            }
        };
        tally.planned += 1;
        let seed = usize::try_from(seed).expect("64 bits");
        let mut warned = false;
        for spec in &specs {
            for number in [seed, seed / self.controllers.len() + 1] {
                let (controller, options) = &self.controllers[number % self.controllers.len()];
                match pod::plan(spec, controller, &Placement::choose(controller, options.cgroup), *options) {
                    Ok((plan, warnings)) => {
                        warned |= !warnings.is_empty();
                        outcome(plan, &warnings, world, tally)?;
                    }
                    Err(error) => complaint(&error, world, tally)?,
                }
            }
        }
        tally.warned += u64::from(warned);
        Ok(())
    }
}

fn outcome(mut plan: Plan, warnings: &[Warning], world: &World, tally: &mut Tally) -> Result<(), String> {
    for warning in warnings {
        let text = warning.to_string();
        shows_no_secret(&text, world)?;
        let place = match warning {
            Warning::Ignored { place, .. } | Warning::IgnoredSection { place, .. } | Warning::Unset { place, .. } => {
                Some(place)
            }
            _ => None,
        };
        is_in_the_text(place, &text, world)?;
        tally.warnings.insert(kind(&text));
    }
    shows_no_secret(&plan.to_string(), world)?;
    let value = serde_json::to_value(&plan).map_err(|error| format!("the plan is no JSON: {error}"))?;
    fields(&value, &mut String::new(), &mut tally.fields);
    // The environment is what the engine is told.
    plan.components.iter_mut().for_each(|planned| planned.request.env.clear());
    shows_no_secret(&serde_json::to_string(&plan).map_err(|error| error.to_string())?, world)
}

fn complaint(error: &Error, world: &World, tally: &mut Tally) -> Result<(), String> {
    let text = report::chain(error);
    *tally.errors.entry(kind(&text)).or_default() += 1;
    shows_no_secret(&text, world)?;
    let place = match error {
        Error::Compose(error) => Some(&*error.place),
        Error::UnknownDependency { place, .. } | Error::TooOld { place, .. } => Some(&**place),
        _ => None,
    };
    is_in_the_text(place, &text, world)
}

fn shows_no_secret(text: &str, world: &World) -> Result<(), String> {
    if world.is_secret && text.contains(SECRET) {
        return Err(format!("it shows the secret: {text}"));
    }
    Ok(())
}

/// Whether a place is one, and in the text of its label or file.
fn is_in_the_text(place: Option<&Place>, message: &str, world: &World) -> Result<(), String> {
    let Some(place) = place else { return Ok(()) };
    let text = place.to_string();
    let label = text.strip_prefix("label '").and_then(|rest| rest.rsplit_once("', line ")).map(|(label, _)| label);
    let file = text.rsplitn(3, ':').nth(2);
    let source = match (label, file) {
        (Some(label), _) => world.labels.get(label),
        (None, Some(file)) => world.files.get(file),
        _ => None,
    };
    let is_one = place.line >= 1 && place.column >= 1;
    let is_inside = source.is_none_or(|source| {
        let source = source.replace("\r\n", "\n").replace('\r', "\n");
        let mut lines = source.split('\n');
        // The end of a text is a place too.
        // A block has the column of its letters also where its first lines are blank.
        let has = |line: &str| place.column <= line.chars().count() + 1 || line.trim().is_empty();
        lines.nth(place.line - 1).is_some_and(has)
    });
    if is_one && is_inside { Ok(()) } else { Err(format!("the place is not in the text: {message}")) }
}

/// A message without places, names and numbers.
fn kind(text: &str) -> String {
    let mut kind = String::new();
    let mut quoted = false;
    for word in text.split_inclusive('\'') {
        if !quoted {
            kind.extend(word.chars().filter(|c| !c.is_ascii_digit()));
        }
        quoted = !quoted;
    }
    // The path stands between the place and the words.
    let words: Vec<&str> = kind.split(": ").filter(|part| part.contains(' ') && !part.starts_with("label ")).collect();
    words.join(": ").chars().take(80).collect()
}

/// The paths of a value, those of lists and of names that are the user's folded.
fn fields(value: &Value, path: &mut String, found: &mut BTreeSet<String>) {
    let length = path.len();
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let ours = key.starts_with(|c: char| c.is_ascii_alphabetic())
                    && key.len() < 30
                    && !["Labels", "Annotations", "Tmpfs", "Sysctls", "Options", "Volumes", "Config", "StorageOpt"]
                        .iter()
                        .any(|of| path.ends_with(of));
                path.push('.');
                path.push_str(if ours { key } else { "*" });
                fields(value, path, found);
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            path.push_str("[]");
            for item in items {
                fields(item, path, found);
            }
            path.truncate(length);
        }
        _ => drop(found.insert(path.clone())),
    }
}

/// Controllers of every kind, each with flags.
fn controllers() -> Vec<(Controller, Options)> {
    let own = |text: &str| text.to_owned();
    let mount = |kind: &str, name: &str, destination: &str| Mount {
        kind: own(kind),
        name: own(name),
        source: format!("/host{destination}"),
        destination: own(destination),
        writable: true,
        mode: own("z"),
        propagation: own("rshared"),
    };
    let base = |api: &str, ipc: &str| Controller {
        id: own("c0ffee"),
        name: own("web"),
        host: HostConfig { ipc_mode: own(ipc), ..HostConfig::default() },
        image: own("podlike"),
        program: "/podlike".into(),
        engine: Capabilities { newest: api.parse().expect("a version"), ..Capabilities::default() },
        ..Controller::default()
    };
    let mut nested = base("1.45", "shareable");
    nested.cgroup = Some("/docker/c0ffee".into());
    let mut limited = base("1.60", "private");
    limited.host = HostConfig {
        ipc_mode: own("private"),
        memory: 64 << 20,
        memory_swap: 128 << 20,
        nano_cpus: 500_000_000,
        pids_limit: Some(100),
        oom_score_adj: 1000,
        cpuset_cpus: own("0"),
        ..HostConfig::default()
    };
    limited.mounts = vec![
        mount("volume", "shop_data", "/srv"),
        mount("bind", "", "/run/docker.sock"),
        mount("tmpfs", "", "/tmp"),
        mount("bind", "", "/data"),
    ];
    limited.volume_refs = [(own("data"), own("referred"))].into();
    limited.ways_to_socket = vec!["/run/docker.sock".into()];
    limited.labels = [(own("com.docker.stack.namespace"), own("shop"))].into();
    let mut old = base("1.40", "host");
    old.host.privileged = true;
    old.host.memory = i64::MAX;
    old.host.memory_swap = -1;
    old.host.cpu_quota = i64::MAX;
    old.engine.product = Product::Podman;
    let mut tight = base("1.60", "none");
    tight.cgroup = Some("/docker/c0ffee".into());
    tight.host.memory = 1;
    tight.host.memory_swap = 1;
    tight.host.oom_score_adj = -1000;
    let flags = |volumes, shared| Options { volumes, pids: shared, ipc: shared, ..Options::default() };
    vec![
        (nested, flags(false, true)),
        (limited, flags(true, true)),
        (old, flags(true, true)),
        (tight, flags(false, false)),
    ]
}
