//! Podlike: pods for Docker Swarm, and for any single Docker host.
//!
//! Labels become a plan; a pure machine turns events into actions; threads carry the actions out and report back; the
//! cause of the end becomes the exit code.
//!
//! ```text
//! container labels ─pod::labels─▶ PodSpec ─pod::plan─▶ Plan ─supervisor::machine─▶ Action
//!       ▲ inspect                    (+ Controller,                 ▲                 │ supervisor::component
//!       engine                         Options)                     │                 ▼
//! exit code ◀─report─ Cause ◀────────────────────────────────── Event ◀──────── the engine's answers
//! ```
//!
//! | room | owns | may import |
//! |---|---|---|
//! | [`report`] | messages, exit codes | `commands`, `supervisor`, `health` |
//! | [`commands`] | the wiring of each subcommand | `cli`, `supervisor`, `pod`, `engine`, `health`, `template`, `compose`, `cgroup`, `version` |
//! | [`cli`] | the command line, the environment | `pod`, `version` |
//! | [`supervisor`] | threads, and the machine that decides | `pod`, `engine`, `health`, `probe` |
//! | [`cgroup`] | the container that makes room in the host's cgroups | `dbus` |
//! | [`template`] | stacks → stacks of pods | `compose`, `gotemplate`, `http`, `pod`, `version` |
//! | [`pod`] | the model: spec and plan | `compose`, `engine::types`, `engine::capabilities`, `probe` |
//! | [`probe`] | questions to a port of the pod: TCP, HTTP | nothing |
//! | [`health`] | the pod's health and who asks for it | nothing |
//! | [`engine`] | the Docker Engine API | `http`, `version` |
//! | [`dbus`] | a small client for D-Bus | nothing |
//! | [`compose`] | Compose notation | nothing |
//! | [`gotemplate`] | Go's text/template | nothing |
//! | [`http`] | HTTP/1.1 within deadlines, over TCP, UNIX sockets and TLS | nothing |
//! | [`version`] | what was built | nothing |
//!
//! A test, `tests/rooms.rs`, holds this table and the code together. Without the feature `template` there is neither [`template`] nor
//! [`gotemplate`]; without `tls`, no TLS in [`http`] and [`engine`].

pub mod cgroup;
pub mod cli;
pub mod commands;
pub mod compose;
pub mod dbus;
pub mod engine;
#[cfg(feature = "template")]
pub mod gotemplate;
pub mod health;
pub mod http;
pub mod pod;
pub mod probe;
pub mod report;
pub mod supervisor;
#[cfg(feature = "template")]
pub mod template;
pub mod version;
