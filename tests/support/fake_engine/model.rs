//! The world of the fake engine: what exists, what happened, and the one lock around both.
//!
//! ```text
//!   connections ─┐                         ┌─▶ who waits in `until` looks again
//!   scripts     ─┼─▶ Shared::change(World) ┴─▶ so does `FakeEngine::wait_for`
//!   the test    ─┘
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::exec::Execs;
use super::fault::Armed;
use super::flavour::Flavour;
use super::script::Script;
use super::{Pull, Request};

/// What a container still has to say to one that is attached: as much as a pipe and a buffer hold.
const ATTACH_ROOM: usize = 1 << 20;

/// The world behind its lock, and the threads that live in it.
pub(super) struct Shared {
    world: Mutex<World>,
    changed: Condvar,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        let (changed, threads) = (Condvar::new(), Mutex::default());
        let world = Mutex::new(world);
        Self { world, changed, threads }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the world and wakes everyone who waits for a change.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.lock();
        let outcome = change(&mut world);
        world.version += 1;
        drop(world);
        self.changed.notify_all();
        outcome
    }

    /// Waits until the closure finds what it looks for (and changes); `None` at the deadline and when the engine is dropped.
    pub(super) fn until<R>(
        &self,
        deadline: Option<Instant>,
        mut find: impl FnMut(&mut World) -> Option<R>,
    ) -> Option<R> {
        let mut world = self.lock();
        loop {
            if let Some(found) = find(&mut world) {
                world.version += 1;
                self.changed.notify_all();
                return Some(found);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if world.closing || left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            world = match left {
                Some(left) => self.changed.wait_timeout(world, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(world).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Waits for the deadline or the end of the engine.
    pub(super) fn pause(&self, deadline: Option<Instant>) {
        self.until(deadline, |_| None::<()>);
    }

    pub(super) fn spawn(self: &Arc<Self>, name: &str, work: impl FnOnce() + Send + 'static) {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread");
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }

    /// The last thread that was spawned and is not yet joined.
    pub(super) fn next_thread(&self) -> Option<JoinHandle<()>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Where a container stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Created,
    Running,
    Exited,
    /// No more in the model; only `FakeEngine::container` still shows it.
    Removed,
}

/// A container of the model.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) image: String,
    /// The create request as it came.
    pub(crate) body: Value,
    pub(crate) status: Status,
    pub(crate) exit_code: i64,
    /// Why the last start failed.
    pub(crate) error: String,
    pub(crate) oom_killed: bool,
    /// Its health check's word, if it has one.
    pub(crate) health: Option<String>,
    /// Every signal that it was sent, in order: `TERM`.
    pub(crate) signals: Vec<String>,
    pub(crate) archives: Vec<Archive>,
    /// Bytes written so far.
    pub(crate) written: usize,
    /// Times that it has ended.
    pub(super) ends: usize,
    /// Being removed, by `AutoRemove` or by a DELETE.
    pub(super) removing: bool,
    /// Within the grace of a stop.
    pub(super) stopping: bool,
    pending: VecDeque<String>,
    log: Vec<(u8, Vec<u8>)>,
    /// Deep-merged over what inspect says.
    pub(super) overlay: Value,
    /// The image's `Config`.
    pub(super) image_config: Value,
    flavour: Flavour,
}

impl Container {
    /// `web` of `CONTROLLER.podlike.web`; other names as they are.
    pub(crate) fn short_name(&self) -> &str {
        short_name(&self.name)
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.body["Labels"][key].as_str()
    }

    pub(crate) fn host_config(&self, key: &str) -> &Value {
        &self.body["HostConfig"][key]
    }

    /// A key of `Config` as it holds: the request's, else the image's.
    pub(super) fn config(&self, key: &str) -> &Value {
        let own = &self.body[key];
        if own.is_null() { &self.image_config[key] } else { own }
    }

    pub(super) fn auto_remove(&self) -> bool {
        self.host_config("AutoRemove") == &json!(true)
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.short_name() == name
    }

    /// The names of its volumes, of those that have one. A bind of a path in a volume is none.
    pub(super) fn volumes(&self) -> Vec<&str> {
        let binds = self.host_config("Binds").as_array().into_iter().flatten();
        let binds =
            binds.filter_map(|bind| Some(bind.as_str()?.split_once(':')?.0).filter(|name| !name.starts_with('/')));
        let mounts = self.host_config("Mounts").as_array().into_iter().flatten();
        let mounts = mounts.filter(|mount| mount["Type"] == "volume").filter_map(|mount| mount["Source"].as_str());
        binds.chain(mounts).collect()
    }

    fn has_health_check(&self) -> bool {
        let test = &self.config("Healthcheck")["Test"];
        test.as_array().is_some_and(|test| !test.is_empty() && test[0] != "NONE")
    }

    pub(super) fn lends_ipc(&self) -> bool {
        match self.host_config("IpcMode").as_str().unwrap_or_default() {
            "" => self.flavour.is_podman(),
            mode => !["private", "none"].contains(&mode),
        }
    }

    /// What `GET /containers/{id}/json` says.
    pub(super) fn inspect(&self) -> Value {
        let mut document = self.flavour.container();
        let mut config = document["Config"].take();
        merge(&mut config, &json!({"Hostname": self.id[..12], "Image": self.image}));
        merge(&mut config, &self.image_config);
        let mut own = self.body.clone();
        let mut host_config = document["HostConfig"].take();
        if let Some(own) = own.as_object_mut() {
            merge(&mut host_config, &own.remove("HostConfig").unwrap_or_default());
            own.remove("NetworkingConfig");
        }
        merge(&mut config, &own);
        let (running, status) = match self.status {
            // Podman's view of it.
            Status::Running if self.stopping && self.flavour.is_podman() => (false, "stopping"),
            Status::Running => (true, "running"),
            _ if self.removing => (false, "removing"),
            Status::Created => (false, "created"),
            Status::Exited | Status::Removed => (false, "exited"),
        };
        let own = json!({
            "Id": self.id, "Image": image_id(&self.image), "Name": format!("/{}", self.name),
            "State": {
                "Status": status, "Running": running, "OOMKilled": self.oom_killed, "Pid": if running { 4242 } else { 0 },
                "ExitCode": self.exit_code, "Error": self.error,
            },
            "HostConfig": host_config, "Config": config,
        });
        merge(&mut document, &own);
        for (key, file) in [("ResolvConfPath", "resolv.conf"), ("HostnamePath", "hostname"), ("HostsPath", "hosts")] {
            if document[key] != "" {
                document[key] = json!(format!("/var/lib/docker/containers/{}/{file}", self.id));
            }
        }
        if let Some(health) = &self.health {
            document["State"]["Health"] = json!({"Status": health, "FailingStreak": 0, "Log": []});
        }
        merge(&mut document, &self.overlay);
        document
    }
}

/// A tar that was PUT into a container.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    /// The directory that it was put into.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

/// One member of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) header: tar::Header,
    pub(crate) content: Vec<u8>,
}

impl Archive {
    pub(crate) fn entries(&self) -> std::io::Result<Vec<Entry>> {
        let mut archive = tar::Archive::new(self.bytes.as_slice());
        let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry?;
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            let path = entry.path()?.to_string_lossy().into_owned();
            Ok(Entry { path, header: entry.header().clone(), content })
        };
        archive.entries()?.map(read).collect()
    }
}

/// What a stream of `GET /events` tells of.
pub(super) struct Happening {
    pub(super) at: Duration,
    pub(super) document: Value,
}

struct Attached {
    container: String,
    streams: [bool; 2],
    raw: bool,
    bytes: Vec<u8>,
    /// Some are on the wire.
    busy: bool,
    ended: bool,
}

/// An error answer: status and message.
pub(super) struct Refusal(pub(super) u16, pub(super) String);

/// Everything there is.
#[expect(clippy::struct_excessive_bools, reason = "they are independent switches")]
pub(super) struct World {
    pub(super) flavour: Flavour,
    pub(super) version: u64,
    pub(super) closing: bool,
    /// It takes no connections.
    pub(super) away: bool,
    pub(super) sockets: BTreeMap<u64, UnixStream>,
    /// Watched connections whose clients have closed them.
    pub(super) gone: BTreeSet<u64>,

    pub(super) ping_version: Option<String>,
    pub(super) api: (String, String),
    pub(super) info: Value,
    pub(super) old_event_fields: bool,
    pub(super) early_refusals: bool,
    pub(super) directories: Option<BTreeSet<String>>,
    /// What inspect says, by name.
    pub(super) volumes: BTreeMap<String, Value>,
    /// What a manager of a swarm says, by id.
    pub(super) services: BTreeMap<String, Value>,
    /// `Config` by full reference.
    pub(super) images: BTreeMap<String, Value>,
    /// What lies over the documents of images, by full reference.
    pub(super) image_overlays: BTreeMap<String, Value>,
    pub(super) pulls: BTreeMap<String, Pull>,
    pub(super) scripts: BTreeMap<String, Script>,
    pub(super) execs: Execs,
    pub(super) open_gates: BTreeSet<String>,
    pub(super) faults: Vec<Armed>,
    pub(super) removal_takes: Duration,

    pub(super) requests: Vec<Request>,
    pub(super) events: Vec<Happening>,
    /// Streams of an older epoch have been cut.
    pub(super) epoch: u64,
    /// As well as waits.
    pub(super) waits_epoch: u64,
    /// The controller is the first, components follow as they were created.
    pub(super) containers: Vec<Container>,
    pub(super) removed: Vec<Container>,
    attached: BTreeMap<u64, Attached>,
    counter: u64,
}

impl World {
    /// `seed` makes the ids of this world its own.
    pub(super) fn new(seed: u64, flavour: Flavour) -> Self {
        let version = flavour.document("version");
        let of_version = |key: &str| version[key].as_str().unwrap_or_default().to_owned();
        let newest = of_version("ApiVersion");
        let mut info = flavour.document("info");
        merge(&mut info, &json!({"CgroupDriver": "systemd", "CgroupVersion": "2"}));
        let mut world = Self {
            flavour,
            version: 0,
            closing: false,
            away: false,
            sockets: BTreeMap::new(),
            gone: BTreeSet::new(),
            ping_version: Some(newest.clone()),
            api: (of_version("MinAPIVersion"), newest),
            info,
            old_event_fields: true,
            early_refusals: false,
            directories: None,
            volumes: BTreeMap::new(),
            services: BTreeMap::new(),
            images: BTreeMap::new(),
            image_overlays: BTreeMap::new(),
            pulls: BTreeMap::new(),
            scripts: BTreeMap::new(),
            execs: Execs::default(),
            open_gates: BTreeSet::new(),
            faults: Vec::new(),
            removal_takes: Duration::from_millis(10),
            requests: Vec::new(),
            events: Vec::new(),
            epoch: 0,
            waits_epoch: 0,
            containers: Vec::new(),
            removed: Vec::new(),
            attached: BTreeMap::new(),
            counter: seed,
        };
        world.images.insert(full_reference("podlike"), json!({}));
        let controller = json!({"Image": "podlike", "Labels": {}});
        let id = world.add("pod", "podlike", controller);
        world.container(&id).expect("just added").status = Status::Running;
        world
    }

    pub(super) fn count(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        self.counter
    }

    /// Ends every connection.
    pub(super) fn hang_up(&self) {
        for socket in self.sockets.values() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    // Containers: who they are.

    pub(super) fn find(&self, name: &str) -> Option<&Container> {
        let name = name.trim_start_matches('/');
        let exact = |one: &&Container| one.id == name || one.name == name;
        let prefix = |one: &&Container| !name.is_empty() && one.id.starts_with(name);
        let all = || self.containers.iter();
        all().find(exact).or_else(|| all().find(prefix))
    }

    pub(super) fn known(&self, name: &str) -> Result<&Container, Refusal> {
        let missing = || self.flavour.refusal("inspect_missing", "recorded-none", name, name);
        self.find(name).ok_or_else(missing)
    }

    pub(super) fn container(&mut self, id: &str) -> Option<&mut Container> {
        self.containers.iter_mut().find(|one| one.id == id)
    }

    /// How calls name a container: `controller`, `web`, or what was asked for when nobody is called so.
    pub(super) fn spell(&self, name: &str) -> String {
        let removed = || self.removed.iter().rev().find(|one| one.id == name);
        match self.find(name).or_else(removed) {
            Some(one) if one.id == self.containers[0].id => "controller".to_owned(),
            Some(one) => one.short_name().to_owned(),
            None => name.to_owned(),
        }
    }

    pub(super) fn add(&mut self, name: &str, image: &str, body: Value) -> String {
        let id = scattered(self.count());
        self.containers.push(Container {
            id: id.clone(),
            name: name.to_owned(),
            image: image.to_owned(),
            body,
            status: Status::Created,
            exit_code: 0,
            error: String::new(),
            oom_killed: false,
            health: None,
            signals: Vec::new(),
            archives: Vec::new(),
            written: 0,
            ends: 0,
            removing: false,
            stopping: false,
            pending: VecDeque::new(),
            log: Vec::new(),
            overlay: Value::Null,
            flavour: self.flavour,
            image_config: self.images.get(&full_reference(image)).cloned().unwrap_or_default(),
        });
        let new = self.containers.last().map(Container::volumes).unwrap_or_default();
        for name in new.into_iter().map(str::to_owned).collect::<Vec<_>>() {
            self.make_volume(&name, &Value::Null);
        }
        id
    }

    // Volumes.

    /// The volume of this name, made by a request unless it is there.
    pub(super) fn make_volume(&mut self, name: &str, request: &Value) -> Value {
        let new = json!({
            "Name": name, "Driver": "local", "Mountpoint": format!("/var/lib/docker/volumes/{name}/_data"),
            "Labels": request["Labels"], "Options": request["DriverOpts"], "Scope": "local",
            "CreatedAt": "2026-01-01T00:00:00Z",
        });
        self.volumes.entry(name.to_owned()).or_insert(new).clone()
    }

    pub(super) fn known_volume(&self, name: &str) -> Result<&Value, Refusal> {
        self.volumes.get(name).ok_or_else(|| self.flavour.refusal("volume_missing", "recorded-none", name, ""))
    }

    pub(super) fn remove_volume(&mut self, name: &str) -> Result<(), Refusal> {
        self.known_volume(name)?;
        let users = self.containers.iter().filter(|one| one.volumes().contains(&name));
        let users: Vec<&str> = users.map(|one| one.id.as_str()).collect();
        if !users.is_empty() {
            return Err(self.flavour.refusal("volume_in_use", "recorded-data", name, &users.join(", ")));
        }
        self.volumes.remove(name);
        Ok(())
    }

    // Containers: what becomes of them.

    /// The container by id or name runs from now on; the script is for the caller to play.
    pub(super) fn start(&mut self, id: &str) -> Result<Script, Refusal> {
        let one = self.known(id)?.clone();
        let script = self.script_of(&one);
        let refused = self.refuse_to_join(&one).err().or_else(|| self.refuse_users(&one).err());
        let refused = refused.or_else(|| script.start_error.clone().map(|(status, text)| Refusal(status, text)));
        if let Some(refusal) = refused {
            let code = if refusal.0 == 400 { 127 } else { 128 };
            if let Some(failed) = self.container(&one.id) {
                (failed.exit_code, failed.error) = (code, refusal.1.clone());
            }
            self.end_attached(&one.id);
            if one.auto_remove() {
                self.remove(&one.id);
            }
            return Err(refusal);
        }
        let health = one.has_health_check().then(|| "starting".to_owned());
        if let Some(started) = self.container(&one.id) {
            (started.status, started.health) = (Status::Running, health);
            (started.exit_code, started.oom_killed) = (0, false);
            started.error.clear();
            started.pending.clear();
        }
        self.happened(&one.id, "start", &[]);
        Ok(script)
    }

    fn script_of(&self, one: &Container) -> Script {
        let own = self.scripts.get(one.short_name()).or_else(|| self.scripts.get(&one.image));
        own.cloned().unwrap_or_else(|| Script::new().until_stopped())
    }

    /// Whoever joins the namespace of another needs that one running, and its IPC shareable.
    fn refuse_to_join(&self, one: &Container) -> Result<(), Refusal> {
        for kind in ["NetworkMode", "PidMode", "IpcMode"] {
            let Some(donor) = joined(one.host_config(kind)) else {
                continue;
            };
            let (id, status) = match kind {
                "NetworkMode" => (self.known(donor)?.id.clone(), 409),
                _ => (donor.to_owned(), 500),
            };
            let why = match self.known(donor) {
                Err(Refusal(_, missing)) => missing,
                Ok(donor) if donor.status != Status::Running => match kind {
                    "NetworkMode" => {
                        format!("cannot join network of a non running container: {id}")
                    }
                    _ => format!("container {} is not running", donor.id),
                },
                Ok(donor) if kind == "IpcMode" && !donor.lends_ipc() => {
                    return Err(self.flavour.refusal("start_private_ipc", "", "", &donor.id));
                }
                Ok(_) => continue,
            };
            return Err(Refusal(
                status,
                match kind {
                    "IpcMode" => format!("can't join IPC of container {id}: {why}"),
                    _ => why,
                },
            ));
        }
        Ok(())
    }

    /// Where users are remapped, nobody who is joins a namespace of who is not: in these words runc fails.
    fn refuse_users(&self, one: &Container) -> Result<(), Refusal> {
        let remaps = self.info["SecurityOptions"].as_array().is_some_and(|all| all.contains(&json!("name=userns")));
        let is_host = |one: &Container| one.host_config("UsernsMode") == &json!("host");
        let joins = ["NetworkMode", "PidMode", "IpcMode"].into_iter().filter_map(|kind| joined(one.host_config(kind)));
        if remaps && !is_host(one) && joins.filter_map(|donor| self.known(donor).ok()).any(is_host) {
            return Err(Refusal(500, "runc create failed: can't get final child's PID from pipe: EOF".to_owned()));
        }
        Ok(())
    }

    pub(super) fn signal(&mut self, id: &str, signal: &str) {
        if let Some(one) = self.container(id) {
            one.signals.push(signal.to_owned());
            one.pending.push_back(signal.to_owned());
            let number = signal_number(signal).unwrap_or(0).to_string();
            self.happened(id, "kill", &[("signal", &number)]);
        }
    }

    pub(super) fn take_signal(&mut self, id: &str) -> Option<String> {
        self.container(id)?.pending.pop_front()
    }

    pub(super) fn stop_signal(&mut self, id: &str) -> String {
        let one = self.container(id);
        let signal = one.and_then(|one| one.config("StopSignal").as_str().and_then(plain_signal));
        signal.unwrap_or_else(|| "TERM".to_owned())
    }

    pub(super) fn oom(&mut self, id: &str) {
        if let Some(one) = self.container(id) {
            one.oom_killed = true;
            self.happened(id, "oom", &[]);
        }
    }

    /// Who joined its namespaces: Podman removes a container after them only.
    pub(super) fn joiners(&self, id: &str) -> Vec<&str> {
        let joins = |one: &&Container| {
            let mut kinds = ["NetworkMode", "PidMode", "IpcMode"].into_iter();
            kinds.any(|kind| {
                joined(one.host_config(kind)).and_then(|donor| self.find(donor)).is_some_and(|donor| donor.id == id)
            })
        };
        self.containers.iter().filter(joins).map(|one| one.id.as_str()).collect()
    }

    /// A running container has ended. Says whether `AutoRemove` is to remove it now.
    pub(super) fn end(&mut self, id: &str, code: i64) -> bool {
        let Some(one) = self.container(id) else {
            return false;
        };
        (one.status, one.exit_code, one.stopping) = (Status::Exited, code, false);
        one.ends += 1;
        let removes = one.auto_remove() && !one.removing;
        one.removing |= removes;
        self.end_attached(id);
        self.happened(id, "die", &[("exitCode", &code.to_string())]);
        removes
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.end_attached(id);
        self.happened(id, "destroy", &[]);
        if let Some(at) = self.containers.iter().position(|one| one.id == id) {
            let mut one = self.containers.remove(at);
            one.status = Status::Removed;
            self.removed.push(one);
        }
    }

    pub(super) fn set_health(&mut self, id: &str, health: &str) {
        if let Some(one) = self.container(id) {
            one.health = Some(health.to_owned());
            self.happened(id, &format!("health_status: {health}"), &[]);
        }
    }

    // Output.

    /// Attaches to both or one of the streams; `logs` begins with what was written before.
    pub(super) fn attach(&mut self, id: &str, streams: [bool; 2], logs: bool) -> u64 {
        let key = self.count();
        let Some(one) = self.container(id) else {
            return key;
        };
        let raw = one.config("Tty") == &json!(true);
        let container = id.to_owned();
        // One that has ended and is being removed says no more; one that may be started still may.
        let ended = one.status == Status::Exited && (one.removing || one.auto_remove());
        let mut attached = Attached { container, streams, raw, bytes: Vec::new(), busy: false, ended };
        for (stream, bytes) in one.log.iter().filter(|_| logs) {
            attached.push(*stream, bytes);
        }
        self.attached.insert(key, attached);
        self.happened(id, "attach", &[]);
        key
    }

    pub(super) fn is_attached(&self, id: &str) -> bool {
        self.listeners(id) > 0
    }

    /// How many are attached.
    pub(super) fn listeners(&self, id: &str) -> usize {
        self.attached.values().filter(|one| one.container == id).count()
    }

    /// Writes to all that are attached, unless one of them has no room.
    pub(super) fn write(&mut self, id: &str, stream: u8, bytes: &[u8]) -> bool {
        let mine = |one: &&mut Attached| one.container == id;
        if self.attached.values_mut().filter(mine).any(|one| one.bytes.len() > ATTACH_ROOM) {
            return false;
        }
        for one in self.attached.values_mut().filter(mine) {
            one.push(stream, bytes);
        }
        if let Some(one) = self.container(id) {
            // Enough for a late reader, and no more: a flood must not fill the memory of the tests.
            if one.written < ATTACH_ROOM {
                one.log.push((stream, bytes.to_vec()));
            }
            one.written += bytes.len();
        }
        true
    }

    /// What is there for the attached one; `Some(empty)` is the end.
    pub(super) fn take_output(&mut self, key: u64) -> Option<Vec<u8>> {
        let one = self.attached.get_mut(&key)?;
        one.busy = !one.bytes.is_empty();
        (one.ended || one.busy).then(|| std::mem::take(&mut one.bytes))
    }

    /// What was taken is off the wire.
    pub(super) fn has_taken(&mut self, key: u64) {
        if let Some(one) = self.attached.get_mut(&key) {
            one.busy = false;
        }
    }

    /// Whether all who are attached have taken what there is.
    pub(super) fn is_drained(&self, id: &str) -> bool {
        let mut mine = self.attached.values().filter(|one| one.container == id);
        mine.all(|one| one.bytes.is_empty() && !one.busy)
    }

    /// Ends the streams of all who are attached, whether their containers run or not.
    pub(super) fn cut_attached(&mut self) {
        self.attached.values_mut().for_each(|one| one.ended = true);
    }

    /// A container is gone, and nobody is told.
    pub(super) fn vanish(&mut self, id: &str) {
        self.containers.retain(|one| one.id != id);
        self.waits_epoch += 1;
    }

    pub(super) fn detach(&mut self, key: u64) {
        self.attached.remove(&key);
    }

    fn end_attached(&mut self, id: &str) {
        let mine = |one: &&mut Attached| one.container == id;
        self.attached.values_mut().filter(mine).for_each(|one| one.ended = true);
    }

    // Events.

    /// Something happened to a container.
    pub(super) fn happened(&mut self, id: &str, action: &str, more: &[(&str, &str)]) {
        let Some(one) = self.find(id) else {
            return;
        };
        let mut attributes = one.inspect()["Config"]["Labels"].take();
        attributes["image"] = json!(one.image);
        attributes["name"] = json!(one.name);
        for (key, value) in more {
            attributes[*key] = json!(value);
        }
        let image = one.image.clone();
        let mut document = json!({
            "Type": "container", "Action": action, "Actor": {"ID": id, "Attributes": attributes}, "scope": "local",
        });
        document = self.flavour.event(action, document);
        if self.old_event_fields {
            let status = document["Action"].clone();
            merge(&mut document, &json!({"status": status, "id": id, "from": image}));
        }
        self.tell(document);
    }

    pub(super) fn tell(&mut self, mut document: Value) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        document["time"] = json!(at.as_secs());
        document["timeNano"] = json!(u64::try_from(at.as_nanos()).unwrap_or(0));
        self.events.push(Happening { at, document });
    }
}

impl Attached {
    fn push(&mut self, stream: u8, bytes: &[u8]) {
        if !self.streams[usize::from(stream) - 1] {
            return;
        }
        if !self.raw {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            self.bytes.extend([stream, 0, 0, 0]);
            self.bytes.extend(length.to_be_bytes());
        }
        self.bytes.extend(bytes);
    }
}

/// `X` of `container:X`.
pub(super) fn joined(mode: &Value) -> Option<&str> {
    mode.as_str()?.strip_prefix("container:")
}

pub(super) fn short_name(name: &str) -> &str {
    name.split_once(".podlike.").map_or(name, |(_, short)| short)
}

/// `web` is `web:latest`.
pub(super) fn full_reference(image: &str) -> String {
    let image = image.strip_prefix("docker.io/").map_or(image, |path| path.strip_prefix("library/").unwrap_or(path));
    let last = image.rsplit('/').next().unwrap_or_default();
    let latest = if last.contains([':', '@']) { "" } else { ":latest" };
    format!("{image}{latest}")
}

pub(super) fn image_id(image: &str) -> String {
    let sum =
        full_reference(image).bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("sha256:{}", scattered(sum))
}

/// `TERM` of `SIGTERM`, `term` and `15`.
pub(super) fn plain_signal(name: &str) -> Option<String> {
    if let Ok(number) = name.parse::<i32>() {
        let signal = Signal::try_from(number).ok()?;
        return Some(signal.as_str()[3..].to_owned());
    }
    let upper = name.to_ascii_uppercase();
    let plain = upper.strip_prefix("SIG").unwrap_or(&upper);
    signal_number(plain).map(|_| plain.to_owned())
}

pub(super) fn signal_number(plain: &str) -> Option<i64> {
    match plain.strip_prefix("RTMIN+") {
        Some(offset) => offset.parse::<i64>().ok().map(|offset| 34 + offset),
        None => Signal::from_str(&format!("SIG{plain}")).ok().map(|signal| signal as i64),
    }
}

/// Lays one document over another: objects key by key, all else as a whole.
pub(super) fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (_, Value::Null) => {}
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// 64 hexadecimal digits that differ from the first one on (the finisher of `SplitMix64`).
fn scattered(seed: u64) -> String {
    let word = |n: u64| {
        let mixed = seed.wrapping_mul(4).wrapping_add(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        format!("{:016x}", mixed ^ (mixed >> 31))
    };
    (0..4).map(word).collect()
}
