//! The last words of each component, kept for the moment when the pod ends because of it.
//!
//! ```text
//! engine ─frames─▶ log/NAME ─▶ a ring of 4 KiB ─▶ End::last_words
//! ```
//!
//! What is read is forgotten at once but for the ring, so that a component that says much costs no memory and is never
//! held up by us.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::engine::{Attach, Frames, Stream};

use super::component::Component;
use super::crew::Crew;
use super::event::Who;

/// What is kept of a component, in bytes.
const MOST: usize = 4 << 10;
/// What is told of it, in lines.
const LINES: usize = 10;
/// How long the end waits for the end of a stream.
const PATIENCE: Duration = Duration::from_secs(1);

/// The last words of all components.
#[derive(Debug)]
pub(super) struct Tails {
    crew: Crew,
    /// By position in the plan.
    all: Vec<Arc<Tail>>,
    /// Closed when the pod ends.
    ending: Receiver<()>,
}

impl Tails {
    /// Room for so many components.
    pub(super) fn of(count: usize, crew: &Crew, ending: Receiver<()>) -> Self {
        let all = (0..count).map(|_| Arc::default()).collect();
        Self { crew: crew.clone(), all, ending }
    }

    /// Starts to listen to a component that is about to start. What an earlier life of it has said is forgotten.
    pub(super) fn follow(&self, component: Component, id: String, tty: bool, mut attach: Attach) {
        let tail = Arc::clone(&self.all[component.who.0]);
        let ending = self.ending.clone();
        *tail.lock() = Kept { open: true, ..Kept::default() };
        let name = component.planned.name.clone();
        self.crew.spawn(format!("log/{name}"), move || {
            loop {
                if let Err(error) = listen(tty, attach, &tail) {
                    log::debug!("{name}: the stream of its log broke: {error}");
                }
                attach = match component.attach_again(&id, &ending) {
                    Some(again) => again,
                    None => return tail.close(),
                };
                log::debug!("{name}: its log was cut and goes on");
            }
        });
    }

    /// The last lines of a component, at most ten. Waits a moment until all of it is there.
    pub(super) fn of_component(&self, who: Who) -> Vec<String> {
        self.all.get(who.0).map(|tail| tail.whole().lines()).unwrap_or_default()
    }
}

/// The last words of one component.
#[derive(Debug, Default)]
struct Tail {
    kept: Mutex<Kept>,
    closed: Condvar,
}

impl Tail {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.lock().open = false;
        self.closed.notify_all();
    }

    /// What there is when its stream has ended. An orphan may hold that open, so the wait has an end.
    fn whole(&self) -> MutexGuard<'_, Kept> {
        let waited = self.closed.wait_timeout_while(self.lock(), PATIENCE, |kept| kept.open);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[derive(Debug, Default)]
struct Kept {
    ring: VecDeque<u8>,
    /// Where the last of it came from.
    stream: Option<Stream>,
    /// Whether the first line has lost its beginning.
    cut: bool,
    /// Whether more may come.
    open: bool,
}

impl Kept {
    /// Adds content. A line of one stream is ended where the other one begins.
    fn push(&mut self, stream: Stream, content: &[u8]) {
        let amid = self.ring.back().is_some_and(|byte| *byte != b'\n');
        if amid && self.stream != Some(stream) {
            self.add(b"\n");
        }
        self.stream = Some(stream);
        self.add(content);
    }

    fn add(&mut self, content: &[u8]) {
        let (skipped, kept) = content.split_at(content.len().saturating_sub(MOST));
        let excess = (self.ring.len() + kept.len()).saturating_sub(MOST);
        let forgotten = self.ring.drain(..excess).next_back();
        if let Some(last) = skipped.last().copied().or(forgotten) {
            self.cut = last != b'\n';
        }
        self.ring.reserve_exact(MOST - self.ring.len());
        self.ring.extend(kept);
    }

    fn lines(&self) -> Vec<String> {
        let bytes: Vec<u8> = self.ring.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if let Some(first) = lines.first_mut().filter(|_| self.cut) {
            first.insert(0, '…');
        }
        lines.split_off(lines.len().saturating_sub(LINES))
    }
}

/// Reads a stream to its end.
fn listen(tty: bool, mut from: impl Read, to: &Tail) -> io::Result<()> {
    let mut frames = Frames::new();
    while frames.take_in(&mut from, tty, |stream, content| to.lock().push(stream, content))? {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pieces: &[(Stream, &[u8])]) -> Kept {
        let mut kept = Kept::default();
        for (stream, piece) in pieces {
            kept.push(*stream, piece);
            assert!(kept.ring.len() <= MOST && kept.ring.capacity() <= 2 * MOST, "{}", kept.ring.capacity());
        }
        kept
    }

    #[test]
    fn the_last_ten_lines_are_told() {
        let text = (1..=12).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\r\n");
        let lines = kept(&[(Stream::Out, text.as_bytes())]).lines();
        assert_eq!((lines.len(), lines[0].as_str(), lines[9].as_str()), (10, "line 3", "line 12"));
        assert!(kept(&[]).lines().is_empty());
    }

    #[test]
    fn the_streams_keep_their_order_and_no_line_is_made_of_both() {
        let pieces: [(Stream, &[u8]); 4] =
            [(Stream::Out, b"on"), (Stream::Out, b"e\ntw"), (Stream::Err, b"oops\n"), (Stream::Out, b"three")];
        assert_eq!(kept(&pieces).lines(), ["one", "tw", "oops", "three"]);
    }

    #[test]
    fn a_flood_leaves_its_last_four_kibibytes_and_says_what_is_cut() {
        let flood = [b'x'; 1000];
        let mut pieces = vec![(Stream::Out, &flood[..]); 100_000];
        let lines = kept(&pieces).lines();
        assert_eq!((lines.len(), lines[0].clone()), (1, format!("…{}", "x".repeat(MOST))));
        pieces.push((Stream::Out, b"\nend"));
        let lines = kept(&pieces).lines();
        assert_eq!(lines, [format!("…{}", "x".repeat(MOST - 4)), "end".to_owned()]);
        let long = [&[b'y'; 2 * MOST][..], b"\n", &[b'z'; MOST - 1], b"\n"].concat();
        assert_eq!(kept(&[(Stream::Out, &long)]).lines(), ["z".repeat(MOST - 1)], "it begins where a line does");
    }

    #[test]
    fn frames_are_taken_apart_and_a_terminal_has_none() {
        let tail = Tail::default();
        let bytes = b"\x01\0\0\0\0\0\0\x03hi\n\x02\0\0\0\0\0\0\x04\xff no";
        let pieces =
            bytes.chunks(3).fold(Box::new(io::empty()) as Box<dyn Read>, |all, piece| Box::new(all.chain(piece)));
        listen(false, pieces, &tail).expect("frames");
        assert_eq!(tail.whole().lines(), ["hi", "\u{fffd} no"]);
        let tail = Tail::default();
        listen(true, &b"one\r\ntwo"[..], &tail).expect("bytes");
        assert_eq!(tail.whole().lines(), ["one", "two"]);
        assert!(listen(false, &b"no frames at all"[..], &tail).is_err());
    }
}
