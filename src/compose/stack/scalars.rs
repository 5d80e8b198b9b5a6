//! Texts, booleans, numbers, durations and sizes in their canonical form.

use std::time::Duration;

use super::Role;
use super::form::Form;
use super::loader::{Loader, Settled, like};
use crate::compose::{Error, Kind, Node, byte_size, duration, one_of};

impl Loader<'_> {
    /// A string; what templates print may be a number or a boolean.
    pub(super) fn text(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        let text = match &node.kind {
            Kind::Text(text) => {
                let hidden = self.hidden(node, text)?;
                if let Form::Path = form { self.path(&hidden, &hidden.text) } else { hidden.shown(&hidden.text) }
            }
            Kind::Number(number) if matches!(form, Form::Word) => go_number(node, number),
            Kind::Number(number) if !self.checks() => number.clone(),
            Kind::Bool(value) if !self.checks() => value.to_string(),
            _ => return Err(node.expected(form.expected())),
        };
        let is_same = matches!(&node.kind, Kind::Text(written) if *written == text);
        Ok(if is_same { node.clone() } else { like(node, Kind::Text(text)) })
    }

    /// One of some strings.
    pub(super) fn choice(&self, what: &str, known: &[&str], node: &Node) -> Result<Node, Error> {
        match self.settled(node)? {
            Settled::Open => return Ok(self.left_open(node)),
            Settled::Replaced(replaced) => one_of(&replaced, what, known)?,
            Settled::Written(node) => one_of(node, what, known)?,
        };
        self.text(&Form::Text, node)
    }

    /// A boolean. A string is none, but for YAML 1.1's words, and what comes from a variable.
    pub(super) fn boolean(&self, node: &Node) -> Result<Node, Error> {
        let value = match self.settled(node)? {
            Settled::Open => return Ok(self.left_open(node)),
            Settled::Replaced(replaced) => replaced.bool()?,
            Settled::Written(Node { kind: Kind::Text(text), .. })
                if ["true", "false"].contains(&text.to_ascii_lowercase().as_str()) =>
            {
                return Err(node.refused("expected a boolean, found a string (write it without quotes)"));
            }
            Settled::Written(node) => node.bool()?,
        };
        Ok(like(node, Kind::Bool(value)))
    }

    /// A number of the form.
    pub(super) fn number(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        let number = match self.settled(node)? {
            Settled::Open => return Ok(self.left_open(node)),
            Settled::Replaced(replaced) if matches!(form, Form::Float) => go_float(replaced.number()?),
            // Docker reads such a one as decimal: it has been a string.
            Settled::Replaced(replaced) => match replaced.text()?.parse::<i64>() {
                Ok(number) => number.to_string(),
                Err(_) => return Err(replaced.invalid("a whole number such as 5")),
            },
            Settled::Written(Node { kind: Kind::Number(number), .. }) if matches!(form, Form::Float) => {
                go_number(node, number)
            }
            Settled::Written(Node { kind: Kind::Number(number), .. }) => match whole(node, number) {
                Some(number) => number.to_string(),
                None => return Err(node.invalid("a whole number such as 5")),
            },
            Settled::Written(node) if node.number().is_ok() => {
                return Err(
                    node.refused(format!("expected {}, found a string (write it without quotes)", form.expected()))
                );
            }
            Settled::Written(_) => return Err(node.expected(form.expected())),
        };
        if matches!(form, Form::Count) && number.starts_with('-') {
            return Err(node.not(&number, "a number from 0 on"));
        }
        Ok(like(node, Kind::Number(number)))
    }

    /// A duration as Go prints it. A component's may have days, as those of Compose.
    pub(super) fn duration(&self, node: &Node) -> Result<Node, Error> {
        let replaced = match self.settled(node)? {
            Settled::Open => return Ok(self.left_open(node)),
            Settled::Replaced(replaced) => replaced,
            Settled::Written(node) => node.clone(),
        };
        let length = duration(&replaced)?;
        if replaced.text()?.contains(['d', 'w']) {
            return if self.role == Role::Component { Ok(node.clone()) } else { Err(node.invalid(WITHOUT_DAYS)) };
        }
        Ok(like(node, Kind::Text(printed(length))))
    }

    /// A size as a text of bytes.
    pub(super) fn bytes(&self, node: &Node) -> Result<Node, Error> {
        let bytes = match self.settled(node)? {
            Settled::Open => return Ok(self.left_open(node)),
            Settled::Replaced(replaced) => byte_size(&replaced)?,
            Settled::Written(node) if self.checks() && !matches!(node.kind, Kind::Text(_)) => {
                return Err(node.expected(Form::Bytes.expected()));
            }
            Settled::Written(node) => byte_size(node)?,
        };
        Ok(like(node, Kind::Text(bytes.to_string())))
    }
}

const WITHOUT_DAYS: &str = "a duration for Docker: it has no days and weeks, a day is 24h";

/// A whole number, which may be written as `4.0`.
fn whole(node: &Node, number: &str) -> Option<i64> {
    let float = || number.parse::<f64>().ok().filter(|it| it.fract() == 0.0 && it.abs() < 9e15);
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is in the range")]
    node.integer().ok().or_else(|| float().map(|it| it as i64))
}

/// A number as Go's `fmt.Sprint` prints what YAML makes of it.
pub(super) fn go_number(node: &Node, number: &str) -> String {
    let plain = number.replace('_', "");
    match (node.integer(), plain.parse::<u64>(), plain.parse::<f64>()) {
        (Ok(whole), ..) => whole.to_string(),
        (_, Ok(whole), _) => whole.to_string(),
        (.., Ok(float)) => go_float(float),
        _ => number.to_owned(),
    }
}

/// A `float64` as Go prints it: with an exponent below 0.0001 and from a million on.
fn go_float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => value.to_string(),
    }
}

/// A duration as Go prints it: `1h30m0s`, `1.5s`, `250µs`.
fn printed(duration: Duration) -> String {
    let nanoseconds = duration.subsec_nanos();
    let decimal = |whole: u64, fraction: u32, digits: usize| {
        let text = format!("{whole}.{fraction:0digits$}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if duration.is_zero() {
        return "0s".to_owned();
    }
    match (duration.as_secs(), nanoseconds) {
        (0, 0..1_000) => format!("{nanoseconds}ns"),
        (0, 1_000..1_000_000) => format!("{}µs", decimal(u64::from(nanoseconds / 1_000), nanoseconds % 1_000, 3)),
        (0, _) => format!("{}ms", decimal(u64::from(nanoseconds / 1_000_000), nanoseconds % 1_000_000, 6)),
        (seconds, _) => {
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let rest = format!("{}s", decimal(seconds % 60, nanoseconds, 9));
            match (hours, minutes) {
                (0, 0) => rest,
                (0, _) => format!("{minutes}m{rest}"),
                _ => format!("{hours}h{minutes}m{rest}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::valid;

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        for (text, expected) in [
            ("0", "0s"),
            ("90s", "1m30s"),
            ("1500ms", "1.5s"),
            ("36h", "36h0m0s"),
            ("90m", "1h30m0s"),
            ("1h0m0.5s", "1h0m0.5s"),
            ("250us", "250µs"),
            ("1.5us", "1.5µs"),
            ("3ns", "3ns"),
            ("1.25ms", "1.25ms"),
            ("61s", "1m1s"),
        ] {
            assert_eq!(duration(&valid(text)).map(printed).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn numbers_are_printed_as_go_prints_what_yaml_makes_of_them() {
        for (text, printed) in [
            ("1.50", "1.5"),
            ("0644", "420"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("1_000", "1000"),
            ("1e3", "1000"),
            ("123456789.0", "1.23456789e+08"),
            ("1000000.0", "1e+06"),
            ("999999.5", "999999.5"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-2.0", "-2"),
            ("12345678901234567890", "12345678901234567890"),
            ("0.0", "0"),
        ] {
            assert_eq!(go_number(&valid(text), text), printed, "{text}");
        }
    }
}
