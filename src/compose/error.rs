//! What can be wrong with a text in Compose notation.

use std::fmt;

use super::Place;

/// A value that is not what the notation asks for, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The place in the source.
    pub place: Box<Place>,
    /// The path of the value, empty for the whole document.
    pub at: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The text is not YAML.
    Syntax {
        /// The parser's words.
        words: String,
        /// What to do about it.
        hint: Option<&'static str>,
    },
    /// A file has more than one document.
    SecondDocument,
    /// An alias within the value that it stands for.
    AliasOfItself,
    /// The text would take too much memory.
    TooLarge(&'static str),
    /// A key that is a list or a mapping.
    KeyIsNoText,
    /// A key that the mapping has already.
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the first one.
        first: usize,
    },
    /// A value of the wrong type.
    WrongType {
        /// What the place takes, such as `a list`.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
        /// What to do about it.
        hint: Option<&'static str>,
    },
    /// A value of the right type that cannot be read.
    Invalid {
        /// The value as written.
        value: String,
        /// What the place takes, with an example.
        expected: String,
    },
    /// A value that can be read and not be used.
    Refused(String),
    /// A key that the mapping does not have.
    UnknownKey {
        /// The key as written.
        key: String,
        /// The known key nearest to it, if one is near.
        nearest: Option<String>,
        /// The known ones, if they are few.
        known: Option<String>,
    },
    /// A key without which the mapping makes no sense.
    MissingKey {
        /// The key that is missing.
        key: &'static str,
    },
}

impl Error {
    /// A problem at a place.
    pub fn new(place: &Place, at: &str, problem: Problem) -> Self {
        Self { place: Box::new(place.clone()), at: at.to_owned(), problem }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        self.problem.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { words, hint: Some(hint) } => write!(f, "not valid YAML: {words} ({hint})"),
            Self::Syntax { words, hint: None } => write!(f, "not valid YAML: {words}"),
            Self::SecondDocument => f.write_str("a second document starts here ('---'), one is all that is read"),
            Self::AliasOfItself => f.write_str("an alias stands within the value that it is an alias of"),
            Self::TooLarge(why) => write!(f, "too large: {why}"),
            Self::KeyIsNoText => f.write_str("expected a string as key (quote a text that starts with '{' or '[')"),
            Self::DuplicateKey { key, first } => {
                write!(f, "the key '{key}' stands here a second time, the first is on line {first}")
            }
            Self::WrongType { expected, found, hint: Some(hint) } => {
                write!(f, "expected {expected}, found {found} ({hint})")
            }
            Self::WrongType { expected, found, hint: None } => write!(f, "expected {expected}, found {found}"),
            Self::Invalid { value, expected } => write!(f, "'{}' is not {expected}", Short(value)),
            Self::Refused(why) => f.write_str(why),
            Self::UnknownKey { key, nearest: Some(known), .. } => {
                write!(f, "unknown key '{}', did you mean '{known}'?", Short(key))
            }
            Self::UnknownKey { key, known: Some(known), .. } => {
                write!(f, "unknown key '{}', known are {known}", Short(key))
            }
            Self::UnknownKey { key, .. } => write!(f, "unknown key '{}'", Short(key)),
            Self::MissingKey { key } => write!(f, "the key '{key}' is missing"),
        }
    }
}

/// A value in a message: on one line, and not all of a long one.
struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 120;
        for c in self.0.chars().take(LONGEST) {
            if c.is_control() { write!(f, "{}", c.escape_debug())? } else { write!(f, "{c}")? }
        }
        if self.0.chars().nth(LONGEST).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

impl std::error::Error for Error {}

/// The name among `known` that `name` was probably meant to be: the one the fewest edits away, if those are few.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long name is no slip of the finger, and would take long to compare.
    const LONGEST: usize = 100;
    if name.len() > LONGEST {
        return None;
    }
    let length = name.chars().count();
    let few = |candidate: &str| 1 + candidate.len().min(name.len()) / 4;
    let near = |candidate: &&str| candidate.chars().count().abs_diff(length) <= few(candidate);
    known
        .into_iter()
        .filter(near)
        .map(|candidate| (edits(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= few(candidate))
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
