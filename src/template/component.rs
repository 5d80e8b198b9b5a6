//! A component of a pod, as its label says it.

use crate::compose::stack;
use crate::compose::{Kind, Node};
use crate::pod::{KEYS, is_part_of_a_name};

use super::error::Error;
use super::pod::Making;

/// What a component cannot have, and why.
const LEFT_OUT: [(&str, &str); 1] =
    [("ports", "a component has the controller's network: publish ports on the service, or in a pod template")];

/// The component of a name, as the controller accepts it.
pub(super) fn finished(name: &str, mut node: Node, making: &mut Making<'_>) -> Result<Node, Error> {
    if !is_part_of_a_name(name) {
        let why = format!("'{name}' is no name of a component: expected letters, digits, '_', '.' and '-'");
        return Err(node.refused(why).into());
    }
    if let Kind::Map(entries) = &mut node.kind {
        entries.retain(|(key, value)| {
            let left_out = LEFT_OUT.iter().find(|(known, _)| known == key && !value.is_null());
            if let Some((_, why)) = left_out {
                making.note(value, format!("component '{name}': '{key}' is left out: {why}"));
            }
            left_out.is_none()
        });
        entries.iter_mut().filter(|(key, _)| key == "depends_on").for_each(|(_, needs)| complete_needs(needs));
    }
    let mut node = stack::component(&node, making.folder, making.surroundings, making.notes)?;
    making.keep_known(&mut node, &format!("component '{name}'"), &KEYS.map(|(key, _)| key));
    if node.get("image").is_none() {
        making.note(&node, format!("component '{name}' has no image: the controller will refuse it"));
    }
    Ok(node)
}

/// What a list says in a mapping: where two templates say it in both forms, its conditions are empty.
fn complete_needs(needs: &mut Node) {
    let Kind::Map(entries) = &mut needs.kind else { return };
    for (_, node) in entries {
        if node.is_null() || node.kind == Kind::Text(String::new()) {
            node.kind = Kind::Null;
            node.put("condition", "service_started".into());
        }
    }
}

/// Of the `depends_on` that the main component has from its service, what are components: Swarm ignores the others, and
/// the controller would refuse them.
pub(super) fn only_needs_of(main: &mut Node, names: &[&str], service: &str, making: &mut Making<'_>) {
    let Kind::Map(main) = &mut main.kind else { return };
    let Some((_, node)) = main.iter_mut().find(|(key, _)| key == "depends_on") else { return };
    let mut lost = Vec::new();
    let mut keep = |name: &str| {
        let is_known = names.contains(&name);
        if !is_known {
            lost.push(format!("'{name}'"));
        }
        is_known
    };
    match &mut node.kind {
        Kind::List(items) => items.retain(|item| item.text().is_ok_and(|name| keep(&name))),
        Kind::Map(entries) => entries.retain(|(name, _)| keep(name)),
        _ => {}
    }
    if !lost.is_empty() {
        let why = "no component of the pod is called so";
        making.note(
            node,
            format!("service '{service}': the main component does not wait for {}: {why}", lost.join(", ")),
        );
    }
}
