//! Limits: memory, CPU, disks, processes, ulimits, and what `deploy` says of them.

use std::time::Duration;

use crate::compose::{self, Error, Kind, Node};
use crate::engine::types::{DeviceRate, DeviceWeight, HostConfig, Ulimit};

use super::super::component::Component;
use super::{Reading, devices};

/// Billionths of a CPU.
const NANO: f64 = 1e9;

/// Reads one of these keys.
pub(super) fn set(component: &mut Component, key: &str, value: &Node) -> Result<(), Error> {
    let host = &mut component.request.host_config;
    match key {
        "blkio_config" => blkio(host, value)?,
        "cpu_period" => host.cpu_period = microseconds(value, 0)?,
        "cpu_quota" => host.cpu_quota = microseconds(value, -1)?,
        "cpu_rt_period" => host.cpu_rt_period = microseconds(value, 0)?,
        "cpu_rt_runtime" => host.cpu_rt_runtime = microseconds(value, 0)?,
        "cpu_shares" => host.cpu_shares = at_least(value, 0)?,
        "cpus" => host.nano_cpus = cpus(value)?,
        "cpuset" => host.cpuset_cpus = value.text()?,
        "mem_limit" => host.memory = compose::byte_size(value)?,
        "mem_reservation" => host.memory_reservation = compose::byte_size(value)?,
        "mem_swappiness" => {
            let swappiness = value.integer()?;
            if !(0..=100).contains(&swappiness) {
                return Err(value.invalid("a swappiness from 0 to 100"));
            }
            host.memory_swappiness = Some(swappiness);
        }
        "memswap_limit" => {
            host.memory_swap = match value.text()?.as_str() {
                "-1" => -1,
                _ => compose::byte_size(value)
                    .map_err(|_| value.invalid("a size in bytes such as 64m, or -1 for no limit"))?,
            };
        }
        "oom_kill_disable" => host.oom_kill_disable = Some(value.bool()?),
        "oom_score_adj" => {
            let score = value.integer()?;
            if !(-1000..=1000).contains(&score) {
                return Err(value.invalid("a score from -1000 to 1000"));
            }
            component.oom_score_adj = Some(score);
        }
        "pids_limit" => host.pids_limit = Some(at_least(value, -1)?),
        "shm_size" => host.shm_size = compose::byte_size(value)?,
        "ulimits" => host.ulimits = ulimits(value)?,
        _ => unreachable!("the table of keys has no other"),
    }
    Ok(())
}

/// What cannot be at the same time.
pub(super) fn check(component: &Component, node: &Node) -> Result<(), Error> {
    let host = &component.request.host_config;
    let at = |key| node.get(key).unwrap_or(node);
    if host.nano_cpus > 0 && (host.cpu_period > 0 || host.cpu_quota != 0) {
        let key = if host.cpu_quota == 0 { "cpu_period" } else { "cpu_quota" };
        return Err(at(key).refused("it goes not with 'cpus', which says the same in another way"));
    }
    if host.memory_swap > 0 && host.memory == 0 {
        return Err(at("memswap_limit").refused("it needs 'mem_limit': it is the limit of memory and swap together"));
    }
    if host.memory_swap > 0 && host.memory_swap < host.memory {
        return Err(
            at("memswap_limit").refused("it is less than 'mem_limit', and is the limit of memory and swap together")
        );
    }
    if host.memory > 0 && host.memory_reservation > host.memory {
        return Err(at("mem_reservation").refused("it is more than 'mem_limit'"));
    }
    Ok(())
}

fn at_least(node: &Node, least: i64) -> Result<i64, Error> {
    let number = node.integer()?;
    if number < least {
        return Err(node.invalid(format!("a whole number from {least} on")));
    }
    Ok(number)
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn cpus(node: &Node) -> Result<i64, Error> {
    let cpus = node.number().ok().filter(|cpus| (0.0..=1e6).contains(cpus));
    let cpus = cpus.ok_or_else(|| node.invalid("a number of CPUs such as 0.5"))?;
    Ok((cpus * NANO).round() as i64)
}

/// A number of microseconds, or a duration such as `50ms`; -1 is none.
fn microseconds(node: &Node, least: i64) -> Result<i64, Error> {
    if node.integer().is_ok() {
        return at_least(node, least);
    }
    let duration: Duration = compose::duration(node)?;
    i64::try_from(duration.as_micros()).map_err(|_| node.invalid("a duration such as 50ms"))
}

fn blkio(host: &mut HostConfig, node: &Node) -> Result<(), Error> {
    const KEYS: [&str; 6] =
        ["device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops", "weight", "weight_device"];
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "weight" => host.blkio_weight = weight(value)?,
            "weight_device" => {
                let entry = |(path, weight_of)| Ok(DeviceWeight { path, weight: weight(weight_of)? });
                host.blkio_weight_device =
                    devices_of(value, "weight")?.into_iter().map(entry).collect::<Result<_, _>>()?;
            }
            "device_read_bps" => host.blkio_device_read_bps = rates(value, true)?,
            "device_write_bps" => host.blkio_device_write_bps = rates(value, true)?,
            "device_read_iops" => host.blkio_device_read_iops = rates(value, false)?,
            "device_write_iops" => host.blkio_device_write_iops = rates(value, false)?,
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, KEYS)),
        }
    }
    Ok(())
}

fn weight(node: &Node) -> Result<u16, Error> {
    let weight = u16::try_from(node.integer()?).ok().filter(|weight| *weight == 0 || (10..=1000).contains(weight));
    weight.ok_or_else(|| node.invalid("a weight from 10 to 1000"))
}

/// Entries `{path: DEVICE, rate: N}`; bytes may have a unit.
fn rates(node: &Node, bytes: bool) -> Result<Vec<DeviceRate>, Error> {
    let rate = |node: &Node| {
        let rate = if bytes { compose::byte_size(node)? } else { node.integer()? };
        u64::try_from(rate).map_err(|_| node.invalid("a rate a second"))
    };
    let entry = |(path, of)| Ok(DeviceRate { path, rate: rate(of)? });
    devices_of(node, "rate")?.into_iter().map(entry).collect()
}

/// The path and the value in each entry of a list.
fn devices_of<'a>(node: &'a Node, of: &'static str) -> Result<Vec<(String, &'a Node)>, Error> {
    node.list()?
        .iter()
        .map(|item| {
            if let Some((key, _)) = item.map()?.iter().find(|(key, _)| key != "path" && key != of) {
                return Err(item.unknown(key, ["path", of]));
            }
            let path = item.get("path").ok_or_else(|| item.missing("path"))?.text()?;
            Ok((path, item.get(of).ok_or_else(|| item.missing(of))?))
        })
        .collect()
}

/// The names that Linux has (`prlimit`), as Docker takes them.
const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// `{nofile: 1024}` or `{nofile: {soft: 1024, hard: 2048}}`.
fn ulimits(node: &Node) -> Result<Vec<Ulimit>, Error> {
    node.map()?
        .iter()
        .filter(|(name, _)| !name.starts_with("x-"))
        .map(|(name, value)| {
            if !ULIMITS.contains(&name.as_str()) {
                return Err(node.unknown(name, ULIMITS));
            }
            let (soft, hard) = if let Kind::Map(entries) = &value.kind {
                if let Some((key, _)) = entries.iter().find(|(key, _)| key != "soft" && key != "hard") {
                    return Err(value.unknown(key, ["hard", "soft"]));
                }
                let side = |key| at_least(value.get(key).ok_or_else(|| value.missing(key))?, -1);
                (side("soft")?, side("hard")?)
            } else {
                let both = at_least(value, -1)?;
                (both, both)
            };
            if hard >= 0 && (soft > hard || soft < 0) {
                return Err(value.refused(format!("the soft limit {soft} is above the hard one {hard}")));
            }
            Ok(Ulimit { name: name.clone(), soft, hard })
        })
        .collect()
}

/// The keys of `deploy`, of which only `resources` and `restart_policy` are about one container.
const DEPLOY: [&str; 10] = [
    "endpoint_mode",
    "job_mode",
    "labels",
    "mode",
    "placement",
    "replicas",
    "resources",
    "restart_policy",
    "rollback_config",
    "update_config",
];

/// Reads `deploy`, after the keys that say the same.
pub(super) fn deploy(component: &mut Component, node: &Node, reading: &mut Reading<'_>) -> Result<(), Error> {
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "resources" => {}
            "restart_policy" => component.asked = component.asked.read_policy(value)?,
            key if key.starts_with("x-") || super::changes_nothing(key, value) => {}
            key if DEPLOY.contains(&key) => {
                reading.ignore(&component.name, value, "it is about a service: set it on the controller's");
            }
            key => return Err(node.unknown(key, DEPLOY)),
        }
    }
    let Some(resources) = node.get("resources") else { return Ok(()) };
    for (key, value) in resources.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "limits" => limits(component, value)?,
            "reservations" => reservations(component, value, reading)?,
            key if key.starts_with("x-") => {}
            key => return Err(resources.unknown(key, ["limits", "reservations"])),
        }
    }
    Ok(())
}

fn limits(component: &mut Component, node: &Node) -> Result<(), Error> {
    let host = &mut component.request.host_config;
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "cpus" => agree(value, "cpus", &mut host.nano_cpus, cpus(value)?)?,
            "memory" => agree(value, "mem_limit", &mut host.memory, compose::byte_size(value)?)?,
            "pids" => {
                let mut pids = host.pids_limit.unwrap_or(0);
                agree(value, "pids_limit", &mut pids, at_least(value, -1)?)?;
                host.pids_limit = Some(pids);
            }
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, ["cpus", "memory", "pids"])),
        }
    }
    Ok(())
}

fn reservations(component: &mut Component, node: &Node, reading: &mut Reading<'_>) -> Result<(), Error> {
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        let host = &mut component.request.host_config;
        match key.as_str() {
            "memory" => agree(value, "mem_reservation", &mut host.memory_reservation, compose::byte_size(value)?)?,
            "devices" => {
                let request = |item: &Node| match item.get("capabilities") {
                    Some(_) => devices::request(item),
                    None => Err(item.missing("capabilities")),
                };
                let requests = value.list()?.iter().map(request).collect::<Result<Vec<_>, _>>()?;
                host.device_requests.extend(requests);
                super::note(component, "gpus", value);
            }
            "cpus" | "generic_resources" => {
                reading.ignore(&component.name, value, "only Swarm reserves it: set it on the controller's service");
            }
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, ["cpus", "devices", "generic_resources", "memory"])),
        }
    }
    Ok(())
}

/// Sets what may have been said before, but not otherwise.
fn agree(node: &Node, key: &str, known: &mut i64, value: i64) -> Result<(), Error> {
    if *known != 0 && *known != value {
        return Err(node.refused(format!("it says something else than '{key}'")));
    }
    *known = value;
    Ok(())
}
