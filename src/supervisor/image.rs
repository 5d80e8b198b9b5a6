//! How a component gets its image: from the engine, from the folder of archives, from a registry.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use crate::engine::types::ImageDetails;
use crate::engine::{Credentials, Progress, Reference, Shelf};
use crate::pod::Pull;

use super::component::{Component, step};
use super::error::{Error, chain};
use super::inbox::Report;

/// Messages of this target are the state of something that goes on: on a terminal each takes the place of the last.
pub const PROGRESS: &str = "progress";

/// How often progress is told on a terminal, and elsewhere.
const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(5);

/// Where images come from that the engine does not have.
#[derive(Debug, Default)]
pub struct Images {
    /// The logins for registries.
    pub logins: Credentials,
    /// The folder of archives, if there is one.
    pub folder: Option<PathBuf>,
    /// What is in it, once somebody has asked.
    shelf: OnceLock<Option<Shelf>>,
}

impl Images {
    /// Images from these places.
    pub fn new(logins: Credentials, folder: Option<PathBuf>) -> Self {
        Self { logins, folder, shelf: OnceLock::new() }
    }

    /// The archives that may hold an image, the likeliest first.
    fn archives_of(&self, image: &Reference) -> Vec<PathBuf> {
        let opened = self.shelf.get_or_init(|| {
            let folder = self.folder.as_ref()?;
            let unreadable = |error: &io::Error| log::warn!("cannot read the folder {}: {error}", folder.display());
            Shelf::open(folder).inspect_err(unreadable).ok()
        });
        opened.iter().flat_map(|shelf| shelf.archives_of(image)).map(PathBuf::from).collect()
    }
}

impl Component {
    /// Before the container is made: what the policy asks for although the engine may have the image.
    pub(super) fn refresh_image(&self) -> Result<(), Error> {
        match self.planned.pull {
            Pull::Missing | Pull::Never => Ok(()),
            Pull::Always if self.has_image()? => self.pull(),
            Pull::Always => self.fetch_image(),
            Pull::After(age) => {
                let tagged = self.inspect_image()?.map(|image| image.tagged_at());
                let is_old = |since: SystemTime| since.elapsed().is_ok_and(|elapsed| elapsed > age);
                match tagged {
                    None => self.fetch_image(),
                    // What cannot be renewed is used as it is.
                    Some(Some(since)) if is_old(since) => {
                        if let Err(error) = self.pull() {
                            log::warn!("{}: the image stays as it is: {}", self.planned.name, chain(&error));
                        }
                        Ok(())
                    }
                    Some(_) => Ok(()),
                }
            }
        }
    }

    /// Gets an image that the engine does not have.
    pub(super) fn fetch_image(&self) -> Result<(), Error> {
        let (name, image) = (&self.planned.name, &self.planned.request.image);
        for archive in self.images.archives_of(&Reference::parse(image)) {
            log::info!("{name}: loading the image '{image}' from {}", archive.display());
            let loading = |cancel| self.inbox.send(Report::Pulling(self.who, cancel));
            let loaded = self.engine.load(&archive, loading, &mut self.telling("loading"));
            if let Err(error) = loaded {
                log::warn!("{name}: {}", chain(&error));
            }
            if self.has_image()? {
                return Ok(());
            }
        }
        if self.planned.pull == Pull::Never {
            return Err(Error::NoImage { image: image.clone() });
        }
        self.pull()
    }

    /// Whether the engine has the image, for the platform that is asked for.
    pub(super) fn has_image(&self) -> Result<bool, Error> {
        let fits = |image: ImageDetails| self.planned.platform.as_ref().is_none_or(|it| image.is_for(it));
        Ok(self.inspect_image()?.is_some_and(fits))
    }

    fn inspect_image(&self) -> Result<Option<ImageDetails>, Error> {
        self.engine.image(&self.planned.request.image).map_err(step("look for its image"))
    }

    fn pull(&self) -> Result<(), Error> {
        let (name, image) = (&self.planned.name, &self.planned.request.image);
        log::info!("{name}: pulling the image '{image}'");
        let pulling = |cancel| self.inbox.send(Report::Pulling(self.who, cancel));
        let login = self.images.logins.header(&Reference::parse(image));
        let platform = self.planned.platform.as_deref();
        self.engine
            .pull(image, platform, login.as_ref(), pulling, &mut self.telling("pulling"))
            .map_err(step("pull its image"))
    }

    /// Tells how far it has come, but not every time.
    fn telling(&self, doing: &'static str) -> impl FnMut(Progress) + use<> {
        let often = if io::stderr().is_terminal() { OFTEN } else { SELDOM };
        let name = self.planned.name.clone();
        let mut last = Instant::now();
        move |progress| {
            if last.elapsed() >= often {
                last = Instant::now();
                log::info!(target: PROGRESS, "{name}: {doing}, {progress}");
            }
        }
    }
}
