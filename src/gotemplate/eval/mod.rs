//! Carrying a template out.
//!
//! `walk.rs` goes through bodies with a list of its own in the stack's place, `expression.rs` evaluates pipelines,
//! `call.rs` calls functions, `cost.rs` says how many steps that takes, `field.rs` finds fields.

mod call;
mod cost;
mod expression;
mod field;
mod walk;

#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;

use super::ast::Place;
use super::operand::Operand;
use super::quote::quote;
use super::template::Template;
use super::{Error, Value, limits};

/// The state of an execution.
pub(super) struct Evaluator<'t> {
    template: &'t Template,
    output: String,
    variables: Vec<(&'t str, Operand)>,
    /// Where in the variables those of the running body start.
    scope: usize,
    /// The name of the running body.
    running: &'t str,
    /// What errors point at.
    at: &'t dyn Place,
    /// How many templates have called each other.
    templates: usize,
    /// How many expressions are in each other.
    expressions: usize,
    steps: usize,
}

/// Where an execution is before it has seen anything.
struct Start;

impl Place for Start {
    fn position(&self) -> usize {
        0
    }
}

impl fmt::Display for Start {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl<'t> Evaluator<'t> {
    pub(super) fn new(template: &'t Template) -> Self {
        Self {
            template,
            output: String::new(),
            variables: Vec::new(),
            scope: 0,
            running: &template.name,
            at: &Start,
            templates: 0,
            expressions: 0,
            steps: limits::STEPS,
        }
    }

    /// Carries the whole template out.
    pub(super) fn execute(mut self, data: &Value) -> Result<String, Error> {
        let template = self.template;
        if let Some((name, body)) = template.bodies.get_key_value(&template.name) {
            self.body(name, body, Operand::of(data.clone()))?;
        }
        Ok(self.output)
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        if self.output.len() + text.len() > limits::OUTPUT {
            return self.fail(format_args!("exceeded maximum output ({} bytes)", limits::OUTPUT));
        }
        self.output.push_str(text);
        self.spend(cost::of_text(text))
    }

    /// Counts work, and refuses what is too much of it.
    fn spend(&mut self, steps: usize) -> Result<(), Error> {
        match self.steps.checked_sub(steps) {
            Some(left) => self.steps = left,
            None => return self.fail(format_args!("exceeded maximum number of steps ({})", limits::STEPS)),
        }
        Ok(())
    }

    /// An error at the place that was reached.
    fn fail<T>(&self, problem: impl fmt::Display) -> Result<T, Error> {
        let before = &self.template.text[..self.at.position()];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Err(Error {
            name: self.template.name.to_string(),
            line: 1 + before.matches('\n').count(),
            column: Some(before.len() - line_start),
            problem: format!("executing {} at <{}>: {problem}", quote(self.running), self.at),
        })
    }

    /// The innermost variable of a name.
    fn variable(&mut self, name: &str) -> Result<&mut Operand, Error> {
        let found = (self.scope..self.variables.len()).rev().find(|position| self.variables[*position].0 == name);
        match found {
            Some(position) => {
                self.spend((self.variables.len() - position) / limits::VARIABLES_PER_STEP)?;
                Ok(&mut self.variables[position].1)
            }
            None => self.fail(format_args!("undefined variable: {name}")),
        }
    }
}

/// A name that outlives the execution.
type Name<'t> = &'t Rc<str>;
