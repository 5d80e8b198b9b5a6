//! Go's fmt.

use std::fmt::Write as _;

use super::Value;
use super::quote::quote;

/// The longest text that is made, in bytes. A text that would be longer is cut, but not below this length and one more.
pub(super) const OUTPUT_LIMIT: usize = 16 << 20;

/// fmt.Sprintf. It fails where the text would be longer than [`OUTPUT_LIMIT`].
pub(super) fn sprintf(format: &str, arguments: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = format.chars();
    let mut arguments = arguments.iter();
    while let Some(c) = rest.next() {
        match (c, c == '%') {
            (_, true) => match rest.next() {
                Some('%') => out.push('%'),
                Some('q') => out.push_str(&arguments.next().map(|v| quote(&display(v))).unwrap_or_default()),
                _ => out.push_str(&arguments.next().map(display).unwrap_or_default()),
            },
            (c, false) => out.push(c),
        }
    }
    Ok(out)
}

/// A value as a template prints it: fmt.Sprint of one, but `<no value>` of none.
pub(super) fn display(value: &Value) -> String {
    match value {
        Value::Missing | Value::Nil => "<no value>".to_owned(),
        value => sprint(std::slice::from_ref(value)),
    }
}

/// fmt.Sprint: blanks between operands when neither is a string.
pub(super) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    for (position, value) in values.iter().enumerate() {
        let text = |value: &Value| matches!(value, Value::Str(_));
        if position > 0 && !text(value) && !text(&values[position - 1]) {
            out.push(' ');
        }
        plain(value, &mut out);
    }
    out
}

/// fmt.Sprintln: blanks between all operands, and an end of line.
pub(super) fn sprintln(values: &[Value]) -> String {
    let mut out = String::new();
    for (position, value) in values.iter().enumerate() {
        out.push_str(if position > 0 { " " } else { "" });
        plain(value, &mut out);
    }
    out + "\n"
}

fn plain(value: &Value, out: &mut String) {
    match value {
        Value::Missing | Value::Nil | Value::NilPointer(_) => out.push_str("<nil>"),
        Value::Bool(on) => _ = write!(out, "{on}"),
        Value::Int(number) => _ = write!(out, "{number}"),
        Value::Uint(number) => _ = write!(out, "{number}"),
        Value::Float(number) => _ = write!(out, "{number}"),
        Value::Duration(number) => _ = write!(out, "{number}ns"),
        Value::Str(text) => out.push_str(text),
        Value::Pointer(target) => plain(target, out),
        Value::Struct(kind, _) if kind.opaque => out.push_str("<nil>"),
        Value::List(_, values) => {
            out.push('[');
            out.push_str(sprintln(values).trim_end_matches('\n'));
            out.push(']');
        }
        Value::Struct(_, values) => {
            out.push('{');
            out.push_str(sprintln(values).trim_end_matches('\n'));
            out.push('}');
        }
        Value::Map(_, values) => {
            out.push_str("map[");
            for (position, (key, value)) in values.iter().enumerate() {
                _ = write!(out, "{}{key}:", if position > 0 { " " } else { "" });
                plain(value, out);
            }
            out.push(']');
        }
    }
}
