//! When a component that has ended is started again, and after how long.

use std::time::Duration;

use serde::Serialize;

use crate::compose::{self, Kind, Node};

use super::role::Role;

/// Which ends are followed by another life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// None.
    #[default]
    No,
    /// Those of who was found dead by a probe.
    Dead,
    /// All.
    Always,
    /// All but one with 0.
    OnFailure,
}

/// The restart policy of a component. The pauses double from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Restart {
    /// Which ends count.
    pub when: When,
    /// How many restarts in a row; none for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    /// The first pause.
    #[serde(serialize_with = "super::plan::seconds")]
    pub delay: Duration,
    /// The longest pause.
    #[serde(serialize_with = "super::plan::seconds")]
    pub longest: Duration,
    /// Who has run so long is well: restarts are counted from 0 again.
    #[serde(serialize_with = "super::plan::seconds")]
    pub reset: Duration,
}

/// Ten seconds, doubling to five minutes, and well again after ten minutes.
impl Default for Restart {
    fn default() -> Self {
        Self {
            when: When::No,
            at_most: None,
            delay: Duration::from_secs(10),
            longest: Duration::from_mins(5),
            reset: Duration::from_mins(10),
        }
    }
}

impl Restart {
    /// Whether it never restarts.
    pub(super) fn is_no(&self) -> bool {
        self.when == When::No
    }

    /// The pause before a restart, of which there were so many before it in a row.
    pub fn pause(&self, before: u32) -> Duration {
        let doubled = 2_u32.checked_pow(before).and_then(|times| self.delay.checked_mul(times));
        doubled.unwrap_or(self.longest).min(self.longest.max(self.delay))
    }
}

/// What a component says of its restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// `restart`, or `condition` of `deploy.restart_policy`.
    pub when: Option<When>,
    /// `on-failure:N`, or `max_attempts`.
    pub at_most: Option<u32>,
    /// `delay` of `deploy.restart_policy`.
    pub delay: Option<Duration>,
    /// `window` of `deploy.restart_policy`.
    pub reset: Option<Duration>,
}

impl Asked {
    /// The policy of a component of this role, and with or without a liveness probe; times that it does not say are those
    /// of `otherwise`. A sidecar helps as long as the pod lives, and who is watched shall be mended, but may end.
    pub(super) fn policy(&self, role: Role, watched: bool, otherwise: Restart) -> Restart {
        let default = match role {
            Role::Sidecar => When::Always,
            _ if watched => When::Dead,
            _ => When::No,
        };
        Restart {
            when: self.when.unwrap_or(default),
            at_most: self.at_most,
            delay: self.delay.unwrap_or(otherwise.delay),
            longest: otherwise.longest,
            reset: self.reset.unwrap_or(otherwise.reset),
        }
    }

    /// Reads `restart`.
    pub(super) fn read(node: &Node) -> Result<Self, compose::Error> {
        let expected = || node.invalid("a restart policy: no, always, on-failure, on-failure:N or unless-stopped");
        if node.kind == Kind::Bool(false) {
            return Ok(Self { when: Some(When::No), ..Self::default() });
        }
        let text = node.text()?;
        let (word, times) = text.split_once(':').map_or((text.as_str(), None), |(word, times)| (word, Some(times)));
        let when = match word {
            "no" => When::No,
            "always" | "unless-stopped" => When::Always,
            "on-failure" => When::OnFailure,
            _ => return Err(expected()),
        };
        let at_most = match times {
            None => None,
            // As with Docker, 0 is no limit.
            Some(times) if when == When::OnFailure => {
                Some(times.parse::<u32>().map_err(|_| expected())?).filter(|times| *times > 0)
            }
            Some(_) => return Err(node.refused("only on-failure takes a number of attempts")),
        };
        Ok(Self { when: Some(when), at_most, ..Self::default() })
    }

    /// Reads `deploy.restart_policy`, beside what `restart` says.
    pub(super) fn read_policy(self, node: &Node) -> Result<Self, compose::Error> {
        const KEYS: [&str; 4] = ["condition", "delay", "max_attempts", "window"];
        let mut both = self;
        // As in a stack: who has a policy and says no more restarts always.
        both.when = self.when.or(Some(When::Always));
        for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
            match key.as_str() {
                "condition" => {
                    let when = match value.text()?.as_str() {
                        "none" => When::No,
                        "on-failure" => When::OnFailure,
                        "any" => When::Always,
                        _ => return Err(value.invalid("a condition: none, on-failure or any")),
                    };
                    if self.when.is_some_and(|said| said != when) {
                        return Err(value.refused("it says something else than 'restart': leave one of them out"));
                    }
                    both.when = Some(when);
                }
                "delay" => both.delay = Some(compose::duration(value)?),
                "max_attempts" => {
                    let times = u32::try_from(value.integer()?);
                    let times = times.map_err(|_| value.invalid("a number of attempts, 0 or more"))?;
                    let times = Some(times).filter(|times| *times > 0);
                    if self.at_most.is_some() && self.at_most != times {
                        return Err(value.refused("it says something else than 'restart': leave one of them out"));
                    }
                    both.at_most = times;
                }
                "window" => both.reset = Some(compose::duration(value)?).filter(|window| !window.is_zero()),
                key if key.starts_with("x-") => {}
                key => return Err(node.unknown(key, KEYS)),
            }
        }
        Ok(both)
    }
}

/// A time on the command line, such as `1m30s`; a number alone is seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let seconds = || text.parse::<u32>().ok().map(|seconds| Duration::from_secs(seconds.into()));
    compose::go_duration(text)
        .or_else(seconds)
        .ok_or_else(|| format!("'{text}' is no duration: expected one such as 1m30s or 500ms"))
}

#[cfg(test)]
mod tests {
    use crate::compose::valid;

    use super::*;

    fn read(text: &str) -> Result<Asked, String> {
        Asked::read(&valid(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn policies_are_read_as_compose_reads_them() {
        let asked = |when, at_most| Ok(Asked { when: Some(when), at_most, ..Asked::default() });
        for (text, expected) in [
            ("'no'", asked(When::No, None)),
            ("false", asked(When::No, None)),
            ("always", asked(When::Always, None)),
            ("unless-stopped", asked(When::Always, None)),
            ("on-failure", asked(When::OnFailure, None)),
            ("on-failure:3", asked(When::OnFailure, Some(3))),
            ("on-failure:0", asked(When::OnFailure, None)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for text in ["sometimes", "on-failure:x", "on-failure:-1", "always:3", "true", "[always]"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_policy_of_deploy_adds_to_restart_and_must_not_contradict_it() {
        let policy = |said: &str, text: &str| {
            let asked = read(said).expect("a policy");
            asked.read_policy(&valid(text)).map_err(|error| error.problem)
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(
            policy("on-failure:3", "{delay: 5s, window: 2m}"),
            Ok(Asked { when: Some(When::OnFailure), at_most: Some(3), delay: seconds(5), reset: seconds(120) })
        );
        assert!(policy("on-failure:3", "{condition: on-failure, max_attempts: 3}").is_ok());
        for (said, text) in [
            ("always", "{condition: on-failure}"),
            ("on-failure:3", "{max_attempts: 2}"),
            ("always", "{conditions: any}"),
            ("always", "{delay: 5}"),
        ] {
            assert!(policy(said, text).is_err(), "{said} {text}");
        }
        let alone = Asked::default().read_policy(&valid("{}")).expect("a policy");
        assert_eq!(alone.when, Some(When::Always));
    }

    #[test]
    fn sidecars_and_who_is_watched_restart_unless_they_say_otherwise() {
        let when = |asked: Asked, role, watched| asked.policy(role, watched, Restart::default()).when;
        assert_eq!(when(Asked::default(), Role::Essential, false), When::No);
        assert_eq!(when(Asked::default(), Role::Sidecar, false), When::Always);
        assert_eq!(when(Asked::default(), Role::Sidecar, true), When::Always);
        assert_eq!(when(Asked::default(), Role::Essential, true), When::Dead);
        assert_eq!(when(read("'no'").expect("a policy"), Role::Sidecar, true), When::No);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let restart = Restart::default();
        let pauses: Vec<u64> = (0..7).map(|before| restart.pause(before).as_secs()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(restart.pause(u32::MAX), restart.longest);
        let slow = Restart { delay: Duration::from_hours(1), ..restart };
        assert_eq!(slow.pause(3), slow.delay, "the first pause is never shortened");
        assert_eq!(Restart { delay: Duration::ZERO, ..restart }.pause(5), Duration::ZERO);
    }

    #[test]
    fn a_time_is_a_duration_or_a_number_of_seconds() {
        assert_eq!(time("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("30"), Ok(Duration::from_secs(30)));
        assert!(time("soon").is_err() && time("-1s").is_err() && time("").is_err());
    }
}
