//! A component of a pod, as its label says it.

use crate::compose::stack::{self, References};
use crate::compose::{Kind, Node};

use super::Sort;
use super::error::Error;
use super::merge::Entries;
use super::pod::Making;

/// What a component cannot have, and why.
const LEFT_OUT: [(&str, &str); 2] = [
    ("ports", "a component has the controller's network: publish ports on the service, or in a pod template"),
    ("userns_mode", "a component has the controller's namespaces, and with them its user namespace"),
];

/// A component by its name.
pub(super) struct Component<'a> {
    pub(super) service: &'a str,
    /// What it was made by.
    pub(super) sort: Sort,
    pub(super) name: &'a str,
}

impl Component<'_> {
    /// The component as the controller accepts it.
    pub(super) fn finished(&self, node: &Node, making: &mut Making<'_>) -> Result<Node, Error> {
        let Self { service, sort, name } = self;
        let together = |problem| Error::Together { service: (*service).to_owned(), sort: *sort, problem };
        if !is_name(name) {
            let why = format!("'{name}' is no name of a component: expected letters, digits, '_', '.' and '-'");
            return Err(together(node.refused(why)));
        }
        let mut node = node.clone();
        if let Kind::Map(entries) = &mut node.kind {
            entries.retain(|(key, value)| {
                let left_out = LEFT_OUT.iter().find(|(known, _)| known == key && !value.is_null());
                if let Some((_, why)) = left_out {
                    let why = format!("service '{service}': component '{name}': '{key}' is left out: {why}");
                    making.notes.push((value.key.clone(), why));
                }
                left_out.is_none()
            });
        }
        let node = stack::component(&node, References::Keep, making.folder, making.surroundings, making.notes)
            .map_err(together)?;
        if node.get("image").is_none() {
            let why = format!("service '{service}': component '{name}' has no image: the controller will refuse it");
            making.notes.push((node.key.clone(), why));
        }
        Ok(node)
    }
}

/// The rule of the controller.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Of the `depends_on` that the main component has from its service, what are components: Swarm ignores the others, and
/// the controller would refuse them.
pub(super) fn only_needs_of(main: &mut Entries, names: &[&str], service: &str, making: &mut Making<'_>) {
    let Some(at) = main.iter().position(|(key, _)| key == "depends_on") else { return };
    let node = &mut main[at].1;
    let mut lost = Vec::new();
    let mut keep = |name: &str| {
        let is_known = names.contains(&name);
        if !is_known {
            lost.push(format!("'{name}'"));
        }
        is_known
    };
    let is_empty = match &mut node.kind {
        Kind::List(items) => {
            items.retain(|item| item.text().is_ok_and(|name| keep(&name)));
            items.is_empty()
        }
        Kind::Map(entries) => {
            entries.retain(|(name, _)| keep(name));
            entries.is_empty()
        }
        _ => false,
    };
    if !lost.is_empty() {
        let why = format!(
            "service '{service}': the main component does not wait for {}: no component of the pod is called so",
            lost.join(", ")
        );
        making.notes.push((node.key.clone(), why));
    }
    if is_empty {
        main.remove(at);
    }
}
