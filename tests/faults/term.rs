//! TERM at each call: when it has come to the engine, and when the engine has done it and has not said so yet.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::AT_A_TIME;
use crate::scenario::{Calls, SCENARIOS, Scenario, Stage, rehearse};
use crate::support::cases::LIMIT;
use crate::support::fake_engine::{Call, Fault};
use crate::support::matrix::{Case, Promise, Verdict, all_of_it, hold};

/// A moment: which call, and the how manieth of its kind.
#[derive(Clone)]
struct Moment {
    call: String,
    nth: usize,
    after_work: bool,
    /// The pod is stirred to come there.
    stirred: bool,
    /// It is ending already: by its own end, not by a signal.
    ending: bool,
}

fn moments(calls: &Calls) -> Vec<Moment> {
    let mut seen: BTreeMap<&String, usize> = BTreeMap::new();
    let phases = [(&calls.start, false, false), (&calls.run, true, false), (&calls.stop, false, true)];
    let mut moments = Vec::new();
    for (calls, stirred, ending) in phases {
        if ending {
            // The rehearsal was stirred, and this pod is not.
            seen.clear();
        }
        for call in calls {
            let nth = seen.entry(call).or_default();
            *nth += 1;
            for after_work in [false, true] {
                moments.push(Moment { call: call.clone(), nth: *nth, after_work, stirred, ending });
            }
        }
    }
    moments
}

fn play(scenario: &'static Scenario, moment: &Moment, verdict: &mut Verdict) {
    let stage = Stage::of(scenario);
    let armed = || {
        let (call, gate) = (Call::new(&moment.call).nth(moment.nth), Fault::Held("signalled".to_owned()));
        if moment.after_work {
            stage.engine.fault_after(call, gate)
        } else {
            stage.engine.fault(call, gate)
        };
    };
    if !moment.ending {
        armed();
    }
    let controller = stage.start();
    let mut before = 0;
    if moment.stirred || moment.ending {
        stage.until_started(&controller);
        before = if moment.ending { stage.engine.seen(moment.call.as_str()) } else { 0 };
    }
    if moment.stirred {
        stage.stir(&controller);
    }
    if moment.ending {
        armed();
        stage.engine.open("over");
    }
    let there = |engine: &crate::support::fake_engine::FakeEngine| {
        engine.seen(moment.call.as_str()) >= before + moment.nth || controller.has_ended()
    };
    let came = stage.engine.wait_for(there, Duration::from_secs(20));
    // After its work: that is done while we look away.
    thread::sleep(Duration::from_millis(if moment.after_work { 100 } else { 5 }));
    let begun = Instant::now();
    controller.signal_if_running(Signal::SIGTERM);
    thread::sleep(Duration::from_millis(50));
    stage.engine.open("signalled");
    let ended = controller.wait(LIMIT);
    let (took, err) = (begun.elapsed(), ended.err());
    let right = if moment.ending { [7, 7] } else { [0, 143] };
    verdict.holds(Promise::Code, right.map(Some).contains(&ended.code), || {
        format!("{:?}, not of {right:?}\n{err}", ended.code)
    });
    let is_forced = ended.code == Some(143);
    verdict.holds(Promise::Told, is_forced == err.contains("the pod was killed after SIGTERM"), || err.clone());
    verdict.holds(Promise::Told, !moment.ending || err.contains("component 'aux', exit code 7"), || err.clone());
    verdict.holds(Promise::Bounded, took < Duration::from_secs(25), || format!("took {took:?}\n{err}"));
    let left = stage.left();
    // A pod that has not begun leaves what an earlier life did.
    let begun_to_sweep = err.contains("starting ");
    if !left.is_empty() {
        stage.start_and_end_again();
        let still = stage.left();
        verdict.holds(Promise::Clean, still.is_empty(), || format!("{still:?} after the next start\n{err}"));
        verdict.holds(Promise::Clean, !begun_to_sweep, || format!("{left:?} after the end\n{err}"));
    }
    // Who ends another way need not be stopped.
    verdict.holds(Promise::Told, came || moment.ending, || format!("{} did not come\n{err}", moment.call));
    // A stream that is cut in the moment of the end is as one that has ended: nobody can tell what did not come.
    let wrong = stage.fault_of_output(&ended.out(), &err).filter(|_| !is_forced && !moment.stirred);
    verdict.holds(Promise::Told, wrong.is_none(), || wrong.clone().unwrap_or_default());
}

#[test]
fn a_term_at_any_call_ends_the_pod_well() {
    let taken = if all_of_it() { SCENARIOS } else { &SCENARIOS[..3] };
    let mut cases = Vec::new();
    for scenario in taken {
        for moment in moments(&rehearse(scenario)) {
            let when = if moment.after_work { "when it is done" } else { "when it comes" };
            let phase = if moment.ending {
                "3 stop"
            } else if moment.stirred {
                "2 run"
            } else {
                "1 start"
            };
            cases.push(Case {
                row: format!("{phase} · {}", scenario.name),
                name: format!("{} ({}), {when}", moment.call, moment.nth),
                waits: false,
                run: Box::new(move |verdict| play(scenario, &moment, verdict)),
            });
        }
    }
    hold("TERM at each call", cases, AT_A_TIME);
}
