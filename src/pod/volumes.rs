//! Volumes that a pod declares: its scratch volumes (`pod.volume.NAME`), and the `volumes` of a Compose file.

use std::collections::BTreeMap;

use crate::compose::{self, Error, Kind, Node};

use super::component::Said;
use super::policy;

/// A volume that lives as long as the pod, as Kubernetes' `emptyDir`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    /// The name that components use.
    pub name: String,
    /// Whether it is in memory, and not on disk.
    pub memory: bool,
    /// Its size in bytes; only one in memory has a limit.
    pub size: Option<i64>,
}

/// A top-level `volumes` entry of a Compose file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declared {
    /// The name that services use.
    pub key: String,
    /// The engine's name for it, where it is given.
    pub name: Option<String>,
    /// Whether it is there already, and not ours to make.
    pub external: bool,
    /// The driver that makes it.
    pub driver: String,
    /// The driver's options.
    pub driver_opts: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Where it says what a driver is to do, which may be anything: to bind a path of the host, for one.
    pub driven: Option<Said>,
}

impl Scratch {
    /// Reads nothing, `disk`, `memory`, or `{medium: …, size: …}`.
    pub(super) fn read(name: &str, node: &Node) -> Result<Self, Error> {
        let mut scratch = Self { name: name.to_owned(), memory: false, size: None };
        let medium = |node: &Node| match node.text()?.to_ascii_lowercase().as_str() {
            "" | "disk" => Ok(false),
            "memory" => Ok(true),
            _ => Err(node.invalid("a medium: disk or memory")),
        };
        match &node.kind {
            Kind::Null => {}
            Kind::Map(entries) => {
                for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                    match key.as_str() {
                        "medium" => scratch.memory = medium(value)?,
                        "size" => scratch.size = Some(compose::byte_size(value)?),
                        key => return Err(node.unknown(key, ["medium", "size"])),
                    }
                }
            }
            _ => scratch.memory = medium(node)?,
        }
        match node.get("size") {
            Some(size) if !scratch.memory => Err(size.refused("only a volume with 'medium: memory' can have a size")),
            _ => Ok(scratch),
        }
    }
}

impl Declared {
    /// Reads an entry of `volumes`.
    pub(super) fn read(key: &str, node: &Node) -> Result<Self, Error> {
        const KEYS: [&str; 5] = ["driver", "driver_opts", "external", "labels", "name"];
        let mut declared = Self { key: key.to_owned(), ..Self::default() };
        if node.is_null() {
            return Ok(declared);
        }
        for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
            match key.as_str() {
                "driver" => {
                    declared.driver = value.text()?;
                    if !policy::is_plain_driver(&declared.driver) {
                        declared.driven = Some(Said::of(value));
                    }
                }
                "driver_opts" => {
                    declared.driver_opts = compose::pairs(value)?;
                    if !declared.driver_opts.is_empty() {
                        declared.driven = Some(Said::of(value));
                    }
                }
                "labels" => declared.labels = compose::pairs(value)?,
                "name" => declared.name = Some(value.text()?),
                "external" => match value.get("name") {
                    Some(name) => {
                        declared.external = true;
                        declared.name = Some(name.text()?);
                    }
                    None => declared.external = value.bool()?,
                },
                key if key.starts_with("x-") => {}
                key => return Err(node.unknown(key, KEYS)),
            }
        }
        if declared.external && declared.name.is_none() {
            declared.name = Some(declared.key.clone());
        }
        Ok(declared)
    }
}
