//! `healthcheck`

use std::time::Duration;

use crate::compose::{self, Error, Kind, Node};
use crate::engine::types::{Healthcheck, since};

use super::super::component::Component;

/// Reads the check; what it leaves out keeps the image's.
pub(super) fn healthcheck(component: &mut Component, node: &Node) -> Result<(), Error> {
    const KEYS: [&str; 7] = ["disable", "interval", "retries", "start_interval", "start_period", "test", "timeout"];
    let mut check = Healthcheck::default();
    let mut disabled = false;
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "disable" => disabled |= value.bool()?,
            "interval" => check.interval = nanoseconds(value)?,
            "timeout" => check.timeout = nanoseconds(value)?,
            "start_period" => check.start_period = nanoseconds(value)?,
            "start_interval" => {
                check.start_interval = nanoseconds(value)?;
                super::requires(component, value, "an interval for the start", since::START_INTERVAL);
            }
            "retries" => {
                let count = value.integer()?;
                check.retries = u64::try_from(count).map_err(|_| value.invalid("a number of retries"))?;
            }
            "test" => match test(value)? {
                Some(words) => check.test = words,
                None => disabled = true,
            },
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, KEYS)),
        }
    }
    component.request.healthcheck = Some(if disabled { Healthcheck::off() } else { check });
    Ok(())
}

/// The command of the check, empty to keep the image's; none if it says that there is none.
fn test(node: &Node) -> Result<Option<Vec<String>>, Error> {
    let Kind::List(_) = node.kind else {
        return Ok(Some(vec!["CMD-SHELL".to_owned(), node.text()?]));
    };
    let words = compose::strings(node)?;
    match words.first().map(String::as_str) {
        Some("NONE") => Ok(None),
        None => Ok(Some(words)),
        Some("CMD" | "CMD-SHELL") if words.len() > 1 => Ok(Some(words)),
        Some(_) => Err(node.not(&words.join(" "), "a test: a list starts with CMD, CMD-SHELL or NONE")),
    }
}

/// The engine refuses what is shorter than a millisecond.
fn nanoseconds(node: &Node) -> Result<u64, Error> {
    let duration = compose::duration(node)?;
    if !duration.is_zero() && duration < Duration::from_millis(1) {
        return Err(node.invalid("a duration that the engine takes: at least 1ms"));
    }
    Ok(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}
