//! Stacks of several files become one, as the Docker CLI (28.2) merges them: field by field, with rules of their own for
//! some. What is empty, 0 or false says nothing, so that it doesn't take away what an earlier file says, but where the
//! CLI tells "0" from "not there", as of `replicas`.
//!
//! Better than there: a file's own list stays whole (the CLI keeps one of two ports or configs that are the same to it
//! even within one file), a list doesn't get twice what both files have (the CLI itself would refuse that when it reads
//! what we print), a health check's test is replaced (the CLI glues two tests together), and logging gets options where
//! it had none (the CLI loses them).

use std::collections::HashSet;

use super::form::{Field, Form, Object};
use super::loader::is_zero;
use super::schema::{SECTIONS, SERVICE};
use crate::compose::merge::{has_other_driver, joined};
use crate::compose::{Kind, Node};

/// Lists of a service whose items are told apart by this key of theirs: what a later file has replaces the earlier one.
const KEYED: [(&str, &str); 4] =
    [("configs", "source"), ("ports", "published"), ("secrets", "source"), ("volumes", "target")];

/// What the canonical stack `over` says, and of what it doesn't, what `base` says.
pub(super) fn merge(base: Node, over: Node) -> Node {
    let mut merged = mapping(base, over, |key, base, over| match key {
        "services" => sorted(mapping(base, over, |_, base, over| service(base, over))),
        key if SECTIONS.iter().any(|(section, _)| *section == key) => sorted(mapping(base, over, |_, _, over| over)),
        // The versions are the same, and nobody reads extensions.
        _ => base,
    });
    if let Kind::Map(entries) = &mut merged.kind {
        let extensions = SECTIONS.len() + 1;
        entries.sort_by_key(|(key, _)| match key.as_str() {
            "version" => 0,
            key => SECTIONS.iter().position(|(section, _)| *section == key).map_or(extensions, |at| at + 1),
        });
    }
    merged
}

fn service(base: Node, over: Node) -> Node {
    let to_sort: Vec<_> = KEYED.into_iter().filter(|(list, _)| base.get(list).is_some()).collect();
    let mut merged = object(base, over, &SERVICE);
    let Kind::Map(entries) = &mut merged.kind else { return merged };
    for (list, items) in entries {
        if let Kind::List(items) = &mut items.kind
            && let Some((_, key)) = to_sort.iter().find(|(name, _)| name == list)
        {
            items.sort_by_cached_key(|item| place_in_list(item, key));
        }
    }
    merged
}

/// A mapping with known keys, in their order. Others stay behind them.
fn object(base: Node, over: Node, object: &Object) -> Node {
    let mut merged = mapping(base, over, |key, base, over| match object.fields.iter().find(|field| field.key == key) {
        Some(field) => value(base, over, field, &field.form),
        None => anything(base, over),
    });
    if let Kind::Map(entries) = &mut merged.kind {
        let place = |key: &str| object.fields.iter().position(|field| field.key == key).unwrap_or(usize::MAX);
        entries.sort_by_cached_key(|(key, _)| place(key));
    }
    merged
}

fn value(base: Node, over: Node, field: &Field, form: &Form) -> Node {
    match form {
        _ if over.is_null() => base,
        Form::Optional(form) | Form::Short(_, form) => value(base, over, field, form),
        Form::Object(_) if field.key == "logging" && has_other_driver(&base, &over) => over,
        Form::Object(known) => object(base, over, known),
        Form::Names(form) => sorted(mapping(base, over, |_, base, over| network(base, over, field, form))),
        Form::Pairs | Form::Options | Form::Map(_) => sorted(mapping(base, over, |_, _, over| over)),
        Form::Variables => sorted(mapping(base, over, |_, base, over| if is_zero(&over) { base } else { over })),
        Form::List(_)
        | Form::Set(_)
        | Form::OneOrMore
        | Form::Hosts
        | Form::Dependencies
        | Form::Ports
        | Form::Volumes => list(base, over, field.key),
        Form::Count if field.pointer => over,
        Form::Duration if matches!(&over.kind, Kind::Text(text) if text == "0s") => base,
        _ if is_zero(&over) => base,
        _ => over,
    }
}

/// A service's place in a network: its aliases are those of one file.
fn network(mut base: Node, over: Node, field: &Field, form: &Form) -> Node {
    if let (Kind::Map(entries), Kind::Map(_)) = (&mut base.kind, &over.kind) {
        entries.retain(|(key, _)| key != "aliases");
    }
    value(base, over, field, form)
}

/// The items of both, each once: where items have keys the one of `over`, else that of `base`.
fn list(mut base: Node, over: Node, name: &str) -> Node {
    let Kind::List(items) = &mut base.kind else { return over };
    let Kind::List(more) = over.kind else { return base };
    if let Some((_, key)) = KEYED.iter().find(|(list, _)| *list == name) {
        let anew: HashSet<_> = more.iter().map(|item| place_in_list(item, key)).collect();
        items.retain(|item| !anew.contains(&place_in_list(item, key)));
        items.extend(more);
    } else {
        let known: HashSet<Kind> = items.iter().map(|item| item.kind.clone()).collect();
        items.extend(more.into_iter().filter(|item| !known.contains(&item.kind)));
    }
    base
}

/// What tells an item from others, and where that puts it: a number by its value. An item that is no mapping is one that
/// a variable keeps from being read.
fn place_in_list(item: &Node, key: &str) -> (i64, String) {
    let Kind::Map(_) = item.kind else { return (i64::MAX, item.text().unwrap_or_default()) };
    let Some(value) = item.get(key) else { return (0, String::new()) };
    match (&value.kind, value.integer()) {
        (Kind::Number(_), Ok(number)) => (number, String::new()),
        _ => (i64::MAX, value.text().unwrap_or_default()),
    }
}

/// Values that the CLI does not know.
fn anything(mut base: Node, over: Node) -> Node {
    match (&mut base.kind, over.kind) {
        (Kind::List(items), Kind::List(more)) => {
            items.extend(more);
            base
        }
        (_, kind) => mapping(base, Node { kind, ..over }, |_, base, over| anything(base, over)),
    }
}

/// The entries of both, those that both have joined. What is no mapping is replaced.
fn mapping(base: Node, over: Node, join: impl FnMut(&str, Node, Node) -> Node) -> Node {
    match (base.kind, over.kind) {
        (Kind::Map(entries), Kind::Map(more)) => Node { kind: Kind::Map(joined(entries, more, join)), ..over },
        (_, kind) => Node { kind, ..over },
    }
}

fn sorted(mut node: Node) -> Node {
    if let Kind::Map(entries) = &mut node.kind {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::write;
    use crate::compose::yaml::valid;

    fn stack(base: &str, over: &str) -> String {
        write(&merge(valid(base), valid(over)))
    }

    /// A service with some keys, and the same with others.
    fn check(base: &str, over: &str, expected: &str) {
        let merged = stack(&format!("services: {{s: {{{base}}}}}"), &format!("services: {{s: {{{over}}}}}"));
        let expected = write(&valid(&format!("services: {{s: {{{expected}}}}}")));
        assert_eq!(merged, expected, "{base} + {over}");
    }

    #[test]
    fn scalars_are_replaced_but_by_what_is_empty_or_zero_or_false() {
        check("image: a, user: u", "image: b", "image: b, user: u");
        check("hostname: a, image: a", "hostname: '', image: ", "hostname: a, image: a");
        check("init: true, tty: true", "init: false, tty: false", "init: true, tty: true");
        check("tty: true", "tty: '${TTY}'", "tty: '${TTY}'");
        check("stop_grace_period: 5s", "stop_grace_period: 0s", "stop_grace_period: 5s");
        check("user: '1'", "user: '0'", "user: '0'");
        check("oom_score_adj: 5", "oom_score_adj: 0", "oom_score_adj: 5");
        check(
            "deploy: {placement: {max_replicas_per_node: 2}, update_config: {max_failure_ratio: 0.5}}",
            "deploy: {placement: {max_replicas_per_node: 0}, update_config: {max_failure_ratio: 0.0}}",
            "deploy: {update_config: {max_failure_ratio: 0.5}, placement: {max_replicas_per_node: 2}}",
        );
    }

    #[test]
    fn a_zero_that_is_told_from_nothing_counts() {
        check("deploy: {replicas: 3}", "deploy: {replicas: 0}", "deploy: {replicas: 0}");
        check(
            "deploy: {restart_policy: {max_attempts: 3}, update_config: {parallelism: 2}}",
            "deploy: {restart_policy: {max_attempts: 0}, update_config: {parallelism: 0}}",
            "deploy: {update_config: {parallelism: 0}, restart_policy: {max_attempts: 0}}",
        );
        check("healthcheck: {retries: 3}", "healthcheck: {retries: 0}", "healthcheck: {retries: 0}");
        check("deploy: {replicas: 3}", "deploy: {replicas: }", "deploy: {replicas: 3}");
    }

    #[test]
    fn what_has_known_keys_is_merged_key_by_key_into_the_order_of_the_cli() {
        check(
            "deploy: {update_config: {order: start-first}, resources: {limits: {memory: '1'}}}",
            "deploy: {mode: global, update_config: {parallelism: 2}, resources: {limits: {cpus: '2'}, reservations: {cpus: '1'}}}",
            "deploy: {mode: global, update_config: {parallelism: 2, order: start-first}, \
             resources: {limits: {cpus: '2', memory: '1'}, reservations: {cpus: '1'}}}",
        );
        check(
            "credential_spec: {registry: a}",
            "credential_spec: {file: b}",
            "credential_spec: {file: b, registry: a}",
        );
        check("build: {context: a}", "build: {context: b, args: {A: x}}", "build: {context: b, args: {A: x}}");
        check("image: a, deploy: ", "deploy: {mode: global}", "deploy: {mode: global}, image: a");
        check("deploy: {mode: global}", "deploy: ", "deploy: {mode: global}");
        check(
            "healthcheck: {interval: 1s}",
            "healthcheck: {disable: true}",
            "healthcheck: {interval: 1s, disable: true}",
        );
    }

    #[test]
    fn pairs_are_replaced_one_by_one_and_sorted() {
        check("labels: {b: x, c: y}", "labels: {b: '', a: z}", "labels: {a: z, b: '', c: y}");
        check("sysctls: {a: x}", "sysctls: {a: ''}", "sysctls: {a: ''}");
        check("labels: {a: x}", "labels: ", "labels: {a: x}");
        check(
            "environment: {C: c, A: a, B: , D: d}",
            "environment: {A: '', B: b, C: , E: }",
            "environment: {A: a, B: b, C: c, D: d, E: }",
        );
    }

    #[test]
    fn lists_are_appended_and_commands_replaced() {
        check("cap_add: [A], dns: [a]", "cap_add: [A, B], dns: []", "cap_add: [A, B], dns: [a]");
        check("depends_on: [a]", "depends_on: [b]", "depends_on: [a, b]");
        check("extra_hosts: ['a:1']", "extra_hosts: ['a:2']", "extra_hosts: ['a:1', 'a:2']");
        check(
            "deploy: {placement: {constraints: [a]}}",
            "deploy: {placement: {constraints: [b]}}",
            "deploy: {placement: {constraints: [a, b]}}",
        );
        check("command: [a, b], entrypoint: [c]", "command: [d], entrypoint: []", "command: [d], entrypoint: [c]");
        check("healthcheck: {test: [CMD, a]}", "healthcheck: {test: [CMD, b]}", "healthcheck: {test: [CMD, b]}");
    }

    #[test]
    fn ports_by_what_is_published() {
        check(
            "ports: [{target: 1, published: 100, protocol: udp}, {target: 2, published: 9, mode: host}, {target: 3}]",
            "ports: [{target: 4, published: 100}, {target: 5, published: 50}, {target: 6}, {target: 7}]",
            "ports: [{target: 6}, {target: 7}, {target: 2, published: 9, mode: host}, {target: 5, published: 50}, \
             {target: 4, published: 100}]",
        );
        check("ports: ['${A}:80', '${B}:80']", "ports: ['${A}:80']", "ports: ['${A}:80', '${B}:80']");
        check(
            "ports: [{target: 1, published: '${A}'}, {target: 2, published: '${B}'}]",
            "ports: [{target: 3, published: '${A}'}, {target: 3, published: 3}]",
            "ports: [{target: 3, published: 3}, {target: 3, published: '${A}'}, {target: 2, published: '${B}'}]",
        );
    }

    #[test]
    fn volumes_by_their_target_and_secrets_and_configs_by_their_source() {
        check(
            "volumes: [{type: volume, source: a, target: /z, volume: {nocopy: true}}, {type: bind, source: /a, target: /b}]",
            "volumes: [{type: volume, source: c, target: /z}]",
            "volumes: [{type: bind, source: /a, target: /b}, {type: volume, source: c, target: /z}]",
        );
        for list in ["secrets", "configs"] {
            check(
                &format!("{list}: [{{source: c}}, {{source: b, target: t, mode: 256}}]"),
                &format!("{list}: [{{source: b, uid: '5'}}, {{source: a}}]"),
                &format!("{list}: [{{source: a}}, {{source: b, uid: '5'}}, {{source: c}}]"),
            );
        }
    }

    #[test]
    fn a_file_s_own_list_stays_whole() {
        check(
            "image: a, ports: [{target: 53, published: 53, protocol: udp}, {target: 53, published: 53, protocol: tcp}, {target: 5, published: 5}]",
            "image: b",
            "image: b, ports: [{target: 5, published: 5}, {target: 53, published: 53, protocol: udp}, {target: 53, published: 53, protocol: tcp}]",
        );
        check("image: a", "secrets: [{source: b}, {source: a}]", "image: a, secrets: [{source: b}, {source: a}]");
    }

    #[test]
    fn options_of_another_logging_driver_are_not_kept() {
        check(
            "logging: {driver: a, options: {b: '1', c: '2'}}",
            "logging: {options: {b: '', a: '3'}}",
            "logging: {driver: a, options: {a: '3', b: '', c: '2'}}",
        );
        check("logging: {driver: a}", "logging: {options: {b: '1'}}", "logging: {driver: a, options: {b: '1'}}");
        check("logging: {options: {b: '1'}}", "logging: {driver: a}", "logging: {driver: a, options: {b: '1'}}");
        check("logging: {driver: a, options: {b: '1'}}", "logging: {driver: b}", "logging: {driver: b}");
    }

    #[test]
    fn ulimits_and_aliases_are_those_of_one_file() {
        check(
            "ulimits: {b: {soft: 1, hard: 2}, c: 5}",
            "ulimits: {b: 0, a: {soft: 0, hard: 0}}",
            "ulimits: {a: {soft: 0, hard: 0}, b: 0, c: 5}",
        );
        check(
            "networks: {a: {aliases: [x], ipv4_address: 1.1.1.1}, b: , c: {aliases: [x]}, d: {aliases: [x]}}",
            "networks: {a: {aliases: [y]}, b: {aliases: [y]}, c: , d: {ipv6_address: '::1'}, 0: }",
            "networks: {0: , a: {aliases: [y], ipv4_address: 1.1.1.1}, b: {aliases: [y]}, c: {aliases: [x]}, d: {ipv6_address: '::1'}}",
        );
    }

    #[test]
    fn what_the_cli_does_not_know_is_merged_as_it_stands() {
        check(
            "image: a, x-a: {a: 1, l: [1], s: x}, new: {a: b}",
            "x-a: {b: 2, l: [2], s: ''}, new: '', x-b: 0",
            "image: a, x-a: {a: 1, l: [1, 2], s: '', b: 2}, new: '', x-b: 0",
        );
    }

    #[test]
    fn services_are_sorted_and_other_entries_replaced_whole() {
        let base = "{version: '3.7', x-a: {a: 1}, configs: {c: {file: /a}}, services: {b: {image: b}}, \
                    volumes: {v: {driver: d, labels: {a: b}}, w: }}";
        let over = "{version: '3.7', x-a: {b: 1}, x-b: 1, networks: {n: {}}, services: {b: {user: u}, a: {image: a}}, \
                    volumes: {v: {labels: {c: d}}, a: {}}}";
        let expected = "{version: '3.7', services: {a: {image: a}, b: {image: b, user: u}}, networks: {n: {}}, \
                        volumes: {a: {}, v: {labels: {c: d}}, w: }, configs: {c: {file: /a}}, x-a: {a: 1}, x-b: 1}";
        assert_eq!(stack(base, over), write(&valid(expected)));
    }

    #[test]
    fn many_services_are_merged_at_once() {
        let all = |key: &str| {
            let services: Vec<_> = (0..2000).map(|number| format!("s{number}: {{{key}: a}}")).collect();
            format!("{{services: {{{}}}}}", services.join(", "))
        };
        assert_eq!(stack(&all("image"), &all("user")).lines().count(), 1 + 3 * 2000);
    }
}
