//! The environment of a service: its env files below what it says itself.

use std::collections::BTreeMap;

use super::form::Form;
use super::loader::{Loader, Settled, like};
use super::{References, Role};
use crate::compose::{Error, Kind, Node, raw};

impl Loader<'_> {
    /// Puts the values of a service's env files into its environment. Docker, and what a pod's controller sees, may be far
    /// from the files: the key goes, but for templates. A file of a component that is not here is the controller's.
    pub(super) fn with_environment(&self, service: Node) -> Result<Node, Error> {
        let mut service = service;
        let mut environment = BTreeMap::new();
        let is_whole = self.env_files(&service, &mut environment)?;
        if let Some(own) = service.get("environment") {
            environment.extend(own.map()?.iter().cloned());
        }
        if self.references == References::Resolve {
            for (name, value) in environment.iter_mut().filter(|(_, value)| value.is_null()) {
                let known = self.surroundings.env.get(name);
                value.kind = known.map_or(Kind::Null, |value| Kind::Text(value.clone()));
            }
        }
        let Kind::Map(entries) = &mut service.kind else { return Ok(service) };
        let at = |key: &str| entries.iter().position(|(known, _)| known == key);
        let (own, files) = (at("environment"), at("env_file"));
        if let Some(place) = own.or(files).filter(|_| is_whole && !environment.is_empty()) {
            let whole = like(&entries[place].1, Kind::Map(environment.into_iter().collect()));
            match own {
                Some(own) => entries[own].1 = whole,
                None => entries.insert(place, ("environment".to_owned(), whole)),
            }
        }
        if is_whole && self.references != References::Resolve {
            entries.retain(|(key, _)| key != "env_file");
        }
        Ok(service)
    }

    /// Adds the values of env files, the later ones stronger. Whether all of them could be read.
    fn env_files(&self, service: &Node, environment: &mut BTreeMap<String, Node>) -> Result<bool, Error> {
        let files = service.get("env_file").map(Node::list).transpose()?.unwrap_or_default();
        // The long syntax is one of components.
        if files.iter().any(|file| matches!(file.kind, Kind::Map(_))) {
            return Ok(false);
        }
        let mut is_whole = true;
        for file in files {
            let name = match self.settled(file)? {
                Settled::Written(file) => file.text()?,
                Settled::Replaced(file) => file.text()?,
                Settled::Open => {
                    is_whole = false;
                    continue;
                }
            };
            is_whole &= self.env_file(file, &name, environment)?;
        }
        Ok(is_whole)
    }

    fn env_file(&self, file: &Node, name: &str, environment: &mut BTreeMap<String, Node>) -> Result<bool, Error> {
        let path = self.surroundings.path(&self.folder, &format!("./{name}"));
        let path = if name.starts_with('/') { name.into() } else { path };
        let text = match self.surroundings.read(&path) {
            Ok(text) => text,
            Err(_) if self.role == Role::Component => {
                let note = format!("{} is not here: the controller reads it", path.display());
                self.notes.add(&file.place, note);
                return Ok(false);
            }
            Err(error) => return Err(file.refused(format!("cannot read {}: {error}", path.display()))),
        };
        let pairs = raw(&text, &self.surroundings.budget);
        let pairs = pairs.map_err(|(line, why)| file.refused(format!("{}:{line}: {why}", path.display())))?;
        for (key, value) in pairs {
            // What stays is interpolated by Docker, which reads such a file as it is.
            let escaped = |value: String| {
                if self.references == References::Resolve { value } else { value.replace('$', "$$") }
            };
            let value = value.map_or(Kind::Null, |value| Kind::Text(escaped(value)));
            environment.insert(key, like(file, value));
        }
        Ok(true)
    }

    /// A service: its keys, and then what they mean together.
    pub(super) fn service(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        self.with_environment(self.read(form, node)?)
    }
}
