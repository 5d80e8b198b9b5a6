//! Volumes.

use super::http::Payload;
use super::types::Volume;
use super::{Engine, Error, QUICK, encoded};

impl Engine {
    /// `GET /volumes/NAME`: what the engine knows of a volume.
    pub fn volume(&self, name: &str) -> Result<Volume, Error> {
        self.read("GET", &format!("/volumes/{}", encoded(name)), Payload::Nothing, QUICK)
    }
}
