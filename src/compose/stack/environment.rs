//! The environment of a service: its env files below what it says itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::form::Form;
use super::loader::{Loader, Settled, like};
use super::references::Hidden;
use super::{References, Role};
use crate::compose::{Error, Kind, Node, raw};

impl Loader<'_> {
    /// A service: its keys, and then what they mean together.
    pub(super) fn service(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        let mut service = self.read(form, node)?;
        let mut environment = BTreeMap::new();
        let is_whole = self.env_files(node, &mut environment)?;
        if let Some(own) = service.get("environment") {
            environment.extend(own.map()?.iter().cloned());
        }
        if self.references == References::Resolve {
            for (name, value) in environment.iter_mut().filter(|(_, value)| value.is_null()) {
                let known = self.surroundings.env.get(name);
                value.kind = known.map_or(Kind::Null, |value| Kind::Text(value.clone()));
            }
        }
        if let Kind::Map(entries) = &mut service.kind {
            self.settle_environment(entries, environment, is_whole)?;
        }
        Ok(service)
    }

    /// Puts the values of a service's env files into its environment. Docker, and what a pod's controller sees, may be far
    /// from the files: the key goes, but for templates. With a file that is not known yet, the files stay, as paths that do
    /// not depend on a folder.
    fn settle_environment(
        &self,
        entries: &mut Vec<(String, Node)>,
        environment: BTreeMap<String, Node>,
        is_whole: bool,
    ) -> Result<(), Error> {
        let at = |key: &str| entries.iter().position(|(known, _)| known == key);
        let (own, files) = (at("environment"), at("env_file"));
        if let Some(place) = own.or(files).filter(|_| is_whole && !environment.is_empty()) {
            let whole = like(&entries[place].1, Kind::Map(environment.into_iter().collect()));
            match own {
                Some(own) => entries[own].1 = whole,
                None => entries.insert(place, ("environment".to_owned(), whole)),
            }
        }
        if self.references == References::Resolve {
            return Ok(());
        }
        if is_whole {
            entries.retain(|(key, _)| key != "env_file");
        } else if let Some(files) = files.filter(|_| self.role != Role::Component) {
            entries[files].1 = self.read(&Form::List(&Form::Path), &entries[files].1)?;
        }
        Ok(())
    }

    /// Adds the values of a service's env files, the later ones stronger. Whether all of them could be read: not one that
    /// a variable decides of, one of a component that is the controller's, or one in the long syntax of components.
    fn env_files(&self, service: &Node, environment: &mut BTreeMap<String, Node>) -> Result<bool, Error> {
        let files = match service.get("env_file") {
            Some(Node { kind: Kind::List(files), .. }) => files.as_slice(),
            Some(file) => std::slice::from_ref(file),
            None => &[],
        };
        let mut is_whole = true;
        for file in files {
            is_whole &= match self.settled(file)? {
                Settled::Written(Node { kind: Kind::Map(_), .. }) | Settled::Open => false,
                Settled::Written(file) => self.env_file(file, &file.text()?, environment)?,
                Settled::Replaced(file) => self.env_file(&file, &file.text()?, environment)?,
            };
        }
        Ok(is_whole)
    }

    fn env_file(&self, file: &Node, name: &str, environment: &mut BTreeMap<String, Node>) -> Result<bool, Error> {
        let path = PathBuf::from(self.path(&Hidden::plain(name.to_owned()), name));
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
}
