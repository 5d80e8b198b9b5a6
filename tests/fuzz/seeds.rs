//! A mutant for each seed, from `FUZZ_SEED` on: `FUZZ_MUTANTS` of them, or as many as `FUZZ_MINUTES` are enough for.

use std::env;
use std::fs;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::guard;

/// Longer than any mutant takes, also on a machine that is busy.
const HANGS: Duration = Duration::from_mins(1);
/// What a process may come to hold of memory between its first thousand mutants and its last, in KiB.
const LEAK: usize = 1 << 10;

/// A rule that a mutant broke.
pub(crate) struct Broken {
    pub(crate) rule: String,
    /// The mutant as a text for people.
    pub(crate) mutant: String,
}

/// Runs the body of a test in a process with limits. `test` is its full name.
pub(crate) fn guarded(test: &str, body: impl FnOnce() + Send + 'static) {
    let seconds = number("FUZZ_MINUTES").map_or(600, |minutes| minutes * 60 + 600);
    guard::guarded(test, seconds, body);
}

/// Tries the mutant of each seed, `usual` of them if nobody says how many, and tells how long that took. A rule that is
/// broken fails the test.
pub(crate) fn each(usual: u64, mut attempt: impl FnMut(u64) -> Result<(), Broken>) -> Duration {
    let minutes = number("FUZZ_MINUTES");
    let first = number("FUZZ_SEED").unwrap_or(1);
    let many = if minutes.is_some() { u64::MAX } else { number("FUZZ_MUTANTS").unwrap_or(usual) };
    let until = minutes.map(|minutes| Instant::now() + Duration::from_mins(minutes));
    let current = watched();
    let begun = Instant::now();
    let mut warm = None;
    for (tried, seed) in (1..=many).zip(first..) {
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        current.store(seed, Ordering::Relaxed);
        guard::note(seed);
        if let Err(Broken { rule, mutant }) = attempt(seed) {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutant-{seed}.txt"));
            fs::write(&file, mutant).expect("a file");
            panic!("FUZZ_SEED={seed} FUZZ_MUTANTS=1 ({}): {rule}", file.display());
        }
        if tried == 1000 {
            warm = Some(guard::memory().now);
        }
    }
    let memory = guard::memory();
    println!("crashes: 0");
    println!("memory: {} KiB at the end, {} KiB at most", memory.now, memory.peak);
    if let Some(warm) = warm {
        assert!(memory.now < warm + LEAK, "it holds {} KiB, and held {warm} KiB after a thousand mutants", memory.now);
    }
    begun.elapsed()
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not '{text}'")))
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
