//! A service and its templates → the service of a pod: the controller, whose labels say what the components are.

use std::path::Path;

use crate::compose::stack;
use crate::compose::{Kind, Node, Place, Surroundings, write};

use super::controller::{self, has};
use super::error::Error;
use super::merge::{Entries, fill};
use super::render::OfService;
use super::{Sort, component, copy, inherit};

/// The main component where no template names it.
const MAIN: &str = "app";

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
    let definition = controller::definition(inherited, templates, making.image)?;
    let has_no_volumes =
        has(&definition, "volumes", |node| node.is_null() || node.list().is_ok_and(<[Node]>::is_empty));
    let mut labels = component_labels(name, inherited, templates, making)?;
    let mut pod = stack::service(&definition, making.folder, making.surroundings, making.notes)?;
    making.keep_known(&mut pod, &format!("the pod '{name}'"), &stack::service_keys().collect::<Vec<_>>());
    if let Some(grace) = pod.get("stop_grace_period") {
        labels.push(("pod.stop_grace_period".to_owned(), grace.clone()));
    }
    if !has_no_volumes {
        controller::mount_socket(&mut pod);
    }
    controller::add_labels(&mut pod, labels)?;
    for (key, node) in inherit::lost(inherited) {
        let why = "neither the controller nor the main component takes it";
        making.note(node, format!("service '{name}': '{key}' is lost: {why}"));
    }
    Ok(pod)
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
        labels.push((key, write(&component::finished(&name, node, making)?).as_str().into()));
    }
    let mut init = Vec::new();
    for rendered in templates.single(Sort::Init) {
        let (name, node) = rendered?;
        init.push(component::finished(&name, node, making)?);
    }
    if !init.is_empty() {
        labels.push(("pod.init.components".to_owned(), write(&Node::made(Kind::List(init))).as_str().into()));
    }
    for (name, copies) in copy::copies(templates)? {
        if !names.contains(&name.as_str()) {
            let why = format!("service '{service_name}': the pod has no component '{name}' to copy into");
            making.notes.push((copies.first().map(|copy| copy.place.clone()).unwrap_or_default(), why));
        }
        labels.push((format!("pod.copy.{name}"), write(&Node::made(Kind::List(copies))).as_str().into()));
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
