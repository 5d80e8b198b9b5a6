//! What is copied from the controller into its components.

use crate::compose::{Error as Invalid, Kind, Node};

use super::Sort;
use super::error::Error;
use super::render::OfService;

/// The copies by the component that they are for, those of all templates one after the other.
pub(super) fn copies(templates: &OfService<'_>) -> Result<Vec<(String, Vec<Node>)>, Error> {
    let mut all: Vec<(String, Vec<Node>)> = Vec::new();
    for rendered in templates.rendered(Sort::Copy) {
        for (name, node) in rendered?.1 {
            let copies = listed(&node)?;
            match all.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.extend(copies),
                None => all.push((name, copies)),
            }
        }
    }
    Ok(all)
}

/// A list of `SOURCE:TARGET`, from one, a mapping, or a list of both. What says `source` and `target` by name stays so.
fn listed(node: &Node) -> Result<Vec<Node>, Invalid> {
    match &node.kind {
        Kind::Text(_) => Ok(vec![node.clone()]),
        Kind::List(items) => {
            let copies = items.iter().map(listed).collect::<Result<Vec<_>, _>>()?;
            Ok(copies.into_iter().flatten().collect())
        }
        Kind::Map(_) if node.get("source").is_some() && node.get("target").is_some() => Ok(vec![node.clone()]),
        Kind::Map(entries) => {
            let copy = |(source, target): &(String, Node)| match &target.kind {
                Kind::Text(text) => Ok(Node { kind: Kind::Text(format!("{source}:{text}")), ..target.clone() }),
                _ => Err(target.expected("a string")),
            };
            entries.iter().map(copy).collect()
        }
        _ => Err(node.expected("SOURCE:TARGET, a mapping or a list of such")),
    }
}
