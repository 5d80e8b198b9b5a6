//! What podlike says about itself: messages on stderr, errors as sentences, and the one table of exit codes.
//!
//! | code | when |
//! |---|---|
//! | n | a component ended with n, or an init component with n ≠ 0; where there is a leader, the leader did |
//! | 0 | TERM or INT, and the end was orderly: each component stopped, or was killed after its grace |
//! | 128 + signal | TERM or INT, and the end was forced: by a second signal, or because the time to stop was over; or the engine had found the pod unhealthy |
//! | 125 | a component could not be started, or its container was lost |
//! | 2 | podlike refused to start: labels, engine, usage |
//! | 70 | a bug in podlike |
//!
//! Why a pod ended that nobody told to is followed by what became of each component: see `obituary.rs`.
//!
//! `podlike healthcheck` ends with 0 if the pod is healthy, else with 1.

mod obituary;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use env_logger::Target;
use log::{Level, LevelFilter};

use crate::commands::{self, Outcome};
use crate::health::Health;
pub use crate::supervisor::chain;
use crate::supervisor::{Cause, End, PROGRESS, signal_name};

const REFUSED: u8 = 2;
const START_FAILED: u8 = 125;
const CRASHED: u8 = 70;

/// Says how it went, and returns the exit code.
pub fn exit(outcome: &Result<Outcome, commands::Error>) -> u8 {
    match outcome {
        Ok(Outcome::Ended { end, names }) => {
            for line in obituary::lines(end, names) {
                log::info!("{line}");
            }
            tell(end, names);
            exit_code(end)
        }
        Ok(Outcome::Health(health)) => u8::from(*health != Health::Healthy),
        Ok(Outcome::Done) => 0,
        Err(error) => {
            log::error!("{}", chain(error));
            REFUSED
        }
    }
}

/// Says why the pod ended. `names` are the components', by position.
fn tell(end: &End, names: &[String]) {
    match &end.cause {
        Cause::Exited(who, code) => {
            log::info!("the pod ended with component '{}', exit code {code}", names[who.0]);
            if let Some((leader, code)) = end.leader.filter(|(leader, _)| leader != who) {
                log::info!("its exit code is that of its leader '{}': {code}", names[leader.0]);
            }
        }
        Cause::Failed(who, error) => log::error!("component '{}': {}", names[who.0], chain(error)),
        Cause::Signal(signal) if end.forced => {
            log::warn!("the pod was killed after {}", signal_name(*signal));
        }
        Cause::Signal(signal) if end.unhealthy => {
            log::warn!("the pod was unhealthy, and ended on {}", signal_name(*signal));
        }
        Cause::Signal(signal) => log::info!("the pod ended on {}", signal_name(*signal)),
        Cause::Crashed(why) => log::error!("a bug in podlike, please report it: {why}"),
    }
}

fn exit_code(end: &End) -> u8 {
    match &end.cause {
        Cause::Exited(_, code) => u8::try_from(end.leader.map_or(*code, |(_, code)| code)).unwrap_or(u8::MAX),
        Cause::Failed(..) => START_FAILED,
        Cause::Signal(signal) if end.forced || end.unhealthy => 128 + u8::try_from(*signal).unwrap_or(0),
        Cause::Signal(_) => 0,
        Cause::Crashed(_) => CRASHED,
    }
}

/// Messages on their way to stderr.
const QUEUE: usize = 256;
/// How long the last messages may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A line of progress is no longer than this, so that it does not wrap on a usual terminal.
const WIDTH: usize = 70;

enum Said {
    Line(Vec<u8>),
    /// Everything before this is written.
    Done(Sender<()>),
}

/// Our messages on stderr, written by a thread of their own: whoever has something to say never waits for who reads it.
#[derive(Debug)]
pub struct Voice {
    queue: Sender<Said>,
    manner: Arc<Manner>,
}

/// How it speaks, for all who do.
#[derive(Debug, Default)]
struct Manner {
    /// Whether a message waits until there is room for it.
    patient: AtomicBool,
    /// Messages that found no room, and of which nobody knows yet.
    lost: AtomicUsize,
}

impl Manner {
    /// Tells how many messages were lost since it was told last.
    fn confess(&self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let line = format!("podlike: warning: {lost} messages were lost, nobody read them in time\n");
            drop(io::stderr().lock().write_all(line.as_bytes()));
        }
    }
}

impl Voice {
    /// Opens the log: a line a message, with colour on a terminal if that is wanted.
    pub fn open(level: LevelFilter, colour: bool) -> Self {
        let (said, queue) = bounded::<Said>(QUEUE);
        let manner = Arc::<Manner>::default();
        let writing = Arc::clone(&manner);
        thread::spawn(move || {
            for said in queue {
                match said {
                    // There is nobody left to tell that stderr is closed.
                    Said::Line(line) => drop(io::stderr().lock().write_all(&line)),
                    Said::Done(done) => {
                        writing.confess();
                        drop(done);
                    }
                }
                writing.confess();
            }
        });
        let terminal = io::stderr().is_terminal();
        let colour = colour && terminal;
        // Whether the cursor stands behind a line of progress, which the next message takes the place of.
        let pending = AtomicBool::new(false);
        env_logger::Builder::new()
            .filter_level(level)
            .target(Target::Pipe(Box::new(Mouth { queue: said.clone(), manner: Arc::clone(&manner) })))
            .format(move |to, record| {
                let (word, code) = match record.level() {
                    Level::Error => ("error: ", "31"),
                    Level::Warn => ("warning: ", "33"),
                    Level::Info => ("", "0"),
                    Level::Debug | Level::Trace => ("debug: ", "2"),
                };
                if terminal {
                    let progress = record.target() == PROGRESS;
                    if pending.swap(progress, Ordering::Relaxed) {
                        to.write_all(b"\r\x1b[2K")?;
                    }
                    if progress {
                        let text: String = record.args().to_string().chars().take(WIDTH).collect();
                        return write!(to, "podlike: {text}");
                    }
                }
                if colour {
                    let args = record.args();
                    writeln!(to, "\x1b[1mpodlike:\x1b[0m \x1b[{code}m{word}{args}\x1b[0m")
                } else {
                    writeln!(to, "podlike: {word}{}", record.args())
                }
            })
            .init();
        Self { queue: said, manner }
    }

    /// From now on who has something to say waits for room, if somebody reads at all: nothing else is left to be done.
    pub fn take_time(&self) {
        self.manner.patient.store(true, Ordering::Relaxed);
    }

    /// Waits until everything is written that was said, but not for ever.
    pub fn finish(self) {
        let (done, written) = bounded(0);
        let queued = self.queue.send_timeout(Said::Done(done), LAST_WORDS);
        if queued.is_ok() {
            // Disconnected when it is written, else it has taken too long.
            let _ = written.recv_timeout(LAST_WORDS);
        }
    }
}

/// Where the log is written to. A message that finds the queue full is lost, and counted: nobody has read the last 256.
struct Mouth {
    queue: Sender<Said>,
    manner: Arc<Manner>,
}

impl Write for Mouth {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = Said::Line(bytes.to_vec());
        let patience = if self.manner.patient.load(Ordering::Relaxed) { LAST_WORDS } else { Duration::ZERO };
        if self.queue.send_timeout(line, patience).is_err() {
            self.manner.lost.fetch_add(1, Ordering::Relaxed);
            self.manner.patient.store(false, Ordering::Relaxed);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::{self, Who};

    #[test]
    fn the_table_of_exit_codes() {
        let error = || supervisor::Error::NoHealthCheck { on: "db".to_owned() };
        for (cause, forced, code) in [
            (Cause::Exited(Who(0), 0), false, 0),
            (Cause::Exited(Who(0), 42), true, 42),
            (Cause::Exited(Who(0), 255), false, 255),
            (Cause::Failed(Who(0), error()), false, 125),
            (Cause::Signal(15), false, 0),
            (Cause::Signal(15), true, 143),
            (Cause::Signal(2), true, 130),
            (Cause::Crashed(String::new()), false, 70),
        ] {
            let end = End::new(cause, forced);
            assert_eq!(exit_code(&end), code, "{end:?}");
        }
        let unhealthy = |cause| End { unhealthy: true, ..End::new(cause, false) };
        assert_eq!(exit_code(&unhealthy(Cause::Signal(15))), 143);
        assert_eq!(exit_code(&unhealthy(Cause::Exited(Who(0), 3))), 3);
    }

    #[test]
    fn a_message_that_finds_no_room_is_counted_and_waits_for_it_only_at_the_end() {
        let (queue, queued) = bounded(1);
        let manner = Arc::<Manner>::default();
        let mut mouth = Mouth { queue, manner: Arc::clone(&manner) };
        for _ in 0..3 {
            mouth.write_all(b"x").expect("nobody waits");
        }
        assert_eq!(manner.lost.load(Ordering::Relaxed), 2);
        manner.patient.store(true, Ordering::Relaxed);
        let reader = thread::spawn(move || queued.iter().count());
        for _ in 0..100 {
            mouth.write_all(b"x").expect("it waits");
        }
        assert_eq!(manner.lost.load(Ordering::Relaxed), 2);
        drop(mouth);
        assert_eq!(reader.join().expect("it reads"), 101);
    }

    #[test]
    fn a_chain_reads_from_the_outside_in() {
        let error = commands::Error::System { doing: "write", source: io::Error::other("full") };
        assert_eq!(chain(&error), "cannot write: full");
    }
}
