//! Calls of functions: their arguments, and the functions that are part of the evaluation.

use std::mem;

use super::super::ast::{Place, Term, TermKind};
use super::super::builtins::{Builtin, Work};
use super::super::functions::{Callee, Parameter};
use super::super::operand::Operand;
use super::super::{Error, Type, Value, limits};
use super::expression::Given;
use super::{Evaluator, cost};

impl<'t> Evaluator<'t> {
    pub(super) fn call(
        &mut self,
        name: &str,
        callee: &'t Callee,
        whole: &'t dyn Place,
        dot: &Operand,
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        self.check_count(name, callee, &given)?;
        if let Callee::Builtin(Builtin { work: Work::Logic(stops_at), .. }) = callee {
            return self.logic(*stops_at, dot, given);
        }
        let words = given.words;
        let arguments = self.arguments(callee, dot, given)?;
        self.spend(1 + arguments.iter().map(|argument| cost::of_argument(&argument.value)).sum::<usize>())?;
        let result = match callee {
            Callee::Ours(function) => {
                let values: Vec<Value> = arguments.into_iter().map(Operand::into_value).collect();
                (function.call)(&values).map(Operand::of)
            }
            Callee::Builtin(builtin) => match builtin.work {
                Work::Plain(work) | Work::Part(work) => work(&arguments),
                Work::Include => self.include(&arguments),
                Work::Call => Err(uncallable(words, &arguments)),
                Work::Logic(_) => Ok(Operand::MISSING),
            },
        };
        let value = match result {
            Ok(value) => value,
            Err(problem) => {
                self.at = whole;
                return self.fail(format_args!("error calling {name}: {problem}"));
            }
        };
        self.spend(cost::of_result(callee, &value.value, self.steps))?;
        if matches!(&value.value, Value::Str(text) if text.len() > limits::OUTPUT) {
            self.at = whole;
            return self.fail(format_args!("error calling {name}: exceeded maximum output ({} bytes)", limits::OUTPUT));
        }
        Ok(value)
    }

    fn check_count(&self, name: &str, callee: &Callee, given: &Given<'t>) -> Result<(), Error> {
        let (parameters, variadic) = callee.signature();
        let count = given.words.len() + usize::from(given.last.is_some());
        if variadic {
            let least = parameters.len() - 1;
            if count < least {
                let got = given.words.len();
                return self.fail(format_args!("wrong number of args for {name}: want at least {least} got {got}"));
            }
        } else if count != parameters.len() {
            let want = parameters.len();
            return self.fail(format_args!("wrong number of args for {name}: want {want} got {count}"));
        }
        Ok(())
    }

    /// `and`, which stops at what is false, and `or`, which stops at what is true.
    fn logic(&mut self, stops_at: bool, dot: &Operand, given: Given<'t>) -> Result<Operand, Error> {
        let mut value = Operand::MISSING;
        for term in given.words {
            value = self.argument(Parameter::Any, term, dot)?;
            if value.truth() == stops_at {
                return Ok(value);
            }
        }
        Ok(given.last.unwrap_or(value))
    }

    fn arguments(&mut self, callee: &Callee, dot: &Operand, given: Given<'t>) -> Result<Vec<Operand>, Error> {
        let (parameters, _) = callee.signature();
        let parameter =
            |position: usize| parameters.get(position).or(parameters.last()).copied().unwrap_or(Parameter::Any);
        let mut arguments = Vec::with_capacity(given.words.len() + 1);
        for (position, term) in given.words.iter().enumerate() {
            arguments.push(self.argument(parameter(position), term, dot)?);
        }
        if let Some(last) = given.last {
            arguments.push(self.checked(parameter(arguments.len()), last)?);
        }
        Ok(arguments)
    }

    fn argument(&mut self, parameter: Parameter, term: &'t Term, dot: &Operand) -> Result<Operand, Error> {
        self.at = term;
        match (&term.kind, parameter) {
            (TermKind::Nil, Parameter::Any) => Ok(Operand::MISSING),
            (TermKind::Nil, _) => self.fail(format_args!("cannot assign nil to {parameter}")),
            (TermKind::Number(number), Parameter::Int) if number.integer.is_some() => {
                Ok(Operand::of(number.integer.map_or(Value::Nil, Value::Int)))
            }
            (TermKind::Text(..), Parameter::Str) => self.word(term, dot),
            (TermKind::Number(_) | TermKind::Bool(_), Parameter::Str) => {
                self.fail(format_args!("expected string; found {term}"))
            }
            (TermKind::Text(..) | TermKind::Number(_) | TermKind::Bool(_), Parameter::Int) => {
                self.fail(format_args!("expected integer; found {term}"))
            }
            _ => {
                let value = self.word(term, dot)?;
                self.checked(parameter, value)
            }
        }
    }

    /// A value as a function takes it, if it does.
    fn checked(&self, parameter: Parameter, operand: Operand) -> Result<Operand, Error> {
        if parameter == Parameter::Any {
            return Ok(operand);
        }
        if operand.is_missing() {
            return self.fail(format_args!("invalid value; expected {parameter}"));
        }
        let operand = if matches!(operand.value, Value::Nil) { operand } else { operand.unboxed() };
        if operand.fits(parameter) {
            return Ok(operand);
        }
        match (&operand.value, parameter) {
            (Value::Pointer(_), _) if operand.target().fits(parameter) => Ok(operand.target()),
            (Value::NilPointer(Type::Str("string")), Parameter::Str)
            | (Value::NilPointer(Type::Int("int")), Parameter::Int) => {
                self.fail(format_args!("dereference of nil pointer of type {parameter}"))
            }
            _ => {
                let kind = operand.type_name();
                self.fail(format_args!("wrong type for value; expected {parameter}; got {kind}"))
            }
        }
    }

    /// The text of a template.
    fn include(&mut self, arguments: &[Operand]) -> Result<Operand, String> {
        let [name, data] = arguments else { return Ok(Operand::MISSING) };
        let Value::Str(name) = &name.value else { return Ok(Operand::MISSING) };
        let (name, body) = self.find(name)?;
        let (around, running) = (mem::take(&mut self.output), self.running);
        let done = self.body(name, body, data.clone().unboxed());
        self.running = running;
        done.map_err(|error| innermost(&error))?;
        Ok(Operand::text(mem::replace(&mut self.output, around)))
    }
}

/// What went wrong in a template that is included, without those that lead from this one to it.
fn innermost(error: &Error) -> String {
    match error.problem.split_once("error calling include: ") {
        Some((_, inner)) => inner.to_owned(),
        None => error.to_string(),
    }
}

/// Why a value cannot be called: there are no functions among values.
fn uncallable(words: &[Term], arguments: &[Operand]) -> String {
    let callee = arguments.first().map(|callee| callee.clone().unboxed());
    let Some(callee) = callee.filter(|callee| !callee.is_missing()) else {
        return "call of nil".to_owned();
    };
    let kind = callee.type_name();
    let name = match (words.first(), &callee.value) {
        (Some(word), _) => word.to_string(),
        (None, Value::Str(text)) => text.to_string(),
        (None, _) => format!("<{kind} Value>"),
    };
    format!("non-function {name} of type {kind}")
}
