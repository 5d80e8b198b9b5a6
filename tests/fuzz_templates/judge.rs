//! The rules for any template: no panic, no long time, no long output, the same output twice, and every error has a place
//! in the template.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use podlike::gotemplate::{Error, Functions, Template, Value};

use super::corpus::{self, NAME};
use super::watch::Watch;

/// For a template that is shorter than [`super::mutator::LONGEST`], without optimization: all steps that it may take.
const LONGEST: Duration = Duration::from_secs(20);

/// The longest output that there may be, in bytes.
const OUTPUT: usize = 16 << 20;

pub(crate) struct Judge {
    functions: Functions,
    data: Value,
    watch: Watch,
    tally: Tally,
}

/// What became of the mutants.
#[derive(Default)]
struct Tally {
    mutants: u64,
    /// Those that are no templates.
    refused: u64,
    /// Those that have an output.
    done: u64,
    longest: usize,
    slowest: (Duration, u64),
    /// Messages without what is different in each.
    errors: BTreeMap<String, u64>,
}

impl Judge {
    pub(crate) fn new() -> Self {
        let (functions, data) = (corpus::functions(), corpus::data());
        Self { functions, data, watch: Watch::new(), tally: Tally::default() }
    }

    /// Tries a mutant. What is returned is the rule that it broke.
    pub(crate) fn judge(&mut self, template: &str, seed: u64) -> Result<(), String> {
        let Self { functions, data, watch, tally } = self;
        let took = watch.attempt(|| tally.attempt(template, functions, data))?;
        tally.mutants += 1;
        tally.slowest = tally.slowest.max((took, seed));
        if took > LONGEST {
            return Err(format!("it took {} ms of CPU for {} bytes", took.as_millis(), template.len()));
        }
        Ok(())
    }

    /// How many of a hundred mutants have an output.
    pub(crate) fn share(&self) -> u64 {
        self.tally.done * 100 / self.tally.mutants.max(1)
    }

    pub(crate) fn figures(&self, took: Duration) -> String {
        let Tally { mutants, refused, done, longest, slowest, errors } = &self.tally;
        let rate = u128::from(*mutants) * 1000 / took.as_millis().max(1);
        let each = |many: u64| many * 100 / mutants.max(&1);
        let mut text = format!("mutants: {mutants} in {} s, {rate} a second\n", took.as_secs());
        let mut line = |what: &str, many: &dyn std::fmt::Display| writeln!(text, "{what}: {many}").expect("a text");
        line("refused", &format!("{refused} ({} %)", each(*refused)));
        line("with an output", &format!("{done} ({} %)", each(*done)));
        line("kinds of errors", &errors.len());
        line("longest output", &longest);
        line("slowest", &format!("{} ms of CPU, seed {}", slowest.0.as_millis(), slowest.1));
        if std::env::var_os("FUZZ_KINDS").is_some() {
            for (error, many) in errors {
                line("error", &format!("{many} {error}"));
            }
        }
        text
    }
}

impl Tally {
    fn attempt(&mut self, text: &str, functions: &Functions, data: &Value) -> Result<(), String> {
        let template = match Template::parse(NAME, text, functions) {
            Ok(template) => template,
            Err(error) => {
                self.refused += 1;
                return self.complaint(&error, text);
            }
        };
        match template.execute(data) {
            Ok(output) if output.len() > OUTPUT => Err(format!("the output has {} bytes", output.len())),
            Ok(output) => {
                self.done += 1;
                self.longest = self.longest.max(output.len());
                let again = template.execute(data);
                if again.as_ref() == Ok(&output) { Ok(()) } else { Err("the second output is another".to_owned()) }
            }
            Err(error) => self.complaint(&error, text),
        }
    }

    /// Whether the place of an error is in the template.
    fn complaint(&mut self, error: &Error, text: &str) -> Result<(), String> {
        *self.errors.entry(kind(&error.problem)).or_default() += 1;
        let line = error.line.checked_sub(1).and_then(|before| text.split('\n').nth(before));
        let is_inside = line.is_some_and(|line| error.column.is_none_or(|column| column <= line.len()));
        if is_inside && error.name == NAME { Ok(()) } else { Err(format!("the place is not in the template: {error}")) }
    }
}

/// A message without names, numbers and values.
fn kind(problem: &str) -> String {
    let words = problem.rsplit_once(">: ").map_or(problem, |(_, words)| words);
    let words = words.split(['"', '\'', '[', '{']).next().unwrap_or_default();
    words.chars().filter(|c| c.is_ascii_alphabetic() || *c == ' ').take(40).collect()
}
