//! `secrets` and `configs` of a component: files that it sees and that no disk of the engine ever holds.

use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

/// A file in a component, in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Projection {
    /// What is in it.
    pub content: Content,
    /// The absolute path in the component.
    pub target: String,
    /// Its owner.
    pub uid: u64,
    /// Its group.
    pub gid: u64,
    /// Its mode.
    pub mode: u32,
}

/// Where the content of a secret or config comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Content {
    /// A file of the controller.
    File(PathBuf),
    /// The text itself, which nothing shows.
    Text(Hidden),
}

/// A text that no message shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("(hidden)")
    }
}
