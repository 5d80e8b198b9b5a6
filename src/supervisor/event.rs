//! What comes into the machine, what goes out, and why a pod ends.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::health::Health;

use super::Error;
use super::life::{LastWords, Life};

/// A component, by its position in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Who(pub usize);

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// An image is being pulled, which may take long: it can be cancelled.
    Pulling(Who),
    /// A container exists.
    Created {
        /// Whose.
        who: Who,
        /// Its id.
        id: String,
    },
    /// A container runs.
    Started {
        /// Whose.
        who: Who,
        /// Whether it has a health check.
        checked: bool,
    },
    /// A container ended by itself or by us, with this exit code.
    Exited(Who, i64),
    /// A component could not be brought or kept up.
    Failed(Who, Error),
    /// The engine does not place a component in the cgroup that was planned.
    Misplaced(Who, Error),
    /// The engine has checked a container, by its id.
    Health(String, Health),
    /// The OOM killer struck in a container, by its id.
    Oom(String),
    /// A container is stopped and removed.
    Stopped(Who),
    /// A signal came to the controller.
    Signal(i32),
    /// A thread of ours panicked, with this message.
    Crashed(String),
    /// The time that was asked for is over.
    Deadline,
}

/// Something is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Bring a component up.
    Start(Who),
    /// Bring a component up once more, and all that follow, out of the cgroup that the engine refuses.
    StartApart(Who),
    /// Give up the pull of a component's image.
    Cancel(Who),
    /// Stop a container with its grace, and remove it.
    Stop(Who),
    /// Remove a container whatever it does.
    Remove(Who),
    /// Pass a signal on to a component.
    Forward(Who, i32),
    /// Write the pod's health on the board.
    Publish(Health),
    /// Send [`Event::Deadline`] after this time, and forget an earlier one.
    Deadline(Duration),
    /// The pod is over; the last action.
    Finish,
}

/// The first reason why a pod ends.
#[derive(Debug)]
pub enum Cause {
    /// A component ended.
    Exited(Who, i64),
    /// A component could not be brought or kept up.
    Failed(Who, Error),
    /// Somebody wants the pod to end.
    Signal(i32),
    /// A bug in podlike.
    Crashed(String),
}

/// The name of a signal, such as `SIGTERM`.
pub fn signal_name(signal: i32) -> String {
    Signal::try_from(signal).map_or_else(|_| format!("signal {signal}"), |signal| signal.to_string())
}

/// How a pod ended.
#[derive(Debug)]
pub struct End {
    /// Why.
    pub cause: Cause,
    /// Whether components had to be killed because time was up, or because a second signal said so.
    pub forced: bool,
    /// What became of each component, by position.
    pub lives: Vec<Life>,
    /// What the component said that is the reason, where nobody has seen it yet.
    pub last_words: Option<Box<LastWords>>,
}
