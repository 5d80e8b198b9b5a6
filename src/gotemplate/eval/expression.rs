//! The values of pipelines.

use super::super::Error;
use super::super::Value;
use super::super::ast::{Command, Pipe, Place, Term, TermKind};
use super::super::limits;
use super::super::literal::Number;
use super::super::operand::Operand;
use super::Evaluator;

/// What a word is called with: the words behind it, and the value of the command before its own.
#[derive(Clone)]
pub(super) struct Given<'t> {
    pub(super) words: &'t [Term],
    pub(super) last: Option<Operand>,
}

impl Given<'_> {
    pub(super) const NOTHING: Self = Given { words: &[], last: None };

    pub(super) fn is_nothing(&self) -> bool {
        self.words.is_empty() && self.last.is_none()
    }
}

impl<'t> Evaluator<'t> {
    /// The value of a pipeline. Its variables are there from now on.
    pub(super) fn pipeline(&mut self, pipe: &'t Pipe, dot: &Operand) -> Result<Operand, Error> {
        self.at = pipe;
        if self.expressions == limits::EXPRESSION_DEPTH {
            return self.fail(format_args!("exceeded maximum expression depth ({})", limits::EXPRESSION_DEPTH));
        }
        self.expressions += 1;
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?.unboxed());
        }
        let value = last.unwrap_or(Operand::MISSING);
        for name in &pipe.variables {
            if pipe.assigns {
                *self.variable(name)? = value.clone();
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        self.expressions -= 1;
        Ok(value)
    }

    fn command(&mut self, command: &'t Command, dot: &Operand, last: Option<Operand>) -> Result<Operand, Error> {
        let Some((first, words)) = command.words.split_first() else { return Ok(Operand::MISSING) };
        let given = Given { words, last };
        match &first.kind {
            TermKind::Function(..) => self.function(first, command, dot, given),
            TermKind::Field(..) | TermKind::Variable(..) | TermKind::Chain(..) => self.fields_of(first, dot, &given),
            TermKind::Pipe(pipe) => {
                self.no_function(first, &given)?;
                self.pipeline(pipe, dot)
            }
            TermKind::Nil => {
                self.at = first;
                self.no_function(first, &given)?;
                self.fail("nil is not a command")
            }
            _ => {
                self.at = first;
                self.no_function(first, &given)?;
                self.literal(first, dot)
            }
        }
    }

    /// The value of a word among the arguments of a function.
    pub(super) fn word(&mut self, term: &'t Term, dot: &Operand) -> Result<Operand, Error> {
        self.at = term;
        match &term.kind {
            TermKind::Function(..) => self.function(term, term, dot, Given::NOTHING),
            TermKind::Field(..) | TermKind::Variable(..) | TermKind::Chain(..) => {
                self.fields_of(term, dot, &Given::NOTHING)
            }
            TermKind::Pipe(pipe) => self.pipeline(pipe, dot),
            _ => self.literal(term, dot),
        }
    }

    /// `.A.B`, `$x.A` or `(…).A`. What is given goes to the last of it, should that be a method.
    fn fields_of(&mut self, term: &'t Term, dot: &Operand, given: &Given<'t>) -> Result<Operand, Error> {
        self.at = term;
        let (start, fields) = match &term.kind {
            TermKind::Field(fields) => (dot.clone(), fields),
            TermKind::Variable(name, fields) => (self.variable(name)?.clone(), fields),
            TermKind::Chain(inner, fields) => (self.word(inner, dot)?, fields),
            _ => return Ok(Operand::MISSING),
        };
        let Some((last, before)) = fields.split_last() else {
            self.no_function(term, given)?;
            return Ok(start);
        };
        let mut receiver = start;
        for field in before {
            receiver = self.field(receiver, field, term, &Given::NOTHING)?;
        }
        self.field(receiver, last, term, given)
    }

    fn literal(&self, term: &Term, dot: &Operand) -> Result<Operand, Error> {
        Ok(match &term.kind {
            TermKind::Dot => dot.clone(),
            TermKind::Bool(on) => Operand::of(Value::Bool(*on)),
            TermKind::Text(_, text) => Operand::text(text.clone()),
            TermKind::Number(Number { ideal: Some(value), .. }) => Operand::of(value.clone()),
            TermKind::Number(Number { text, .. }) => return self.fail(format_args!("{text} overflows int")),
            _ => Operand::MISSING,
        })
    }

    fn no_function(&self, term: &Term, given: &Given<'t>) -> Result<(), Error> {
        if given.is_nothing() { Ok(()) } else { self.fail(format_args!("can't give argument to non-function {term}")) }
    }

    /// A function by its name. Errors of its own point at the whole that it was called by.
    fn function(
        &mut self,
        term: &'t Term,
        whole: &'t dyn Place,
        dot: &Operand,
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        self.at = term;
        match &term.kind {
            TermKind::Function(name, callee) => self.call(name, callee, whole, dot, given),
            _ => Ok(Operand::MISSING),
        }
    }
}
