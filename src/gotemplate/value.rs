//! What templates work on: Go's values, with the types that decide how they print, compare and are true.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A value of Go.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// What a missing key of a mapping gives: it prints as `<no value>`, and so do its fields.
    Missing,
    /// An untyped nil.
    Nil,
    /// `bool`
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// `float64`
    Float(f64),
    /// `string`
    Str(Rc<str>),
    /// `time.Duration`, in nanoseconds.
    Duration(i64),
    /// A slice, and the type of its elements.
    List(&'static Type, Rc<Vec<Value>>),
    /// A map with strings for keys, and the type of its elements.
    Map(&'static Type, Rc<BTreeMap<String, Value>>),
    /// A struct: its fields' values in the order of its type.
    Struct(&'static StructType, Rc<Vec<Value>>),
    /// A pointer that is not nil. What is asked of it is asked of its target, but for its truth.
    Pointer(Rc<Value>),
    /// A nil pointer to something of this type.
    NilPointer(&'static Type),
}

/// A type of Go: of what a slot holds.
#[derive(Debug, PartialEq)]
pub enum Type {
    /// `interface {}`: anything.
    Interface,
    /// `bool`
    Bool,
    /// A signed integer by its name: `int`, `int64`, `types.UnitBytes` …
    Int(&'static str),
    /// An unsigned integer by its name.
    Uint(&'static str),
    /// `float64`
    Float,
    /// A string by its name.
    Str(&'static str),
    /// A duration by its name: `time.Duration`, or a type like it.
    Duration(&'static str),
    /// A slice of such elements.
    List(&'static Type),
    /// A map from strings to such elements.
    Map(&'static Type),
    /// A struct.
    Struct(&'static StructType),
    /// A pointer.
    Pointer(&'static Type),
}

/// A struct of Go, as far as templates and YAML see it.
#[derive(Debug)]
pub struct StructType {
    /// Its name, such as `types.ServicePortConfig`.
    pub name: &'static str,
    /// Its fields in their order.
    pub fields: &'static [Field],
    /// Whether it prints as `<nil>`: too much for a text, and full of secrets.
    pub opaque: bool,
}

/// A field of a struct.
#[derive(Debug)]
pub struct Field {
    /// Its name in Go, such as `Published`.
    pub name: &'static str,
    /// Its key in YAML, such as `published`; empty for one that YAML does not show.
    pub key: &'static str,
    /// Whether YAML leaves it out when it is zero.
    pub omit_empty: bool,
    /// Whether `%v` leaves it out when it is zero: Go has it since later than the templates that print its struct.
    pub newer: bool,
    /// Its type.
    pub kind: &'static Type,
}

/// There is one of each.
impl PartialEq for StructType {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Value {
    /// What it is without its pointers.
    pub fn target(&self) -> &Self {
        let mut target = self;
        while let Self::Pointer(inner) = target {
            target = inner;
        }
        target
    }

    /// Whether YAML leaves it out where zero values are left out: empty, 0, false, nil, or a struct of nothing else.
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Missing | Self::Nil | Self::NilPointer(_) => true,
            Self::Bool(on) => !on,
            Self::Int(number) | Self::Duration(number) => *number == 0,
            Self::Uint(number) => *number == 0,
            Self::Float(number) => *number == 0.0,
            Self::Str(text) => text.is_empty(),
            Self::List(_, items) => items.is_empty(),
            Self::Map(_, entries) => entries.is_empty(),
            Self::Struct(_, values) => values.iter().all(Self::is_zero),
            Self::Pointer(_) => false,
        }
    }
}

impl Type {
    /// The value of a variable of this type that nothing was assigned to, and what a map gives for a key that it lacks.
    pub fn zero(&'static self) -> Value {
        match self {
            Self::Interface => Value::Nil,
            Self::Bool => Value::Bool(false),
            Self::Int(_) => Value::Int(0),
            Self::Uint(_) => Value::Uint(0),
            Self::Float => Value::Float(0.0),
            Self::Str(_) => Value::Str("".into()),
            Self::Duration(_) => Value::Duration(0),
            Self::List(element) => Value::List(element, Rc::default()),
            Self::Map(element) => Value::Map(element, Rc::default()),
            Self::Struct(kind) => {
                Value::Struct(kind, Rc::new(kind.fields.iter().map(|field| field.kind.zero()).collect()))
            }
            Self::Pointer(target) => Value::NilPointer(target),
        }
    }
}
