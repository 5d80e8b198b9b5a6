//! `post_start` and `pre_stop`: commands in a component that runs; `pre_start`: containers that run before it, each to
//! success. What they mean is said in the Compose specification.

use serde::Serialize;

use crate::compose::{self, Error, Node};

use super::component::{Component, Said, Stage};
use super::needs::{Dependency, Until};
use super::parse::Reading;

/// A command that is run in a component, beside its own process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Hook {
    /// The command.
    pub command: Vec<String>,
    /// The user; none is the component's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it may do all that root on the host may.
    #[serde(skip_serializing_if = "is_false")]
    pub privileged: bool,
    /// The working directory; none is the component's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Environment, as `KEY=VALUE`, over the component's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape is serde's")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Reads `post_start` or `pre_stop`: a list of hooks.
pub(super) fn hooks(node: &Node, reading: &Reading<'_>) -> Result<Vec<Hook>, Error> {
    const KEYS: [&str; 5] = ["command", "environment", "privileged", "user", "working_dir"];
    node.list()?.iter().map(|item| hook(item, &KEYS, reading)).collect()
}

fn hook(node: &Node, known: &[&str], reading: &Reading<'_>) -> Result<Hook, Error> {
    let mut hook = Hook::default();
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "command" => hook.command = compose::command(value)?,
            "environment" => {
                let pairs = compose::key_values(value)?.into_iter();
                let filled = pairs.filter_map(|(key, own)| {
                    let value = own.or_else(|| reading.variable(value, &key))?;
                    Some(format!("{key}={value}"))
                });
                hook.env = filled.collect();
            }
            "privileged" => hook.privileged = value.bool()?,
            "user" => hook.user = Some(value.text()?).filter(|user| !user.is_empty()),
            "working_dir" => hook.working_dir = Some(value.text()?).filter(|folder| !folder.is_empty()),
            key if key.starts_with("x-") || known.contains(&key) => {}
            key => return Err(node.unknown(key, known.iter().copied())),
        }
    }
    if hook.command.is_empty() {
        return Err(node.get("command").map_or_else(
            || node.missing("command"),
            |command| command.refused("a hook has a command, such as [sh, -c, 'echo hello']"),
        ));
    }
    Ok(hook)
}

/// Reads `pre_start`: makes a component of each step, which the next one and the component itself wait for. A step is the
/// component with another command, and what else it says itself; it has no health, hooks and copies of its own.
pub(super) fn steps(
    component: &mut Component,
    node: &Node,
    reading: &mut Reading<'_>,
) -> Result<Vec<Component>, Error> {
    const KEYS: [&str; 7] = ["command", "environment", "image", "per_replica", "privileged", "user", "working_dir"];
    let mut steps: Vec<Component> = Vec::new();
    for (place, item) in node.list()?.iter().enumerate() {
        let Hook { command, user, privileged, working_dir, env } = hook(item, &KEYS, reading)?;
        if let Some(once) = item.get("per_replica")
            && !once.bool()?
        {
            reading.ignore(&component.name, once, "each pod runs its own steps");
        }
        let image = item.get("image").map(compose::image).transpose()?;
        let mut step = Component {
            request: component.request.clone(),
            platform: component.platform.clone(),
            pull: component.pull,
            labels: component.labels.clone(),
            attach: component.attach,
            volumes: component.volumes.clone(),
            volumes_from: component.volumes_from.clone(),
            ipc: component.ipc.clone(),
            pid: component.pid.clone(),
            oom_score_adj: component.oom_score_adj,
            depends_on: component.depends_on.clone(),
            projections: component.projections.clone(),
            features: component.features.clone(),
            userns: component.userns,
            said: component.said.clone(),
            ..Component::new(&format!("{}-pre-{}", component.name, place + 1), component.stage, "")
        };
        let request = &mut step.request;
        if let Some(image) = image {
            request.image = image;
        }
        request.cmd = Some(command);
        request.entrypoint = None;
        request.user = user.or_else(|| request.user.take());
        request.working_dir = working_dir.or_else(|| request.working_dir.take());
        request.host_config.privileged |= privileged;
        if let Some(node) = item.get("privileged").filter(|_| privileged) {
            step.said.push(("privileged", Said::of(node)));
        }
        let key = |pair: &str| pair.split('=').next().unwrap_or(pair).to_owned();
        request.env.retain(|old| !env.iter().any(|new| key(old) == key(new)));
        request.env.extend(env);
        request.healthcheck = Some(crate::engine::types::Healthcheck::off());
        step.depends_on.extend(steps.last().map(|last| succeeded(last, item)));
        steps.push(step);
    }
    // Init components wait for who stands before them.
    if component.stage == Stage::Main {
        component.depends_on.extend(steps.last().map(|last| succeeded(last, node)));
    }
    Ok(steps)
}

fn succeeded(on: &Component, node: &Node) -> Dependency {
    Dependency { until: Until::Succeeded, ..Dependency::running(on.name.clone(), node) }
}
