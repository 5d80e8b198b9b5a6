//! A bus for tests, and messages of a real one: `busctl capture` on systemd 252, below `tests/golden/dbus`.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

use super::wire::{HEAD, Head};

macro_rules! recorded {
    ($name:literal) => {
        $crate::dbus::fake::from_hex(include_str!(concat!("../../tests/golden/dbus/", $name, ".hex")))
    };
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("a byte")).collect()
}

pub(crate) use recorded;

/// A bus at the other end: it lets in with these lines, answers each call with what it has for it, in order.
pub(crate) fn bus(lines: &'static [&'static str], replies: Vec<Vec<Vec<u8>>>) -> (UnixStream, JoinHandle<Vec<String>>) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let thread = thread::spawn(move || {
        let mut stream = BufReader::new(theirs);
        let mut seen = Vec::new();
        let mut zero = [1];
        stream.read_exact(&mut zero).expect("a byte");
        assert_eq!(zero, [0]);
        for answer in lines {
            let mut line = String::new();
            stream.read_line(&mut line).expect("a line");
            seen.push(line.trim_end().to_owned());
            stream.get_mut().write_all(format!("{answer}\r\n").as_bytes()).expect("written");
        }
        if lines.last().is_some_and(|line| line.starts_with("OK")) {
            let mut line = String::new();
            stream.read_line(&mut line).expect("a line");
            seen.push(line.trim_end().to_owned());
        }
        for replies in replies {
            let mut start = [0; HEAD];
            if stream.read_exact(&mut start).is_err() {
                break;
            }
            let serial = start[8..12].to_vec();
            let head = Head::read(start).expect("a head");
            let mut rest = vec![0; head.rest()];
            stream.read_exact(&mut rest).expect("a message");
            seen.push(head.message(&rest).expect("a message").member.expect("a call"));
            for mut reply in replies {
                // Recorded answers are to call 2, which their field 5 says: ours comes later.
                if let Some(at) = reply.windows(8).position(|bytes| bytes == b"\x05\x01u\0\x02\0\0\0") {
                    reply[at + 4..at + 8].copy_from_slice(&serial);
                }
                stream.get_mut().write_all(&reply).expect("written");
            }
        }
        seen
    });
    (ours, thread)
}

pub(crate) const LET_IN: &[&str] = &["DATA", "OK 0123456789abcdef0123456789abcdef"];

/// An answer without arguments, to the call that it is sent after.
pub(crate) fn empty() -> Vec<Vec<u8>> {
    vec![[&b"l\x02\0\x01\0\0\0\0\x01\0\0\0\x08\0\0\0"[..], b"\x05\x01u\0\x02\0\0\0"].concat()]
}
