//! One command in a running component, from its start to its exit code, within a limit.

use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use crate::engine::types::ExecRequest;
use crate::engine::{Attach, Engine, Error, Frames};

use super::error::chain;
use super::life::KILLED;

/// As much of what a command says is kept, from its end.
const KEPT: usize = 1 << 10;
/// As many lines of that are told.
const LINES: usize = 5;

/// Before the exit code is asked for again, at first and at last: no stream tells it.
const OFTEN: Duration = Duration::from_millis(20);
const SELDOM: Duration = Duration::from_secs(1);
/// How long its output is waited for until it is looked whether it runs: the engine may leave that open when the container
/// ends (seen with Docker 20.10).
const SILENCE: Duration = Duration::from_secs(1);

/// A command about to be run.
#[derive(Debug)]
pub(super) struct Exec<'a> {
    pub(super) engine: &'a Engine,
    /// The id of the container.
    pub(super) container: &'a str,
    pub(super) request: ExecRequest,
    /// When it has taken too long.
    pub(super) until: Option<Instant>,
    /// Closed when nobody waits for it any more.
    pub(super) unwanted: &'a Receiver<()>,
}

/// What came of a command.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It ended.
    Ended {
        code: i64,
        /// The last lines that it said.
        words: String,
    },
    /// It takes too long, and runs on: the engine does not end it.
    TooLong {
        /// Its id, if it has one.
        exec: Option<String>,
    },
    /// Nobody waits for it any more.
    Unwanted,
    /// The engine did not run it, or cannot tell what became of it.
    Failed(Error),
}

impl Outcome {
    /// What went wrong, as the end of a sentence about the command; none if it succeeded or does not matter.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::Ended { code: 0, .. } | Self::Unwanted => None,
            Self::Ended { code, words } if words.is_empty() => Some(format!("ended with exit code {code}")),
            Self::Ended { code, words } => Some(format!("ended with exit code {code}, its last words: {words}")),
            Self::TooLong { .. } => {
                Some("takes too long; it runs on, as the engine does not end what it has started".to_owned())
            }
            Self::Failed(error) => Some(format!("could not be run: {}", chain(error))),
        }
    }
}

impl Exec<'_> {
    /// Runs it.
    pub(super) fn run(self) -> Outcome {
        let exec = match self.engine.prepare_exec(self.container, &self.request, self.until) {
            Ok(exec) => exec,
            Err(_) if self.is_late() => return Outcome::TooLong { exec: None },
            Err(error) => return Outcome::Failed(error),
        };
        let mut said = Tail::default();
        match self.engine.start_exec(&exec, self.until) {
            Ok(output) => {
                if let Some(outcome) = self.listen(output, &exec, &mut said) {
                    return outcome;
                }
            }
            Err(_) if self.is_late() => return Outcome::TooLong { exec: Some(exec) },
            Err(error) => return Outcome::Failed(error),
        }
        self.end(exec, &said)
    }

    /// Takes in what it says, until its output ends. Where that is cut, the command may run on, and its code tells.
    fn listen(&self, mut output: Attach, exec: &str, said: &mut Tail) -> Option<Outcome> {
        let mut frames = Frames::new();
        loop {
            let look = Instant::now() + SILENCE;
            output.give_up_at(self.until.map_or(look, |until| until.min(look)));
            let heard = loop {
                match frames.take_in(&mut output, false, |_, content| said.push(content)) {
                    Ok(true) => {}
                    heard => break heard,
                }
            };
            match heard {
                Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {}
                _ => return None,
            }
            if self.is_late() {
                return Some(Outcome::TooLong { exec: Some(exec.to_owned()) });
            }
            if self.unwanted.try_recv() == Err(TryRecvError::Disconnected) {
                return Some(Outcome::Unwanted);
            }
            // Without its container it has ended, whatever the engine says of it.
            if !self.engine.may_run(self.container) {
                return Some(Outcome::Ended { code: KILLED, words: said.words() });
            }
        }
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|end| end <= Instant::now())
    }

    /// Asks until it has ended: whoever closes its output may run on.
    fn end(&self, exec: String, said: &Tail) -> Outcome {
        let mut pause = OFTEN;
        loop {
            match self.engine.exec_details(&exec, self.until) {
                Ok(details) if !details.running => {
                    // Without a code it was never run.
                    return Outcome::Ended { code: details.exit_code.unwrap_or(126), words: said.words() };
                }
                Err(error) if error.is_refusal() => return Outcome::Failed(error),
                Ok(_) if !self.engine.may_run(self.container) => {
                    return Outcome::Ended { code: KILLED, words: said.words() };
                }
                Ok(_) => {}
                Err(error) => log::debug!("asking for an exit code again: {}", chain(&error)),
            }
            if self.is_late() {
                return Outcome::TooLong { exec: Some(exec) };
            }
            let left = self.until.map(|end| end.saturating_duration_since(Instant::now()));
            if self.unwanted.recv_timeout(left.map_or(pause, |left| left.min(pause))) != Err(RecvTimeoutError::Timeout)
            {
                return Outcome::Unwanted;
            }
            pause = (pause * 2).min(SELDOM);
        }
    }
}

/// The end of what a command says.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, content: &[u8]) {
        self.0.extend_from_slice(content);
        if self.0.len() > 2 * KEPT {
            self.0.drain(..self.0.len() - KEPT);
        }
    }

    /// Its last lines on one line, what is no text escaped.
    fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.0[self.0.len().saturating_sub(KEPT)..]);
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
        let mut words = String::new();
        for line in &lines[lines.len().saturating_sub(LINES)..] {
            if !words.is_empty() {
                words.push_str(" | ");
            }
            for c in line.chars() {
                let written = if c.is_control() { write!(words, "{}", c.escape_debug()) } else { write!(words, "{c}") };
                written.expect("a String takes every text");
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(said: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        for said in said {
            tail.push(said);
        }
        tail.words()
    }

    #[test]
    fn the_last_lines_are_told_on_one() {
        assert_eq!(words(&[b"one\ntw", b"o\n\n  \nthree\n"]), "one | two | three");
        assert_eq!(words(&[b"1\n2\n3\n4\n5\n6\n7\n"]), "3 | 4 | 5 | 6 | 7");
        assert_eq!(words(&[]), "");
    }

    #[test]
    fn what_is_no_text_cannot_act_on_a_terminal() {
        assert_eq!(words(&[b"\x1b[2Jgone\xff\r\n"]), "\\u{1b}[2Jgone\u{fffd}");
    }

    #[test]
    fn a_command_that_floods_takes_no_memory() {
        let mut tail = Tail::default();
        for _ in 0..1000 {
            tail.push(&[b'x'; 1000]);
            assert!(tail.0.len() <= 2 * KEPT + 1000);
        }
        tail.push(b"\nthe end\n");
        assert!(tail.words().ends_with("x | the end") && tail.words().len() < 2 * KEPT, "{}", tail.words());
    }
}
