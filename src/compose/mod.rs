//! Compose notation: text → typed values. Imports nothing of ours. Pure but for `surroundings.rs`, which reads files.
//!
//! ```text
//! YAML text ─yaml.rs─▶ Node (value.rs: an ordered tree; each node knows its path, and its place in its source) ─write.rs─▶ YAML text
//!                        │
//!                        ├─ scalar.rs  duration · byte size · signal · image
//!                        ├─ forms.rs   string-or-list · list-or-mapping · command lines
//!                        └─ volume.rs  a volume, in the short and the long syntax
//!
//! Compose file ─project.rs─▶ Project (services and top-level entries, as they are meant)
//!                 ├─ interpolate.rs  ${VARIABLE}      ├─ surroundings.rs  files, environment
//!                 ├─ dotenv.rs       files of pairs   └─ merge.rs         a service and what it extends
//!
//! files of a stack ─stack/─▶ Node (the stack as Docker's command line reads it)
//! ```
//!
//! All that a pod draws in has one budget (`budget.rs`). Every error names the label or file, line and column, and the path of the value, such as `environment[2]`.

mod budget;
mod dotenv;
mod error;
mod forms;
mod interpolate;
mod merge;
mod place;
mod project;
mod scalar;
#[cfg(feature = "template")]
pub mod stack;
mod surroundings;
mod value;
mod volume;
#[cfg(feature = "template")]
mod write;
mod yaml;

pub use budget::Budget;
pub use dotenv::{Pairs, dotenv, dotenv_noting, raw};
pub use error::{Error, Problem, nearest};
pub use forms::{command, key_values, one_of, owner, pairs, strings, texts};
pub use interpolate::interpolate;
pub use place::{Place, Source};
pub use project::{Project, extended, interpolated};
pub use scalar::{byte_size, duration, go_duration, image, signal};
pub use surroundings::Surroundings;
pub use value::{Kind, Node};
pub use volume::{Content, Volume, file_mode};
#[cfg(feature = "template")]
pub use write::write;
pub use yaml::parse;
#[cfg(feature = "template")]
pub use yaml::parse_1_1;
#[cfg(test)]
pub(crate) use yaml::valid;
