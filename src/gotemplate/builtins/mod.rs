//! Go's own functions, and `include`.

mod compare;
mod element;
mod escape;

use super::Value;
use super::functions::Parameter;
use super::operand::Operand;
use super::printf::{sprint, sprintf, sprintln};

/// A function of Go's own.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) variadic: bool,
    pub(super) work: Work,
}

/// What a function does.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// It makes a value of its arguments, or says what is wrong.
    Plain(fn(&[Operand]) -> Result<Operand, String>),
    /// It gives a part of an argument, which takes no time.
    Part(fn(&[Operand]) -> Result<Operand, String>),
    /// It stops at the first argument with this truth, and does not evaluate what follows.
    Logic(bool),
    /// It carries a template out.
    Include,
    /// It calls a function that is a value: there is none.
    Call,
}

impl Builtin {
    /// The function of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|builtin| builtin.name == name)
    }
}

const ONE: &[Parameter] = &[Parameter::Any];
const TWO: &[Parameter] = &[Parameter::Any, Parameter::Any];
const TEXT_AND_ANY: &[Parameter] = &[Parameter::Str, Parameter::Any];

const fn fixed(name: &'static str, parameters: &'static [Parameter], work: Work) -> Builtin {
    Builtin { name, parameters, variadic: false, work }
}

const fn variadic(name: &'static str, parameters: &'static [Parameter], work: Work) -> Builtin {
    Builtin { name, parameters, variadic: true, work }
}

static ALL: &[Builtin] = &[
    variadic("and", TWO, Work::Logic(false)),
    variadic("or", TWO, Work::Logic(true)),
    variadic("call", TWO, Work::Call),
    fixed("include", TEXT_AND_ANY, Work::Include),
    fixed("not", ONE, Work::Plain(|arguments| Ok(compare::truth(!arguments.iter().any(Operand::truth))))),
    variadic("eq", TWO, Work::Plain(compare::eq)),
    fixed("ne", TWO, Work::Plain(compare::ne)),
    fixed("lt", TWO, Work::Plain(compare::lt)),
    fixed("le", TWO, Work::Plain(compare::le)),
    fixed("gt", TWO, Work::Plain(compare::gt)),
    fixed("ge", TWO, Work::Plain(compare::ge)),
    variadic("index", TWO, Work::Part(element::index)),
    variadic("slice", TWO, Work::Plain(element::slice)),
    fixed("len", ONE, Work::Part(element::len)),
    variadic("print", ONE, Work::Plain(|arguments| Ok(Operand::text(sprint(&values(arguments)))))),
    variadic("println", ONE, Work::Plain(|arguments| Ok(Operand::text(sprintln(&values(arguments)))))),
    variadic("printf", TEXT_AND_ANY, Work::Plain(printf)),
    variadic("html", ONE, Work::Plain(|arguments| Ok(Operand::text(escape::html(&plain(arguments)))))),
    variadic("js", ONE, Work::Plain(|arguments| Ok(Operand::text(escape::js(&plain(arguments)))))),
    variadic("urlquery", ONE, Work::Plain(|arguments| Ok(Operand::text(escape::query(&plain(arguments)))))),
];

fn printf(arguments: &[Operand]) -> Result<Operand, String> {
    let values = values(arguments);
    match values.split_first() {
        Some((Value::Str(format), values)) => sprintf(format, values).map(Operand::text),
        _ => Ok(Operand::MISSING),
    }
}

fn values(arguments: &[Operand]) -> Vec<Value> {
    arguments.iter().cloned().map(Operand::into_value).collect()
}

/// Arguments as a template prints them, for functions that escape.
fn plain(arguments: &[Operand]) -> String {
    let plain = |value| match value {
        Value::Nil => Value::Str("<no value>".into()),
        value => value,
    };
    sprint(&values(arguments).into_iter().map(plain).collect::<Vec<_>>())
}
