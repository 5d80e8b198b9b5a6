//! `secrets` and `configs` of a service: what the Compose file declares, or what the controller was given.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::compose::{self, Error, Kind, Node};

use super::super::component::Component;
use super::super::projection::{Content, Hidden, Projection};
use super::Reading;

/// Secrets or configs.
struct Sort {
    /// One of them, in words.
    name: &'static str,
    /// The folder of targets that are not absolute.
    folder: &'static str,
}

impl Sort {
    /// The entries of the Compose file.
    fn declared<'a>(&self, reading: &Reading<'a>) -> &'a [(String, Node)] {
        let Some(project) = reading.project else { return &[] };
        if self.name == SECRET.name { &project.secrets } else { &project.configs }
    }
}

const SECRET: Sort = Sort { name: "secret", folder: "/run/secrets/" };
const CONFIG: Sort = Sort { name: "config", folder: "/" };

/// Docker's default: everybody may read.
const MODE: u32 = 0o444;

/// Reads `secrets`.
pub(super) fn secrets(component: &mut Component, node: &Node, reading: &Reading<'_>) -> Result<(), Error> {
    read(component, node, &SECRET, reading)
}

/// Reads `configs`.
pub(super) fn configs(component: &mut Component, node: &Node, reading: &Reading<'_>) -> Result<(), Error> {
    read(component, node, &CONFIG, reading)
}

fn read(component: &mut Component, node: &Node, sort: &Sort, reading: &Reading<'_>) -> Result<(), Error> {
    let mut targets: HashSet<String> = component.projections.iter().map(|other| other.target.clone()).collect();
    for item in node.list()? {
        let projection = entry(item, sort, reading)?;
        if !targets.insert(projection.target.clone()) {
            return Err(item.refused(format!("another secret or config goes to {}", projection.target)));
        }
        component.projections.push(projection);
    }
    Ok(())
}

/// A name, or `{source, target, uid, gid, mode}`.
fn entry(node: &Node, sort: &Sort, reading: &Reading<'_>) -> Result<Projection, Error> {
    const KEYS: [&str; 5] = ["gid", "mode", "source", "target", "uid"];
    let (mut uid, mut gid, mut mode, mut target) = (0, 0, MODE, None);
    let name = match &node.kind {
        Kind::Map(entries) => {
            for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                match key.as_str() {
                    "source" => {}
                    "target" => target = Some(value),
                    "uid" => uid = compose::owner(value)?,
                    "gid" => gid = compose::owner(value)?,
                    "mode" => mode = compose::file_mode(value)?,
                    key if key.starts_with("x-") => {}
                    key => return Err(node.unknown(key, KEYS)),
                }
            }
            node.get("source").ok_or_else(|| node.missing("source"))?
        }
        _ => node,
    };
    let source = name.text()?;
    let target = match target {
        Some(target) => {
            let text = target.text()?;
            if text.split('/').any(|part| part == "..") || text.ends_with('/') || text.is_empty() {
                return Err(target.invalid(format!("a target of a {}: the path of a file, without '..'", sort.name)));
            }
            if text.starts_with('/') { text } else { format!("{}{text}", sort.folder) }
        }
        None => format!("{}{}", sort.folder, source.rsplit('/').next().unwrap_or(&source)),
    };
    Ok(Projection { content: content(name, &source, sort, reading)?, target, uid, gid, mode })
}

/// What is declared under this name in the Compose file, else a file that the controller was given under it.
fn content(node: &Node, name: &str, sort: &Sort, reading: &Reading<'_>) -> Result<Content, Error> {
    match sort.declared(reading).iter().find(|(known, _)| known == name) {
        Some((_, declaration)) => declaration_of(declaration, name, sort, reading),
        None if matches!(name, "" | "." | "..") => Err(node.invalid(format!("the name of a {}", sort.name))),
        None if node.place.is_in_file() => Err(undeclared(node, name, sort, reading)),
        // Where Swarm mounts it in the controller.
        None if name.starts_with('/') => Ok(Content::File(name.into())),
        None if name.contains('/') => Err(node.invalid(format!("a {}: a name, or an absolute path", sort.name))),
        None => Ok(Content::File(PathBuf::from(format!("{}{name}", sort.folder)))),
    }
}

/// A Compose file declares what its services use.
fn undeclared(node: &Node, name: &str, sort: &Sort, reading: &Reading<'_>) -> Error {
    let declared = sort.declared(reading).iter().map(|(known, _)| known.as_str());
    let hint = match compose::nearest(name, declared) {
        Some(near) => format!("did you mean '{near}'?"),
        None => "one that the controller has is declared with 'external: true'".to_owned(),
    };
    node.refused(format!("no {} '{name}' is declared, {hint}", sort.name))
}

/// A top-level `secrets` or `configs` entry: `file`, `environment`, `content` or `external`.
fn declaration_of(node: &Node, name: &str, sort: &Sort, reading: &Reading<'_>) -> Result<Content, Error> {
    const KEYS: [&str; 8] = ["content", "driver", "driver_opts", "environment", "external", "file", "labels", "name"];
    if let Kind::Map(entries) = &node.kind
        && let Some((key, _)) = entries
            .iter()
            .find(|(key, _)| !key.starts_with("x-") && !KEYS.contains(&key.as_str()) && key != "template_driver")
    {
        return Err(node.unknown(key, KEYS));
    }
    let sources = ["file", "environment", "content"].map(|key| node.get(key));
    if let [_, second, ..] = sources.into_iter().flatten().collect::<Vec<_>>()[..] {
        return Err(second.refused(format!("a {} has one of 'file', 'environment' and 'content'", sort.name)));
    }
    if let Some(driver) = ["driver", "driver_opts", "template_driver"].into_iter().find_map(|key| node.get(key)) {
        return Err(driver.refused("only Swarm has it: declare it there, and give it to the controller"));
    }
    if let Some(file) = node.get("file") {
        return Ok(Content::File(reading.surroundings.path(file.place.folder(), &file.text()?)));
    }
    if let Some(variable) = node.get("environment") {
        let key = variable.text()?;
        let value = reading.variable(variable, &key);
        let why = format!("the controller has no variable '{key}' in its environment");
        return value.map(|value| Content::Text(Hidden(value))).ok_or_else(|| variable.refused(why));
    }
    if let Some(content) = node.get("content") {
        return Ok(Content::Text(Hidden(content.text()?)));
    }
    match node.get("external") {
        Some(external) if !matches!(external.kind, Kind::Map(_)) && !external.bool()? => {}
        Some(_) => return Ok(Content::File(PathBuf::from(format!("{}{name}", sort.folder)))),
        None => {}
    }
    Err(node.refused(format!("a {} needs 'file', 'environment', 'content' or 'external: true'", sort.name)))
}
