//! Pauses between attempts: they double up to a limit, and end with the pod.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// A series of attempts.
#[derive(Debug)]
pub(super) struct Retry<'a> {
    over: &'a Receiver<()>,
    pause: Duration,
}

impl<'a> Retry<'a> {
    /// A series that ends when `over` is closed.
    pub(super) fn until(over: &'a Receiver<()>) -> Self {
        Self { over, pause: FIRST }
    }

    /// Waits before the next attempt; false if there shall be none.
    pub(super) fn pause(&mut self) -> bool {
        let waited = self.over.recv_timeout(self.pause);
        self.pause = (self.pause * 2).min(LONGEST);
        waited == Err(RecvTimeoutError::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_pod_ends_a_pause() {
        let (pod_lives, over) = crossbeam_channel::bounded(0);
        let mut retry = Retry { over: &over, pause: Duration::from_hours(1) };
        drop(pod_lives);
        assert!(!retry.pause());
    }
}
