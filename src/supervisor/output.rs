//! The output of the components on ours: whole lines, each with its stream and its component before it.
//!
//! ```text
//! engine ─frames─▶ log/NAME: lines ─▶ chunks (bounded) ─▶ output: the one writer ─▶ stdout, stderr
//! ```
//!
//! The channel is bounded on purpose: a slow reader of our output pushes back on the streams, and memory stays bounded.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use crate::engine::{Attach, Frames, Stream};

use super::component::Component;
use super::crew::Crew;

/// Chunks on their way to the writer.
const QUEUE: usize = 8;
/// A chunk goes out when it has this size, or when its stream pauses.
const CHUNK: usize = 64 << 10;
/// A longer line is cut: a component that never ends its line must not take all memory.
const LONGEST_LINE: usize = (1 << 20) + (64 << 10);

/// How long a chunk may wait for a reader when the pod ends.
const LAST_OUTPUT: Duration = Duration::from_secs(3);

struct Chunk {
    stream: Stream,
    bytes: Vec<u8>,
}

/// The way to our output.
#[derive(Debug)]
pub(super) struct Output {
    crew: Crew,
    chunks: Sender<Chunk>,
    written: Receiver<()>,
    /// Closed when the pod ends.
    ending: Receiver<()>,
}

impl Output {
    /// Starts the writer. `ending` is closed when the pod ends: the engine does not tell the end of a container before its
    /// output is read, so from then on a reader of ours that is stuck must not hold it up.
    pub(super) fn open(crew: &Crew, ending: Receiver<()>) -> Self {
        let (chunks, queue) = bounded::<Chunk>(QUEUE);
        let (writing, written) = bounded(0);
        crew.spawn("output".to_owned(), move || {
            write(&queue);
            drop::<Sender<()>>(writing);
        });
        Self { crew: crew.clone(), chunks, written, ending }
    }

    /// Starts to pass on the output of a component.
    pub(super) fn follow(&self, component: Component, id: String, tty: bool, mut attach: Attach) {
        let name = component.planned.name.clone();
        let mut way = Way { chunks: self.chunks.clone(), ending: self.ending.clone(), lost: false };
        self.crew.spawn(format!("log/{name}"), move || {
            loop {
                if let Err(error) = pass_on(&name, tty, attach, &mut way) {
                    log::warn!("{name}: the stream of its log broke: {error}");
                }
                // Who is being stopped may have a long grace, and much to say in it.
                attach = match component.attach_again(&id, &component.over) {
                    Some(again) => again,
                    None => return,
                };
                log::warn!("{name}: its log was cut and goes on, lines may be missing");
            }
        });
    }

    /// Waits until everything is written, but not for ever: an orphan may hold a stream open, or our output be stuck.
    pub(super) fn close(self, patience: Duration) {
        drop(self.chunks);
        let end = crossbeam_channel::after(patience);
        select! {
            recv(self.written) -> _ => {}
            recv(end) -> _ => log::warn!("some output could not be written in time"),
        }
    }
}

/// The way of one component's output.
struct Way {
    chunks: Sender<Chunk>,
    ending: Receiver<()>,
    /// Nobody reads, and the pod ends.
    lost: bool,
}

impl Way {
    fn send(&mut self, chunk: Chunk) {
        if self.lost {
            return;
        }
        select! {
            // The writer outlives us; if it crashed, the pod ends for that reason.
            send(self.chunks, chunk) -> _ => {}
            recv(self.ending) -> _ => {
                if self.chunks.send_timeout(chunk, LAST_OUTPUT).is_err() {
                    self.lost = true;
                    log::warn!("nobody reads the output, the rest of it is lost");
                }
            }
        }
    }
}

fn write(queue: &Receiver<Chunk>) {
    // Without a buffer: what is not written is known to the byte.
    let out = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let mut pens = [Pen::default(), Pen::default()];
    for Chunk { stream, bytes } in queue {
        let pen = &mut pens[stream as usize];
        match (stream, &out) {
            (Stream::Out, Ok(out)) => pen.write(out, &bytes),
            (Stream::Out, Err(error)) => pen.lose(&bytes, &io::Error::from(error.kind())),
            // The lock keeps our own messages from getting between.
            (Stream::Err, _) => pen.write(io::stderr().lock(), &bytes),
        }
    }
    for pen in pens.iter().filter(|pen| pen.lost > 0) {
        log::warn!("{} bytes of the output were lost", pen.lost);
    }
}

/// Writes whole lines, and keeps account of what cannot be written.
#[derive(Debug, Default)]
struct Pen {
    /// Bytes that could not be written, since it was told last.
    lost: u64,
    /// The last line that was written lacks its end.
    torn: bool,
}

impl Pen {
    fn write(&mut self, mut to: impl Write, bytes: &[u8]) {
        if self.torn
            && let Err(error) = to.write_all(b"\n")
        {
            return self.lose(bytes, &error);
        }
        self.torn = false;
        let mut left = bytes;
        while !left.is_empty() {
            match to.write(left) {
                Ok(0) => return self.lose(left, &io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    left = &left[written..];
                    self.torn = !left.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.lose(left, &error),
            }
        }
        if self.lost > 0 {
            log::warn!("the output of the components goes on, {} bytes of it were lost", self.lost);
            self.lost = 0;
        }
    }

    fn lose(&mut self, bytes: &[u8], error: &io::Error) {
        if self.lost == 0 {
            log::warn!("the output of the components is lost, it cannot be written: {error}");
        }
        self.lost += bytes.len() as u64;
    }
}

fn pass_on(name: &str, tty: bool, mut from: impl BufRead, to: &mut Way) -> io::Result<()> {
    let mut lines = [Lines::new("out", name, tty), Lines::new("err", name, tty)];
    let mut frames = Frames::new();
    let result = loop {
        match frames.take_in(&mut from, tty, |stream, content| lines[stream as usize].push(content)) {
            Ok(true) => send(&mut lines, to),
            end => break end.map(drop),
        }
    };
    for lines in &mut lines {
        lines.end();
    }
    send(&mut lines, to);
    result
}

fn send(lines: &mut [Lines; 2], to: &mut Way) {
    for (lines, stream) in lines.iter_mut().zip([Stream::Out, Stream::Err]) {
        if !lines.whole.is_empty() {
            to.send(Chunk { stream, bytes: std::mem::replace(&mut lines.whole, Vec::with_capacity(CHUNK)) });
        }
    }
}

/// Makes whole lines, prefixed, of content in any pieces.
struct Lines {
    prefix: String,
    name: String,
    tty: bool,
    /// Whole lines that can go out.
    whole: Vec<u8>,
    /// The start of a line.
    partial: Vec<u8>,
    cut: bool,
}

impl Lines {
    fn new(stream: &str, name: &str, tty: bool) -> Self {
        let prefix = format!("[{stream}] {name}: ");
        Self { prefix, name: name.to_owned(), tty, whole: Vec::new(), partial: Vec::new(), cut: false }
    }

    fn push(&mut self, content: &[u8]) {
        for piece in content.split_inclusive(|byte| *byte == b'\n') {
            let Some(rest) = piece.strip_suffix(b"\n") else {
                self.keep(piece);
                continue;
            };
            self.whole.extend_from_slice(self.prefix.as_bytes());
            self.whole.append(&mut self.partial);
            self.whole.extend_from_slice(rest);
            // A terminal ends its lines with a carriage return, too.
            if self.tty && self.whole.last() == Some(&b'\r') {
                self.whole.pop();
            }
            self.whole.push(b'\n');
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        self.partial.extend_from_slice(piece);
        if self.partial.len() > LONGEST_LINE {
            if !self.cut {
                self.cut = true;
                log::warn!("{}: a line is longer than {LONGEST_LINE} bytes, it is cut", self.name);
            }
            self.end();
        }
    }

    /// Ends a line that was not.
    fn end(&mut self) {
        if !self.partial.is_empty() {
            self.push(b"\n");
        }
        self.partial.shrink_to(CHUNK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(tty: bool, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (chunks, from) = crossbeam_channel::unbounded();
        let mut to = Way { chunks, ending: crossbeam_channel::never(), lost: false };
        // A small buffer cuts heads, contents and lines anywhere.
        pass_on("app", tty, io::BufReader::with_capacity(3, bytes), &mut to).expect("it passes");
        drop(to);
        let mut all = (Vec::new(), Vec::new());
        for Chunk { stream, bytes } in from {
            assert!(bytes.starts_with(b"[") && bytes.ends_with(b"\n"), "whole lines only");
            match stream {
                Stream::Out => all.0.extend(bytes),
                Stream::Err => all.1.extend(bytes),
            }
        }
        all
    }

    fn frame(stream: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).expect("short").to_be_bytes();
        [&[stream, 0, 0, 0], &length[..], content].concat()
    }

    #[test]
    fn lines_are_whole_across_frames_and_streams() {
        let bytes = [frame(1, b"on"), frame(2, b"oops\n"), frame(1, b"e\n\ntw"), frame(1, b"o")].concat();
        let (out, err) = passed(false, &bytes);
        assert_eq!(out, b"[out] app: one\n[out] app: \n[out] app: two\n");
        assert_eq!(err, b"[err] app: oops\n");
    }

    #[test]
    fn bytes_that_are_no_text_pass_unchanged() {
        assert_eq!(passed(false, &frame(1, b"\xff\xfe\0\r\n")).0, b"[out] app: \xff\xfe\0\r\n");
    }

    /// Takes so many bytes, and no more until it has room again.
    struct Disk {
        room: usize,
        written: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.written.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_counted_and_lines_stay_whole_when_it_has_room_again() {
        let (mut disk, mut pen) = (Disk { room: 8, written: Vec::new() }, Pen::default());
        pen.write(&mut disk, b"one\ntwo three\n");
        pen.write(&mut disk, b"four\n");
        assert_eq!((pen.lost, pen.torn), (6 + 5, true));
        disk.room = 100;
        pen.write(&mut disk, b"five\n");
        assert_eq!((pen.lost, pen.torn), (0, false));
        assert_eq!(disk.written, b"one\ntwo \nfive\n");
    }

    #[test]
    fn a_terminal_has_one_stream_and_no_frames() {
        assert_eq!(passed(true, b"one\r\ntwo"), (b"[out] app: one\n[out] app: two\n".to_vec(), Vec::new()));
    }

    #[test]
    fn a_megabyte_is_one_line_and_an_endless_one_is_cut() {
        let mut lines = Lines::new("out", "app", false);
        for _ in 0..1024 {
            lines.push(&[b'x'; 1024]);
        }
        assert!(lines.whole.is_empty());
        lines.push(b"\n");
        assert_eq!(lines.whole.len(), "[out] app: ".len() + (1 << 20) + 1);
        lines.whole.clear();
        for _ in 0..10 << 10 {
            lines.push(&[b'x'; 1024]);
            assert!(lines.partial.len() <= LONGEST_LINE + 1024);
        }
        assert!(lines.whole.len() > 8 << 20, "nothing is lost");
    }
}
