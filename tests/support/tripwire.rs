//! A proxy in front of a real engine that signals the controller at one of its calls.
//!
//! ```text
//!   controller ──unix socket──▶ Tripwire ── the call at which it trips? ──▶ engine
//!        ▲                         │ before: the call has not got there, and where it is killed never does
//!        └───── KILL, TERM ◀───────┘ after: the engine has answered, and the answer has not got back
//! ```
//!
//! Once it has struck, and where it was not armed, it lets everything pass.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::endpoints::bare;

/// Longer than an engine takes for a call here.
const PATIENCE: Duration = Duration::from_mins(1);

/// The moment of the signal, within a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The call has not reached the engine.
    Before,
    /// The engine has done it, and its answer has not been seen.
    After,
}

#[derive(Clone, Debug)]
struct Blow {
    container: String,
    signal: &'static str,
    when: When,
}

/// The proxy. Takes its socket away when it is dropped.
pub(crate) struct Tripwire {
    folder: TempDir,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// At which call, the first being 1, and what happens then.
    armed: Option<(usize, Blow)>,
    struck: Option<String>,
    calls: Vec<String>,
    over: bool,
}

impl Tripwire {
    pub(crate) fn before(engine: &Path) -> Self {
        let wire = Self { folder: tempfile::tempdir().expect("a folder"), state: Arc::default() };
        let listener = UnixListener::bind(wire.socket()).expect("a socket");
        let (state, engine) = (Arc::clone(&wire.state), engine.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if look(&state).over {
                    return;
                }
                let (state, engine) = (Arc::clone(&state), engine.clone());
                // Whoever hangs up does so at both ends.
                thread::spawn(move || drop(serve(&client, &engine, &state)));
            }
        });
        wire
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// Sends this container `KILL` or `TERM` at the nth call from now on.
    pub(crate) fn arm(&self, container: &str, nth: usize, when: When, signal: &'static str) {
        let mut state = look(&self.state);
        let nth = nth + state.calls.len();
        state.armed = Some((nth, Blow { container: container.to_owned(), signal, when }));
    }

    /// The call at which it has struck.
    pub(crate) fn struck(&self) -> Option<String> {
        look(&self.state).struck.clone()
    }

    /// The calls that came, without versions and queries.
    pub(crate) fn calls(&self) -> Vec<String> {
        look(&self.state).calls.clone()
    }
}

impl Drop for Tripwire {
    fn drop(&mut self) {
        look(&self.state).over = true;
        let _ = UnixStream::connect(self.socket());
    }
}

fn look(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection, which is one call.
fn serve(client: &UnixStream, engine: &Path, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let head = read_head(&mut reader)?;
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let call = format!("{method} {}", bare(target));
    let blow = {
        let mut state = look(state);
        state.calls.push(call.clone());
        let count = state.calls.len();
        state.armed.take_if(|(nth, _)| *nth == count).map(|(_, blow)| blow)
    };
    if let Some(blow) = blow.as_ref().filter(|blow| blow.when == When::Before)
        && strike(engine, blow, state, &call)?
    {
        return client.shutdown(Shutdown::Both);
    }
    let upstream = UnixStream::connect(engine)?;
    (&upstream).write_all(head.as_bytes())?;
    (&upstream).write_all(reader.buffer())?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::copy(&mut &*client, &mut &upstream);
            let _ = upstream.shutdown(Shutdown::Both);
        });
        if let Some(blow) = blow.as_ref().filter(|blow| blow.when == When::After) {
            let mut first = [0; 1];
            let length = (&upstream).read(&mut first)?;
            if strike(engine, blow, state, &call)? {
                client.shutdown(Shutdown::Both)?;
                return upstream.shutdown(Shutdown::Both);
            }
            (&mut &*client).write_all(&first[..length])?;
        }
        let _ = io::copy(&mut &upstream, &mut &*client);
        client.shutdown(Shutdown::Both)
    })
}

/// Sends the signal; says whether it has killed, and nothing may pass any more.
fn strike(engine: &Path, blow: &Blow, state: &Mutex<State>, call: &str) -> io::Result<bool> {
    look(state).struck = Some(call.to_owned());
    ask(engine, "POST", &format!("/containers/{}/kill?signal={}", blow.container, blow.signal))?;
    Ok(blow.signal == "KILL")
}

/// The status and the body of a call to an engine.
pub(crate) fn ask(engine: &Path, method: &str, path: &str) -> io::Result<(u16, String)> {
    let mut stream = UnixStream::connect(engine)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // HTTP/1.0: no chunks.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.unwrap_or_default(), body.to_owned()))
}

fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}
