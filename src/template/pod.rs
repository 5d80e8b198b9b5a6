//! A service and its templates → the service of a pod: the controller, whose labels say what the components are.

use std::path::Path;

use crate::compose::stack::{self, References};
use crate::compose::{Kind, Node, Place, Surroundings, write};

use super::error::Error;
use super::merge::{Entries, fill, pairs};
use super::render::OfService;
use super::{Sort, component, copy, inherit};

/// The main component where no template names it.
const MAIN: &str = "app";
/// The flags of a controller without a template.
const FLAGS: &str = "-logs";
/// The engine's socket, which the controller needs.
const SOCKET: &str = "/var/run/docker.sock";

/// What a pod is made with.
pub(super) struct Making<'a> {
    /// What relative paths are relative to.
    pub(super) folder: &'a Path,
    pub(super) surroundings: &'a Surroundings,
    /// The controller's image where no template names one.
    pub(super) image: &'a str,
    /// What is not as asked for.
    pub(super) notes: &'a mut Vec<(Place, String)>,
}

impl Making<'_> {
    /// Tells that a value is not done as asked.
    pub(super) fn note(&mut self, node: &Node, why: String) {
        self.notes.push((node.key.clone(), why));
    }

    /// Leaves out what is none of the `known` keys, and tells it: whoever reads them would refuse it.
    pub(super) fn keep_known(&mut self, node: &mut Node, what: &str, known: &[&str]) {
        let whole = node.clone();
        let Kind::Map(entries) = &mut node.kind else { return };
        entries.retain(|(key, value)| {
            let is_known = known.contains(&key.as_str()) || key.starts_with("x-");
            if !is_known {
                let why = whole.unknown(key, known.iter().copied()).problem;
                self.note(value, format!("{what}: left out: {why}"));
            }
            is_known
        });
    }
}

/// The service of a pod, in the place of `service`.
pub(super) fn pod(
    name: &str,
    service: &Node,
    templates: &OfService<'_>,
    making: &mut Making<'_>,
) -> Result<Node, Error> {
    let Kind::Map(inherited) = &service.kind else { return Err(service.expected("a mapping").into()) };
    let definition = controller(inherited, templates, making.image)?;
    let has_no_volumes =
        has(&definition, "volumes", |node| node.is_null() || node.list().is_ok_and(<[Node]>::is_empty));
    let mut labels = component_labels(name, inherited, templates, making)?;
    let mut pod = stack::service(&definition, References::Keep, making.folder, making.surroundings, making.notes)?;
    making.keep_known(&mut pod, &format!("the pod '{name}'"), &stack::service_keys().collect::<Vec<_>>());
    if let Some(grace) = pod.get("stop_grace_period") {
        labels.push(("pod.stop_grace_period".to_owned(), grace.clone()));
    }
    if !has_no_volumes {
        mount_socket(&mut pod);
    }
    add_labels(&mut pod, labels)?;
    for (key, node) in inherit::lost(inherited) {
        let why = "neither the controller nor the main component takes it";
        making.note(node, format!("service '{name}': '{key}' is lost: {why}"));
    }
    Ok(pod)
}

/// What the pod templates and the service say of the controller.
fn controller(service: &[(String, Node)], templates: &OfService<'_>, image: &str) -> Result<Node, Error> {
    let mut definition = match templates.together(Sort::Pod)? {
        Some((_, definition)) => definition,
        None => Node::made(Kind::Map(vec![
            ("command".to_owned(), text(FLAGS)),
            ("volumes".to_owned(), Node::made(Kind::List(vec![socket()]))),
        ])),
    };
    inherit::by_controller(&mut definition, service);
    if !has(&definition, "image", |_| true) {
        definition.put("image", text(image));
    }
    Ok(definition)
}

/// Whether a mapping has a key with such a value.
fn has(node: &Node, key: &str, is: impl Fn(&Node) -> bool) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.iter().any(|(known, value)| known == key && is(value)))
}

/// The labels for the components, and for what is copied into them.
fn component_labels(
    service_name: &str,
    service: &[(String, Node)],
    templates: &OfService<'_>,
    making: &mut Making<'_>,
) -> Result<Entries, Error> {
    let default = || (MAIN.to_owned(), Node::made(Kind::Map(Entries::new())));
    let (main, mut definition) = templates.together(Sort::Transformer)?.unwrap_or_else(default);
    let others = other_components(&main, templates)?;
    let names: Vec<&str> = [main.as_str()].into_iter().chain(others.iter().map(|(name, _)| name.as_str())).collect();
    let has_needs = has(&definition, "depends_on", |_| true);
    inherit::by_main(&mut definition, service);
    if !has_needs {
        component::only_needs_of(&mut definition, &names, service_name, making);
    }
    let mut labels = Entries::new();
    for (name, node) in [(main.clone(), definition)].into_iter().chain(others.iter().cloned()) {
        let key = format!("pod.component.{name}");
        labels.push((key, text(&write(&component::finished(&name, node, making)?))));
    }
    let mut init = Vec::new();
    for rendered in templates.single(Sort::Init) {
        let (name, node) = rendered?;
        init.push(component::finished(&name, node, making)?);
    }
    if !init.is_empty() {
        labels.push(("pod.init.components".to_owned(), text(&write(&Node::made(Kind::List(init))))));
    }
    for (name, copies) in copy::copies(templates)? {
        if !names.contains(&name.as_str()) {
            let why = format!("service '{service_name}': the pod has no component '{name}' to copy into");
            making.notes.push((copies.first().map(|copy| copy.place.clone()).unwrap_or_default(), why));
        }
        labels.push((format!("pod.copy.{name}"), text(&write(&Node::made(Kind::List(copies))))));
    }
    Ok(labels)
}

/// The other components by their names, in the order of their templates.
fn other_components(main: &str, templates: &OfService<'_>) -> Result<Entries, Error> {
    let mut components = Entries::new();
    for rendered in templates.rendered(Sort::Templates) {
        let (_, entries) = rendered?;
        for (name, node) in &entries {
            if name == main {
                let why = format!("the main component is called '{name}' already: give this one another name");
                return Err(node.refused(why).into());
            }
            if !matches!(node.kind, Kind::Map(_)) {
                return Err(node.expected("a mapping").into());
            }
        }
        fill(&mut components, &entries);
    }
    Ok(components)
}

fn text(text: &str) -> Node {
    Node::made(Kind::Text(text.to_owned()))
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
fn mount_socket(pod: &mut Node) {
    let mut volumes = match pod.get("volumes") {
        Some(Node { kind: Kind::List(volumes), .. }) => volumes.clone(),
        _ => Vec::new(),
    };
    let is_there = |volume: &Node| {
        volume.get("target").and_then(|target| target.text().ok()).is_some_and(|target| target == SOCKET)
    };
    if !volumes.iter().any(is_there) {
        volumes.push(socket());
        put(pod, "volumes", Node::made(Kind::List(volumes)));
    }
}

/// Adds our labels to those of the pod, in the order of their keys.
fn add_labels(pod: &mut Node, ours: Entries) -> Result<(), crate::compose::Error> {
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
