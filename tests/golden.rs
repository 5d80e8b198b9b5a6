//! Walks `tests/golden/`: each case is a file, its result stands beside it. `UPDATE_GOLDEN=1` rewrites the results.
//!
//! `labels/NAME.yml` holds the labels of a controller, and what else the plan depends on where it matters:
//! `options` (the flags), `profiles`, `files` (of the controller, by path), `controller` (the container: `host`, `env`,
//! `labels`, `mounts`, `nested`, `ways_to_socket`, `volume_refs`) and `engine` (its `GET /info`). Instead of `labels`, `document` is a text
//! for `podlike validate`. The result is `NAME.plan.json`, the plan with its warnings, or `NAME.error`, the message.
//!
//! `mistakes.md` holds what people get wrong: under each heading a document and what podlike says of it.

#![allow(clippy::panic, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use podlike::engine::types::{ApiVersion, HostConfig, Info, Mount};
use podlike::pod::{self, Class, Controller, KEYS, Options, Plan, PodSpec, Surroundings};
use podlike::report;
use serde::Deserialize;

const ID: &str = "c0ffee0000000000000000000000000000000000000000000000000000000000";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    document: Option<String>,
    #[serde(default)]
    options: BTreeMap<String, bool>,
    #[serde(default)]
    profiles: Vec<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    controller: Container,
    engine: Option<Info>,
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
            volume_refs: BTreeMap::new(),
        }
    }
}

fn options(chosen: &BTreeMap<String, bool>) -> Options {
    let mut options = Options::default();
    for (name, value) in chosen {
        match name.as_str() {
            "pids" => options.pids = *value,
            "ipc" => options.ipc = *value,
            "volumes" => options.volumes = *value,
            other => panic!("no such option: {other}"),
        }
    }
    options
}

/// The name of the result's file and its text.
fn result(case: Case) -> (&'static str, String) {
    let (plan, warnings) = match planned(case) {
        Ok(planned) => planned,
        Err(message) => return ("error", message + "\n"),
    };
    let both = serde_json::json!({ "plan": plan, "warnings": warnings });
    let text = serde_json::to_string_pretty(&both).expect("a plan has only text keys") + "\n";
    // The id and the version would drown the rest, and the version changes.
    let version = format!("\"podlike.version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    ("plan.json", text.replace(ID, "CONTROLLER").replace(&version, "\"podlike.version\": \"VERSION\""))
}

/// The plan and the warnings, or the message.
fn planned(case: Case) -> Result<(Plan, Vec<String>), String> {
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
        ..Surroundings::default()
    };
    let spec = match &case.document {
        None => PodSpec::from_labels(&case.labels, &surroundings),
        Some(text) => pod::pods_in(Path::new("stack.yml"), text, &surroundings).map(|mut pods| pods.remove(0).spec),
    };
    let spec = spec.map_err(|error| report::chain(&error))?;
    let api: ApiVersion = "1.45".parse().expect("a version");
    let mut engine = case.engine.unwrap_or_else(|| Info {
        server_version: "26.1.5".to_owned(),
        cgroup_driver: "cgroupfs".to_owned(),
        cgroup_version: "1".to_owned(),
        ..Info::default()
    });
    if engine.api == ApiVersion::default() {
        engine.api = api;
    }
    let controller = Controller {
        id: ID.to_owned(),
        name: "web".to_owned(),
        labels: case.labels.into_iter().chain(case.controller.labels).collect(),
        env: case.controller.env,
        host: case.controller.host,
        mounts: case.controller.mounts,
        cgroup: case.controller.nested.then(|| format!("/docker/{ID}").into()),
        ways_to_socket: case.controller.ways_to_socket,
        owns_hosts: true,
        image: "podlike".to_owned(),
        program: "/podlike".into(),
        volume_refs: case.controller.volume_refs,
        engine,
    };
    let (plan, warnings) =
        pod::plan(&spec, &controller, options(&case.options)).map_err(|error| report::chain(&error))?;
    Ok((plan, warnings.iter().map(ToString::to_string).collect()))
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

#[test]
fn every_key_of_a_component_is_in_more_than_one_case() {
    let cases = fs::read_dir(golden("labels")).expect("the cases").map(|entry| entry.expect("an entry").path());
    let cases: Vec<String> = cases
        .filter(|path| path.extension().is_some_and(|yml| yml == "yml"))
        .map(|path| fs::read_to_string(path).expect("a case"))
        .collect();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let has = |case: &str, key: &str| {
        case.match_indices(&format!("{key}:")).any(|(at, _)| !case[..at].ends_with(|c: char| word(c) || c == '-'))
    };
    let seldom: Vec<(&str, Class)> =
        KEYS.into_iter().filter(|(key, _)| cases.iter().filter(|case| has(case, key)).count() < 2).collect();
    assert!(seldom.is_empty(), "{seldom:?}");
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
            Ok((_, warnings)) => warnings.iter().map(|warning| format!("warning: {warning}\n")).collect::<Vec<_>>(),
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
