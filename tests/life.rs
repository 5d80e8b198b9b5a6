//! The life of a pod on a real engine, whichever it is: `PODLIKE_ENGINE=unix:///PATH` names it, and `make matrix` runs this
//! on every engine that it can bring up.
//!
//! Each module is a row of the table in the README, whose text is the first line of the module's doc. What an engine cannot do
//! is not passed over: the outcome that is expected then is asserted, and `degraded` says what stands in the table.

mod support;

#[path = "life/start.rs"]
mod start;

#[path = "life/share.rs"]
mod share;

#[path = "life/copy.rs"]
mod copy;

#[path = "life/logs.rs"]
mod logs;

#[path = "life/health.rs"]
mod health;

#[path = "life/signals.rs"]
mod signals;

#[path = "life/limits.rs"]
mod limits;

#[path = "life/inside.rs"]
mod inside;

#[path = "life/stop.rs"]
mod stop;

#[path = "life/kill.rs"]
mod kill;

#[path = "life/restart.rs"]
mod restart;
