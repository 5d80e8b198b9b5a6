//! `environment`, `env_file`, `labels` and `label_file`: pairs from the service and from files.

use std::collections::HashMap;

use crate::compose::{self, Error, Kind, Node, Pairs};

use super::super::component::Component;
use super::super::warning::Warning;
use super::Reading;

/// Reads what is in files first, so that the service's own pairs win.
pub(super) fn complete(component: &mut Component, node: &Node, reading: &mut Reading<'_>) -> Result<(), Error> {
    let mut environment = Unique::default();
    if let Some(files) = node.get("env_file") {
        for file in env_files(files)? {
            if let Some(pairs) = file.read(reading)? {
                environment.extend(pairs);
            }
        }
    }
    if let Some(value) = node.get("environment") {
        environment.extend(compose::key_values(value)?);
    }
    for (key, value) in environment.pairs {
        let value = value.or_else(|| reading.variable(node, &key));
        component.request.env.extend(value.map(|value| format!("{key}={value}")));
    }

    let mut labels = Unique::default();
    if let Some(files) = node.get("label_file") {
        let items = if let Kind::List(items) = &files.kind { items.as_slice() } else { std::slice::from_ref(files) };
        for item in items {
            let file = PairFile { node: item, path: item.text()?, required: true, raw: false };
            labels.extend(file.read(reading)?.unwrap_or_default());
        }
    }
    if let Some(value) = node.get("labels") {
        labels.extend(compose::key_values(value)?);
    }
    component.labels = labels.pairs.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
    Ok(())
}

/// Pairs in the order in which their keys came first; the last value counts.
#[derive(Default)]
struct Unique {
    pairs: Pairs,
    places: HashMap<String, usize>,
}

impl Unique {
    fn extend(&mut self, pairs: Pairs) {
        for (key, value) in pairs {
            let place = *self.places.entry(key.clone()).or_insert(self.pairs.len());
            match self.pairs.get_mut(place) {
                Some((_, old)) => *old = value,
                None => self.pairs.push((key, value)),
            }
        }
    }
}

/// A file of pairs.
struct PairFile<'a> {
    node: &'a Node,
    path: String,
    required: bool,
    raw: bool,
}

/// One path, a list, or entries `{path, required, format}`.
fn env_files(node: &Node) -> Result<Vec<PairFile<'_>>, Error> {
    const KEYS: [&str; 3] = ["format", "path", "required"];
    let items = if let Kind::List(items) = &node.kind { items.as_slice() } else { std::slice::from_ref(node) };
    items
        .iter()
        .map(|item| {
            let Kind::Map(entries) = &item.kind else {
                return Ok(PairFile { node: item, path: item.text()?, required: true, raw: false });
            };
            if let Some((key, _)) = entries.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
                return Err(item.unknown(key, KEYS));
            }
            let path = item.get("path").ok_or_else(|| item.missing("path"))?.text()?;
            let required = item.get("required").map(Node::bool).transpose()?.unwrap_or(true);
            let raw = match item.get("format") {
                Some(format) => compose::one_of(format, "a format", &["raw"])? == "raw",
                None => false,
            };
            Ok(PairFile { node: item, path, required, raw })
        })
        .collect()
}

impl PairFile<'_> {
    /// The pairs; none if the file is not there and does not have to be.
    fn read(&self, reading: &mut Reading<'_>) -> Result<Option<Pairs>, Error> {
        let surroundings = reading.surroundings;
        let path = surroundings.path(self.node.place.folder(), &self.path);
        if !self.required && !surroundings.has(&path) {
            return Ok(None);
        }
        let text = surroundings.read_for(self.node, &path)?;
        let mut unset = Vec::new();
        let pairs = if self.raw {
            compose::raw(&text, &surroundings.budget)
        } else {
            compose::dotenv_noting(
                &text,
                &surroundings.budget,
                &mut |name| reading.variable(self.node, name),
                &mut |name| {
                    unset.push(Warning::Unset { place: self.node.place.clone(), name: name.to_owned() });
                },
            )
        };
        reading.warnings.extend(unset);
        let wrong = |(line, words)| self.node.refused(format!("{}:{line}: {words}", path.display()));
        pairs.map(Some).map_err(wrong)
    }
}
