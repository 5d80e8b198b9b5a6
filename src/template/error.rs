//! Why a stack cannot be transformed.

use std::fmt;

use crate::compose::{self, Place};
use crate::gotemplate;

use super::Sort;

/// What is wrong, and where.
#[derive(Debug)]
pub enum Error {
    /// A value of the stack, of its `x-podlike` or of what a template renders to, is not what it should be. Its place names
    /// the stack's file, the service and the template.
    Value(compose::Error),
    /// A template renders to nothing that could be read.
    Template(Box<Template>, Problem),
}

/// A template, as errors name it.
#[derive(Debug, Clone)]
pub struct Template {
    /// Where the stack names it.
    pub place: Place,
    /// The service that it is for.
    pub service: String,
    /// What it makes.
    pub sort: Sort,
    /// Its file or address, or `inline`.
    pub name: String,
}

/// What can be wrong with a template.
#[derive(Debug)]
pub enum Problem {
    /// Its text cannot be had.
    Unreadable(String),
    /// It is no template, or cannot be carried out.
    Language(gotemplate::Error),
    /// It renders to a mapping that is not of one key.
    Roots(
        /// The keys.
        Vec<String>,
    ),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(problem) => problem.fmt(f),
            Self::Template(template, problem) => write!(f, "{template}: {problem}"),
        }
    }
}

/// `FILE:LINE:COLUMN: service 'NAME': SORT NAME`.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, service, sort, name } = self;
        write!(f, "{place}: service '{service}': {sort} {name}")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => f.write_str(why),
            Self::Language(error) => error.fmt(f),
            Self::Roots(keys) if keys.is_empty() => {
                f.write_str("it renders to nothing, expected one key with a mapping, such as 'app: {…}'")
            }
            Self::Roots(keys) => {
                let known = ["image", "command", "labels", "environment"];
                write!(f, "expected one key with a mapping below it, found {}: {}", keys.len(), keys.join(", "))?;
                if keys.iter().any(|key| known.contains(&key.as_str())) {
                    f.write_str(" (a name comes first, and these keys below it)")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<compose::Error> for Error {
    fn from(error: compose::Error) -> Self {
        Self::Value(error)
    }
}
