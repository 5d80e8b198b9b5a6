//! A template: read once, carried out any number of times.

use std::rc::Rc;

use super::eval::Evaluator;
use super::functions::Functions;
use super::parser::{Bodies, parse};
use super::{Error, Value};

/// A template that is read.
#[derive(Debug)]
pub struct Template {
    pub(super) name: Rc<str>,
    pub(super) text: Box<str>,
    pub(super) bodies: Bodies,
}

impl Template {
    /// Reads a text. The name is what errors call it, and what `{{ template }}` may call it by.
    pub fn parse(name: &str, text: &str, functions: &Functions) -> Result<Self, Error> {
        let bodies = parse(name, text, functions)?;
        Ok(Self { name: name.into(), text: text.into(), bodies })
    }

    /// Carries the template out on data, its `.` and `$`. Of a failure the text so far is lost.
    pub fn execute(&self, data: &Value) -> Result<String, Error> {
        Evaluator::new(self).execute(data)
    }
}
