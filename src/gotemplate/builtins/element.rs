//! Parts of lists, maps and texts, and their lengths.

use std::rc::Rc;

use super::super::operand::Operand;
use super::super::{Type, Value};

static BYTE: Type = Type::Uint("uint8");

/// `index x 1 2`: `x[1][2]`
pub(super) fn index(arguments: &[Operand]) -> Result<Operand, String> {
    let Some((item, indexes)) = arguments.split_first() else { return Ok(Operand::MISSING) };
    let mut item = item.clone().unboxed();
    if item.is_missing() {
        return Err("index of untyped nil".to_owned());
    }
    for index in indexes {
        let (target, nil) = item.indirect();
        if nil {
            return Err("index of nil pointer".to_owned());
        }
        item = element(&target, &index.clone().unboxed())?;
    }
    Ok(item)
}

fn element(item: &Operand, index: &Operand) -> Result<Operand, String> {
    match &item.value {
        Value::List(kind, elements) => {
            let position = position(index, elements.len())?;
            let found = elements.get(position).ok_or("reflect: slice index out of range")?;
            Ok(Operand::in_slot(found.clone(), kind))
        }
        Value::Str(text) => {
            let position = position(index, text.len())?;
            let found = text.as_bytes().get(position).ok_or("reflect: string index out of range")?;
            Ok(Operand::in_slot(Value::Uint((*found).into()), &BYTE))
        }
        Value::Map(kind, entries) => match &index.value {
            Value::Str(key) => {
                let found = entries.get(&**key).cloned();
                Ok(Operand::in_slot(found.unwrap_or_else(|| kind.zero()), kind))
            }
            Value::Missing => Err("value is nil; should be of type string".to_owned()),
            _ => Err(format!("value has type {}; should be string", index.type_name())),
        },
        _ => Err(format!("can't index item of type {}", item.type_name())),
    }
}

/// An index as a position, which may be the length.
fn position(index: &Operand, length: usize) -> Result<usize, String> {
    let number = match &index.value {
        Value::Int(number) | Value::Duration(number) => i128::from(*number),
        Value::Uint(number) => i128::from(*number),
        Value::Missing => return Err("cannot index slice/array with nil".to_owned()),
        _ => return Err(format!("cannot index slice/array with type {}", index.type_name())),
    };
    match usize::try_from(number) {
        Ok(position) if position <= length => Ok(position),
        _ => Err(format!("index out of range: {number}")),
    }
}

/// `slice x 1 2`: `x[1:2]`
pub(super) fn slice(arguments: &[Operand]) -> Result<Operand, String> {
    let Some((item, indexes)) = arguments.split_first() else { return Ok(Operand::MISSING) };
    let item = item.clone().unboxed();
    if item.is_missing() {
        return Err("slice of untyped nil".to_owned());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match &item.value {
        Value::Str(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".to_owned()),
        Value::Str(text) => text.len(),
        Value::List(_, elements) => elements.len(),
        _ => return Err(format!("can't slice item of type {}", item.type_name())),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(&index.clone().unboxed(), length)?;
    }
    for pair in bounds.windows(2) {
        if pair[0] > pair[1] {
            return Err(format!("invalid slice index: {} > {}", pair[0], pair[1]));
        }
    }
    let range = bounds[0]..bounds[1];
    Ok(item.with(match &item.value {
        Value::Str(text) => Value::Str(String::from_utf8_lossy(&text.as_bytes()[range]).into()),
        Value::List(kind, elements) => Value::List(kind, Rc::new(elements[range].to_vec())),
        value => value.clone(),
    }))
}

/// The length of a text in bytes, of a list or a map in elements.
pub(super) fn len(arguments: &[Operand]) -> Result<Operand, String> {
    let Some(item) = arguments.first() else { return Ok(Operand::MISSING) };
    let (item, nil) = item.indirect();
    if nil {
        return Err("len of nil pointer".to_owned());
    }
    let length = match &item.value {
        Value::Str(text) => text.len(),
        Value::List(_, elements) => elements.len(),
        Value::Map(_, entries) => entries.len(),
        Value::Missing => return Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        _ => return Err(format!("len of type {}", item.type_name())),
    };
    Ok(Operand::of(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))))
}
