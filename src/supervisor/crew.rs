//! The threads: each has a name, and a panic in one is an event for all.
//!
//! What is shipped does not unwind: a program that can do that is a quarter larger. Who panics tells it and rests from
//! then on, with all that it holds, while the others bring the pod to its end.

use std::cell::Cell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;
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
        let (inbox, whose) = (self.inbox.clone(), name.clone());
        start(name, work, move |why| inbox.event(Event::Crashed(format!("{whose}: {why}"))));
    }
}

/// Hears why a thread has panicked.
type Crashed = Box<dyn FnOnce(String)>;

thread_local! {
    /// Of this thread, if it is one of a crew.
    static CRASHED: Cell<Option<Crashed>> = const { Cell::new(None) };
}

/// Starts a thread, and tells `crashed` if that cannot be done, or panics.
pub(super) fn start(
    name: String,
    work: impl FnOnce() + Send + 'static,
    crashed: impl FnOnce(String) + Clone + Send + 'static,
) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let otherwise = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            otherwise(info);
            if let Some(crashed) = CRASHED.take() {
                crashed(message(info));
                while cfg!(panic = "abort") {
                    thread::park();
                }
            }
        }));
    });
    let told = crashed.clone();
    let spawned = thread::Builder::new().name(name).spawn(move || {
        CRASHED.set(Some(Box::new(told)));
        work();
        CRASHED.set(None);
    });
    if let Err(error) = spawned {
        crashed(format!("cannot start the thread (is the limit of processes too low?): {error}"));
    }
}

/// The text of a panic.
fn message(panic: &PanicHookInfo<'_>) -> String {
    panic.payload_as_str().unwrap_or("panicked").to_owned()
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
