//! The binary against the fake engine: each call of a pod's start, run and stop × each fault, and TERM at each call.
//!
//! ```text
//!   scenario ─ rehearsed without faults ─▶ its calls by phase ─┬─ × faults ─▶ rules: fate, time, words ─┐
//!                                                              └─ × TERM, before and after its work ────┴─▶ matrix
//! ```
//!
//! `make faults` tries all, `cargo test` every third cell of each call in the first scenario that makes it. What is no cell of it is in `once.rs`
//! and `faults_of_supplies.rs`.

mod support;

#[path = "faults/once.rs"]
mod once;
#[path = "faults/rules.rs"]
mod rules;
#[path = "faults/scenario.rs"]
mod scenario;
#[path = "faults/term.rs"]
mod term;

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::cases::LIMIT;
use support::controller::{Controller, Ended};
use support::fake_engine::{Call, Fault};
use support::matrix::{Case, Promise, Verdict, all_of_it, hold};

use rules::{FAULTS, Fate, Phase, Spoilt, Times};
use scenario::{SCENARIOS, Scenario, Stage, rehearse};

/// So many pods run at a time, beside those that wait for a call to be given up.
const AT_A_TIME: usize = 20;

/// The calls of each scenario's phases that are to be tried, each once.
fn calls() -> Vec<(&'static Scenario, Phase, Vec<String>)> {
    let mut known = BTreeSet::new();
    let mut chosen = Vec::new();
    let rehearsed: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = SCENARIOS.iter().map(|scenario| scope.spawn(move || rehearse(scenario))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a rehearsal without a fault")).collect()
    });
    for (scenario, calls) in SCENARIOS.iter().zip(rehearsed) {
        for (phase, calls) in [(Phase::Start, calls.start), (Phase::Run, calls.run), (Phase::Stop, calls.stop)] {
            let mut own = BTreeSet::new();
            let is_new =
                |call: &String| own.insert(call.clone()) && (known.insert((phase, call.clone())) || all_of_it());
            // `aux` is as `web`, with less.
            let calls = calls
                .into_iter()
                .filter(|call| !call.contains("/aux/") && !call.ends_with(" aux") && !call.ends_with("/aux"));
            chosen.push((scenario, phase, calls.filter(is_new).collect()));
        }
    }
    chosen
}

fn cases() -> Vec<Case<'static>> {
    let mut cases = Vec::new();
    for (scenario, phase, calls) in calls() {
        for call in calls {
            for (what, fault) in FAULTS {
                for times in Times::ALL {
                    let shown = scenario.flags.contains(&"-logs");
                    let spoilt = Spoilt { phase, call: call.clone(), what, fault: fault(), times, shown };
                    if !spoilt.makes_sense() {
                        continue;
                    }
                    for ends_itself in [false, true] {
                        if ends_itself && (phase == Phase::Start || times == Times::Once) {
                            continue;
                        }
                        let end = if ends_itself { ", ends itself" } else { "" };
                        let spoilt = spoilt.clone();
                        cases.push(Case {
                            row: format!("{} · {}", phase.name(), scenario.name),
                            name: format!("{call}: {what}, {}{end}", times.name()),
                            waits: spoilt.holds_up(),
                            run: Box::new(move |verdict| play(scenario, &spoilt, ends_itself, verdict)),
                        });
                    }
                }
            }
        }
    }
    cases
}

/// Plays one pod, and holds it against the rules.
fn play(scenario: &'static Scenario, spoilt: &Spoilt, ends_itself: bool, verdict: &mut Verdict) {
    let stage = Stage::of(scenario);
    let mut begun = Instant::now();
    let controller;
    let mut before = 0;
    if spoilt.phase == Phase::Start {
        arm(&stage, spoilt);
        controller = stage.start();
    } else {
        controller = stage.start();
        stage.until_started(&controller);
        before = stage.engine.seen(spoilt.call.as_str());
        arm(&stage, spoilt);
        begun = Instant::now();
    }
    let struck = || stage.engine.seen(spoilt.call.as_str()) > before;
    let fate = spoilt.fate();
    match spoilt.phase {
        Phase::Start if fate.ends_by_itself() => {}
        Phase::Start => {
            until_it_goes_on(&stage, &controller, struck);
            begun = Instant::now();
            controller.signal_if_running(Signal::SIGTERM);
        }
        Phase::Run => {
            stage.stir(&controller);
            // What ends while nobody waits for it, and is gone then, is lost: that is another test's.
            let waited = || fate.ends_by_itself() || stage.engine.seen("POST /containers/aux/wait") > 1;
            let _ = stage.engine.wait_for(|_| struck() && waited(), LIMIT);
            thread::sleep(Duration::from_millis(400));
            if !fate.ends_by_itself() {
                begun = Instant::now();
                end(&stage, &controller, ends_itself, true);
            }
        }
        Phase::Stop => end(&stage, &controller, ends_itself, false),
    }
    let ended = controller.wait(LIMIT * 2);
    let took = begun.elapsed();
    let code = if ends_itself && !fate.ends_by_itself() { 7 } else { fate.code() };
    judge(&stage, spoilt, (code, took, struck()), &ended, verdict);
}

/// By TERM, or because `aux` has; then the fault is over, if it is to be.
fn end(stage: &Stage, controller: &Controller, ends_itself: bool, heals: bool) {
    if ends_itself {
        if heals {
            stage.engine.clear_faults();
        }
        stage.engine.open("over");
    } else {
        controller.signal_if_running(Signal::SIGTERM);
    }
}

/// Until all are started, or a fault has struck that lets some not be.
fn until_it_goes_on(stage: &Stage, controller: &Controller, struck: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    let mut struck_at = None;
    while Instant::now() < end && !controller.has_ended() && !stage.has_started(controller) {
        if struck_at.is_none() && struck() {
            struck_at = Some(Instant::now());
        }
        if struck_at.is_some_and(|at| at.elapsed() > Duration::from_secs(18)) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn arm(stage: &Stage, spoilt: &Spoilt) {
    let call = Call::new(&spoilt.call);
    match spoilt.times {
        Times::Once => drop(stage.engine.fault(call.nth(1), spoilt.fault.clone())),
        Times::Always => drop(stage.engine.fault(call, spoilt.fault.clone())),
        Times::AfterItsWork => drop(stage.engine.fault_after(call, spoilt.fault.clone())),
    }
}

/// The four promises.
fn judge(
    stage: &Stage,
    spoilt: &Spoilt,
    (code, took, struck): (i32, Duration, bool),
    ended: &Ended,
    verdict: &mut Verdict,
) {
    let err = ended.err();
    let forced = err.contains("the pod was killed after SIGTERM") && spoilt.may_force();
    let right = ended.code == Some(code)
        || (code == 0 && forced && ended.code == Some(143))
        || spoilt.may_lose() && ended.code == Some(125);
    verdict.holds(Promise::Code, right, || format!("{:?}, not {code}\n{err}", ended.code));
    let beyond = spoilt.must_not_come().filter(|call| stage.engine.seen(*call) > 0);
    verdict.holds(Promise::Code, beyond.is_none(), || format!("{beyond:?} was asked all the same\n{err}"));
    let limit = spoilt.limit();
    verdict.holds(Promise::Bounded, limit.contains(&took), || format!("took {took:?}, not {limit:?}\n{err}"));
    let left = stage.left();
    let told_of = left.iter().all(|name| {
        err.contains(&format!("{name} may be left behind")) || err.contains("may be left behind, with its volumes")
    });
    let excused =
        spoilt.is_lie() || spoilt.fate() == Fate::Refused || spoilt.phase == Phase::Start && spoilt.is_sweep();
    if !left.is_empty() {
        stage.start_and_end_again();
        let still = stage.left();
        verdict.holds(Promise::Clean, still.is_empty(), || format!("{still:?} after the next start\n{err}"));
        verdict.holds(Promise::Clean, told_of || excused, || format!("{left:?} after the end\n{err}"));
    }
    if struck {
        let words = spoilt.words();
        let told = words.is_empty() || words.iter().any(|words| spoilt.is_told(words, &err));
        verdict.holds(Promise::Told, told, || format!("none of {words:?} in\n{err}"));
    }
    let wrong = stage.fault_of_output(&ended.out(), &err);
    verdict.holds(Promise::Told, wrong.is_none(), || wrong.clone().unwrap_or_default());
}

#[test]
fn every_fault_of_every_call_is_survived() {
    let mut count = 0;
    let mut cases = cases();
    cases.retain(|_| {
        count += 1;
        all_of_it() || count % 3 == 0
    });
    hold("faults of calls, by phase and pod", cases, AT_A_TIME);
}

/// A fault, by what it is: for what only some of them are.
fn is_status(fault: &Fault, status: u16) -> bool {
    matches!(fault, Fault::Status(said, _) if *said == status)
}
