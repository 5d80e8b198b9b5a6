//! What real engines answered, recorded: a file for each call under `tests/golden/engines/ENGINE/`.
//!
//! ```text
//!   > POST /v1.41/containers/recorded-web/stop?t=1     the request
//!   < HTTP/1.1 304 Not Modified                        the head of the answer, every header of it
//!   < Api-Version: 1.41
//!                                                      an empty line
//!   the body, its chunks joined                        a control character as its picture: ␀ is a zero byte
//! ```
//!
//! Ids, dates and what is the host's are made equal by `recorder.rs`; `Content-Length` is that of the body in the file.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Those that were recorded.
pub(crate) const ENGINES: [&str; 4] = ["docker-20.10", "docker-26.1", "docker-28.5", "podman-5.4"];

/// A call and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// `POST /v1.41/containers/create?name=recorded-web`, and on further lines what was sent.
    pub(crate) request: String,
    /// The status line and the headers, in their order.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

/// Where the records of an engine are.
pub(crate) fn folder(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/engines").join(engine)
}

impl Record {
    /// What an engine answered; none where it was not asked, or has no such answer.
    pub(crate) fn find(engine: &str, name: &str) -> Option<Self> {
        let text = fs::read_to_string(folder(engine).join(name).with_extension("http")).ok()?;
        Some(Self::parse(&text))
    }

    #[track_caller]
    pub(crate) fn of(engine: &str, name: &str) -> Self {
        let found = Self::find(engine, name);
        assert!(found.is_some(), "{engine} has no record '{name}'");
        found.expect("asserted")
    }

    pub(crate) fn parse(text: &str) -> Self {
        let (top, body) = text.split_once("\n\n").expect("an empty line after the head");
        let lines = |mark: &str| top.lines().filter_map(|line| line.strip_prefix(mark)).collect::<Vec<_>>();
        let request = lines("> ").join("\n");
        let head = lines("< ").into_iter().map(str::to_owned).collect();
        Self { request, head, body: bytes(body) }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for line in self.request.lines() {
            let _ = writeln!(text, "> {line}");
        }
        for line in &self.head {
            let _ = writeln!(text, "< {line}");
        }
        text + "\n" + &pictures(&self.body)
    }

    pub(crate) fn status(&self) -> u16 {
        let status = self.head[0].split(' ').nth(1).and_then(|status| status.parse().ok());
        status.expect("a status line")
    }

    /// The value of a header, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head[1..].iter().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
    }

    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The bytes of the answer, as an engine sends them; a chunk a line, where it sends chunks.
    pub(crate) fn answer(&self) -> Vec<u8> {
        let mut bytes = (self.head.join("\r\n") + "\r\n\r\n").into_bytes();
        if self.header("Transfer-Encoding") != Some("chunked") {
            bytes.extend(&self.body);
            return bytes;
        }
        for line in self.body.split_inclusive(|byte| *byte == b'\n') {
            bytes.extend(format!("{:x}\r\n", line.len()).bytes());
            bytes.extend(line);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        bytes
    }
}

/// Control characters but for the newline as their pictures, so that a file is a text.
fn pictures(body: &[u8]) -> String {
    let picture = |letter: char| match u32::from(letter) {
        control @ (0..=9 | 11..=31) => char::from_u32(0x2400 + control).expect("a picture"),
        _ => letter,
    };
    String::from_utf8_lossy(body).chars().map(picture).collect()
}

fn bytes(body: &str) -> Vec<u8> {
    let control = |letter: char| match u32::from(letter) {
        picture @ 0x2400..=0x241f => char::from_u32(picture - 0x2400).expect("a control character"),
        _ => letter,
    };
    body.chars().map(control).collect::<String>().into_bytes()
}
