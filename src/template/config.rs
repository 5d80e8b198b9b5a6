//! `x-podlike`: which templates a service has, and their arguments.

use crate::compose::stack::Extensions;
use crate::compose::{Error, Kind, Node, Place, nearest};

use super::Sort;
use super::merge::{Entries, fill};

/// The extensions of a stack: of its services, and for all of them.
#[derive(Debug, Default)]
pub(super) struct Config {
    services: Vec<(String, Definition)>,
    arguments: Entries,
    /// What is not as it seems.
    pub(super) notes: Vec<(Place, String)>,
}

/// The templates of a service, and its arguments.
#[derive(Debug, Default)]
pub(super) struct Definition {
    templates: Vec<(Sort, Item)>,
    /// Its own arguments, and what they don't have of those for all.
    pub(super) arguments: Entries,
}

/// A template.
#[derive(Debug)]
pub(super) struct Item {
    /// Where the stack names it.
    pub(super) place: Place,
    pub(super) origin: Origin,
}

/// Where the text of a template comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// A file.
    File {
        path: String,
        /// What is taken where it cannot be read.
        fallback: Option<Box<Item>>,
    },
    /// The stack itself: a text, or a mapping that is written as one.
    Inline(Node),
    /// A server.
    Http {
        url: String,
        /// Whether any certificate will do.
        insecure: bool,
        fallback: Option<Box<Item>>,
    },
}

/// The key of arguments.
const ARGUMENTS: &str = "args";

impl Config {
    /// Reads the extensions: those of services, then the top-level ones. What comes first wins.
    pub(super) fn read(extensions: &Extensions<'_>, services: &[String]) -> Result<Self, Error> {
        let mut config = Self::default();
        for (service, node) in &extensions.services {
            config.define(service, node)?;
        }
        for node in &extensions.top {
            config.top_level(node, services)?;
        }
        for (_, definition) in &mut config.services {
            fill(&mut definition.arguments, &config.arguments);
        }
        Ok(config)
    }

    /// Whether no service has templates.
    pub(super) fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    fn top_level(&mut self, node: &Node, services: &[String]) -> Result<(), Error> {
        if node.is_null() {
            return Ok(());
        }
        for (key, value) in node.map()? {
            if key == ARGUMENTS {
                fill(&mut self.arguments, arguments(value)?);
            } else if services.contains(key) {
                self.define(key, value)?;
            } else {
                let hint = match nearest(key, services.iter().map(String::as_str)) {
                    _ if Sort::ALL.iter().any(|sort| sort.key() == key) => {
                        format!(": here stand services, and below them '{key}'")
                    }
                    Some(near) => format!(", did you mean '{near}'?"),
                    None => String::new(),
                };
                return Err(value.refused(format!("the stack has no service '{key}'{hint}")));
            }
        }
        Ok(())
    }

    fn define(&mut self, service: &str, node: &Node) -> Result<(), Error> {
        let at = self.services.iter().position(|(known, _)| known == service).unwrap_or_else(|| {
            self.services.push((service.to_owned(), Definition::default()));
            self.services.len() - 1
        });
        if node.is_null() {
            return Ok(());
        }
        for (key, value) in node.map()? {
            let definition = &mut self.services[at].1;
            if key == ARGUMENTS {
                fill(&mut definition.arguments, arguments(value)?);
                continue;
            }
            let Some(sort) = Sort::ALL.into_iter().find(|sort| sort.key() == key) else {
                return Err(node.unknown(key, Sort::ALL.map(Sort::key).into_iter().chain([ARGUMENTS])));
            };
            let items = match &value.kind {
                Kind::Null => &[],
                Kind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(value),
            };
            for item in items {
                definition.templates.push((sort, Item::read(item, &mut self.notes)?));
            }
        }
        Ok(())
    }

    /// The definition of a service, if it has one.
    pub(super) fn of(&self, service: &str) -> Option<&Definition> {
        self.services.iter().find(|(known, _)| known == service).map(|(_, definition)| definition)
    }
}

impl Definition {
    /// The templates of a sort, in order.
    pub(super) fn templates(&self, sort: Sort) -> impl Iterator<Item = &Item> {
        self.templates.iter().filter(move |(of, _)| *of == sort).map(|(_, item)| item)
    }
}

fn arguments(node: &Node) -> Result<&[(String, Node)], Error> {
    if node.is_null() { Ok(&[]) } else { node.map() }
}

impl Item {
    fn read(node: &Node, notes: &mut Vec<(Place, String)>) -> Result<Self, Error> {
        const SOURCES: [&str; 3] = ["file", "inline", "http"];
        let origin = match &node.kind {
            Kind::Text(text) => Origin::named(text),
            Kind::Map(entries) => {
                if let Some((key, _)) = entries.iter().find(|(key, _)| !SOURCES.contains(&key.as_str())) {
                    return Err(node.unknown(key, SOURCES));
                }
                let mut found = SOURCES.into_iter().filter_map(|key| node.get(key).map(|value| (key, value)));
                let Some((key, value)) = found.next() else {
                    return Err(node.refused("a template without a source: expected 'file', 'inline' or 'http'"));
                };
                for (other, value) in found {
                    let why = format!("'{other}' is not read, as '{key}' stands beside it: a template has one source");
                    notes.push((value.key.clone(), why));
                }
                match key {
                    "file" => Origin::file(value, notes)?,
                    "http" => Origin::http(value, notes)?,
                    _ => Origin::inline(value)?,
                }
            }
            _ => return Err(node.expected("a string or a mapping with 'file', 'inline' or 'http'")),
        };
        Ok(Self { place: node.place.clone(), origin })
    }
}

impl Origin {
    /// A string is a file, or an address.
    fn named(text: &str) -> Self {
        let is_address = ["http://", "https://"]
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if is_address {
            Self::Http { url: text.to_owned(), insecure: false, fallback: None }
        } else {
            Self::File { path: text.to_owned(), fallback: None }
        }
    }

    fn inline(node: &Node) -> Result<Self, Error> {
        match node.kind {
            Kind::Text(_) | Kind::Map(_) => Ok(Self::Inline(node.clone())),
            _ => Err(node.expected("a string or a mapping")),
        }
    }

    fn file(node: &Node, notes: &mut Vec<(Place, String)>) -> Result<Self, Error> {
        let (path, fallback) = located(node, "path", &["path", "fallback"], notes)?;
        Ok(Self::File { path, fallback })
    }

    fn http(node: &Node, notes: &mut Vec<(Place, String)>) -> Result<Self, Error> {
        let (url, fallback) = located(node, "url", &["url", "insecure", "fallback"], notes)?;
        let insecure = match node.get("insecure") {
            None => false,
            Some(Node { kind: Kind::Bool(insecure), .. }) => *insecure,
            Some(other) => return Err(other.expected("a boolean")),
        };
        Ok(Self::Http { url, insecure, fallback })
    }
}

/// A string, or a mapping with it and a fallback.
fn located(
    node: &Node,
    key: &'static str,
    known: &[&'static str],
    notes: &mut Vec<(Place, String)>,
) -> Result<(String, Option<Box<Item>>), Error> {
    match &node.kind {
        Kind::Text(text) => Ok((text.clone(), None)),
        Kind::Map(entries) => {
            if let Some((unknown, _)) = entries.iter().find(|(key, _)| !known.contains(&key.as_str())) {
                return Err(node.unknown(unknown, known.iter().copied()));
            }
            let value = node.get(key).ok_or_else(|| node.missing(key))?;
            let Kind::Text(text) = &value.kind else { return Err(value.expected("a string")) };
            let fallback = node.get("fallback").map(|fallback| Item::read(fallback, notes)).transpose()?;
            Ok((text.clone(), fallback.map(Box::new)))
        }
        _ => Err(node.expected("a string or a mapping")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::valid;

    /// The sources of one template, the fallbacks behind it.
    fn sources(text: &str) -> Result<Vec<String>, String> {
        let node = valid(text);
        let mut item = Item::read(&node, &mut Vec::new()).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        loop {
            let (source, fallback) = match item.origin {
                Origin::Inline(node) => (format!("inline {}", node.kind.name()), None),
                Origin::File { path, fallback } => (format!("file {path}"), fallback),
                Origin::Http { url, insecure, fallback } => (format!("http {url} {insecure}"), fallback),
            };
            found.push(source);
            let Some(fallback) = fallback else { return Ok(found) };
            item = *fallback;
        }
    }

    #[test]
    fn a_template_has_many_forms() {
        for (text, expected) in [
            ("a.yml", &["file a.yml"][..]),
            ("http://a", &["http http://a false"]),
            ("HTTPS://a", &["http HTTPS://a false"]),
            ("https", &["file https"]),
            ("łódź", &["file łódź"]),
            ("file: a", &["file a"]),
            ("file: {path: a, fallback: b}", &["file a", "file b"]),
            ("http: a", &["http a false"]),
            ("http: {url: a, insecure: true, fallback: {inline: b}}", &["http a true", "inline a string"]),
            ("inline: {a: b}", &["inline a mapping"]),
            ("inline: ''", &["inline a string"]),
            ("{inline: i, http: h}", &["inline a string"]),
            ("{inline: i, http: h, file: f}", &["file f"]),
        ] {
            assert_eq!(sources(text).expect(text), expected, "{text}");
        }
        for text in
            ["5", "[a]", "{}", "file: ", "file: 5", "file: {path: 5}", "inline: 5", "http: {url: a, insecure: 1}"]
        {
            assert!(sources(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_comes_first_wins_and_one_extension_is_for_many() {
        let (own, second) = (valid("{pod: a, args: {x: own}}"), valid("{pod: [b], args: {x: second, y: second}}"));
        let top = valid("{app: {pod: c, init: d}, args: {x: all, z: all}}");
        let extensions = Extensions { services: vec![("app", &own), ("app", &second)], top: vec![&top] };
        let config = Config::read(&extensions, &["app".to_owned(), "other".to_owned()]).expect("valid");
        let definition = config.of("app").expect("a definition");
        assert_eq!(definition.templates(Sort::Pod).count(), 3);
        assert_eq!(definition.templates(Sort::Init).count(), 1);
        let arguments: Vec<_> =
            definition.arguments.iter().map(|(key, value)| (key.as_str(), value.text().expect("text"))).collect();
        assert_eq!(arguments, [("x", "own".to_owned()), ("y", "second".to_owned()), ("z", "all".to_owned())]);
        assert!(config.of("other").is_none() && !config.is_empty());
    }
}
