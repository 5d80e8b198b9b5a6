//! Go's text/template: a text and a value become a text.
//!
//! It imports nothing of ours.

mod error;
mod value;

pub use error::Error;
pub use value::{Field, StructType, Type, Value};
