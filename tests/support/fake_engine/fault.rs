//! What can go wrong between podlike and its engine, on which call, at which occurrence.

use std::io::{self, Write};
use std::time::Duration;

use super::http::Wire;

/// A call, as [`super::Request::call`] spells it, with `*` for any text: `POST /containers/*/start`,
/// `POST /containers/web/start`, `POST /containers/create web`, `POST /containers/create` (of anything).
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pattern: String,
    nth: Option<usize>,
}

impl Call {
    pub(crate) fn new(pattern: &str) -> Self {
        let pattern = pattern.to_owned();
        Self { pattern, nth: None }
    }

    /// Only the nth such call from now on, the first being 1.
    pub(crate) fn nth(mut self, nth: usize) -> Self {
        self.nth = Some(nth);
        self
    }

    pub(super) fn is(&self, call: &str) -> bool {
        // The argument of a call (`… create web`) need not be given.
        let bare = call.rsplit_once(' ').map_or(call, |(bare, _)| bare);
        glob(&self.pattern, call) || glob(&self.pattern, bare)
    }
}

impl From<&str> for Call {
    fn from(pattern: &str) -> Self {
        Self::new(pattern)
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob(rest, &text[at..]))
        }),
    }
}

/// What happens instead of the answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// An answer with this status and body.
    Status(u16, String),
    /// The request is read and never answered; the connection stays open.
    Silence,
    /// The connection is closed before any byte.
    Cut,
    /// … in the middle of a header.
    CutInHead,
    /// … in the middle of a body of known length.
    CutInBody,
    /// Bytes that are not HTTP.
    Garbage,
    /// A good status with JSON that nobody expects.
    NonsenseJson,
    /// The true answer, a byte at a time, each followed by a pause.
    Slow(Duration),
    /// The true answer, once the gate is opened with [`super::FakeEngine::open`]; the work waits for it, too, unless the
    /// fault is armed for after the work.
    Held(String),
    /// A head of 256 KiB, then an empty object.
    HugeHead,
    /// A body that never ends.
    HugeBody,
}

impl Fault {
    /// An error as the engine words it: `{"message":"…"}`.
    pub(crate) fn status(status: u16, message: &str) -> Self {
        let body = serde_json::json!({ "message": message });
        Self::Status(status, format!("{body}\n"))
    }

    /// Does it on the wire, which is closed afterwards.
    pub(super) fn strike(&self, wire: &mut Wire, call: &str) -> io::Result<()> {
        const JSON: (&str, &str) = ("Content-Type", "application/json");
        match self {
            Self::Status(status, body) => wire.answer(*status, JSON.1, body.as_bytes()),
            Self::Silence => {
                let connection = wire.connection;
                wire.watch()?;
                let gone = |world: &mut super::model::World| world.gone.contains(&connection);
                wire.shared.until(None, |world| gone(world).then_some(()));
                Ok(())
            }
            Self::Cut | Self::Slow(_) | Self::Held(_) => Ok(()),
            Self::CutInHead => wire.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: applica"),
            Self::CutInBody => {
                wire.head(200, &[JSON, ("Content-Length", "1000")])?;
                wire.write_all(b"{\"Id\":\"c0ffee")
            }
            Self::Garbage => wire.write_all(b"\x00\xff\x15\x03 SSH-2.0-not http at all\r\n\r\n\r\n"),
            Self::NonsenseJson => {
                let created = call.starts_with("POST /containers/create");
                let status = if created { 201 } else { 200 };
                wire.answer(status, JSON.1, b"[\"nonsense\",{\"Id\":7,\"State\":\"?\"}]\n")
            }
            Self::HugeHead => {
                wire.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n")?;
                for n in 0..256 {
                    write!(wire, "X-Long-{n}: {}\r\n", "x".repeat(1024))?;
                }
                wire.write_all(b"\r\n{}\n")
            }
            Self::HugeBody => {
                wire.open_chunks()?;
                wire.chunk(b"{\"Id\":\"")?;
                // Ends when the client goes or the fake is dropped: either breaks the pipe.
                loop {
                    wire.chunk(&[b'a'; 8192])?;
                }
            }
        }
    }
}

/// A fault that waits for its call.
pub(super) struct Armed {
    pub(super) call: Call,
    pub(super) fault: Fault,
    /// The engine does its work first, and only the answer is spoilt.
    pub(super) after_work: bool,
    pub(super) seen: usize,
}

impl Armed {
    /// Counts the call, and says whether the fault strikes.
    pub(super) fn strikes(&mut self, call: &str) -> bool {
        if !self.call.is(call) {
            return false;
        }
        self.seen += 1;
        self.call.nth.is_none_or(|nth| nth == self.seen)
    }
}
