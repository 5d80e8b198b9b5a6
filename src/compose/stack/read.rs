//! The files of a stack → trees that may be loaded: what no variable changes is checked here.

use std::path::PathBuf;

use super::EXTENSION;
use super::schema::{FORBIDDEN, SECTIONS};
use crate::compose::yaml::parse_first;
use crate::compose::{Error, Kind, Node, Source, Surroundings};

/// The newest version that Docker knows, which a file has that says nothing else.
const NEWEST: u32 = 13;
/// The lowest one that has all the forms that are printed.
const LOWEST: u32 = 3;

/// A file of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackFile {
    /// Its path, absolute or relative to the working directory; a name alone, such as `stdin`, for what is no file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A file as it was read.
pub(super) struct File {
    /// The whole tree, with its extensions.
    pub(super) root: Node,
    /// The second part of its version, if it says one.
    pub(super) version: Option<u32>,
}

impl File {
    pub(super) fn read(file: &StackFile, surroundings: &Surroundings) -> Result<Self, Error> {
        let root = parse_first(&Source::file(&file.path), &file.text, &surroundings.budget, EXTENSION)?;
        let version = version(&root)?;
        for (key, section) in root.map()? {
            match SECTIONS.iter().find(|(known, _)| known == key) {
                Some((name, _)) => check(name, section)?,
                None if key == "version" || key.starts_with("x-") => {}
                None => return Err(root.unknown(key, SECTIONS.iter().map(|(name, _)| *name).chain(["version"]))),
            }
        }
        Ok(Self { root, version })
    }
}

/// The version that is printed for files that all have this one.
pub(super) fn printed(version: u32) -> String {
    format!("3.{}", version.max(LOWEST))
}

/// The version of two files, if they can be one stack.
pub(super) fn same(one: Option<u32>, other: Option<u32>) -> bool {
    one.unwrap_or(NEWEST) == other.unwrap_or(NEWEST)
}

/// `version`, a string: the number behind `3.`.
fn version(root: &Node) -> Result<Option<u32>, Error> {
    let Some((_, node)) = root.map()?.iter().find(|(key, _)| key == "version") else { return Ok(None) };
    let text = match &node.kind {
        Kind::Text(text) => text,
        Kind::Number(number) => {
            return Err(node.refused(format!("expected a string, found a number (write '{number}' in quotes)")));
        }
        _ => return Err(node.expected("a string")),
    };
    let number = match text.strip_prefix("3.").map(str::parse::<u32>) {
        _ if text == "3" => Some(NEWEST),
        Some(Ok(number)) if text[2..] == number.to_string() => Some(number),
        _ => None,
    };
    match number {
        None if text.is_empty() => Ok(None),
        Some(number) if number <= NEWEST => Ok(Some(number)),
        _ => Err(node.invalid(format!("a version of a stack: '3' to '3.{NEWEST}', or none"))),
    }
}

/// What a section must be: a mapping, of services also each of them, without the keys of another time.
fn check(section: &'static str, node: &Node) -> Result<(), Error> {
    for (name, entry) in node.map()? {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        // Of networks Docker takes any name.
        if section != "networks" && (name.is_empty() || !name.chars().all(is_name)) {
            return Err(entry
                .refused(format!("'{}' is no name: it has letters, digits, '.', '_' and '-'", name.escape_debug())));
        }
        if section != "services" {
            continue;
        }
        for (key, value) in entry.map()? {
            if let Some((_, instead)) = FORBIDDEN.iter().find(|(forbidden, _)| forbidden == key) {
                return Err(value.refused(format!("it is forbidden in a stack: {instead}")));
            }
        }
    }
    Ok(())
}
