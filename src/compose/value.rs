//! A value of a document, which knows where it stands; scalars typed as Docker's loaders type them, but kept as they are
//! written, so that `1.10` stays `1.10`.

use super::place::Place;
use super::{Budget, Error, Problem};

/// A value of a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Node {
    /// The path from the document's root, such as `services.web.ports[0]`; empty for the root.
    pub at: String,
    /// Where it stands in its source; through an alias or a merge: where it was written.
    pub place: Place,
    /// Where its key stands; the value itself in a list.
    pub key: Place,
    /// Whether it is a literal block (`|`), whose lines are those of the source.
    pub block: bool,
    /// The value.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// Any other scalar.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the document, its merge keys (`<<`) resolved.
    Map(Vec<(String, Node)>),
}

/// The path of an entry.
pub(super) fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// A whole number as go-yaml reads it: decimal, `0x`, `0o` or just `0` before an octal one, `0b`, `_` between digits.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', b'o', ..] => (8, &digits[2..]),
        [b'0', b'b', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let value = i64::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some(if negative { -value } else { value })
}

impl Kind {
    /// What it is, in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl Node {
    /// The error that this place takes something else.
    pub fn expected(&self, expected: &'static str) -> Error {
        let mapping = expected.contains("a mapping");
        let hint = match &self.kind {
            _ if expected == "a list" => Some("each entry of a list begins with '- '"),
            _ if expected == "a boolean" => Some("write true or false"),
            Kind::Number(_) | Kind::Bool(_) if expected == "a string" || expected.starts_with("a size") => {
                Some("put quotes around it")
            }
            Kind::List(_) if mapping => Some("the keys of a mapping have no '- ' before them"),
            Kind::Text(text) if mapping && text.contains(':') => Some("a blank follows the ':' behind a key"),
            Kind::Null if mapping && !self.at.is_empty() => Some("what belongs to a key is indented below it"),
            _ => None,
        };
        Error::new(&self.place, &self.at, Problem::WrongType { expected, found: self.kind.name(), hint })
    }

    /// The error that this scalar cannot be read as what the place takes.
    pub fn invalid(&self, expected: impl Into<String>) -> Error {
        let value = match &self.kind {
            Kind::Text(text) | Kind::Number(text) => text.clone(),
            Kind::Bool(value) => value.to_string(),
            other => other.name().to_owned(),
        };
        self.not(&value, expected)
    }

    /// The error that `value`, a part of this one, cannot be read as what the place takes.
    pub fn not(&self, value: &str, expected: impl Into<String>) -> Error {
        Error::new(&self.place, &self.at, Problem::Invalid { value: value.to_owned(), expected: expected.into() })
    }

    /// The error that this value stands in the way of another, or cannot be used here.
    pub fn refused(&self, why: impl Into<String>) -> Error {
        Error::new(&self.key, &self.at, Problem::Refused(why.into()))
    }

    /// The error that `key` is not one of the `known` keys of this mapping.
    pub fn unknown<'a>(&self, key: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
        const FEW: usize = 15;
        let known: Vec<&str> = known.into_iter().collect();
        let nearest = super::nearest(key, known.iter().copied()).map(str::to_owned);
        let known = (known.len() <= FEW).then(|| known.join(", "));
        let place = self.get(key).map_or(&self.place, |value| &value.key);
        Error::new(place, &self.at, Problem::UnknownKey { key: key.to_owned(), nearest, known })
    }

    /// The error that a key is missing in this mapping.
    pub fn missing(&self, key: &'static str) -> Error {
        Error::new(&self.place, &self.at, Problem::MissingKey { key })
    }

    /// Whether nothing stands here.
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// A scalar as text: Compose takes numbers and booleans for strings.
    pub fn text(&self) -> Result<String, Error> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Ok(text.clone()),
            Kind::Bool(value) => Ok(value.to_string()),
            _ => Err(self.expected("a string")),
        }
    }

    /// A boolean, also as YAML 1.1 spells it (`yes`, `no`, `on`, `off`), as Docker's loader reads it.
    pub fn bool(&self) -> Result<bool, Error> {
        match &self.kind {
            Kind::Bool(value) => Ok(*value),
            Kind::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => Ok(true),
                "false" | "no" | "off" | "n" => Ok(false),
                _ => Err(self.invalid("a boolean: true or false")),
            },
            _ => Err(self.expected("a boolean")),
        }
    }

    /// A whole number; one that starts with 0 is octal.
    pub fn integer(&self) -> Result<i64, Error> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => {
                whole_number(text.trim()).ok_or_else(|| self.invalid("a whole number such as 5"))
            }
            _ => Err(self.expected("a whole number")),
        }
    }

    /// A number, such as `0.5`.
    pub fn number(&self) -> Result<f64, Error> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => match text.trim().parse() {
                Ok(number) if f64::is_finite(number) => Ok(number),
                _ => Err(self.invalid("a number such as 0.5")),
            },
            _ => Err(self.expected("a number")),
        }
    }

    /// The items of a list.
    pub fn list(&self) -> Result<&[Node], Error> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(self.expected("a list")),
        }
    }

    /// The entries of a mapping.
    pub fn map(&self) -> Result<&[(String, Node)], Error> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(self.expected("a mapping")),
        }
    }

    /// The value of a key, if this is a mapping that has it and it is not null.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|(known, value)| known == key && !value.is_null()).map(|(_, value)| value)
    }

    /// A value that stands in no source.
    pub fn made(kind: Kind) -> Self {
        let place = Place::default();
        Self { at: String::new(), key: place.clone(), place, block: false, kind }
    }

    /// Puts an entry into a mapping: where the key is already, else at the end. What is no mapping becomes one.
    pub fn put(&mut self, key: &str, value: Self) {
        if !matches!(self.kind, Kind::Map(_)) {
            self.kind = Kind::Map(Vec::new());
        }
        let Kind::Map(entries) = &mut self.kind else { return };
        match entries.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value,
            None => entries.push((key.to_owned(), value)),
        }
    }

    /// Takes it and all that is in it from a budget, as if it stood there once more.
    pub(super) fn charge(&self, budget: &Budget) -> Result<(), Error> {
        let length = if let Kind::Text(text) | Kind::Number(text) = &self.kind { text.len() } else { 0 };
        budget.take(1, self.at.len() + length).map_err(|problem| Error::new(&self.place, &self.at, problem))?;
        match &self.kind {
            Kind::List(items) => items.iter().try_for_each(|item| item.charge(budget)),
            Kind::Map(entries) => entries.iter().try_for_each(|(_, value)| value.charge(budget)),
            _ => Ok(()),
        }
    }

    /// Gives it and all that is in it another path.
    pub(super) fn move_to(&mut self, at: String) {
        match &mut self.kind {
            Kind::List(items) => items.iter_mut().enumerate().for_each(|(i, item)| item.move_to(format!("{at}[{i}]"))),
            Kind::Map(entries) => entries.iter_mut().for_each(|(key, value)| value.move_to(join(&at, key))),
            _ => {}
        }
        self.at = at;
    }
}

/// A text that stands in no source.
impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::made(Kind::Text(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_put_where_its_key_is_or_at_the_end() {
        let mut node = Node::from("x");
        for (key, value) in [("b", "1"), ("a", "2"), ("b", "3")] {
            node.put(key, value.into());
        }
        assert_eq!(node.kind, Kind::Map(vec![("b".into(), "3".into()), ("a".into(), "2".into())]));
    }
}
