//! Labels and files that nobody wrote: a seeded mutator over the golden corpus (`tests/golden/labels/`) and over Compose
//! projects of our own, and texts that are made to take all time or memory.
//!
//! ```text
//! corpus.rs ─▶ World (labels, files, environment) ─mutator.rs─▶ World ─judge.rs─▶ refused, planned, or a broken rule
//!                                                  seeds.rs: one by one   watch.rs: panics, and time
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
#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "fuzz/watch.rs"]
mod watch;

use corpus::Corpus;
use judge::{Judge, Tally};
use mutator::mutant;
use seeds::Broken;

/// As many as take about 20 seconds.
const MUTANTS: u64 = 15_000;
/// At least so many of a hundred must get as far as a plan: else the mutator only tries the parser.
const DEEP: u64 = 20;

#[test]
fn mutants_break_no_rule() {
    seeds::guarded("mutants_break_no_rule", || {
        let corpus = Corpus::read();
        let mut judge = Judge::new();
        let mut tally = Tally::default();
        let took = seeds::each(MUTANTS, |seed| {
            let world = mutant(&corpus, seed);
            let judged = judge.judge(&world, seed, &mut tally);
            judged.map_err(|rule| Broken { rule, mutant: world.to_string() })
        });
        println!("corpus: {}", corpus.worlds.len());
        println!("{}", tally.figures(took));
        let share = tally.planned * 100 / tally.mutants.max(1);
        assert!(share >= DEEP || tally.mutants < 1000, "only {share} of a hundred mutants have a plan");
    });
}
