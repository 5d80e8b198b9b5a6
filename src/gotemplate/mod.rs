//! Go's text/template: a text and a value become a text.
//!
//! It imports nothing of ours.

mod ast;
mod builtins;
mod error;
mod eval;
mod expression;
mod functions;
mod lexer;
mod limits;
mod literal;
mod names;
mod operand;
mod parser;
mod printf;
mod quote;
mod template;
mod token;
mod value;

pub use error::Error;
pub use functions::{Body, Function, Functions, Parameter};
pub use printf::display;
pub use quote::quote;
pub use template::Template;
pub use value::{Field, StructType, Type, Value};
