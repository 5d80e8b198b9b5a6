//! Walks `tests/golden/transforms/`: each case is a file, its result stands beside it. `UPDATE_GOLDEN=1` rewrites the results.
//!
//! `NAME.yml` has the text of a `stack`, or `files` by their paths (the stack is `stack.yml`, or what `args` names), the `env`, and
//! `offline`. The result is `NAME.out.yml`, the stack that comes out, below its warnings, or `NAME.error`, the message. Every pod that comes out must be
//! one that the controller accepts; where a case has `refused`, it must not.

#![cfg(feature = "template")]
#![allow(clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use podlike::compose::Surroundings;
use podlike::compose::stack::StackFile;
use podlike::pod::pods_in;
use podlike::template::{Fetch, Transformed, transform};
use serde::Deserialize;
use tempfile::TempDir;

use crate::support::docker_cli::{DockerCli, is_too_old};

/// The folder of the stack.
const FOLDER: &str = "/work";
/// How the names of results end.
const OUT: &str = ".out.yml";
const ERROR: &str = ".error";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Case {
    stack: Option<String>,
    files: BTreeMap<String, String>,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    offline: bool,
    refused: bool,
}

impl Case {
    fn of(stack: &str) -> Self {
        Self { stack: Some(stack.to_owned()), ..Self::default() }
    }

    fn transformed(&self) -> Result<Transformed, String> {
        let root = TempDir::new().expect("a folder");
        let mut files = self.files.clone();
        files.extend(self.stack.clone().map(|text| ("stack.yml".to_owned(), text)));
        for (path, text) in &files {
            let path = root.path().join(FOLDER.trim_start_matches('/')).join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let mut env = self.env.clone();
        env.insert("HOME".to_owned(), "/home/me".to_owned());
        let surroundings =
            Surroundings { root: root.path().into(), working_dir: FOLDER.into(), env, ..Surroundings::default() };
        let args = if self.args.is_empty() { &["stack.yml".to_owned()][..] } else { &self.args };
        let stack: Vec<StackFile> =
            args.iter().map(|path| StackFile { path: path.into(), text: files[path].clone() }).collect();
        let fetch = Fetch::new(&surroundings.env, self.offline);
        transform(&stack, &surroundings, &fetch, None).map_err(|error| error.to_string())
    }

    /// What the controllers of a stack that came out say of their labels.
    fn refusal(&self, stack: &str) -> Option<String> {
        let surroundings = Surroundings { env: self.env.clone(), ..Surroundings::default() };
        pods_in(Path::new("out.yml"), stack, &surroundings).err().map(|error| error.to_string())
    }
}

fn has_pods(stack: &str) -> bool {
    stack.contains("pod.component.")
}

/// The ending of the result's name, and its text.
fn result(case: &Case) -> (&'static str, String) {
    match case.transformed() {
        Ok(Transformed { text, notes, .. }) => {
            let notes: Vec<String> =
                notes.iter().map(|(place, note)| format!("# warning: {place}: {note}\n")).collect();
            (OUT, notes.concat() + &text)
        }
        Err(message) => (ERROR, message + "\n"),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/transforms")
}

/// The cases by name.
fn cases() -> BTreeMap<String, Case> {
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(folder()).expect("the cases") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some((name, "yml")) = name.split_once('.') else { continue };
        let text = fs::read_to_string(&path).expect("a case");
        cases.insert(name.to_owned(), serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")));
    }
    cases
}

#[test]
fn every_case_has_its_result() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let (mut wrong, mut results) = (Vec::new(), BTreeSet::new());
    let cases = cases();
    assert!(cases.len() >= 60, "only {} cases were found", cases.len());
    for (name, case) in &cases {
        let (ending, text) = result(case);
        let file = format!("{name}{ending}");
        let path = folder().join(&file);
        results.insert(file.clone());
        if update {
            fs::write(&path, &text).expect("a result");
        }
        let known = fs::read_to_string(&path).unwrap_or_default();
        if known != text {
            wrong.push(format!("--- {file}\n{known}+++ now\n{text}"));
        }
    }
    for entry in fs::read_dir(folder()).expect("the results") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let is_result = name.ends_with(OUT) || name.ends_with(ERROR);
        if is_result && !results.contains(&name) {
            if update {
                fs::remove_file(folder().join(&name)).expect("an old result");
            } else {
                wrong.push(format!("--- {name} is the result of no case"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_controller_accepts_every_pod_that_comes_out() {
    let mut pods = 0;
    for (name, case) in cases() {
        let Ok(Transformed { text, .. }) = case.transformed() else { continue };
        if !has_pods(&text) {
            continue;
        }
        pods += 1;
        let refusal = case.refusal(&text);
        assert_eq!(refusal.is_some(), case.refused, "{name}: {refusal:?}\n{text}");
    }
    assert!(pods > 30, "only {pods} pods were checked");
}

#[test]
fn what_came_out_comes_out_the_same_again() {
    for (name, case) in cases() {
        let Ok(Transformed { text, .. }) = case.transformed() else { continue };
        // A number by reference is one the second time, as then no template keeps it.
        if text.contains('$') {
            continue;
        }
        let again = Case { env: case.env.clone(), ..Case::of(&text) }.transformed();
        assert_eq!(again.map(|again| again.text), Ok(text), "{name}");
    }
}

/// A stack of many services, each with a pod template, a transformer, two further components, and arguments.
fn large(services: usize) -> String {
    let mut text = "version: '3.7'\nx-podlike:\n".to_owned();
    for at in 0..services {
        _ = write!(
            text,
            "  service-{at}:
    pod:
      inline: |
        pod:
          image: podlike
          deploy: {{replicas: {{{{ .Service.Deploy.Replicas }}}}}}
    transformer:
      inline:
        main: {{labels: {{name: '{{{{ .Service.Name }}}}'}}}}
    templates:
      - inline: |
          side:
            image: side:{{{{ .Args.Tag }}}}
            environment:
          {{{{ range $key, $value := .Service.Environment }}}}
              {{{{ $key }}}}: {{{{ printf \"%q\" $value }}}}
          {{{{ end }}}}
      - inline: \"log: {{image: 'log:{{{{ len .Project.Services }}}}'}}\"
    args: {{Tag: '{at}'}}
"
        );
    }
    text.push_str("services:\n");
    for at in 0..services {
        _ = write!(
            text,
            "  service-{at}:
    image: app:{at}
    ports: ['{}:80']
    environment: {{A: a, B: b, C: '{at}', D: $VARIABLE}}
    labels: {{one: '1', two: '2'}}
    volumes: [data:/data]
    deploy: {{replicas: {}}}
",
            10_000 + at,
            at % 5
        );
    }
    text + "volumes: {data: }\n"
}

#[test]
fn two_runs_give_the_same_bytes() {
    let case = Case::of(&large(20));
    let first = case.transformed().expect("a stack");
    for _ in 0..3 {
        assert_eq!(case.transformed().as_ref(), Ok(&first));
    }
}

#[test]
fn a_stack_of_200_services_with_four_templates_each_takes_no_time() {
    let case = Case::of(&large(200));
    let started = Instant::now();
    let Transformed { text, .. } = case.transformed().expect("a stack");
    let took = started.elapsed();
    assert_eq!(text.matches("pod.component.side: |").count(), 200);
    assert_eq!(text.matches("image: log:200").count(), 200);
    let most = if cfg!(debug_assertions) { 20 } else { 1 };
    assert!(took < Duration::from_secs(most), "{took:?}");
}

#[test]
fn docker_takes_every_result() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/transforms");
    // The variables that some of the stacks want.
    let docker = DockerCli { folder: &folder, env: &[("HOME", "/home/me"), ("TAG", "1")] };
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the cases") {
        let path = entry.expect("an entry").path();
        if !path.to_string_lossy().ends_with(OUT) {
            continue;
        }
        match docker.takes(&fs::read_to_string(&path).expect("a result")) {
            Ok(()) => count += 1,
            Err(error) if is_too_old(&error) => {}
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
    assert!(count > 50, "docker took only {count}");
}
