//! Frames of an attached stream: eight bytes of head (stream, three zeros, length in network order), then the bytes.
//! Incremental: heads and contents may arrive in any pieces.

use std::fmt;
use std::io::{self, Read};
use std::mem;

/// What is read at a time of who says little, as most do most of the time.
const SMALL: usize = 2 << 10;
/// … and of who has filled that.
const LARGE: usize = 64 << 10;

/// Which stream of a component bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Takes frames apart.
#[derive(Debug)]
pub struct Frames {
    head: [u8; 8],
    known: usize,
    left: usize,
    stream: Stream,
    /// For what is read; empty until then.
    buffer: Vec<u8>,
}

/// The bytes are not frames.
#[derive(Debug, PartialEq, Eq)]
pub struct NotFrames;

impl fmt::Display for NotFrames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the log stream is not made of frames")
    }
}

impl std::error::Error for NotFrames {}

impl Frames {
    /// At the border between two frames.
    pub fn new() -> Self {
        Self { head: [0; 8], known: 0, left: 0, stream: Stream::Out, buffer: Vec::new() }
    }

    /// Takes the next piece of content from the front of `input`; nothing if only heads are left.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<(Stream, &'a [u8])>, NotFrames> {
        while self.left == 0 {
            let taken = input.len().min(8 - self.known);
            self.head[self.known..self.known + taken].copy_from_slice(&input[..taken]);
            self.known += taken;
            *input = &input[taken..];
            if self.known < 8 {
                return Ok(None);
            }
            self.known = 0;
            self.stream = match self.head {
                [0 | 1, 0, 0, 0, ..] => Stream::Out,
                [2 | 3, 0, 0, 0, ..] => Stream::Err,
                _ => return Err(NotFrames),
            };
            let [.., a, b, c, d] = self.head;
            self.left = u32::from_be_bytes([a, b, c, d]) as usize;
        }
        if input.is_empty() {
            return Ok(None);
        }
        let (content, rest) = input.split_at(input.len().min(self.left));
        self.left -= content.len();
        *input = rest;
        Ok(Some((self.stream, content)))
    }

    /// Waits for more of an output, and tells each piece of it; false at its end. That of a terminal has no frames.
    pub fn take_in(
        &mut self,
        from: &mut impl Read,
        tty: bool,
        mut each: impl FnMut(Stream, &[u8]),
    ) -> io::Result<bool> {
        let mut buffer = mem::take(&mut self.buffer);
        if buffer.is_empty() {
            buffer = vec![0; SMALL];
        }
        let result = read(from, &mut buffer).and_then(|taken| {
            let mut input = &buffer[..taken];
            if tty && taken > 0 {
                each(Stream::Out, input);
            } else {
                while let Some((stream, content)) = self.next(&mut input).map_err(io::Error::other)? {
                    each(stream, content);
                }
            }
            Ok(taken)
        });
        if buffer.len() < LARGE && result.as_ref().is_ok_and(|taken| *taken == buffer.len()) {
            buffer = vec![0; LARGE];
        }
        self.buffer = buffer;
        result.map(|taken| taken > 0)
    }
}

/// Reads once, whatever signals come.
fn read(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).expect("short").to_be_bytes();
        [&[stream, 0, 0, 0], &length[..], content].concat()
    }

    #[test]
    fn any_cut_gives_the_same_content() {
        let bytes = [frame(1, b"one\n"), frame(2, b""), frame(2, b"two"), frame(1, b"three")].concat();
        for size in 1..=bytes.len() {
            let mut frames = Frames::new();
            let (mut out, mut err) = (Vec::new(), Vec::new());
            for mut piece in bytes.chunks(size) {
                while let Some((stream, content)) = frames.next(&mut piece).expect("frames") {
                    match stream {
                        Stream::Out => out.extend_from_slice(content),
                        Stream::Err => err.extend_from_slice(content),
                    }
                }
                assert!(piece.is_empty());
            }
            assert_eq!((out.as_slice(), err.as_slice()), (&b"one\nthree"[..], &b"two"[..]), "pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_a_frame_is_said() {
        assert_eq!(Frames::new().next(&mut &b"plain text, no frames"[..]), Err(NotFrames));
    }
}
