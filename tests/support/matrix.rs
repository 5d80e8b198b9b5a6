//! A matrix of cases: what each promise came to, as a table, and every cell in which one was broken.
//!
//! ```text
//!   cases ─▶ workers for those that work, and for those that wait ─▶ Verdict each ─▶ a table on stderr, a red test for misses
//! ```
//!
//! `PODLIKE_FAULTS=all` asks for the whole of it; without it a test takes the part that it can in a few minutes.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

/// Whether the whole matrix is asked for.
pub(crate) fn all_of_it() -> bool {
    env::var("PODLIKE_FAULTS").is_ok_and(|value| value == "all")
}

/// What is promised under every fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// The exit code is right.
    Code,
    /// The time is bounded.
    Bounded,
    /// Nothing of ours is left after the end, or after the next start.
    Clean,
    /// The message says what happened, and nothing of a log is lost without a word.
    Told,
}

impl Promise {
    const ALL: [Self; 4] = [Self::Code, Self::Bounded, Self::Clean, Self::Told];

    fn title(self) -> &'static str {
        match self {
            Self::Code => "right code",
            Self::Bounded => "bounded",
            Self::Clean => "clean",
            Self::Told => "told",
        }
    }
}

/// What a case came to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    misses: Vec<(Promise, String)>,
}

impl Verdict {
    /// The promise is kept if it is so.
    pub(crate) fn holds(&mut self, promise: Promise, so: bool, why: impl FnOnce() -> String) {
        if !so {
            self.misses.push((promise, why()));
        }
    }

    fn keeps(&self, promise: Promise) -> bool {
        self.misses.iter().all(|(broken, _)| *broken != promise)
    }
}

/// A cell: the row that it is counted in, its name, and what is tried.
pub(crate) struct Case<'a> {
    pub(crate) row: String,
    pub(crate) name: String,
    /// It waits most of the time.
    pub(crate) waits: bool,
    pub(crate) run: Box<dyn Fn(&mut Verdict) + Send + Sync + 'a>,
}

/// So many cases that wait are as much work as one that does not.
const WAITERS: usize = 8;

/// One matrix has the machine to itself.
static TURN: Mutex<()> = Mutex::new(());

/// Runs the cases, so many at a time, prints the table and fails with the cells that do not hold. `PODLIKE_CASE` chooses
/// those whose names contain a text.
#[track_caller]
pub(crate) fn hold(title: &str, mut cases: Vec<Case<'_>>, at_a_time: usize) {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let begun = Instant::now();
    if let Ok(part) = env::var("PODLIKE_CASE") {
        cases.retain(|case| case.name.contains(&part));
    }
    let verdicts = Mutex::new(BTreeMap::new());
    let queue = |waits: bool| -> Vec<usize> { (0..cases.len()).filter(|place| cases[*place].waits == waits).collect() };
    let queues = [(queue(true), at_a_time * WAITERS), (queue(false), at_a_time)];
    let next = [AtomicUsize::new(0), AtomicUsize::new(0)];
    thread::scope(|scope| {
        for ((queue, workers), next) in queues.iter().zip(&next) {
            for worker in 0..*workers.min(&queue.len()) {
                let work = || {
                    while let Some(place) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let verdict = judge(&cases[*place]);
                        verdicts.lock().expect("no panic in it").insert(*place, verdict);
                    }
                };
                thread::Builder::new().name(format!("case/{worker}")).spawn_scoped(scope, work).expect("a thread");
            }
        }
    });
    let verdicts = verdicts.into_inner().expect("no panic in it");
    let judged: Vec<(&Case<'_>, &Verdict)> =
        verdicts.iter().map(|(place, verdict)| (&cases[*place], verdict)).collect();
    print(&table(title, &judged, begun.elapsed()));
    drop(turn);
    let misses: Vec<String> = judged.iter().flat_map(|(case, verdict)| misses_of(case, verdict)).collect();
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses.join("\n"));
}

/// A panic breaks every promise: nobody knows what it came to.
fn judge(case: &Case<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (case.run)(&mut verdict))) {
        let why = message(panic.as_ref());
        verdict.misses.extend(Promise::ALL.map(|promise| (promise, why.clone())));
    }
    verdict
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn misses_of(case: &Case<'_>, verdict: &Verdict) -> Vec<String> {
    let miss = |(promise, why): &(Promise, String)| {
        format!("  {} · {} · {}: {}", case.row, case.name, promise.title(), why.replace('\n', "\n      "))
    };
    verdict.misses.iter().map(miss).collect()
}

/// A row for each of the cases' rows, and one for all.
fn table(title: &str, judged: &[(&Case<'_>, &Verdict)], took: Duration) -> String {
    let mut rows: Vec<&str> = Vec::new();
    for (case, _) in judged {
        if !rows.contains(&case.row.as_str()) {
            rows.push(&case.row);
        }
    }
    rows.sort_unstable();
    let mut text = format!("\n| {title} ({} s) | tried |", took.as_secs());
    for promise in Promise::ALL {
        let _ = write!(text, " {} |", promise.title());
    }
    text += "\n|---|---:|---:|---:|---:|---:|\n";
    for row in rows.iter().copied().map(Some).chain([None]) {
        let of_row: Vec<&Verdict> = judged
            .iter()
            .filter(|(case, _)| row.is_none_or(|row| case.row == row))
            .map(|(_, verdict)| *verdict)
            .collect();
        let _ = write!(text, "| {} | {} |", row.unwrap_or("**all**"), of_row.len());
        for promise in Promise::ALL {
            let _ = write!(text, " {} |", of_row.iter().filter(|verdict| verdict.keeps(promise)).count());
        }
        text.push('\n');
    }
    text
}

/// Writes past the capture of the test's output: the table is wanted, whether it holds or not.
pub(crate) fn print(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
