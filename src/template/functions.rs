//! The functions that templates have beside Go's own: those of the Go program, with its rules and its words, and the ones
//! that people know from Helm (sprig's), with their order of arguments.

mod helm;
mod peer;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::gotemplate::{Function, Functions, Parameter, Value};

/// The longest text that a function makes.
const LONGEST: usize = 16 << 20;

/// All of them. `env` reads from the given environment.
pub(super) fn functions(env: &BTreeMap<String, String>) -> Functions {
    let mut all = peer::functions();
    all.extend(helm::functions(env));
    Functions::new(all)
}

type Body = fn(&[Value]) -> Result<Value, String>;

fn function(name: &'static str, parameters: &'static [Parameter], call: Body) -> Function {
    Function { name, parameters, variadic: false, call: Rc::new(call) }
}

fn variadic(name: &'static str, parameters: &'static [Parameter], call: Body) -> Function {
    Function { variadic: true, ..function(name, parameters, call) }
}

/// An argument that the engine has checked to be a string.
fn text(arguments: &[Value], position: usize) -> &str {
    match arguments.get(position) {
        Some(Value::Str(text)) => text,
        _ => "",
    }
}

/// An argument that the engine has checked to be a whole number.
fn int(arguments: &[Value], position: usize) -> i64 {
    match arguments.get(position) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    }
}

fn string(text: impl Into<Rc<str>>) -> Value {
    Value::Str(text.into())
}

/// A text, unless it would be too long.
fn limited(length: usize, make: impl FnOnce() -> String) -> Result<Value, String> {
    if length > LONGEST { Err("the text would be longer than 16 MiB".to_owned()) } else { Ok(string(make())) }
}
