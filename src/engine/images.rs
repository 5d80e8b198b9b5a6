//! Images: does the engine have one, and pulling it.

use serde::Deserialize;

use super::host::{Canceller, Limit};
use super::http::{Payload, Request};
use super::{Engine, Error, JsonLines, QUICK, encoded};

impl Engine {
    /// `GET /images/NAME/json`: whether the engine has the image.
    pub fn has_image(&self, image: &str) -> Result<bool, Error> {
        match self.perform("GET", &format!("/images/{}/json", encoded(image)), Payload::Nothing, QUICK) {
            Ok(()) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `POST /images/create`: pulls an image, however long that takes. `connected` gets the means to give it up before
    /// anything is asked. Errors that the engine reports within its progress are errors.
    pub fn pull(&self, image: &str, connected: impl FnOnce(Canceller)) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Progress {
            #[serde(default)]
            error: Option<String>,
        }
        let (name, tag) = split(image);
        let path = format!("/images/create?fromImage={}&tag={}", encoded(name), encoded(tag));
        let response = self.versioned(Request::new("POST", &path), Payload::Nothing, Limit::Never, connected)?;
        for progress in JsonLines::<Progress>::new("POST /images/create", response.body) {
            if let Some(words) = progress?.error {
                return Err(Error::Pull { image: image.to_owned(), words });
            }
        }
        Ok(())
    }
}

/// A reference as the two parameters of a pull: the name, and the tag or digest (`latest` if there is neither).
fn split(image: &str) -> (&str, &str) {
    if let Some((name, digest)) = image.split_once('@') {
        return (name, digest);
    }
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_reference_is_split_where_docker_splits_it() {
        for (image, name, tag) in [
            ("nginx", "nginx", "latest"),
            ("org/img:1", "org/img", "1"),
            ("host:5000/x", "host:5000/x", "latest"),
            ("host:5000/x:2", "host:5000/x", "2"),
            ("host:5000/x@sha256:ab", "host:5000/x", "sha256:ab"),
        ] {
            assert_eq!(split(image), (name, tag), "{image}");
        }
    }
}
