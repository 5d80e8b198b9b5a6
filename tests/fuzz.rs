//! Labels and files that nobody wrote: a seeded mutator over the golden corpus (`tests/golden/labels/`) and over Compose
//! projects of our own, and texts that are made to take all time or memory.
//!
//! ```text
//! corpus.rs ─▶ World (labels, files, environment) ─mutator.rs─▶ World ─judge.rs─▶ refused, planned, or a broken rule
//!                                                                guard.rs: each test in a process with limits
//! ```
//!
//! | variable | is |
//! |---|---|
//! | `FUZZ_MINUTES` | how long to go on, instead of a fixed number of mutants |
//! | `FUZZ_MUTANTS` | the number of mutants |
//! | `FUZZ_SEED` | the seed of the first mutant; each other one has the next |
//!
//! A long run is `FUZZ_MINUTES=10 FUZZ_SEED=$RANDOM cargo test --test fuzz mutants -- --nocapture`. Every mutant comes from
//! its own seed alone, which is told when it breaks a rule, together with a file that holds the mutant:
//! `FUZZ_SEED=SEED FUZZ_MUTANTS=1` tries it again. The rules are those of `judge.rs`.

#![allow(clippy::panic, reason = "a test fails by a panic")]
#![allow(clippy::print_stdout, reason = "a process with limits tells its figures to the one without")]

#[path = "fuzz/corpus.rs"]
mod corpus;
#[path = "fuzz/dice.rs"]
mod dice;
#[path = "fuzz/guard.rs"]
mod guard;
#[path = "fuzz/judge.rs"]
mod judge;
#[path = "fuzz/laughs.rs"]
mod laughs;
#[path = "fuzz/mutator.rs"]
mod mutator;

use std::env;
use std::fs;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use corpus::Corpus;
use judge::{Judge, Tally};
use mutator::mutant;

/// As many as take about 20 seconds.
const MUTANTS: u64 = 15_000;
/// Longer than any mutant takes, also on a machine that is busy.
const HANGS: Duration = Duration::from_mins(1);
/// What a process may come to hold of memory between its first thousand mutants and its last, in KiB: the
/// allocator keeps up to some 50 MiB of what was freed.
const LEAK: u64 = 96 << 10;
/// At least so many of a hundred must get as far as a plan: else the mutator only tries the parser.
const DEEP: u64 = 20;

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not '{text}'")))
}

#[test]
fn mutants_break_no_rule() {
    let minutes = number("FUZZ_MINUTES");
    let seconds = minutes.map_or(600, |minutes| minutes * 60 + 600);
    guard::guarded("mutants_break_no_rule", seconds, move || {
        let first = number("FUZZ_SEED").unwrap_or(1);
        let many = if minutes.is_some() { u64::MAX } else { number("FUZZ_MUTANTS").unwrap_or(MUTANTS) };
        let until = minutes.map(|minutes| Instant::now() + Duration::from_mins(minutes));
        run(first, many, until);
    });
}

fn run(first: u64, many: u64, until: Option<Instant>) {
    let corpus = Corpus::read();
    let mut judge = Judge::new();
    let mut tally = Tally::default();
    let current = watched();
    let begun = Instant::now();
    let mut warm = None;
    for seed in (first..).take(usize::try_from(many).unwrap_or(usize::MAX)) {
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        current.store(seed, Ordering::Relaxed);
        guard::note(seed);
        let world = mutant(&corpus, seed);
        if let Err(rule) = judge.judge(&world, seed, &mut tally) {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutant-{seed}.txt"));
            fs::write(&file, world.to_string()).expect("a file");
            panic!("FUZZ_SEED={seed} FUZZ_MUTANTS=1 ({}): {rule}", file.display());
        }
        if tally.mutants == 1000 {
            warm = Some(guard::memory().now);
        }
    }
    let memory = guard::memory();
    println!("{}", tally.figures(begun.elapsed()));
    println!("memory: {} KiB at the end, {} KiB at most", memory.now, memory.peak);
    let Some(warm) = warm else { return };
    assert!(memory.now < warm + LEAK, "it holds {} KiB, and held {warm} KiB after a thousand mutants", memory.now);
    let share = tally.planned * 100 / tally.mutants;
    assert!(share >= DEEP, "only {share} of a hundred mutants have a plan");
}

/// The seed that is being tried. One that is tried for ever ends the process.
fn watched() -> Arc<AtomicU64> {
    let current = Arc::new(AtomicU64::new(0));
    let watched = Arc::clone(&current);
    thread::spawn(move || {
        loop {
            let before = watched.load(Ordering::Relaxed);
            thread::sleep(HANGS);
            if before == watched.load(Ordering::Relaxed) {
                println!("FUZZ_SEED={before} FUZZ_MUTANTS=1 hangs");
                process::exit(1);
            }
        }
    });
    current
}
