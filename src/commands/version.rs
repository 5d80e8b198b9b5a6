//! `podlike version` and `podlike --help`.

use std::io::{self, Write};

use crate::version;

use super::{Error, Outcome};

/// Prints what was built.
pub fn version() -> Result<Outcome, Error> {
    print(&format!("podlike {}", version::long()))?;
    Ok(Outcome::Done)
}

/// Prints the help.
pub fn help(text: &str) -> Result<Outcome, Error> {
    print(text)?;
    Ok(Outcome::Done)
}

pub(super) fn print(line: &str) -> Result<(), Error> {
    writeln!(io::stdout(), "{line}").map_err(|source| Error::System { doing: "write to stdout", source })
}
