//! The labels that make a pod. The only file that spells a label key.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use crate::compose::{self, Content, Kind, Node, Place, Problem, Project, Source, Surroundings};
use crate::engine::types::Healthcheck;

use super::component::{Component, Stage};
use super::error::Error;
use super::parse::Reading;
use super::role::Role;
use super::volumes::{Declared, Scratch};
use super::warning::Warning;
use super::{Need, copy, needs, parse};

/// On the controller: a component, by name.
const COMPONENT_PREFIX: &str = "pod.component.";
/// On the controller: the same, as the first podlike called it.
const CONTAINER_PREFIX: &str = "pod.container.";
/// On the controller: the init components, a list in order.
const INIT: &str = "pod.init.components";
/// On the controller: a Compose file whose services are the components.
const FILE: &str = "pod.compose.file";
/// On the controller: what is copied into a component, by its name.
const COPY_PREFIX: &str = "pod.copy.";
/// On the controller: a volume that lives as long as the pod, by name.
const VOLUME_PREFIX: &str = "pod.volume.";
/// On the controller: the role of a component, by its name.
const ROLE_PREFIX: &str = "pod.role.";
/// On the controller: the component whose exit code is the pod's.
const LEADER: &str = "pod.leader";
/// On the controller: the time that the pod has to stop.
const STOP_GRACE_PERIOD: &str = "pod.stop_grace_period";
/// On a task of Swarm: the id of its service.
pub(super) const SWARM_SERVICE: &str = "com.docker.swarm.service.id";

/// The variable that chooses profiles where no flag does, as with Compose.
const PROFILES: &str = "COMPOSE_PROFILES";

/// On a component, a holder or a scratch volume: the id of its controller.
pub const CONTROLLER_ID: &str = "podlike.controller.id";
/// On the same: which life of the controller made it.
pub const INSTANCE: &str = "podlike.instance";
/// On a component: its name within the pod.
pub const COMPONENT: &str = "podlike.component";
/// On what podlike made: its version.
pub(super) const VERSION: &str = "podlike.version";
/// On a volume that podlike made: the name that components use.
pub(super) const VOLUME: &str = "podlike.volume";
/// On a volume of somebody: the name that components use for it, as in the first podlike.
pub const VOLUME_REF: &str = "com.github.rycus86.podlike.volume-ref";
/// On a volume of somebody: how long it shall live.
pub const LIFETIME: &str = "com.github.rycus86.podlike.lifetime";
/// Until no container has it: that of a task, by its name, whose end nobody else sees.
pub const OF_TASK: &str = "task";
/// Labels that belong to Swarm: a container that carries them would be taken for a task.
pub(super) const SWARM_PREFIX: &str = "com.docker.swarm.";
/// On every container of a stack: the name of the stack.
pub(super) const STACK: &str = "com.docker.stack.namespace";
/// On every container of a Compose project: the name of the project.
pub(super) const PROJECT: &str = "com.docker.compose.project";

/// The label that a controller's containers and scratch volumes carry, and nothing else.
pub fn owned_by(controller: &str) -> String {
    format!("{CONTROLLER_ID}={controller}")
}

/// The id of the service of Swarm that a container with these labels is a task of.
pub fn service_of(labels: &BTreeMap<String, String>) -> Option<&str> {
    labels.get(SWARM_SERVICE).map(String::as_str)
}

/// Whether a container with these labels is a controller.
pub fn has_pod(labels: &BTreeMap<String, String>) -> bool {
    make_a_pod(labels.keys().map(String::as_str))
}

/// Takes from the labels of a service those that are ours.
pub fn take_from_service(labels: &mut BTreeMap<String, String>, of_service: &BTreeMap<String, String>) {
    let ours = of_service.iter().filter(|(key, _)| key.starts_with("pod."));
    labels.extend(ours.map(|(key, text)| (key.clone(), text.clone())));
}

/// Whether a service with these labels is a controller.
pub(super) fn make_a_pod<'a>(mut keys: impl Iterator<Item = &'a str>) -> bool {
    keys.any(|key| key == FILE || key == INIT || component_name(key).is_some())
}

fn component_name(key: &str) -> Option<&str> {
    key.strip_prefix(COMPONENT_PREFIX).or_else(|| key.strip_prefix(CONTAINER_PREFIX))
}

/// A label of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The key.
    pub key: String,
    /// The value.
    pub text: String,
    /// Where the value stands.
    pub source: Source,
}

impl Label {
    fn place(&self) -> Place {
        self.source.start()
    }
}

/// What was asked for: components in the order of their names, or of their file, init components first in theirs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PodSpec {
    /// The components.
    pub components: Vec<Component>,
    /// What each of them needs, by position.
    pub needs: Vec<Vec<Need>>,
    /// Volumes that live as long as the pod.
    pub scratch: Vec<Scratch>,
    /// The volumes of the Compose file.
    pub volumes: Vec<Declared>,
    /// The name of the Compose file's project, if it has one.
    pub project: Option<String>,
    /// The names by which the services of a Compose file know each other.
    pub hosts: Vec<String>,
    /// The time that it has to stop when somebody wants it to end.
    pub stop_grace_period: Option<Duration>,
    /// What is not done as asked.
    pub warnings: Vec<Warning>,
}

impl PodSpec {
    /// Reads a pod from the labels of its controller.
    pub fn from_labels(labels: &BTreeMap<String, String>, surroundings: &Surroundings) -> Result<Self, Error> {
        let label = |(key, text): (&String, &String)| Label {
            key: key.clone(),
            text: text.clone(),
            source: Source::label(key),
        };
        Self::read(&labels.iter().map(label).collect::<Vec<_>>(), &surroundings.for_another())
    }

    /// Reads a pod from labels in the order of their keys.
    pub fn read(labels: &[Label], surroundings: &Surroundings) -> Result<Self, Error> {
        let find = |key| labels.iter().find(|label| label.key == key);
        let file = find(FILE);
        let component = labels.iter().find(|label| component_name(&label.key).is_some());
        if let (Some(_), Some(component)) = (file, component) {
            return Err(Error::LabelsAndFile { place: Box::new(component.place()), file: FILE });
        }
        let project = file.map(|label| load(label, surroundings)).transpose()?;
        Self::of(labels, project.as_ref(), surroundings)
    }

    /// Reads a pod from a Compose project alone.
    pub fn from_project(project: &Project, surroundings: &Surroundings) -> Result<Self, Error> {
        Self::of(&[], Some(project), surroundings)
    }

    fn of(labels: &[Label], project: Option<&Project>, surroundings: &Surroundings) -> Result<Self, Error> {
        let mut reading = Reading { surroundings, project, warnings: Vec::new() };
        let mut components = Components::default();
        if let Some(label) = labels.iter().find(|label| label.key == INIT) {
            components.init(&surroundings.parse(&label.source, &label.text)?, &mut reading)?;
        }
        components.main(labels, &mut reading)?;
        if let Some(project) = project {
            components.services(project, &mut reading)?;
        }
        if let Some(label) = labels.iter().find(|label| is_misspelt(&label.key)) {
            return Err(Error::UnknownLabel { place: Box::new(label.place()), nearest: meant_by(&label.key) });
        }
        components.has_clash()?;
        let Components { mut all, skipped, steps } = components;
        if all.iter().all(|component| component.stage == Stage::Init) {
            return Err(if skipped.is_empty() { Error::NoComponents } else { Error::NoProfile { skipped } });
        }
        copies(labels, &mut all, &skipped, surroundings)?;
        roles(labels, &mut all, &skipped, surroundings)?;
        let needs = needs::resolve(&all, &skipped)?;
        let stop_grace_period = labels.iter().find(|label| label.key == STOP_GRACE_PERIOD);
        let stop_grace_period = stop_grace_period
            .map(|label| compose::duration(&surroundings.parse(&label.source, &label.text)?))
            .transpose()?;
        let mut volumes = Vec::new();
        for (key, node) in project.map(|project| project.volumes.as_slice()).unwrap_or_default() {
            volumes.push(Declared::read(key, node)?);
        }
        let warnings = reading.warnings;
        let is_step = |component: &&Component| steps.iter().any(|(name, _)| *name == component.name);
        let main = all.iter().filter(|component| project.is_some() && component.stage == Stage::Main);
        let main = main.filter(|component| !is_step(component));
        let hosts = main.map(|component| component.name.clone()).collect();
        let project = project.and_then(|project| project.name.clone());
        let scratch = scratch(labels, surroundings)?;
        Ok(Self { components: all, needs, scratch, volumes, project, hosts, stop_grace_period, warnings })
    }
}

/// More containers are not a pod's: they have one network, and start and end together.
const MOST: usize = 1000;

/// The components while they are read.
#[derive(Default)]
struct Components {
    all: Vec<Component>,
    /// The names that no profile chose.
    skipped: Vec<String>,
    /// The names of what `pre_start` makes, and what is wrong where another component has such a name.
    steps: Vec<(String, compose::Error)>,
}

impl Components {
    /// Init components are named by their place, from 1 on, and have no health.
    fn init(&mut self, node: &Node, reading: &mut Reading<'_>) -> Result<(), Error> {
        if node.kind == Kind::Null {
            return Ok(());
        }
        for (place, node) in node.list()?.iter().enumerate() {
            self.has_room(node)?;
            let name = format!("init-{}", place + 1);
            if !is_chosen(node, reading)? {
                self.skipped.push(name);
                continue;
            }
            if let Some(check) = node.get("healthcheck") {
                reading.ignore(&name, check, "an init component is waited for until it ends");
            }
            let mut component = parse::component(&name, Stage::Init, node, reading)?;
            component.request.healthcheck = Some(Healthcheck::off());
            self.push(component, node, reading)?;
        }
        Ok(())
    }

    fn main(&mut self, labels: &[Label], reading: &mut Reading<'_>) -> Result<(), Error> {
        for label in labels {
            let Some(name) = component_name(&label.key) else { continue };
            if label.key.starts_with(CONTAINER_PREFIX)
                && !reading.warnings.iter().any(|warning| matches!(warning, Warning::OldLabel { .. }))
            {
                let now = format!("{COMPONENT_PREFIX}{name}");
                reading.warnings.push(Warning::OldLabel { label: label.key.clone(), now });
            }
            if !is_part_of_a_name(name) {
                return Err(Error::Name { place: Box::new(label.place()), at: String::new(), of: "component" });
            }
            if let Some(other) = self.all.iter().find(|other| other.name == name) {
                let by = if other.stage == Stage::Init { "an init component" } else { "another component" };
                return Err(Error::NameTaken { place: Box::new(label.place()), by });
            }
            self.add(name, &reading.surroundings.parse(&label.source, &label.text)?, reading)?;
        }
        Ok(())
    }

    fn services(&mut self, project: &Project, reading: &mut Reading<'_>) -> Result<(), Error> {
        for (place, name) in &project.unset {
            reading.warnings.push(Warning::Unset { place: place.clone(), name: name.clone() });
        }
        for (place, key, reason) in &project.ignored {
            reading.warnings.push(Warning::IgnoredSection { place: place.clone(), key, reason });
        }
        for (name, node) in &project.services {
            if !is_part_of_a_name(name) {
                return Err(Error::Name { place: Box::new(node.key.clone()), at: node.at.clone(), of: "service" });
            }
            if self.all.iter().any(|other| other.name == *name) {
                return Err(node.refused("an init component has this name").into());
            }
            self.add(name, node, reading)?;
        }
        Ok(())
    }

    fn has_room(&self, node: &Node) -> Result<(), compose::Error> {
        if self.all.len() < MOST {
            return Ok(());
        }
        Err(compose::Error::new(&node.key, &node.at, Problem::TooLarge("a pod has at most 1000 components")))
    }

    /// Adds a component behind the steps that it begins with.
    fn push(&mut self, mut component: Component, node: &Node, reading: &mut Reading<'_>) -> Result<(), Error> {
        for step in parse::steps(&mut component, node, reading)? {
            self.has_room(node)?;
            let clash = format!("a step of its pre_start is called '{}', and so is another component", step.name);
            self.steps.push((step.name.clone(), node.refused(clash)));
            self.all.push(step);
        }
        self.all.push(component);
        Ok(())
    }

    /// A component that is called like a step of another one would have its container.
    fn has_clash(&self) -> Result<(), Error> {
        let count = |name: &String| self.all.iter().filter(|component| component.name == *name).count();
        match self.steps.iter().find(|(name, _)| count(name) > 1) {
            Some((_, clash)) => Err(clash.clone().into()),
            None => Ok(()),
        }
    }

    /// Adds a component, unless it has profiles of which none was chosen.
    fn add(&mut self, name: &str, node: &Node, reading: &mut Reading<'_>) -> Result<(), Error> {
        if is_chosen(node, reading)? {
            self.has_room(node)?;
            let component = parse::component(name, Stage::Main, node, reading)?;
            self.push(component, node, reading)?;
        } else {
            self.skipped.push(name.to_owned());
        }
        Ok(())
    }
}

/// Whether a component has no profiles, or one that was chosen.
fn is_chosen(node: &Node, reading: &Reading<'_>) -> Result<bool, Error> {
    let profiles = node.get("profiles").map(compose::strings).transpose()?.unwrap_or_default();
    let by_variable;
    let chosen = if reading.surroundings.profiles.is_empty() {
        let names = reading.variable(node, PROFILES).unwrap_or_default();
        by_variable = names.split(',').map(|name| name.trim().to_owned()).collect();
        &by_variable
    } else {
        &reading.surroundings.profiles
    };
    let is_chosen = |profile: &String| chosen.contains(profile) || chosen.iter().any(|all| all == "*");
    Ok(profiles.is_empty() || profiles.iter().any(is_chosen))
}

/// Reads the Compose file that a label names.
fn load(label: &Label, surroundings: &Surroundings) -> Result<Project, Error> {
    let node = surroundings.parse(&label.source, &label.text)?;
    let path = surroundings.path(Path::new(""), node.text()?.trim());
    let project = Project::load(&path, &node, surroundings)?;
    if project.services.is_empty() {
        return Err(node.refused(format!("{} has no services", path.display())).into());
    }
    Ok(project)
}

fn scratch(labels: &[Label], surroundings: &Surroundings) -> Result<Vec<Scratch>, Error> {
    let mut all = Vec::new();
    for label in labels {
        if let Some(name) = label.key.strip_prefix(VOLUME_PREFIX) {
            if !is_part_of_a_name(name) {
                return Err(Error::Name { place: Box::new(label.place()), at: String::new(), of: "volume" });
            }
            all.push(Scratch::read(name, &surroundings.parse(&label.source, &label.text)?)?);
        }
    }
    Ok(all)
}

/// The component that a label names; none if no profile chose it. Who is unknown may be the nearest that there is.
fn named<'a>(
    name: &str,
    components: &'a mut [Component],
    skipped: &[String],
    unknown: impl FnOnce(Option<String>) -> Error,
) -> Result<Option<&'a mut Component>, Error> {
    match components.iter().position(|component| component.name == name) {
        Some(position) => Ok(Some(&mut components[position])),
        None if skipped.iter().any(|skipped| skipped == name) => Ok(None),
        None => Err(unknown(needs::nearest(name, components))),
    }
}

/// What labels say of roles, beside the components themselves.
fn roles(
    labels: &[Label],
    components: &mut [Component],
    skipped: &[String],
    surroundings: &Surroundings,
) -> Result<(), Error> {
    for label in labels {
        let role = label.key.strip_prefix(ROLE_PREFIX);
        if role.is_none() && label.key != LEADER {
            continue;
        }
        let node = surroundings.parse(&label.source, &label.text)?;
        let name = if let Some(name) = role { name.to_owned() } else { node.text()? };
        let place = || Box::new(label.place());
        let unknown = |nearest| Error::UnknownComponent { place: place(), name: name.clone(), nearest };
        let Some(component) = named(&name, components, skipped, unknown)? else { continue };
        if component.stage == Stage::Init {
            return Err(Error::OfInit { place: place() });
        }
        if role.is_none() {
            component.leader = true;
            continue;
        }
        let role = Role::read(&node)?;
        if !component.role.is_default() && component.role != role {
            return Err(Error::TwoRoles { place: place() });
        }
        component.role = role;
    }
    check_roles(components)
}

fn check_roles(components: &[Component]) -> Result<(), Error> {
    if !components.iter().any(|component| component.stage == Stage::Main && component.role != Role::Sidecar) {
        return Err(Error::OnlySidecars);
    }
    let leaders: Vec<&Component> = components.iter().filter(|component| component.leader).collect();
    if let [first, second, ..] = leaders[..] {
        return Err(Error::TwoLeaders { first: first.name.clone(), second: second.name.clone() });
    }
    match leaders.first().filter(|leader| leader.role != Role::Essential) {
        Some(leader) => Err(Error::NotEssential { leader: leader.name.clone() }),
        None => Ok(()),
    }
}

fn copies(
    labels: &[Label],
    components: &mut [Component],
    skipped: &[String],
    surroundings: &Surroundings,
) -> Result<(), Error> {
    for label in labels {
        let Some(name) = label.key.strip_prefix(COPY_PREFIX) else { continue };
        let copies = copy::copies(&surroundings.parse(&label.source, &label.text)?, surroundings)?;
        let unknown = |nearest| Error::UnknownCopy { place: Box::new(label.place()), nearest };
        let Some(component) = named(name, components, skipped, unknown)? else { continue };
        component.copies = copies;
        if let Some((target, tmpfs)) = on_tmpfs(component) {
            return Err(Error::CopyOnTmpfs { place: Box::new(label.place()), target, tmpfs });
        }
    }
    Ok(())
}

/// Whether a component or a volume of a pod may be called so: the engine's rule for the names of containers and volumes, of
/// which ours are a part.
pub fn is_part_of_a_name(name: &str) -> bool {
    // Neither '.' nor '..' is a name: names are parts of paths, too.
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// A copy that would be lost: a tmpfs is empty when the component starts, unless a volume is mounted deeper.
fn on_tmpfs(component: &Component) -> Option<(String, String)> {
    let mut mounts = Mounts::default();
    for target in component.request.host_config.tmpfs.keys() {
        mounts.add(target, true);
    }
    for volume in &component.volumes {
        mounts.add(&volume.target, matches!(volume.content, Content::Tmpfs { .. }));
    }
    component.copies.iter().find_map(|copy| {
        let (tmpfs, is_tmpfs) = mounts.deepest(&copy.target)?;
        is_tmpfs.then(|| (copy.target.clone(), tmpfs.to_owned()))
    })
}

/// Mounts by the parts of their paths: many copies are looked for among many of them.
#[derive(Default)]
struct Mounts<'a> {
    /// The number of the folder that a part leads to from another one; the root's parent is 0.
    folders: HashMap<(usize, std::path::Component<'a>), usize>,
    /// What is mounted on a folder, and whether it is a tmpfs.
    on: HashMap<usize, (&'a str, bool)>,
}

impl<'a> Mounts<'a> {
    /// Of what is at the same place, a tmpfs counts.
    fn add(&mut self, target: &'a str, is_tmpfs: bool) {
        let mut folder = 0;
        for part in Path::new(target).components() {
            let next = self.folders.len() + 1;
            folder = *self.folders.entry((folder, part)).or_insert(next);
        }
        let mount = self.on.entry(folder).or_insert((target, is_tmpfs));
        if is_tmpfs {
            *mount = (target, true);
        }
    }

    /// The mount that a path is on.
    fn deepest(&self, path: &str) -> Option<(&'a str, bool)> {
        let mut deepest = None;
        let mut folder = 0;
        for part in Path::new(path).components() {
            let Some(next) = self.folders.get(&(folder, part)) else { break };
            folder = *next;
            deepest = self.on.get(&folder).copied().or(deepest);
        }
        deepest
    }
}

/// Whether a label is none of ours, and was probably meant to be one. Others that begin with `pod.` are left alone.
fn is_misspelt(label: &str) -> bool {
    let prefixes = [COMPONENT_PREFIX, CONTAINER_PREFIX, COPY_PREFIX, ROLE_PREFIX, VOLUME_PREFIX];
    let known = [FILE, INIT, LEADER, STOP_GRACE_PERIOD].contains(&label)
        || prefixes.iter().any(|prefix| label.starts_with(prefix));
    !known && meant_by(label).is_some()
}

/// The label of ours that this one was probably meant to be.
fn meant_by(label: &str) -> Option<&'static str> {
    const FAMILIES: [(&str, &str); 14] = [
        ("component", "pod.component.NAME"),
        ("components", "pod.component.NAME"),
        ("compose", FILE),
        ("container", "pod.component.NAME"),
        ("copies", "pod.copy.NAME"),
        ("copy", "pod.copy.NAME"),
        ("init", INIT),
        ("inits", INIT),
        ("leader", LEADER),
        ("role", "pod.role.NAME"),
        ("roles", "pod.role.NAME"),
        ("stop_grace_period", STOP_GRACE_PERIOD),
        ("volume", "pod.volume.NAME"),
        ("volumes", "pod.volume.NAME"),
    ];
    let (pod, family) = label.split_once('.')?;
    let family = family.split('.').next()?;
    let near = compose::nearest(family, FAMILIES.map(|(name, _)| name))?;
    let alike = matches!(pod, "pod" | "pods") && family.get(..3) == near.get(..3);
    FAMILIES.into_iter().find(|(name, _)| alike && *name == near).map(|(_, meant)| meant)
}

/// A service in a stack or Compose file that is a controller.
pub(super) struct Service {
    /// Its name.
    pub(super) name: String,
    /// Its labels, with their places.
    pub(super) labels: Vec<Label>,
    /// What is to be said where they are the service's own.
    pub(super) warning: Option<Warning>,
}

/// The services that are controllers.
pub(super) fn controllers(file: &Node) -> Result<Vec<Service>, compose::Error> {
    let Some(services) = file.get("services") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (name, service) in services.map()? {
        let pod_in = |labels: Option<&Node>| -> Result<Option<Vec<Label>>, compose::Error> {
            let labels = labels.map_or_else(|| Ok(Vec::new()), labels_of)?;
            Ok(make_a_pod(labels.iter().map(|label| label.key.as_str())).then_some(labels))
        };
        let of_service = service.get("deploy").and_then(|deploy| deploy.get("labels"));
        match (pod_in(service.get("labels"))?, pod_in(of_service)?.zip(of_service)) {
            (Some(_), Some((_, node))) => {
                return Err(
                    node.refused("the labels of the pod stand under 'labels' of the service: these are not read")
                );
            }
            (Some(labels), None) => found.push(Service { name: name.clone(), labels, warning: None }),
            (None, Some((labels, node))) => {
                let warning = Some(Warning::OfService { place: node.key.clone(), at: node.at.clone() });
                found.push(Service { name: name.clone(), labels, warning });
            }
            (None, None) => {}
        }
    }
    Ok(found)
}

/// Labels in a file of nothing else.
pub(super) fn labels_alone(document: &Node) -> Result<Vec<Label>, compose::Error> {
    if let Kind::Map(entries) = &document.kind
        && !entries.iter().any(|(key, _)| key.starts_with("pod"))
    {
        let why = "it is neither a stack or Compose file, which has 'services', nor labels such as pod.component.NAME";
        return Err(document.refused(why));
    }
    labels_of(document)
}

/// Labels in a file, as a mapping or as a list of `KEY=VALUE`, in the order of their keys.
fn labels_of(node: &Node) -> Result<Vec<Label>, compose::Error> {
    let label = |key: &str, text: String, place: &Place, block| Label {
        key: key.to_owned(),
        source: Source::label_at(key, place, block),
        text,
    };
    let mut labels: Vec<Label> = match &node.kind {
        Kind::List(items) => items
            .iter()
            .map(|item| {
                let text = item.text()?;
                let (key, value) = text.split_once('=').unwrap_or((&text, ""));
                Ok(label(key, value.to_owned(), &item.place, false))
            })
            .collect::<Result<_, compose::Error>>()?,
        _ => node
            .map()?
            .iter()
            .map(|(key, value)| {
                let text = match &value.kind {
                    Kind::Null => String::new(),
                    Kind::List(_) | Kind::Map(_) => {
                        return Err(value.refused("the value of a label is a text: write '|' behind its colon"));
                    }
                    _ => value.text()?,
                };
                Ok(label(key, text, &value.place, value.block))
            })
            .collect::<Result<_, compose::Error>>()?,
    };
    labels.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(labels)
}
