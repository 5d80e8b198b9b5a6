//! How a component gets its volumes.

use std::sync::PoisonError;

use crate::engine;
use crate::engine::types::{CreateRequest, HostConfig};
use crate::pod::{CONTROLLER_ID, INSTANCE, Planned, PlannedVolume};

use super::super::error::{Error, chain, step};
use super::Component;

/// Where a volume is in the container that opens it.
const VOLUME: &str = "volume";
/// As `/tmp`: everybody may write, and remove what is his.
const OPEN: u32 = 0o1777;

impl Component {
    /// Makes the volumes that it needs, unless they are there.
    pub(super) fn make_volumes(&self) -> Result<(), Error> {
        for volume in &self.planned.volumes {
            self.go_on()?;
            match volume {
                PlannedVolume::Make(request) => {
                    let made = self.engine.create_volume(request).map_err(step("make its volume"))?;
                    let owner = request.labels.get(CONTROLLER_ID);
                    // One that goes with the pod, and may be for secrets, must not be somebody's on a disk.
                    if owner.is_some() && made.labels.get(CONTROLLER_ID) != owner {
                        return Err(Error::VolumeTaken { name: request.name.clone() });
                    }
                }
                PlannedVolume::External(name) => match self.engine.volume(name) {
                    Err(error) if error.is_not_found() => return Err(Error::NoVolume { name: name.clone() }),
                    result => drop(result.map_err(step("look for its volume"))?),
                },
            }
        }
        Ok(())
    }

    /// Lets everybody write to its scratch volumes.
    pub(super) fn open_volumes(&self) -> Result<(), Error> {
        self.planned.open.iter().try_for_each(|volume| self.open(volume))
    }

    /// Lets everybody write to a volume that the engine made, and that is root's alone. That takes a container that has it
    /// and whose root can be written: one that is never started.
    fn open(&self, volume: &str) -> Result<(), Error> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.contains(volume) {
            return Ok(());
        }
        self.go_on()?;
        let host_config = HostConfig {
            network_mode: "none".to_owned(),
            binds: vec![format!("{volume}:/{VOLUME}:nocopy")],
            ..HostConfig::default()
        };
        let Planned { request, platform, .. } = &*self.planned;
        let labels = request.labels.iter().filter(|(key, _)| [CONTROLLER_ID, INSTANCE].contains(&key.as_str()));
        let labels = labels.map(|(key, value)| (key.clone(), value.clone())).collect();
        let request = CreateRequest {
            image: request.image.clone(),
            entrypoint: Some(vec!["none".to_owned()]),
            labels,
            host_config,
            ..CreateRequest::default()
        };
        let failed = || step("open its volume to all users");
        let name = format!("{volume}.opener");
        let made = self.engine.create(&name, &request, platform.as_deref());
        let set = made.as_ref().map_or(Ok(()), |id| self.engine.set_mode(id, VOLUME, OPEN));
        let gone = made.as_ref().ok().filter(|id| self.engine.remove(id).is_ok());
        let gone = gone.map_or_else(|| self.see_go(&name), |_| Ok(()));
        made.map_err(failed())?;
        gone.map_err(failed())?;
        set.map_err(failed())?;
        opened.insert(volume.to_owned());
        Ok(())
    }

    /// Removes the opener if it is there and ours: a create that broke may have made one.
    fn see_go(&self, opener: &str) -> Result<(), engine::Error> {
        let gone = match self.engine.inspect(opener) {
            Ok(found) if found.config.labels.get(CONTROLLER_ID) == self.planned.request.labels.get(CONTROLLER_ID) => {
                self.engine.remove(&found.id)
            }
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        };
        gone.inspect_err(|error| log::error!("the container {opener} may be left behind: {}", chain(error)))
    }
}
