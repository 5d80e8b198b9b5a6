//! Whether an attempt panics, and how long it takes.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::guard;

/// Keeps what panics in our source say, instead of printing it.
pub(crate) struct Watch {
    panicked: Arc<Mutex<String>>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let panicked = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&panicked);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Ok(mut told) = told.lock() {
                *told = info.to_string();
            }
            // Others than the mutants' are for people.
            if !info.location().is_some_and(|location| location.file().starts_with("src/")) {
                before(info);
            }
        }));
        Self { panicked }
    }

    /// The CPU time of an attempt that breaks no rule; or else the rule: that of the attempt, or the panic.
    pub(crate) fn attempt(&self, attempt: impl FnOnce() -> Result<(), String>) -> Result<Duration, String> {
        let begun = guard::cpu_time();
        let tried = panic::catch_unwind(AssertUnwindSafe(attempt));
        let took = guard::cpu_time().saturating_sub(begun);
        tried.unwrap_or_else(|_| Err(self.panicked.lock().map(|told| told.clone()).unwrap_or_default()))?;
        Ok(took)
    }
}
