//! Why the bus was of no help.

use std::path::PathBuf;
use std::{fmt, io};

/// A conversation with the bus that failed.
#[derive(Debug)]
pub enum Error {
    /// Nobody answers at the socket.
    Unreachable {
        /// Its path.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The bus does not talk with us.
    NotLetIn {
        /// What it said.
        words: String,
    },
    /// The answer to a call is an error.
    Refused {
        /// The call's name.
        call: String,
        /// The error's name, such as `org.freedesktop.DBus.Error.AccessDenied`.
        name: String,
        /// What was said about it.
        words: String,
    },
    /// It took too long.
    TimedOut,
    /// The connection broke.
    Broken {
        /// How.
        source: io::Error,
    },
    /// What came is not D-Bus.
    Nonsense(&'static str),
}

impl Error {
    /// The name of the error that answered a call.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Refused { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { socket, .. } => write!(f, "cannot connect to D-Bus at {}", socket.display()),
            Self::NotLetIn { words } => write!(f, "D-Bus does not let us in: it answered '{words}'"),
            Self::Refused { call, name, words } => write!(f, "{call} was refused: {words} ({name})"),
            Self::TimedOut => f.write_str("D-Bus did not answer in time"),
            Self::Broken { .. } => f.write_str("the connection to D-Bus broke"),
            Self::Nonsense(what) => write!(f, "the answer is not one of D-Bus: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable { source, .. } | Self::Broken { source } => Some(source),
            _ => None,
        }
    }
}
