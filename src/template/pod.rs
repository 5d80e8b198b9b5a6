//! A service and its templates → the service of a pod: the controller, whose labels say what the components are.

use std::path::Path;

use crate::compose::stack::{self, References};
use crate::compose::{Kind, Node, Place, Surroundings, write};

use super::component::{self, Component};
use super::error::Error;
use super::merge::{Entries, fill, pairs};
use super::render::OfService;
use super::{Sort, copy, inherit};

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

/// The service of a pod, in the place of `service`.
pub(super) fn pod(
    name: &str,
    service: &Node,
    templates: &OfService<'_>,
    making: &mut Making<'_>,
) -> Result<Node, Error> {
    let Kind::Map(inherited) = &service.kind else { return Err(service.expected("a mapping").into()) };
    let together = |sort| move |problem| Error::Together { service: name.to_owned(), sort, problem };
    let definition = controller(inherited, templates, making.image)?;
    let mut labels = component_labels(name, inherited, templates, making)?;
    let asked = Node { kind: Kind::Map(definition), ..service.clone() };
    let no_volumes = matches!(&asked.kind, Kind::Map(entries) if entries.iter().any(|(key, node)| key == "volumes" && is_empty(node)));
    let mut pod = stack::service(&asked, References::Keep, making.folder, making.surroundings, making.notes)
        .map_err(together(Sort::Pod))?;
    if let Some(grace) = pod.get("stop_grace_period") {
        labels.push(("pod.stop_grace_period".to_owned(), grace.clone()));
    }
    if !no_volumes {
        mount_socket(&mut pod);
    }
    add_labels(&mut pod, labels).map_err(together(Sort::Pod))?;
    for (key, node) in inherit::lost(inherited) {
        let why = format!("service '{name}': '{key}' is lost: neither the controller nor the main component takes it");
        making.notes.push((node.key.clone(), why));
    }
    Ok(pod)
}

/// What the pod templates and the service say of the controller.
fn controller(service: &[(String, Node)], templates: &OfService<'_>, image: &str) -> Result<Entries, Error> {
    let mut definition: Option<Entries> = None;
    for rendered in templates.single(Sort::Pod) {
        let (_, entries) = rendered?;
        match &mut definition {
            None => definition = Some(entries),
            Some(definition) => fill(definition, &entries),
        }
    }
    let mut definition = definition.unwrap_or_else(|| {
        vec![("command".to_owned(), text(FLAGS)), ("volumes".to_owned(), Node::made(Kind::List(vec![socket()])))]
    });
    inherit::by_controller(&mut definition, service);
    if !definition.iter().any(|(key, _)| key == "image") {
        definition.push(("image".to_owned(), text(image)));
    }
    Ok(definition)
}

/// The labels for the components, and for what is copied into them.
fn component_labels(
    service_name: &str,
    service: &[(String, Node)],
    templates: &OfService<'_>,
    making: &mut Making<'_>,
) -> Result<Entries, Error> {
    let (main, mut definition) = main_component(templates)?;
    let others = other_components(&main, templates)?;
    let names: Vec<&str> = [main.as_str()].into_iter().chain(others.iter().map(|(name, _)| name.as_str())).collect();
    let own_needs = definition.iter().any(|(key, _)| key == "depends_on");
    inherit::by_main(&mut definition, service);
    if !own_needs {
        component::only_needs_of(&mut definition, &names, service_name, making);
    }
    let mut labels = Entries::new();
    let all = [(main.clone(), Node::made(Kind::Map(definition)))].into_iter().chain(others.iter().cloned());
    for (sort, (name, node)) in [Sort::Transformer].into_iter().chain([Sort::Templates].into_iter().cycle()).zip(all) {
        let of = Component { service: service_name, sort, name: &name };
        labels.push((format!("pod.component.{name}"), text(&write(&of.finished(&node, making)?))));
    }
    let mut init = Vec::new();
    for rendered in templates.single(Sort::Init) {
        let (name, entries) = rendered?;
        let of = Component { service: service_name, sort: Sort::Init, name: &name };
        init.push(of.finished(&Node::made(Kind::Map(entries)), making)?);
    }
    if !init.is_empty() {
        labels.push(("pod.init.components".to_owned(), text(&write(&Node::made(Kind::List(init))))));
    }
    for (name, copies) in copy::copies(templates)? {
        if !names.contains(&name.as_str()) {
            let place = copies.first().map(|copy| copy.place.clone()).unwrap_or_default();
            let why = format!("service '{service_name}': the pod has no component '{name}' to copy into");
            making.notes.push((place, why));
        }
        labels.push((format!("pod.copy.{name}"), text(&write(&Node::made(Kind::List(copies))))));
    }
    Ok(labels)
}

/// The name of the main component, which is the key of the first transformer, and what all of them say.
fn main_component(templates: &OfService<'_>) -> Result<(String, Entries), Error> {
    let mut main: Option<(String, Entries)> = None;
    for rendered in templates.single(Sort::Transformer) {
        let (name, entries) = rendered?;
        match &mut main {
            None => main = Some((name, entries)),
            Some((_, definition)) => fill(definition, &entries),
        }
    }
    Ok(main.unwrap_or_else(|| (MAIN.to_owned(), Entries::new())))
}

/// The other components by their names, in the order of their templates.
fn other_components(main: &str, templates: &OfService<'_>) -> Result<Entries, Error> {
    let mut components = Entries::new();
    for rendered in templates.rendered(Sort::Templates) {
        let (template, entries) = rendered?;
        for (name, node) in &entries {
            if name == main {
                let why = format!("the main component is called '{name}' already: give this one another name");
                return Err(Error::rendered(template, node.refused(why)));
            }
            if !matches!(node.kind, Kind::Map(_)) {
                return Err(Error::rendered(template, node.expected("a mapping")));
            }
        }
        fill(&mut components, &entries);
    }
    Ok(components)
}

fn text(text: &str) -> Node {
    Node::made(Kind::Text(text.to_owned()))
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Null) || matches!(&node.kind, Kind::List(items) if items.is_empty())
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
