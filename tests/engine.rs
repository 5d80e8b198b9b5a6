//! The binary in its image on a real engine. `make test` brings up the engine and builds the images.

mod support;

#[path = "engine/component.rs"]
mod component;
#[path = "engine/compose_file.rs"]
mod compose_file;
#[path = "engine/copies.rs"]
mod copies;
#[path = "engine/demo.rs"]
mod demo;
#[path = "engine/edge.rs"]
mod edge;
#[path = "engine/end.rs"]
mod end;
#[path = "engine/exit_code.rs"]
mod exit_code;
#[path = "engine/faults.rs"]
mod faults;
#[path = "engine/guard.rs"]
mod guard;
#[path = "engine/health.rs"]
mod health;
#[path = "engine/hooks.rs"]
mod hooks;
#[path = "engine/images.rs"]
mod images;
#[path = "engine/least_privilege.rs"]
mod least_privilege;
#[path = "engine/noise.rs"]
mod noise;
#[path = "engine/order.rs"]
mod order;
#[path = "engine/output.rs"]
mod output;
#[path = "engine/pause.rs"]
mod pause;
#[path = "engine/probes.rs"]
mod probes;
#[path = "engine/refusal.rs"]
mod refusal;
#[path = "engine/restart.rs"]
mod restart;
#[path = "engine/scratch.rs"]
mod scratch;
#[path = "engine/secrets.rs"]
mod secrets;
#[path = "engine/settings.rs"]
mod settings;
#[path = "engine/sharing.rs"]
mod sharing;
#[path = "engine/stack.rs"]
mod stack;
#[path = "engine/template.rs"]
mod template;
#[path = "engine/tls.rs"]
mod tls;
#[path = "engine/validate.rs"]
mod validate;
#[path = "engine/volumes.rs"]
mod volumes;
