//! How many steps calls take: what functions read and make counts, as it takes time and memory.

use super::super::Value;
use super::super::builtins::{Builtin, Work};
use super::super::functions::Callee;
use super::super::limits::BYTES_PER_STEP;

/// What an element of a list, or a field of a struct, takes.
const ELEMENT: usize = 32 / BYTES_PER_STEP;
/// What a map takes that has an entry, and what it takes for each.
const MAP: usize = 384 / BYTES_PER_STEP;
const ENTRY: usize = 128 / BYTES_PER_STEP;

/// Of reading or making a text.
pub(super) fn of_text(text: &str) -> usize {
    text.len() / BYTES_PER_STEP
}

/// Of reading an argument.
pub(super) fn of_argument(value: &Value) -> usize {
    match value {
        Value::Str(text) => of_text(text),
        _ => 0,
    }
}

/// Of what a call has made, counted until it is more than `most`. Go's own functions make no more than texts and lists; what
/// others make counts with all that is in it.
pub(super) fn of_result(callee: &Callee, value: &Value, most: usize) -> usize {
    match (callee, value) {
        (Callee::Ours(_), _) => of_all(value, most),
        (Callee::Builtin(Builtin { work: Work::Part(_), .. }), _) => 0,
        (Callee::Builtin(_), Value::List(_, elements)) => elements.len(),
        (Callee::Builtin(_), _) => of_argument(value),
    }
}

fn of_all(value: &Value, most: usize) -> usize {
    let (mut cost, mut rest) = (0, vec![value]);
    while let Some(value) = rest.pop().filter(|_| cost <= most) {
        match value {
            Value::Str(text) => cost += of_text(text),
            Value::List(_, values) | Value::Struct(_, values) => {
                cost += ELEMENT * values.len();
                rest.extend(values.iter().filter(|_| cost <= most));
            }
            Value::Map(_, entries) if !entries.is_empty() => {
                cost += MAP + ENTRY * entries.len();
                rest.extend(entries.values().filter(|_| cost <= most));
            }
            Value::Pointer(target) => rest.push(target),
            _ => {}
        }
    }
    cost
}
