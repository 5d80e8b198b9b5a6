//! The threads: each has a name, and a panic in one is an event for all.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use super::event::Event;
use super::inbox::Sender;

/// Starts threads that report to one inbox.
#[derive(Debug, Clone)]
pub struct Crew {
    inbox: Sender,
}

impl Crew {
    /// A crew that reports its crashes to `inbox`.
    pub fn new(inbox: Sender) -> Self {
        Self { inbox }
    }

    /// Where the crew reports to.
    pub(super) fn inbox(&self) -> &Sender {
        &self.inbox
    }

    /// Starts a thread. If it cannot be started, or panics, that is an [`Event::Crashed`].
    pub fn spawn(&self, name: String, work: impl FnOnce() + Send + 'static) {
        let inbox = self.inbox.clone();
        let crashed = {
            let name = name.clone();
            move |why: String| inbox.event(Event::Crashed(format!("{name}: {why}")))
        };
        let report = crashed.clone();
        let spawned = thread::Builder::new().name(name).spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                report(message(panic.as_ref()));
            }
        });
        if let Err(error) = spawned {
            crashed(format!("cannot start the thread: {error}"));
        }
    }
}

/// The text of a panic.
pub(super) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::inbox::{Report, inbox};
    use super::*;

    #[test]
    fn a_panic_is_an_event() {
        let (sender, receiver) = inbox();
        Crew::new(sender).spawn("test".to_owned(), || panic!("on purpose"));
        match receiver.recv() {
            Ok(Report::Event(Event::Crashed(why))) => assert_eq!(why, "test: on purpose"),
            other => panic!("{other:?}"),
        }
    }
}
