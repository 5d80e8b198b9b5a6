//! A fake Docker engine: real HTTP over a unix socket, a small truthful model of containers behind it.
//!
//! ```text
//!   podlike ──unix socket──▶ connection threads ──▶ faults ──▶ routes ──▶ World ◀── script threads
//!                                                                          ▲      (one per container)
//!   the test ── image, script, fault, set_health ─▶ FakeEngine ────────────┤
//!            ◀─ requests, calls, container, wait_for ──────────────────────┘
//! ```
//!
//! It behaves as the engine of its flavour does, Docker 20.10 by default, as far as a pod can notice, and speaks as that was
//! recorded (`tests/golden/engines`). Its controller is no process: the test
//! sets what the engine says about that container, and runs podlike with its id.

mod exec;
mod fault;
mod flavour;
mod http;
mod model;
mod routes;
mod script;

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use self::exec::Program;
pub(crate) use self::fault::{Call, Fault};
pub(crate) use self::flavour::Flavour;
pub(crate) use self::model::{Container, Status};
pub(crate) use self::script::Script;

use super::endpoints::{Endpoint, endpoints};

use self::fault::Armed;
use self::http::{Head, Wire, read_body, read_head};
use self::model::{Refusal, Shared, World, full_reference, merge, short_name};
use self::routes::{Reply, pulled_reference, refuse_archive, route};

/// A request that has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// `1.41`, of `/v1.41/…`.
    pub(crate) version: Option<String>,
    /// Without the version.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
    /// Whether it has its answer, whole; a stream when it has ended.
    pub(crate) answered: bool,
    /// In short, containers by their component's name: `POST /containers/create web`, `POST /containers/web/start`,
    /// `PUT /containers/web/archive /etc`, `GET /containers/controller/json`, `POST /volumes/create data`,
    /// `POST /containers/web/exec check`, `POST /exec/web/start`.
    pub(crate) call: String,
}

impl Request {
    /// The body as JSON; null if it is not.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What a pull of an image does. The value is the image's `Config`.
#[derive(Clone, Debug)]
pub(crate) enum Pull {
    Works(Value),
    /// Goes on when the gate is opened with [`FakeEngine::open`].
    Held(String, Value),
    /// Tells of so many steps of its progress, with a pause before each.
    Slow(u32, Duration, Value),
    /// An error inside the body of a 200.
    ErrorLine(String),
    Refused(u16, String),
}

/// The engine. Ends its threads and takes its socket away when it is dropped.
pub(crate) struct FakeEngine {
    shared: Arc<Shared>,
    socket: PathBuf,
    _home: TempDir,
}

impl FakeEngine {
    /// An engine of the default flavour and one container: the controller, called `pod`, without labels.
    pub(crate) fn new() -> Self {
        Self::of(Flavour::by_default())
    }

    pub(crate) fn of(flavour: Flavour) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let socket = home.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        // The name of the directory is random: controllers of engines that run at a time must differ in their ids.
        let mut seed = DefaultHasher::new();
        socket.hash(&mut seed);
        let shared = Arc::new(Shared::new(World::new(seed.finish(), flavour)));
        let world = Arc::clone(&shared);
        shared.spawn("accept", move || accept(&world, &listener));
        Self { shared, socket, _home: home }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// As in `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    fn set(&self, change: impl FnOnce(&mut World)) -> &Self {
        self.shared.change(change);
        self
    }

    // The controller.

    pub(crate) fn controller_id(&self) -> String {
        self.shared.look(|world| world.containers[0].id.clone())
    }

    pub(crate) fn controller_name(&self, name: &str) -> &Self {
        self.set(|world| name.clone_into(&mut world.containers[0].name))
    }

    /// A label of the controller.
    pub(crate) fn label(&self, key: &str, value: &str) -> &Self {
        self.set(|world| world.containers[0].body["Labels"][key] = json!(value))
    }

    /// Lays a document over what inspect says of the controller: `{"HostConfig": {"IpcMode": "shareable"}}`.
    pub(crate) fn controller(&self, overlay: &Value) -> &Self {
        self.set(|world| {
            let one = &mut world.containers[0];
            merge(&mut one.overlay, overlay);
            // Who joins it asks the model, not the document.
            merge(&mut one.body, &json!({ "HostConfig": overlay["HostConfig"] }));
        })
    }

    // What the engine has and is.

    /// The versions that it speaks; `/_ping` names the second.
    pub(crate) fn api(&self, min: &str, max: &str) -> &Self {
        self.set(|world| {
            world.api = (min.to_owned(), max.to_owned());
            world.ping_version = Some(max.to_owned());
        })
    }

    /// The `Api-Version` header of its answers, if they are to have another one or none.
    pub(crate) fn ping_version(&self, version: Option<&str>) -> &Self {
        self.set(|world| world.ping_version = version.map(ToOwned::to_owned))
    }

    /// Lays a document over `GET /info`.
    pub(crate) fn info(&self, overlay: &Value) -> &Self {
        self.set(|world| merge(&mut world.info, overlay))
    }

    pub(crate) fn image(&self, reference: &str) -> &Self {
        self.image_with(reference, json!({}))
    }

    /// An image with a `Config`: `{"Healthcheck": …, "User": …}`.
    pub(crate) fn image_with(&self, reference: &str, config: Value) -> &Self {
        self.set(|world| drop(world.images.insert(full_reference(reference), config)))
    }

    /// Lays a document over what inspect says of an image: `{"Metadata": {"LastTagTime": …}, "Architecture": "arm64"}`.
    pub(crate) fn image_says(&self, reference: &str, overlay: Value) -> &Self {
        self.set(|world| drop(world.image_overlays.insert(full_reference(reference), overlay)))
    }

    /// An image that is not there yet (unscripted ones: 404, access denied).
    pub(crate) fn pull(&self, reference: &str, pull: Pull) -> &Self {
        self.set(|world| drop(world.pulls.insert(full_reference(reference), pull)))
    }

    pub(crate) fn volume(&self, name: &str, mountpoint: &str) -> &Self {
        self.set(|world| {
            world.make_volume(name, &json!({}));
            world.volumes.entry(name.to_owned()).and_modify(|volume| volume["Mountpoint"] = json!(mountpoint));
        })
    }

    /// A volume with a label, for example what is left of another run.
    pub(crate) fn volume_of(&self, name: &str, key: &str, value: &str) -> &Self {
        self.set(|world| drop(world.make_volume(name, &json!({"Labels": {key: value}}))))
    }

    /// A service of the swarm that it manages, with the time that its tasks have to stop.
    pub(crate) fn service(&self, id: &str, grace: Duration) -> &Self {
        let spec = json!({"TaskTemplate": {"ContainerSpec": {"StopGracePeriod": u64::try_from(grace.as_nanos()).expect("small")}}});
        self.set(|world| drop(world.services.insert(id.to_owned(), json!({"ID": id, "Spec": spec}))))
    }

    /// The same, with labels of its own and no grace.
    pub(crate) fn service_with(&self, id: &str, labels: &Value) -> &Self {
        self.set(|world| drop(world.services.insert(id.to_owned(), json!({"ID": id, "Spec": {"Labels": labels}}))))
    }

    /// What containers of this component name or image do; others run until they are stopped.
    pub(crate) fn script(&self, name_or_image: &str, script: Script) -> &Self {
        self.set(|world| drop(world.scripts.insert(name_or_image.to_owned(), script)))
    }

    /// What a command does that is run in a container, by its first word.
    pub(crate) fn program(&self, word: &str, program: Program) -> &Self {
        self.set(|world| drop(world.execs.programs.insert(word.to_owned(), program)))
    }

    /// The requests for commands so far, in order.
    pub(crate) fn execs(&self) -> Vec<Value> {
        self.shared.look(|world| world.execs.bodies())
    }

    /// The only directories, besides `/`, that containers have. Without it they have all.
    pub(crate) fn directories(&self, paths: &[&str]) -> &Self {
        self.set(|world| world.directories = Some(paths.iter().map(ToString::to_string).collect()))
    }

    /// A refused archive is answered, and its connection closed, before its body is read: as real engines do.
    pub(crate) fn early_refusals(&self, early: bool) -> &Self {
        self.set(|world| world.early_refusals = early)
    }

    /// Events with the `status`, `id` and `from` of engines before 29.
    pub(crate) fn old_event_fields(&self, old: bool) -> &Self {
        self.set(|world| world.old_event_fields = old)
    }

    /// The time from the end of an `AutoRemove` container to its removal.
    pub(crate) fn removal_takes(&self, time: Duration) -> &Self {
        self.set(|world| world.removal_takes = time)
    }

    /// A container that has ended before the test began, for example what is left of another run. Returns its id.
    pub(crate) fn leftover(&self, name: &str, body: Value) -> String {
        self.shared.change(|world| {
            let image = body["Image"].as_str().unwrap_or("leftover").to_owned();
            let id = world.add(name, &image, body);
            world.container(&id).expect("just added").status = Status::Exited;
            id
        })
    }

    /// Lays a document over what inspect says of a container: `{"State": {"FinishedAt": …}}`.
    pub(crate) fn container_says(&self, name: &str, overlay: &Value) -> &Self {
        let id = self.container(name).map(|one| one.id).unwrap_or_default();
        self.set(|world| {
            if let Some(one) = world.container(&id) {
                merge(&mut one.overlay, overlay);
            }
        })
    }

    // What happens.

    /// Spoils the calls; see [`Call`].
    pub(crate) fn fault(&self, call: impl Into<Call>, fault: Fault) -> &Self {
        self.arm(call.into(), fault, false)
    }

    /// As [`Self::fault`], but the engine has done the work when the answer is spoilt.
    pub(crate) fn fault_after(&self, call: impl Into<Call>, fault: Fault) -> &Self {
        self.arm(call.into(), fault, true)
    }

    fn arm(&self, call: Call, fault: Fault, after_work: bool) -> &Self {
        self.set(|world| {
            world.faults.push(Armed { call, fault, after_work, seen: 0 });
        })
    }

    pub(crate) fn clear_faults(&self) -> &Self {
        self.set(|world| world.faults.clear())
    }

    /// Opens a gate that scripts, pulls or answers wait for.
    pub(crate) fn open(&self, gate: &str) -> &Self {
        self.set(|world| world.open_gates.extend([gate.to_owned()]))
    }

    /// The health of a container changes: `healthy`, `unhealthy`, `starting`.
    pub(crate) fn set_health(&self, name: &str, health: &str) -> &Self {
        let id = self.container(name).map(|one| one.id).unwrap_or_default();
        self.set(|world| world.set_health(&id, health))
    }

    /// As [`Self::set_health`] while no event stream hears of it.
    pub(crate) fn set_health_silently(&self, name: &str, health: &str) -> &Self {
        let id = self.container(name).map(|one| one.id).unwrap_or_default();
        self.set(|world| {
            if let Some(one) = world.container(&id) {
                one.health = Some(health.to_owned());
            }
        })
    }

    /// The OOM killer strikes in a container, which goes on, while no event stream hears of it.
    pub(crate) fn oom_silently(&self, name: &str) -> &Self {
        let id = self.container(name).map(|one| one.id).unwrap_or_default();
        self.set(|world| {
            if let Some(one) = world.container(&id) {
                one.oom_killed = true;
            }
        })
    }

    /// Cuts every open stream of events.
    pub(crate) fn cut_events(&self) -> &Self {
        self.set(|world| world.epoch += 1)
    }

    /// Cuts every open wait, without an answer.
    pub(crate) fn cut_waits(&self) -> &Self {
        self.set(|world| world.waits_epoch += 1)
    }

    /// Cuts every open attach stream; the containers run on.
    pub(crate) fn cut_attaches(&self) -> &Self {
        self.set(World::cut_attached)
    }

    /// A container is gone without a word, as by a hand at the engine's data.
    pub(crate) fn vanish(&self, name: &str) -> &Self {
        let id = self.container(name).map(|one| one.id).unwrap_or_default();
        self.set(|world| world.vanish(&id))
    }

    /// Cuts every connection, and refuses new ones until [`Self::come_back`]; the containers run on, as with live restore.
    pub(crate) fn go_away(&self) {
        fs::rename(&self.socket, self.socket.with_extension("away")).expect("it is there");
        // A socket that nobody listens on.
        drop(UnixListener::bind(&self.socket).expect("a socket"));
        self.set(|world| {
            world.away = true;
            world.epoch += 1;
            world.waits_epoch += 1;
            world.cut_attached();
            world.hang_up();
        });
    }

    pub(crate) fn come_back(&self) {
        self.set(|world| world.away = false);
        fs::rename(self.socket.with_extension("away"), &self.socket).expect("it went away");
    }

    // What the test asks.

    /// Every request, in order of arrival (of its body's end). Its work may still be under way.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.look(|world| world.requests.clone())
    }

    /// [`Request::call`] of every request.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.shared.look(|world| world.requests.iter().map(|request| request.call.clone()).collect())
    }

    /// How often the call has been seen.
    pub(crate) fn seen(&self, call: impl Into<Call>) -> usize {
        let call = call.into();
        self.shared.look(|world| world.requests.iter().filter(|request| call.is(&request.call)).count())
    }

    /// The containers that there are, without the controller, oldest first.
    pub(crate) fn containers(&self) -> Vec<Container> {
        self.shared.look(|world| world.containers[1..].to_vec())
    }

    /// What inspect says of the volumes, by name.
    pub(crate) fn volumes(&self) -> BTreeMap<String, Value> {
        self.shared.look(|world| world.volumes.clone())
    }

    /// The last container of this name or component name, also when it has been removed.
    pub(crate) fn container(&self, name: &str) -> Option<Container> {
        self.shared.look(|world| {
            let mut all = world.removed.iter().chain(&world.containers);
            all.rfind(|one| one.is_called(name)).cloned()
        })
    }

    /// How many are attached to a container.
    pub(crate) fn listeners(&self, name: &str) -> usize {
        let id = self.container(name).map(|one| one.id).unwrap_or_default();
        self.shared.look(|world| world.listeners(&id))
    }

    pub(crate) fn is_running(&self, name: &str) -> bool {
        self.container(name).is_some_and(|one| one.status == Status::Running)
    }

    /// Waits until it is so; false when it was not in time.
    #[must_use]
    pub(crate) fn wait_for(&self, is_so: impl Fn(&Self) -> bool, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        loop {
            let seen = self.shared.look(|world| world.version);
            if is_so(self) {
                return true;
            }
            let changed = |world: &mut World| (world.version != seen).then_some(());
            if self.shared.until(Some(deadline), changed).is_none() {
                return false;
            }
        }
    }

    /// As [`Self::wait_for`], but fails the test with the calls that came instead.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool, timeout: Duration) {
        let in_time = self.wait_for(is_so, timeout);
        assert!(in_time, "not in {timeout:?}: {what}; calls so far: {:#?}", self.calls());
    }

    /// Until the call has come so often.
    #[track_caller]
    pub(crate) fn until_seen(&self, call: &str, times: usize, timeout: Duration) {
        self.until(&format!("{call} seen {times} times"), |engine| engine.seen(call) >= times, timeout);
    }

    /// Until the call has had its answer.
    #[track_caller]
    pub(crate) fn until_answered(&self, call: &str, timeout: Duration) {
        let is_answered = |engine: &Self| engine.requests().iter().any(|one| one.answered && one.call == call);
        self.until(&format!("{call} answered"), is_answered, timeout);
    }

    #[track_caller]
    pub(crate) fn until_running(&self, name: &str, timeout: Duration) {
        self.until(&format!("{name} runs"), |engine| engine.is_running(name), timeout);
    }

    /// Until no container but the controller is there.
    #[track_caller]
    pub(crate) fn until_empty(&self, timeout: Duration) {
        self.until("no container left", |engine| engine.containers().is_empty(), timeout);
    }
}

impl Drop for FakeEngine {
    fn drop(&mut self) {
        self.shared.change(|world| {
            world.closing = true;
            world.hang_up();
        });
        // Wakes the accept thread, wherever the socket is just now.
        for socket in [self.socket.clone(), self.socket.with_extension("away")] {
            let _ = UnixStream::connect(socket);
        }
        while let Some(thread) = self.shared.next_thread() {
            // A panic in there is a bug of the fake, and no test shall pass over it.
            assert!(thread.join().is_ok() || thread::panicking(), "the fake engine has panicked");
        }
    }
}

fn accept(shared: &Arc<Shared>, listener: &UnixListener) {
    for (connection, stream) in (0..).zip(listener.incoming()) {
        let Ok(stream) = stream else { return };
        let Ok(copy) = stream.try_clone() else { return };
        let (closing, away) = shared.change(|world| {
            if !world.away {
                world.sockets.insert(connection, copy);
            }
            (world.closing, world.away)
        });
        if closing {
            return;
        }
        if away {
            continue;
        }
        let world = Arc::clone(shared);
        shared.spawn(&format!("connection/{connection}"), move || {
            let wire = Wire { stream, shared: world, connection, pace: None, like: "start" };
            // A client that goes away is its own business.
            let _ = serve(wire);
        });
    }
}

/// Answers the requests of one connection, one after the other.
fn serve(mut wire: Wire) -> io::Result<()> {
    let shared = Arc::clone(&wire.shared);
    let mut reader = BufReader::new(wire.stream.try_clone()?);
    while let Some(head) = read_head(&mut reader)? {
        wire.like = if head.path == "/_ping" { "ping" } else { "start" };
        let early = shared.look(|world| early_refusal(world, &head));
        if early.is_none() && head.header("expect").eq_ignore_ascii_case("100-continue") {
            wire.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = match early {
            Some(_) => Vec::new(),
            None => read_body(&mut reader, &head)?,
        };
        let (number, call, fault) = shared.change(|world| note(world, &head, &body));
        match fault {
            Some((Fault::Slow(pace), _)) => wire.pace = Some(pace),
            Some((Fault::Held(gate), after_work)) => {
                let done = after_work.then(|| route(&shared, &head, &body));
                let open = |world: &mut World| world.open_gates.contains(&gate).then_some(());
                if shared.until(None, open).is_none() {
                    return Ok(());
                }
                let reply = done.unwrap_or_else(|| route(&shared, &head, &body));
                return reply_to(&head, reply, &mut wire).map(drop);
            }
            Some((fault, after_work)) => {
                if after_work {
                    drop(route(&shared, &head, &body));
                }
                return fault.strike(&mut wire, &call);
            }
            None => wire.pace = None,
        }
        let closes = head.wants_close() || early.is_some();
        let reply = early.map_or_else(|| route(&shared, &head, &body), Err);
        let closes = reply_to(&head, reply, &mut wire)? || closes;
        shared.change(|world| world.requests[number].answered = true);
        if closes {
            return Ok(());
        }
    }
    Ok(())
}

/// Writes the reply. Says whether it was a stream, which ends with the connection.
fn reply_to(head: &Head, reply: Result<Reply, Refusal>, wire: &mut Wire) -> io::Result<bool> {
    const JSON: &str = "application/json";
    let nothing = [("Content-Length", "0")];
    match reply {
        Ok(Reply::Stream(write)) => return write(wire).map(|()| true),
        Ok(Reply::Empty(200)) => wire.head(200, &nothing),
        Ok(Reply::Empty(status)) => wire.head(status, &[]),
        Ok(Reply::Text(status, _)) if head.method == "HEAD" => wire.head(status, &nothing),
        Ok(Reply::Text(status, text)) => wire.answer(status, "text/plain", text.as_bytes()),
        Ok(Reply::Json(status, value)) => wire.answer(status, JSON, format!("{value}\n").as_bytes()),
        Err(Refusal(status, text)) => {
            let body = wire.flavour().error_body(status, &text);
            wire.answer(status, JSON, format!("{body}\n").as_bytes())
        }
    }
    .map(|()| false)
}

/// The refusal of an archive whose body shall not be read.
fn early_refusal(world: &World, head: &Head) -> Option<Refusal> {
    let path = head.path.strip_prefix("/containers/")?;
    let id = path.strip_suffix("/archive").filter(|_| head.method == "PUT" && world.early_refusals)?;
    refuse_archive(world, id, head.query.get("path")?).err()
}

/// Keeps the request, and says which one it is and which fault strikes it. A request that the README does not list is a bug, in whatever test.
fn note(world: &mut World, head: &Head, body: &[u8]) -> (usize, String, Option<(Fault, bool)>) {
    static LISTED: OnceLock<Vec<Endpoint>> = OnceLock::new();
    let (method, path) = (&head.method, &head.encoded_path);
    let is_listed = LISTED.get_or_init(endpoints).iter().any(|known| known.is(method, path));
    assert!(is_listed, "'{method} {path}' is not among the calls of 'Least privilege' in the README");
    let call = spell(world, head, body);
    world.requests.push(Request {
        method: head.method.clone(),
        version: head.version.clone(),
        path: head.path.clone(),
        query: head.query.clone(),
        headers: head.headers.clone(),
        body: body.to_vec(),
        at: Instant::now(),
        answered: false,
        call: call.clone(),
    });
    // Every fault counts, the first that fits strikes.
    let mut striking = None;
    for armed in &mut world.faults {
        if armed.strikes(&call) && striking.is_none() {
            striking = Some((armed.fault.clone(), armed.after_work));
        }
    }
    (world.requests.len() - 1, call, striking)
}

fn spell(world: &World, head: &Head, body: &[u8]) -> String {
    let mut parts: Vec<String> = head.path.split('/').map(ToOwned::to_owned).collect();
    if parts.len() > 2 && parts[1] == "containers" && !["create", "json"].contains(&parts[2].as_str()) {
        parts[2] = world.spell(&parts[2]);
    }
    if parts.len() > 2 && parts[1] == "exec" {
        parts[2] = world.execs.container_of(&parts[2]).map_or_else(|| parts[2].clone(), |id| world.spell(id));
    }
    let (method, path) = (&head.method, parts.join("/"));
    let asked = |key: &str| head.query.get(key).map_or("", String::as_str);
    let argument = match path.as_str() {
        "/containers/create" => short_name(asked("name")).to_owned(),
        "/volumes/create" => {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            body["Name"].as_str().unwrap_or_default().to_owned()
        }
        "/images/create" => pulled_reference(&head.query),
        path if path.starts_with("/containers/") && path.ends_with("/exec") => {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            body["Cmd"][0].as_str().unwrap_or_default().to_owned()
        }
        path if path.ends_with("/archive") => asked("path").to_owned(),
        _ => String::new(),
    };
    format!("{method} {path} {argument}").trim_end().to_owned()
}
