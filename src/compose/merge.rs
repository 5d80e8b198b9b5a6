//! A service and what it extends become one, by the rules of the compose-spec's chapter on merging.

use std::collections::{HashMap, HashSet};

use super::{Kind, Node, Place};

/// Values that are replaced as a whole: half of a command makes no sense.
const WHOLE: [&str; 3] = ["command", "entrypoint", "healthcheck.test"];
/// Pairs, in a list or in a mapping.
const PAIRS: [&str; 6] = ["annotations", "environment", "extra_hosts", "labels", "storage_opt", "sysctls"];
/// Lists that may be written as one value.
const LISTS: [&str; 6] = ["dns", "dns_opt", "dns_search", "env_file", "label_file", "tmpfs"];
/// Lists of what has a target, which there is once.
const TARGETS: [&str; 4] = ["configs", "devices", "secrets", "volumes"];

/// What `over` says, and of what it doesn't, what `base` says. `key` is the path within the service.
pub(super) fn merge(base: Node, over: Node, key: &str) -> Node {
    if over.is_null() {
        return base;
    }
    if WHOLE.contains(&key) || (key == "logging" && has_other_driver(&base, &over)) {
        return over;
    }
    let (base, over) = if PAIRS.contains(&key) {
        (as_mapping(base, true), as_mapping(over, true))
    } else if key == "depends_on" {
        (as_mapping(base, false), as_mapping(over, false))
    } else if LISTS.contains(&key) {
        (as_list(base), as_list(over))
    } else {
        (base, over)
    };
    match (base.kind, over.kind) {
        (Kind::Map(entries), Kind::Map(more)) => {
            let entries = joined(entries, more, |name, base, over| {
                // A pair that says "take the controller's" says something.
                if PAIRS.contains(&key) {
                    return over;
                }
                let path = if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
                merge(base, over, &path)
            });
            Node { kind: Kind::Map(entries), ..over_place(over.at, over.place, over.key) }
        }
        (Kind::List(mut items), Kind::List(more)) => {
            if TARGETS.contains(&key) {
                let targets: HashSet<_> = more.iter().map(|item| target(item, key)).collect();
                items.retain(|item| !targets.contains(&target(item, key)));
            } else {
                let kinds: HashSet<&Kind> = more.iter().map(|other| &other.kind).collect();
                items.retain(|item| !kinds.contains(&item.kind));
            }
            items.extend(more);
            Node { kind: Kind::List(items), ..over_place(over.at, over.place, over.key) }
        }
        (_, kind) => Node { kind, ..over_place(over.at, over.place, over.key) },
    }
}

/// The entries of both in the order of their first one, those that both have joined.
pub(super) fn joined(
    mut entries: Vec<(String, Node)>,
    more: Vec<(String, Node)>,
    mut join: impl FnMut(&str, Node, Node) -> Node,
) -> Vec<(String, Node)> {
    let mut places: HashMap<String, usize> =
        entries.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
    for (name, value) in more {
        let at = *places.entry(name.clone()).or_insert(entries.len());
        match entries.get_mut(at) {
            Some((_, known)) => {
                let base = std::mem::replace(known, Node::made(Kind::Null));
                *known = join(&name, base, value);
            }
            None => entries.push((name, value)),
        }
    }
    entries
}

fn over_place(at: String, place: Place, key: Place) -> Node {
    Node { at, place, key, block: false, kind: Kind::Null }
}

/// Options of one logging driver make no sense for another.
pub(super) fn has_other_driver(base: &Node, over: &Node) -> bool {
    let driver = |node: &Node| node.get("driver").and_then(|driver| driver.text().ok());
    driver(over).is_some_and(|driver_of| driver(base).is_some_and(|driver| driver != driver_of))
}

/// One value as a list of it.
fn as_list(node: Node) -> Node {
    if let Kind::List(_) = node.kind {
        return node;
    }
    Node { kind: Kind::List(vec![node.clone()]), ..over_place(node.at, node.place, node.key) }
}

/// A list of `KEY=VALUE`, or of names, as a mapping.
fn as_mapping(node: Node, pairs: bool) -> Node {
    let Kind::List(items) = node.kind else { return node };
    let entry = |item: Node| {
        let text = item.text().unwrap_or_default();
        match text.split_once('=') {
            Some((key, value)) if pairs => (key.to_owned(), Node { kind: Kind::Text(value.to_owned()), ..item }),
            _ => (text, Node { kind: Kind::Null, ..item }),
        }
    };
    // What a list has twice has its last value.
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut entries: Vec<(String, Node)> = Vec::new();
    for (name, value) in items.into_iter().map(entry) {
        if let Some(at) = places.get(&name) {
            entries[*at].1 = value;
        } else {
            places.insert(name.clone(), entries.len());
            entries.push((name, value));
        }
    }
    Node { kind: Kind::Map(entries), ..over_place(node.at, node.place, node.key) }
}

/// Where an entry of a list goes: the target of the short or the long syntax.
fn target(item: &Node, key: &str) -> Option<String> {
    let text = match item.kind {
        Kind::Map(_) => item.get("target").or_else(|| item.get("source"))?.text().ok()?,
        _ => item.text().ok()?,
    };
    let folder = match key {
        "secrets" => "/run/secrets/",
        "configs" => "/",
        _ => "",
    };
    let mut parts = text.split(':');
    let first = parts.next()?;
    let is_rights = |part: &&str| key == "devices" && part.chars().all(|c| "rwm".contains(c));
    let target = parts.next().filter(|part| !is_rights(part)).unwrap_or(first);
    let target = target.strip_prefix(folder).unwrap_or(target);
    Some(target.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(target).to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::yaml::valid;
    use super::*;

    /// The merged service, written in one line.
    fn merged(base: &str, over: &str) -> String {
        fn flow(node: &Node) -> String {
            match &node.kind {
                Kind::Null => "~".to_owned(),
                Kind::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
                Kind::Map(entries) => {
                    let entries: Vec<_> =
                        entries.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
                    format!("{{{}}}", entries.join(", "))
                }
                _ => node.text().expect("a scalar"),
            }
        }
        flow(&merge(valid(base), valid(over), ""))
    }

    #[test]
    fn scalars_and_commands_are_replaced_and_the_rest_is_joined() {
        for (base, over, expected) in [
            ("{image: a, user: x}", "{image: b}", "{image: b, user: x}"),
            ("{command: [a, b]}", "{command: [c]}", "{command: [c]}"),
            (
                "{healthcheck: {test: [CMD, a], retries: 3}}",
                "{healthcheck: {test: b}}",
                "{healthcheck: {test: b, retries: 3}}",
            ),
            ("{environment: [A=1, B=2]}", "{environment: {B: 3, C: }}", "{environment: {A: 1, B: 3, C: ~}}"),
            ("{environment: {A: 1}}", "{environment: [A]}", "{environment: {A: ~}}"),
            ("{depends_on: [a]}", "{depends_on: {b: {condition: x}}}", "{depends_on: {a: ~, b: {condition: x}}}"),
            ("{volumes: ['a:/x', 'b:/y:ro']}", "{volumes: ['c:/y']}", "{volumes: [a:/x, c:/y]}"),
            (
                "{devices: ['/dev/a:rwm', '/dev/b:/x:r']}",
                "{devices: ['/dev/c:rwm', '/dev/d:/x']}",
                "{devices: [/dev/a:rwm, /dev/c:rwm, /dev/d:/x]}",
            ),
            ("{environment: [A=1, B=1, A=2]}", "{environment: [B=2]}", "{environment: {A: 2, B: 2}}"),
            ("{environment: [A=1, A=2]}", "{environment: [A=3]}", "{environment: {A: 3}}"),
            (
                "{secrets: [s]}",
                "{secrets: [{source: s, target: /run/secrets/s}]}",
                "{secrets: [{source: s, target: /run/secrets/s}]}",
            ),
            ("{volumes: ['a:/x']}", "{volumes: ['b:/x/']}", "{volumes: [b:/x/]}"),
            ("{cap_add: [A, B]}", "{cap_add: [B, C]}", "{cap_add: [A, B, C]}"),
            ("{secrets: [a]}", "{secrets: [{source: b, target: a}]}", "{secrets: [{source: b, target: a}]}"),
            ("{logging: {driver: x}}", "{logging: }", "{logging: {driver: x}}"),
            (
                "{logging: {driver: x, options: {a: 1}}}",
                "{logging: {options: {b: 2}}}",
                "{logging: {driver: x, options: {a: 1, b: 2}}}",
            ),
            ("{logging: {driver: x, options: {a: 1}}}", "{logging: {driver: y}}", "{logging: {driver: y}}"),
            ("{env_file: a}", "{env_file: [b]}", "{env_file: [a, b]}"),
            ("{tmpfs: /a}", "{tmpfs: /b}", "{tmpfs: [/a, /b]}"),
        ] {
            assert_eq!(merged(base, over), expected, "{base} + {over}");
        }
    }
}
