//! Pods as tasks of a real Swarm of three nodes, which `make test` brings up.
//!
//! No test here may hurt a node, for others run at the same time; what does is in `tests/chaos.rs`.

mod support;

#[path = "swarm/failure.rs"]
mod failure;
#[path = "swarm/jobs.rs"]
mod jobs;
#[path = "swarm/metadata.rs"]
mod metadata;
#[path = "swarm/projected.rs"]
mod projected;
#[path = "swarm/scale.rs"]
mod scale;
#[path = "swarm/stop.rs"]
mod stop;
#[path = "swarm/update.rs"]
mod update;
#[path = "swarm/upgrade.rs"]
mod upgrade;
