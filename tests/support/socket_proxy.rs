//! A proxy in front of an engine that allows only what the README says, as people run them.
//!
//! ```text
//!   podlike ──unix socket──▶ SocketProxy ──▶ in the table? ──▶ the engine's socket, both ways until one end closes
//!                               ▲  └──────────── 403 ◀── no, or taken out of it
//!        the test ◀─ used, refused
//! ```

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, thread};

use tempfile::TempDir;

use super::endpoints::{Endpoint, bare, endpoints};

/// What such proxies answer: a page, and no JSON.
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 93\r\nCache-Control: no-cache\r\n\
    Content-Type: text/html\r\nConnection: close\r\n\r\n\
    <html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n";

/// The proxy. Takes its socket away when it is dropped.
pub(crate) struct SocketProxy {
    folder: TempDir,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    allowed: Vec<Endpoint>,
    used: BTreeSet<Endpoint>,
    refused: Vec<String>,
    over: bool,
}

impl SocketProxy {
    /// Allows what the README's table lists.
    pub(crate) fn before(engine: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Its user need not be ours.
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a folder of ours");
        let seen = Seen { allowed: endpoints(), ..Seen::default() };
        let proxy = Self { folder, seen: Arc::new(Mutex::new(seen)) };
        let listener = UnixListener::bind(proxy.socket()).expect("a socket");
        let (seen, engine) = (Arc::clone(&proxy.seen), engine.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if look(&seen).over {
                    return;
                }
                let (seen, engine) = (Arc::clone(&seen), engine.clone());
                // Whoever hangs up does so at both ends.
                thread::spawn(move || drop(serve(&client, &engine, &seen)));
            }
        });
        proxy
    }

    /// Refuses a call of the table, too.
    pub(crate) fn without(self, call: &str) -> Self {
        let mut seen = look(&self.seen);
        let all = seen.allowed.len();
        seen.allowed.retain(|known| known.to_string() != call);
        assert_eq!(seen.allowed.len() + 1, all, "the table has no '{call}'");
        drop(seen);
        self
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// As in `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The rows of the table that were called.
    pub(crate) fn used(&self) -> BTreeSet<Endpoint> {
        look(&self.seen).used.clone()
    }

    /// The calls that were refused, as they came: `GET /v1.41/networks`.
    pub(crate) fn refused(&self) -> Vec<String> {
        look(&self.seen).refused.clone()
    }
}

impl Drop for SocketProxy {
    fn drop(&mut self) {
        look(&self.seen).over = true;
        let _ = UnixStream::connect(self.socket());
    }
}

fn look(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection, which is one call: podlike asks for no more, and a second one would not be looked at.
fn serve(client: &UnixStream, engine: &Path, seen: &Mutex<Seen>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let head = read_head(&mut reader)?;
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let closes = head.to_ascii_lowercase().contains("\r\nconnection: close\r\n");
    let allowed = closes && {
        let mut seen = look(seen);
        let found = seen.allowed.iter().find(|known| known.is(method, bare(target))).cloned();
        match &found {
            Some(endpoint) => drop(seen.used.insert(endpoint.clone())),
            None => seen.refused.push(format!("{method} {target}")),
        }
        found.is_some()
    };
    let mut answers = client;
    if !allowed {
        answers.write_all(FORBIDDEN.as_bytes())?;
        return client.shutdown(Shutdown::Both);
    }
    let engine = UnixStream::connect(engine)?;
    (&engine).write_all(head.as_bytes())?;
    (&engine).write_all(reader.buffer())?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::copy(&mut &*client, &mut &engine);
            let _ = engine.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut &engine, &mut answers);
        client.shutdown(Shutdown::Both)
    })
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
