//! Templates that nobody wrote: a seeded mutator over the corpus of the language (`tests/golden/templates/`), and templates
//! that are made to take all time, memory or stack.
//!
//! ```text
//! corpus ─▶ template ─mutator.rs─▶ template ─judge.rs─▶ refused, an error, an output, or a broken rule
//! ```
//!
//! How long it goes on and from which seed is told by the variables of `tests/fuzz.rs`:
//! `FUZZ_MINUTES=10 FUZZ_SEED=$RANDOM cargo test --test fuzz_templates mutants -- --nocapture`.

#![cfg(feature = "template")]
#![allow(clippy::panic, reason = "a test fails by a panic")]
#![allow(clippy::print_stdout, reason = "a process with limits tells its figures to the one without")]

#[path = "support/templates.rs"]
mod corpus;
#[path = "fuzz/dice.rs"]
mod dice;
#[path = "fuzz/guard.rs"]
mod guard;
#[path = "fuzz_templates/judge.rs"]
mod judge;
#[path = "fuzz_templates/laughs.rs"]
mod laughs;
#[path = "fuzz_templates/mutator.rs"]
mod mutator;
#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "fuzz/watch.rs"]
mod watch;

use judge::Judge;
use mutator::Mutator;
use seeds::Broken;

/// As many as take about 20 seconds.
const MUTANTS: u64 = 10_000;
/// At least so many of a hundred must get as far as an output: else the mutator only tries the parser.
const DEEP: u64 = 15;

#[test]
fn cases_break_no_rule_as_they_are() {
    guard::guarded("cases_break_no_rule_as_they_are", 60, || {
        let mut judge = Judge::new();
        for case in corpus::cases() {
            guard::note(&case.place);
            judge.judge(&case.template, 0).unwrap_or_else(|rule| panic!("{}: {rule}", case.place));
        }
    });
}

#[test]
fn mutants_break_no_rule() {
    seeds::guarded("mutants_break_no_rule", || {
        let cases = corpus::cases();
        let mutator = Mutator::new(&cases);
        let mut judge = Judge::new();
        let took = seeds::each(MUTANTS, |seed| {
            let template = mutator.mutant(seed);
            judge.judge(&template, seed).map_err(|rule| Broken { rule, mutant: template })
        });
        println!("corpus: {}", cases.len());
        println!("{}", judge.figures(took));
        let share = judge.share();
        assert!(share >= DEEP, "only {share} of a hundred mutants have an output");
    });
}
