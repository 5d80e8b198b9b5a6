//! What can be wrong with a template.

use std::fmt;

/// A template that cannot be read or carried out: Go's words, `template: NAME:LINE: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The name of the template that the text is in.
    pub name: String,
    /// The line, from 1 on.
    pub line: usize,
    /// The column in bytes, from 0 on as Go counts; none where Go tells none.
    pub column: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, line, column, problem } = self;
        match column {
            Some(column) => write!(f, "template: {name}:{line}:{column}: {problem}"),
            None => write!(f, "template: {name}:{line}: {problem}"),
        }
    }
}

impl std::error::Error for Error {}
