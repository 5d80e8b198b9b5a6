//! The output of the components on ours: whole lines, each with its stream and its component before it.
//!
//! ```text
//! engine ─frames─▶ log/NAME: lines ─▶ desk of stdout: one at a time ─▶ pen
//!                              └────▶ desk of stderr: one at a time ─▶ pen
//! ```
//!
//! Who reads writes, from the buffer that was read into: nothing is queued, so a slow reader of our output pushes back on
//! the streams, and memory stays bounded.

mod desk;
mod lines;
mod pen;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, select};

use crate::engine::{Attach, Canceller, Frames};

use super::component::Component;
use super::crew::Crew;
use desk::Desk;
use lines::Lines;

/// How often it is looked, once the pod ends, whether somebody reads what is written.
const OFTEN: Duration = Duration::from_millis(250);

/// The desks of stdout and of stderr.
type Desks = [Desk; 2];

/// The way to our output.
#[derive(Debug)]
pub(super) struct Output {
    crew: Crew,
    desks: Arc<Desks>,
    /// All who write have one like it.
    writing: Sender<()>,
    /// Closed when all is written.
    written: Receiver<()>,
}

impl Output {
    /// Opens stdout and stderr. `ending` is closed when the pod ends: the engine does not tell the end of a container before
    /// its output is read, so from then on a reader of ours that is stuck must not hold it up.
    pub(super) fn open(crew: &Crew, ending: Receiver<()>) -> Self {
        let (writing, written) = bounded(0);
        let desks = Arc::new([Desk::stdout(), Desk::stderr()]);
        let (watched, done) = (Arc::clone(&desks), written.clone());
        crew.spawn("output".to_owned(), move || watch(&watched, &ending, &done));
        Self { crew: crew.clone(), desks, writing, written }
    }

    /// Starts to pass on the output of a component.
    pub(super) fn follow(&self, component: Component, id: String, tty: bool, mut attach: Attach) {
        let name = component.planned.name.clone();
        let (desks, writing) = (Arc::clone(&self.desks), self.writing.clone());
        self.crew.spawn(format!("log/{name}"), move || {
            loop {
                let cancel = attach.canceller().ok().map(Arc::new);
                if let Err(error) = pass_on(&name, tty, attach, &desks, cancel.as_ref()) {
                    log::warn!("{name}: the stream of its log broke: {error}");
                }
                // Who is being stopped may have a long grace, and much to say in it.
                attach = match component.attach_again(&id, &component.over) {
                    Some(again) => again,
                    None => break,
                };
                log::warn!("{name}: its log was cut and goes on, lines may be missing");
            }
            drop(writing);
        });
    }

    /// Waits until everything is written, but not for ever: an orphan may hold a stream open, or our output be stuck.
    pub(super) fn close(self, patience: Duration) {
        drop(self.writing);
        if self.written.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            log::warn!("some output could not be written in time");
        }
        for desk in &*self.desks {
            desk.account();
        }
    }
}

/// Gives up what nobody reads, once the pod ends.
fn watch(desks: &Desks, ending: &Receiver<()>, written: &Receiver<()>) {
    select! {
        recv(ending) -> _ => {}
        recv(written) -> _ => return,
    }
    let ended = Instant::now();
    while written.recv_timeout(OFTEN) == Err(RecvTimeoutError::Timeout) {
        for desk in desks {
            desk.give_up(ended);
        }
    }
}

/// Passes on all of a stream, whose end `cancel` brings.
fn pass_on(
    name: &str,
    tty: bool,
    mut from: impl Read,
    [out, err]: &Desks,
    cancel: Option<&Arc<Canceller>>,
) -> io::Result<()> {
    let mut lines = [Lines::out(name, tty, out, cancel), Lines::err(name, tty, err, cancel)];
    let mut frames = Frames::new();
    let result = loop {
        match frames.take_in(&mut from, tty, |stream, content| lines[stream as usize].push(content)) {
            Ok(true) => {}
            end => break end.map(drop),
        }
    };
    for lines in &mut lines {
        lines.end();
    }
    result
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Seek;

    use super::*;

    /// What is read in pieces of three bytes, which cut heads, contents and lines anywhere.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(3);
            self.0.read(&mut buffer[..most])
        }
    }

    fn text(mut page: File) -> Vec<u8> {
        let mut all = Vec::new();
        page.rewind().and_then(|()| page.read_to_end(&mut all)).expect("a file");
        all
    }

    fn passed(tty: bool, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let pages = [(); 2].map(|()| tempfile::tempfile().expect("a file"));
        let desks = pages.each_ref().map(|page| Desk::of(page.try_clone().expect("a copy")));
        pass_on("app", tty, Trickle(bytes), &desks, None).expect("it passes");
        let [out, err] = pages.map(text);
        (out, err)
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

    #[test]
    fn a_terminal_has_one_stream_and_no_frames() {
        assert_eq!(passed(true, b"one\r\ntwo"), (b"[out] app: one\n[out] app: two\n".to_vec(), Vec::new()));
    }
}
