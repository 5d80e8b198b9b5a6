//! What a container does while it runs: a list of steps, played by a thread of its own.
//!
//! ```text
//!   start ─▶ write · wait · until_open(gate) · until_stopped · flood ─▶ exit(n)
//!                └────── a deadly signal ──────┘   └─ stop ─▶ goes on with the next step
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::model::{Container, Shared, World, signal_number};

/// The life of a container. It ends with the code of `exit`, with 128+n when a stop signal ended the last step, else with 0.
/// TERM, INT, QUIT and its own stop signal end it; other signals are only noted, as by a program that handles them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    steps: Vec<Step>,
    ignores_stop: bool,
    on_signal: BTreeMap<String, i64>,
    pub(super) start_error: Option<(u16, String)>,
    pub(super) healthy_after: Option<Duration>,
}

#[derive(Clone, Debug)]
enum Step {
    Write(u8, Vec<u8>),
    SayWord(usize),
    Flood(u8, Vec<u8>),
    Wait(Duration),
    UntilOpen(String),
    UntilStopped,
    Oom,
    Exit(i64),
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(crate) fn write_out(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Write(1, bytes.into()))
    }

    pub(crate) fn write_err(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Write(2, bytes.into()))
    }

    /// Writes this word of its command to stdout, as a line.
    pub(crate) fn say_word(self, position: usize) -> Self {
        self.step(Step::SayWord(position))
    }

    /// Writes the bytes to stdout again and again, as fast as the readers take them, until it is stopped.
    pub(crate) fn flood(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Flood(1, bytes.into()))
    }

    /// As [`Self::flood`], to stderr.
    pub(crate) fn flood_err(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Flood(2, bytes.into()))
    }

    pub(crate) fn wait(self, time: Duration) -> Self {
        self.step(Step::Wait(time))
    }

    /// Waits for `engine.open(gate)`.
    pub(crate) fn until_open(self, gate: &str) -> Self {
        self.step(Step::UntilOpen(gate.to_owned()))
    }

    pub(crate) fn until_stopped(self) -> Self {
        self.step(Step::UntilStopped)
    }

    pub(crate) fn exit(self, code: i64) -> Self {
        self.step(Step::Exit(code))
    }

    /// Is killed for want of memory: an `oom` event, `OOMKilled`, 137.
    pub(crate) fn oom(self) -> Self {
        self.step(Step::Oom)
    }

    /// Only KILL ends it.
    pub(crate) fn ignore_term(mut self) -> Self {
        self.ignores_stop = true;
        self
    }

    /// Ends with the code at once on the signal, for example `on_signal("USR1", 7)`.
    pub(crate) fn on_signal(mut self, signal: &str, code: i64) -> Self {
        self.on_signal.insert(signal.to_owned(), code);
        self
    }

    /// `POST …/start` fails with it (400 means: the command was not found, exit code 127).
    pub(crate) fn start_error(mut self, status: u16, message: &str) -> Self {
        self.start_error = Some((status, message.to_owned()));
        self
    }

    /// The health check, if there is one, turns to healthy so long after the start.
    pub(crate) fn healthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = Some(time);
        self
    }
}

/// Why a script ended before its last step.
enum Ending {
    Code(i64),
    EngineDropped,
}

/// Plays the script of a container that has just been started, and lets the container end.
pub(super) fn play(shared: &Arc<Shared>, id: &str, script: &Script) {
    let player = Player { shared, id, script };
    let code = match player.play() {
        Ok(code) | Err(Ending::Code(code)) => code,
        Err(Ending::EngineDropped) => return,
    };
    // The end is told when all that was said has been taken, or nobody takes it any more.
    if shared.until(None, |world| world.is_drained(id).then_some(())).is_none() {
        return;
    }
    if shared.change(|world| world.end(id, code)) {
        let takes = shared.look(|world| world.removal_takes);
        shared.pause(Some(Instant::now() + takes));
        shared.change(|world| world.remove(id));
    }
}

struct Player<'a> {
    shared: &'a Shared,
    id: &'a str,
    script: &'a Script,
}

impl Player<'_> {
    fn play(&self) -> Result<i64, Ending> {
        let mut code = 0;
        for step in &self.script.steps {
            let stopped_by = match step {
                Step::Exit(code) => return Ok(*code),
                Step::Oom => {
                    self.shared.change(|world| world.oom(self.id));
                    return Ok(137);
                }
                Step::Write(stream, bytes) => {
                    for part in bytes.chunks(32 * 1024) {
                        self.rest(None, false, |world| world.write(self.id, *stream, part))?;
                    }
                    None
                }
                Step::SayWord(position) => {
                    let word = |one: &mut Container| one.body["Cmd"][*position].as_str().map(ToOwned::to_owned);
                    let said = self.shared.change(|world| world.container(self.id).and_then(word)).unwrap_or_default();
                    self.rest(None, false, |world| world.write(self.id, 1, format!("{said}\n").as_bytes()))?;
                    None
                }
                Step::Flood(stream, bytes) => loop {
                    let write = |world: &mut World| world.is_attached(self.id) && world.write(self.id, *stream, bytes);
                    if let Some(signal) = self.rest(None, true, write)? {
                        break Some(signal);
                    }
                },
                Step::Wait(time) => self.rest(Some(Instant::now() + *time), false, |_| false)?,
                Step::UntilOpen(gate) => self.rest(None, false, |world| world.open_gates.contains(gate))?,
                Step::UntilStopped => self.rest(None, true, |_| false)?,
            };
            code = stopped_by.map_or(code, |signal| 128 + signal);
        }
        Ok(code)
    }

    /// Rests until it is ready, the deadline or, where the step takes it, a stop signal (its number).
    /// A deadly signal ends the script. One that comes while the script need not rest is kept for the
    /// first step that must: so `write_out(…).until_stopped()` always gets to its second step.
    fn rest(
        &self,
        deadline: Option<Instant>,
        stoppable: bool,
        mut ready: impl FnMut(&mut World) -> bool,
    ) -> Result<Option<i64>, Ending> {
        let woken = self.shared.until(deadline, |world| {
            if !stoppable && ready(world) {
                return Some(Ok(None));
            }
            while let Some(signal) = world.take_signal(self.id) {
                let number = signal_number(&signal).unwrap_or(0);
                let stops = ["TERM", "INT", "QUIT"].contains(&signal.as_str()) || world.stop_signal(self.id) == signal;
                if signal == "KILL" {
                    return Some(Err(Ending::Code(137)));
                } else if let Some(code) = self.script.on_signal.get(&signal) {
                    return Some(Err(Ending::Code(*code)));
                } else if !stops || self.script.ignores_stop {
                    continue;
                } else if stoppable {
                    return Some(Ok(Some(number)));
                }
                return Some(Err(Ending::Code(128 + number)));
            }
            (stoppable && ready(world)).then_some(Ok(None))
        });
        match woken {
            Some(outcome) => outcome,
            None if self.shared.look(|world| world.closing) => Err(Ending::EngineDropped),
            None => Ok(None),
        }
    }
}
