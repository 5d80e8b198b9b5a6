//! What will be done: ([`PodSpec`], [`Controller`], [`Options`]) → [`Plan`] and [`Warning`]s. Every choice about limits,
//! namespaces, volumes and names is made here, and nowhere else.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::compose::{Source, Volume};
use crate::engine::types::{self, CreateRequest, HostConfig, Mount};

use super::component::{Component, Healthcheck, Stage};
use super::labels::{COMPONENT, CONTROLLER_ID, PROJECT, PodSpec, STACK, SWARM_PREFIX, VERSION};
use super::needs::{self, Need, Until};
use super::{Controller, FileCopy};

/// Docker's own default for the time between stop and kill.
const GRACE: Duration = Duration::from_secs(10);

/// What the operator chose by flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of the command line")]
pub struct Options {
    /// Share the PID namespace.
    pub pids: bool,
    /// Share the IPC namespace.
    pub ipc: bool,
    /// Share the controller's mounts.
    pub volumes: bool,
    /// Pull every image, also those that the engine has.
    pub pull: bool,
    /// Stream the components' output.
    pub logs: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { pids: true, ipc: true, volumes: false, pull: false, logs: false }
    }
}

/// A pod, ready to be carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The components; their positions are what needs refer to.
    pub components: Vec<Planned>,
}

/// A component, ready to be created.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// The name within the pod.
    pub name: String,
    /// The name of the container.
    pub container: String,
    /// The request that creates it.
    pub request: CreateRequest,
    /// What is copied in before it starts.
    pub copies: Vec<FileCopy>,
    /// What it waits for.
    pub needs: Vec<Need>,
    /// The time between stop and kill.
    #[serde(serialize_with = "seconds")]
    pub grace: Duration,
}

fn seconds<S: serde::Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(duration.as_secs_f64())
}

/// Something that is not done as asked, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Components are not placed below the controller's cgroup.
    NotNested {
        /// The engine's cgroup version.
        version: String,
        /// The engine's cgroup driver.
        driver: String,
    },
    /// A privileged component is not placed below the controller's cgroup.
    PrivilegedNotNested {
        /// The component.
        component: String,
    },
    /// A limit is above the controller's.
    Capped {
        /// The component.
        component: String,
        /// The key of the limit.
        key: &'static str,
        /// The controller's limit, which holds.
        limit: i64,
    },
    /// A label that would make Swarm take the container for a task.
    SwarmLabel {
        /// The component.
        component: String,
        /// The key of the label.
        label: String,
    },
    /// Sharing of a mount that reaches the engine's socket.
    SocketNotShared {
        /// The path in the controller.
        destination: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNested { version, driver } => write!(
                f,
                "components are not placed in the controller's cgroup (cgroup v{version}, {driver} driver): \
                 its limits hold for each component, not for their sum"
            ),
            Self::PrivilegedNotNested { component } => write!(
                f,
                "component '{component}' is privileged and not placed in the controller's cgroup, which may not use all \
                 devices: the controller's limits hold for it alone"
            ),
            Self::Capped { component, key, limit } => {
                write!(f, "component '{component}': {key} is above the controller's limit, {limit} is used")
            }
            Self::SwarmLabel { component, label } => {
                write!(f, "component '{component}': the label '{label}' is left out, it belongs to Swarm")
            }
            Self::SocketNotShared { destination } => write!(
                f,
                "-volumes leaves out {destination}: it holds the engine's socket; a component that needs it must name it"
            ),
        }
    }
}

/// Makes the plan of a pod.
pub fn plan(spec: &PodSpec, controller: &Controller, options: Options) -> (Plan, Vec<Warning>) {
    let mut warnings = Vec::new();
    let nested = controller.cgroup.is_some()
        && controller.engine.cgroup_driver == "cgroupfs"
        && controller.engine.cgroup_version != "2";
    if !nested {
        let version = match controller.engine.cgroup_version.as_str() {
            "" => "1",
            version => version,
        };
        let driver = controller.engine.cgroup_driver.clone();
        warnings.push(Warning::NotNested { version: version.to_owned(), driver });
    }
    let shared = if options.volumes { shared_mounts(controller, &mut warnings) } else { Vec::new() };
    let mut needs = spec.needs.clone();
    let ipc = if options.ipc { Ipc::choose(spec, controller) } else { Ipc::Private };
    ipc.add_needs(spec, &mut needs);
    let auto_remove = auto_remove(controller);
    let components = spec
        .components
        .iter()
        .zip(needs)
        .enumerate()
        .map(|(position, (component, needs))| {
            let mut host_config = HostConfig {
                auto_remove,
                network_mode: format!("container:{}", controller.id),
                ipc_mode: ipc.mode(spec, controller, position),
                tmpfs: component.tmpfs.iter().cloned().collect(),
                readonly_rootfs: component.read_only,
                privileged: component.privileged,
                cap_add: component.cap_add.clone(),
                cap_drop: component.cap_drop.clone(),
                oom_score_adj: component.oom_score_adj.unwrap_or((controller.host.oom_score_adj + 1).min(1000)),
                ..HostConfig::default()
            };
            if options.pids {
                host_config.pid_mode = format!("container:{}", controller.id);
            }
            // Nobody below a cgroup may use devices that it may not.
            let outside = nested && component.privileged && !controller.host.privileged;
            if outside {
                warnings.push(Warning::PrivilegedNotNested { component: component.name.clone() });
            }
            limit(&mut host_config, component, controller, nested && !outside, &mut warnings);
            let mut request = request(component, controller, &mut warnings);
            mount(&mut request, &mut host_config, component, controller, &shared);
            request.host_config = host_config;
            Planned {
                name: component.name.clone(),
                container: container_name(controller, component),
                request,
                copies: component.copies.clone(),
                needs,
                grace: component.stop_grace_period.unwrap_or(GRACE),
            }
        })
        .collect();
    (Plan { components }, warnings)
}

fn container_name(controller: &Controller, component: &Component) -> String {
    format!("{}.podlike.{}", controller.name, component.name)
}

/// Whether the engine removes a container that ends. Where it would lose the container or its exit code by it, we do:
/// Podman forgets the code, and engines before 26 lose such containers when they come back with live-restore.
fn auto_remove(controller: &Controller) -> bool {
    let survives_restore = !controller.engine.live_restore_enabled || controller.engine.major() >= Some(26);
    !controller.engine.podman && survives_restore
}

/// The part of a request that a component decides by itself.
fn request(component: &Component, controller: &Controller, warnings: &mut Vec<Warning>) -> CreateRequest {
    let mut labels = BTreeMap::new();
    for (key, value) in &component.labels {
        if key.starts_with(SWARM_PREFIX) {
            warnings.push(Warning::SwarmLabel { component: component.name.clone(), label: key.clone() });
        } else {
            labels.insert(key.clone(), value.clone());
        }
    }
    labels.insert(CONTROLLER_ID.to_owned(), controller.id.clone());
    labels.insert(COMPONENT.to_owned(), component.name.clone());
    labels.insert(VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let inherited = |key: &str| controller.env(key).map(|value| format!("{key}={value}"));
    CreateRequest {
        image: component.image.clone(),
        cmd: component.command.clone(),
        entrypoint: match &component.entrypoint {
            Some(words) if words.is_empty() => Some(vec![String::new()]),
            entrypoint => entrypoint.clone(),
        },
        working_dir: component.working_dir.clone(),
        user: component.user.clone(),
        env: component
            .environment
            .iter()
            .filter_map(|(key, value)| match value {
                Some(value) => Some(format!("{key}={value}")),
                None => inherited(key),
            })
            .collect(),
        labels,
        tty: component.tty,
        open_stdin: component.stdin_open,
        healthcheck: component.healthcheck.as_ref().map(healthcheck),
        stop_signal: component.stop_signal.clone(),
        stop_timeout: component.stop_grace_period.map(whole_seconds),
        ..CreateRequest::default()
    }
}

/// A part of a second is one more.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn healthcheck(check: &Healthcheck) -> types::Healthcheck {
    let nanoseconds = |duration: &Option<Duration>| {
        duration.map_or(0, |duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    };
    match check {
        Healthcheck::Disabled => types::Healthcheck { test: vec!["NONE".to_owned()], ..types::Healthcheck::default() },
        Healthcheck::Check { test, interval, timeout, start_period, retries } => types::Healthcheck {
            test: test.clone().unwrap_or_default(),
            interval: nanoseconds(interval),
            timeout: nanoseconds(timeout),
            start_period: nanoseconds(start_period),
            retries: retries.unwrap_or(0),
        },
    }
}

/// Limits: below the controller's cgroup its limits hold by themselves, elsewhere each component gets them.
fn limit(
    host: &mut HostConfig,
    component: &Component,
    controller: &Controller,
    nested: bool,
    warnings: &mut Vec<Warning>,
) {
    let own = &controller.host;
    if let Some(limit) = component.mem_limit {
        host.memory = limit;
        if own.memory > 0 && limit > own.memory {
            host.memory = own.memory;
            let component = component.name.clone();
            warnings.push(Warning::Capped { component, key: "mem_limit", limit: own.memory });
        }
    }
    if nested {
        host.cgroup_parent = controller.cgroup.as_deref().unwrap_or(Path::new("")).display().to_string();
        return;
    }
    if own.memory > 0 {
        host.memory = if host.memory == 0 { own.memory } else { host.memory };
        // As much swap as the controller has, not as much memory and swap together.
        host.memory_swap = match own.memory_swap {
            limit if limit > 0 => host.memory + (limit - own.memory),
            limit => limit,
        };
    }
    host.nano_cpus = own.nano_cpus;
    host.cpu_period = own.cpu_period;
    host.cpu_quota = own.cpu_quota;
    host.cpuset_cpus.clone_from(&own.cpuset_cpus);
    host.pids_limit = own.pids_limit.filter(|limit| *limit > 0);
}

/// How the components come to one IPC namespace.
enum Ipc {
    /// They don't.
    Private,
    /// Each joins the one that the controller is in.
    Join(String),
    /// The controller's cannot be joined: the component at this position lends its own to the other ones that stay.
    Donor(usize),
}

impl Ipc {
    fn choose(spec: &PodSpec, controller: &Controller) -> Self {
        match controller.host.ipc_mode.as_str() {
            "shareable" => Self::Join(format!("container:{}", controller.id)),
            mode if mode == "host" || mode.starts_with("container:") => Self::Join(mode.to_owned()),
            _ => {
                let order = needs::order(&spec.needs).expect("the needs of a spec go in no circle");
                let mut staying = order.into_iter().filter(|position| stays(spec, *position));
                // Without one that stays there is nobody to share with.
                staying.next().map_or(Self::Private, Self::Donor)
            }
        }
    }

    /// Who joins the donor starts after it: only the namespace of a running container can be joined. The donor is the
    /// first in order, so nothing that it waits for joins it.
    fn add_needs(&self, spec: &PodSpec, needs: &mut [Vec<Need>]) {
        let Self::Donor(donor) = self else { return };
        for (position, needs) in needs.iter_mut().enumerate() {
            if position != *donor && stays(spec, position) && needs.iter().all(|need| need.on != *donor) {
                needs.push(Need { on: *donor, until: Until::Started });
            }
        }
    }

    fn mode(&self, spec: &PodSpec, controller: &Controller, position: usize) -> String {
        match self {
            Self::Join(mode) => mode.clone(),
            Self::Donor(donor) if position == *donor => "shareable".to_owned(),
            Self::Donor(donor) if stays(spec, position) => {
                format!("container:{}", container_name(controller, &spec.components[*donor]))
            }
            Self::Private | Self::Donor(_) => String::new(),
        }
    }
}

/// Whether a component is meant to run as long as the pod does.
fn stays(spec: &PodSpec, position: usize) -> bool {
    let ends = Need { on: position, until: Until::Succeeded };
    spec.components[position].stage == Stage::Main && spec.needs.iter().all(|needs| !needs.contains(&ends))
}

/// What `-volumes` shares: the controller's binds and volumes, but for those through which the engine's socket is seen.
fn shared_mounts<'a>(controller: &'a Controller, warnings: &mut Vec<Warning>) -> Vec<&'a Mount> {
    let leads_to_socket = |mount: &Mount| {
        // Also where our own mounts don't tell: the engine may be elsewhere, and the usual socket be mounted all the same.
        let source = Path::new(&mount.source);
        let usual =
            ["/var/run/docker.sock", "/run/docker.sock"].iter().any(|socket| Path::new(socket).starts_with(source));
        let by_name = mount.kind == "bind" && (usual || source.ends_with("docker.sock"));
        by_name || controller.ways_to_socket.iter().any(|way| way.starts_with(&mount.destination))
    };
    let mut shared = Vec::new();
    for mount in controller.mounts.iter().filter(|mount| matches!(mount.kind.as_str(), "volume" | "bind")) {
        if leads_to_socket(mount) {
            warnings.push(Warning::SocketNotShared { destination: mount.destination.clone() });
        } else {
            shared.push(mount);
        }
    }
    shared
}

/// Volumes of the component first: the same target of the controller's gives way.
fn mount(
    request: &mut CreateRequest,
    host: &mut HostConfig,
    component: &Component,
    controller: &Controller,
    shared: &[&Mount],
) {
    for Volume { source, target, options } in &component.volumes {
        let source = match source {
            Source::Anonymous => {
                request.volumes.insert(target.clone());
                continue;
            }
            Source::Bind(path) => path.clone(),
            Source::Named(name) => volume_name(controller, name),
        };
        host.binds.push(bind(&source, target, options));
    }
    let taken = |mount: &Mount| {
        let at = |target: &String| *target == mount.destination;
        component.volumes.iter().any(|volume| at(&volume.target))
            || component.tmpfs.iter().any(|(target, _)| at(target))
    };
    for mount in shared.iter().filter(|mount| !taken(mount)) {
        let source = if mount.kind == "volume" { &mount.name } else { &mount.source };
        let mut options = vec![if mount.writable { "rw" } else { "ro" }.to_owned()];
        if mount.kind == "bind" && !matches!(mount.propagation.as_str(), "" | "rprivate") {
            options.push(mount.propagation.clone());
        }
        options.extend(mount.mode.split(',').filter(|option| option.eq_ignore_ascii_case("z")).map(str::to_owned));
        host.binds.push(bind(source, &mount.destination, &options));
    }
}

fn bind(source: &str, target: &str, options: &[String]) -> String {
    match options {
        [] => format!("{source}:{target}"),
        options => format!("{source}:{target}:{}", options.join(",")),
    }
}

/// The volume that a name means: one of the controller's, by the name itself or with the stack's or project's before it.
fn volume_name(controller: &Controller, name: &str) -> String {
    let scoped = [STACK, PROJECT].iter().filter_map(|label| controller.labels.get(*label));
    let scoped = scoped.map(|scope| format!("{scope}_{name}"));
    let mut names = std::iter::once(name.to_owned()).chain(scoped);
    let mounted = |name: &String| controller.mounts.iter().any(|mount| mount.kind == "volume" && mount.name == *name);
    names.find(mounted).unwrap_or_else(|| name.to_owned())
}
