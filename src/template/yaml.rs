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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::context::Context;
    use super::*;
    use crate::compose::{valid, write};

    #[test]
    fn a_stack_is_shown_as_it_is_written() {
        let stack = "services:
  app:
    deploy:
      replicas: 0
      resources:
        limits:
          memory: \"67108864\"
    image: a
    ports:
    - target: 80
    stop_grace_period: 1m30s
    ulimits:
      a:
        soft: 1
        hard: 2
      b: 5
volumes:
  v:
    name: w
    external: true
";
        let variables = Context::of(&valid(stack)).variables("app", &[]);
        let Value::Struct(_, fields) = variables else { panic!("a struct") };
        let shown = write(&tree(&fields[1]));
        for line in stack.lines().filter(|line| *line != "  app:") {
            assert!(shown.contains(line.trim()), "{line} is not in\n{shown}");
        }
        for entry in ["name: w\n    external: true\n", "b: 5\n"] {
            assert!(shown.contains(entry), "{entry} is not in\n{shown}");
        }
        assert!(!shown.contains("Name") && !shown.contains("image: \"\""), "{shown}");
    }

    #[test]
    fn numbers_are_written_as_go_prints_them() {
        for (value, shown) in [
            (Value::Int(7), "7\n"),
            (Value::Float(2.5), "2.5\n"),
            (Value::Float(1e21), "1e+21\n"),
            (Value::Nil, "null\n"),
            (Value::Str("yes".into()), "\"yes\"\n"),
            (Value::Pointer(Rc::new(Value::Bool(true))), "true\n"),
            (Value::Duration(90_000_000_000), "1m30s\n"),
        ] {
            assert_eq!(write(&tree(&value)), shown);
        }
    }
}
