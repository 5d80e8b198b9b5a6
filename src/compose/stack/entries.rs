//! The entries of a stack's sections, and what their keys mean together.

use super::loader::{Loader, like};
use super::schema::SECTIONS;
use crate::compose::{Error, Kind, Node};

impl Loader<'_> {
    /// The sections of a file, each a mapping of names in their order.
    pub(super) fn sections(&self, root: &Node) -> Result<Node, Error> {
        let mut sections = like(root, Kind::Map(Vec::new()));
        for (section, form) in &SECTIONS {
            let Some(node) = root.get(section) else { continue };
            let mut entries = Vec::new();
            for (name, entry) in node.map()?.iter().filter(|(name, _)| !name.starts_with("x-")) {
                let entry = match *section {
                    "services" => self.service(form, entry)?,
                    section => self.entry(section, name, self.read(form, entry)?)?,
                };
                entries.push((name.clone(), entry));
            }
            if !entries.is_empty() {
                entries.sort_by(|(one, _), (other, _)| one.cmp(other));
                sections.put(section, like(node, Kind::Map(entries)));
            }
        }
        Ok(sections)
    }

    /// A network, volume, secret or config. What is external has a name.
    fn entry(&self, section: &str, name: &str, entry: Node) -> Result<Node, Error> {
        let mut entry = if entry.is_null() { like(&entry, Kind::Map(Vec::new())) } else { entry };
        if let (Some(driver), Some(_)) = (entry.get("driver"), entry.get("file")) {
            return Err(driver.refused("it goes not with 'file': the value comes from either"));
        }
        let Some(external) = entry.get("external").cloned() else { return Ok(entry) };
        let (is_external, inner) = match &external.kind {
            Kind::Map(_) => (true, external.get("name").cloned()),
            Kind::Bool(_) => (true, None),
            // Only Docker knows whether it is.
            _ => (false, None),
        };
        if !is_external {
            return Ok(entry);
        }
        if let (Some(_), Some(outer)) = (&inner, entry.get("name")) {
            return Err(outer.refused("it goes not with 'external.name': write only this one"));
        }
        let others: &[&str] = if section == "volumes" { &["driver", "driver_opts", "labels"] } else { &[] };
        if let Some(other) = others.iter().find_map(|key| entry.get(key)) {
            return Err(other.refused("it goes not with 'external': a volume that is there already has its own"));
        }
        let named = inner
            .or_else(|| entry.get("name").cloned())
            .unwrap_or_else(|| like(&external, Kind::Text(name.to_owned())));
        let Kind::Map(entries) = &mut entry.kind else { return Ok(entry) };
        entries.retain(|(key, _)| key != "name");
        entries.insert(0, ("name".to_owned(), named));
        entry.put("external", like(&external, Kind::Bool(true)));
        Ok(entry)
    }
}
