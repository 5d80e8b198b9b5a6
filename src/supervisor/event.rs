//! What comes into the machine, what goes out, and why a pod ends.

use std::time::Duration;

use log::Level;
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
    /// How long the life of a container took, of which [`Event::Exited`] follows.
    Ran(Who, Duration),
    /// A life of a container ended, by itself or by us, with this exit code.
    Exited(Who, i64),
    /// A component could not be brought or kept up.
    Failed(Who, Error),
    /// The engine does not place a component in the cgroup that was planned.
    Misplaced(Who, Error),
    /// A container that was to be started again is not there any more.
    Vanished(Who),
    /// The pause before another life of a component is over.
    Rested(Who),
    /// The engine has checked a container, by its id.
    Health(String, Health),
    /// The kernel killed something in a container for want of memory; by the container's id.
    Oom(String),
    /// A container has ended, with this exit code; by its id. It is said twice: who waits for the end hears it for sure, unless
    /// the container is gone before.
    Died(String, i64),
    /// A component is ready, or is so no longer, as its readiness or startup probe finds.
    Ready(Who, bool),
    /// A component is dead, as its liveness or startup probe finds, and why.
    Dead(Who, String),
    /// The time is over that a component waits for the health of another.
    Late {
        /// Who waits.
        who: Who,
        /// For whom.
        on: Who,
    },
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
    /// Bring a component up: one whose container is known is started in place.
    Start(Who),
    /// Bring a component up once more, and all that follow, out of the cgroup that the engine refuses.
    StartApart(Who),
    /// Give up the pull of a component's image.
    Cancel(Who),
    /// Send [`Event::Rested`] after about this time.
    Restart(Who, Duration),
    /// Stop a container with its grace, and keep it.
    Halt(Who),
    /// Begin with the probes of a component that was just started.
    Probe(Who),
    /// Send [`Event::Late`] after this time.
    Limit {
        /// Who waits.
        who: Who,
        /// For whom.
        on: Who,
        /// How long.
        time: Duration,
    },
    /// Say this to the operator.
    Tell(Level, String),
    /// Stop a container with its grace, as far as there is time, and remove it.
    Stop(Who),
    /// Remove a container whatever it does.
    Remove(Who),
    /// Pass a signal on to a component.
    Forward(Who, i32),
    /// Write the pod's health on the board.
    Publish(Health),
    /// Send [`Event::Deadline`] after this time, and forget an earlier one. The first one begins the end of the pod.
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
    /// Whether the engine had found the pod unhealthy, where a signal is the cause.
    pub unhealthy: bool,
    /// Whose exit code is the pod's where a component's is, and that code, if it has ended.
    pub leader: Option<(Who, i64)>,
    /// What became of each component, by position.
    pub lives: Vec<Life>,
    /// What the component said that is the reason, where nobody has seen it yet.
    pub last_words: Option<LastWords>,
}

impl End {
    /// An end of which no more is known than this.
    pub fn new(cause: Cause, forced: bool) -> Self {
        Self { cause, forced, unhealthy: false, leader: None, lives: Vec::new(), last_words: None }
    }
}
