//! Images: what the engine has of them, and the two ways to get them there.
//!
//! ```text
//! Reference ─┬─ auth.rs    the login for its registry ─▶ pull ─┐
//!            └─ shelf.rs   the archives that hold it ──▶ load ─┴─ progress.rs ─▶ Progress
//!                └─ saved.rs  what is in an archive
//! ```

mod auth;
mod date;
mod gunzip;
mod progress;
mod reference;
mod saved;
mod shelf;

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::types::ImageDetails;
use super::{Engine, Error, QUICK, encoded};
use crate::http::{Canceller, Limit, Payload, Request};
pub use auth::{AuthHeader, Credentials, NotLogins};
pub(super) use date::moment;
pub use progress::Progress;
use progress::follow;
pub use reference::Reference;
pub use shelf::Shelf;

/// How long a load may go without a byte in either direction: some engines say nothing while they unpack a layer.
const LOAD: Duration = Duration::from_mins(10);

impl Engine {
    /// `GET /images/NAME/json`: what the engine knows of an image; none if it does not have it.
    pub fn image(&self, image: &str) -> Result<Option<ImageDetails>, Error> {
        match self.read("GET", &format!("/images/{}/json", encoded(image)), Payload::Nothing, QUICK) {
            Ok(details) => Ok(Some(details)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `POST /images/create`: pulls an image, however long that takes, for a platform such as `linux/arm64` if not for
    /// the engine's own. `connected` gets the means to give it up before anything is asked. Errors that the engine
    /// reports within its progress are errors.
    ///
    /// The engine is told the registry in full, so that a login goes where it was looked up for.
    pub fn pull(
        &self,
        image: &str,
        platform: Option<&str>,
        auth: Option<&AuthHeader>,
        connected: impl FnOnce(Canceller),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let failed = |words: String| Error::Pull { image: image.to_owned(), words };
        let reference = Reference::parse(image);
        if reference.is_id() {
            return Err(failed("an id names no registry to pull from".to_owned()));
        }
        let version = reference.tag().or(reference.digest()).unwrap_or_default();
        let mut path = format!("/images/create?fromImage={}&tag={}", encoded(&reference.name()), encoded(version));
        if let Some(platform) = platform {
            path.push_str("&platform=");
            path.push_str(&encoded(platform));
        }
        let login = auth.map(|auth| ("X-Registry-Auth", auth.as_str()));
        let request = Request { headers: login.as_slice(), ..Request::new("POST", &path) };
        let response = self.versioned(request, Payload::Nothing, Limit::Never, connected)?;
        follow("POST /images/create", response, progress)?.map_err(failed)
    }

    /// `POST /images/NAME/tag`: gives an image its own tag once more. That is how an engine with a store of its own notes
    /// when a pull was: it keeps the time of a tag, and not that of a pull. Nothing is done for an image without a tag.
    pub fn renew_tag(&self, image: &str) -> Result<(), Error> {
        let reference = Reference::parse(image);
        let Some(tag) = reference.tag() else {
            return Ok(());
        };
        let path = format!("/images/{}/tag?repo={}&tag={}", encoded(image), encoded(&reference.name()), encoded(tag));
        self.perform("POST", &path, Payload::Nothing, QUICK)
    }

    /// `POST /images/load`: gives the engine an archive of images as `docker save` makes it, compressed in whatever way
    /// the engine can read. It is given up when nothing moves for ten minutes. `connected` and errors within the progress
    /// are as with [`Self::pull`].
    pub fn load(
        &self,
        archive: &Path,
        connected: impl FnOnce(Canceller),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let file = File::open(archive).map_err(Error::Source)?;
        let mut file = BufReader::with_capacity(64 << 10, file);
        let mut push = |to: &mut dyn Write| io::copy(&mut file, to).map(drop);
        // With quiet=1 it would not be seen that something moves.
        let request = Request::new("POST", "/images/load?quiet=0");
        let response = self.versioned(request, Payload::Tar(&mut push), Limit::Idle(LOAD), connected)?;
        follow("POST /images/load", response, progress)?
            .map_err(|words| Error::Load { archive: archive.to_owned(), words })
    }
}

impl ImageDetails {
    /// When the image last got a tag here. None if the engine does not know, which is so after a pull or a load into
    /// Docker's own store (run on 20.10); the containerd store notes every pull. See [`Engine::renew_tag`].
    pub fn tagged_at(&self) -> Option<SystemTime> {
        moment(&self.metadata.last_tag_time)
    }

    /// Whether it is for a platform, `OS[/ARCHITECTURE[/VARIANT]]`. What either side leaves open fits.
    pub fn is_for(&self, platform: &str) -> bool {
        let wanted = platform.to_ascii_lowercase();
        let mut wanted = wanted.split('/');
        let architecture = |name: &str| match name {
            "x86_64" | "x86-64" => "amd64".to_owned(),
            "aarch64" => "arm64".to_owned(),
            name => name.to_owned(),
        };
        let fits = |ours: &str, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| ours.is_empty() || architecture(ours) == architecture(wanted))
        };
        [&self.os, &self.architecture, &self.variant].iter().all(|ours| fits(ours, wanted.next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_an_image_is_that_of_its_tag() {
        let details = |time: &str| -> ImageDetails {
            let text = format!(r#"{{"Id":"a","RepoTags":null,"Metadata":{{"LastTagTime":"{time}"}}}}"#);
            serde_json::from_str(&text).expect("details")
        };
        let second = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        assert_eq!(details("1970-01-01T00:00:01Z").tagged_at(), Some(second));
        assert_eq!(details("0001-01-01T00:00:00Z").tagged_at(), None);
        assert_eq!(ImageDetails::default().tagged_at(), None);
    }

    #[test]
    fn an_image_fits_a_platform_where_both_say_the_same() {
        let image = |architecture: &str, variant: &str| {
            let (os, architecture, variant) = ("linux".to_owned(), architecture.to_owned(), variant.to_owned());
            ImageDetails { os, architecture, variant, ..ImageDetails::default() }
        };
        let arm = image("arm64", "v8");
        for fits in ["linux", "linux/arm64", "linux/arm64/v8", "linux/aarch64", "Linux/ARM64"] {
            assert!(arm.is_for(fits), "{fits}");
        }
        for other in ["linux/amd64", "windows", "windows/arm64", "linux/arm64/v7", "linux/arm"] {
            assert!(!arm.is_for(other), "{other}");
        }
        assert!(image("amd64", "").is_for("linux/x86_64") && image("arm", "").is_for("linux/arm/v7"));
    }
}
