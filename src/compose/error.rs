//! What can be wrong with a text in Compose notation.

use std::fmt;

/// A value that is not what the notation asks for, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The text is not YAML; the parser's own words, with line and column.
    Syntax(String),
    /// A value of the wrong type.
    WrongType {
        /// Path of the value, empty for the whole document.
        at: String,
        /// What the place takes, such as `a list`.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A value of the right type that cannot be read.
    Invalid {
        /// Path of the value.
        at: String,
        /// The value as written.
        value: String,
        /// What the place takes, with an example.
        expected: String,
    },
    /// A key that the mapping does not have.
    UnknownKey {
        /// Path of the mapping, empty for the whole document.
        at: String,
        /// The key as written.
        key: String,
        /// The known key nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// A key without which the mapping makes no sense.
    MissingKey {
        /// Path of the mapping, empty for the whole document.
        at: String,
        /// The key that is missing.
        key: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |f: &mut fmt::Formatter<'_>, at: &str| match at {
            "" => Ok(()),
            at => write!(f, "{at}: "),
        };
        match self {
            Self::Syntax(words) => write!(f, "not valid YAML: {words}"),
            Self::WrongType { at, expected, found } => {
                place(f, at)?;
                write!(f, "expected {expected}, found {found}")
            }
            Self::Invalid { at, value, expected } => {
                place(f, at)?;
                write!(f, "'{value}' is not {expected}")
            }
            Self::UnknownKey { at, key, nearest } => {
                place(f, at)?;
                write!(f, "unknown key '{key}'")?;
                match nearest {
                    Some(known) => write!(f, ", did you mean '{known}'?"),
                    None => Ok(()),
                }
            }
            Self::MissingKey { at, key } => {
                place(f, at)?;
                write!(f, "the key '{key}' is missing")
            }
        }
    }
}

impl std::error::Error for Error {}

/// The name among `known` that `name` was probably meant to be: the one the fewest edits away, if those are few.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (edits(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= 1 + candidate.len().min(name.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance of two names.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let keys = ["image", "environment", "command"];
        assert_eq!(nearest("enviroment", keys), Some("environment"));
        assert_eq!(nearest("imgae", keys), Some("image"));
        assert_eq!(nearest("imge", keys), Some("image"));
        assert_eq!(nearest("zzz", keys), None);
    }
}
