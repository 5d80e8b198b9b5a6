//! A slice of systemd with limits, for as long as a pod runs: `StartTransientUnit` and `StopUnit` of
//! `org.freedesktop.systemd1.Manager`. Each returns a job, and `JobRemoved` says what became of it.

use std::path::Path;
use std::time::Duration;

use crate::dbus::{self, Body, Bus, Call, Value};

use super::Error;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(15);

const RULE: &str = "type='signal',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";

/// Makes a slice, and returns its name.
pub(super) fn start(socket: &Path, name: &str, properties: &[(String, String)]) -> Result<String, Error> {
    let properties = properties.iter().map(|(name, value)| property(name, value)).collect::<Result<Vec<_>, _>>()?;
    let failed = |source| Error::Bus { doing: "start", name: name.to_owned(), source };
    let mut systemd = Systemd::connect(socket).map_err(failed)?;
    let body = Body::new().text(name).text("fail").properties(&properties).no_units();
    match systemd.job("StartTransientUnit", body).map_err(failed)?.as_str() {
        "done" => Ok(name.to_owned()),
        result => Err(Error::Job { doing: "start", name: name.to_owned(), result: result.to_owned() }),
    }
}

/// Stops slices, of which some may be gone already.
pub(super) fn stop(socket: &Path, names: &[String]) -> Result<String, Error> {
    for name in names {
        let failed = |source| Error::Bus { doing: "stop", name: name.clone(), source };
        let mut systemd = Systemd::connect(socket).map_err(failed)?;
        match systemd.job("StopUnit", Body::new().text(name).text("replace")) {
            Ok(result) if result == "done" => {}
            Ok(result) => return Err(Error::Job { doing: "stop", name: name.clone(), result }),
            Err(error) if error.name() == Some("org.freedesktop.systemd1.NoSuchUnit") => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(names.join(" "))
}

struct Systemd(Bus);

impl Systemd {
    fn connect(socket: &Path) -> Result<Self, dbus::Error> {
        let mut bus = Bus::connect(socket, PATIENCE)?;
        bus.subscribe(RULE)?;
        Ok(Self(bus))
    }

    /// Makes a call that starts a job, and returns what became of it.
    fn job(&mut self, member: &str, body: Body) -> Result<String, dbus::Error> {
        let answer = self.0.call(&Call {
            destination: "org.freedesktop.systemd1",
            path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.systemd1.Manager",
            member,
            body,
        })?;
        let job = answer.texts().into_iter().next().ok_or(dbus::Error::Nonsense("no job"))?;
        // Its arguments are the number and path of the job, the unit, and the result.
        let removed = self
            .0
            .signal(|signal| signal.member.as_deref() == Some("JobRemoved") && signal.texts().first() == Some(&job))?;
        removed.texts().into_iter().nth(2).ok_or(dbus::Error::Nonsense("no result"))
    }
}

/// A property as systemd has it: all are numbers but the description and the set of CPUs.
fn property<'a>(name: &'a str, value: &str) -> Result<(&'a str, Value), Error> {
    let value_of = match name {
        "Description" => Some(Value::Text(value.to_owned())),
        "AllowedCPUs" => cpus(value).map(Value::Bytes),
        _ => value.parse().ok().map(Value::Number),
    };
    let wrong = || Error::Property { name: name.to_owned(), value: value.to_owned() };
    value_of.map(|value| (name, value)).ok_or_else(wrong)
}

/// A set of CPUs such as `0-2,7` as bits, the lowest first.
fn cpus(text: &str) -> Option<Vec<u8>> {
    /// More than any machine has.
    const MOST: usize = 8192;
    let mut bits = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        bits.resize(bits.len().max(last / 8 + 1), 0);
        (first..=last).for_each(|cpu| bits[cpu / 8] |= 1 << (cpu % 8));
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_have_the_types_of_systemd() {
        assert_eq!(property("MemoryMax", "67108864").expect("a number").1, Value::Number(64 << 20));
        assert_eq!(property("Description", "a b").expect("a text").1, Value::Text("a b".to_owned()));
        for (text, bits) in [("0", vec![1]), ("0-2,7", vec![0b1000_0111]), ("9", vec![0, 2]), ("15,0", vec![1, 128])] {
            assert_eq!(property("AllowedCPUs", text).expect("a set").1, Value::Bytes(bits), "{text}");
        }
        for (name, value) in [("MemoryMax", "x"), ("TasksMax", "-1"), ("AllowedCPUs", "2-1"), ("AllowedCPUs", "")] {
            let error = property(name, value).expect_err(value).to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
