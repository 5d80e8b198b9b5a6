//! What templates see: a canonical tree → Go's values, by the tables of `types/`.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::compose::{self, Kind, Node};
use crate::gotemplate::{StructType, Type, Value};

use super::types::{EXTERNAL, PROJECT, SERVICE, ULIMITS, VARIABLES};

/// The services of a stack, and the stack, as templates see them.
#[derive(Debug)]
pub(super) struct Context {
    services: BTreeMap<String, Value>,
    project: Value,
}

impl Context {
    /// Of a canonical stack whose references are resolved.
    pub(super) fn of(stack: &Node) -> Self {
        let services: BTreeMap<String, Value> = entries(stack.get("services"))
            .iter()
            .map(|(name, node)| (name.clone(), with_name(name, structure(&SERVICE, node))))
            .collect();
        let list = services.values().cloned().collect();
        let values = PROJECT.fields.iter().map(|field| match field.kind {
            Type::List(element) => Value::List(element, Rc::new(Vec::clone(&list))),
            kind => value(kind, stack.get(field.key)),
        });
        let project = Value::Struct(&PROJECT, Rc::new(values.collect()));
        Self { services, project }
    }

    /// What a template of a service works on.
    pub(super) fn variables(&self, service: &str, arguments: &[(String, Node)]) -> Value {
        let service = match self.services.get(service) {
            Some(service) => Value::Pointer(Rc::new(service.clone())),
            None => Value::Nil,
        };
        let arguments = arguments.iter().map(|(key, node)| (key.clone(), any(node))).collect();
        let arguments = Value::Map(&Type::Interface, Rc::new(arguments));
        Value::Struct(&VARIABLES, Rc::new(vec![service, self.project.clone(), arguments]))
    }
}

fn entries(node: Option<&Node>) -> &[(String, Node)] {
    match node {
        Some(Node { kind: Kind::Map(entries), .. }) => entries,
        _ => &[],
    }
}

/// The service, its first field set.
fn with_name(name: &str, service: Value) -> Value {
    let Value::Struct(kind, fields) = service else { return service };
    let mut fields = Rc::unwrap_or_clone(fields);
    fields[0] = Value::Str(name.into());
    Value::Struct(kind, Rc::new(fields))
}

/// A value as YAML has it, in a slot for anything: of arguments, and of what `fromYaml` reads.
pub(super) fn any(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Nil,
        Kind::Bool(on) => Value::Bool(*on),
        Kind::Text(text) => Value::Str(text.as_str().into()),
        Kind::Number(text) => number(node, text),
        Kind::List(items) => Value::List(&Type::Interface, Rc::new(items.iter().map(any).collect())),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|(key, node)| (key.clone(), any(node))).collect();
            Value::Map(&Type::Interface, Rc::new(entries))
        }
    }
}

fn number(node: &Node, text: &str) -> Value {
    let whole = node.integer().map(Value::Int);
    whole.or_else(|_| text.parse().map(Value::Uint)).unwrap_or_else(|_| Value::Float(node.number().unwrap_or(0.0)))
}

/// A value of a type. What is missing, or is not of the type after all, is the type's zero.
fn value(kind: &'static Type, node: Option<&Node>) -> Value {
    let Some(node) = node.filter(|node| !node.is_null()) else { return kind.zero() };
    match kind {
        Type::Interface => any(node),
        Type::Bool => node.bool().map_or_else(|_| kind.zero(), Value::Bool),
        Type::Int(_) => node.integer().map_or_else(|_| kind.zero(), Value::Int),
        Type::Uint(_) => whole(node).map_or_else(|| kind.zero(), Value::Uint),
        Type::Float => node.number().map_or_else(|_| kind.zero(), Value::Float),
        Type::Str(_) => node.text().map_or_else(|_| kind.zero(), |text| Value::Str(text.into())),
        Type::Duration(_) => duration(node).map_or_else(|| kind.zero(), Value::Duration),
        Type::List(element) => {
            Value::List(element, Rc::new(items(node).iter().map(|item| value(element, Some(item))).collect()))
        }
        Type::Map(element) => {
            let entries = entries(Some(node)).iter().map(|(key, node)| (key.clone(), value(element, Some(node))));
            Value::Map(element, Rc::new(entries.collect()))
        }
        Type::Struct(kind) => structure(kind, node),
        Type::Pointer(target) => Value::Pointer(Rc::new(value(target, Some(node)))),
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn whole(node: &Node) -> Option<u64> {
    u64::try_from(node.integer().ok()?).ok()
}

/// In nanoseconds.
fn duration(node: &Node) -> Option<i64> {
    i64::try_from(compose::go_duration(&node.text().ok()?)?.as_nanos()).ok()
}

/// The fields by their keys. Two structs have a short form: a limit that is one number, and what is external by its own name.
fn structure(kind: &'static StructType, node: &Node) -> Value {
    let short = !matches!(node.kind, Kind::Map(_));
    let values = kind.fields.iter().map(|field| {
        let is_short = short
            && (kind.name == ULIMITS && field.name == "Single" || kind.name == EXTERNAL && field.name == "External");
        value(field.kind, if is_short { Some(node) } else { node.get(field.key) })
    });
    Value::Struct(kind, Rc::new(values.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::valid;
    use crate::gotemplate::display;

    #[test]
    fn an_argument_is_what_yaml_says_it_is() {
        let text = |text: &str| Value::Str(text.into());
        for (written, value) in [
            ("7", Value::Int(7)),
            ("-3", Value::Int(-3)),
            ("0644", Value::Int(420)),
            ("0x1f", Value::Int(31)),
            ("18446744073709551615", Value::Uint(u64::MAX)),
            ("2.5", Value::Float(2.5)),
            ("3.0", Value::Float(3.0)),
            ("1e3", Value::Float(1000.0)),
            ("'7'", text("7")),
            ("1.2.3", text("1.2.3")),
            ("2018-06-01", text("2018-06-01")),
            ("true", Value::Bool(true)),
            ("~", Value::Nil),
        ] {
            assert_eq!(any(&valid(written)), value, "{written}");
        }
    }

    /// A field of a service, by its names, as it prints.
    fn seen(service: &str, field: &str) -> String {
        let stack = Node::made(Kind::Map(vec![(
            "services".to_owned(),
            Node::made(Kind::Map(vec![("app".to_owned(), valid(service))])),
        )]));
        let mut value = Context::of(&stack).services["app"].clone();
        for name in field.split('.') {
            while let Value::Pointer(target) = value {
                value = (*target).clone();
            }
            value = match value {
                Value::Struct(kind, values) => {
                    let at = kind.fields.iter().position(|field| field.name == name).expect(name);
                    values[at].clone()
                }
                Value::Map(_, entries) => entries[name].clone(),
                other => panic!("{name} of {other:?}"),
            };
        }
        display(&value)
    }

    #[test]
    fn a_service_has_the_fields_of_docker_cli() {
        for (service, field, shown) in [
            ("image: a", "Name", "app"),
            ("image: a", "Image", "a"),
            ("image: a", "HealthCheck", "<nil>"),
            ("image: a", "Build", "{  map[] map[] []  }"),
            (
                "ports: [{mode: ingress, target: 3000, published: 9090, protocol: tcp}]",
                "Ports",
                "[{ingress 3000 9090 tcp}]",
            ),
            ("stop_grace_period: 1m30s", "StopGracePeriod", "1m30s"),
            ("ulimits: {a: 5, b: {soft: 1, hard: 2}}", "Ulimits.a", "{5 0 0}"),
            ("ulimits: {a: 5, b: {soft: 1, hard: 2}}", "Ulimits.b", "{0 1 2}"),
            ("environment: {A: a, B: }", "Environment.B", "<nil>"),
            ("networks: {n: , m: {aliases: [x]}}", "Networks.n", "<nil>"),
            ("networks: {n: , m: {aliases: [x]}}", "Networks.m", "{[x]  }"),
            ("deploy: {replicas: 0}", "Deploy.Replicas", "0"),
            ("deploy: {resources: {limits: {memory: '67108864'}}}", "Deploy.Resources.Limits.MemoryBytes", "67108864"),
            ("deploy: {placement: {constraints: [a]}}", "Deploy.Placement", "{[a] []}"),
            ("deploy: {placement: {max_replicas_per_node: 2}}", "Deploy.Placement", "{[] [] 2}"),
            ("secrets: [{source: s, mode: 288}]", "Secrets", "[{s    288}]"),
            ("healthcheck: {test: [CMD, x], interval: 30s}", "HealthCheck.Interval", "30s"),
        ] {
            assert_eq!(seen(service, field), shown, "{field} of {service}");
        }
    }
}
