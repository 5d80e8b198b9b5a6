//! The functions that templates may call.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::Value;
use super::builtins::Builtin;

/// What a function does with its arguments: the value, or what is wrong. A missing value and a nil come as
/// [`Value::Nil`]; of arguments for [`Parameter::Str`] and [`Parameter::Int`] it gets [`Value::Str`] and [`Value::Int`].
pub type Body = Rc<dyn Fn(&[Value]) -> Result<Value, String>>;

/// A function that is not Go's own.
#[derive(Clone)]
pub struct Function {
    /// What templates call it.
    pub name: &'static str,
    /// What it takes. Of one that is variadic, the last may come any number of times, also not at all.
    pub parameters: &'static [Parameter],
    /// Whether it takes any number of arguments.
    pub variadic: bool,
    /// What it does.
    pub call: Body,
}

/// What an argument has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `interface {}`
    Any,
    /// `string`, or a pointer to one.
    Str,
    /// `int`, or a pointer to one.
    Int,
}

/// The name of its type in Go.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "interface {}",
            Self::Str => "string",
            Self::Int => "int",
        })
    }
}

/// Functions by their names. One of Go's own names hides Go's function. Clones are cheap.
#[derive(Clone, Default)]
pub struct Functions(Rc<BTreeMap<&'static str, Rc<Function>>>);

impl Functions {
    /// Of two functions of the same name the later one counts.
    pub fn new(functions: Vec<Function>) -> Self {
        Self(Rc::new(functions.into_iter().map(|function| (function.name, Rc::new(function))).collect()))
    }

    /// What a name stands for: one of these, or else one of Go's own.
    pub(super) fn find(&self, name: &str) -> Option<Callee> {
        let ours = self.0.get(name).map(|function| Callee::Ours(Rc::clone(function)));
        ours.or_else(|| Builtin::named(name).map(Callee::Builtin))
    }
}

/// A function that a template calls.
#[derive(Clone)]
pub(super) enum Callee {
    Ours(Rc<Function>),
    Builtin(&'static Builtin),
}

impl Callee {
    /// What it takes, and whether any number of the last.
    pub(super) fn signature(&self) -> (&'static [Parameter], bool) {
        match self {
            Self::Ours(function) => (function.parameters, function.variadic),
            Self::Builtin(builtin) => (builtin.parameters, builtin.variadic),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl fmt::Debug for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours(function) => function.name,
            Self::Builtin(builtin) => builtin.name,
        })
    }
}
