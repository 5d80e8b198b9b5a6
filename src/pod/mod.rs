//! The model of a pod: labels → [`PodSpec`] → [`Plan`]. Pure but for two named readers: `identity.rs` reads `/proc`,
//! and [`Surroundings`] reads the files that labels name. Imports `compose`,
//! `engine::types`, `engine::capabilities` and `probe`.
//!
//! ```text
//! labels ─labels.rs─▶ text of each ─parse/───▶ Component ┐
//!   or file                        ─copy.rs──▶ FileCopy  ├─needs.rs─▶ PodSpec ─plan/─▶ Plan + Warnings
//!                                  ─volumes.rs▶ Scratch  ┘              ▲
//!             controller.rs (own inspect, capabilities, /proc) ─────────┤
//!                    cgroup.rs (where cgroups are: Placement) ───────────┘
//! ```
//!
//! After `labels.rs` no key is unknown and no value malformed; after `needs.rs` every name is known and nothing goes in
//! circles; after `plan/` each component is a finished create request.

mod cgroup;
mod component;
pub mod controller;
mod copy;
mod document;
mod errand;
mod error;
mod guard;
mod hook;
pub mod identity;
mod keys;
mod labels;
mod needs;
mod parse;
mod plan;
mod policy;
mod probe;
mod projection;
mod restart;
mod role;
mod volumes;
mod warning;

pub use crate::compose::Surroundings;
pub use cgroup::{Nesting, Placement, Why};
pub use component::{Component, Pull, Stage};
pub use controller::{Controller, Door, OWN_IMAGE, new_instance};
pub use copy::FileCopy;
pub use document::{Pod, pods_in};
pub use errand::{Errand, Purpose};
pub use error::Error;
pub use guard::Watch;
pub use hook::Hook;
pub use keys::{Class, KEYS};
pub use labels::{
    COMPONENT, CONTROLLER_ID, INSTANCE, LIFETIME, OF_TASK, PodSpec, VOLUME_REF, has_pod, is_part_of_a_name, owned_by,
    service_of, take_from_service,
};
pub use needs::{Need, Until};
pub use plan::{Apart, FromMemory, InMemory, METADATA, Options, Plan, Planned, PlannedVolume, plan};
pub use policy::{Policy, Rights};
pub use probe::{Check, HttpCheck, Probe, Probes};
pub use projection::{Content, Hidden};
pub use restart::{Restart, When, time};
pub use role::Role;
pub use warning::Warning;
