//! The entries of a stack's sections, and what their keys mean together.

use super::loader::{Loader, like};
use super::schema::SECTIONS;
use crate::compose::{Error, Kind, Node};

impl Loader<'_> {
    /// The sections of a file that have entries, each a mapping of names in their order.
    pub(super) fn sections(&self, root: &Node) -> Result<Node, Error> {
        let mut sections = like(root, Kind::Map(Vec::new()));
        for (section, form) in &SECTIONS {
            let Some(node) = root.get(section) else { continue };
            let mut entries = Vec::new();
            for (name, entry) in node.map()? {
                let entry = match *section {
                    "services" => self.service(form, entry)?,
                    section => {
                        let entry = self.read(form, entry)?;
                        check(section, &entry)?;
                        named(name, entry)
                    }
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
}

/// What keys of a network, volume, secret or config go not together.
fn check(section: &str, entry: &Node) -> Result<(), Error> {
    let Some(external) = entry.get("external") else {
        return match (entry.get("driver"), entry.get("file")) {
            (Some(driver), Some(_)) => Err(driver.refused("it goes not with 'file': the value comes from either")),
            _ => Ok(()),
        };
    };
    if let (Some(_), Some(name)) = (external.get("name"), entry.get("name")) {
        return Err(name.refused("it goes not with 'external.name': write only this one"));
    }
    let others = ["driver", "driver_opts", "labels"];
    match others.iter().find_map(|key| entry.get(key)).filter(|_| section == "volumes") {
        Some(other) => Err(other.refused("it goes not with 'external': a volume that is there already has its own")),
        None => Ok(()),
    }
}

/// An entry as a mapping; what is external has a name. Of a reference only Docker knows whether it is.
fn named(key: &str, entry: Node) -> Node {
    let mut entry = if entry.is_null() { like(&entry, Kind::Map(Vec::new())) } else { entry };
    let external = entry.get("external").filter(|it| matches!(it.kind, Kind::Map(_) | Kind::Bool(_))).cloned();
    let (Some(external), Kind::Map(entries)) = (external, &mut entry.kind) else { return entry };
    if !entries.iter().any(|(known, _)| known == "name") {
        let name = external.get("name").cloned().unwrap_or_else(|| like(&external, Kind::Text(key.to_owned())));
        entries.insert(0, ("name".to_owned(), name));
    }
    entry.put("external", like(&external, Kind::Bool(true)));
    entry
}
