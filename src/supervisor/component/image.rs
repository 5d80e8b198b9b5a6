//! How a component gets its image: from the engine, from the folder of archives, from a registry.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{bounded, select};

use crate::engine::types::ImageDetails;
use crate::engine::{Progress, Reference};
use crate::pod::Pull;

use super::super::crew::Crew;
use super::super::error::{Error, chain, if_allowed, step};
use super::super::inbox::Report;
use super::Component;

/// Messages of this target are the state of something that goes on: on a terminal each takes the place of the last.
pub const PROGRESS: &str = "progress";

/// How often progress is told on a terminal, and elsewhere.
const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(5);

impl Component {
    /// Before the container is made: what the policy asks for although the engine may have the image.
    pub(super) fn refresh_image(&self) -> Result<(), Error> {
        let age = match self.planned.pull {
            Pull::Missing | Pull::Never => return Ok(()),
            Pull::Always if !self.has_image()? => return self.fetch_image(),
            Pull::Always if self.was_loaded()? => return Ok(()),
            Pull::Always => return self.pull(),
            Pull::After(age) => age,
        };
        let Some(image) = self.inspect_image()? else { return self.fetch_image() };
        // The engine does not say when a new image came: that is old, until a pull of ours notes the time.
        let is_young = |since: SystemTime| since.elapsed().map_or(true, |elapsed| elapsed <= age);
        if image.tagged_at().is_some_and(is_young) || self.was_loaded()? {
            return Ok(());
        }
        if let Err(error) = self.pull() {
            self.go_on()?;
            log::warn!("{}: the image stays as it is: {}", self.planned.name, chain(&error));
        }
        Ok(())
    }

    /// Gets an image that the engine does not have: out of the folder of archives, else from its registry.
    pub(super) fn fetch_image(&self) -> Result<(), Error> {
        if self.load()? {
            return Ok(());
        }
        match self.planned.pull {
            Pull::Never => {
                let (image, platform) = (self.planned.request.image.clone(), self.planned.platform.clone());
                Err(Error::NoImage { image, platform })
            }
            _ => self.pull(),
        }
    }

    /// Whether the engine has the image, for the platform that is asked for.
    pub(super) fn has_image(&self) -> Result<bool, Error> {
        Ok(self.inspect_image()?.is_some_and(|image| self.fits(&image)))
    }

    fn fits(&self, image: &ImageDetails) -> bool {
        self.planned.platform.as_ref().is_none_or(|platform| image.is_for(platform))
    }

    fn inspect_image(&self) -> Result<Option<ImageDetails>, Error> {
        self.engine.image(&self.planned.request.image).map_err(step("look for its image"))
    }

    /// Whether the image came with an archive that was loaded for another component of this pod.
    fn was_loaded(&self) -> Result<bool, Error> {
        if self.images.folder.is_none() {
            return Ok(false);
        }
        // Whoever is loading one is waited for.
        let loaded = self.images.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(!loaded.is_empty() && self.archives()?.iter().any(|archive| loaded.contains(archive)))
    }

    /// Loads the archives that may hold the image, one after the other, and says whether it is there.
    fn load(&self) -> Result<bool, Error> {
        let (name, image) = (&self.planned.name, &self.planned.request.image);
        if self.images.folder.is_none() {
            return Ok(false);
        }
        // One component at a time: what one loads, the next one has.
        let mut loaded = self.images.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        self.go_on()?;
        if self.has_image()? {
            return Ok(true);
        }
        for archive in self.archives()? {
            self.go_on()?;
            if loaded.contains(&archive) {
                continue;
            }
            log::info!("{name}: loading the image '{image}' from {}", archive.display());
            let loading = |cancel| self.inbox.send(Report::Pulling(self.who, cancel));
            match self.engine.load(&archive, loading, &mut self.telling("loading")) {
                Ok(()) => drop(loaded.insert(archive)),
                Err(error) => {
                    self.go_on()?;
                    log::warn!("{name}: {}", chain(&error));
                }
            }
            if self.has_image()? {
                self.note_time();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The archives that may hold the image, the likeliest first. To look into large ones takes long: the end of the pod
    /// does not wait for it.
    fn archives(&self) -> Result<Vec<PathBuf>, Error> {
        let (tell, found) = bounded(1);
        let (images, image) = (Arc::clone(&self.images), Reference::parse(&self.planned.request.image));
        Crew::new(self.inbox.clone()).spawn(format!("shelf/{}", self.planned.name), move || {
            // Nobody waits for it once the pod ends.
            let _ = tell.send(images.archives_of(&image));
        });
        select! {
            recv(found) -> archives => if let Ok(archives) = archives { return Ok(archives) },
            recv(self.ending) -> _ => {}
        }
        // Where the thread has crashed, that is about to end the pod.
        let _ = self.ending.recv();
        Err(Error::Over)
    }

    fn pull(&self) -> Result<(), Error> {
        self.go_on()?;
        let (name, image) = (&self.planned.name, &self.planned.request.image);
        log::info!("{name}: pulling the image '{image}'");
        let pulling = |cancel| self.inbox.send(Report::Pulling(self.who, cancel));
        let login = self.images.logins.header(&Reference::parse(image));
        let platform = self.planned.platform.as_deref();
        let pulled = self.engine.pull(image, platform, login.as_ref(), pulling, &mut self.telling("pulling"));
        pulled.map_err(step("pull its image"))?;
        self.note_time();
        // Engines pull what there is, if there is nothing for the platform.
        match (self.inspect_image()?, platform) {
            (Some(image), Some(platform)) if !self.fits(&image) => {
                Err(Error::OtherPlatform { image: self.planned.request.image.clone(), platform: platform.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Notes when the image came, where its age will be asked for.
    fn note_time(&self) {
        if let Pull::After(_) = self.planned.pull {
            let lost =
                format!("{}: the time of the pull is not noted, so the image is old at every start", self.planned.name);
            if let Err(error) = if_allowed(self.engine.renew_tag(&self.planned.request.image), &lost) {
                log::debug!("{}: the time of the pull is not noted: {}", self.planned.name, chain(&error));
            }
        }
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
