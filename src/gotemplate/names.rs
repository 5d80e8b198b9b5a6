//! What types are called in Go.

use std::fmt;

use super::{Type, Value};

/// The name in Go, such as `map[string]interface {}`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Interface => f.write_str("interface {}"),
            Type::Bool => f.write_str("bool"),
            Type::Float => f.write_str("float64"),
            Type::Int(name) | Type::Uint(name) | Type::Str(name) | Type::Duration(name) => f.write_str(name),
            Type::List(element) => write!(f, "[]{element}"),
            Type::Map(element) => write!(f, "map[string]{element}"),
            Type::Struct(kind) => f.write_str(kind.name),
            Type::Pointer(target) => write!(f, "*{target}"),
        }
    }
}

/// What `%T` prints: the type of a value. A number or a text by itself has lost the name of its slot, and has the name that
/// is usual for it. An opaque struct is a pointer in Go.
pub(super) fn type_name(value: &Value) -> String {
    match value {
        Value::Missing | Value::Nil => "<nil>".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Int(_) => "int".to_owned(),
        Value::Uint(_) => "uint64".to_owned(),
        Value::Float(_) => "float64".to_owned(),
        Value::Str(_) => "string".to_owned(),
        Value::Duration(_) => "time.Duration".to_owned(),
        Value::List(element, _) => format!("[]{element}"),
        Value::Map(element, _) => format!("map[string]{element}"),
        Value::Struct(kind, _) if kind.opaque => format!("*{}", kind.name),
        Value::Struct(kind, _) => kind.name.to_owned(),
        Value::Pointer(target) => format!("*{}", type_name(target)),
        Value::NilPointer(target) => format!("*{target}"),
    }
}

/// The type of a value in a slot: the slot's own, but in a slot for anything the value's.
pub(super) fn slot_name(value: &Value, slot: &Type) -> String {
    if *slot == Type::Interface { type_name(value) } else { slot.to_string() }
}
