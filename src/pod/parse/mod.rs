//! A service in Compose notation → [`Component`].
//!
//! ```text
//! Node ─mod.rs─▶ each key ─┬─ resources.rs  memory, CPU, disks, ulimits, deploy
//!                          ├─ devices.rs    devices, GPUs
//!                          ├─ capability.rs  cap_add, cap_drop
//!                          ├─ health.rs     healthcheck
//!                          ├─ mounts.rs     volumes, volumes_from, tmpfs
//!                          ├─ environment.rs  environment, env_file, labels, label_file
//!                          └─ projected.rs  secrets, configs
//! ```

mod capability;
mod devices;
mod environment;
mod health;
mod mounts;
mod projected;
mod resources;

use std::time::Duration;

use crate::compose::{self, Error, Kind, Node, Project, Surroundings};
use crate::engine::types::{ApiVersion, LogConfig, since};

use super::component::{Component, Feature, Namespace, Pull, Said, Stage, Userns};
use super::hook;
use super::keys::{self, Class, KEYS};
use super::needs::{self, Dependency};
use super::probe;
use super::restart::{Asked, When};
use super::role::Role;
use super::warning::Warning;

/// What services are read with, and what is noticed on the way.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    /// Files, environment, profiles.
    pub(super) surroundings: &'a Surroundings,
    /// The Compose file that the services are in, if it is one.
    pub(super) project: Option<&'a Project>,
    /// What is not done as asked.
    pub(super) warnings: Vec<Warning>,
}

/// Reads a component.
pub(super) fn component(name: &str, stage: Stage, node: &Node, reading: &mut Reading<'_>) -> Result<Component, Error> {
    // In a Compose file that is done.
    let whole;
    let node = if node.get("extends").is_some() {
        whole = compose::extended(node, reading.surroundings)?;
        &whole
    } else {
        node
    };
    let Kind::Map(entries) = &node.kind else { return Err(node.expected("a mapping with the key 'image'")) };
    // A misspelt key explains a missing image.
    if let Some((key, _)) = entries.iter().find(|(key, _)| !key.starts_with("x-") && keys::class(key).is_none()) {
        return Err(node.unknown(key, KEYS.iter().map(|(key, _)| *key)));
    }
    let image = node.get("image").map(compose::image).transpose()?;
    let Some(image) = image else {
        return Err(match node.get("build") {
            Some(build) => build.refused("podlike builds nothing: build the image before, and name it with 'image'"),
            None => node.missing("image"),
        });
    };
    let mut component = Component::new(name, stage, &image);
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        match keys::class(key) {
            Some(_) if is_empty(key, value) => {}
            Some(Class::Supported) => set(&mut component, key, value, reading)?,
            Some(Class::Ignored(_) | Class::Refused(_)) if changes_nothing(key, value) => {
                // The network is the other's anyway, but Compose starts that one first.
                if let Some(on) = value.text().ok().as_deref().and_then(|text| text.strip_prefix("service:")) {
                    component.depends_on.push(Dependency::running(on.to_owned(), value));
                }
            }
            Some(Class::Ignored(reason)) => reading.ignore(name, value, reason),
            Some(Class::Refused(reason)) => return Err(value.refused(format!("not possible in a pod: {reason}"))),
            None if key == PROBES => set_probes(&mut component, value, reading)?,
            None => set_own(&mut component, key, value, node)?,
        }
    }
    environment::complete(&mut component, node, reading)?;
    if let Some(deploy) = node.get("deploy") {
        resources::deploy(&mut component, deploy, reading)?;
    }
    resources::check(&component, node)?;
    mounts::check(&component, node)?;
    pull_after(&mut component, node)?;
    check_restart(&component, node)?;
    Ok(component)
}

/// The key of the probes: podlike's own, within Compose's rules for what is not Compose's.
const PROBES: &str = "x-podlike-probes";

fn set_probes(component: &mut Component, value: &Node, reading: &mut Reading<'_>) -> Result<(), Error> {
    let probes = probe::probes(value)?;
    if component.stage == Stage::Init {
        reading.ignore(&component.name, value, "an init component is waited for until it ends");
    } else {
        component.probes = probes;
    }
    Ok(())
}

/// The containers that run before a component, each to success: `pre_start`.
pub(super) fn steps(
    component: &mut Component,
    node: &Node,
    reading: &mut Reading<'_>,
) -> Result<Vec<Component>, Error> {
    node.get("pre_start").map_or_else(|| Ok(Vec::new()), |steps| hook::steps(component, steps, reading))
}

/// Keys with one value, which is not said where it is empty, as by a variable that is not set.
const SCALARS: [&str; 27] = [
    "cgroup",
    "cgroup_parent",
    "cpu_period",
    "cpu_quota",
    "cpu_shares",
    "cpus",
    "cpuset",
    "ipc",
    "isolation",
    "mem_limit",
    "mem_reservation",
    "memswap_limit",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "pull_policy",
    "restart",
    "runtime",
    "shm_size",
    "stop_grace_period",
    "stop_signal",
    "user",
    "userns_mode",
    "uts",
    "volume_driver",
    "working_dir",
];

fn is_empty(key: &str, value: &Node) -> bool {
    SCALARS.contains(&key) && matches!(&value.kind, Kind::Text(text) if text.is_empty())
}

/// Whether a key that has no meaning in a pod says only what is so anyway.
fn changes_nothing(key: &str, value: &Node) -> bool {
    match &value.kind {
        Kind::Number(number) if matches!(key, "replicas" | "scale") => number == "1",
        Kind::Bool(value) => !value && key == "use_api_socket",
        Kind::Number(_) => false,
        Kind::Text(text) => key == "network_mode" && text.starts_with("service:"),
        Kind::List(items) => items.is_empty(),
        Kind::Map(entries) => entries.is_empty(),
        Kind::Null => true,
    }
}

impl Reading<'_> {
    /// A variable of the controller, or of the `.env` that counts in the Compose file of a value.
    pub(super) fn variable(&self, of: &Node, name: &str) -> Option<String> {
        let dotenv = || self.project?.dotenv.get(of.place.file())?.get(name);
        self.surroundings.env.get(name).or_else(dotenv).cloned().or_else(|| self.surroundings.kept(name))
    }

    /// Notes that a key has no effect: one warning for all components that have it.
    pub(super) fn ignore(&mut self, component: &str, value: &Node, reason: &str) {
        let key = |path: &str| path.rsplit('.').next().map(str::to_owned);
        for warning in &mut self.warnings {
            if let Warning::Ignored { components, at, reason: known, .. } = warning
                && (key(at), known.as_str()) == (key(&value.at), reason)
            {
                components.push(component.to_owned());
                return;
            }
        }
        self.warnings.push(Warning::Ignored {
            components: vec![component.to_owned()],
            place: value.key.clone(),
            at: value.at.clone(),
            reason: reason.to_owned(),
        });
    }
}

/// Notes that a setting needs a newer engine.
fn requires(component: &mut Component, node: &Node, what: &'static str, since: ApiVersion) {
    component.features.push(Feature { what, at: node.at.clone(), place: node.key.clone(), since });
}

/// What an engine may refuse which remaps users, or a policy.
const NOTED: [&str; 18] = [
    "annotations",
    "cap_add",
    "cgroup",
    "cgroup_parent",
    "device_cgroup_rules",
    "devices",
    "gpus",
    "ipc",
    "logging",
    "pid",
    "privileged",
    "runtime",
    "security_opt",
    "userns_mode",
    "uts",
    "volume_driver",
    "volumes",
    "volumes_from",
];

/// Notes where such a key stands.
pub(super) fn note(component: &mut Component, key: &str, node: &Node) {
    if let Some(key) = NOTED.into_iter().find(|known| *known == key) {
        component.said.push((key, Said::of(node)));
    }
}

/// Reads `post_start` or `pre_stop`.
fn hooks(
    component: &mut Component,
    key: &'static str,
    value: &Node,
    reading: &Reading<'_>,
) -> Result<Vec<hook::Hook>, Error> {
    let hooks = hook::hooks(value, reading)?;
    if let Some(place) = hooks.iter().position(|hook| hook.privileged) {
        let node = value.list()?.get(place).and_then(|item| item.get("privileged")).unwrap_or(value);
        component.said.push((key, Said::of(node)));
    }
    Ok(hooks)
}

/// Keys that are a part of the request, as they are.
fn set(component: &mut Component, key: &str, value: &Node, reading: &mut Reading<'_>) -> Result<(), Error> {
    note(component, key, value);
    let request = &mut component.request;
    let host = &mut request.host_config;
    match key {
        "annotations" => {
            host.annotations = compose::pairs(value)?;
            if !host.annotations.is_empty() {
                requires(component, value, "annotations", since::ANNOTATIONS);
            }
        }
        "attach" => component.attach = value.bool()?,
        "cap_add" => host.cap_add = capability::capabilities(value)?,
        "cap_drop" => host.cap_drop = capability::capabilities(value)?,
        "cgroup" => {
            host.cgroupns_mode = compose::one_of(value, "a cgroup namespace", &["host", "private"])?;
            requires(component, value, "a cgroup namespace by choice", since::CGROUP_NAMESPACE);
        }
        "cgroup_parent" => host.cgroup_parent = value.text()?,
        "command" => request.cmd = Some(compose::command(value)?),
        "configs" => projected::configs(component, value, reading)?,
        "depends_on" => component.depends_on.extend(needs::dependencies(value)?),
        "device_cgroup_rules" => host.device_cgroup_rules = devices::rules(value)?,
        "devices" => devices::devices(component, value)?,
        "entrypoint" => request.entrypoint = Some(compose::command(value)?),
        // In a file it is resolved by now.
        "gpus" => host.device_requests.extend(devices::gpus(value)?),
        "group_add" => host.group_add = compose::strings(value)?,
        "healthcheck" => health::healthcheck(component, value)?,
        "init" => host.init = Some(value.bool()?),
        "ipc" => component.ipc = Some(namespace(component, value, &["host", "private", "shareable", "none"])?),
        "isolation" => host.isolation = value.text()?,
        "logging" => host.log_config = Some(logging(value)?),
        "pid" => component.pid = Some(namespace(component, value, &["host", "private"])?),
        "platform" => {
            component.platform = Some(value.text()?);
            requires(component, value, "a platform", since::PLATFORM);
        }
        "post_start" => component.post_start = hooks(component, "post_start", value, reading)?,
        "pre_stop" => component.pre_stop = hooks(component, "pre_stop", value, reading)?,
        "privileged" => host.privileged = value.bool()?,
        "pull_policy" => component.pull = pull_policy(value)?,
        "read_only" => host.readonly_rootfs = value.bool()?,
        "restart" => component.asked = Asked::read(value)?,
        "runtime" => host.runtime = value.text()?,
        "secrets" => projected::secrets(component, value, reading)?,
        "security_opt" => {
            host.security_opt = security_opt(value, reading)?;
            if host.security_opt.iter().any(|option| option == SYSTEM_PATHS) {
                host.security_opt.retain(|option| option != SYSTEM_PATHS);
                (host.masked_paths, host.readonly_paths) = (Some(Vec::new()), Some(Vec::new()));
            }
        }
        "stdin_open" => request.open_stdin = value.bool()?,
        "stop_grace_period" => {
            let grace = compose::duration(value)?;
            component.stop_grace_period = Some(grace);
            // A part of a second is one more.
            request.stop_timeout = Some(grace.as_secs() + u64::from(grace.subsec_nanos() > 0));
        }
        "stop_signal" => request.stop_signal = Some(compose::signal(value)?),
        "storage_opt" => host.storage_opt = whole_pairs(value)?,
        "sysctls" => {
            host.sysctls = whole_pairs(value)?;
            for key in host.sysctls.keys().filter(|key| key.starts_with("net.")) {
                let (component, place, key) = (component.name.clone(), value.key.clone(), key.clone());
                reading.warnings.push(Warning::NetworkSysctl { component, place, key });
            }
        }
        "tmpfs" => host.tmpfs = mounts::tmpfs(value)?.into_iter().collect(),
        "tty" => request.tty = value.bool()?,
        "user" => request.user = Some(value.text()?),
        "userns_mode" => {
            let mode = compose::one_of(value, "a user namespace", &["host", "private"])?;
            component.userns = Some(if mode == "host" { Userns::Host } else { Userns::Private });
        }
        "uts" => host.uts_mode = compose::one_of(value, "a UTS namespace", &["host"])?,
        "volume_driver" => host.volume_driver = value.text()?,
        "volumes" => {
            let read = |item| mounts::volume(&component.name, item, reading);
            component.volumes = value.list()?.iter().map(read).collect::<Result<_, _>>()?;
            mounts::features(component, value);
        }
        "volumes_from" => mounts::volumes_from(component, value)?,
        "working_dir" => request.working_dir = Some(value.text()?),
        // What is read in its own time.
        "deploy" | "env_file" | "environment" | "extends" | "image" | "label_file" | "labels" | "pre_start"
        | "profiles" | "pull_refresh_after" => {}
        _ => resources::set(component, key, value)?,
    }
    Ok(())
}

/// Pairs of which both sides are there.
fn whole_pairs<T: FromIterator<(String, String)>>(node: &Node) -> Result<T, Error> {
    let whole = |(key, value): (String, Option<String>)| match value {
        Some(value) => Ok((key, value)),
        None => Err(node.not(&key, "a pair such as KEY=VALUE: the value is missing")),
    };
    compose::key_values(node)?.into_iter().map(whole).collect()
}

/// `host`, `private` …, `service:NAME` or `container:NAME`.
fn namespace(component: &mut Component, node: &Node, known: &[&str]) -> Result<Namespace, Error> {
    let text = node.text()?;
    match text.split_once(':') {
        Some(("service", name)) if !name.is_empty() => {
            component.depends_on.push(Dependency::alive(name.to_owned(), node));
            Ok(Namespace::Component(name.to_owned()))
        }
        Some(("container", name)) if !name.is_empty() => Ok(Namespace::Engine(text)),
        None if known.contains(&text.as_str()) => Ok(Namespace::Engine(text)),
        _ => Err(node.invalid(format!("a namespace: {}, service:NAME or container:NAME", known.join(", ")))),
    }
}

fn logging(node: &Node) -> Result<LogConfig, Error> {
    let mut log = LogConfig::default();
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "driver" => log.driver = value.text()?,
            "options" => log.config = compose::pairs(value)?,
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, ["driver", "options"])),
        }
    }
    Ok(log)
}

fn pull_policy(node: &Node) -> Result<Pull, Error> {
    const DAY: u64 = 24 * 60 * 60;
    let text = node.text()?;
    match text.as_str() {
        "always" => Ok(Pull::Always),
        "never" => Ok(Pull::Never),
        "missing" | "if_not_present" | "build" => Ok(Pull::Missing),
        "daily" | "refresh" => Ok(Pull::After(Duration::from_secs(DAY))),
        "weekly" => Ok(Pull::After(Duration::from_secs(7 * DAY))),
        _ => {
            match text.strip_prefix("every_").and_then(compose::go_duration) {
                Some(age) => Ok(Pull::After(age)),
                None => Err(node
                    .invalid("a pull policy: always, missing, never, daily, weekly or every_ and a time such as 12h")),
            }
        }
    }
}

/// `pull_refresh_after` sets the age for `pull_policy: refresh`.
fn pull_after(component: &mut Component, node: &Node) -> Result<(), Error> {
    let refresh = node.get("pull_policy").is_some_and(|policy| policy.text().as_deref() == Ok("refresh"));
    match node.get("pull_refresh_after") {
        Some(after) if refresh => {
            let age =
                compose::go_duration(&after.text()?).ok_or_else(|| after.invalid("a duration such as 12h or 7d"))?;
            component.pull = Pull::After(age);
            Ok(())
        }
        Some(after) => Err(after.refused("it goes with 'pull_policy: refresh'")),
        None => Ok(()),
    }
}

/// A security option that the engine knows in other words.
const SYSTEM_PATHS: &str = "systempaths=unconfined";

/// The client reads a seccomp profile, not the engine.
fn security_opt(node: &Node, reading: &Reading<'_>) -> Result<Vec<String>, Error> {
    let read = |(item, option): (&Node, String)| {
        let Some(path) = option.strip_prefix("seccomp=").or_else(|| option.strip_prefix("seccomp:")) else {
            return Ok(option);
        };
        if matches!(path, "unconfined" | "builtin") || path.starts_with('{') {
            return Ok(option);
        }
        let path = reading.surroundings.path(item.place.folder(), path);
        Ok(format!("seccomp={}", reading.surroundings.read_for(item, &path)?))
    };
    compose::texts(node)?.into_iter().map(read).collect()
}

/// The keys that are podlike's own.
const OWN: [&str; 3] = ["x-podlike-leader", "x-podlike-probes", "x-podlike-role"];

/// Reads a key of podlike's own. Other extensions are somebody else's.
fn set_own(component: &mut Component, key: &str, value: &Node, whole: &Node) -> Result<(), Error> {
    match key {
        "x-podlike-leader" => component.leader = value.bool()?,
        "x-podlike-role" => component.role = Role::read(value)?,
        key if key.starts_with("x-podlike-") && !OWN.contains(&key) => return Err(whole.unknown(key, OWN)),
        _ => return Ok(()),
    }
    if component.stage == Stage::Init {
        return Err(value.refused("an init component runs before all others, to success: it has no role"));
    }
    Ok(())
}

/// A policy by which an init component would never be done is none for it.
fn check_restart(component: &Component, node: &Node) -> Result<(), Error> {
    if component.stage == Stage::Init && component.asked.when == Some(When::Always) {
        let policy = node.get("restart").or_else(|| node.get("deploy")?.get("restart_policy")).unwrap_or(node);
        return Err(policy.refused("an init component runs to success: expected no or on-failure"));
    }
    Ok(())
}
