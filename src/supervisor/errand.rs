//! One errand's story: a container that does one thing, told on a thread of its own, and watched so that it takes no longer
//! than it may.
//!
//! ```text
//!  run ── errand: create ─▶ attach ─▶ wait ─▶ start ─▶ what it says ─▶ exit ─▶ remove ──▶ Told
//!   ▲ deadline, signal: removed by force, which ends whatever the thread waits for
//! ```

use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, at, bounded, select, unbounded};

use crate::engine::{self, Attach, Condition, Engine, Frames, Stream};
use crate::pod::{CONTROLLER_ID, Errand};

use super::crew::Crew;
use super::error::chain;
use super::event::{Cause, Event};
use super::inbox::Report;
use super::machine::ends;
use super::sweep::make_way;

/// How long an errand may take: longer than a call of the engine, so that one that hangs is named.
const LIMIT: Duration = Duration::from_secs(engine::WORK.as_secs() + 10);
/// How long its removal is waited for.
const REMOVAL: Duration = Duration::from_secs(10);
/// More than an errand has to say.
const LONGEST: u64 = 64 << 10;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// A step of its life.
    Step { step: &'static str, source: engine::Error },
    /// It could not do it, and said why.
    Ended { code: i64, words: String },
    /// What it said is no answer.
    Nonsense { said: String },
    /// It took too long. What it was to do may have been done.
    TooLong,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { step, source } => write!(f, "cannot {step} the container that prepares it: {}", chain(source)),
            Self::Ended { code, words } if words.is_empty() => {
                write!(f, "the container that prepares it ended with exit code {code} and said nothing")
            }
            Self::Ended { words, .. } => f.write_str(words),
            Self::Nonsense { said } => {
                write!(f, "the container that prepares it said {said:?}, which is no answer")
            }
            Self::TooLong => write!(f, "the container that prepares it took longer than {} seconds", LIMIT.as_secs()),
        }
    }
}

/// What came of an errand.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its answer.
    Answer(String),
    /// None.
    Failed(Failure),
    /// The pod ends before it began. What the errand was to do may have been done.
    Over(Cause),
}

/// What its thread tells.
enum Told {
    /// The container is there.
    Created(String),
    /// It is gone again.
    Done(Result<String, Failure>),
}

/// Runs an errand. Its container is gone when this returns, or a message has said that it may be left.
pub(super) fn run(engine: &Engine, errand: &Errand, crew: &Crew, inbox: &Receiver<Report>) -> Outcome {
    let (wanted, unwanted) = bounded::<()>(0);
    let (tell, told) = unbounded();
    let story = Story { engine: engine.clone(), errand: errand.clone(), unwanted, tell };
    crew.spawn("errand".to_owned(), move || story.live());
    let limit = at(Instant::now() + LIMIT);
    let mut id = None;
    let outcome = loop {
        select! {
            recv(told) -> told => match told {
                Ok(Told::Created(created)) => id = Some(created),
                Ok(Told::Done(Ok(answer))) => return Outcome::Answer(answer),
                Ok(Told::Done(Err(failure))) => return Outcome::Failed(failure),
                // It has crashed, which the inbox tells.
                Err(_) => break Outcome::Over(crash(inbox)),
            },
            recv(inbox) -> report => match report {
                Ok(Report::Event(Event::Signal(signal))) if ends(signal) => break Outcome::Over(Cause::Signal(signal)),
                Ok(Report::Event(Event::Crashed(why))) => break Outcome::Over(Cause::Crashed(why)),
                _ => {}
            },
            recv(limit) -> _ => break Outcome::Failed(Failure::TooLong),
        }
    };
    drop(wanted);
    if !see_it_go(engine, id, crew, &told) {
        log::error!("the container {} may be left behind: the engine takes too long to remove it", errand.container);
    }
    outcome
}

fn crash(inbox: &Receiver<Report>) -> Cause {
    let crashed = inbox.try_iter().find_map(|report| match report {
        Report::Event(Event::Crashed(why)) => Some(why),
        _ => None,
    });
    Cause::Crashed(crashed.unwrap_or_else(|| "an errand panicked".to_owned()))
}

/// Removes the container as soon as it is known; false where that took too long.
fn see_it_go(engine: &Engine, mut id: Option<String>, crew: &Crew, told: &Receiver<Told>) -> bool {
    let limit = at(Instant::now() + REMOVAL);
    let (tell, gone) = bounded::<()>(1);
    loop {
        if let Some(id) = id.take() {
            let (engine, tell) = (engine.clone(), tell.clone());
            crew.spawn("errand/remove".to_owned(), move || {
                if engine.remove(&id).is_ok() {
                    // Nobody listens after the limit.
                    let _ = tell.send(());
                }
            });
        }
        select! {
            recv(told) -> told => match told {
                Ok(Told::Created(created)) => id = Some(created),
                Ok(Told::Done(_)) => return true,
                Err(_) => return false,
            },
            recv(gone) -> _ => return true,
            recv(limit) -> _ => return false,
        }
    }
}

struct Story {
    engine: Engine,
    errand: Errand,
    /// Closed when nobody waits for it any more.
    unwanted: Receiver<()>,
    tell: Sender<Told>,
}

impl Story {
    fn live(self) {
        let result = self.create().and_then(|id| {
            let _ = self.tell.send(Told::Created(id.clone()));
            let result = self.see_it_end(&id);
            if let Err(error) = self.engine.remove(&id) {
                log::error!("the container {} may be left behind: {}", self.errand.container, chain(&error));
            }
            result
        });
        let _ = self.tell.send(Told::Done(result));
    }

    /// A create that broke may have made one.
    fn create(&self) -> Result<String, Failure> {
        let Errand { container, request, .. } = &self.errand;
        let source = match self.engine.create(container, request, None) {
            Ok(id) => return Ok(id),
            Err(source) if source.is_conflict() && make_way(&self.engine, container) => {
                match self.engine.create(container, request, None) {
                    Ok(id) => return Ok(id),
                    Err(source) => source,
                }
            }
            Err(source) => source,
        };
        if !source.is_refusal()
            && let Ok(found) = self.engine.inspect(container)
            && found.config.labels.get(CONTROLLER_ID) == request.labels.get(CONTROLLER_ID)
            && let Err(error) = self.engine.remove(&found.id)
        {
            log::error!("the container {container} may be left behind: {}", chain(&error));
        }
        Err(Failure::Step { step: "create", source })
    }

    fn see_it_end(&self, id: &str) -> Result<String, Failure> {
        let failed = |step| move |source| Failure::Step { step, source };
        let attach = self.engine.attach(id).map_err(failed("attach to"))?;
        let wait = self.engine.wait(id, Condition::NextExit).map_err(failed("wait for"))?;
        if self.unwanted.try_recv() == Err(TryRecvError::Disconnected) {
            return Err(Failure::TooLong);
        }
        self.engine.start(id).map_err(failed("start"))?;
        let (out, err) = read(attach);
        match wait.exit_code().map_err(failed("wait for"))? {
            0 => self.errand.answer(&out).ok_or(Failure::Nonsense { said: out.trim_end().to_owned() }),
            code => Err(Failure::Ended { code, words: last_words(&err) }),
        }
    }
}

/// All that it says, as far as it is not too long or cut off.
fn read(attach: Attach) -> (String, String) {
    let mut bytes = Vec::new();
    // What is missing makes no answer.
    let _ = attach.take(LONGEST).read_to_end(&mut bytes);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut frames, mut input) = (Frames::new(), bytes.as_slice());
    while let Ok(Some((stream, content))) = frames.next(&mut input) {
        match stream {
            Stream::Out => out.extend(content),
            Stream::Err => err.extend(content),
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(out), text(err))
}

/// Our own message, without what says that it is one.
fn last_words(err: &str) -> String {
    let line = err.trim_end().lines().next_back().unwrap_or_default();
    let line = line.strip_prefix("podlike: ").unwrap_or(line);
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
