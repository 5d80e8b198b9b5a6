//! Fields of structs, entries of maps, and the methods of durations.

use super::super::ast::Term;
use super::super::operand::Operand;
use super::super::printf::display;
use super::super::{Error, Type, Value};
use super::Evaluator;
use super::expression::Given;

impl<'t> Evaluator<'t> {
    /// A field of a value. Of what is missing it is missing, too.
    pub(super) fn field(
        &mut self,
        receiver: Operand,
        name: &str,
        term: &'t Term,
        given: &Given<'t>,
    ) -> Result<Operand, Error> {
        if receiver.is_missing() {
            return Ok(receiver);
        }
        let (target, _) = receiver.indirect();
        if let Some(method) = Method::named(name).filter(|_| is_duration(&target.value)) {
            return self.method(method, name, &target.value, term, given);
        }
        let found = match &target.value {
            Value::Nil => return self.nil_pointer(&receiver, name),
            Value::NilPointer(Type::Struct(kind)) if kind.fields.iter().any(|field| field.name == name) => {
                return self.nil_pointer(&receiver, name);
            }
            Value::NilPointer(kind) if !matches!(kind, Type::Struct(_)) => return self.nil_pointer(&receiver, name),
            Value::Struct(kind, values) => {
                let found = kind.fields.iter().zip(values.iter()).find(|(field, _)| field.name == name);
                found.map(|(field, value)| Operand::in_slot(value.clone(), field.kind))
            }
            Value::Map(element, entries) => {
                let found = entries.get(name).map(|value| Operand::in_slot(value.clone(), element));
                Some(found.unwrap_or(Operand::MISSING))
            }
            _ => None,
        };
        match (found, &target.value) {
            (None, _) => self.fail(format_args!("can't evaluate field {name} in type {}", receiver.type_name())),
            (Some(found), _) if given.is_nothing() => Ok(found),
            (Some(_), Value::Map(..)) => self.fail(format_args!("{name} is not a method but has arguments")),
            (Some(_), _) => self.fail(format_args!("{name} has arguments but cannot be invoked as function")),
        }
    }

    fn nil_pointer(&self, receiver: &Operand, name: &str) -> Result<Operand, Error> {
        self.fail(format_args!("nil pointer evaluating {}.{name}", receiver.type_name()))
    }

    fn method(
        &mut self,
        method: Method,
        name: &str,
        target: &Value,
        term: &'t Term,
        given: &Given<'t>,
    ) -> Result<Operand, Error> {
        let count = given.words.len() + usize::from(given.last.is_some());
        if count > 0 {
            return self.fail(format_args!("wrong number of args for {name}: want 0 got {count}"));
        }
        let Value::Duration(nanoseconds) = target else {
            self.at = term;
            return self.fail(format_args!(
                "error calling {name}: value method time.Duration.{name} called using nil *Duration pointer"
            ));
        };
        Ok(Operand::of(method.of(*nanoseconds)))
    }
}

fn is_duration(value: &Value) -> bool {
    matches!(value, Value::Duration(_) | Value::NilPointer(Type::Duration(_)))
}

/// A method of `time.Duration`: those that take no arguments.
#[derive(Clone, Copy)]
enum Method {
    Abs,
    Hours,
    Microseconds,
    Milliseconds,
    Minutes,
    Nanoseconds,
    Seconds,
    String,
}

impl Method {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Abs" => Self::Abs,
            "Hours" => Self::Hours,
            "Microseconds" => Self::Microseconds,
            "Milliseconds" => Self::Milliseconds,
            "Minutes" => Self::Minutes,
            "Nanoseconds" => Self::Nanoseconds,
            "Seconds" => Self::Seconds,
            "String" => Self::String,
            _ => return None,
        })
    }

    fn of(self, nanoseconds: i64) -> Value {
        match self {
            Self::Abs => Value::Duration(nanoseconds.saturating_abs()),
            Self::Hours => in_units(nanoseconds, 3600 * SECOND),
            Self::Minutes => in_units(nanoseconds, 60 * SECOND),
            Self::Seconds => in_units(nanoseconds, SECOND),
            Self::Milliseconds => Value::Int(nanoseconds / 1_000_000),
            Self::Microseconds => Value::Int(nanoseconds / 1000),
            Self::Nanoseconds => Value::Int(nanoseconds),
            Self::String => Value::Str(display(&Value::Duration(nanoseconds)).into()),
        }
    }
}

const SECOND: i64 = 1_000_000_000;

/// As Go counts: the whole units and the rest apart, each as a float.
#[expect(clippy::cast_precision_loss, reason = "Go's float64(n) rounds so too")]
fn in_units(nanoseconds: i64, unit: i64) -> Value {
    Value::Float((nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64)
}
