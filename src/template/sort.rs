//! What a template makes.

use std::fmt;

/// The sorts of templates, by their keys in `x-podlike`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The controller's service.
    Pod,
    /// Init components.
    Init,
    /// The main component.
    Transformer,
    /// Other components.
    Templates,
    /// What is copied into components.
    Copy,
}

impl Sort {
    pub(super) const ALL: [Self; 5] = [Self::Pod, Self::Init, Self::Transformer, Self::Templates, Self::Copy];

    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Init => "init",
            Self::Transformer => "transformer",
            Self::Templates => "templates",
            Self::Copy => "copy",
        }
    }
}

/// The key.
impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}
