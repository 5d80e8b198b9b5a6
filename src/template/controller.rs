//! The controller's service: what its templates and the service say, with what every controller needs.

use crate::compose::{Error as Invalid, Kind, Node};

use super::error::Error;
use super::merge::{Entries, pairs};
use super::render::OfService;
use super::{Sort, inherit};

/// The flags of a controller without a template.
const FLAGS: &str = "-logs";
/// The engine's socket, which the controller needs.
const SOCKET: &str = "/var/run/docker.sock";

/// What the pod templates and the service say of the controller.
pub(super) fn definition(service: &[(String, Node)], templates: &OfService<'_>, image: &str) -> Result<Node, Error> {
    let mut definition = match templates.together(Sort::Pod)? {
        Some((_, definition)) => definition,
        None => Node::made(Kind::Map(vec![
            ("command".to_owned(), FLAGS.into()),
            ("volumes".to_owned(), Node::made(Kind::List(vec![socket()]))),
        ])),
    };
    inherit::by_controller(&mut definition, service);
    if !has(&definition, "image", |_| true) {
        definition.put("image", image.into());
    }
    Ok(definition)
}

/// The engine's socket as a volume.
fn socket() -> Node {
    let entry = |key: &str, kind| (key.to_owned(), Node::made(kind));
    Node::made(Kind::Map(vec![
        entry("type", Kind::Text("bind".to_owned())),
        entry("source", Kind::Text(SOCKET.to_owned())),
        entry("target", Kind::Text(SOCKET.to_owned())),
        entry("read_only", Kind::Bool(true)),
    ]))
}

/// Mounts the socket unless something is mounted there.
pub(super) fn mount_socket(pod: &mut Node) {
    let mut volumes = match pod.get("volumes") {
        Some(Node { kind: Kind::List(volumes), .. }) => volumes.clone(),
        _ => Vec::new(),
    };
    let is_there = |volume: &Node| match &volume.kind {
        // A variable keeps it short.
        Kind::Text(text) => text.split(':').skip(1).any(|part| part == SOCKET),
        _ => volume.get("target").and_then(|target| target.text().ok()).is_some_and(|target| target == SOCKET),
    };
    if !volumes.iter().any(is_there) {
        volumes.push(socket());
        put(pod, "volumes", Node::made(Kind::List(volumes)));
    }
}

/// Adds our labels to those of the pod, in the order of their keys.
pub(super) fn add_labels(pod: &mut Node, ours: Entries) -> Result<(), Invalid> {
    let mut labels = match pod.get("labels") {
        None => Entries::new(),
        Some(Node { kind: Kind::Map(labels), .. }) => labels.clone(),
        Some(Node { kind: Kind::List(items), .. }) => pairs(items).unwrap_or_default(),
        Some(other) => return Err(other.expected("a mapping")),
    };
    for (key, value) in ours {
        if let Some((_, known)) = labels.iter().find(|(known, _)| *known == key) {
            if key == "pod.stop_grace_period" {
                continue;
            }
            return Err(known.refused(format!("the label '{key}' is there already, and a template makes one, too")));
        }
        labels.push((key, value));
    }
    labels.sort_by(|(a, _), (b, _)| a.cmp(b));
    put(pod, "labels", Node::made(Kind::Map(labels)));
    Ok(())
}

/// Puts an entry where its key comes in the alphabet, in which services are written.
fn put(pod: &mut Node, key: &str, value: Node) {
    let Kind::Map(entries) = &mut pod.kind else { return };
    entries.retain(|(known, _)| known != key);
    let at = entries.iter().position(|(known, _)| known.as_str() > key).unwrap_or(entries.len());
    entries.insert(at, (key.to_owned(), value));
}

/// Whether a mapping has a key with such a value.
pub(super) fn has(node: &Node, key: &str, is: impl Fn(&Node) -> bool) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.iter().any(|(known, value)| known == key && is(value)))
}
