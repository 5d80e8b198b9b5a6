//! The health of the pod, and how the engine's health check of the controller learns it. Imports nothing of ours.
//!
//! ```text
//! Machine ─publish─▶ Board ◀─read─ server ◀─socket─ client  (podlike healthcheck, in the same container)
//!                 one writer       one thread
//! ```
//!
//! The socket is in the abstract namespace: it needs no writable directory, and no file outlives a killed controller.
//! It says the health to whoever connects, reads nothing, and so can't be used to act.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// How long either end waits for the other.
const PATIENCE: Duration = Duration::from_secs(2);

/// Health in the engine's words, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// A check failed too often.
    Unhealthy,
    /// No check has passed yet.
    Starting,
    /// All is well.
    Healthy,
}

const ALL: [Health; 3] = [Health::Unhealthy, Health::Starting, Health::Healthy];

impl Health {
    /// Reads one of the engine's words; `none` and others are none.
    pub fn parse(word: &str) -> Option<Self> {
        ALL.into_iter().find(|health| health.to_string() == word)
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unhealthy => "unhealthy",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
        })
    }
}

/// The one place where the pod's health stands: written by the supervisor, read by the server.
#[derive(Debug, Clone)]
pub struct Board(Arc<AtomicU8>);

impl Board {
    /// A board that says `starting`.
    pub fn new() -> Self {
        Self(Arc::new(AtomicU8::new(Health::Starting as u8)))
    }

    /// Writes the health.
    pub fn publish(&self, health: Health) {
        self.0.store(health as u8, Ordering::Relaxed);
    }

    /// Reads the health.
    pub fn read(&self) -> Health {
        ALL[usize::from(self.0.load(Ordering::Relaxed))]
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

fn address(controller: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("podlike/{controller}/health"))
}

/// Opens the socket of a controller.
pub fn listen(controller: &str) -> io::Result<UnixListener> {
    UnixListener::bind_addr(&address(controller)?)
}

/// Answers every connection with what the board says, for ever.
pub fn serve(listener: &UnixListener, board: &Board) {
    for connection in listener.incoming() {
        let answered = connection.and_then(|mut stream| {
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.write_all(board.read().to_string().as_bytes())
        });
        if let Err(error) = answered {
            log::debug!("a health check went away: {error}");
        }
    }
}

/// Asks the controller for the pod's health.
pub fn ask(controller: &str) -> io::Result<Health> {
    let mut stream = UnixStream::connect_addr(&address(controller)?)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut word = String::new();
    (&mut stream).take(32).read_to_string(&mut word)?;
    Health::parse(&word).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not a health"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_the_lowest() {
        assert!(Health::Unhealthy < Health::Starting && Health::Starting < Health::Healthy);
    }

    #[test]
    fn who_asks_hears_what_the_board_says() {
        let name = format!("test-{}", std::process::id());
        let (listener, board) = (listen(&name).expect("a socket"), Board::new());
        let reader = board.clone();
        std::thread::spawn(move || serve(&listener, &reader));
        for health in ALL {
            board.publish(health);
            assert_eq!(ask(&name).expect("an answer"), health);
        }
        assert!(ask("nobody").is_err());
    }
}
