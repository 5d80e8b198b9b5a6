//! Go's values → trees that can be written as YAML or JSON, as yaml.v2 shows the structs of docker/cli.

use crate::compose::{Kind, Node};
use crate::gotemplate::{Field, StructType, Type, Value, display};

use super::types::{BYTES, EXTERNAL, ULIMITS};

/// The tree of a value.
pub(super) fn tree(value: &Value) -> Node {
    Node::made(match value {
        Value::Missing | Value::Nil | Value::NilPointer(_) => Kind::Null,
        Value::Bool(on) => Kind::Bool(*on),
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => Kind::Number(display(value)),
        Value::Str(text) => Kind::Text(text.to_string()),
        Value::Duration(_) => Kind::Text(display(value)),
        Value::List(element, items) => Kind::List(items.iter().map(|item| typed(element, item)).collect()),
        Value::Map(element, entries) => {
            Kind::Map(entries.iter().map(|(key, value)| (key.clone(), typed(element, value))).collect())
        }
        Value::Struct(kind, values) => return structure(kind, values),
        Value::Pointer(target) => return tree(target),
    })
}

/// The tree of a value in a slot of a type.
fn typed(kind: &Type, value: &Value) -> Node {
    match kind {
        Type::Int(BYTES) => Node::made(Kind::Text(display(value))),
        _ => tree(value),
    }
}

fn structure(kind: &StructType, values: &[Value]) -> Node {
    let fields = || kind.fields.iter().zip(values);
    let find = |name: &str| fields().find(|(field, _)| field.name == name).map(|(_, value)| value);
    match kind.name {
        ULIMITS if find("Single").is_some_and(|single| !single.is_zero()) => {
            return find("Single").map_or_else(null, tree);
        }
        EXTERNAL if find("Name").is_none_or(Value::is_zero) => return find("External").map_or_else(null, tree),
        _ => {}
    }
    let shown = |(field, value): &(&Field, &Value)| !(field.key.is_empty() || field.omit_empty && value.is_zero());
    let entry = |(field, value): (&Field, &Value)| (field.key.to_owned(), typed(field.kind, value));
    Node::made(Kind::Map(fields().filter(shown).map(entry).collect()))
}

fn null() -> Node {
    Node::made(Kind::Null)
}
