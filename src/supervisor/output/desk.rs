//! The desk where components write, one at a time and in the order in which they came. Who is in the middle of a long line
//! keeps the place until its end, but not for ever where others wait.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Canceller;

use super::pen::Pen;

/// How long others wait for the end of a line.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long what is written may wait for a reader when the pod ends.
const LAST_OUTPUT: Duration = Duration::from_secs(3);

/// One of our streams.
#[derive(Debug)]
pub(super) struct Desk {
    turns: Mutex<Turns>,
    moved: Condvar,
    /// In the hands of who has the turn.
    pen: Mutex<Pen>,
    page: Page,
}

#[derive(Debug)]
enum Page {
    /// Without a buffer: what is not written is known to the byte.
    File(io::Result<File>),
    /// Its lock keeps our own messages from getting between.
    Stderr,
}

#[derive(Debug, Default)]
struct Turns {
    /// How many were given.
    given: u64,
    /// Whose it is.
    now: u64,
    /// Since when that one writes, and what ends the stream that it reads; none while it only keeps the place.
    busy: Option<(Instant, Option<Arc<Canceller>>)>,
    /// Nobody reads, and the pod ends.
    lost: bool,
}

/// Who writes at a desk.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// The turn that it has kept.
    turn: Option<u64>,
    cancel: Option<Arc<Canceller>>,
}

impl Writer {
    /// Of what comes by a stream, whose end `cancel` brings.
    pub(super) fn new(cancel: Option<&Arc<Canceller>>) -> Self {
        Self { turn: None, cancel: cancel.cloned() }
    }
}

impl Desk {
    /// Of our standard output.
    pub(super) fn stdout() -> Self {
        Self::on(Page::File(io::stdout().as_fd().try_clone_to_owned().map(File::from)))
    }

    /// Of our standard error.
    pub(super) fn stderr() -> Self {
        Self::on(Page::Stderr)
    }

    /// Of a file.
    #[cfg(test)]
    pub(super) fn of(file: File) -> Self {
        Self::on(Page::File(Ok(file)))
    }

    fn on(page: Page) -> Self {
        Self { turns: Mutex::default(), moved: Condvar::new(), pen: Mutex::default(), page }
    }

    /// Whether a writer still has the place that it kept.
    pub(super) fn is_kept(&self, writer: &Writer) -> bool {
        writer.turn.is_some_and(|turn| turn == locked(&self.turns).now)
    }

    /// Writes text of one writer, which begins with the prefix of a line: that is left out where the writer has begun the
    /// line before, and kept the place. Text that does not end its line keeps it. Returns whether a line that was begun is
    /// cut, because others could not wait for its end.
    pub(super) fn write(&self, writer: &mut Writer, text: &mut [IoSlice<'_>], ends: bool) -> bool {
        let mut turns = locked(&self.turns);
        let kept = writer.turn.take();
        let goes_on = kept.is_some_and(|turn| turn == turns.now);
        let turn = kept.filter(|_| goes_on).unwrap_or_else(|| {
            turns.given += 1;
            turns.given - 1
        });
        while turns.now != turn && !turns.lost {
            let (again, wait) = self.moved.wait_timeout(turns, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            turns = again;
            if wait.timed_out() && turns.now + 1 == turn && turns.busy.is_none() {
                turns.now = turn;
            }
        }
        if turns.lost {
            return false;
        }
        turns.busy = Some((Instant::now(), writer.cancel.clone()));
        drop(turns);
        let text = if goes_on { &mut text[1..] } else { text };
        let written = self.put(text, goes_on, ends);
        let mut turns = locked(&self.turns);
        turns.busy = None;
        if written && !ends {
            writer.turn = Some(turn);
        } else {
            turns.now += 1;
            if turns.now < turns.given {
                self.moved.notify_all();
            }
        }
        kept.is_some() && !goes_on
    }

    fn put(&self, text: &mut [IoSlice<'_>], goes_on: bool, ends: bool) -> bool {
        let mut pen = locked(&self.pen);
        match &self.page {
            Page::File(Ok(file)) => pen.write(file, text, goes_on, ends),
            Page::File(Err(error)) => pen.lose(text, &error.kind().into()),
            Page::Stderr => pen.write(io::stderr().lock(), text, goes_on, ends),
        }
    }

    /// Gives up where nobody has read for a while since then: who writes is stuck for good, and what it reads is ended; the
    /// others read on, and what they read is forgotten.
    pub(super) fn give_up(&self, since: Instant) {
        let mut turns = locked(&self.turns);
        let Some((begun, cancel)) = &turns.busy else { return };
        if turns.lost || since.max(*begun).elapsed() < LAST_OUTPUT {
            return;
        }
        if let Some(cancel) = cancel {
            cancel.cancel();
        }
        turns.lost = true;
        self.moved.notify_all();
        log::warn!("nobody reads the output, the rest of it is lost");
    }

    /// Tells what was lost, and not told yet. A pen that is stuck is left alone.
    pub(super) fn account(&self) {
        if let Ok(pen) = self.pen.try_lock()
            && pen.lost > 0
        {
            log::warn!("{} bytes of the output were lost", pen.lost);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    fn write(desk: &Desk, writer: &mut Writer, pieces: [&str; 2], ends: bool) -> bool {
        desk.write(writer, &mut pieces.map(|piece| IoSlice::new(piece.as_bytes())), ends)
    }

    fn page() -> (File, Desk) {
        let file = tempfile::tempfile().expect("a file");
        let desk = Desk::of(file.try_clone().expect("a copy"));
        (file, desk)
    }

    fn text(mut page: File) -> String {
        page.rewind().expect("a file");
        io::read_to_string(page).expect("text")
    }

    #[test]
    fn who_is_in_the_middle_of_a_line_keeps_the_place() {
        let (page, desk) = page();
        let mut a = Writer::default();
        write(&desk, &mut a, ["a: ", "one"], false);
        thread::scope(|scope| {
            let other = scope.spawn(|| write(&desk, &mut Writer::default(), ["b: ", "x\n"], true));
            thread::sleep(PATIENCE / 8);
            assert!(!write(&desk, &mut a, ["a: ", " two"], false) && !other.is_finished());
            assert!(!write(&desk, &mut a, ["a: ", " three\n"], true));
        });
        assert_eq!(text(page), "a: one two three\nb: x\n");
    }

    #[test]
    fn who_lets_others_wait_for_too_long_is_cut() {
        let (page, desk) = page();
        let mut a = Writer::default();
        write(&desk, &mut a, ["a: ", "one"], false);
        write(&desk, &mut Writer::default(), ["b: ", "x\n"], true);
        assert!(write(&desk, &mut a, ["a: ", "two\n"], true), "it is told");
        assert!(!write(&desk, &mut a, ["a: ", "three\n"], true));
        assert_eq!(text(page), "a: one\nb: x\na: two\na: three\n");
    }

    #[test]
    fn what_nobody_reads_is_given_up_when_the_pod_ends() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let desk = Arc::new(Desk::of(File::from(OwnedFd::from(ours))));
        let much = "x".repeat(1 << 20);
        let stuck = Arc::clone(&desk);
        thread::spawn(move || write(&stuck, &mut Writer::default(), [&much, "\n"], true));
        while locked(&desk.turns).busy.is_none() {
            thread::yield_now();
        }
        thread::scope(|scope| {
            let other = scope.spawn(|| write(&desk, &mut Writer::default(), ["b: ", "x\n"], true));
            let long_ago = Instant::now();
            desk.give_up(long_ago);
            assert!(!locked(&desk.turns).lost, "it has a while");
            while !locked(&desk.turns).lost {
                thread::sleep(LAST_OUTPUT / 10);
                desk.give_up(long_ago);
            }
            assert!(!other.join().expect("it goes on"));
        });
        assert!(long_enough(&mut theirs));
    }

    /// Whether something came before it was given up.
    fn long_enough(theirs: &mut UnixStream) -> bool {
        theirs.read(&mut [0; 10]).expect("what was written") == 10
    }
}
