//! A small client for D-Bus, as much of it as a few calls to systemd take. Imports nothing of ours.
//!
//! ```text
//!            Bus ── "\0AUTH EXTERNAL" ─▶  bus: "DATA", "OK" or "REJECTED"
//! Bus::call ──▶ wire.rs Call ── bytes ─▶ bus ──▶ systemd
//!            ◀── wire.rs Message ◀─ reply · error · signals (kept for Bus::signal)
//! ```
//!
//! Who we are the bus reads off the socket, so nothing of it is sent. All of a conversation has one deadline.

mod error;
#[cfg(test)]
pub(crate) mod fake;
mod wire;

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

pub use error::Error;
pub use wire::{Body, Call, Kind, Message, Value};
use wire::{HEAD, Head};

/// A line of the authentication is never longer.
const LONGEST_LINE: u64 = 4096;

const BUS: Call<'static> = Call {
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
    member: "",
    body: Body::EMPTY,
};

/// A conversation with a bus.
#[derive(Debug)]
pub struct Bus {
    stream: BufReader<UnixStream>,
    serial: u32,
    end: Instant,
    /// What came while something else was waited for.
    signals: VecDeque<Message>,
}

impl Bus {
    /// Connects to the bus at a socket and says hello. All that is done with it may take `patience`.
    pub fn connect(socket: &Path, patience: Duration) -> Result<Self, Error> {
        let stream =
            UnixStream::connect(socket).map_err(|source| Error::Unreachable { socket: socket.to_owned(), source })?;
        Self::open(stream, patience)
    }

    /// As [`Self::connect`], on a connection that is there.
    pub fn open(stream: UnixStream, patience: Duration) -> Result<Self, Error> {
        let end = Instant::now() + patience;
        let mut bus = Self { stream: BufReader::new(stream), serial: 0, end, signals: VecDeque::new() };
        bus.authenticate()?;
        bus.call(&Call { member: "Hello", ..BUS })?;
        Ok(bus)
    }

    /// Asks the bus for the signals that match a rule.
    pub fn subscribe(&mut self, rule: &str) -> Result<(), Error> {
        self.call(&Call { member: "AddMatch", body: Body::new().text(rule), ..BUS }).map(drop)
    }

    /// Makes a call and waits for its answer.
    pub fn call(&mut self, call: &Call<'_>) -> Result<Message, Error> {
        self.serial += 1;
        let serial = self.serial;
        self.send(&call.bytes(serial))?;
        loop {
            let message = self.receive()?;
            match message.kind {
                Kind::Signal => self.signals.push_back(message),
                Kind::Answer if message.answers == Some(serial) => return Ok(message),
                Kind::Error if message.answers == Some(serial) => {
                    let words = message.texts().into_iter().next().unwrap_or_default();
                    let name = message.error.unwrap_or_default();
                    return Err(Error::Refused { call: call.member.to_owned(), name, words });
                }
                _ => {}
            }
        }
    }

    /// Waits for a signal.
    pub fn signal(&mut self, is_it: impl Fn(&Message) -> bool) -> Result<Message, Error> {
        loop {
            let message = match self.signals.pop_front() {
                Some(message) => message,
                None => self.receive()?,
            };
            if message.kind == Kind::Signal && is_it(&message) {
                return Ok(message);
            }
        }
    }

    fn authenticate(&mut self) -> Result<(), Error> {
        self.send(b"\0AUTH EXTERNAL\r\n")?;
        loop {
            let line = self.line()?;
            match line.split(' ').next() {
                Some("DATA") => self.send(b"DATA\r\n")?,
                Some("OK") => return self.send(b"BEGIN\r\n"),
                _ => return Err(Error::NotLetIn { words: line }),
            }
        }
    }

    fn line(&mut self) -> Result<String, Error> {
        self.hurry()?;
        let mut line = Vec::new();
        self.stream.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(broken)?;
        if line.is_empty() {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hurry()?;
        self.stream.get_mut().write_all(bytes).map_err(broken)
    }

    fn receive(&mut self) -> Result<Message, Error> {
        self.hurry()?;
        let mut start = [0; HEAD];
        self.stream.read_exact(&mut start).map_err(broken)?;
        let head = Head::read(start)?;
        let mut rest = vec![0; head.rest()];
        self.hurry()?;
        self.stream.read_exact(&mut rest).map_err(broken)?;
        head.message(&rest)
    }

    /// Lets what comes next take no longer than there is time.
    fn hurry(&self) -> Result<(), Error> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::TimedOut);
        }
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(left)).and_then(|()| stream.set_write_timeout(Some(left))).map_err(broken)
    }
}

fn broken(source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::TimedOut,
        _ => Error::Broken { source },
    }
}

#[cfg(test)]
mod tests;
