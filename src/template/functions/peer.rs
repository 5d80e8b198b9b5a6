//! The functions of the Go program: `yaml`, `indent`, `empty`, `notEmpty`, `contains`, `startsWith`, `replace`.

use crate::compose;
use crate::gotemplate::{Function, Parameter, Value};

use super::super::yaml;
use super::{function, int, limited, string, text};

use Parameter::{Any, Int, Str};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("yaml", &[Any], |arguments| Ok(string(compose::write(&yaml::tree(&arguments[0]))))),
        function("indent", &[Int, Str], |arguments| indent(int(arguments, 0), text(arguments, 1))),
        function("empty", &[Any], |arguments| Ok(Value::Bool(length(&arguments[0])? == 0))),
        function("notEmpty", &[Any], |arguments| Ok(Value::Bool(length(&arguments[0])? > 0))),
        function("contains", &[Str, Str], |arguments| Ok(Value::Bool(text(arguments, 1).contains(text(arguments, 0))))),
        function("startsWith", &[Str, Str], |arguments| {
            Ok(Value::Bool(text(arguments, 1).starts_with(text(arguments, 0))))
        }),
        function("replace", &[Str, Str, Int, Str], |arguments| {
            replace(text(arguments, 0), text(arguments, 1), int(arguments, 2), text(arguments, 3))
        }),
    ]
}

/// Every line begins with so many blanks, also the empty one behind a line break at the end.
fn indent(blanks: i64, text: &str) -> Result<Value, String> {
    let blanks = usize::try_from(blanks).map_err(|_| format!("a negative number of blanks: {blanks}"))?;
    let lines = 1 + text.matches('\n').count();
    limited(text.len().saturating_add(lines.saturating_mul(blanks)), || {
        let blanks = " ".repeat(blanks);
        format!("{blanks}{}", text.replace('\n', &format!("\n{blanks}")))
    })
}

/// Go's `reflect.Value.Len`.
fn length(value: &Value) -> Result<usize, String> {
    let of = match value {
        Value::Str(text) => return Ok(text.len()),
        Value::List(_, items) => return Ok(items.len()),
        Value::Map(_, entries) => return Ok(entries.len()),
        Value::Missing | Value::Nil => "zero",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Uint(_) => "uint64",
        Value::Float(_) => "float64",
        Value::Duration(_) => "int64",
        Value::Struct(..) => "struct",
        Value::Pointer(_) | Value::NilPointer(_) => "ptr",
    };
    let value = if of == "zero" { "zero Value".to_owned() } else { format!("{of} Value") };
    Err(format!("reflect: call of reflect.Value.Len on {value}"))
}

/// Go's `strings.Replace`: the first `n`, all if it is negative; an empty text stands before and after each letter.
fn replace(old: &str, new: &str, n: i64, text: &str) -> Result<Value, String> {
    let most = usize::try_from(n).unwrap_or(usize::MAX);
    let found = text.matches(old).take(most).count();
    limited(text.len().saturating_add(found.saturating_mul(new.len())), || text.replacen(old, new, most))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::gotemplate::Type;

    fn said(result: Result<Value, String>) -> String {
        match result {
            Ok(Value::Str(text)) => text.to_string(),
            other => panic!("no text: {other:?}"),
        }
    }

    #[test]
    fn an_indented_text_keeps_its_last_empty_line() {
        for (blanks, text, expected) in
            [(2, "x", "  x"), (1, "a\nb", " a\n b"), (2, "a\n", "  a\n  "), (0, "a\nb", "a\nb"), (1, "", " ")]
        {
            assert_eq!(said(indent(blanks, text)), expected);
        }
        assert!(indent(-1, "x").is_err());
        assert!(indent(i64::MAX, "x\ny").is_err());
        assert!(indent(9_000_000, "x\ny").is_err());
    }

    #[test]
    fn texts_are_replaced_as_in_go() {
        for (old, new, n, text, expected) in [
            (",", ";", 1, "a,b,c", "a;b,c"),
            (",", ";", -1, "a,b,c", "a;b;c"),
            (",", ";", 0, "a,b,c", "a,b,c"),
            ("", "-", 2, "abc", "-a-bc"),
            ("", "-", -1, "żó", "-ż-ó-"),
            ("aa", "b", -1, "aaa", "ba"),
            ("x", "y", -1, "", ""),
        ] {
            assert_eq!(said(replace(old, new, n, text)), expected, "{old} {new} {n} {text}");
        }
        let long = "x".repeat(1 << 20);
        assert!(replace("x", &long, -1, &long).is_err());
    }

    #[test]
    fn only_what_has_a_length_is_empty_or_not() {
        let list = |items: Vec<Value>| Value::List(&Type::Interface, Rc::new(items));
        for (value, expected) in [(Value::Str("é".into()), 2), (list(vec![]), 0), (list(vec![Value::Nil]), 1)] {
            assert_eq!(length(&value), Ok(expected));
        }
        for (value, of) in [
            (Value::Missing, "zero Value"),
            (Value::Nil, "zero Value"),
            (Value::Int(0), "int Value"),
            (Value::Pointer(Rc::new(Value::Str("".into()))), "ptr Value"),
        ] {
            assert_eq!(length(&value), Err(format!("reflect: call of reflect.Value.Len on {of}")));
        }
    }
}
