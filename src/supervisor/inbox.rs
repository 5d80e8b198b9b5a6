//! The inbox of the main thread. Unbounded: a reporter never blocks on the owner of the state.

use crossbeam_channel::Receiver;

use crate::engine::{Attach, Canceller};

use super::event::{Event, Who};

/// What a thread reports.
#[derive(Debug)]
pub enum Report {
    /// For the machine.
    Event(Event),
    /// [`Event::Pulling`], with the means to cancel it: the machine decides, the loop holds it.
    Pulling(Who, Canceller),
    /// The output of a component, for whoever writes it.
    Attached {
        /// Whose.
        who: Who,
        /// The id of its container.
        id: String,
        /// Whether it comes from a terminal.
        tty: bool,
        /// The stream.
        attach: Attach,
    },
}

/// A reporter's end.
#[derive(Debug, Clone)]
pub struct Sender(crossbeam_channel::Sender<Report>);

impl Sender {
    /// Reports an event. After the end of the pod nobody listens, and nobody needs to.
    pub fn event(&self, event: Event) {
        self.send(Report::Event(event));
    }

    pub(super) fn send(&self, report: Report) {
        let _ = self.0.send(report);
    }
}

/// An inbox.
pub fn inbox() -> (Sender, Receiver<Report>) {
    let (sender, receiver) = crossbeam_channel::unbounded();
    (Sender(sender), receiver)
}
