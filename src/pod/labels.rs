//! The labels that make a pod. The only file that spells a label key.

use std::collections::BTreeMap;
use std::path::Path;

use crate::compose::{self, Kind};

use super::component::{Component, Healthcheck, Stage};
use super::error::Error;
use super::{Need, copy, needs, parse};

/// On the controller: a component, by name.
const COMPONENT_PREFIX: &str = "pod.component.";
/// On the controller: the init components, a list in order.
const INIT: &str = "pod.init.components";
/// On the controller: what is copied into a component, by its name.
const COPY_PREFIX: &str = "pod.copy.";

/// On a component: the id of its controller.
pub const CONTROLLER_ID: &str = "podlike.controller.id";
/// On a component: its name within the pod.
pub const COMPONENT: &str = "podlike.component";
/// On a component: the version of podlike that made it.
pub const VERSION: &str = "podlike.version";
/// Labels that belong to Swarm: a container that carries them would be taken for a task.
pub(super) const SWARM_PREFIX: &str = "com.docker.swarm.";
/// On every container of a stack: the name of the stack.
pub(super) const STACK: &str = "com.docker.stack.namespace";
/// On every container of a Compose project: the name of the project.
pub(super) const PROJECT: &str = "com.docker.compose.project";

/// The label that a controller's components carry, and nothing else.
pub fn owned_by(controller: &str) -> String {
    format!("{CONTROLLER_ID}={controller}")
}

/// What was asked for: components in the order of their names, init components first in theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct PodSpec {
    /// The components.
    pub components: Vec<Component>,
    /// What each of them needs, by position.
    pub needs: Vec<Vec<Need>>,
}

impl PodSpec {
    /// Reads a pod from the labels of its controller.
    pub fn from_labels(labels: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut components = Vec::new();
        if let Some(text) = labels.get(INIT) {
            components = init_components(text).map_err(|source| Error::Label { label: INIT.to_owned(), source })?;
        }
        for (label, text) in labels {
            if let Some(name) = label.strip_prefix(COMPONENT_PREFIX) {
                let component =
                    component(name, text).map_err(|source| Error::Label { label: label.clone(), source })?;
                if components.iter().any(|other: &Component| other.name == component.name) {
                    return Err(Error::NameTaken { label: label.clone() });
                }
                if !is_container_name(name) {
                    return Err(Error::Name { label: label.clone() });
                }
                components.push(component);
            }
        }
        if let Some(label) = labels.keys().find(|label| is_misspelt(label)) {
            return Err(Error::UnknownLabel { label: label.clone(), nearest: meant_by(label) });
        }
        if components.iter().all(|component| component.stage == Stage::Init) {
            return Err(Error::NoComponents);
        }
        for (label, text) in labels {
            if let Some(name) = label.strip_prefix(COPY_PREFIX) {
                let nearest = needs::nearest(name, &components);
                let Some(component) = components.iter_mut().find(|component| component.name == name) else {
                    return Err(Error::UnknownCopy { label: label.clone(), nearest });
                };
                let copies = compose::parse(text).and_then(|node| copy::copies(&node));
                component.copies = copies.map_err(|source| Error::Label { label: label.clone(), source })?;
                if let Some((target, tmpfs)) = on_tmpfs(component) {
                    return Err(Error::CopyOnTmpfs { label: label.clone(), target, tmpfs });
                }
            }
        }
        let needs = needs::resolve(&components)?;
        Ok(Self { components, needs })
    }
}

fn component(name: &str, text: &str) -> Result<Component, compose::Error> {
    parse::component(name, Stage::Main, &compose::parse(text)?)
}

/// They are named by their place, from 1 on, and have no health.
fn init_components(text: &str) -> Result<Vec<Component>, compose::Error> {
    let node = compose::parse(text)?;
    if node.kind == Kind::Null {
        return Ok(Vec::new());
    }
    let read = |(place, node)| {
        let mut component = parse::component(&format!("init-{}", place + 1), Stage::Init, node)?;
        component.healthcheck = Some(Healthcheck::Disabled);
        Ok(component)
    };
    node.list()?.iter().enumerate().map(read).collect()
}

/// The engine's rule for the names of containers, of which ours are a part.
fn is_container_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// A copy that would be lost: a tmpfs is empty when the component starts, unless a volume is mounted deeper.
fn on_tmpfs(component: &Component) -> Option<(String, String)> {
    component.copies.iter().find_map(|copy| {
        let holds = |mount: &&String| Path::new(&copy.target).starts_with(mount);
        let tmpfs = component.tmpfs.iter().map(|(tmpfs, _)| tmpfs).filter(holds).max_by_key(|mount| mount.len())?;
        let volumes = component.volumes.iter().map(|volume| &volume.target).filter(holds);
        let deeper = volumes.into_iter().any(|volume| volume.len() > tmpfs.len());
        (!deeper).then(|| (copy.target.clone(), tmpfs.clone()))
    })
}

/// Whether a label is none of ours, and was probably meant to be one. Others that begin with `pod.` are left alone.
fn is_misspelt(label: &str) -> bool {
    let known = label == INIT || label.starts_with(COMPONENT_PREFIX) || label.starts_with(COPY_PREFIX);
    let later = ["pod.compose.", "pod.container."].iter().any(|prefix| label.starts_with(prefix));
    !known && (later || meant_by(label).is_some())
}

/// The label of ours that this one was probably meant to be.
fn meant_by(label: &str) -> Option<&'static str> {
    const FAMILIES: [(&str, &str); 6] = [
        ("component", "pod.component.NAME"),
        ("components", "pod.component.NAME"),
        ("copies", "pod.copy.NAME"),
        ("copy", "pod.copy.NAME"),
        ("init", INIT),
        ("inits", INIT),
    ];
    let (pod, family) = label.split_once('.')?;
    let family = family.split('.').next()?;
    let near = compose::nearest(family, FAMILIES.map(|(name, _)| name))?;
    let alike = matches!(pod, "pod" | "pods") && family.get(..3) == near.get(..3);
    FAMILIES.into_iter().find(|(name, _)| alike && *name == near).map(|(_, meant)| meant)
}
