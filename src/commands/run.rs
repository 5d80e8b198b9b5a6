//! `podlike`: runs the pod that the labels of our own container describe.

use std::fs;
use std::io;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded, select};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::cli::{Flags, Settings};
use crate::engine::{Credentials, Engine, Events, Service};
use crate::health::{self, Board};
use crate::pod::{self, Controller, Placement, PodSpec};
use crate::supervisor::{self, Cause, Crew, End, Event, Images, Pod, Report, chain};

use super::controller::{controller, service, who_am_i};
use super::{Error, Outcome, health_name, host, surroundings};

/// Runs the pod to its end.
pub fn run(settings: &Settings, flags: &Flags) -> Result<Outcome, Error> {
    let (sender, inbox) = supervisor::inbox();
    let crew = Crew::new(sender);
    supervisor::listen(&crew).map_err(|source| Error::System { doing: "listen to signals", source })?;

    // In a shared PID namespace /proc/1/root would lead every component that runs as root to the engine's socket.
    if let Err(error) = prctl::set_dumpable(false) {
        log::warn!("components may see the controller's files through /proc: {error}");
    }
    if let Err(error) = open_many_files() {
        log::warn!("a pod of very many components may not start: cannot raise the number of open files: {error}");
    }

    // Nothing exists yet, so a signal can end it at any moment: this much of the preparation is left to itself.
    let (prepared, preparation) = bounded(1);
    let cloned = (settings.clone(), flags.clone(), crew.clone());
    crew.spawn("prepare".to_owned(), move || {
        // Nobody waits for it once a signal has come.
        let _ = prepared.send(prepare(&cloned.0, &cloned.1, &cloned.2));
    });
    let prepared = match wait_for(&preparation, &inbox) {
        Ok(prepared) => prepared?,
        Err(cause) => return Ok(ended_by(cause)),
    };
    let Prepared { engine, controller, spec, placement, images, health, events } = prepared;
    // To prepare its cgroup may take a while, in which it is starting.
    let board = Board::new();
    let read = board.clone();
    crew.spawn("health-server".to_owned(), move || health::serve(&health, &read));
    let (placement, slice) = match supervisor::place(&engine, &controller, placement, &crew, &inbox) {
        Ok(placed) => placed,
        Err(cause) => return Ok(ended_by(cause)),
    };
    let plan = match pod::plan(&spec, &controller, &placement, flags.options) {
        Ok((plan, warnings)) => {
            for warning in warnings {
                log::warn!("{warning}");
            }
            plan
        }
        Err(error) => {
            if let Some(slice) = slice {
                slice.remove(&engine, &crew, &inbox);
            }
            return Err(error.into());
        }
    };
    let names: Vec<String> = plan.components.iter().map(|component| component.name.clone()).collect();
    log::info!("starting {}", names.join(", "));
    let has_volume_of_task = controller.has_volume_of_task;
    let (controller, options) = (controller.id, flags.options);
    let pod = Pod { engine, controller, plan, options, images, board, events, slice, has_volume_of_task };
    let end = supervisor::run(pod, &crew, &inbox);
    Ok(Outcome::Ended { end: Box::new(end), names })
}

/// Takes as many open files as may be had: each component is two connections to the engine at least, and what a container
/// has without asking is often a thousand, for programs that cannot do with more.
fn open_many_files() -> nix::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)
}

/// What a signal, or a crash, before the first component comes to.
fn ended_by(cause: Cause) -> Outcome {
    Outcome::Ended { end: Box::new(End::new(cause, false)), names: Vec::new() }
}

/// The preparation's result, unless something comes that ends the pod before it began.
fn wait_for<T>(preparation: &Receiver<T>, inbox: &Receiver<Report>) -> Result<T, Cause> {
    loop {
        select! {
            recv(preparation) -> prepared => {
                return prepared.map_err(|_| Cause::Crashed("the preparation panicked".to_owned()));
            }
            recv(inbox) -> report => match report {
                Ok(Report::Event(Event::Signal(signal))) if supervisor::ends(signal) => {
                    return Err(Cause::Signal(signal));
                }
                Ok(Report::Event(Event::Crashed(why))) => return Err(Cause::Crashed(why)),
                _ => {}
            },
        }
    }
}

/// What a pod is made of, before anything of it is there.
struct Prepared {
    engine: Engine,
    controller: Controller,
    spec: PodSpec,
    placement: Placement,
    images: Images,
    health: UnixListener,
    events: Events,
}

/// From the environment to a pod that can be placed and run.
fn prepare(settings: &Settings, flags: &Flags, crew: &Crew) -> Result<Prepared, Error> {
    let engine = Engine::connect(host(settings)?)?;
    log::debug!("the engine at {} speaks API {}", engine.host(), engine.version());
    // The engine takes a while for this: it asks others in its turn.
    let (tell, capabilities) = bounded(1);
    let asked = engine.clone();
    crew.spawn("info".to_owned(), move || drop(tell.send(asked.capabilities())));
    let details = who_am_i(settings, &engine)?;
    let events = supervisor::subscribe(&engine, &details.id)?;
    let unasked =
        |_| Error::System { doing: "ask the engine what it can", source: io::Error::other("no thread for it") };
    let capabilities = capabilities.recv().map_err(unasked)??;
    let mut controller = Controller { instance: pod::new_instance(), ..controller(details, &engine, capabilities)? };
    let service = service(&engine, &mut controller)?;
    let spec = PodSpec::from_labels(&controller.labels, &surroundings(settings, flags))?;
    if spec.stop_grace_period.is_none() && flags.options.stop_timeout.is_none() {
        controller.stop_timeout = time_to_stop(&engine, &controller, service);
    }
    let placement = Placement::choose(&controller, flags.options.cgroup);
    // What is wrong with it shall be known before anything is made.
    let (plan, _) = pod::plan(&spec, &controller, &placement, flags.options)?;
    let images = images(settings, flags)?;
    let name = health_name(settings)?;
    let health = health::listen(&name).map_err(|source| Error::System { doing: "open the health socket", source })?;
    match supervisor::sweep(&engine, &controller.id, &plan)? {
        0 => {}
        swept => log::warn!("removed what the last run of this controller left behind: {swept} containers and volumes"),
    }
    Ok(Prepared { engine, controller, spec, placement, images, health, events })
}

/// The time that the controller has to stop, as its container or its service says it. Nothing hangs on the service's: only a
/// manager knows it. It may have been asked by now.
fn time_to_stop(engine: &Engine, controller: &Controller, asked: Option<Service>) -> Option<Duration> {
    let ask = || {
        let service = engine.service(pod::service_of(&controller.labels)?);
        service
            .inspect_err(|error| log::warn!("the service's stop_grace_period is not known: {}", chain(error)))
            .ok()?
    };
    let of_service = || asked.or_else(ask)?.grace();
    controller.stop_timeout.or_else(of_service)
}

/// Where images come from that the engine does not have.
fn images(settings: &Settings, flags: &Flags) -> Result<Images, Error> {
    if let Some(folder) = flags.images.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(Error::NoFolder { path: folder.clone() });
    }
    Ok(Images::new(logins(settings, flags)?, flags.images.clone()))
}

/// The logins for registries: of the flag, of the secret that the first podlike read, of Docker's configuration; for one
/// registry the first of them counts.
fn logins(settings: &Settings, flags: &Flags) -> Result<Credentials, Error> {
    const SECRET: &str = "/run/secrets/podlike/dockerregistryauth.json";
    // Where the first podlike read it; images without a link between the two are common.
    const OLD_SECRET: &str = "/var/run/secrets/podlike/dockerregistryauth.json";
    let configured = settings.docker_config.as_ref().map(|folder| folder.join("config.json"));
    let others =
        [Some(SECRET.into()), Some(OLD_SECRET.into()), configured].into_iter().flatten().filter(|path| path.exists());
    let mut logins = Credentials::default();
    for path in flags.registry_auth.iter().cloned().chain(others) {
        let text = fs::read(&path).map_err(|source| Error::File { path: path.clone(), source })?;
        let more = Credentials::parse(&text).map_err(|source| Error::Logins { path: path.clone(), source })?;
        if more.has_helpers() {
            log::warn!(
                "{}: credential helpers are programs that the controller does not have, only logins are used",
                path.display()
            );
        }
        logins = logins.or(more);
    }
    Ok(logins)
}
