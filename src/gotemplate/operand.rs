//! A value while it is worked on, with the type of the slot that it comes from.

use std::rc::Rc;

use super::functions::Parameter;
use super::names::type_name;
use super::{Type, Value};

/// A value and the type of the field, element or variable that it was found in.
///
/// As in Go, a value in a slot of type `interface {}` shows that type in messages until a pipeline has passed it on, and a
/// nil there is a value, not the lack of one.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub(super) value: Value,
    /// None where the value's own type says all.
    slot: Option<&'static Type>,
}

impl Operand {
    /// What is not there.
    pub(super) const MISSING: Self = Self { value: Value::Missing, slot: None };

    /// A value by itself: an untyped nil is missing.
    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::Nil => Self::MISSING,
            value => Self { value, slot: None },
        }
    }

    /// A value in a slot of this type.
    pub(super) fn in_slot(value: Value, slot: &'static Type) -> Self {
        Self { value, slot: Some(slot) }
    }

    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::of(Value::Str(text.into()))
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self.value, Value::Missing)
    }

    /// Whether it is in a slot of type `interface {}`.
    fn is_boxed(&self) -> bool {
        matches!(self.slot, Some(Type::Interface))
    }

    /// The value out of an `interface {}`.
    pub(super) fn unboxed(self) -> Self {
        if self.is_boxed() { Self::of(self.value) } else { self }
    }

    /// Another value in the same slot.
    pub(super) fn with(&self, value: Value) -> Self {
        Self { value, slot: self.slot }
    }

    /// What a pointer points at.
    pub(super) fn target(&self) -> Self {
        let slot = match self.slot {
            Some(Type::Pointer(slot)) => Some(*slot),
            _ => None,
        };
        match &self.value {
            Value::Pointer(target) => Self { value: Value::clone(target), slot },
            _ => self.clone(),
        }
    }

    /// Whether it can be an argument as it is.
    pub(super) fn fits(&self, parameter: Parameter) -> bool {
        matches!(
            (parameter, &self.value, self.slot),
            (Parameter::Any, _, _)
                | (Parameter::Str, Value::Str(_), None | Some(Type::Str("string")))
                | (Parameter::Int, Value::Int(_), None | Some(Type::Int("int")))
        )
    }

    /// What pointers point at in the end, and whether that is nil.
    pub(super) fn indirect(&self) -> (Self, bool) {
        let mut target = self.clone();
        while matches!(target.value, Value::Pointer(_)) {
            target = target.target();
        }
        let nil = matches!(target.value, Value::Nil | Value::NilPointer(_));
        (if nil { target } else { target.unboxed() }, nil)
    }

    /// Whether it counts as true: not nil, not zero, not empty. Structs and pointers to anything always do.
    pub(super) fn truth(&self) -> bool {
        match &self.value {
            Value::Missing | Value::Nil | Value::NilPointer(_) => false,
            Value::Bool(on) => *on,
            Value::Int(number) | Value::Duration(number) => *number != 0,
            Value::Uint(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::List(_, elements) => !elements.is_empty(),
            Value::Map(_, entries) => !entries.is_empty(),
            Value::Struct(..) | Value::Pointer(_) => true,
        }
    }

    /// The name of its type in Go.
    pub(super) fn type_name(&self) -> String {
        self.slot.map_or_else(|| type_name(&self.value), ToString::to_string)
    }

    /// The value as functions get it: without a slot, and with what is missing as nil.
    pub(super) fn into_value(self) -> Value {
        match self.value {
            Value::Missing => Value::Nil,
            value => value,
        }
    }
}
