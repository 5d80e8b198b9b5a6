//! `podlike cgroup`: what an errand of a controller does, in a container that is made for it.

use std::io::{self, Write};

use crate::cgroup::Job;

use super::{Error, Outcome};

/// Does the job that these words stand for, and prints its answer.
pub fn cgroup(words: &[String]) -> Result<Outcome, Error> {
    let answer = Job::parse(words)?.run()?;
    writeln!(io::stdout(), "{answer}").map_err(|source| Error::System { doing: "print the answer", source })?;
    Ok(Outcome::Done)
}
