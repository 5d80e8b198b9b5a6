//! Where images come from that the engine does not have: a folder of archives, and registries that want a login.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use crate::engine::{Credentials, Reference, Shelf};

/// Where images come from that the engine does not have.
#[derive(Debug, Default)]
pub struct Images {
    /// The logins for registries.
    pub logins: Credentials,
    /// The folder of archives, if there is one.
    pub folder: Option<PathBuf>,
    /// What is in it, once somebody has asked.
    shelf: OnceLock<Option<Shelf>>,
    /// Whose turn it is to load from it, and what has been loaded.
    pub(super) loaded: Mutex<HashSet<PathBuf>>,
}

impl Images {
    /// Images from these places.
    pub fn new(logins: Credentials, folder: Option<PathBuf>) -> Self {
        Self { logins, folder, ..Self::default() }
    }

    /// The archives that may hold an image, the likeliest first.
    pub(super) fn archives_of(&self, image: &Reference) -> Vec<PathBuf> {
        let opened = self.shelf.get_or_init(|| {
            let folder = self.folder.as_ref()?;
            let unreadable = |error: &io::Error| log::warn!("cannot read the folder {}: {error}", folder.display());
            Shelf::open(folder).inspect_err(unreadable).ok()
        });
        opened.iter().flat_map(|shelf| shelf.archives_of(image)).map(PathBuf::from).collect()
    }
}
