//! Go's text/template: a text and a value become a text.
//!
//! It imports nothing of ours.

mod error;
#[allow(dead_code, reason = "the evaluator comes next")]
mod names;
#[allow(dead_code, reason = "the evaluator comes next")]
mod printf;
#[allow(dead_code, reason = "the evaluator comes next")]
mod quote;
mod value;

pub use error::Error;
pub use value::{Field, StructType, Type, Value};
