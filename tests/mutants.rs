//! The machine, broken on purpose, one rule at a time: a random walk (`src/supervisor/walks.rs`) must go red for each.
//!
//! Each mutant is a replacement in the text of [`FILES`]. All of them are compiled at once, a module each of a crate that
//! stands on ours. A mutant whose text is no longer there, or that does not compile, fails this test too. Comments and
//! white space don't count.

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
            ("if !self.terminating() { self.go_on(); }", "if true { self.go_on(); }"),
            ("Stage::Waiting => member.stage = Stage::Gone,", "Stage::Waiting => {}"),
        ],
    },
    Mutant {
        rule: "what never started is gone when the pod ends",
        edits: &[("Stage::Waiting => member.stage = Stage::Gone,", "Stage::Waiting => {}")],
    },
    Mutant {
        rule: "the first cause wins",
        edits: &[("if self.terminating() { return; } self.cause = Some(cause);", "self.cause = Some(cause);")],
    },
    Mutant {
        rule: "a container that appears late is stopped",
        edits: &[(
            "if self.terminating() { self.stop_who_can(); }",
            "if self.terminating() && self.forced { self.stop_who_can(); }",
        )],
    },
    Mutant { rule: "a second signal means now", edits: &[("} else if again && !self.forced {", "} else if false {")] },
    Mutant {
        rule: "the first signal does not force an end of the pod's own",
        edits: &[("} else if again && !self.forced {", "} else if !self.forced {")],
    },
    Mutant {
        rule: "the first signal begins the time that the pod has",
        edits: &[("} else if !again && !self.forced {", "} else if false {")],
    },
    Mutant {
        rule: "nothing happens after the finish",
        edits: &[("if self.finished { return Vec::new();", "if false { return Vec::new();")],
    },
    Mutant {
        rule: "what ended by itself is removed, and needs no stop",
        edits: &[("self.remove(who); self.over(who,", "self.over(who,")],
    },
    Mutant {
        rule: "what ends while the pod ends needs no stop",
        edits: &[("if self.terminating() { self.remove(who); return; }", "if self.terminating() { return; }")],
    },
    Mutant {
        rule: "what failed is stopped with grace",
        edits: &[("if self.of(who).id.is_none() || goes_on || helps {", "if true {")],
    },
    Mutant {
        rule: "what failed without an id is looked for",
        edits: &[("if self.of(who).id.is_none() || goes_on || helps {", "if goes_on || helps {")],
    },
    Mutant {
        rule: "what fails late is cleared away",
        edits: &[(
            "if self.of(who).id.is_none() { self.remove(who) } else { self.stop(who) }",
            "if self.of(who).id.is_none() {} else { self.stop(who) }",
        )],
    },
    Mutant {
        rule: "a pull under way is cancelled when the pod ends",
        edits: &[(
            "Stage::Starting if member.id.is_none() && member.pulling =>",
            "Stage::Starting if false && member.pulling =>",
        )],
    },
    Mutant {
        rule: "a pull that begins late is cancelled",
        edits: &[(
            "if self.terminating() { self.actions.push(Action::Cancel(who));",
            "if false { self.actions.push(Action::Cancel(who));",
        )],
    },
    Mutant {
        rule: "service_healthy means healthy",
        edits: &[(
            "Until::Healthy => self.is_ready() && self.is_checked(),",
            "Until::Healthy => self.stage == Stage::Running,",
        )],
    },
    Mutant {
        rule: "service_healthy needs somebody who says so",
        edits: &[
            ("Until::Healthy => self.is_ready() && self.is_checked(),", "Until::Healthy => self.is_ready(),"),
            ("if !is_checked {", "if false {"),
        ],
    },
    Mutant {
        rule: "service_started means started",
        edits: &[(
            "Until::Started => self.stage == Stage::Running || self.done,",
            "Until::Started => self.stage != Stage::Waiting,",
        )],
    },
    Mutant {
        rule: "a sidecar is ready before the others start",
        edits: &[(
            "Until::Ready => self.is_ready() || self.done,",
            "Until::Ready => self.stage == Stage::Running || self.done,",
        )],
    },
    Mutant {
        rule: "a sidecar that has ended holds nobody up",
        edits: &[("Until::Ready => self.is_ready() || self.done,", "Until::Ready => self.is_ready(),")],
    },
    Mutant {
        rule: "a probe's word counts beside the check's",
        edits: &[("&& healthy && (self.ready || !self.probed)", "&& healthy")],
    },
    Mutant {
        rule: "a check's word counts beside the probe's",
        edits: &[("&& healthy && (self.ready || !self.probed)", "&& (self.ready || !self.probed)")],
    },
    Mutant { rule: "each component starts once a life", edits: &[("self.of(who).begin();", "")] },
    Mutant {
        rule: "only who has a task may end",
        edits: &[("finite: planned.role == Role::Task ||", "finite: true ||")],
    },
    Mutant {
        rule: "a task is one by its role, too",
        edits: &[("finite: planned.role == Role::Task ||", "finite: false ||")],
    },
    Mutant {
        rule: "who has a task may end only with 0",
        edits: &[("(success && self.of(who).finite)", "self.of(who).finite")],
    },
    Mutant {
        rule: "whose success nobody requires may fail",
        edits: &[("may_fail: optional && completes,", "may_fail: false,")],
    },
    Mutant {
        rule: "only whose success is waited for may fail",
        edits: &[("may_fail: optional && completes,", "may_fail: optional,")],
    },
    Mutant {
        rule: "who waits for the success of what has failed waits no longer",
        edits: &[("self.disappoint(who, &[Until::Succeeded], |on|", "self.disappoint(who, &[], |on|")],
    },
    Mutant {
        rule: "a sidecar does not decide the end",
        edits: &[("} else if !(helps || (success", "} else if !(false || (success")],
    },
    Mutant {
        rule: "a sidecar that was never ready ends the pod",
        edits: &[("if helps && !self.of(who).was_ready && self.is_waited_for(who) {", "if false {")],
    },
    Mutant {
        rule: "a sidecar that was ready may fail",
        edits: &[("self.of(who).role == Role::Sidecar && self.of(who).was_ready;", "false;")],
    },
    Mutant {
        rule: "a pod of which nothing is left to do ends",
        edits: &[("helps(member) || member.done)", "helps(member) && false)")],
    },
    Mutant {
        rule: "sidecars do not count for what is left to do",
        edits: &[(
            "let helps = |member: &Member| member.role == Role::Sidecar || member.holds;",
            "let helps = |member: &Member| member.holds;",
        )],
    },
    Mutant {
        rule: "the leader's code is waited for",
        edits: &[("!member.leader || !member.lived || member.ended;", "true || member.ended;")],
    },
    Mutant { rule: "the leader's code is told", edits: &[(".filter(|_| member.leader)", ".filter(|_| false)")] },
    Mutant { rule: "who has no policy does not restart", edits: &[("When::No => false,", "When::No => true,")] },
    Mutant {
        rule: "on-failure is not for 0",
        edits: &[("When::OnFailure => code != Some(0),", "When::OnFailure => true,")],
    },
    Mutant {
        rule: "a task that is done does not restart",
        edits: &[("When::Always => !(self.finite && code == Some(0)),", "When::Always => true,")],
    },
    Mutant {
        rule: "who is watched may end",
        edits: &[("When::Dead => dead || self.stage == Stage::Starting,", "When::Dead => true,")],
    },
    Mutant {
        rule: "who is watched and dead restarts",
        edits: &[("When::Dead => dead || self.stage", "When::Dead => self.stage")],
    },
    Mutant {
        rule: "a restart of who is watched that fails is tried again",
        edits: &[("When::Dead => dead || self.stage == Stage::Starting,", "When::Dead => dead,")],
    },
    Mutant { rule: "a first start is not tried again", edits: &[("wanted && self.lived &&", "wanted &&")] },
    Mutant {
        rule: "attempts are counted",
        edits: &[("is_none_or(|times| self.in_a_row < times)", "is_none_or(|_| true)")],
    },
    Mutant {
        rule: "as many attempts as were asked for",
        edits: &[("self.in_a_row < times", "self.in_a_row + 1 < times")],
    },
    Mutant { rule: "pauses grow", edits: &[("self.in_a_row += 1;", "")] },
    Mutant {
        rule: "who was well begins anew",
        edits: &[("if self.ran >= self.restart.reset { self.in_a_row = 0; }", "")],
    },
    Mutant {
        rule: "who rests starts again",
        edits: &[("if self.of(who).stage == Stage::Resting { self.of(who).stage = Stage::Waiting; }", "")],
    },
    Mutant {
        rule: "only who rests is woken",
        edits: &[(
            "if self.of(who).stage == Stage::Resting { self.of(who).stage = Stage::Waiting; }",
            "self.of(who).stage = Stage::Waiting;",
        )],
    },
    Mutant {
        rule: "who rests is removed when the pod ends",
        edits: &[("Stage::Resting => self.remove(who),", "Stage::Resting => member.stage = Stage::Gone,")],
    },
    Mutant {
        rule: "who waits between two lives is removed when the pod ends",
        edits: &[("Stage::Waiting if member.lived => self.remove(who),", "")],
    },
    Mutant {
        rule: "a container that vanished is made anew",
        edits: &[(
            "self.of(who).id = None; self.actions.push(Action::Start(who));",
            "self.actions.push(Action::Start(who));",
        )],
    },
    Mutant { rule: "who is dead is halted", edits: &[("self.halt(who, Halted::Dead(why));", "")] },
    Mutant {
        rule: "who is dead has failed",
        edits: &[("if matches!(halted, Some(Halted::Dead(_))) && code == 0 { 1 } else { code };", "code;")],
    },
    Mutant {
        rule: "who restarts with another is halted",
        edits: &[("Stage::Running => self.halt(other, Halted::With(who.0)),", "")],
    },
    Mutant {
        rule: "who restarts with another does so as soon as it can",
        edits: &[("Stage::Starting => self.of(other).again = Some(who.0),", "")],
    },
    Mutant {
        rule: "who restarts with another takes its own along",
        edits: &[("if restarts { self.halt_followers(who); }", "")],
    },
    Mutant {
        rule: "who restarts with another waits for it",
        edits: &[("self.waits.retain(|need| need.restart);", "self.waits.clear();")],
    },
    Mutant { rule: "needs are for the first start", edits: &[("self.waits.retain(|need| need.restart);", "")] },
    Mutant {
        rule: "what is not required does not end the pod",
        edits: &[("if need.required { self.end(", "if true { self.end(")],
    },
    Mutant {
        rule: "what is required ends the pod",
        edits: &[("if need.required { self.end(", "if false { self.end(")],
    },
    Mutant {
        rule: "what nobody requires may fail",
        edits: &[("let goes_on = self.of(who).optional && !self.of(who).lived;", "let goes_on = false;")],
    },
    Mutant {
        rule: "what is required must not fail",
        edits: &[(
            "let optional = !others.is_empty() && !others.iter().any(|need| need.required);",
            "let optional = !others.is_empty();",
        )],
    },
    Mutant {
        rule: "nobody waits for what failed and is not required",
        edits: &[("self.waive_all(who); self.end_if", "self.end_if")],
    },
    Mutant {
        rule: "a restart that fails while another one restarts is tried with that",
        edits: &[(".or(again.map(Halted::With));", ";")],
    },
    Mutant {
        rule: "a signal goes to those that are about to have started",
        edits: &[("Stage::Starting => member.id.is_some(),", "Stage::Starting => false,")],
    },
    Mutant { rule: "limits are set", edits: &[("if first { self.set_limits(who); }", "")] },
    Mutant {
        rule: "limits hold",
        edits: &[("if let Some(need) = late {", "if let Some(need) = late.filter(|_| false) {")],
    },
    Mutant {
        rule: "a limit is over only where the need is not met",
        edits: &[("need.limit.is_some() && !self.is_met(**need);", "need.limit.is_some();")],
    },
    Mutant { rule: "probes are begun", edits: &[("if watched { self.actions.push(Action::Probe(who)); }", "")] },
    Mutant {
        rule: "an ill component makes the pod unhealthy",
        edits: &[("if self.members.iter().any(Member::is_lost) {", "if false {")],
    },
    Mutant {
        rule: "sidecars do not make the pod unhealthy",
        edits: &[(
            "self.role != Role::Sidecar && self.restart.when == When::No &&",
            "self.restart.when == When::No &&",
        )],
    },
    Mutant {
        rule: "who restarts does not make the pod unhealthy",
        edits: &[("self.role != Role::Sidecar && self.restart.when == When::No &&", "self.role != Role::Sidecar &&")],
    },
    Mutant {
        rule: "healthy is said once",
        edits: &[("self.was_healthy |= self.members", "self.was_healthy = self.members")],
    },
    Mutant {
        rule: "the pod is starting until everything is ready",
        edits: &[("self.members.iter().all(Member::is_settled);", "self.members.iter().any(Member::is_settled);")],
    },
    Mutant { rule: "only news is published", edits: &[("if self.published != Some(health) {", "if true {")] },
    Mutant {
        rule: "the end has time for the graces of those that stop one after the other",
        edits: &[("let time = before.saturating_add(own);", "let time = before.max(own);")],
    },
    Mutant {
        rule: "the end has time for the longest grace",
        edits: &[("longest.saturating_add(STOP_MARGIN)", "STOP_MARGIN")],
    },
    Mutant {
        rule: "an end that somebody wants has the time that was given",
        edits: &[("if self.wanted { return", "if false { return")],
    },
    Mutant { rule: "a second is kept for what is left", edits: &[("self.budget.saturating_sub(LAST)", "self.budget")] },
    Mutant { rule: "who needs another stops before it", edits: &[("(self.forced || !is_needed)", "true")] },
    Mutant {
        rule: "who is needed by nobody any more is stopped",
        edits: &[
            ("(self.forced || !is_needed)", "!is_needed"),
            (
                "let is_needed = self.before[who.0].iter().any(|other| self.members[*other].is_there());",
                "let is_needed = !self.before[who.0].is_empty();",
            ),
        ],
    },
    Mutant {
        rule: "what is lent does not count for the order",
        edits: &[("if !need.lent || all[need.on].is_holder() {", "if true {")],
    },
    Mutant {
        rule: "who has ended holds nobody up",
        edits: &[(
            "(self.is_up() || self.stage == Stage::Leaving) && !self.ended",
            "self.is_up() || self.stage == Stage::Leaving",
        )],
    },
    Mutant {
        rule: "the deadline removes what is left by force",
        edits: &[(
            "Event::Deadline if !self.forced => self.force(),",
            "Event::Deadline if !self.forced => self.forced = true,",
        )],
    },
    Mutant {
        rule: "time is up for those whose turn has not come, too",
        edits: &[("(self.forced || !is_needed)", "!is_needed")],
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
            "if may_run(self.of(who)) { self.actions.push(Action::Forward",
            "if self.of(who).stage != Stage::Gone { self.actions.push(Action::Forward",
        )],
    },
    Mutant {
        rule: "a need that turns unhealthy ends the pod",
        edits: &[("if health == Health::Unhealthy && !self.terminating() {", "if false {")],
    },
    Mutant { rule: "a need for health without a check ends the pod", edits: &[("if !is_checked {", "if false {")] },
    Mutant { rule: "a need for the health of what has ended ends the pod", edits: &[("self.bury_hopes(); if", "if")] },
    Mutant {
        rule: "a check that was told before the start counts",
        edits: &[("self.health.get_or_insert(Health::Starting);", "self.health = Some(Health::Starting);")],
    },
    Mutant {
        rule: "the health of one life is not that of the next",
        edits: &[("self.health = None; self.ready = false; self.code", "self.ready = false; self.code")],
    },
    Mutant {
        rule: "the readiness of one life is not that of the next",
        edits: &[("self.health = None; self.ready = false; self.code", "self.health = None; self.code")],
    },
    Mutant {
        rule: "what was refused for its cgroup starts again",
        edits: &[("self.of(who).id = None; self.actions.push(Action::StartApart(who));", "self.of(who).id = None;")],
    },
    Mutant {
        rule: "what was refused for its cgroup does not start again after the cause",
        edits: &[(
            "fn misplaced(&mut self, who: Who) { if self.terminating() {",
            "fn misplaced(&mut self, who: Who) { if false {",
        )],
    },
    Mutant {
        rule: "what was refused for its cgroup is forgotten, since it is made once more",
        edits: &[(
            "self.of(who).id = None; self.actions.push(Action::StartApart",
            "self.actions.push(Action::StartApart",
        )],
    },
    Mutant {
        rule: "what was refused for its cgroup is cleared away when the pod ends",
        edits: &[(
            "if self.terminating() { self.clear(who); } else { self.of(who).id = None; self.actions.push(Action::StartApart",
            "if self.terminating() {} else { self.of(who).id = None; self.actions.push(Action::StartApart",
        )],
    },
    Mutant {
        rule: "the pod finishes when everything is gone",
        edits: &[("member.stage == Stage::Gone && (told", "member.stage != Stage::Running && (told")],
    },
    Mutant {
        rule: "a crash ends the pod",
        edits: &[("Event::Crashed(message) => self.end(Cause::Crashed(message)),", "Event::Crashed(_) => {}")],
    },
];

/// What is broken: the machine, and what it knows of a component.
const FILES: [&str; 2] = ["machine", "member"];
/// What each mutant stands among, instead of the supervisor.
const SURROUNDINGS: &str = "
mod error { pub use podlike::supervisor::chain; }
mod event { pub use podlike::supervisor::{Action, Cause, End, Event, Who, signal_name}; }
use podlike::supervisor::Error;
mod machine;
mod member;
mod walks;
mod words { pub use podlike::supervisor::{ordinal, span}; }
";

/// A file of the supervisor, as it reads outside of it.
fn text(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/supervisor/{file}.rs"));
    fs::read_to_string(path).expect("a file of the supervisor").replace("crate::", "podlike::")
}

/// The same without comments, its white space folded.
fn folded(file: &str) -> String {
    let text = text(file);
    let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// The texts of [`FILES`] with a rule broken.
fn broken(texts: &[String; 2], Mutant { rule, edits }: &Mutant) -> [String; 2] {
    let mut mutated = texts.clone();
    for (from, to) in *edits {
        let found: usize = mutated.iter().map(|text| text.matches(from).count()).sum();
        assert_eq!(found, 1, "{rule}: this must stand once in {FILES:?}:\n{from}");
        mutated = mutated.map(|text| text.replace(from, to));
    }
    mutated
}

/// Writes a crate with the machine as it is, `whole`, and all mutants, a module each.
fn write(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = format!(
        "[package]\nname = \"mutants\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\nlog = \"*\"\n\
         podlike = {{ path = {:?}, default-features = false }}\n[lib]\ndoctest = false\n",
        root.display().to_string()
    );
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("a copy");
    let texts = FILES.map(folded);
    let walks = text("walks");
    let mut all = vec![("whole".to_owned(), texts.clone())];
    all.extend(MUTANTS.iter().enumerate().map(|(number, mutant)| (module(number), broken(&texts, mutant))));
    let mut modules = vec!["#![allow(warnings)]".to_owned()];
    for (name, mutated) in all {
        modules.push(format!("#[cfg(test)] mod {name};"));
        let own = folder.join("src").join(&name);
        fs::create_dir_all(&own).expect("a folder");
        fs::write(own.join("mod.rs"), SURROUNDINGS).expect("a file");
        fs::write(own.join("walks.rs"), &walks).expect("a file");
        for (file, text) in FILES.iter().zip(mutated) {
            fs::write(own.join(format!("{file}.rs")), text).expect("a file");
        }
    }
    fs::write(folder.join("src/lib.rs"), modules.join("\n")).expect("a file");
}

fn module(number: usize) -> String {
    format!("mutant_{number}")
}

#[test]
fn every_mutant_of_the_machine_is_caught_by_a_walk() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--lib"])
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("cargo runs");
    let output = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.contains("test result: "), "the mutants do not compile:\n{output}");
    let passed = |module: &str| {
        let line = output.lines().find(|line| line.starts_with(&format!("test {module}::")));
        line.unwrap_or_else(|| panic!("{module} has no walk:\n{output}")).ends_with("... ok")
    };
    assert!(passed("whole"), "the walks must pass before anything is broken:\n{output}");
    let survivors: Vec<&str> =
        (0..MUTANTS.len()).filter(|number| passed(&module(*number))).map(|number| MUTANTS[number].rule).collect();
    assert!(survivors.is_empty(), "no walk caught these: {survivors:#?}");
}
