//! A plan as text, for people.

use std::fmt;

use crate::engine::types::HostConfig;

use super::super::hook::Hook;
use super::super::needs::{Need, Until};
use super::super::probe::{Check, Probe};
use super::super::restart::{Restart, When};
use super::super::role::Role;
use super::{GRACE, Plan, Planned, PlannedVolume, Pull};

/// A paragraph for each component: what it waits for, and each setting on a line.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for planned in &self.components {
            writeln!(f, "{}: {}", planned.name, planned.request.image)?;
            for (key, value) in self.lines(planned) {
                writeln!(f, "  {key:<12} {value}")?;
            }
        }
        if self.budget != GRACE {
            writeln!(f, "stops within {:?}", self.budget)?;
        }
        if !self.hosts.is_empty() {
            writeln!(f, "known as 127.0.0.1: {}", self.hosts.join(" "))?;
        }
        Ok(())
    }
}

impl Plan {
    fn lines(&self, planned: &Planned) -> Vec<(&'static str, String)> {
        let request = &planned.request;
        let host = &request.host_config;
        let words = |words: &Option<Vec<String>>| words.iter().map(|words| format!("{words:?}")).collect();
        let mut lines: Vec<(&str, Vec<String>)> = vec![
            ("after", planned.needs.iter().map(|need| self.need(need)).collect()),
            ("platform", planned.platform.iter().cloned().collect()),
            ("pull", pull(planned.pull)),
            ("entrypoint", words(&request.entrypoint)),
            ("command", words(&request.cmd)),
            ("user", request.user.iter().cloned().collect()),
            // A value may be a secret.
            ("environment", joined(request.env.iter().map(|pair| pair.split('=').next().unwrap_or(pair)))),
            ("network", vec![host.network_mode.clone()]),
            ("pid", joined([host.pid_mode.as_str()])),
            ("ipc", joined([host.ipc_mode.as_str()])),
            ("cgroup", self.cgroup(planned)),
            ("limits", limits(host)),
            ("volume", planned.volumes.iter().map(volume).collect()),
        ];
        lines.push(("mount", mounts(planned)));
        lines.push((
            "copy",
            planned.copies.iter().map(|copy| format!("{} to {}", copy.source.display(), copy.target)).collect(),
        ));
        lines.push(("in memory", planned.in_memory.iter().map(|put| put.path.clone()).collect()));
        lines.extend(hooks_and_probes(planned));
        lines.push(("also", others(host)));
        lines.push(("role", role(planned)));
        lines.push(("restart", restart(&planned.restart)));
        lines.push(("grace", vec![format!("{} s", planned.grace.as_secs_f64())]));
        lines.into_iter().flat_map(|(key, values)| values.into_iter().map(move |value| (key, value))).collect()
    }

    /// The parent; where it is still to be prepared, what that will be.
    fn cgroup(&self, planned: &Planned) -> Vec<String> {
        match &self.prepared {
            Some(placement) if planned.apart.is_some() => vec![placement.to_string()],
            _ => joined([planned.request.host_config.cgroup_parent.as_str()]),
        }
    }

    fn need(&self, need: &Need) -> String {
        let until = match need.until {
            Until::Started => "has started",
            Until::Healthy => "is healthy",
            Until::Ready => "is ready",
            Until::Succeeded => "has succeeded",
        };
        let mut text = format!("{} {until}", self.components[need.on].name);
        if let Some(limit) = need.limit {
            text = format!("{text} within {limit:?}");
        }
        if !need.required {
            text.push_str(", or not at all");
        }
        if need.restart {
            text.push_str("; restarts with it");
        }
        text
    }
}

/// Hooks by their commands: what else they have may be a secret.
fn hooks_and_probes(planned: &Planned) -> Vec<(&'static str, Vec<String>)> {
    let commands = |hooks: &[Hook]| hooks.iter().map(|hook| format!("{:?}", hook.command)).collect();
    let probe = |probe: &Option<Probe>| probe.iter().map(shown).collect();
    vec![
        ("post_start", commands(&planned.post_start)),
        ("pre_stop", commands(&planned.pre_stop)),
        ("startup", probe(&planned.probes.startup)),
        ("liveness", probe(&planned.probes.liveness)),
        ("readiness", probe(&planned.probes.readiness)),
    ]
}

fn shown(probe: &Probe) -> String {
    let Probe { check, interval, timeout, retries, start_period } = probe;
    let check = if let Check::Exec(words) = check { format!("exec {words:?}") } else { check.to_string() };
    let (interval, timeout) = (interval.as_secs_f64(), timeout.as_secs_f64());
    let from = if start_period.is_zero() { String::new() } else { format!(" after {} s", start_period.as_secs_f64()) };
    format!("{check} every {interval} s, within {timeout} s, {retries} failures count{from}")
}

/// The texts that are not empty, on one line; none if all are.
fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    if texts.is_empty() { Vec::new() } else { vec![texts.join(" ")] }
}

fn role(planned: &Planned) -> Vec<String> {
    let role = match planned.role {
        Role::Essential => "",
        Role::Sidecar => "sidecar",
        Role::Task => "task",
    };
    joined([role, if planned.leader { "leader: its exit code is the pod's" } else { "" }])
}

fn restart(restart: &Restart) -> Vec<String> {
    let when = match restart.when {
        When::No => return Vec::new(),
        When::Dead => "when it is found dead",
        When::Always => "always",
        When::OnFailure => "on failure",
    };
    let times = restart.at_most.map(|times| format!(", {times} times at most")).unwrap_or_default();
    let Restart { delay, longest, reset, .. } = restart;
    vec![format!("{when}{times}, after {delay:?}, doubling to {longest:?}; well again after {reset:?}")]
}

fn pull(pull: Pull) -> Vec<String> {
    match pull {
        Pull::Missing => Vec::new(),
        Pull::Always => vec!["always".to_owned()],
        Pull::Never => vec!["never".to_owned()],
        Pull::After(age) => {
            let (number, unit) = match age.as_secs() {
                seconds if seconds % 3600 == 0 => (seconds / 3600, "h"),
                seconds if seconds % 60 == 0 => (seconds / 60, "min"),
                seconds => (seconds, "s"),
            };
            vec![format!("when older than {number} {unit}")]
        }
    }
}

/// The other settings, as the API spells them.
fn others(host: &HostConfig) -> Vec<String> {
    const SHOWN: [&str; 14] = [
        "AutoRemove",
        "Binds",
        "CgroupParent",
        "CpuQuota",
        "IpcMode",
        "Memory",
        "MemorySwap",
        "Mounts",
        "NanoCpus",
        "NetworkMode",
        "OomScoreAdj",
        "PidMode",
        "PidsLimit",
        "Tmpfs",
    ];
    match serde_json::to_value(host) {
        Ok(serde_json::Value::Object(settings)) => {
            let others = settings.into_iter().filter(|(key, _)| !SHOWN.contains(&key.as_str()));
            others.map(|(key, value)| format!("{key} {value}")).collect()
        }
        _ => Vec::new(),
    }
}

fn limits(host: &HostConfig) -> Vec<String> {
    let mut limits = Vec::new();
    let mut add = |name: &str, value: i64, unit: &str| {
        if value != 0 {
            limits.push(format!("{name} {value}{unit}"));
        }
    };
    add("memory", host.memory, " B");
    add("memory and swap", host.memory_swap, " B");
    add("CPU", host.nano_cpus / 1_000_000, " m");
    add("CPU quota", host.cpu_quota, " µs");
    add("processes", host.pids_limit.unwrap_or(0), "");
    joined([limits.join(", ").as_str()])
}

fn volume(volume: &PlannedVolume) -> String {
    match volume {
        PlannedVolume::Make(request) => format!("{} is made unless it is there", request.name),
        PlannedVolume::External(name) => format!("{name} must be there"),
    }
}

fn mounts(planned: &Planned) -> Vec<String> {
    let host = &planned.request.host_config;
    let mut mounts = host.binds.clone();
    mounts.extend(planned.request.volumes.iter().map(|target| format!("a new volume:{target}")));
    mounts.extend(host.mounts.iter().map(|mount| {
        let read_only = if mount.read_only { ":ro" } else { "" };
        format!("{} {}:{}{read_only}", mount.kind, mount.source, mount.target)
    }));
    mounts.extend(host.tmpfs.iter().map(|(target, options)| format!("tmpfs {target} {options}").trim_end().to_owned()));
    let from_memory = planned.from_memory.iter().flat_map(|from| &from.binds);
    mounts.extend(from_memory.map(|(inner, target)| format!("memory {inner}:{target}:ro")));
    mounts
}
