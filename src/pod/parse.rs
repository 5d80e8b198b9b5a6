//! A service in Compose notation → [`Component`].

use crate::compose::{self, Error, Kind, Node, Volume};

use super::component::{Component, Healthcheck, Stage};
use super::needs;

/// The keys that a component takes, beside `x-*`.
pub const KEYS: [&str; 21] = [
    "cap_add",
    "cap_drop",
    "command",
    "depends_on",
    "entrypoint",
    "environment",
    "healthcheck",
    "image",
    "labels",
    "mem_limit",
    "oom_score_adj",
    "privileged",
    "read_only",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "tmpfs",
    "tty",
    "user",
    "volumes",
    "working_dir",
];

/// Reads a component. Unknown keys are errors, `x-*` is left alone.
pub(super) fn component(name: &str, stage: Stage, node: &Node) -> Result<Component, Error> {
    let entries = node.map()?;
    let image = entries.iter().find(|(key, value)| key == "image" && !value.is_null());
    let image = image.map(|(_, value)| compose::image(value)).transpose()?;
    let Some(image) = image else {
        // A misspelt key explains the missing one.
        if let Some((key, _)) = entries.iter().find(|(key, _)| !known(key)) {
            return Err(node.unknown(key, KEYS));
        }
        return Err(Error::MissingKey { at: node.at.clone(), key: "image" });
    };
    let mut component = Component::new(name, stage, &image);
    for (key, value) in entries {
        if !known(key) {
            return Err(node.unknown(key, KEYS));
        }
        if !value.is_null() {
            set(&mut component, key, value)?;
        }
    }
    Ok(component)
}

fn known(key: &str) -> bool {
    key.starts_with("x-") || KEYS.contains(&key)
}

fn set(component: &mut Component, key: &str, value: &Node) -> Result<(), Error> {
    match key {
        "cap_add" => component.cap_add = compose::strings(value)?,
        "cap_drop" => component.cap_drop = compose::strings(value)?,
        "command" => component.command = Some(compose::command(value)?),
        "depends_on" => component.depends_on = needs::dependencies(value)?,
        "entrypoint" => component.entrypoint = Some(compose::command(value)?),
        "environment" => component.environment = compose::key_values(value)?,
        "healthcheck" => component.healthcheck = Some(healthcheck(value)?),
        "labels" => {
            let labels = compose::key_values(value)?;
            component.labels = labels.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
        }
        "mem_limit" => component.mem_limit = Some(compose::byte_size(value)?),
        "oom_score_adj" => {
            let score = value.integer()?;
            if !(-1000..=1000).contains(&score) {
                return Err(value.invalid("a score from -1000 to 1000"));
            }
            component.oom_score_adj = Some(score);
        }
        "privileged" => component.privileged = value.bool()?,
        "read_only" => component.read_only = value.bool()?,
        "stdin_open" => component.stdin_open = value.bool()?,
        "stop_grace_period" => component.stop_grace_period = Some(compose::duration(value)?),
        "stop_signal" => component.stop_signal = Some(compose::signal(value)?),
        "tmpfs" => component.tmpfs = tmpfs(value)?,
        "tty" => component.tty = value.bool()?,
        "user" => component.user = Some(value.text()?),
        "volumes" => {
            let volumes = value.list()?.iter().map(Volume::short);
            component.volumes = volumes.collect::<Result<_, _>>()?;
        }
        "working_dir" => component.working_dir = Some(value.text()?),
        _ => {}
    }
    Ok(())
}

/// Entries such as `/run` or `/run:size=64m,mode=1777`.
fn tmpfs(node: &Node) -> Result<Vec<(String, String)>, Error> {
    let entries = compose::strings(node)?;
    entries
        .into_iter()
        .map(|entry| {
            let (target, options) = entry.split_once(':').unwrap_or((&entry, ""));
            if !target.starts_with('/') {
                return Err(Error::Invalid {
                    at: node.at.clone(),
                    value: entry.clone(),
                    expected: "a tmpfs: an absolute path, such as /run:size=64m".to_owned(),
                });
            }
            Ok((target.to_owned(), options.to_owned()))
        })
        .collect()
}

fn healthcheck(node: &Node) -> Result<Healthcheck, Error> {
    const KEYS: [&str; 6] = ["disable", "interval", "retries", "start_period", "test", "timeout"];
    let (mut test, mut interval, mut timeout, mut start_period, mut retries) = (None, None, None, None, None);
    let mut disabled = false;
    for (key, value) in node.map()? {
        match key.as_str() {
            _ if value.is_null() => {}
            "disable" => disabled |= value.bool()?,
            "interval" => interval = Some(compose::duration(value)?),
            "timeout" => timeout = Some(compose::duration(value)?),
            "start_period" => start_period = Some(compose::duration(value)?),
            "retries" => {
                let count = value.integer()?;
                retries = Some(u64::try_from(count).map_err(|_| value.invalid("a number of retries"))?);
            }
            "test" => match &value.kind {
                Kind::List(_) => {
                    let words = compose::strings(value)?;
                    match words.first().map(String::as_str) {
                        Some("NONE") | None => disabled = true,
                        Some("CMD" | "CMD-SHELL") if words.len() > 1 => test = Some(words),
                        Some(_) => {
                            return Err(Error::Invalid {
                                at: value.at.clone(),
                                value: words.join(" "),
                                expected: "a test: a list starts with CMD, CMD-SHELL or NONE".to_owned(),
                            });
                        }
                    }
                }
                _ => test = Some(vec!["CMD-SHELL".to_owned(), value.text()?]),
            },
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, KEYS)),
        }
    }
    if disabled {
        return Ok(Healthcheck::Disabled);
    }
    Ok(Healthcheck::Check { test, interval, timeout, start_period, retries })
}
