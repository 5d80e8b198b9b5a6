//! What the manual of templates says is what `podlike template` does: each of its examples is run.
//!
//! The blocks below one heading are one example. A block with a name, such as `yaml stack.yml`, is a file; `sh command` is
//! how it is run (without one: `podlike template stack.yml`); then comes what that prints: `yaml output` all of it,
//! `yaml output services/web` a part, `text warnings` what it tells beside, `text error` why it failed.

#![cfg(feature = "template")]
#![allow(clippy::panic, reason = "a test fails by a panic")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_yaml::Value;
use tempfile::TempDir;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manual() -> String {
    read("examples/templates.md")
}

/// A fenced block: its first line, and its text.
struct Block<'a> {
    line: usize,
    language: &'a str,
    name: &'a str,
    text: String,
}

/// The headings of a text and the blocks below them.
fn examples(text: &str) -> Vec<(&str, Vec<Block<'_>>)> {
    let mut examples = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(fence) = line.strip_prefix("```") {
            let (language, name) = fence.split_once(' ').unwrap_or((fence, ""));
            let text = lines.by_ref().map_while(|(_, line)| (line != "```").then(|| format!("{line}\n"))).collect();
            let (_, blocks): &mut (&str, Vec<Block>) = examples.last_mut().expect("a heading before the first block");
            blocks.push(Block { line: number + 1, language, name, text });
        } else if line.starts_with('#') {
            examples.push((line, Vec::new()));
        }
    }
    examples
}

/// What a run printed: on the standard output, on the standard error, and its exit code.
type Printed = (String, String, Option<i32>);

/// Runs `VARIABLE=VALUE… podlike template ARGUMENTS… <FILE` in a folder.
fn run(folder: &Path, command: &str) -> Printed {
    let words = shell_words::split(command).expect("shell words");
    let start = words.iter().position(|word| word == "podlike").expect("podlike");
    let (input, arguments): (Vec<&String>, Vec<&String>) =
        words[start + 1..].iter().partition(|word| word.starts_with('<'));
    let input =
        input.first().map_or_else(Stdio::null, |file| File::open(folder.join(&file[1..])).expect("a file").into());
    let output = Command::new(env!("CARGO_BIN_EXE_podlike"))
        .args(arguments)
        .env_clear()
        .envs(words[..start].iter().map(|word| word.split_once('=').expect("a variable")))
        .current_dir(folder)
        .stdin(input)
        .output()
        .expect("podlike runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// The value at a path such as `services/web`, in YAML as it is printed; a text as it is.
fn part(output: &str, path: &str) -> String {
    let whole: Value = serde_yaml::from_str(output).unwrap_or_else(|error| panic!("{error}: {output}"));
    let value = path.split('/').fold(&whole, |value, key| &value[key]);
    match value {
        Value::String(text) => text.clone(),
        Value::Null => panic!("no {path} in {output}"),
        value => {
            let source = podlike::compose::Source::default();
            let text = serde_yaml::to_string(value).expect("YAML");
            let tree = podlike::compose::parse(&source, &text, &podlike::compose::Budget::default()).expect("YAML");
            podlike::compose::write(&tree)
        }
    }
}

/// Runs an example, and tells how often it looked at what was printed.
fn check(heading: &str, blocks: &[Block]) -> usize {
    let folder = TempDir::new().expect("a folder");
    let mut command = "podlike template -image registry.example/podlike:1 stack.yml".to_owned();
    let mut printed: Option<Printed> = None;
    let mut looks = 0;
    for Block { line, language, name, text } in blocks {
        let place = format!("examples/templates.md:{line}: {heading}");
        let run = || run(folder.path(), &command);
        match (*language, *name) {
            ("sh", "command") => (command, printed) = (text.clone(), None),
            ("sh", "") => {}
            ("yaml", output) if output.split(' ').next() == Some("output") => {
                let (stdout, stderr, code) = printed.get_or_insert_with(run);
                assert_eq!(code, &Some(0), "{place}: {stderr}");
                let stdout = output.strip_prefix("output ").map_or_else(|| stdout.clone(), |path| part(stdout, path));
                assert_eq!(&stdout, text, "{place}");
                let tells = blocks.iter().any(|block| block.name == "warnings");
                assert_eq!(!stderr.is_empty(), tells, "{place}: {stderr}");
                looks += 1;
            }
            ("text", "warnings") => {
                let (_, stderr, code) = printed.get_or_insert_with(run);
                assert_eq!((&*stderr, *code), (text, Some(0)), "{place}");
                looks += 1;
            }
            ("text", "error") => {
                let (stdout, stderr, code) = run();
                assert_eq!((stderr.as_str(), stdout.as_str(), code), (text.as_str(), "", Some(2)), "{place}");
                looks += 1;
            }
            ("yaml", file) if !file.is_empty() => {
                let path = folder.path().join(file);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, text).expect("a file");
                printed = None;
            }
            _ => panic!("{place}: a block '{language} {name}' that the test does not know"),
        }
    }
    looks
}

#[test]
fn every_example_of_the_manual_prints_what_stands_there() {
    let text = manual();
    let mut looks = 0;
    for (heading, blocks) in examples(&text) {
        let seen = check(heading, &blocks);
        assert!(seen > 0 || blocks.iter().all(|block| block.language != "yaml"), "{heading}: nothing is run");
        looks += seen;
    }
    assert!(looks > 15, "the examples were not found: {looks}");
}

/// What stands in backticks in the cells of a column, of the rows of the table with a header.
fn cells(text: &str, header: &str, column: usize) -> Vec<Vec<String>> {
    let rows = text.lines().skip_while(|line| !line.starts_with(header)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cell = row.split('|').nth(column).expect("a cell");
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    })
    .collect()
}

#[test]
fn the_keys_that_the_manual_says_are_taken_are_those_that_are() {
    let code = read("src/template/inherit.rs");
    let keys = |name: &str| -> Vec<String> {
        let list = code.split(&format!("const {name}: ")).nth(1).expect(name).split("];").next().expect("its end");
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    assert_eq!(cells(&manual(), "| taken by |", 2), [keys("BY_CONTROLLER"), keys("BY_MAIN")]);
}

#[test]
fn the_functions_of_the_manual_are_those_that_there_are() {
    let code = read("src/template/functions/peer.rs") + &read("src/template/functions/helm.rs");
    let starts = ["function(\"", "variadic(\"", "name: \""];
    let mut known: BTreeSet<String> = BTreeSet::from(["include".to_owned()]);
    for start in starts {
        known.extend(code.split(start).skip(1).map(|rest| rest.split('"').next().expect("a name").to_owned()));
    }
    let documented = cells(&manual(), "| function |", 1).into_iter().flatten();
    let documented = documented.map(|call| call.split(' ').next().expect("a name").to_owned());
    assert_eq!(documented.collect::<BTreeSet<_>>(), known);
}
