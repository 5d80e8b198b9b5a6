//! What people know from Helm: `default`, `required`, `toJson`, `fromYaml`, `quote`, `trim`, `lower`, `upper`, `join`,
//! `split`, `env`, as sprig and Helm have them. `include` is the engine's.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Number, Value as Json};

use crate::compose::{self, Budget, Kind, Node, Source};
use crate::gotemplate::{Function, Parameter, Type, Value, display, quote};

use super::super::{context, yaml};
use super::{function, limited, string, text, variadic};

use Parameter::{Any, Str};

pub(super) fn functions(env: &BTreeMap<String, String>) -> Vec<Function> {
    let env = env.clone();
    vec![
        variadic("default", &[Any, Any], |arguments| Ok(default(arguments))),
        function("required", &[Str, Any], |arguments| required(text(arguments, 0), &arguments[1])),
        function("toJson", &[Any], |arguments| Ok(string(json(&yaml::tree(&arguments[0])).to_string()))),
        function("fromYaml", &[Str], |arguments| from_yaml(text(arguments, 0))),
        variadic("quote", &[Any], |arguments| Ok(string(quoted(arguments)))),
        function("trim", &[Str], |arguments| Ok(string(text(arguments, 0).trim()))),
        function("lower", &[Str], |arguments| Ok(string(text(arguments, 0).to_lowercase()))),
        function("upper", &[Str], |arguments| Ok(string(text(arguments, 0).to_uppercase()))),
        function("join", &[Str, Any], |arguments| join(text(arguments, 0), &arguments[1])),
        function("split", &[Str, Str], |arguments| split(text(arguments, 0), text(arguments, 1))),
        Function {
            name: "env",
            parameters: &[Str],
            variadic: false,
            call: Rc::new(move |arguments| Ok(string(env.get(text(arguments, 0)).map_or("", String::as_str)))),
        },
    ]
}

/// `VALUE | default OTHER`: the other where the value is empty.
fn default(arguments: &[Value]) -> Value {
    match arguments {
        [_, value, ..] if !value.target().is_zero() => value.clone(),
        [other, ..] => other.clone(),
        [] => Value::Nil,
    }
}

/// `VALUE | required MESSAGE`: an error where there is no value, or an empty text.
fn required(message: &str, value: &Value) -> Result<Value, String> {
    match value.target() {
        Value::Missing | Value::Nil | Value::NilPointer(_) => Err(message.to_owned()),
        Value::Str(text) if text.is_empty() => Err(message.to_owned()),
        _ => Ok(value.clone()),
    }
}

fn json(node: &Node) -> Json {
    match &node.kind {
        Kind::Null => Json::Null,
        Kind::Bool(on) => Json::Bool(*on),
        Kind::Number(text) => {
            let float = || text.parse().ok().and_then(Number::from_f64).map_or(Json::Null, Json::Number);
            let whole = text.parse().ok().map(i64::into).or_else(|| text.parse().ok().map(u64::into));
            whole.unwrap_or_else(float)
        }
        Kind::Text(text) => Json::String(text.clone()),
        Kind::List(items) => items.iter().map(json).collect(),
        Kind::Map(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.clone(), json(value))).collect::<Map<_, _>>())
        }
    }
}

fn from_yaml(text: &str) -> Result<Value, String> {
    match compose::parse(&Source::default(), text, &Budget::default()) {
        Ok(node) => Ok(context::any(&node)),
        Err(error) => Err(error.to_string()),
    }
}

/// Each in quotes, as Go writes them; what is nil is left out.
fn quoted(arguments: &[Value]) -> String {
    let values = arguments.iter().map(Value::target);
    let values = values.filter(|value| !matches!(value, Value::Missing | Value::Nil | Value::NilPointer(_)));
    values.map(|value| quote(&display(value))).collect::<Vec<_>>().join(" ")
}

fn join(between: &str, list: &Value) -> Result<Value, String> {
    let parts = match list.target() {
        Value::List(_, items) => {
            let items =
                items.iter().map(Value::target).filter(|item| !matches!(item, Value::Nil | Value::NilPointer(_)));
            items.map(display).collect()
        }
        Value::Missing | Value::Nil | Value::NilPointer(_) => Vec::new(),
        one => vec![display(one)],
    };
    let length = parts.iter().map(|part| part.len() + between.len()).sum();
    limited(length, || parts.join(between))
}

static PART: Type = Type::Str("string");

/// How many parts a text may have: each takes some hundred bytes.
const PARTS: usize = 100_000;

/// The parts by `_0`, `_1` and so on.
fn split(between: &str, text: &str) -> Result<Value, String> {
    let key = |(place, part): (usize, &str)| (format!("_{place}"), Value::Str(part.into()));
    let parts: BTreeMap<_, _> = if between.is_empty() {
        let letters = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]);
        letters.take(PARTS + 1).enumerate().map(key).collect()
    } else {
        text.split(between).take(PARTS + 1).enumerate().map(key).collect()
    };
    if parts.len() > PARTS {
        return Err(format!("the text has more than {PARTS} parts"));
    }
    Ok(Value::Map(&PART, Rc::new(parts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[Value]) -> Value {
        Value::List(&Type::Interface, Rc::new(items.to_vec()))
    }

    fn word(text: &str) -> Value {
        Value::Str(text.into())
    }

    #[test]
    fn what_is_empty_has_a_default() {
        let other = word("other");
        for empty in [Value::Nil, Value::Int(0), Value::Bool(false), word(""), list(&[])] {
            assert_eq!(default(&[other.clone(), empty]), other);
        }
        assert_eq!(default(std::slice::from_ref(&other)), other);
        assert_eq!(default(&[other, word("x")]), word("x"));
    }

    #[test]
    fn what_is_required_must_be_there() {
        assert_eq!(required("why", &Value::Nil), Err("why".to_owned()));
        assert_eq!(required("why", &word("")), Err("why".to_owned()));
        assert_eq!(required("why", &Value::Int(0)), Ok(Value::Int(0)));
    }

    #[test]
    fn lists_are_joined_and_texts_split() {
        assert_eq!(join("-", &list(&[word("a"), Value::Int(1), Value::Nil])), Ok(word("a-1")));
        assert_eq!(join("-", &word("a")), Ok(word("a")));
        for (between, text, expected) in [
            (",", "a,b", &["a", "b"][..]),
            (",", "", &[""]),
            (",", ",a", &["", "a"]),
            ("", "aé", &["a", "é"]),
            ("", "", &[]),
        ] {
            let Ok(Value::Map(_, parts)) = split(between, text) else { panic!("a mapping") };
            let found: Vec<_> = (0..parts.len()).map(|place| parts[&format!("_{place}")].clone()).collect();
            assert_eq!(found, expected.iter().map(|part| word(part)).collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn a_text_is_not_split_into_more_than_memory_has() {
        for (between, letter) in [("", "x"), (",", "x,")] {
            let most = letter.repeat(PARTS - between.len());
            assert!(split(between, &most).is_ok());
            assert!(split(between, &(most + letter)).is_err());
        }
    }

    #[test]
    fn json_keeps_its_types() {
        let read = from_yaml("{a: [1, 2.5, x, true, null], b: {c: '1'}}").expect("YAML");
        assert_eq!(json(&yaml::tree(&read)).to_string(), r#"{"a":[1,2.5,"x",true,null],"b":{"c":"1"}}"#);
        assert!(from_yaml("{a").is_err());
    }
}
