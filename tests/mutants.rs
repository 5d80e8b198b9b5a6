//! The machine, broken on purpose, one rule at a time: a random walk (`src/supervisor/walks.rs`) must go red for each.
//!
//! Each mutant is a replacement in the text of `src/supervisor/machine.rs`, made in a copy of the crate and compiled. A
//! mutant whose text is no longer there, or that does not compile, fails this test too. Comments and white space don't
//! count.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What is broken, and how: pairs of what stands there and what takes its place.
struct Mutant {
    rule: &'static str,
    edits: &'static [(&'static str, &'static str)],
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        rule: "nothing starts after the cause",
        edits: &[
            ("if !self.terminating() { self.start_what_can();", "if true { self.start_what_can();"),
            ("Stage::Waiting => component.stage = Stage::Gone,", "Stage::Waiting => {}"),
        ],
    },
    Mutant {
        rule: "what never started is gone when the pod ends",
        edits: &[("Stage::Waiting => component.stage = Stage::Gone,", "Stage::Waiting => {}")],
    },
    Mutant {
        rule: "the first cause wins",
        edits: &[("if self.terminating() { return; } self.cause = Some(cause);", "self.cause = Some(cause);")],
    },
    Mutant {
        rule: "a container that appears late is stopped",
        edits: &[("if self.terminating() { self.stop(who);", "if false { self.stop(who);")],
    },
    Mutant {
        rule: "a second signal means now",
        edits: &[("Some(_) if !self.forced => self.force(),", "Some(_) if !self.forced => {}")],
    },
    Mutant {
        rule: "nothing happens after the finish",
        edits: &[("if self.finished { return Vec::new();", "if false { return Vec::new();")],
    },
    Mutant {
        rule: "what ended by itself is removed, and needs no stop",
        edits: &[("self.remove(who); if !goes_on {", "if !goes_on {")],
    },
    Mutant {
        rule: "what failed is stopped with grace",
        edits: &[(
            "if self.of(who).id.is_none() { self.remove(who); } self.end(Cause::Failed",
            "if true { self.remove(who); } self.end(Cause::Failed",
        )],
    },
    Mutant {
        rule: "what failed without an id is looked for",
        edits: &[(
            "if self.of(who).id.is_none() { self.remove(who); } self.end(Cause::Failed",
            "if self.of(who).id.is_none() {} self.end(Cause::Failed",
        )],
    },
    Mutant {
        rule: "what runs is stopped when the pod ends",
        edits: &[("if component.id.is_some() { self.stop(who);", "if component.id.is_some() {")],
    },
    Mutant {
        rule: "a pull under way is cancelled when the pod ends",
        edits: &[("} else if component.pulling {", "} else if false {")],
    },
    Mutant {
        rule: "a pull that begins late is cancelled",
        edits: &[(
            "if self.terminating() { self.actions.push(Action::Cancel(who));",
            "if false { self.actions.push(Action::Cancel(who));",
        )],
    },
    Mutant { rule: "service_healthy means healthy", edits: &[("&& other.health == Some(Health::Healthy)", "")] },
    Mutant {
        rule: "service_started means started",
        edits: &[("other.stage == Stage::Running || other.exit_code.is_some()", "other.stage != Stage::Waiting")],
    },
    Mutant { rule: "each component starts once", edits: &[("self.of(who).stage = Stage::Starting;", "")] },
    Mutant {
        rule: "only who is waited for may end",
        edits: &[("let goes_on = component.finite && code == 0;", "let goes_on = code == 0;")],
    },
    Mutant {
        rule: "who is waited for may end only with 0",
        edits: &[("let goes_on = component.finite && code == 0;", "let goes_on = component.finite;")],
    },
    Mutant { rule: "the lowest health counts", edits: &[("each.min()", "each.max()")] },
    Mutant {
        rule: "the pod is starting until everything has started",
        edits: &[("Some(component.health.unwrap_or(Health::Starting).min(Health::Starting))", "component.health")],
    },
    Mutant { rule: "only news is published", edits: &[("if self.published != Some(health) {", "if true {")] },
    Mutant {
        rule: "the end has time for the longest grace",
        edits: &[("grace.saturating_add(STOP_MARGIN)", "STOP_MARGIN")],
    },
    Mutant {
        rule: "the deadline removes what is left by force",
        edits: &[(
            "Event::Deadline if !self.forced => self.force(),",
            "Event::Deadline if !self.forced => self.forced = true,",
        )],
    },
    Mutant {
        rule: "what hangs for ever is left to the engine",
        edits: &[("Event::Deadline => self.finish(),", "Event::Deadline => {}")],
    },
    Mutant {
        rule: "no grace when time is up",
        edits: &[("if self.forced { Action::Remove(who)", "if false { Action::Remove(who)")],
    },
    Mutant {
        rule: "a signal is forwarded to those that run, and to nobody else",
        edits: &[(
            "if self.of(who).stage == Stage::Running { self.actions.push(Action::Forward",
            "if self.of(who).stage != Stage::Gone { self.actions.push(Action::Forward",
        )],
    },
    Mutant {
        rule: "a need that turns unhealthy ends the pod",
        edits: &[("if health == Health::Unhealthy", "if false")],
    },
    Mutant {
        rule: "a need for health without a check ends the pod",
        edits: &[(
            "} else if let Some(waiting) = self.who_waits_for_health_of(who) { let on = self.of(who).name.clone(); self.end(Cause::Failed(waiting, Error::NoHealthCheck",
            "} else if let (Some(waiting), true) = (self.who_waits_for_health_of(who), false) { let on = self.of(who).name.clone(); self.end(Cause::Failed(waiting, Error::NoHealthCheck",
        )],
    },
    Mutant {
        rule: "a need for the health of what has ended ends the pod",
        edits: &[(
            "} else if let Some(waiting) = self.who_waits_for_health_of(who) { let on = self.of(who).name.clone(); self.end(Cause::Failed(waiting, Error::Ended",
            "} else if let (Some(waiting), true) = (self.who_waits_for_health_of(who), false) { let on = self.of(who).name.clone(); self.end(Cause::Failed(waiting, Error::Ended",
        )],
    },
    Mutant {
        rule: "a check that was told before the start counts",
        edits: &[("component.health.get_or_insert(Health::Starting);", "component.health = Some(Health::Starting);")],
    },
    Mutant {
        rule: "what was refused for its cgroup starts again",
        edits: &[("self.of(who).id = None; self.actions.push(Action::StartApart(who));", "self.of(who).id = None;")],
    },
    Mutant {
        rule: "what was refused for its cgroup does not start again after the cause",
        edits: &[("if !self.terminating() { self.of(who).id = None;", "if true { self.of(who).id = None;")],
    },
    Mutant {
        rule: "what was refused for its cgroup is forgotten, since it is made once more",
        edits: &[("self.of(who).id = None; self.actions", "self.actions")],
    },
    Mutant {
        rule: "what was refused for its cgroup before it was there is looked for",
        edits: &[("} else if self.of(who).id.is_none() { self.remove(who);", "} else if false { self.remove(who);")],
    },
    Mutant {
        rule: "the pod finishes when everything is gone",
        edits: &[(
            ".all(|component| component.stage == Stage::Gone)",
            ".all(|component| component.stage != Stage::Running)",
        )],
    },
    Mutant {
        rule: "a crash ends the pod",
        edits: &[("Event::Crashed(message) => self.end(Cause::Crashed(message)),", "Event::Crashed(_) => {}")],
    },
];

const MACHINE: &str = "src/supervisor/machine.rs";

/// A file without comments, its white space folded.
fn folded(text: &str) -> String {
    let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder to read") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The output of the walks in a copy of the crate, and whether they passed.
fn walks(folder: &Path) -> (String, bool) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--locked", "--no-default-features", "--lib", "walks"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("cargo runs");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

#[test]
fn every_mutant_of_the_machine_is_caught_by_a_walk() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["Cargo.toml", "Cargo.lock"] {
        fs::copy(root.join(file), folder.path().join(file)).expect("a copy");
    }
    // The sources, and what their tests include.
    for part in ["src", "tests/golden/dbus"] {
        copy(&root.join(part), &folder.path().join(part));
    }
    let text = folded(&fs::read_to_string(root.join(MACHINE)).expect("the machine"));
    let (output, passed) = walks(folder.path());
    assert!(passed, "the walks must pass before anything is broken:\n{output}");
    let mut survivors = Vec::new();
    for Mutant { rule, edits } in MUTANTS {
        let mut mutated = text.clone();
        for (from, to) in *edits {
            assert_eq!(mutated.matches(from).count(), 1, "{rule}: this must stand once in {MACHINE}:\n{from}");
            mutated = mutated.replace(from, to);
        }
        fs::write(folder.path().join(MACHINE), mutated).expect("a file");
        let (output, passed) = walks(folder.path());
        assert!(output.contains("test result: "), "{rule}: the mutant does not compile:\n{output}");
        let caught = output.lines().rev().find(|line| line.starts_with("seed "));
        match caught {
            Some(line) => println!("{rule}: {line}"),
            None if passed => survivors.push(*rule),
            None => println!(
                "{rule}: {}",
                output.lines().rev().find(|line| line.contains("was seen only")).unwrap_or("red")
            ),
        }
    }
    assert!(survivors.is_empty(), "no walk caught these: {survivors:#?}");
}
