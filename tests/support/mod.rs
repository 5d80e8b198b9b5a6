//! What the integration tests stand on.
//!
//! ```text
//!   test ──▶ Launch ──▶ the podlike binary ──HTTP over a unix socket──▶ FakeEngine
//!    ▲          └── controller.rs: exit code, output, signals                │
//!    └───────────────── requests, containers, faults ◀───────────────────────┘
//! ```

// Each test binary compiles this module anew and uses a part of it.
#![allow(dead_code)]

pub(crate) mod abilities;
pub(crate) mod archives;
pub(crate) mod cases;
pub(crate) mod controller;
pub(crate) mod docker_cli;
pub(crate) mod endpoints;
pub(crate) mod fake_engine;
pub(crate) mod flow;
pub(crate) mod lives;
pub(crate) mod lookout;
pub(crate) mod matrix;
pub(crate) mod pod;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod real_engine;
pub(crate) mod records;
pub(crate) mod registry;
pub(crate) mod socket_proxy;
pub(crate) mod spawns;
pub(crate) mod swarm;
pub(crate) mod swarm_events;
pub(crate) mod tls;
pub(crate) mod tripwire;
pub(crate) mod web;
