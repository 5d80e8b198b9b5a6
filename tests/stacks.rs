//! Walks `tests/golden/stacks/`: how stacks are loaded. `UPDATE_GOLDEN=1` rewrites the results.
//!
//! `NAME.yml` is a stack in `/work`, and beside it stand what it becomes: `NAME.typed.yml` for a service without templates,
//! `NAME.kept.yml` what is copied where that differs, and `NAME.resolved.yml` what templates see. `root` is the root of the
//! file system. Warnings are comments in front.
//!
//! `mistakes.md` holds stacks that are refused: under each heading a stack and what podlike says of it.
//!
//! What the docker command takes as a stack, it must take when it is printed, and where it has `docker stack config`, make the
//! same of it.

#![cfg(feature = "template")]
#![allow(clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use podlike::compose::stack::{self, References, Stack, StackFile};
use podlike::compose::{Kind, Node, Source, Surroundings, parse, write};

use crate::support::docker_cli::{DockerCli, is_too_old};

/// The environment of all cases.
const ENV: [(&str, &str); 5] =
    [("HOME", "/home/me"), ("EMPTY", ""), ("NUMBER", "7"), ("TEXT", "some text"), ("WORD", "word")];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/stacks")
}

fn surroundings() -> Surroundings {
    let env = ENV.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Surroundings { root: folder().join("root"), working_dir: "/work".into(), env, ..Surroundings::default() }
}

/// The stack in canonical form, its warnings in front.
fn loaded(text: &str, references: References) -> Result<String, String> {
    let surroundings = surroundings();
    let file = StackFile { path: "stack.yml".into(), text: text.to_owned() };
    let stack = Stack::read(&[file], &surroundings).map_err(|error| error.to_string())?;
    let tree = stack.load(references).map_err(|error| error.to_string())?;
    let mut shown = String::new();
    for (place, note) in stack.notes() {
        writeln!(shown, "# {place}: {note}").expect("a String takes every line");
    }
    Ok(shown + &write(&tree))
}

/// Every case: its name and its text.
fn cases() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder()).expect("the cases") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".yml").filter(|name| !name.contains('.')) {
            found.push((name.to_owned(), fs::read_to_string(&path).expect("a case")));
        }
    }
    found.sort();
    assert!(found.len() > 20, "the cases of {} were not found", folder().display());
    found
}

/// Holds a result against its file, or rewrites it.
fn hold(path: &Path, result: Option<&str>) -> Option<String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match result {
            Some(result) => fs::write(path, result).expect("a result"),
            None => drop(fs::remove_file(path)),
        }
    }
    let known = fs::read_to_string(path).ok();
    (known.as_deref() != result).then(|| {
        let (known, result) = (known.unwrap_or_default(), result.unwrap_or_default());
        format!("{}:\n--- expected\n{known}--- found\n{result}", path.display())
    })
}

#[test]
fn stacks_load_as_before() {
    let mut wrong = Vec::new();
    for (name, text) in cases() {
        let result = |references| loaded(&text, references).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (typed, kept) = (result(References::Typed), result(References::Keep));
        let path = |kind: &str| folder().join(format!("{name}.{kind}.yml"));
        wrong.extend(hold(&path("kept"), Some(kept.as_str()).filter(|kept| *kept != typed)));
        wrong.extend(hold(&path("typed"), Some(&typed)));
        wrong.extend(hold(&path("resolved"), Some(&result(References::Resolve))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_canonical_stays_the_same_when_it_is_read_again() {
    for (name, text) in cases() {
        let typed = loaded(&text, References::Typed).expect("a stack");
        let again = loaded(&typed, References::Typed).unwrap_or_else(|error| panic!("{name}: {error}"));
        let plain =
            |text: &str| text.lines().filter(|line| !line.starts_with('#')).fold(String::new(), |a, b| a + b + "\n");
        assert_eq!(plain(&again), plain(&typed), "{name}");
        let tree = parse(&Source::default(), &typed, &surroundings().budget).expect("our own text");
        for (service, node) in tree.get("services").map_or(&[][..], |services| services.map().expect("services")) {
            for read in [stack::service, stack::component] {
                let read = read(node, Path::new("/work"), &surroundings(), &mut Vec::new());
                let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(write(&read), write(node), "{name}: {service}");
            }
        }
    }
}

/// The keys of the tables.
fn keys() -> BTreeSet<String> {
    let code = include_str!("../src/compose/stack/schema.rs");
    let mut keys = BTreeSet::new();
    for start in ["field(\"", "pointer(\""] {
        for (at, _) in code.match_indices(start) {
            keys.extend(code[at + start.len()..].split('"').next().map(str::to_owned));
        }
    }
    assert!(keys.len() > 80, "the tables were not found");
    keys
}

/// The keys of a tree, each as often as one.
fn collect(node: &Node, found: &mut BTreeSet<String>) {
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| collect(item, found)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                found.insert(key.clone());
                collect(value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_key_of_the_tables_is_in_two_results() {
    let mut counts: BTreeMap<String, usize> = keys().into_iter().map(|key| (key, 0)).collect();
    for (_, text) in cases() {
        let typed = loaded(&text, References::Resolve).expect("a stack");
        let mut found = BTreeSet::new();
        collect(&parse(&Source::default(), &typed, &surroundings().budget).expect("our own text"), &mut found);
        for key in found {
            *counts.entry(key).or_default() += 1;
        }
    }
    let keys = keys();
    let few: Vec<_> = counts.iter().filter(|(key, count)| keys.contains(*key) && **count < 2).collect();
    assert!(few.is_empty(), "in less than two results: {few:?}");
}

#[test]
fn mistakes_are_told_as_before() {
    let path = folder().join("mistakes.md");
    let text = fs::read_to_string(&path).expect("the mistakes");
    let mut parts = text.split("```yaml\n");
    let mut whole = parts.next().expect("a first part").to_owned();
    let mut count = 0;
    for part in parts {
        let (stack, rest) = part.split_once("```\n").expect("the end of a stack");
        let after =
            rest.split_once("```text\n").and_then(|(_, rest)| rest.split_once("```\n")).map_or(rest, |(_, rest)| rest);
        let error = loaded(stack, References::Typed).expect_err(stack);
        write!(whole, "```yaml\n{stack}```\n\n```text\n{error}\n```\n{after}").expect("a String takes every line");
        count += 1;
    }
    assert!(count > 30, "the mistakes were not found");
    assert_eq!(hold(&path, Some(&whole)), None);
}

/// Cases of which Docker makes something else, as they say.
const OTHERWISE: [&str; 1] = ["names-with-variables"];

#[test]
fn docker_makes_the_same_of_a_stack_and_of_what_we_print() {
    let docker = DockerCli { folder: &folder().join("root/work"), env: &ENV };
    let read = |text: &str| parse(&Source::default(), text, &surroundings().budget).expect("what docker prints");
    let mut count = 0;
    for (name, text) in cases().into_iter().filter(|(name, _)| !OTHERWISE.contains(&name.as_str())) {
        // It has no `yes`, and wants all that is required.
        if docker.takes(&text).is_err() {
            continue;
        }
        count += 1;
        let own = docker.config(&text).map(|text| read(&text));
        for references in [References::Typed, References::Keep] {
            let printed = loaded(&text, references).expect("a stack");
            match docker.takes(&printed) {
                Err(error) if is_too_old(&error) => continue,
                taken => assert_eq!(taken, Ok(()), "{name} {references:?}:\n{printed}"),
            }
            let Some(own) = &own else { continue };
            let made = read(&docker.config(&printed).expect("it is taken"));
            for section in ["services", "networks", "volumes", "secrets", "configs"] {
                assert_eq!(shown(made.get(section)), shown(own.get(section)), "{name} {references:?}:\n{printed}");
            }
        }
    }
    // One of before the year 2022 takes only those that say their version.
    assert!(count > 1, "docker took only {count} of the cases");
}

/// A section, without what Docker ignores and we leave out.
fn shown(node: Option<&Node>) -> String {
    fn strip(node: &mut Node) {
        let Kind::Map(entries) = &mut node.kind else { return };
        entries.retain(|(key, _)| key == "x-cluster-spec" || !key.starts_with("x-") && key != "env_file");
        for (_, value) in entries.iter_mut() {
            strip(value);
        }
    }
    let Some(mut node) = node.cloned() else { return String::new() };
    strip(&mut node);
    write(&node).replace(&*folder().join("root").to_string_lossy(), "")
}
