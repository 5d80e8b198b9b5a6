//! Who are we: the container that this process is in, as the engine and `/proc` know it.

use std::env;
use std::path::{Path, PathBuf};

use crate::cli::Settings;
use crate::engine::types::ContainerDetails;
use crate::engine::{self, Capabilities, Engine, Host, Service};
use crate::pod::identity::{self, Candidate};
use crate::pod::{self, Controller, LIFETIME, OF_TASK, VOLUME_REF};

use super::Error;

/// The first container of which `/proc` has a trace and which the engine knows to be running.
pub(super) fn who_am_i(settings: &Settings, engine: &Engine) -> Result<ContainerDetails, Error> {
    let root = Path::new("/");
    let candidates = match &settings.container_id {
        Some(id) => vec![Candidate { id: id.clone(), trace: "PODLIKE_CONTAINER_ID" }],
        None => identity::candidates(root),
    };
    let mut tried = Vec::new();
    for Candidate { id, trace } in candidates {
        match engine.inspect(&id) {
            Ok(details) if !identity::may_be_us(root, upper_dir(&details)) => {
                tried.push(format!("{trace} says {id}, whose root file system is not ours"));
            }
            Ok(details) if details.state.running => return Ok(details),
            Ok(_) => tried.push(format!("{trace} says {id}, which is not running")),
            Err(error) if error.is_not_found() => {
                tried.push(format!("{trace} says {id}, which the engine does not know"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::NoIdentity { tried })
}

/// The service that the controller is a task of, asked where its container has no labels of a pod: it gets those of the
/// service.
pub(super) fn service(engine: &Engine, controller: &mut Controller) -> Result<Option<Service>, Error> {
    let Some(id) = pod::service_of(&controller.labels).filter(|_| !pod::has_pod(&controller.labels)) else {
        return Ok(None);
    };
    let service = engine.service(id)?.ok_or(Error::NoManager)?;
    pod::take_from_service(&mut controller.labels, service.labels());
    Ok(Some(service))
}

fn upper_dir(details: &ContainerDetails) -> Option<&Path> {
    details.graph_driver.data.get("UpperDir").map(Path::new)
}

/// What a pod is made of, of our own container at an engine that can do this.
pub(super) fn controller(
    details: ContainerDetails,
    engine: &Engine,
    capabilities: Capabilities,
) -> Result<Controller, engine::Error> {
    let root = Path::new("/");
    let cgroup = identity::cgroup(root, &details.id);
    let owns_hosts = identity::has_hosts_of(root, &details.id);
    let ways_to_socket = match engine.host() {
        Host::Unix(socket) => identity::ways_to(root, socket),
        Host::Tcp(_) => Vec::new(),
        // Who has the key can do what we can.
        Host::Tls { folder, .. } => identity::ways_to(root, &folder.join("key.pem")),
    };
    let door = match engine.host() {
        Host::Unix(socket) => identity::door(root, &details.mounts, socket),
        Host::Tcp(_) | Host::Tls { .. } => None,
    };
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("/podlike"));
    let mut controller = Controller::read(details, cgroup, ways_to_socket, program, capabilities);
    controller.owns_hosts = owns_hosts;
    controller.door = door;
    let names: Vec<String> = controller.volumes().map(str::to_owned).collect();
    for name in names {
        match engine.volume(&name) {
            Ok(mut volume) => {
                controller.has_volume_of_task |= volume.labels.get(LIFETIME).is_some_and(|life| life == OF_TASK);
                let reference = volume.labels.remove(VOLUME_REF);
                controller.volume_refs.extend(reference.map(|reference| (reference, name)));
            }
            // Removed by force, although we have it.
            Err(error) if error.is_not_found() => {}
            Err(error) if error.is_forbidden() => {
                log::warn!("the controller's volumes are known by their names only, not by labels: {error}");
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(controller)
}
