//! Templates: stacks in, stacks of pods out.
//!
//! ```text
//! files ─compose::stack─▶ Stack ─┬─ extensions ─config.rs─▶ Definition of each service
//!                                ├─ as written ─inherit.rs──────────────┐
//!                                └─ resolved ──context.rs─▶ Value ┐     │
//!  file, address, inline ─source.rs─▶ text ─gotemplate─▶ text ─▶ tree ─merge.rs─▶ pod.rs ─▶ stack of pods
//! ```
//!
//! A service with `x-podlike` becomes the controller of a pod; what it was becomes the main component. Nothing of it is
//! interpolated but what templates see: references to variables are left for `docker stack deploy`.

mod component;
mod config;
mod context;
mod controller;
mod copy;
mod error;
mod fetch;
mod functions;
mod inherit;
mod merge;
mod pod;
mod render;
mod sort;
mod source;
mod transform;
mod types;
mod yaml;

pub use error::{Error, Problem, Template};
pub use fetch::Fetch;
pub use sort::Sort;
pub use transform::{Transformed, transform};
