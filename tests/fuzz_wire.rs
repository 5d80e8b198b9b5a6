//! Bytes that nobody sent: a seeded mutator over what engines answered (`tests/golden/engines/`), over streams of frames,
//! references of images and archives of them.
//!
//! ```text
//! corpus ─▶ bytes ─mutator.rs─▶ bytes ─┬─ http.rs        through a socket, in any pieces, as the answer to a call
//!                                      ├─ frames.rs      as the output of a component
//!                                      ├─ references.rs  as the name of an image, and as logins for registries
//!                                      └─ archives.rs    as a file of the folder of images
//! ```
//!
//! How long it goes on and from which seed is told by the variables of `tests/fuzz.rs`. All targets, also those of labels
//! and templates, are run by `make fuzz MINUTES=60`.

#![allow(clippy::panic, reason = "a test fails by a panic")]
#![allow(clippy::print_stdout, reason = "a process with limits tells its figures to the one without")]

#[path = "fuzz_wire/archives.rs"]
mod archives;
#[path = "support/archives.rs"]
#[expect(dead_code, reason = "a part of it is for other tests")]
mod archives_of_images;
#[path = "fuzz/dice.rs"]
#[expect(dead_code, reason = "a part of it is for texts")]
mod dice;
#[path = "fuzz_wire/frames.rs"]
mod frames;
#[path = "fuzz/guard.rs"]
mod guard;
#[path = "fuzz_wire/http.rs"]
mod http;
#[path = "fuzz_wire/mutator.rs"]
mod mutator;
#[path = "support/records.rs"]
#[expect(dead_code, reason = "a part of it is for who records")]
mod records;
#[path = "fuzz_wire/references.rs"]
mod references;
#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "fuzz/watch.rs"]
mod watch;

use std::time::Duration;

use seeds::Broken;
use watch::Watch;

/// No mutant takes more CPU time than this, without optimization.
const LONGEST: Duration = Duration::from_secs(2);

/// Something that is tried with bytes of all kinds.
trait Target {
    /// Its name among the figures.
    const NAME: &'static str;
    /// As many mutants as take about five seconds.
    const MUTANTS: u64;

    /// How many the mutants are made of.
    fn corpus(&self) -> usize;
    /// The mutant of a seed.
    fn mutant(&mut self, seed: u64) -> Vec<u8>;
    /// Tries it. What is returned is the rule that it broke.
    fn attempt(&mut self, mutant: &[u8], seed: u64) -> Result<(), String>;
    /// How many were not refused.
    fn deep(&self) -> u64;
}

fn run<T: Target>(mut target: T) {
    let watch = Watch::new();
    let (mut tried, mut slowest) = (0_u64, (Duration::ZERO, 0));
    let took = seeds::each(T::MUTANTS, |seed| {
        let mutant = target.mutant(seed);
        tried += 1;
        let attempted = watch.attempt(|| target.attempt(&mutant, seed)).and_then(|took| {
            slowest = slowest.max((took, seed));
            let late = || format!("it took {} ms of CPU for {} bytes", took.as_millis(), mutant.len());
            if took > LONGEST { Err(late()) } else { Ok(()) }
        });
        attempted.map_err(|rule| Broken { rule, mutant: mutant.escape_ascii().to_string() })
    });
    let rate = u128::from(tried) * 1000 / took.as_millis().max(1);
    let deep = target.deep() * 100 / tried.max(1);
    println!(
        "{}: {tried} mutants of {} in {} s, {rate} a second, {deep} % taken",
        T::NAME,
        target.corpus(),
        took.as_secs()
    );
    println!("slowest: {} ms of CPU, seed {}", slowest.0.as_millis(), slowest.1);
    assert!(deep >= 5 || tried < 1000, "only {deep} of a hundred mutants are taken: only the refusals are tried");
}

#[test]
fn answers_break_no_rule() {
    seeds::guarded("answers_break_no_rule", || run(http::Answers::new()));
}

#[test]
fn frames_break_no_rule() {
    seeds::guarded("frames_break_no_rule", || run(frames::Output::new()));
}

#[test]
fn references_break_no_rule() {
    seeds::guarded("references_break_no_rule", || run(references::References::new()));
}

#[test]
fn archives_break_no_rule() {
    seeds::guarded("archives_break_no_rule", || run(archives::Archives::new()));
}
