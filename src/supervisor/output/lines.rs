//! Makes whole lines, prefixed, of content in any pieces, and writes them from where they are.

use std::io::{BufRead, IoSlice};
use std::mem;
use std::sync::Arc;

use crate::engine::Canceller;

use super::desk::{Desk, Writer};

/// A longer line goes out in pieces, and keeps others from writing meanwhile.
const HELD: usize = 32 << 10;
/// A longer line is cut: a component that never ends its line must not keep the others for ever, nor take all memory.
const LONGEST_LINE: usize = (1 << 20) + (64 << 10);
/// As many pieces go out at once.
const BATCH: usize = 256;

/// The lines of one stream of a component.
pub(super) struct Lines<'a> {
    prefix: String,
    name: &'a str,
    tty: bool,
    desk: &'a Desk,
    writer: Writer,
    /// As much of a line waits for its end.
    most_held: usize,
    /// The start of a line, or what comes next of one whose start is written.
    held: Vec<u8>,
    /// How much of that line is written.
    shown: usize,
    /// What was told of lines that were cut.
    told: bool,
    /// Others had to wait for the end of a line once: it no longer keeps them from writing.
    hasty: bool,
}

impl<'a> Lines<'a> {
    /// Of standard output.
    pub(super) fn out(name: &'a str, tty: bool, desk: &'a Desk, cancel: Option<&Arc<Canceller>>) -> Self {
        let prefix = format!("[out] {name}: ");
        let (held, writer) = (Vec::new(), Writer::new(cancel));
        Self { prefix, name, tty, desk, writer, most_held: HELD, held, shown: 0, told: false, hasty: false }
    }

    /// Of standard error, where our own messages go, too: no line is there in pieces.
    pub(super) fn err(name: &'a str, tty: bool, desk: &'a Desk, cancel: Option<&Arc<Canceller>>) -> Self {
        let prefix = format!("[err] {name}: ");
        Self { prefix, most_held: LONGEST_LINE, ..Self::out(name, tty, desk, cancel) }
    }

    /// Takes content, and writes the lines that it ends.
    pub(super) fn push(&mut self, content: &[u8]) {
        let mut rest = content;
        let mut held = self.held.as_slice();
        let mut batch = Batch::new();
        while let Some(line) = next_line(&mut rest) {
            if !batch.has_room() {
                let cut = self.desk.write(&mut self.writer, batch.pieces(), true);
                tell_cut(cut, self.name, &mut self.told);
                batch = Batch::new();
            }
            batch.add(self.prefix.as_bytes());
            let held = mem::take(&mut held);
            if self.tty {
                // A terminal ends its lines with a carriage return, too.
                let line = &line[..line.len() - 1];
                let without = |line: &'_ [u8]| line.strip_suffix(b"\r").map_or(line.len(), <[u8]>::len);
                batch.add(if line.is_empty() { &held[..without(held)] } else { held });
                batch.add(&line[..without(line)]);
                batch.add(b"\n");
            } else {
                batch.add(held);
                batch.add(line);
            }
        }
        if !batch.is_empty() {
            let cut = self.desk.write(&mut self.writer, batch.pieces(), true);
            tell_cut(cut, self.name, &mut self.told);
            self.held.clear();
            self.held.shrink_to(HELD);
            self.shown = 0;
        }
        self.keep(rest);
    }

    /// Keeps the start of a line, or writes it where it is a long one.
    fn keep(&mut self, start: &[u8]) {
        if start.is_empty() {
            return;
        }
        if self.shown > 0 && !self.desk.is_kept(&self.writer) {
            tell_cut(true, self.name, &mut self.told);
            (self.hasty, self.shown) = (true, 0);
        }
        if self.shown == 0 && self.held.len() + start.len() <= self.most_held {
            self.held.extend_from_slice(start);
            return;
        }
        // It may be the first half of the end of the line.
        let (start, kept) = start.split_at(start.len() - usize::from(self.tty && start.ends_with(b"\r")));
        let end: &[u8] = if self.hasty { b"\n" } else { b"" };
        let mut pieces = [self.prefix.as_bytes(), &self.held, start, end].map(IoSlice::new);
        let cut = self.desk.write(&mut self.writer, &mut pieces, self.hasty);
        tell_cut(cut, self.name, &mut self.told);
        self.shown = if self.hasty { 0 } else { self.shown + self.held.len() + start.len() };
        self.held.clear();
        self.held.extend_from_slice(kept);
        if self.shown > LONGEST_LINE {
            if !mem::replace(&mut self.told, true) {
                log::warn!("{}: a line is longer than {LONGEST_LINE} bytes, it is cut", self.name);
            }
            self.end();
        }
    }

    /// Ends a line that was not.
    pub(super) fn end(&mut self) {
        if self.shown > 0 || !self.held.is_empty() {
            self.push(b"\n");
        }
    }
}

/// The next line of content, with its end; none where that has not come.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let all = *rest;
    let length = rest.skip_until(b'\n').unwrap_or_default();
    let line = &all[..length];
    if line.ends_with(b"\n") {
        return Some(line);
    }
    *rest = all;
    None
}

/// Tells once of lines that are cut because others wait.
fn tell_cut(cut: bool, name: &str, told: &mut bool) {
    if cut && !mem::replace(told, true) {
        log::warn!("{name}: a long line did not end while others waited for it, it is cut");
    }
}

/// Pieces of text, on their way out together.
struct Batch<'a> {
    all: [IoSlice<'a>; BATCH],
    length: usize,
}

impl<'a> Batch<'a> {
    fn new() -> Self {
        Self { all: [IoSlice::new(&[]); BATCH], length: 0 }
    }

    /// Whether a line fits in.
    fn has_room(&self) -> bool {
        self.length + 4 <= BATCH
    }

    fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn add(&mut self, piece: &'a [u8]) {
        if !piece.is_empty() {
            self.all[self.length] = IoSlice::new(piece);
            self.length += 1;
        }
    }

    fn pieces(&mut self) -> &mut [IoSlice<'a>] {
        &mut self.all[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{self, Seek};
    use std::time::{Duration, Instant};

    use super::*;

    fn page() -> (File, Desk) {
        let file = tempfile::tempfile().expect("a file");
        let desk = Desk::of(file.try_clone().expect("a copy"));
        (file, desk)
    }

    fn text(mut page: &File) -> String {
        page.rewind().expect("a file");
        io::read_to_string(page).expect("text")
    }

    #[test]
    fn a_megabyte_is_one_line_and_an_endless_one_is_cut() {
        let (page, desk) = page();
        for one_piece in [false, true] {
            page.set_len(0).and_then(|()| (&page).rewind()).expect("a file");
            let lines = if one_piece { Lines::err } else { Lines::out };
            let mut lines = lines("app", false, &desk, None);
            for _ in 0..1024 {
                lines.push(&[b'x'; 1024]);
                assert!(lines.held.len() <= lines.most_held);
            }
            assert_eq!(text(&page).is_empty(), one_piece);
            lines.push(b"\n");
            assert_eq!(text(&page)[6..], format!("app: {}\n", "x".repeat(1 << 20)));
            for _ in 0..10 << 10 {
                lines.push(&[b'x'; 1024]);
            }
            lines.end();
            let text = text(&page);
            let (first, rest) = text.split_once('\n').expect("a line");
            let longest = rest.lines().map(str::len).max().expect("lines");
            assert!(longest <= LONGEST_LINE + 1024 + "[out] app: ".len(), "{longest}");
            assert_eq!(rest.matches('x').count(), 10 << 20, "nothing is lost");
            assert!(rest.lines().count() == 10 && first.len() > 1 << 20);
        }
    }

    #[test]
    fn many_lines_at_once_are_all_there() {
        let (page, desk) = page();
        let mut lines = Lines::out("app", false, &desk, None);
        lines.push(b"be");
        lines.push("gun\n\n".repeat(1000).as_bytes());
        let rest = "[out] app: gun\n[out] app: \n".repeat(999);
        assert_eq!(text(&page), format!("[out] app: begun\n[out] app: \n{rest}"));
    }

    #[test]
    fn a_carriage_return_before_the_end_is_of_the_terminal_wherever_it_is_cut() {
        let long = "x".repeat(HELD);
        for start in ["one", "", &long] {
            let (page, desk) = page();
            let mut lines = Lines::out("app", true, &desk, None);
            for piece in [start, "\r", "\n", "a\rb\r\n"] {
                lines.push(piece.as_bytes());
            }
            assert_eq!(text(&page), format!("[out] app: {start}\n[out] app: a\rb\n"));
        }
    }

    #[test]
    fn a_carriage_return_alone_amid_a_long_line_is_of_that_line() {
        let (page, desk) = page();
        let mut lines = Lines::out("app", true, &desk, None);
        let long = "x".repeat(HELD + 1);
        for piece in [long.as_str(), "\r", "\r", "50%\r", "\r\n", "end\r\n"] {
            lines.push(piece.as_bytes());
        }
        assert_eq!(text(&page), format!("[out] app: {long}\r\r50%\r\n[out] app: end\n"));
    }

    #[test]
    fn who_never_ends_its_line_lets_others_wait_once() {
        let (page, desk) = page();
        let (mut a, mut b) = (Lines::out("a", false, &desk, None), Lines::out("b", false, &desk, None));
        a.push(&vec![b'x'; HELD + 1]);
        let begun = Instant::now();
        for _ in 0..50 {
            b.push(b"short\n");
            a.push(b".");
        }
        a.push(&vec![b'y'; HELD]);
        b.push(b"short\n");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        a.end();
        let (x, y) = ("x".repeat(HELD + 1), "y".repeat(HELD));
        let short = "[out] b: short\n".repeat(50);
        assert_eq!(text(&page), format!("[out] a: {x}\n{short}[out] a: {}{y}\n[out] b: short\n", ".".repeat(50)));
    }

    #[test]
    fn who_was_cut_begins_a_line_of_its_own() {
        let (page, desk) = page();
        let (mut a, mut b) = (Lines::out("a", false, &desk, None), Lines::out("b", false, &desk, None));
        let long = "x".repeat(HELD);
        a.push(format!("{long}y").as_bytes());
        b.push(b"short\n");
        a.push(b"z\n");
        assert_eq!(text(&page), format!("[out] a: {long}y\n[out] b: short\n[out] a: z\n"));
    }
}
