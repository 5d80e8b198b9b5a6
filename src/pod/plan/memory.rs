//! What a pod keeps in memory: secrets, configs, and scratch volumes with `medium: memory`. An engine's volume in memory is
//! empty again when the last running container that has it ends, so the guard has them all from the first to the last moment.
//!
//! ```text
//! volume NAME.podlike-memory (tmpfs) ── holder: files are put in as soon as it runs
//!    COMPONENT/secrets/…  ──bind──▶ /run/secrets of the component
//!    COMPONENT/files/N    ──bind──▶ any other target
//! ```

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::compose::Content;
use crate::engine::types::VolumeRequest;

use super::super::component::SECRETS;
use super::super::guard;
use super::super::labels::VOLUME;
use super::super::projection::Projection;
use super::{CONTROLLER_ID, Controller, Plan, PlannedVolume, PodSpec, own_labels};

/// As much as secrets and configs may take together: Swarm's are at most half a megabyte and one.
const SIZE: i64 = 64 << 20;
/// Where the holder has the volume of secrets and configs.
const HELD: &str = "/memory";

/// What is bound out of a volume in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FromMemory {
    /// The name of the volume.
    pub volume: String,
    /// Paths within the volume, and where the component sees them.
    pub binds: Vec<(String, String)>,
}

/// A file that is put into a running holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InMemory {
    /// The component that it is for.
    #[serde(skip)]
    pub component: String,
    /// The path in the holder.
    pub path: String,
    /// What it is: content, owner, mode, and its target in the component.
    #[serde(flatten)]
    pub file: Projection,
}

/// Options of the local driver for a volume in memory.
pub(super) fn options(size: Option<i64>, mode: &str) -> BTreeMap<String, String> {
    let size = size.map(|size| format!("size={size},")).unwrap_or_default();
    [("type", "tmpfs".to_owned()), ("device", "tmpfs".to_owned()), ("o", format!("{size}mode={mode}"))]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

/// What there is to hold.
#[derive(Default)]
pub(in super::super) struct Held {
    /// The volumes.
    pub(in super::super) volumes: Vec<PlannedVolume>,
    /// Where the holder has them.
    pub(in super::super) binds: Vec<String>,
    /// What is put into them.
    pub(in super::super) files: Vec<InMemory>,
}

/// Whether there is something to hold.
pub(super) fn is_held(spec: &PodSpec) -> bool {
    let in_memory = |name: &str| spec.scratch.iter().any(|scratch| scratch.memory && scratch.name == name);
    spec.components.iter().any(|component| {
        let mut names = component.volumes.iter().filter_map(|volume| match &volume.content {
            Content::Volume { name, .. } => name.as_deref(),
            _ => None,
        });
        !component.projections.is_empty() || names.any(in_memory)
    })
}

/// Gives components what they have in memory, and says what the holder has for it.
pub(super) fn hold(plan: &mut Plan, spec: &PodSpec, controller: &Controller) -> Held {
    let volume = guard::name(controller, true);
    let mut files = Vec::new();
    for (planned, component) in plan.components.iter_mut().zip(&spec.components) {
        if component.projections.is_empty() {
            continue;
        }
        let (binds, put) = project(&component.name, &component.projections);
        planned.from_memory = Some(FromMemory { volume: volume.clone(), binds });
        files.extend(put);
    }
    let mut volumes: Vec<PlannedVolume> = Vec::new();
    let mut names = HashSet::new();
    for needed in plan.components.iter().flat_map(|planned| &planned.volumes) {
        if is_scratch_in_memory(needed) && names.insert(needed.name()) {
            volumes.push(needed.clone());
        }
    }
    let mut binds: Vec<String> = volumes
        .iter()
        .filter_map(PlannedVolume::made)
        .map(|request| format!("{}:/scratch/{}", request.name, request.labels[VOLUME]))
        .collect();
    if !files.is_empty() {
        binds.push(format!("{volume}:{HELD}"));
        let mut labels = own_labels(controller);
        labels.insert(VOLUME.to_owned(), "memory".to_owned());
        let driver_opts = options(Some(SIZE), "0700");
        let made = VolumeRequest { name: volume, driver: "local".to_owned(), driver_opts, labels };
        volumes.push(PlannedVolume::Make(made));
    }
    Held { volumes, binds, files }
}

fn is_scratch_in_memory(volume: &PlannedVolume) -> bool {
    volume.made().is_some_and(|request| {
        let in_memory = request.driver_opts.get("type").is_some_and(|kind| kind == "tmpfs");
        in_memory && request.labels.contains_key(CONTROLLER_ID)
    })
}

/// The binds of a component, and the files behind them.
fn project(component: &str, projections: &[Projection]) -> (Vec<(String, String)>, Vec<InMemory>) {
    let mut binds = Vec::new();
    let mut files = Vec::new();
    let mut has_secrets = false;
    for (number, projection) in projections.iter().enumerate() {
        let inner = if let Some(name) = projection.target.strip_prefix(SECRETS) {
            if !has_secrets {
                binds.push((format!("{component}/secrets"), SECRETS.trim_end_matches('/').to_owned()));
            }
            has_secrets = true;
            format!("{component}/secrets/{name}")
        } else {
            let inner = format!("{component}/files/{number}");
            binds.push((inner.clone(), projection.target.clone()));
            inner
        };
        files.push(InMemory {
            component: component.to_owned(),
            path: format!("{HELD}/{inner}"),
            file: projection.clone(),
        });
    }
    (binds, files)
}
