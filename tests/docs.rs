//! What the README says is what the program does: flags, variables, keys, exit codes, and every example loads.

#![cfg(feature = "template")]
#![allow(clippy::panic, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use podlike::compose::stack::StackFile;
use podlike::pod::{Class, KEYS, METADATA, PodSpec, Surroundings};
use podlike::template::{Fetch, transform};
use serde_yaml::Value;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The first cells of the table that has `header`, each in its backticks taken apart.
fn table(text: &str, header: &str) -> Vec<String> {
    let rows = text.lines().skip_while(|line| !line.starts_with(header)).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .flat_map(|row| {
            let cell = row.split('|').nth(1).expect("a first cell").trim().to_owned();
            if cell.contains('`') {
                cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
            } else {
                vec![cell]
            }
        })
        .collect()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts.map(|part| part.split("```").next().expect("the end of a block").to_owned()).collect()
}

#[test]
fn the_flags_of_the_readme_are_those_of_the_help() {
    let output = Command::new(env!("CARGO_BIN_EXE_podlike")).arg("--help").output().expect("podlike runs");
    let help = String::from_utf8(output.stdout).expect("text");
    let helped: BTreeMap<String, String> = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(char::is_whitespace))
        .map(|(flag, rest)| (format!("-{flag}"), rest.to_owned()))
        .filter(|(flag, _)| !flag.starts_with("-help"))
        .collect();
    let readme = read("README.md");
    let documented: BTreeSet<String> = table(&readme, "| flag |").into_iter().collect();
    assert_eq!(documented, helped.keys().cloned().collect());
    let rows = readme.lines().skip_while(|line| !line.starts_with("| flag |")).skip(2);
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let default = format!("(default: {})", cells[2]);
        let options = help.split("Options:").nth(1).expect("the options");
        let start = options.find(&format!("-{}", cells[1].trim_matches('`'))).expect("the flag in the help");
        let entry =
            options[start..].split("\n  --").next().expect("an entry").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(entry.contains(&default), "{}: the README says {default}, the help '{entry}'", cells[1]);
    }
}

#[test]
fn the_variables_of_the_readme_are_those_that_are_read() {
    let code = read("src/cli.rs") + &read("src/template/fetch/proxies.rs") + &read("src/template/fetch/tls.rs");
    let read_ones: BTreeSet<String> =
        code.split("value(\"").skip(1).map(|rest| rest.split('"').next().expect("a name").to_owned()).collect();
    // What pods are read with has all of it; these are asked for by name.
    let code = read("src/compose/surroundings.rs")
        + &read("src/compose/project.rs")
        + &read("src/pod/labels.rs")
        + &read("src/template/transform.rs");
    let asked = code.split("env.get(\"").skip(1).chain(code.split("const NAME: &str = \"").skip(1));
    let asked = asked.chain(code.split("const PROFILES: &str = \"").skip(1));
    let by_name = asked.map(|rest| rest.split('"').next().expect("a name").to_owned());
    let documented: BTreeSet<String> = table(&read("README.md"), "| variable |").into_iter().collect();
    assert_eq!(documented, read_ones.into_iter().chain(by_name).collect());
}

#[test]
fn the_readme_names_all_that_a_component_is_told() {
    let readme = read("README.md");
    let rest = &readme[readme.find("### What a component knows").expect("the section")..];
    let documented: BTreeSet<String> = table(rest, "| name |").into_iter().collect();
    assert_eq!(documented, METADATA.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_keys_of_the_readme_are_those_of_a_component() {
    let readme = read("README.md");
    let header = |class: Class| match class {
        Class::Supported => "| key |",
        Class::Ignored(_) => "| ignored |",
        Class::Refused(_) => "| refused |",
    };
    for wanted in ["| key |", "| ignored |", "| refused |"] {
        let documented: BTreeSet<String> = table(&readme, wanted).into_iter().collect();
        let known = KEYS.iter().filter(|(_, class)| header(*class) == wanted).map(|(key, _)| (*key).to_owned());
        assert_eq!(documented, known.collect(), "{wanted}");
    }
}

#[test]
fn every_key_of_the_schemas_has_a_class() {
    let known: BTreeSet<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    assert_eq!(known.len(), KEYS.len(), "a key stands twice");
    assert!(KEYS.is_sorted_by_key(|(key, _)| *key), "the order of the alphabet");
    let lists = [read("tests/schemas/compose-v2.4.txt"), read("tests/schemas/compose-spec.txt")];
    let keys =
        |list: &str| list.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!((keys(&lists[0]).len(), keys(&lists[1]).len()), (74, 93), "the lists of the schemas moved");
    let all = keys(&lists[0]).into_iter().chain(keys(&lists[1])).collect::<BTreeSet<_>>();
    assert_eq!(all, known.into_iter().map(str::to_owned).collect());
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_code() {
    let rows = |text: String, prefix: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.strip_prefix(prefix).unwrap_or(line).to_owned());
        lines.skip_while(|line| !line.starts_with("| code | when |")).take_while(|line| line.starts_with('|')).collect()
    };
    let code = rows(read("src/report.rs"), "//! ");
    assert!(code.len() > 6, "the table of src/report.rs was not found");
    assert_eq!(rows(read("README.md"), ""), code);
}

fn modules_of_life() -> Vec<String> {
    let text = read("tests/life.rs");
    let modules = text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    modules.filter(|module| *module != "support").map(str::to_owned).collect()
}

/// What a module of the life of a pod says first: the behaviour that it tests.
fn behaviour(module: &str) -> String {
    let text = read(&format!("tests/life/{module}.rs"));
    assert!(text.contains("#[test]"), "{module} tests nothing");
    text.lines().next().and_then(|line| line.strip_prefix("//! ")).expect("a doc").to_owned()
}

#[test]
fn the_engines_of_the_readme_are_those_of_the_matrix_and_its_behaviours_those_of_the_suite() {
    let readme = read("README.md");
    let rows =
        readme.lines().skip_while(|line| !line.starts_with("| | Docker ")).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
    let makefile = read("Makefile");
    let engines =
        makefile.lines().find_map(|line| line.strip_prefix("ENGINES := ")).expect("the engines of the matrix");
    assert_eq!(rows.first().map(|head| head.len() - 1), Some(engines.split(' ').count()), "{engines}");
    let body = rows.get(2..).expect("a table");
    assert_eq!(
        body.iter().map(|row| row[0]).collect::<Vec<_>>(),
        modules_of_life().iter().map(|module| behaviour(module)).collect::<Vec<_>>()
    );
    // What an engine cannot do stands there in the words of the test that expects it.
    let suite: String = modules_of_life().iter().map(|module| read(&format!("tests/life/{module}.rs"))).collect();
    for cell in body.iter().flat_map(|row| &row[1..]) {
        assert!(*cell == "✓" || suite.contains(&format!("degraded(\"{cell}\")")), "no test says '{cell}'");
    }
}

/// The labels of every service in a stack that has some.
fn labels(stack: &Value) -> Vec<BTreeMap<String, String>> {
    let services = stack["services"].as_mapping().expect("services");
    let labels = services.values().filter_map(|service| service["labels"].as_mapping());
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    labels.map(|labels| labels.iter().map(|(key, value)| (text(key), text(value))).collect()).collect()
}

/// The stack of pods that a stack with templates stands for.
fn transformed(place: &str, text: String) -> String {
    let files = [StackFile { path: place.into(), text }];
    let fetch = Fetch::new(&BTreeMap::new(), true);
    let transformed = transform(&files, &Surroundings::default(), &fetch, None);
    transformed.unwrap_or_else(|error| panic!("{place}: {error}")).text
}

#[test]
fn every_stack_loads_and_its_labels_make_a_pod() {
    let mut stacks: Vec<(String, String)> =
        blocks(&read("README.md"), "yaml").into_iter().map(|text| ("README.md".to_owned(), text)).collect();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for example in fs::read_dir(examples).expect("examples") {
        let folder = example.expect("an example").path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(&folder).expect("an example's files") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "yml") {
                stacks.push((path.display().to_string(), fs::read_to_string(&path).expect("a stack")));
            }
        }
    }
    assert!(stacks.len() >= 2, "no stacks were found");
    for (place, text) in stacks {
        let text = if text.contains("x-podlike:") { transformed(&place, text) } else { text };
        let stack: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
        // What is no stack are keys of a component.
        let label = |name: &str| (format!("pod.component.{name}"), format!("image: demo\n{text}"));
        let of_components = || BTreeMap::from(["web", "db"].map(label));
        let pods = if stack.get("services").is_some() { labels(&stack) } else { vec![of_components()] };
        assert!(!pods.is_empty(), "{place}: no service has labels");
        for labels in pods {
            let spec = PodSpec::from_labels(&labels, &Surroundings::default())
                .unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(spec.components.len() > 1, "{place}");
        }
    }
}

/// The `--label KEY=VALUE` of a `docker run`.
fn labels_of_run(command: &str) -> BTreeMap<String, String> {
    let words = shell_words::split(&command.replace("\\\n", " ")).expect("shell words");
    let pairs = words.windows(2).filter(|pair| pair[0] == "--label").map(|pair| pair[1].clone());
    pairs
        .map(|pair| pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).expect("a pair"))
        .collect()
}

#[test]
fn every_docker_run_is_the_one_that_the_demo_runs() {
    let demo = read("examples/sidecar/demo.sh");
    let run = |text: &str| {
        let start = text.find("docker run --rm --name web").expect("a docker run");
        text[start..].split("podlike -logs").next().expect("its end").to_owned()
    };
    let expected = run(&demo);
    assert_eq!(
        PodSpec::from_labels(&labels_of_run(&expected), &Surroundings::default()).expect("a pod").components.len(),
        2
    );
    for file in ["README.md", "examples/sidecar/README.md"] {
        assert_eq!(run(&read(file)), expected, "{file}");
    }
}

/// Source text as messages have it: one line where a string goes on in the next.
fn sources() -> String {
    fn all(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                all(&path, text);
            } else {
                let lines = fs::read_to_string(&path).expect("text");
                text.push_str(&lines.split("\\\n").map(str::trim_start).collect::<String>());
            }
        }
    }
    let mut text = String::new();
    all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    text
}

#[test]
fn the_messages_of_the_readme_are_those_that_podlike_says() {
    let sources = sources();
    let rows = table(&read("README.md"), "| message | what to do |");
    assert!(rows.len() > 10, "{rows:?}");
    for message in rows {
        for part in message.split('…').filter(|part| part.len() > 3) {
            assert!(sources.contains(part), "podlike does not say '{part}'");
        }
    }
}

#[test]
fn every_file_and_target_of_a_snippet_is_there_and_every_stack_is_deployed_by_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = read("Makefile");
    let folders = fs::read_dir(root.join("examples")).expect("the examples").flatten();
    let folders: Vec<_> = folders.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    assert!(folders.len() >= 10, "{folders:?}");
    let name = |path: &Path| path.strip_prefix(root).expect("it is in the project").display().to_string();
    let mut files: Vec<String> = folders.iter().map(|folder| name(&folder.join("README.md"))).collect();
    files.push("README.md".to_owned());
    for file in &files {
        for block in blocks(&read(file), "sh") {
            let labels = labels_of_run(&block);
            let pod = || PodSpec::from_labels(&labels, &Surroundings::default());
            assert!(labels.is_empty() || pod().is_ok(), "{file}: {:?}", pod());
            for path in block.split_whitespace().filter(|word| word.starts_with("examples/") && !word.contains('$')) {
                assert!(root.join(path).exists(), "{file}: there is no {path}");
            }
            for target in block.lines().filter_map(|line| line.strip_prefix("make ")?.split_whitespace().next()) {
                assert!(makefile.contains(&format!("\n{target}:")), "{file}: there is no make {target}");
            }
        }
    }
    for folder in folders {
        let readme = read(&name(&folder.join("README.md")));
        assert!(read("README.md").contains(&format!("({}/README.md)", name(&folder))), "{}", folder.display());
        let stacks = fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path());
        for stack in stacks.filter(|path| path.extension().is_some_and(|extension| extension == "yml")) {
            let words = [name(&stack), stack.file_name().expect("a name").to_string_lossy().into_owned()];
            assert!(words.iter().any(|word| readme.contains(word)), "{} is in no README", stack.display());
        }
    }
}

#[test]
fn the_first_stack_of_the_readme_is_the_one_that_it_deploys() {
    let block = &blocks(&read("README.md"), "yaml")[0];
    let stack = |text: &str| serde_yaml::from_str::<Value>(text).expect("YAML");
    assert_eq!(stack(block), stack(&read("examples/sidecar/stack.yml")));
}

#[test]
fn the_readme_names_the_rust_that_is_needed() {
    assert!(read("README.md").contains(&format!("Rust {} ", env!("CARGO_PKG_RUST_VERSION"))));
}

/// The README, and those of the examples.
fn pages() -> Vec<String> {
    let examples = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).expect("the examples");
    let names = examples.flatten().filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name());
    let pages = names.map(|name| format!("examples/{}/README.md", name.display()));
    ["README.md", "examples/templates.md"].map(str::to_owned).into_iter().chain(pages).collect()
}

/// What leads to the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let outside = page.split("```").step_by(2).flat_map(str::lines);
    let headings =
        outside.filter(|line| line.starts_with('#')).map(|line| line.trim_matches(['#', ' ']).to_lowercase());
    let kept = |c: char| (c.is_alphanumeric() || " -_".contains(c)).then_some(if c == ' ' { '-' } else { c });
    let named = page.split("<a id=\"").skip(1).map(|rest| rest.split('"').next().expect("its end").to_owned());
    headings.map(|heading| heading.chars().filter_map(kept).collect()).chain(named).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for page in pages() {
        let text = read(&page);
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().expect("its end"));
        for link in links.filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = Path::new(&page).parent().expect("a folder").join(file);
            let target = if file.is_empty() { page.clone() } else { target.display().to_string() };
            let there = anchor.map_or_else(
                || Path::new(env!("CARGO_MANIFEST_DIR")).join(&target).exists(),
                |anchor| anchors(&read(&target)).contains(anchor),
            );
            assert!(there, "{page}: {link} leads nowhere");
            seen += 1;
        }
    }
    assert!(seen > 80, "the links were not found: {seen}");
}

/// The commands of a block, each in its words: those of pipes and lists apart, without comments.
fn commands(block: &str) -> Vec<Vec<String>> {
    let text = block.replace("\\\n", " ");
    let lines = text.lines().map(|line| line.split(" #").next().expect("a part"));
    let commands = lines.flat_map(|line| line.split(['|', ';', '&']));
    commands.map(|command| command.split_whitespace().map(str::to_owned).collect()).collect()
}

/// What a command gives to podlike, if it runs that, by itself or in a container.
fn of_podlike(words: &[String]) -> Option<&[String]> {
    let start = words.iter().position(|word| word == "podlike" || word.ends_with("/podlike"))?;
    let in_container = words.get(1).is_some_and(|word| word == "run");
    (in_container || words[..start].iter().all(|word| word.contains('='))).then_some(&words[start + 1..])
}

/// What `podlike … --help` prints, if there is such a command.
fn help(command: Option<&str>) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_podlike")).args(command).arg("--help").output().expect("it runs");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn every_command_of_a_snippet_exists() {
    let docker = [
        ("service", ["create", "inspect", "logs", "ls", "ps", "rm", "rollback", "scale", "update"].as_slice()),
        ("stack", ["config", "deploy", "ls", "ps", "rm", "services"].as_slice()),
    ];
    let mut seen = 0;
    for page in pages() {
        for words in blocks(&read(&page), "sh").iter().flat_map(|block| commands(block)) {
            let of_docker = words.first().is_some_and(|word| word == "docker");
            for (group, known) in docker.iter().filter(|(group, _)| of_docker && words[1] == *group) {
                assert!(known.contains(&words[2].as_str()), "{page}: there is no docker {group} {}", words[2]);
                seen += 1;
            }
            if let Some(arguments) = of_podlike(&words) {
                let command = arguments.first().filter(|word| !word.starts_with('-')).map(String::as_str);
                let help = help(command).unwrap_or_else(|| panic!("{page}: there is no podlike {command:?}"));
                for flag in arguments.iter().filter(|word| word.starts_with('-') && word.len() > 1) {
                    let name = flag.trim_start_matches('-').split('=').next().expect("a name");
                    let known = [format!("--{name} "), format!("-{name}, ")].iter().any(|entry| help.contains(entry));
                    assert!(known, "{page}: podlike has no flag {flag}: {}", words.join(" "));
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 35, "the commands were not found: {seen}");
}
