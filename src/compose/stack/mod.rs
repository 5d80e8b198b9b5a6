//! A stack: files of `docker stack deploy` → one tree in canonical form, that of `docker stack config`.
//!
//! ```text
//! files ─read.rs─▶ trees ─loader.rs─▶ canonical trees ─merge.rs─▶ the stack
//!                            │ along the tables of schema.rs, in the words of form.rs
//!                            ├─ references.rs  $VARIABLE         ├─ scalars.rs      numbers, durations, sizes
//!                            ├─ collections.rs lists, mappings   ├─ ports.rs, volumes.rs  the short syntaxes
//!                            ├─ environment.rs env files         └─ entries.rs      networks, volumes, secrets, configs
//! ```
//!
//! Canonical: the long syntaxes, keys in the order of docker/cli's structs, mappings of names sorted, what is zero left out
//! unless docker/cli has it behind a pointer, durations as Go prints them, memory as a text of bytes. What is canonical
//! stays the same when it is read again.

mod collections;
mod entries;
mod environment;
mod form;
mod loader;
mod merge;
mod ports;
mod read;
mod references;
mod scalars;
mod schema;
mod volumes;
mod words;

use std::path::{Path, PathBuf};

use self::form::Form;
use self::loader::{Loader, Notes, like};
pub use self::read::StackFile;
use self::read::{File, printed, same};
use super::{Error, Kind, Node, Place, Surroundings};

/// What becomes of references to variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// They stay as they are written. So does a whole value that needs them to be read: a number, a port, a volume.
    Keep,
    /// They stay in texts, with the escape `$$`. Where a number, a boolean, a duration, a size or a port is wanted, the
    /// environment says what they stand for; what it does not know stays as it is written.
    Typed,
    /// The environment says what all of them stand for. A number that needs an unknown one is left out.
    Resolve,
}

/// Whose service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A stack's: it is checked.
    Stack,
    /// The controller's, from a template: it is only decoded.
    Service,
    /// A component's, from a template: it is decoded as far as a stack's service has such keys.
    Component,
}

/// The files of a stack, read.
pub struct Stack<'a> {
    files: Vec<File>,
    folder: PathBuf,
    surroundings: &'a Surroundings,
    notes: Notes,
}

/// The `x-podlike` of a stack's files.
#[derive(Debug, Clone, PartialEq)]
pub struct Extensions<'a> {
    /// Those at the top, in the order of the files.
    pub top: Vec<&'a Node>,
    /// Those of services, each with the service's name, in the order of the files.
    pub services: Vec<(&'a str, &'a Node)>,
}

const EXTENSION: &str = "x-podlike";

impl<'a> Stack<'a> {
    /// Reads the first document of each file, and checks what no variable changes: the version, the sections, the names of
    /// services and the keys that they must not have.
    pub fn read(files: &[StackFile], surroundings: &'a Surroundings) -> Result<Self, Error> {
        let folder = files.first().and_then(|file| file.path.parent()).unwrap_or(Path::new(""));
        let folder = surroundings.path(folder, ".");
        let files = files.iter().map(|file| File::read(file, surroundings)).collect::<Result<Vec<_>, _>>()?;
        if let [first, others @ ..] = files.as_slice()
            && let Some(other) = others.iter().find(|other| !same(first.version, other.version))
        {
            let version = |file: &File| file.version.map_or_else(|| "no version".to_owned(), |it| format!("'3.{it}'"));
            let node = other.root.get("version").unwrap_or(&other.root);
            let why =
                format!("the files of a stack have one version: here {}, before {}", version(other), version(first));
            return Err(node.refused(why));
        }
        Ok(Self { files, folder, surroundings, notes: Notes::default() })
    }

    /// The stack, its files merged: `version` if a file has one, `services`, `networks`, `volumes`, `secrets`, `configs`,
    /// those that have entries.
    pub fn load(&self, references: References) -> Result<Node, Error> {
        let folder = self.folder.clone();
        let loader =
            Loader { role: Role::Stack, references, folder, surroundings: self.surroundings, notes: &self.notes };
        let mut whole: Option<Node> = None;
        for file in &self.files {
            let sections = loader.sections(&file.root)?;
            whole = Some(match whole {
                Some(base) => merge::merge(base, sections)?,
                None => sections,
            });
        }
        let mut stack = Node::made(Kind::Map(Vec::new()));
        if let Some(version) = self.files.iter().find_map(|file| file.version) {
            stack.put("version", Node::made(Kind::Text(printed(version))));
        }
        for (section, entries) in whole.iter().flat_map(|whole| whole.map().unwrap_or_default()) {
            stack.put(section, entries.clone());
        }
        Ok(stack)
    }

    /// Every `x-podlike`, as it is written.
    pub fn extensions(&self) -> Extensions<'_> {
        let own = |node: &'_ Node| -> Option<usize> { node.map().ok()?.iter().position(|(key, _)| key == EXTENSION) };
        let mut found = Extensions { top: Vec::new(), services: Vec::new() };
        for File { root, .. } in &self.files {
            found.top.extend(own(root).map(|at| &root.map().unwrap_or_default()[at].1));
            let services = root.get("services").and_then(|services| services.map().ok()).unwrap_or_default();
            for (name, service) in services {
                let extension = own(service).map(|at| &service.map().unwrap_or_default()[at].1);
                found.services.extend(extension.map(|extension| (name.as_str(), extension)));
            }
        }
        found
    }

    /// The folder of the first file, absolute: relative paths are relative to it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What reading and loading warn of, with the places.
    pub fn notes(&self) -> Vec<(Place, String)> {
        self.notes.all()
    }
}

/// The controller's service of a pod, as a template prints it, in canonical form. It is decoded, not checked: keys that are
/// not known stay. Relative paths are relative to the `folder`, an absolute one.
pub fn service(
    node: &Node,
    references: References,
    folder: &Path,
    surroundings: &Surroundings,
    notes: &mut Vec<(Place, String)>,
) -> Result<Node, Error> {
    decoded(Role::Service, node, references, folder, surroundings, notes)
}

/// A component, as a template prints it: canonical where a stack's service has the key, and every other key of Compose as
/// it is written.
pub fn component(
    node: &Node,
    references: References,
    folder: &Path,
    surroundings: &Surroundings,
    notes: &mut Vec<(Place, String)>,
) -> Result<Node, Error> {
    decoded(Role::Component, node, references, folder, surroundings, notes)
}

/// The keys that a stack's service can have.
pub fn service_keys() -> impl Iterator<Item = &'static str> {
    schema::SERVICE.fields.iter().map(|field| field.key)
}

fn decoded(
    role: Role,
    node: &Node,
    references: References,
    folder: &Path,
    surroundings: &Surroundings,
    notes: &mut Vec<(Place, String)>,
) -> Result<Node, Error> {
    let found = Notes::default();
    let loader = Loader { role, references, folder: folder.to_owned(), surroundings, notes: &found };
    let read = loader.service(&Form::Object(&schema::SERVICE), node);
    notes.extend(found.all());
    let read = read?;
    Ok(if read.is_null() { like(node, Kind::Map(Vec::new())) } else { read })
}
