//! How the controller listens to its components: with `-logs` their output is shown, else only their last words are kept.

use std::time::Duration;

use crate::engine::Attach;

use super::Error;
use super::component::Component;
use super::error::{chain, if_allowed, step};
use super::event::Who;
use super::output::Output;
use super::tail::Tails;

/// What becomes of the output of the components.
#[derive(Debug)]
pub(super) enum Ear {
    /// It is shown.
    Shown(Output),
    /// The last of it is kept.
    Kept(Tails),
}

impl Ear {
    /// Starts to listen to a component.
    pub(super) fn follow(&self, component: Component, id: String, tty: bool, attach: Attach) {
        match self {
            Self::Shown(output) => output.follow(component, id, tty, attach),
            Self::Kept(tails) => tails.follow(component, id, tty, attach),
        }
    }

    /// The last lines of a component that nobody has seen yet.
    pub(super) fn last_words(&self, who: Who) -> Vec<String> {
        match self {
            Self::Shown(_) => Vec::new(),
            Self::Kept(tails) => tails.of_component(who),
        }
    }

    /// Waits until all that is shown is written, but not for ever.
    pub(super) fn close(self, patience: Duration) {
        if let Self::Shown(output) = self {
            output.close(patience);
        }
    }
}

impl Component {
    /// Attaches to its output, unless it is to be left alone. Who only keeps last words does without them if need be.
    pub(super) fn listen(&self, id: &str) -> Result<Option<Attach>, Error> {
        if !self.planned.attach {
            return Ok(None);
        }
        let (name, attach) = (&self.planned.name, self.engine.attach(id));
        if self.logs {
            let lost = format!("{name}: its output is not shown");
            return if_allowed(attach, &lost).map_err(step("attach to its output"));
        }
        Ok(attach.inspect_err(|error| log::debug!("{name}: its last words are not kept: {}", chain(error))).ok())
    }
}
