//! The model of a pod: labels → [`PodSpec`] → [`Plan`]. Pure but for two named readers: `identity.rs` reads `/proc`,
//! and [`controller::Controller::read`] takes what the engine said of us. Imports `compose` and `engine::types`.
//!
//! ```text
//! labels ─labels.rs─▶ text of each ─parse.rs─▶ Component ┐
//!                                  ─copy.rs──▶ FileCopy  ├─needs.rs─▶ PodSpec ─plan.rs─▶ Plan + Warnings
//!                                                        ┘              ▲
//!                    controller.rs (own inspect, /info, /proc) ─────────┘
//! ```
//!
//! After `labels.rs` no key is unknown and no value malformed; after `needs.rs` every name is known and nothing goes in
//! circles; after `plan.rs` each component is a finished create request.

mod component;
pub mod controller;
mod copy;
mod error;
pub mod identity;
mod labels;
mod needs;
mod parse;
mod plan;

pub use component::{Component, Healthcheck, Stage};
pub use controller::Controller;
pub use copy::FileCopy;
pub use error::Error;
pub use labels::{COMPONENT, CONTROLLER_ID, PodSpec, VERSION, owned_by};
pub use needs::{Dependency, Need, Until};
pub use parse::KEYS;
pub use plan::{Options, Plan, Planned, Warning, plan};
