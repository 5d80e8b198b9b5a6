//! YAML text → an ordered tree whose nodes know where they stand. The only file that knows the YAML crate.

use serde_yaml::Value;

use super::Error;

/// A value of a document, with its path.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The path from the document's root, such as `services.web.ports[0]`; empty for the root.
    pub at: String,
    /// The value.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as text.
    Number(String),
    /// Any other scalar.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the document, its merge keys (`<<`) resolved.
    Map(Vec<(String, Node)>),
}

/// Reads one YAML document. Anchors are followed, merge keys resolved, tags ignored.
pub fn parse(text: &str) -> Result<Node, Error> {
    let value: Value = serde_yaml::from_str(text).map_err(|error| {
        let mut words = error.to_string();
        let indented_by_tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
        if text.lines().any(indented_by_tab) {
            words.push_str(" (a line is indented with a tab: YAML takes only spaces)");
        }
        Error::Syntax(words)
    })?;
    node(String::new(), value)
}

fn node(at: String, value: Value) -> Result<Node, Error> {
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(value) => Kind::Bool(value),
        Value::Number(number) => Kind::Number(number.to_string()),
        Value::String(text) => Kind::Text(text),
        Value::Tagged(tagged) => return node(at, tagged.value),
        Value::Sequence(items) => Kind::List(
            items
                .into_iter()
                .enumerate()
                .map(|(i, item)| node(format!("{at}[{i}]"), item))
                .collect::<Result<_, _>>()?,
        ),
        Value::Mapping(entries) => Kind::Map(mapping(&at, entries)?),
    };
    Ok(Node { at, kind })
}

/// The entries of a mapping: its own first, then what its merge keys add, the earlier winning.
fn mapping(at: &str, entries: serde_yaml::Mapping) -> Result<Vec<(String, Node)>, Error> {
    let mut own: Vec<(String, Node)> = Vec::new();
    let mut merged: Vec<Node> = Vec::new();
    for (key, value) in entries {
        let key = match node(at.to_owned(), key)?.kind {
            Kind::Text(key) | Kind::Number(key) => key,
            Kind::Bool(key) => key.to_string(),
            Kind::Null => String::new(),
            Kind::List(_) => return Err(wrong(at, "a string as key", "a list")),
            Kind::Map(_) => return Err(wrong(at, "a string as key", "a mapping")),
        };
        if key == "<<" {
            match node(at.to_owned(), value)? {
                Node { kind: Kind::List(items), .. } => merged.extend(items),
                single => merged.push(single),
            }
        } else {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            own.push((key, node(at, value)?));
        }
    }
    for source in merged {
        let Kind::Map(entries) = source.kind else {
            return Err(wrong(at, "a mapping to merge with '<<'", source.kind.name()));
        };
        for (key, value) in entries {
            if own.iter().all(|(known, _)| *known != key) {
                own.push((key, value));
            }
        }
    }
    Ok(own)
}

fn wrong(at: &str, expected: &'static str, found: &'static str) -> Error {
    Error::WrongType { at: at.to_owned(), expected, found }
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
        wrong(&self.at, expected, self.kind.name())
    }

    /// The error that this scalar cannot be read as what the place takes.
    pub fn invalid(&self, expected: impl Into<String>) -> Error {
        let value = match &self.kind {
            Kind::Text(text) | Kind::Number(text) => text.clone(),
            Kind::Bool(value) => value.to_string(),
            other => other.name().to_owned(),
        };
        Error::Invalid { at: self.at.clone(), value, expected: expected.into() }
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

    /// A whole number.
    pub fn integer(&self) -> Result<i64, Error> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => text.parse().map_err(|_| self.invalid("a whole number such as 5")),
            _ => Err(self.expected("a whole number")),
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

    /// The error that `key` is not one of the `known` keys of this mapping.
    pub fn unknown<'a>(&self, key: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
        let nearest = super::nearest(key, known).map(str::to_owned);
        Error::UnknownKey { at: self.at.clone(), key: key.to_owned(), nearest }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn nodes_know_their_path() {
        let root = parse("a:\n  b: [x, {c: 1}]\n").expect("valid");
        let list = &root.map().expect("map")[0].1.map().expect("map")[0].1;
        assert_eq!(list.at, "a.b");
        let number = &list.list().expect("list")[1].map().expect("map")[0].1;
        assert_eq!((number.at.as_str(), &number.kind), ("a.b[1].c", &Kind::Number("1".into())));
    }

    #[test]
    fn chained_merge_keys_leave_nothing_behind() {
        let root = parse("x: &x {a: 1, b: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: [*y], c: 3}\n").expect("valid");
        let z: Vec<_> = root.map().expect("map")[2]
            .1
            .map()
            .expect("map")
            .iter()
            .map(|(k, v)| (k.as_str(), v.text().expect("text")))
            .collect();
        assert_eq!(z, [("c", "3".into()), ("b", "2".into()), ("a", "1".into())]);
    }

    #[test]
    fn a_tab_is_pointed_at() {
        let error = parse("image: x\n\tcommand: y\n").expect_err("a tab");
        assert!(error.to_string().contains("line 2") && error.to_string().contains("tab"), "{error}");
    }

    #[test]
    fn booleans_as_dockers_loader_reads_them() {
        for (text, value) in [("yes", true), ("off", false), ("True", true), ("n", false)] {
            assert_eq!(parse(text).expect("valid").bool(), Ok(value), "{text}");
        }
        assert!(parse("maybe").expect("valid").bool().is_err());
    }

    #[test]
    fn a_billion_laughs_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for i in 1..9 {
            let nine = vec![format!("*a{}", i - 1); 9].join(", ");
            writeln!(text, "a{i}: &a{i} [{nine}]").expect("a String takes every line");
        }
        assert!(matches!(parse(&text), Err(Error::Syntax(_))));
    }
}
