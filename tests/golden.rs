//! Walks `tests/golden/`: each case is a file, its result stands beside it. `UPDATE_GOLDEN=1` rewrites the results.
//!
//! `labels/NAME.yml` holds the labels of a controller, and what else the plan depends on where it matters:
//! `options` (the flags), `profiles`, `files` (of the controller, by path), `controller` (the container: `host`, `env`,
//! `labels`, `mounts`, `nested`, `ways_to_socket`, `socket` (where that comes from), `volume_refs`) and `engine` (its `GET /info`). Instead of `labels`, `document` is a text
//! for `podlike validate`. The result is `NAME.plan.json`, the plan with its warnings (of a stack of several pods: a list of
//! them, with their names), or `NAME.error`, the message.
//!
//! `mistakes.md` holds what people get wrong: under each heading a document and what podlike says of it.

#![allow(clippy::panic, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use podlike::engine::capabilities::{Capabilities, Product};
use podlike::engine::types::{ApiVersion, HostConfig, Info, Mount};
use podlike::pod::{
    self, Class, Controller, Door, KEYS, Options, Placement, Plan, PodSpec, Policy, Rights, Surroundings,
};
use podlike::report;
use serde::Deserialize;
use serde_yaml::Value;

const ID: &str = "c0ffee0000000000000000000000000000000000000000000000000000000000";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    document: Option<String>,
    #[serde(default)]
    options: BTreeMap<String, Value>,
    #[serde(default)]
    profiles: Vec<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    controller: Container,
    engine: Option<Engine>,
}

/// What an engine says of itself.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Engine {
    #[serde(flatten)]
    info: Info,
    #[serde(default)]
    api: ApiVersion,
    #[serde(default)]
    podman: bool,
}

impl Engine {
    fn capabilities(self) -> Capabilities {
        let api = if self.api == ApiVersion::default() { "1.45".parse().expect("a version") } else { self.api };
        let product = if self.podman { Product::Podman } else { Product::Docker };
        Capabilities::read(product, api, api, self.info)
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Container {
    host: HostConfig,
    env: Vec<String>,
    mounts: Vec<Mount>,
    labels: BTreeMap<String, String>,
    nested: bool,
    ways_to_socket: Vec<PathBuf>,
    socket: Option<String>,
    volume_refs: BTreeMap<String, String>,
}

impl Default for Container {
    fn default() -> Self {
        let host = HostConfig { ipc_mode: "shareable".to_owned(), ..HostConfig::default() };
        Self {
            host,
            env: Vec::new(),
            mounts: Vec::new(),
            labels: BTreeMap::new(),
            nested: true,
            ways_to_socket: Vec::new(),
            socket: None,
            volume_refs: BTreeMap::new(),
        }
    }
}

fn options(chosen: &BTreeMap<String, Value>) -> Options {
    let mut options = Options::default();
    let rights = |name| -> Vec<Rights> {
        let list = chosen.get(name).and_then(Value::as_str);
        list.map(|list| list.parse().expect("a list of rights")).into_iter().collect()
    };
    options.policy = Policy::of(&rights("deny"), &rights("allow"));
    for (name, value) in chosen {
        let on = || value.as_bool().expect("true or false");
        match name.as_str() {
            "pids" => options.pids = on(),
            "ipc" => options.ipc = on(),
            "volumes" => options.volumes = on(),
            "cgroup" => options.cgroup = value.as_str().expect("a word").parse().expect("a way to place cgroups"),
            "deny" | "allow" => {}
            other => panic!("no such option: {other}"),
        }
    }
    options
}

/// A pod of a case as it is planned.
struct Pod {
    /// Of a stack: the service that is its controller.
    name: Option<String>,
    plan: Plan,
    warnings: Vec<String>,
}

impl Pod {
    fn shown(&self) -> serde_json::Value {
        serde_json::json!({ "plan": self.plan, "warnings": self.warnings })
    }
}

/// The name of the result's file and its text.
fn result(case: Case) -> (&'static str, String) {
    let pods = match planned(case) {
        Ok(pods) => pods,
        Err(message) => return ("error", message + "\n"),
    };
    let all = if let [pod] = pods.as_slice() {
        pod.shown()
    } else {
        let named = |pod: &Pod| {
            let mut shown = pod.shown();
            shown["pod"] = pod.name.clone().into();
            shown
        };
        pods.iter().map(named).collect()
    };
    let text = serde_json::to_string_pretty(&all).expect("a plan has only text keys") + "\n";
    // The id and the version would drown the rest, and the version changes.
    let version = format!("\"podlike.version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    ("plan.json", text.replace(ID, "CONTROLLER").replace(&version, "\"podlike.version\": \"VERSION\""))
}

/// The pods of a case, or the message.
fn planned(case: Case) -> Result<Vec<Pod>, String> {
    let root = tempfile::tempdir().expect("a folder");
    for (path, text) in &case.files {
        let file = root.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
        fs::write(file, text).expect("a file");
    }
    let env = case.controller.env.iter().filter_map(|pair| pair.split_once('='));
    let surroundings = Surroundings {
        root: root.path().to_owned(),
        env: env.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        profiles: case.profiles.clone(),
        kept: &pod::METADATA,
        ..Surroundings::default()
    };
    let pods = match &case.document {
        None => PodSpec::from_labels(&case.labels, &surroundings).map(|spec| vec![pod::Pod { name: None, spec }]),
        Some(text) => pod::pods_in(Path::new("stack.yml"), text, &surroundings),
    };
    let pods = pods.map_err(|error| report::chain(&error))?;
    let chosen = options(&case.options);
    let controller = controller(case);
    let placement = Placement::choose(&controller, chosen.cgroup);
    let plan = |pod: pod::Pod| {
        let (plan, warnings) =
            pod::plan(&pod.spec, &controller, &placement, chosen).map_err(|error| report::chain(&error))?;
        Ok(Pod { name: pod.name, plan, warnings: warnings.iter().map(ToString::to_string).collect() })
    };
    pods.into_iter().map(plan).collect()
}

fn controller(case: Case) -> Controller {
    let docker = Info { server_version: "26.1.5".to_owned(), ..Info::default() };
    let engine = case.engine.unwrap_or_else(|| Engine { info: docker, ..Engine::default() });
    Controller {
        id: ID.to_owned(),
        name: "web".to_owned(),
        labels: case.labels.into_iter().chain(case.controller.labels).collect(),
        host: case.controller.host,
        mounts: case.controller.mounts,
        cgroup: case.controller.nested.then(|| format!("/docker/{ID}").into()),
        ways_to_socket: case.controller.ways_to_socket,
        door: case.controller.socket.map(door),
        instance: String::new(),
        owns_hosts: true,
        image: "podlike".to_owned(),
        program: "/podlike".into(),
        volume_refs: case.controller.volume_refs,
        has_volume_of_task: false,
        stop_timeout: None,
        engine: engine.capabilities(),
    }
}

/// A path of the host, or the name of a volume that has the socket.
fn door(source: String) -> Door {
    let is_path = source.starts_with('/');
    let (kind, below) = if is_path { ("bind", "") } else { ("volume", "docker.sock") };
    Door { kind: kind.to_owned(), source, below: below.into(), of_root: is_path }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

#[test]
fn labels_give_the_plan_or_the_message_that_stands_beside_them() {
    let folder = golden("labels");
    let mut files: BTreeSet<PathBuf> =
        fs::read_dir(&folder).expect("the cases").map(|entry| entry.expect("an entry").path()).collect();
    let cases: Vec<_> = files.iter().filter(|path| path.extension().is_some_and(|yml| yml == "yml")).cloned().collect();
    let count = cases.len();
    let mut wrong = Vec::new();
    for path in cases {
        files.remove(&path);
        let text = fs::read_to_string(&path).expect("a case");
        let case = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (kind, found) = result(case);
        let beside = path.with_extension(kind);
        if updating() {
            fs::write(&beside, &found).expect("a result");
        }
        files.remove(&beside);
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if expected != found {
            wrong.push(format!("{}:\nexpected {expected}\nfound {found}", beside.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 170, "only {count} cases were found");
    assert!(files.is_empty(), "results that no case gives: {files:?}");
}

/// The keys of a YAML text that is a mapping, with their values; none of any other text.
fn entries(text: &str) -> Vec<(String, Value)> {
    serde_yaml::from_str(text).map(pairs).unwrap_or_default()
}

fn pairs(value: Value) -> Vec<(String, Value)> {
    let Value::Mapping(entries) = value else { return Vec::new() };
    entries.into_iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value))).collect()
}

/// The mappings that are components in a label.
fn components_of_label(key: &str, text: &str) -> Vec<Value> {
    if key == "pod.init.components" {
        return serde_yaml::from_str(text).unwrap_or_default();
    }
    let is_component = ["pod.component.", "pod.container."].iter().any(|prefix| key.starts_with(prefix));
    is_component.then(|| serde_yaml::from_str(text).ok()).flatten().into_iter().collect()
}

/// The labels of a service, a mapping or a list.
fn labels_of(service: &Value) -> Vec<(String, String)> {
    let text = |value: Value| value.as_str().map(str::to_owned);
    match service.get("labels") {
        Some(Value::Sequence(items)) => items
            .iter()
            .filter_map(|item| item.as_str()?.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        labels => {
            let labels = labels.cloned().map(pairs).unwrap_or_default();
            labels.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect()
        }
    }
}

/// The mappings that are components in a file or a document: what labels hold, there or of its services, else the services.
fn components_of_text(text: &str) -> Vec<Value> {
    let (labels, other): (Vec<_>, Vec<_>) = entries(text).into_iter().partition(|(_, value)| value.is_string());
    let services = other.into_iter().filter(|(key, _)| key == "services").flat_map(|(_, services)| pairs(services));
    let services: Vec<Value> = services.map(|(_, service)| service).collect();
    let labels = labels.into_iter().map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned()));
    let held = labels.chain(services.iter().flat_map(labels_of));
    let held: Vec<Value> = held.flat_map(|(key, text)| components_of_label(&key, &text)).collect();
    if held.is_empty() { services } else { held }
}

/// The keys of all components of a case.
fn keys_of(case: &Case) -> BTreeSet<String> {
    let labels = case.labels.iter().flat_map(|(key, text)| components_of_label(key, text));
    let texts = case.files.values().chain(&case.document).flat_map(|text| components_of_text(text));
    labels.chain(texts).flat_map(pairs).map(|(key, _)| key).collect()
}

#[test]
fn every_key_of_a_component_is_in_more_than_one_case() {
    let cases = fs::read_dir(golden("labels")).expect("the cases").map(|entry| entry.expect("an entry").path());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in cases.filter(|path| path.extension().is_some_and(|yml| yml == "yml")) {
        let case = serde_yaml::from_str(&fs::read_to_string(path).expect("a case")).expect("a case");
        for key in keys_of(&case) {
            *counts.entry(key).or_default() += 1;
        }
    }
    let seldom: Vec<(&str, Class)> =
        KEYS.into_iter().filter(|(key, _)| counts.get(*key).is_none_or(|count| *count < 2)).collect();
    assert!(seldom.is_empty(), "{seldom:?}");
}

#[test]
fn keys_of_a_component_are_not_those_of_what_is_in_it() {
    let case = r"
labels:
  pod.component.a: '{image: a, x-a: {tty: 1}, labels: {init: b}}'
  pod.copy.a: '{user: x}'
  pod.init.components: '[{gpus: all}]'
files:
  /compose.yml: '{services: {a: {ipc: host}}, volumes: {a: {cpus: 1}}}'
document: |
  services:
    a: {scale: 1, labels: {pod.component.b: 'dns: c'}}
    b: {labels: ['pod.component.c=uts: c']}
";
    let case = serde_yaml::from_str(case).expect("a case");
    let keys = keys_of(&case);
    assert_eq!(
        keys.iter().map(String::as_str).collect::<Vec<_>>(),
        ["dns", "gpus", "image", "ipc", "labels", "uts", "x-a"]
    );
}

#[test]
fn mistakes_get_the_words_that_stand_below_them() {
    const DOCUMENT: &str = "```yaml\n";
    const WORDS: &str = "```text\n";
    let path = golden("mistakes.md");
    let before = fs::read_to_string(&path).expect("the mistakes");
    let mut parts = before.split("\n## ");
    let mut after = parts.next().expect("an introduction").to_owned();
    let mut mistakes = 0;
    let mut unnoticed = Vec::new();
    for part in parts {
        let (title, rest) = part.split_once("\n\n").unwrap_or_else(|| panic!("{part}: a blank line after the title"));
        let document = rest.strip_prefix(DOCUMENT).and_then(|rest| rest.split_once("```\n"));
        let (document, _) = document.unwrap_or_else(|| panic!("{title}: a document in {DOCUMENT}"));
        let words = match planned(Case { document: Some(document.to_owned()), ..Case::default() }) {
            Ok(pods) => {
                let warnings = pods.iter().flat_map(|pod| &pod.warnings);
                warnings.map(|warning| format!("warning: {warning}\n")).collect::<Vec<_>>()
            }
            Err(message) => vec![format!("error: {message}\n")],
        };
        let words = words.concat();
        if words.is_empty() {
            unnoticed.push(title);
        }
        write!(after, "\n## {title}\n\n{DOCUMENT}{document}```\n\n{WORDS}{words}```\n")
            .expect("a String takes every line");
        mistakes += 1;
    }
    assert!(mistakes >= 40, "only {mistakes} mistakes were found");
    if updating() {
        fs::write(&path, &after).expect("the mistakes");
    }
    assert!(unnoticed.is_empty(), "podlike has nothing against {unnoticed:?}");
    assert!(updating() || before == after, "expected {before}\nfound {after}");
}
