//! Compose notation: text → typed values. Pure; imports nothing of ours.
//!
//! ```text
//! YAML text ─value.rs─▶ Node (an ordered tree, each node knows its path)
//!                        │
//!                        ├─ scalar.rs  duration · byte size · signal · image
//!                        ├─ forms.rs   string-or-list · list-or-mapping · command lines
//!                        └─ volume.rs  the short syntax of a volume
//! ```
//!
//! Beside the tree: `interpolate.rs` replaces the variables in a text, `dotenv.rs` reads a file of variables.
//!
//! Every error names the path of the value in its document, such as `environment[2]`.

mod dotenv;
mod error;
mod forms;
mod interpolate;
mod scalar;
mod value;
mod volume;

pub use dotenv::{Pairs, dotenv, dotenv_noting, raw};
pub use error::{Error, nearest};
pub use forms::{command, key_values, strings};
pub use interpolate::{interpolate, interpolate_noting};
pub use scalar::{byte_size, duration, image, signal};
pub use value::{Kind, Node, parse};
pub use volume::{Source, Volume};
