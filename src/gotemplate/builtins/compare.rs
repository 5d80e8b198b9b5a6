//! Comparisons. Kinds have to agree, but for integers with a sign and without.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::operand::Operand;
use super::super::{Type, Value};

const INCOMPATIBLE: &str = "incompatible types for comparison";
const INVALID: &str = "invalid type for comparison";

/// Whether the first argument equals any of the others.
pub(super) fn eq(arguments: &[Operand]) -> Result<Operand, String> {
    let Some((first, others)) = arguments.split_first() else { return Ok(Operand::MISSING) };
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    let first = first.clone().unboxed();
    for other in others {
        if equal(&first, &other.clone().unboxed())? {
            return Ok(truth(true));
        }
    }
    Ok(truth(false))
}

pub(super) fn ne(arguments: &[Operand]) -> Result<Operand, String> {
    let [one, other] = arguments else { return Ok(Operand::MISSING) };
    Ok(truth(!equal(&one.clone().unboxed(), &other.clone().unboxed())?))
}

pub(super) fn lt(arguments: &[Operand]) -> Result<Operand, String> {
    Ok(truth(order(arguments)? == Some(Ordering::Less)))
}

pub(super) fn le(arguments: &[Operand]) -> Result<Operand, String> {
    Ok(truth(matches!(order(arguments)?, Some(Ordering::Less | Ordering::Equal))))
}

/// Go says "not less or equal", which is true of what is not a number.
pub(super) fn gt(arguments: &[Operand]) -> Result<Operand, String> {
    Ok(truth(matches!(order(arguments)?, Some(Ordering::Greater) | None)))
}

/// Go says "not less", which is true of what is not a number.
pub(super) fn ge(arguments: &[Operand]) -> Result<Operand, String> {
    Ok(truth(order(arguments)? != Some(Ordering::Less)))
}

pub(super) fn truth(on: bool) -> Operand {
    Operand::of(Value::Bool(on))
}

/// What can be compared, by its kind.
#[derive(PartialEq)]
enum Basic<'v> {
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(&'v str),
}

impl Basic<'_> {
    fn of(value: &Value) -> Option<Basic<'_>> {
        Some(match value {
            Value::Bool(on) => Basic::Bool(*on),
            Value::Int(number) | Value::Duration(number) => Basic::Integer((*number).into()),
            Value::Uint(number) => Basic::Integer((*number).into()),
            Value::Float(number) => Basic::Float(*number),
            Value::Str(text) => Basic::Text(text),
            _ => return None,
        })
    }
}

fn order(arguments: &[Operand]) -> Result<Option<Ordering>, String> {
    let [one, other] = arguments else { return Ok(None) };
    let (Some(one), Some(other)) = (Basic::of(&one.value), Basic::of(&other.value)) else {
        return Err(INVALID.to_owned());
    };
    match (one, other) {
        (Basic::Integer(one), Basic::Integer(other)) => Ok(Some(one.cmp(&other))),
        (Basic::Float(one), Basic::Float(other)) => Ok(one.partial_cmp(&other)),
        (Basic::Text(one), Basic::Text(other)) => Ok(Some(one.cmp(other))),
        (Basic::Bool(_), Basic::Bool(_)) => Err(INVALID.to_owned()),
        _ => Err(INCOMPATIBLE.to_owned()),
    }
}

fn equal(one: &Operand, other: &Operand) -> Result<bool, String> {
    match (Basic::of(&one.value), Basic::of(&other.value)) {
        (Some(a), Some(b)) if std::mem::discriminant(&a) == std::mem::discriminant(&b) => Ok(a == b),
        (None, None) => equal_composites(one, other),
        _ if one.is_missing() || other.is_missing() => Ok(false),
        _ => Err(INCOMPATIBLE.to_owned()),
    }
}

/// Lists, maps, structs, pointers and nil.
fn equal_composites(one: &Operand, other: &Operand) -> Result<bool, String> {
    let missing = one.is_missing() || other.is_missing();
    if !missing && !same_kind(&one.value, &other.value) {
        return Err(format!("non-comparable types {}, {}", one.type_name(), other.type_name()));
    }
    if is_nil(&one.value) || is_nil(&other.value) {
        return Ok(is_nil(&one.value) == is_nil(&other.value));
    }
    match (&one.value, &other.value) {
        (Value::Pointer(one), Value::Pointer(other)) => Ok(Rc::ptr_eq(one, other)),
        (_, value) if !is_comparable(value) => Err(format!("non-comparable type {}", other.type_name())),
        (one, other) => Ok(one == other),
    }
}

fn same_kind(one: &Value, other: &Value) -> bool {
    match one {
        Value::List(..) => matches!(other, Value::List(..)),
        Value::Map(..) => matches!(other, Value::Map(..)),
        Value::Struct(..) => matches!(other, Value::Struct(..)),
        _ => matches!(other, Value::Pointer(_) | Value::NilPointer(_)),
    }
}

/// Whether a value equals nil. A list or map that is empty does, but for one of anything: YAML and JSON make those, and
/// what they write as empty is not nil.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::Missing | Value::Nil | Value::NilPointer(_) => true,
        Value::List(element, elements) => elements.is_empty() && **element != Type::Interface,
        Value::Map(element, entries) => entries.is_empty() && **element != Type::Interface,
        _ => false,
    }
}

fn is_comparable(value: &Value) -> bool {
    match value {
        Value::List(..) | Value::Map(..) => false,
        Value::Struct(kind, _) => kind.fields.iter().all(|field| is_comparable_type(field.kind)),
        _ => true,
    }
}

fn is_comparable_type(kind: &Type) -> bool {
    match kind {
        Type::List(_) | Type::Map(_) => false,
        Type::Struct(kind) => kind.fields.iter().all(|field| is_comparable_type(field.kind)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::operand::Operand;
    use super::{eq, ge, gt, le, lt, ne, truth};
    use crate::gotemplate::Value;

    #[test]
    fn what_is_no_number_is_as_in_go() {
        let values = [f64::NAN, 1.0].map(|number| Operand::of(Value::Float(number)));
        let answer = |compare: fn(&[Operand]) -> Result<Operand, String>| {
            compare(&values).map(|answer| answer.value == truth(true).value)
        };
        assert_eq!([eq, ne, lt, le, gt, ge].map(answer), [false, true, false, false, true, true].map(Ok));
    }
}
