//! Answers to calls: whatever a peer sends, a call ends with an answer or an error of one line; and a body comes through
//! unchanged, however its length is told and wherever it is cut.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use podlike::engine::{Condition, Engine, Host};
use podlike::report::chain;
use tempfile::TempDir;

use super::dice::Dice;
use super::mutator;
use super::records::{ENGINES, Record, folder};

const PONG: &[u8] = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK";

/// What is at an edge for who reads HTTP, JSON and chunks.
#[rustfmt::skip]
const FRAGMENTS: [&[u8]; 36] = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\r\n \r\n", b"HTTP/1.1 ", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 101 UPGRADED\r\n",
    b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 304 Not Modified\r\n", b"HTTP/1.1 999 X\r\n", b"HTTP/1.1 404 Not Found\r\n",
    b"HTTP/1.1 500 Internal Server Error\r\n", b"HTTP/2.0 200\r\n", b"Content-Length: 0\r\n",
    b"Content-Length: 18446744073709551615\r\n", b"Content-Length: 18446744073709551616\r\n", b"Content-Length: -1\r\n",
    b"Content-Length: 5, 6\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n",
    b"ffffffffffffffff\r\n", b"fffffffffffffffff\r\n", b"7fffffff;x=y\r\n", b"1\r\n", b"Api-Version: 1.999999999999\r\n",
    b"{\"message\":\"\\u001b[31m\\n\\u0000\"}", b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", b"{\"Id\":{\"Id\":{\"Id\":", b"null", b"1e999",
    b"\"\\ud800\"", b"\x15\x03\x03\0\x02\x02\x0a", b"\xff\xfe\0", b"X: ",
];

/// What the answers to the calls are called that are tried.
const CALLS: [&str; 7] = ["inspect_", "list", "events", "wait", "start", "image", "attach"];

/// The call of a seed.
fn call(seed: u64) -> usize {
    usize::try_from(seed % CALLS.len() as u64).expect("small")
}

/// Calls that read their answers in different ways.
pub(crate) struct Answers {
    engine: Engine,
    /// The answers to come, each with the seed of how it is cut.
    next: Sender<(Vec<u8>, u64)>,
    corpus: Vec<Vec<u8>>,
    /// Those of the corpus that are meant for each of the [`CALLS`].
    meant: [Vec<Vec<u8>>; CALLS.len()],
    taken: u64,
    _home: TempDir,
}

impl Answers {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let socket = home.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let (next, answers) = unbounded();
        thread::spawn(move || serve(&listener, &answers));
        next.send((PONG.to_vec(), 0)).expect("the peer runs");
        let engine = Engine::connect(Host::Unix(socket)).expect("it answers");
        let meant = CALLS.map(corpus);
        Self { engine, next, corpus: corpus(""), meant, taken: 0, _home: home }
    }

    /// A body as an answer, in one of the three ways to tell where it ends.
    fn round_trip(&mut self, body: &[u8], seed: u64, dice: &mut Dice) -> Result<(), String> {
        let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
        match dice.roll(3) {
            0 => answer.extend([format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()),
            1 => answer.extend([b"Connection: close\r\n\r\n", body].concat()),
            _ => {
                answer.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                let mut left = body;
                while !left.is_empty() {
                    let (piece, rest) = left.split_at(1 + dice.roll(left.len().min(3000)));
                    let extension = if dice.one_in(4) { ";a=b" } else { "" };
                    answer.extend([format!("{:x}{extension}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
                    left = rest;
                }
                answer.extend(b"0\r\nTrailer: x\r\n\r\n");
            }
        }
        self.next.send((answer, seed)).expect("the peer runs");
        let mut attach = self.engine.attach("x").map_err(|error| chain(&error))?;
        let mut read = Vec::new();
        attach.read_to_end(&mut read).map_err(|error| error.to_string())?;
        self.taken += 1;
        if read == body { Ok(()) } else { Err(format!("{} bytes of {} came through", read.len(), body.len())) }
    }
}

impl super::Target for Answers {
    const NAME: &'static str = "answers";
    const MUTANTS: u64 = 12_000;

    fn corpus(&self) -> usize {
        self.corpus.len()
    }

    fn mutant(&mut self, seed: u64) -> Vec<u8> {
        let mut dice = Dice::new(seed);
        let corpus = if dice.one_in(4) { &self.corpus } else { &self.meant[call(seed)] };
        mutator::mutant(corpus, &FRAGMENTS, &mut dice)
    }

    fn attempt(&mut self, mutant: &[u8], seed: u64) -> Result<(), String> {
        let mut dice = Dice::new(seed ^ 0x5eed);
        if dice.one_in(8) {
            return self.round_trip(mutant, seed, &mut dice);
        }
        self.next.send((mutant.to_vec(), seed)).expect("the peer runs");
        let engine = &self.engine;
        let answered = match call(seed) {
            0 => engine.inspect("x").map(drop),
            1 => engine.list("a=b").map(drop),
            2 => engine.events("a=b").and_then(|mut events| events.try_for_each(|event| event.map(drop))),
            3 => engine.wait("x", Condition::NextExit).and_then(|wait| wait.exit_code().map(drop)),
            4 => engine.start("x"),
            5 => engine.image("x").map(drop),
            _ => {
                let Ok(mut attach) = engine.attach("x") else { return Ok(()) };
                let mut bytes = Vec::new();
                let read = attach.read_to_end(&mut bytes);
                self.taken += u64::from(read.is_ok());
                let is_bounded = bytes.len() <= mutant.len();
                return if is_bounded { Ok(()) } else { Err(format!("{} bytes were made up", bytes.len())) };
            }
        };
        match answered {
            Ok(()) => self.taken += 1,
            Err(error) => {
                let text = chain(&error);
                if text.contains(['\n', '\r']) {
                    return Err(format!("the error has more than one line: {text:?}"));
                }
            }
        }
        Ok(())
    }

    fn deep(&self) -> u64 {
        self.taken
    }
}

/// Answers each connection with the next of the answers, in pieces, and hangs up. A call that is made again, in another
/// version, has no second answer.
fn serve(listener: &UnixListener, answers: &Receiver<(Vec<u8>, u64)>) {
    for connection in listener.incoming().map_while(Result::ok) {
        let Ok((answer, seed)) = answers.try_recv() else { continue };
        // The other end may have seen enough.
        let _ = answer_with(&connection, &answer, &mut Dice::new(seed));
    }
}

fn answer_with(connection: &UnixStream, answer: &[u8], dice: &mut Dice) -> std::io::Result<()> {
    let mut request = BufReader::new(connection);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if request.read_line(&mut line)? == 0 {
            break;
        }
    }
    let mut left = answer;
    let pieces = dice.roll(6);
    for _ in 0..pieces {
        let (piece, rest) = left.split_at(dice.roll(left.len() + 1));
        (&*connection).write_all(piece)?;
        left = rest;
    }
    (&*connection).write_all(left)
}

/// What engines answered to calls of such a name, with its length as it was or by chunks.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut corpus = Vec::new();
    for engine in ENGINES {
        let entries = fs::read_dir(folder(engine)).expect("records");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        let is_one = |path: &&PathBuf| {
            let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
            stem.starts_with(name) && path.extension().is_some_and(|extension| extension == "http")
        };
        for path in paths.iter().filter(is_one) {
            let Record { head, body, .. } = record(path);
            let head = head.join("\r\n");
            corpus.push([head.as_bytes(), b"\r\n\r\n", &body].concat());
            let length = format!("{:x}\r\n", body.len());
            let chunked = head.replace("Content-Length:", "Transfer-Encoding: chunked\r\nX-Length:");
            corpus.push([chunked.as_bytes(), b"\r\n\r\n", length.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat());
        }
    }
    corpus.retain(|answer| answer.len() < 32 << 10);
    corpus
}

fn record(path: &Path) -> Record {
    Record::parse(&fs::read_to_string(path).expect("a record"))
}
