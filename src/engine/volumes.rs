//! Volumes.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::podman;
use super::types::{Volume, VolumeRequest, null_is_empty};
use super::{Engine, Error, QUICK, WORK, encoded, json};
use crate::http::Payload;

impl Engine {
    /// `GET /volumes/NAME`: what the engine knows of a volume.
    pub fn volume(&self, name: &str) -> Result<Volume, Error> {
        self.read("GET", &format!("/volumes/{}", encoded(name)), Payload::Nothing, QUICK)
    }

    /// `POST /volumes/create`: makes a volume. One that is there already comes back as it is, with its own labels and
    /// options: whoever cares compares.
    pub fn create_volume(&self, request: &VolumeRequest) -> Result<Volume, Error> {
        let request = if self.podman { podman::volume(request, podman::page()) } else { Cow::Borrowed(request) };
        // An engine looks for a driver that it does not know for 15 seconds.
        self.read("POST", "/volumes/create", Payload::Json(&json(&*request)), WORK)
    }

    /// `DELETE /volumes/NAME`. One that is not there is fine; one that a container has, running or not, is a conflict.
    pub fn remove_volume(&self, name: &str) -> Result<(), Error> {
        match self.perform("DELETE", &format!("/volumes/{}", encoded(name)), Payload::Nothing, WORK) {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    /// `GET /volumes`: the volumes of the driver `local` that carry a label, as `KEY` or `KEY=VALUE`. The engine asks no plugin
    /// for them: one that hangs is in nobody's way.
    pub fn local_volumes(&self, label: &str) -> Result<Vec<Volume>, Error> {
        self.volumes(&serde_json::json!({"driver": ["local"], "label": [label]}))
    }

    /// `GET /volumes`: those of any driver that carry a label, and that no container has, running or not. What the engine
    /// warns of, such as a driver that does not answer, is logged.
    pub fn unused_volumes(&self, label: &str) -> Result<Vec<Volume>, Error> {
        self.volumes(&serde_json::json!({"dangling": ["true"], "label": [label]}))
    }

    fn volumes(&self, filters: &Value) -> Result<Vec<Volume>, Error> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        struct Found {
            #[serde(deserialize_with = "null_is_empty")]
            volumes: Vec<Volume>,
            #[serde(deserialize_with = "null_is_empty")]
            warnings: Vec<String>,
        }
        let path = format!("/volumes?filters={}", encoded(&filters.to_string()));
        let found: Found = self.read("GET", &path, Payload::Nothing, WORK)?;
        for warning in found.warnings {
            log::warn!("volumes: the engine warns: {warning}");
        }
        Ok(found.volumes)
    }
}
