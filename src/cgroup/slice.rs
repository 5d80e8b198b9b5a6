//! A slice of systemd with limits, for as long as a pod runs: `StartTransientUnit` and `StopUnit` of
//! `org.freedesktop.systemd1.Manager`. Each returns a job, and `JobRemoved` says what became of it.

use std::path::Path;
use std::time::Duration;

use crate::dbus::{self, Body, Bus, Call, Message, Value};

use super::Error;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(15);

const RULE: &str = "type='signal',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";

/// Makes a slice, and returns its name. Where nothing has said that there is none, it is stopped again.
pub(super) fn start(socket: &Path, name: &str, properties: &[(String, String)]) -> Result<String, Error> {
    let bus = Bus::connect(socket, PATIENCE).map_err(failed("start", name))?;
    start_on(bus, name, properties).inspect_err(|error| {
        if may_be_there(error) {
            // What made the start fail is told, not this.
            let _ = stop(socket, &[name.to_owned()]);
        }
    })
}

/// Whether systemd may have made, or may be making, the slice all the same: it has not refused, and it was asked.
fn may_be_there(error: &Error) -> bool {
    match error {
        Error::Bus { source, .. } => source.name().is_none(),
        Error::Job { .. } => true,
        _ => false,
    }
}

fn start_on(bus: Bus, name: &str, properties: &[(String, String)]) -> Result<String, Error> {
    let properties = properties.iter().map(|(name, value)| property(name, value)).collect::<Result<Vec<_>, _>>()?;
    let mut systemd = Systemd::on(bus).map_err(failed("start", name))?;
    // What cannot be swept is empty and harms nobody.
    let _ = systemd.sweep(name);
    let body = Body::new().text(name).text("fail").properties(&properties).no_units();
    match systemd.job("StartTransientUnit", body).map_err(failed("start", name))?.as_str() {
        "done" => Ok(name.to_owned()),
        result => Err(Error::Job { doing: "start", name: name.to_owned(), result: result.to_owned() }),
    }
}

/// Stops slices, of which some may be gone already.
pub(super) fn stop(socket: &Path, names: &[String]) -> Result<String, Error> {
    for name in names {
        let bus = Bus::connect(socket, PATIENCE).map_err(failed("stop", name))?;
        stop_on(bus, name)?;
    }
    Ok(names.join(" "))
}

fn stop_on(bus: Bus, name: &str) -> Result<(), Error> {
    let mut systemd = Systemd::on(bus).map_err(failed("stop", name))?;
    match systemd.job("StopUnit", Body::new().text(name).text("replace")) {
        Ok(result) if result == "done" => Ok(()),
        Ok(result) => Err(Error::Job { doing: "stop", name: name.to_owned(), result }),
        Err(error) if error.name() == Some("org.freedesktop.systemd1.NoSuchUnit") => Ok(()),
        Err(error) => Err(failed("stop", name)(error)),
    }
}

fn failed(doing: &'static str, name: &str) -> impl Fn(dbus::Error) -> Error {
    move |source| Error::Bus { doing, name: name.to_owned(), source }
}

struct Systemd(Bus);

impl Systemd {
    fn on(mut bus: Bus) -> Result<Self, dbus::Error> {
        bus.subscribe(RULE)?;
        Ok(Self(bus))
    }

    /// Stops what an earlier life of the same controller left: what is called so up to the time of the start.
    fn sweep(&mut self, name: &str) -> Result<(), dbus::Error> {
        let Some((controller, _)) = name.rsplit_once('_') else { return Ok(()) };
        let body = Body::new().texts(&[]).texts(&[&format!("{controller}_*.slice")]);
        for unit in self.call("ListUnitsByPatterns", body)?.units()? {
            self.job("StopUnit", Body::new().text(&unit).text("replace"))?;
        }
        Ok(())
    }

    fn call(&mut self, member: &str, body: Body) -> Result<Message, dbus::Error> {
        self.0.call(&Call {
            destination: "org.freedesktop.systemd1",
            path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.systemd1.Manager",
            member,
            body,
        })
    }

    /// Makes a call that starts a job, and returns what became of it.
    fn job(&mut self, member: &str, body: Body) -> Result<String, dbus::Error> {
        let answer = self.call(member, body)?;
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
    use crate::dbus::fake::{LET_IN, bus, empty, recorded};

    /// What becomes of a start when systemd answers its calls so, and what was called.
    fn started(replies: Vec<Vec<Vec<u8>>>) -> (Result<String, String>, Vec<String>) {
        let (stream, thread) = bus(LET_IN, [vec![empty(), empty()], replies].concat());
        let bus = Bus::open(stream, PATIENCE).expect("let in");
        let properties = [("MemoryMax".to_owned(), "64".to_owned())];
        let started = start_on(bus, "podlike-rec_7.slice", &properties).map_err(|error| match &error {
            Error::Bus { source, .. } => format!("{error}: {source}"),
            _ => error.to_string(),
        });
        (started, thread.join().expect("the bus").split_off(5))
    }

    /// The signal with another result of the same length.
    fn removed(result: &str) -> Vec<u8> {
        let mut signal = recorded!("job-removed.signal");
        let at = signal.len() - 5;
        signal[at..at + 4].copy_from_slice(result.as_bytes());
        signal
    }

    fn job(result: &str) -> Vec<Vec<u8>> {
        vec![recorded!("job.answer"), removed(result)]
    }

    #[test]
    fn a_slice_is_there_when_its_job_is_done() {
        let none = vec![recorded!("access-denied.error")];
        let (slice, calls) = started(vec![none.clone(), job("done")]);
        assert_eq!(slice.as_deref(), Ok("podlike-rec_7.slice"), "what cannot be swept is no reason to fail");
        assert_eq!(calls, ["ListUnitsByPatterns", "StartTransientUnit"]);
        let (slice, _) = started(vec![none.clone(), job("skip")]);
        assert_eq!(slice, Err("cannot start podlike-rec_7.slice: systemd says 'skip'".to_owned()));
        let (slice, _) = started(vec![none, vec![recorded!("access-denied.error")]]);
        let words = "StartTransientUnit was refused: Permission denied (org.freedesktop.DBus.Error.AccessDenied)";
        assert_eq!(slice, Err(format!("cannot start podlike-rec_7.slice: {words}")));
    }

    #[test]
    fn what_was_not_refused_may_be_there() {
        let started = |replies: Vec<Vec<Vec<u8>>>| {
            let (stream, thread) = bus(LET_IN, [vec![empty(), empty()], replies].concat());
            let bus = Bus::open(stream, Duration::from_millis(300)).expect("let in");
            let error = start_on(bus, "podlike-rec_7.slice", &[]).expect_err("a start that fails");
            thread.join().expect("the bus");
            may_be_there(&error)
        };
        let refused = || vec![recorded!("access-denied.error")];
        assert!(!started(vec![refused(), refused()]));
        assert!(started(vec![refused(), job("skip")]));
        assert!(started(vec![refused(), vec![recorded!("job.answer")]]), "the job is never done");
        assert!(started(vec![refused(), vec![]]), "no answer");
        let wrong = Error::Property { name: "MemoryMax".to_owned(), value: "x".to_owned() };
        assert!(!may_be_there(&wrong), "it was not asked");
    }

    #[test]
    fn what_an_earlier_life_of_the_controller_left_is_stopped() {
        let (slice, calls) = started(vec![vec![recorded!("list.answer")], job("done"), job("done"), job("done")]);
        assert_eq!(calls, ["ListUnitsByPatterns", "StopUnit", "StopUnit", "StartTransientUnit"]);
        assert!(slice.is_ok());
    }

    #[test]
    fn what_cannot_be_stopped_is_said() {
        for (answer, stopped) in
            [(job("done"), true), (job("dupe"), false), (vec![recorded!("unit-exists.error")], false)]
        {
            let (stream, thread) = bus(LET_IN, vec![empty(), empty(), answer]);
            let bus = Bus::open(stream, PATIENCE).expect("let in");
            assert_eq!(stop_on(bus, "podlike-rec_7.slice").is_ok(), stopped);
            thread.join().expect("the bus");
        }
    }

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
