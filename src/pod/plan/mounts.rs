//! What is mounted in a component: its own volumes, and what `-volumes` shares of the controller's.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::compose::{Content, Volume};
use crate::engine::types::{
    BindOptions, CreateRequest, HostConfig, ImageOptions, Mount, MountRequest, TmpfsOptions, VolumeOptions,
    VolumeRequest, since,
};

use super::super::copy::FileCopy;
use super::super::labels::{PROJECT, STACK, VERSION, VOLUME};
use super::super::volumes::{Declared, Scratch};
use super::{Component, Controller, Options, PlannedVolume, PodSpec, Warning, container_name, memory, own_labels};

/// What mounts depend on.
pub(super) struct Mounts<'a> {
    spec: &'a PodSpec,
    controller: &'a Controller,
    /// Of the controller, for everybody.
    shared: Vec<&'a Mount>,
    /// By the names that components use.
    scratch: HashMap<&'a str, &'a Scratch>,
    declared: HashMap<&'a str, &'a Declared>,
}

/// What the mounts of a component need, beside its request.
#[derive(Default)]
pub(super) struct Mounted {
    /// Volumes that must be there before.
    pub(super) volumes: Vec<PlannedVolume>,
    /// Scratch volumes on disk, that it can write to.
    pub(super) open: Vec<String>,
    /// Whether something of its own is where the controller has the engine's socket.
    pub(super) has_socket: bool,
    /// What cannot be bound.
    pub(super) copies: Vec<FileCopy>,
    /// The places of volumes by the names that the engine has for them.
    places: HashMap<String, Vec<usize>>,
}

impl Mounted {
    fn need(&mut self, volume: PlannedVolume) {
        let places = self.places.entry(volume.name().to_owned()).or_default();
        if places.iter().all(|place| self.volumes[*place] != volume) {
            places.push(self.volumes.len());
            self.volumes.push(volume);
        }
    }
}

impl<'a> Mounts<'a> {
    pub(super) fn new(
        spec: &'a PodSpec,
        controller: &'a Controller,
        options: Options,
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let shared = if options.volumes { shared_mounts(controller, warnings) } else { Vec::new() };
        let scratch = spec.scratch.iter().map(|scratch| (scratch.name.as_str(), scratch)).collect();
        let declared = spec.volumes.iter().map(|declared| (declared.key.as_str(), declared)).collect();
        Self { spec, controller, shared, scratch, declared }
    }

    /// Adds the mounts of a component to its request. Its own come first: the same target of the controller's gives way.
    pub(super) fn mount(
        &self,
        request: &mut CreateRequest,
        component: &Component,
        warnings: &mut Vec<Warning>,
    ) -> Mounted {
        let mut mounted = Mounted::default();
        for volume in &component.volumes {
            self.volume(request, component, volume, &mut mounted, warnings);
        }
        let host = &mut request.host_config;
        mounted.has_socket = has_socket(host, self.controller);
        for (name, read_only) in &component.volumes_from {
            let container = container_name(self.controller, name);
            host.volumes_from.push(if *read_only { format!("{container}:ro") } else { container });
        }
        for mount in self.shared.iter().filter(|mount| !is_taken(&mount.destination, component)) {
            let source = if mount.kind == "volume" { &mount.name } else { &mount.source };
            let mut options = vec![if mount.writable { "rw" } else { "ro" }.to_owned()];
            if mount.kind == "bind" && !matches!(mount.propagation.as_str(), "" | "rprivate") {
                options.push(mount.propagation.clone());
            }
            options.extend(mount.mode.split(',').filter(|option| option.eq_ignore_ascii_case("z")).map(str::to_owned));
            host.binds.push(bind(source, &mount.destination, &options));
        }
        mounted
    }

    fn volume(
        &self,
        request: &mut CreateRequest,
        component: &Component,
        volume: &Volume,
        mounted: &mut Mounted,
        warnings: &mut Vec<Warning>,
    ) {
        let host = &mut request.host_config;
        let mut options: Vec<String> = volume.read_only.then(|| "ro".to_owned()).into_iter().collect();
        options.extend(volume.selinux.map(String::from));
        match &volume.content {
            Content::Volume { name: None, nocopy: false, subpath: None } if !volume.read_only => {
                request.volumes.insert(volume.target.clone());
            }
            Content::Volume { name, nocopy, subpath } => {
                let scratch = name.as_deref().and_then(|name| self.scratch.get(name));
                // A scratch volume is empty, whatever an image has there.
                let nocopy = *nocopy || scratch.is_some();
                let name =
                    name.as_ref().map(|name| self.volume_name(name, &host.volume_driver, mounted)).unwrap_or_default();
                if scratch.is_some_and(|scratch| !scratch.memory) && !volume.read_only && !mounted.open.contains(&name)
                {
                    mounted.open.push(name.clone());
                }
                if name.is_empty() || subpath.is_some() {
                    let subpath = subpath.clone().unwrap_or_default();
                    host.mounts.push(MountRequest {
                        volume_options: VolumeOptions { no_copy: nocopy, subpath },
                        ..mount_request("volume", name, volume)
                    });
                } else {
                    options.extend(nocopy.then(|| "nocopy".to_owned()));
                    host.binds.push(bind(&name, &volume.target, &options));
                }
            }
            Content::Bind { path, ours, propagation, create, recursive } => {
                let host_path = if *ours { self.path_of_host(Path::new(path)) } else { Some(path.clone()) };
                let Some(source) = host_path else {
                    warnings.push(Warning::CopiedBind {
                        component: component.name.clone(),
                        source: path.clone(),
                        target: volume.target.clone(),
                    });
                    mounted.copies.push(FileCopy::new(path.into(), &volume.target));
                    return;
                };
                if *create && recursive.is_none() {
                    options.extend(propagation.clone());
                    host.binds.push(bind(&source, &volume.target, &options));
                } else {
                    let bind_options = BindOptions {
                        propagation: propagation.clone().unwrap_or_default(),
                        // An older engine refuses what is not there.
                        create_mountpoint: *create && self.controller.engine.has(since::MADE_MOUNTPOINT),
                        non_recursive: recursive.as_deref() == Some("disabled"),
                        read_only_non_recursive: recursive.as_deref() == Some("writable"),
                        read_only_force_recursive: recursive.as_deref() == Some("readonly"),
                    };
                    host.mounts.push(MountRequest { bind_options, ..mount_request("bind", source, volume) });
                }
            }
            Content::Tmpfs { size, mode } => host.mounts.push(MountRequest {
                tmpfs_options: TmpfsOptions { size_bytes: size.unwrap_or(0), mode: *mode },
                ..mount_request("tmpfs", String::new(), volume)
            }),
            Content::Image { image, subpath } => host.mounts.push(MountRequest {
                image_options: ImageOptions { subpath: subpath.clone().unwrap_or_default() },
                ..mount_request("image", image.clone(), volume)
            }),
        }
    }

    /// The engine's name for a volume: of the pod, of the Compose file, of the controller, or as it is. One that is
    /// nobody's is made.
    fn volume_name(&self, name: &str, driver: &str, mounted: &mut Mounted) -> String {
        if let Some(scratch) = self.scratch.get(name) {
            let volume = scratch_volume(scratch, self.controller);
            let name = volume.name.clone();
            mounted.need(PlannedVolume::Make(volume));
            return name;
        }
        let declared = self.declared.get(name).copied();
        if let Some(Declared { external: true, name: Some(exact), .. }) = declared {
            mounted.need(PlannedVolume::External(exact.clone()));
            return exact.clone();
        }
        let has_own_name = declared.is_some_and(|declared| declared.name.is_some());
        if let Some(known) = self.known(name).filter(|_| !has_own_name) {
            return known;
        }
        let declared = declared.cloned().unwrap_or_default();
        let scoped = match (&declared.key, &self.spec.project) {
            (key, Some(project)) if key == name => format!("{project}_{name}"),
            _ => name.to_owned(),
        };
        let exact = declared.name.unwrap_or(scoped);
        let mut labels = declared.labels;
        labels.insert(VOLUME.to_owned(), name.to_owned());
        labels.insert(VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let driver = if declared.driver.is_empty() { driver.to_owned() } else { declared.driver };
        let made = VolumeRequest { name: exact.clone(), driver, driver_opts: declared.driver_opts, labels };
        mounted.need(PlannedVolume::Make(made));
        exact
    }

    /// A volume of the controller that a name means: by its reference label, with the stack's or project's name before
    /// it, or by the name itself.
    fn known(&self, name: &str) -> Option<String> {
        if let Some(volume) = self.controller.volume_refs.get(name) {
            return Some(volume.clone());
        }
        let scopes = [STACK, PROJECT].iter().filter_map(|label| self.controller.labels.get(*label));
        let in_scope = scopes.chain(&self.spec.project).map(|scope| format!("{scope}_{name}"));
        let mut names = in_scope.chain([name.to_owned()]);
        names.find(|name| self.controller.mounts.iter().any(|mount| mount.kind == "volume" && mount.name == *name))
    }

    /// Where the host has a path of the controller: the engine knows it by what is mounted there.
    fn path_of_host(&self, path: &Path) -> Option<String> {
        let holding = self.controller.mounts.iter().filter(|mount| path.starts_with(&mount.destination));
        let mount = holding.max_by_key(|mount| mount.destination.len())?;
        if !matches!(mount.kind.as_str(), "bind" | "volume") {
            return None;
        }
        let below = path.strip_prefix(&mount.destination).unwrap_or(Path::new(""));
        let source = Path::new(&mount.source);
        let source = if below.as_os_str().is_empty() { source.to_owned() } else { source.join(below) };
        Some(source.display().to_string())
    }
}

fn scratch_volume(scratch: &Scratch, controller: &Controller) -> VolumeRequest {
    let mut labels = own_labels(controller);
    labels.insert(VOLUME.to_owned(), scratch.name.clone());
    let name = format!("{}.podlike-volume.{}", controller.name, scratch.name);
    let driver_opts = if scratch.memory { memory::options(scratch.size, "1777") } else { BTreeMap::new() };
    VolumeRequest { name, driver: "local".to_owned(), driver_opts, labels }
}

fn mount_request(kind: &str, source: String, volume: &Volume) -> MountRequest {
    MountRequest {
        kind: kind.to_owned(),
        source,
        target: volume.target.clone(),
        read_only: volume.read_only,
        ..MountRequest::default()
    }
}

fn bind(source: &str, target: &str, options: &[String]) -> String {
    match options {
        [] => format!("{source}:{target}"),
        options => format!("{source}:{target}:{}", options.join(",")),
    }
}

/// Whether a component has something of its own at a path.
fn is_taken(path: &str, component: &Component) -> bool {
    let HostConfig { tmpfs, .. } = &component.request.host_config;
    let volumes = component.volumes.iter().map(|volume| volume.target.as_str());
    let mut own = volumes.chain(tmpfs.keys().map(String::as_str));
    let in_place = own.any(|target| Path::new(target) == Path::new(path));
    // What is mounted deeper would hide one of its secrets.
    in_place || component.projected_at().iter().any(|target| Path::new(path).starts_with(target))
}

/// Whether a mount of the controller is one through which the engine's socket is seen.
fn leads_to_socket(mount: &Mount, controller: &Controller) -> bool {
    // Also where our own mounts don't tell: the engine may be elsewhere, and the usual socket be mounted all the same.
    let source = Path::new(&mount.source);
    let usual = ["/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock"]
        .iter()
        .any(|socket| Path::new(socket).starts_with(source));
    let named = source.ends_with("docker.sock") || source.ends_with("podman.sock");
    let by_name = mount.kind == "bind" && (usual || named);
    by_name || controller.ways_to_socket.iter().any(|way| way.starts_with(&mount.destination))
}

/// Whether a component has such a mount, or something below it.
fn has_socket(host: &HostConfig, controller: &Controller) -> bool {
    let binds = host.binds.iter().map(|bind| bind.split(':').next().unwrap_or(bind));
    let sources: Vec<&str> = binds.chain(host.mounts.iter().map(|mount| mount.source.as_str())).collect();
    controller.mounts.iter().filter(|mount| leads_to_socket(mount, controller)).any(|mount| {
        // One of a plugin may have no path on the host.
        let is_below = |source: &str| !mount.source.is_empty() && Path::new(source).starts_with(&mount.source);
        sources.iter().any(|source| !source.is_empty() && (*source == mount.name || is_below(source)))
    })
}

/// What `-volumes` shares: the controller's binds and volumes, but for those through which the engine's socket is seen.
fn shared_mounts<'a>(controller: &'a Controller, warnings: &mut Vec<Warning>) -> Vec<&'a Mount> {
    let mut shared = Vec::new();
    for mount in controller.mounts.iter().filter(|mount| matches!(mount.kind.as_str(), "volume" | "bind")) {
        if leads_to_socket(mount, controller) {
            warnings.push(Warning::SocketNotShared { destination: mount.destination.clone() });
        } else {
            shared.push(mount);
        }
    }
    shared
}
