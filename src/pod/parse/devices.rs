//! `devices`, `device_cgroup_rules`, `gpus`, and the devices of `deploy`.

use crate::compose::{self, Error, Kind, Node};
use crate::engine::types::{Device, DeviceRequest, since};

use super::super::component::Component;

/// Reads `HOST[:CONTAINER[:rwm]]`, the long form, and CDI names such as `vendor.com/class=name`.
pub(super) fn devices(component: &mut Component, node: &Node) -> Result<(), Error> {
    let mut by_name = Vec::new();
    for item in node.list()? {
        if let Kind::Map(_) = item.kind {
            component.request.host_config.devices.push(long(item)?);
            continue;
        }
        let text = item.text()?;
        if !text.starts_with('/') && text.contains('=') && text.contains('/') {
            by_name.push(text);
            continue;
        }
        let parts: Vec<&str> = text.split(':').collect();
        let device = match parts[..] {
            [host] => device(item, host, host, "rwm"),
            [host, rights] if is_rights(rights) => device(item, host, host, rights),
            [host, container] => device(item, host, container, "rwm"),
            [host, container, rights] => device(item, host, container, rights),
            _ => Err(item.invalid("a device: HOST[:CONTAINER[:rwm]]")),
        };
        component.request.host_config.devices.push(device?);
    }
    if !by_name.is_empty() {
        super::requires(component, node, "devices by their names", since::CDI);
        super::note(component, "gpus", node);
        let request = DeviceRequest { driver: "cdi".to_owned(), device_ids: by_name, ..DeviceRequest::default() };
        component.request.host_config.device_requests.push(request);
    }
    Ok(())
}

fn long(node: &Node) -> Result<Device, Error> {
    const KEYS: [&str; 3] = ["permissions", "source", "target"];
    if let Some((key, _)) = node.map()?.iter().find(|(key, _)| !key.starts_with("x-") && !KEYS.contains(&key.as_str()))
    {
        return Err(node.unknown(key, KEYS));
    }
    let source = node.get("source").ok_or_else(|| node.missing("source"))?.text()?;
    let target = node.get("target").map(Node::text).transpose()?.unwrap_or_else(|| source.clone());
    let rights = node.get("permissions").map(Node::text).transpose()?.unwrap_or_else(|| "rwm".to_owned());
    device(node, &source, &target, &rights)
}

fn device(node: &Node, host: &str, container: &str, rights: &str) -> Result<Device, Error> {
    if !host.starts_with('/') || !container.starts_with('/') {
        return Err(node.not(host, "a device: absolute paths, such as /dev/ttyUSB0:/dev/ttyS0"));
    }
    if !is_rights(rights) {
        return Err(node.not(rights, "the permissions of a device: some of rwm"));
    }
    Ok(Device {
        path_on_host: host.to_owned(),
        path_in_container: container.to_owned(),
        cgroup_permissions: rights.to_owned(),
    })
}

fn is_rights(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| "rwm".contains(c))
}

/// Reads rules such as `c 1:3 mr` (the kernel's cgroup v1 notation, which the engine takes for both versions).
pub(super) fn rules(node: &Node) -> Result<Vec<String>, Error> {
    let mut rules = Vec::new();
    let number = |text: &str| text == "*" || text.parse::<u32>().is_ok();
    for (item, rule) in compose::texts(node)? {
        let words: Vec<&str> = rule.split(' ').collect();
        let valid = match words[..] {
            [kind, numbers, rights] => {
                matches!(kind, "a" | "b" | "c")
                    && numbers.split_once(':').is_some_and(|(major, minor)| number(major) && number(minor))
                    && is_rights(rights)
            }
            _ => false,
        };
        if !valid {
            return Err(item.not(&rule, "a rule for devices such as 'c 1:3 mr' or 'c *:* rwm'"));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Reads `all`, a number, or a list of requests.
pub(super) fn gpus(node: &Node) -> Result<Vec<DeviceRequest>, Error> {
    match &node.kind {
        Kind::List(items) => items
            .iter()
            .map(|item| {
                let mut request = request(item)?;
                if request.capabilities.is_empty() {
                    request.capabilities = vec![vec!["gpu".to_owned()]];
                } else if let Some(first) = request.capabilities.first_mut().filter(|all| !all.contains(&"gpu".into()))
                {
                    first.push("gpu".to_owned());
                }
                Ok(request)
            })
            .collect(),
        _ => Ok(vec![DeviceRequest {
            count: count(node)?,
            capabilities: vec![vec!["gpu".to_owned()]],
            ..DeviceRequest::default()
        }]),
    }
}

/// Reads an entry of `gpus` or of `deploy.resources.reservations.devices`.
pub(super) fn request(node: &Node) -> Result<DeviceRequest, Error> {
    const KEYS: [&str; 5] = ["capabilities", "count", "device_ids", "driver", "options"];
    let mut request = DeviceRequest::default();
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "capabilities" => request.capabilities = vec![compose::strings(value)?],
            "count" => request.count = count(value)?,
            "device_ids" => request.device_ids = compose::strings(value)?,
            "driver" => request.driver = value.text()?,
            "options" => request.options = compose::pairs(value)?,
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, KEYS)),
        }
    }
    match (node.get("count"), node.get("device_ids")) {
        (Some(count), Some(_)) => Err(count.refused("a request has 'count' or 'device_ids', not both")),
        (None, None) => Ok(DeviceRequest { count: -1, ..request }),
        _ => Ok(request),
    }
}

fn count(node: &Node) -> Result<i64, Error> {
    if node.text()? == "all" {
        return Ok(-1);
    }
    let count = node.integer().ok().filter(|count| *count >= -1);
    count.ok_or_else(|| node.invalid("a count of devices: a number or 'all'"))
}
