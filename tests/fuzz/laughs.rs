//! Texts that are made to take all time or memory. Each is taken or refused in little memory and a few seconds of CPU
//! time, without optimization and on a slow machine.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use podlike::engine::Capabilities;
use podlike::pod::{self, Controller, Nesting, Options, Placement, PodSpec, Surroundings};
use podlike::report;

use super::guard::{cpu_time, guarded, memory};

/// Several times what the worst of them takes; what grows with the square of its length would take minutes.
const LONG: Duration = Duration::from_secs(5);
/// What a process may come to hold, in KiB.
const LITTLE: usize = 160 << 10;

/// A pod of labels and files, and what becomes of it: the number of its components, or the message.
fn read(labels: &[(&str, String)], files: &[(&str, String)]) -> Result<usize, String> {
    let root = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        fs::write(root.path().join(path), text).expect("a file");
    }
    let surroundings = Surroundings { root: root.path().to_owned(), ..Surroundings::default() };
    let labels: BTreeMap<String, String> = labels.iter().map(|(key, text)| ((*key).to_owned(), text.clone())).collect();
    measured(|| {
        let spec = PodSpec::from_labels(&labels, &surroundings).map_err(|error| report::chain(&error))?;
        let controller = Controller::assumed(Capabilities::default());
        let (plan, warnings) =
            pod::plan(&spec, &controller, &Placement::choose(&controller, Nesting::Auto), Options::default())
                .map_err(|error| report::chain(&error))?;
        assert!(warnings.iter().all(|warning| !warning.to_string().is_empty()));
        assert!(!plan.to_string().is_empty() && serde_json::to_string(&plan).is_ok());
        Ok(plan.components.len())
    })
}

fn measured<T>(body: impl FnOnce() -> T) -> T {
    let begun = cpu_time();
    let outcome = body();
    let took = cpu_time().saturating_sub(begun);
    let peak = memory().peak;
    println!("{} ms of CPU, {peak} KiB", took.as_millis());
    assert!(took < LONG, "it took {} ms of CPU", took.as_millis());
    assert!(peak < LITTLE, "it held {peak} KiB");
    outcome
}

/// A component with these lines.
fn component(lines: &str) -> Result<usize, String> {
    read(&[("pod.component.app", format!("image: x\n{lines}\n"))], &[])
}

/// A Compose file, with others beside it.
fn project(text: &str, others: &[(&str, String)]) -> Result<usize, String> {
    let mut files = others.to_vec();
    files.push(("compose.yml", text.to_owned()));
    read(&[("pod.compose.file", "/compose.yml".to_owned())], &files)
}

#[track_caller]
fn refused(outcome: Result<usize, String>, words: &str) {
    let message = outcome.expect_err("it is too much");
    let start: String = message.chars().take(300).collect();
    assert!(message.contains(words), "{start}");
}

/// `first`, and lines in each of which the one before stands twice.
fn doubling(first: &str, line: impl Fn(usize, usize) -> String) -> String {
    let lines = (1..60).map(|number| line(number, number - 1));
    [first.to_owned()].into_iter().chain(lines).collect()
}

/// So many pieces of text.
fn many(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        text.push_str(&piece(number));
        text
    })
}

#[test]
fn aliases_that_double() {
    guarded("laughs::aliases_that_double", 30, || {
        let lists = doubling("x-0: &a0 [x]\n", |n, before| format!("x-{n}: &a{n} [*a{before}, *a{before}]\n"));
        refused(component(&lists), "too large");
        let maps =
            doubling("x-0: &a0 {k: v}\n", |n, before| format!("x-{n}: &a{n} {{a: *a{before}, b: *a{before}}}\n"));
        refused(component(&maps), "too large");
        let merged = doubling("x-0: &a0 {k: v}\n", |n, before| {
            format!("x-{n}: &a{n} {{<<: [*a{before}, *a{before}], k{n}: 1}}\n")
        });
        refused(component(&merged), "too large");
        let one =
            doubling("x-0: &a0 {k: v}\n", |n, before| format!("x-{n}: &a{n} {{<<: *a{before}, k{n}: *a{before}}}\n"));
        refused(component(&one), "too large");
        refused(project(&format!("{lists}services: {{a: {{image: x}}}}"), &[]), "too large");
        refused(measured(|| document(&lists)), "too large");
    });
}

/// What `podlike validate` makes of a text.
fn document(text: &str) -> Result<usize, String> {
    pod::pods_in(Path::new("document"), text, &Surroundings::default())
        .map(|pods| pods.len())
        .map_err(|error| report::chain(&error))
}

#[test]
fn aliases_of_long_texts_and_below_long_keys() {
    guarded("laughs::aliases_of_long_texts_and_below_long_keys", 30, || {
        let long = "x".repeat(1 << 20);
        refused(component(&format!("x-a: &a {long}\nx-b: [{}]", "*a, ".repeat(100_000))), "too large");
        refused(component(&format!("? {long}\n: [{}]", "a, ".repeat(100_000))), "too large");
        refused(component(&format!("x-a: &a {{? {long} : 1}}\nx-b: [{}]", "{<<: *a}, ".repeat(10_000))), "too large");
    });
}

#[test]
fn aliases_that_nest() {
    guarded("laughs::aliases_that_nest", 30, || {
        let flat = many(150_000, |n| if n == 0 { "- &a0 [x]\n".into() } else { format!("- &a{n} [*a{}]\n", n - 1) });
        refused(read(&[("pod.init.components", flat)], &[]), "nested deeper");
        let (open, close) = ("[".repeat(95), "]".repeat(95));
        let steep =
            many(60, |n| if n == 0 { "- &a0 [x]\n".into() } else { format!("- &a{n} {open}*a{}{close}\n", n - 1) });
        refused(read(&[("pod.init.components", steep)], &[]), "nested deeper");
    });
}

#[test]
fn deep_nesting() {
    guarded("laughs::deep_nesting", 30, || {
        for text in [
            "[".repeat(1 << 20),
            "{a: ".repeat(1 << 20),
            "- ".repeat(1 << 20),
            "? ".repeat(1 << 20),
            many(1400, |n| format!("{}a:\n", " ".repeat(n))),
            "[{a: ".repeat(120),
        ] {
            let message = read(&[("pod.component.app", text)], &[]).expect_err("too deep");
            assert!(message.contains("too deep") || message.contains("nested deeper"), "{message}");
        }
    });
}

#[test]
fn variables_that_double() {
    guarded("laughs::variables_that_double", 30, || {
        let first = format!("A0={}\n", "x".repeat(100));
        let text = doubling(&first, |n, before| format!("A{n}=$A{before}$A{before}\n"));
        let quoted = doubling(&first, |n, before| format!("A{n}=\"${{A{before}}}${{A{before}:-}}\"\n"));
        for text in [text, quoted] {
            let env = ("app.env", text.clone());
            refused(read(&[("pod.component.app", "{image: x, env_file: /app.env}".into())], &[env]), "too large");
            refused(project("services: {a: {image: x}}", &[(".env", text)]), "too large");
        }
    });
}

#[test]
fn long_variables_that_are_used_often() {
    guarded("laughs::long_variables_that_are_used_often", 30, || {
        let env = [(".env", format!("LONG={}\n", "x".repeat(1 << 20)))];
        let service = |text: &str| format!("services: {{a: {{image: x, user: '{text}'}}}}");
        refused(project(&service(&"$LONG".repeat(100_000)), &env), "too large");
        refused(project(&service(&"${LONG:+}".repeat(100_000)), &env), "too large");
        let list = many(50_000, |_| "$LONG, ".to_owned());
        refused(project(&format!("services: {{a: {{image: x, command: [{list}]}}}}"), &env), "too large");
        let unset = many(100_000, |n| format!("$A{n} "));
        assert_eq!(project(&service(&unset), &[]), Ok(1));
    });
}

#[test]
fn services_that_extend_each_other() {
    guarded("laughs::services_that_extend_each_other", 30, || {
        // Each of many takes over all of a large one.
        let large = many(5000, |n| format!("A{n}: {n}, "));
        let small = many(2000, |n| format!("  s{n}: {{extends: large}}\n"));
        let text = format!("services:\n  large: {{image: x, environment: {{{large}}}}}\n{small}");
        refused(project(&text, &[]), "too large");
        // A chain of files, the next drawn in by each service of the one before.
        let link = |next: usize| {
            let services =
                many(20, |n| format!("  s{n}: {{image: x, extends: {{file: f{next}.yml, service: s{n}}}}}\n"));
            format!("services:\n{services}")
        };
        let others = ["f1.yml", "f2.yml", "f3.yml", "f4.yml", "f5.yml", "f6.yml"];
        let mut files: Vec<_> = others.iter().enumerate().map(|(n, name)| (*name, link(n + 2))).collect();
        files.push(("f7.yml", format!("services:\n{}", many(20, |n| format!("  s{n}: {{image: x}}\n")))));
        assert_eq!(project(&link(1), &files), Ok(20));
        // What both have many of.
        for key in ["environment", "expose", "volumes", "extra_hosts"] {
            let entries = |from: usize| many(10_000, |n| format!("'/a{}:/b{}',", n + from, n + from));
            let text = format!(
                "services:\n  a: {{image: x, {key}: [{}]}}\n  b: {{extends: a, {key}: [{}]}}\n",
                entries(0),
                entries(5000)
            );
            assert_eq!(project(&text, &[]), Ok(2), "{key}");
        }
    });
}

#[test]
fn files_that_include_each_other() {
    guarded("laughs::files_that_include_each_other", 30, || {
        let names: Vec<String> = (0..19).map(|n| format!("f{n}.yml")).collect();
        let twice = |n: usize| format!("include: [f{n}.yml, f{n}.yml]\n");
        let mut files: Vec<_> = (1..19).map(|n| (names[n - 1].as_str(), twice(n))).collect();
        files.push(("f18.yml", "services: {a: {image: x}}".to_owned()));
        refused(project(&twice(0), &files), "too large");
        let often = |file: &str| format!("include: [{}]\n", format!("{file}, ").repeat(50_000));
        let long = format!("# {}\nservices: {{a: {{image: x}}}}", "x".repeat(1 << 20));
        refused(project(&often("f0.yml"), &[("f0.yml", long)]), "too large");
        let env = format!("# {}\n", "x".repeat(1 << 20));
        let include = format!("include: [{{path: f0.yml, env_file: [{}]}}]", "e.env, ".repeat(50_000));
        refused(project(&include, &[("f0.yml", "services: {}".into()), ("e.env", env)]), "too large");
    });
}

#[test]
fn files_that_are_read_often() {
    guarded("laughs::files_that_are_read_often", 30, || {
        let often = "/long, ".repeat(50_000);
        let long = format!("A=1\n# {}\n", "x".repeat(1 << 20));
        for key in ["env_file", "label_file"] {
            let label = format!("{{image: x, {key}: [{often}]}}");
            refused(read(&[("pod.component.app", label)], &[("long", long.clone())]), "too large");
        }
        let label = format!("{{image: x, security_opt: [{}]}}", "'seccomp=/long', ".repeat(50_000));
        refused(read(&[("pod.component.app", label)], &[("long", long)]), "too large");
    });
}

#[test]
fn lists_of_a_hundred_thousand() {
    guarded("laughs::lists_of_a_hundred_thousand", 60, || {
        for key in ["x-list", "command", "cap_add", "expose"] {
            let list = "a, ".repeat(100_000);
            let outcome = component(&format!("{key}: [{list}]"));
            assert!(outcome.as_ref().is_ok() || outcome.is_err_and(|message| message.contains("too large")), "{key}");
        }
    });
}

#[test]
fn what_is_sought_in_what_is_there() {
    guarded("laughs::what_is_sought_in_what_is_there", 60, || {
        let taken = |outcome: Result<usize, String>, what: &str| assert_eq!(outcome, Ok(1), "{what}");
        taken(component(&format!("environment: [{}]", many(20_000, |n| format!("A{n}=x, ")))), "environment");
        taken(component(&format!("environment: {{{}}}", many(20_000, |n| format!("A{n}: x, ")))), "environment");
        taken(component(&format!("labels: [{}]", many(20_000, |n| format!("A{n}=x, ")))), "labels");
        taken(component(&format!("volumes: [{}]", many(5000, |n| format!("'v{n}:/v{n}', ")))), "volumes");
        let copies = many(4000, |n| format!("- /a:/b{n}\n"));
        let tmpfs = format!("image: x\ntmpfs: [{}]", many(4000, |n| format!("/t{n}, ")));
        taken(read(&[("pod.component.app", tmpfs), ("pod.copy.app", copies)], &[]), "copies");
        let of = |key: &str, count: usize| format!("{key}: [{}]\n", many(count, |n| format!("{key}{n}, ")));
        let secrets = format!("image: x\n{}{}", of("configs", 10_000), of("secrets", 10_000));
        assert_eq!(read(&[("pod.component.app", secrets)], &[]), Ok(2), "secrets");
        let names: Vec<String> = (0..8000).map(|n| format!("pod.volume.v{n}")).collect();
        let mut labels: Vec<_> = names.iter().map(|name| (name.as_str(), "memory".to_owned())).collect();
        labels.push((
            "pod.component.app",
            format!("{{image: x, volumes: [{}]}}", many(8000, |n| format!("'v{n}:/v{n}', "))),
        ));
        assert_eq!(read(&labels, &[]), Ok(2), "volumes in memory");
        let env = many(40_000, |n| format!("A{n}=x\n"));
        let label = "{image: x, env_file: /app.env}".to_owned();
        taken(read(&[("pod.component.app", label)], &[("app.env", env)]), "env_file");
        let volumes = many(5000, |n| format!("  v{n}:\n"));
        let used = many(5000, |n| format!("'v{n}:/v{n}', "));
        let text = format!("services: {{a: {{image: x, volumes: [{used}]}}}}\nvolumes:\n{volumes}");
        taken(project(&text, &[]), "volumes of a project");
    });
}

#[test]
fn names_that_are_long() {
    guarded("laughs::names_that_are_long", 30, || {
        let long = "x".repeat(1 << 20);
        refused(component(&format!("? {long}\n: 1")), "unknown key");
        refused(component(&format!("depends_on: [{long}]")), "no such component");
        assert_eq!(read(&[("pod.component.app", "image: x".into()), (&format!("pod.{long}"), "x".into())], &[]), Ok(1));
        let label = format!("pod.component.{long}");
        refused(
            read(&[(&label, format!("image: x\ndepends_on: [{}]", "x".repeat(1 << 19)))], &[]),
            "no such component",
        );
        refused(project(&format!("services: {{a: {{image: x, extends: {long}}}}}"), &[]), "no service");
    });
}

#[test]
fn pods_of_many_components() {
    guarded("laughs::pods_of_many_components", 60, || {
        let chain = |count: usize| {
            let last = format!("  s{count}: {{image: x}}\n");
            many(count, |n| format!("  s{n}: {{image: x, depends_on: [s{}]}}\n", n + 1)) + &last
        };
        assert_eq!(project(&format!("services:\n{}", chain(900)), &[]), Ok(901));
        refused(project(&format!("services:\n{}", chain(20_000)), &[]), "too large");
        let circle = many(900, |n| format!("  s{n}: {{image: x, depends_on: [s{}]}}\n", (n + 1) % 900));
        refused(project(&format!("services:\n{circle}"), &[]), "circle");
        let init = many(20_000, |_| "- image: x\n".to_owned());
        refused(read(&[("pod.init.components", init)], &[]), "too large");
        let earlier = |n: usize| many(n, |on| format!("s{on}, "));
        let dense = many(290, |n| format!("  s{n}: {{image: x, depends_on: [{}]}}\n", earlier(n)));
        assert_eq!(project(&format!("services:\n{dense}"), &[]), Ok(290));
        let ipc = many(900, |n| format!("  s{n}: {{image: x, ipc: 'service:s{}'}}\n", n + 1));
        assert_eq!(project(&format!("services:\n{ipc}  s900: {{image: x}}\n"), &[]), Ok(901));
        let unknown = many(900, |n| format!("  s{n}: {{image: x, depends_on: {{t{n}: {{required: false}}}}}}\n"));
        assert_eq!(project(&format!("services:\n{unknown}"), &[]), Ok(900));
        let names: Vec<String> = (0..2000).map(|n| format!("pod.component.c{n}")).collect();
        let labels: Vec<_> = names.iter().map(|name| (name.as_str(), "image: x".to_owned())).collect();
        refused(read(&labels, &[]), "too large");
    });
}

#[test]
fn labels_that_are_just_small_enough() {
    guarded("laughs::labels_that_are_just_small_enough", 60, || {
        // Each of them stands for almost as much as may be.
        let ten = "*a, ".repeat(10);
        let laugh = format!("image: x\nx-a: [&a [{}], &b [{ten}], [{}]]", "x, ".repeat(100), "*b, ".repeat(20));
        let names: Vec<String> = (0..500).map(|n| format!("pod.component.c{n}")).collect();
        let labels: Vec<_> = names.iter().map(|name| (name.as_str(), laugh.clone())).collect();
        refused(read(&labels, &[]), "too large");
        let mut stack = format!("x-l: &l {{pod.component.a: {laugh:?}}}\nservices:\n");
        for number in 0..500 {
            writeln!(stack, "  s{number}: {{labels: *l}}").expect("a text");
        }
        refused(measured(|| document(&stack)), "too large");
    });
}

/// Texts at which a parser may look again and again.
#[test]
fn long_lines_and_many_of_them() {
    guarded("laughs::long_lines_and_many_of_them", 60, || {
        let half = 256 << 10;
        for (what, text) in [
            ("a plain text", "x ".repeat(half)),
            ("a plain text of lines", "x\n  ".repeat(half)),
            ("a quoted text", format!("'{}", "x ".repeat(half))),
            ("escapes", format!("\"{}\"", "\\n".repeat(half))),
            ("a block", format!("|\n{}", " x\n".repeat(half))),
            ("an empty block", format!("|\n{}", "\n".repeat(half))),
            ("a folded block", format!(">\n{}", " x\n\n".repeat(half / 2))),
            ("comments", "# x\n".repeat(half)),
            ("blanks", " ".repeat(half)),
            ("empty lines", "\n".repeat(half)),
            ("tabs", "\t".repeat(half)),
            ("anchors", many(20_000, |n| format!("- &a{n} x\n"))),
            ("anchors of nothing", "&a ".repeat(half)),
            ("tags", "! ".repeat(half)),
            ("colons", ": ".repeat(half)),
            ("commas", format!("[{}", ", ".repeat(half))),
            ("documents", "---\n".repeat(half)),
            ("marks", "\u{feff}".repeat(half)),
            ("quotes", "''".repeat(half)),
            ("dashes", "-".repeat(half)),
            ("questions", "?\n".repeat(half)),
            ("an alias", format!("*{}", "a".repeat(half))),
            ("directives", "%TAG !a! x\n".repeat(half / 8)),
            ("a long path", format!("{{image: x, working_dir: {}}}", "/a".repeat(half))),
        ] {
            println!("{what}");
            drop(read(&[("pod.component.app", text)], &[]));
        }
        let path = "/a".repeat(1 << 18);
        let labels = [
            ("pod.component.app", format!("{{image: x, tmpfs: ['{path}']}}")),
            ("pod.copy.app", format!("/a:{path}/b")),
        ];
        refused(read(&labels, &[]), "on the tmpfs");
    });
}
