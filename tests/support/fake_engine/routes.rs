//! The endpoints, one function each, with the words and statuses of the engine that is faked, where they were recorded.
//!
//! A stream is registered when its function returns, before its head goes out: so, as with a real engine, a client that has
//! read the head misses nothing.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::Pull;
use super::exec;
use super::http::{Head, Wire};
use super::model::{
    Archive, Container, Refusal, Shared, Status, World, full_reference, image_id, joined, merge, plain_signal,
};
use super::script::play;

type WriteStream = dyn FnOnce(&mut Wire) -> io::Result<()>;

/// An answer, ready to be written.
pub(super) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    Empty(u16),
    /// Writes its own head and ends with the connection.
    Stream(Box<WriteStream>),
}

impl Reply {
    fn stream(write: impl FnOnce(&mut Wire) -> io::Result<()> + 'static) -> Self {
        Self::Stream(Box::new(write))
    }
}

type Outcome = Result<Reply, Refusal>;

/// Does what the request asks for.
pub(super) fn route(shared: &Arc<Shared>, head: &Head, body: &[u8]) -> Outcome {
    gate(shared, head)?;
    let parts: Vec<&str> = head.path.trim_matches('/').split('/').collect();
    let query = &head.query;
    match (head.method.as_str(), parts.as_slice()) {
        ("GET" | "HEAD", ["_ping"]) => Ok(Reply::Text(200, "OK")),
        ("GET", ["version"]) => Ok(version(shared)),
        ("GET", ["info"]) => Ok(Reply::Json(200, shared.look(|world| world.info.clone()))),
        ("GET", ["events"]) => Ok(events(shared, query)),
        ("GET", ["services", id]) => service(shared, id),
        ("GET", ["volumes"]) => Ok(volumes(shared, query)),
        ("POST", ["volumes", "create"]) => create_volume(shared, body),
        ("GET", ["volumes", name]) => shared.look(|world| Ok(Reply::Json(200, world.known_volume(name)?.clone()))),
        ("DELETE", ["volumes", name]) => shared.change(|world| world.remove_volume(name)).map(|()| Reply::Empty(204)),
        ("POST", ["images", "create"]) => pull(shared, query),
        ("POST", ["images", "load"]) => Ok(load(shared, body)),
        ("POST", ["images", name @ .., "tag"]) => tag(shared, &name.join("/"), query),
        ("GET", ["images", name @ .., "json"]) => image(shared, &name.join("/")),
        ("GET", ["containers", "json"]) => Ok(list(shared, query)),
        ("POST", ["containers", "create"]) => create(shared, query, body),
        ("GET", ["containers", id, "json"]) => shared.look(|world| Ok(Reply::Json(200, world.known(id)?.inspect()))),
        ("PUT", ["containers", id, "archive"]) => archive(shared, id, query, body),
        ("POST", ["containers", id, "attach"]) => Ok(attach(shared, id, head)),
        ("POST", ["containers", id, "wait"]) => wait(shared, id, query),
        ("POST", ["containers", id, "start"]) => start(shared, id),
        ("POST", ["containers", id, "stop"]) => stop(shared, id, query),
        ("POST", ["containers", id, "kill"]) => kill(shared, id, query),
        ("POST", ["containers", id, "exec"]) => exec::prepare(shared, id, body),
        ("POST", ["exec", id, "start"]) => exec::start(shared, id),
        ("GET", ["exec", id, "json"]) => exec::inspect(shared, id),
        ("DELETE", ["containers", id]) => remove(shared, id, query),
        _ => Err(Refusal(404, "page not found".to_owned())),
    }
}

fn gate(shared: &Shared, head: &Head) -> Result<(), Refusal> {
    let Some(asked) = &head.version else {
        return Ok(());
    };
    let number = |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    let ((min, max), flavour) = shared.look(|world| (world.api.clone(), world.flavour));
    // Podman takes any version.
    let (name, recorded) = match () {
        () if flavour.is_podman() => return Ok(()),
        () if number(asked) > number(&max) => ("too_new", "1.99"),
        () if number(asked) < number(&min) => ("too_old", "1.10"),
        () => return Ok(()),
    };
    let recorded_limits = flavour.document("version");
    let limit = |key: &str| recorded_limits[key].as_str().unwrap_or_default().to_owned();
    let Refusal(status, text) = flavour.refusal(name, recorded, asked, "");
    let text = text.replace(&format!("is {}", limit("ApiVersion")), &format!("is {max}"));
    Err(Refusal(status, text.replace(&format!("is {}", limit("MinAPIVersion")), &format!("is {min}"))))
}

fn version(shared: &Shared) -> Reply {
    let (api, engine, flavour) =
        shared.look(|world| (world.api.clone(), world.info["ServerVersion"].clone(), world.flavour));
    let mut document = flavour.document("version");
    merge(&mut document, &json!({"Version": engine, "ApiVersion": api.1, "MinAPIVersion": api.0}));
    Reply::Json(200, document)
}

/// A flag as the engine reads it.
fn flag(query: &BTreeMap<String, String>, key: &str) -> bool {
    let value = query.get(key).map_or("", String::as_str).to_ascii_lowercase();
    !["", "0", "no", "false", "none"].contains(&value.as_str())
}

fn word<'a>(query: &'a BTreeMap<String, String>, key: &str) -> &'a str {
    query.get(key).map_or("", String::as_str)
}

/// `filters={"label":["k=v"]}` or `{"label":{"k=v":true}}`.
struct Filters(Value);

impl Filters {
    fn of(query: &BTreeMap<String, String>) -> Self {
        Self(serde_json::from_str(word(query, "filters")).unwrap_or_default())
    }

    fn values(&self, key: &str) -> Vec<&str> {
        match &self.0[key] {
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            Value::Object(values) => values.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Nothing was asked of it, or one of the values fits.
    fn any(&self, key: &str, fits: impl Fn(&str) -> bool) -> bool {
        let values = self.values(key);
        values.is_empty() || values.into_iter().any(fits)
    }

    /// Every label that was asked for is there.
    fn labels(&self, labels: &Value) -> bool {
        self.values("label").into_iter().all(|label| match label.split_once('=') {
            Some((key, value)) => labels[key] == value,
            None => labels.get(label).is_some(),
        })
    }
}

// The engine as a whole.

fn events(shared: &Arc<Shared>, query: &BTreeMap<String, String>) -> Reply {
    let filters = Filters::of(query);
    let since: Option<f64> = word(query, "since").parse().ok();
    let (mut next, epoch) = shared.look(|world| {
        let old = |since| world.events.iter().take_while(|event| event.at.as_secs_f64() < since).count();
        (since.map_or(world.events.len(), old), world.epoch)
    });
    let shared = Arc::clone(shared);
    let wanted = move |event: &Value| {
        let actor = &event["Actor"];
        let is = |value: &Value, asked: &str| value.as_str().is_some_and(|value| value == asked);
        let action =
            |asked: &str| event["Action"].as_str().is_some_and(|action| action.split(':').next() == Some(asked));
        filters.any("type", |asked| is(&event["Type"], asked))
            && filters.any("event", |asked| action(asked) || is(&event["Action"], asked))
            && filters.any("container", |asked| is(&actor["ID"], asked) || is(&actor["Attributes"]["name"], asked))
            && filters.labels(&actor["Attributes"])
    };
    Reply::stream(move |wire| {
        let connection = wire.connection;
        // Some Podmans send the head with the first event.
        let mut waits = wire.flavour().is_podman();
        if !waits {
            wire.open_chunks()?;
        }
        wire.watch()?;
        // Until the engine is dropped, the client has gone or the test cuts the stream.
        while let Some(fresh) = shared.until(None, |world| {
            let over = world.gone.contains(&connection) || world.epoch != epoch;
            let fresh: Vec<Value> = world.events[next..].iter().map(|event| event.document.clone()).collect();
            (over || !fresh.is_empty()).then_some((!over).then_some(fresh))
        }) {
            let Some(fresh) = fresh else { break };
            next += fresh.len();
            for event in fresh.iter().filter(|event| wanted(event)) {
                if std::mem::take(&mut waits) {
                    wire.open_chunks()?;
                }
                wire.chunk(format!("{event}\n").as_bytes())?;
            }
        }
        Ok(())
    })
}

/// Only a manager knows services.
fn service(shared: &Shared, id: &str) -> Outcome {
    const WORKER: &str = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. \
                          Please run this command on a manager node or promote the current node to a manager.";
    let found = shared.look(|world| world.services.get(id).cloned());
    found.map(|service| Reply::Json(200, service)).ok_or_else(|| Refusal(503, WORKER.to_owned()))
}

fn volumes(shared: &Shared, query: &BTreeMap<String, String>) -> Reply {
    let filters = Filters::of(query);
    let wanted = |volume: &&Value| {
        let name = volume["Name"].as_str().unwrap_or_default();
        let driver = volume["Driver"].as_str().unwrap_or("local");
        filters.any("name", |part| name.contains(part))
            && filters.any("driver", |wanted| wanted == driver)
            && filters.labels(&volume["Labels"])
    };
    let unused = filters.values("dangling") == ["true"];
    let found: Vec<Value> = shared.look(|world| {
        let has = |volume: &Value| {
            let name = volume["Name"].as_str().unwrap_or_default();
            world.containers.iter().any(|one| one.volumes().contains(&name))
        };
        world.volumes.values().filter(wanted).filter(|volume| !unused || !has(volume)).cloned().collect()
    });
    Reply::Json(200, json!({"Volumes": found, "Warnings": null}))
}

/// A volume that is there comes back as it is, whatever is asked for.
fn create_volume(shared: &Shared, body: &[u8]) -> Outcome {
    let body: Value = serde_json::from_slice(body).map_err(|error| Refusal(400, error.to_string()))?;
    shared.change(|world| {
        let name = match body["Name"].as_str().unwrap_or_default() {
            "" => format!("unnamed_{}", world.count()),
            name => name.to_owned(),
        };
        let driver = body["Driver"].as_str().unwrap_or_default();
        if !["", "local"].contains(&driver) {
            let Refusal(status, text) = world.flavour.refusal("volume_create_bad_driver", "recorded-x", &name, "");
            return Err(Refusal(status, text.replace("recorded", driver)));
        }
        if !is_name(&name) {
            return Err(world.flavour.refusal("volume_create_bad_name", "recorded/bad", &name, ""));
        }
        Ok(Reply::Json(201, world.make_volume(&name, &body)))
    })
}

fn image(shared: &Shared, name: &str) -> Outcome {
    // By its id, too.
    let by_id = shared.look(|world| world.images.keys().find(|known| image_id(known) == name).cloned());
    let reference = by_id.unwrap_or_else(|| full_reference(name));
    let (config, overlay, flavour) = shared.look(|world| {
        let config = world.images.get(&reference).cloned();
        let missing = || world.flavour.refusal("image_missing", "recorded/missing:1", &reference, "");
        let overlay = world.image_overlays.get(&reference).cloned().unwrap_or_default();
        Ok((config.ok_or_else(missing)?, overlay, world.flavour))
    })?;
    // Podman's names are whole ones.
    let tag = if flavour.is_podman() { format!("localhost/{reference}") } else { reference.clone() };
    let mut document = flavour.document("image");
    document["Config"] = config;
    let never = json!({"LastTagTime": "0001-01-01T00:00:00Z"});
    merge(&mut document, &json!({"Id": image_id(&reference), "RepoTags": [tag], "Metadata": never}));
    merge(&mut document, &overlay);
    Ok(Reply::Json(200, document))
}

/// A tag given now: at a moment that no test is too late for.
fn tag(shared: &Shared, name: &str, query: &BTreeMap<String, String>) -> Outcome {
    let (known, new) =
        (full_reference(name), full_reference(&format!("{}:{}", word(query, "repo"), word(query, "tag"))));
    shared.change(|world| {
        let config = world.images.get(&known).cloned();
        let config =
            config.ok_or_else(|| world.flavour.refusal("create_no_image", "recorded/missing:1", &known, ""))?;
        world.images.insert(new.clone(), config);
        let overlay = world.image_overlays.entry(new).or_default();
        merge(overlay, &json!({"Metadata": {"LastTagTime": "2100-01-01T00:00:00Z"}}));
        Ok(Reply::Empty(201))
    })
}

/// Takes in the images that the manifest of an archive names; whatever is wrong with it is told within a 200.
fn load(shared: &Shared, body: &[u8]) -> Reply {
    let tags = saved_tags(body);
    let lines: Vec<Value> = match &tags {
        Ok(tags) => tags.iter().map(|tag| json!({"stream": format!("Loaded image: {tag}\n")})).collect(),
        Err(error) => {
            let words = format!("Error processing tar file(exit status 1): {error}");
            vec![json!({"errorDetail": {"message": words}, "error": words})]
        }
    };
    shared.change(|world| {
        world.images.extend(tags.unwrap_or_default().iter().map(|tag| (full_reference(tag), json!({}))));
    });
    Reply::stream(move |wire| {
        wire.open_chunks()?;
        for line in lines {
            wire.chunk(format!("{line}\n").as_bytes())?;
        }
        wire.write_all(b"0\r\n\r\n")
    })
}

/// The `RepoTags` of an archive as `docker save` makes it.
fn saved_tags(archive: &[u8]) -> io::Result<Vec<String>> {
    let plain: Box<dyn Read> =
        if archive.starts_with(&[0x1f, 0x8b]) { Box::new(GzDecoder::new(archive)) } else { Box::new(archive) };
    for entry in tar::Archive::new(plain).entries()? {
        let entry = entry?;
        if entry.path()?.as_os_str() == "manifest.json" {
            let manifest: Value = serde_json::from_reader(entry)?;
            let tags = manifest.as_array().into_iter().flatten().filter_map(|image| image["RepoTags"].as_array());
            return Ok(tags.flatten().filter_map(|tag| tag.as_str().map(ToOwned::to_owned)).collect());
        }
    }
    Err(io::Error::other("manifest.json: no such file or directory"))
}

/// A reference as a pull spells it: `fromImage=web&tag=1` or `fromImage=web:1`.
pub(super) fn pulled_reference(query: &BTreeMap<String, String>) -> String {
    let (image, tag) = (word(query, "fromImage"), word(query, "tag"));
    let mark = if tag.starts_with("sha256:") { "@" } else { ":" };
    full_reference(&if tag.is_empty() { image.to_owned() } else { format!("{image}{mark}{tag}") })
}

/// How long a pull takes.
#[derive(Default)]
struct Told {
    gate: Option<String>,
    steps: u32,
    pause: Duration,
}

fn pull(shared: &Arc<Shared>, query: &BTreeMap<String, String>) -> Outcome {
    let reference = pulled_reference(query);
    let (name, tag) = reference.rsplit_once([':', '@']).unwrap_or((&reference, ""));
    let begin = json!({"status": format!("Pulling from {name}"), "id": tag});
    let denied = format!(
        "pull access denied for {name}, repository does not exist or may require 'docker login': \
         denied: requested access to the resource is denied"
    );
    let Told { gate, steps, pause } = match shared.look(|world| world.pulls.get(&reference).cloned()) {
        None => return Err(Refusal(404, denied)),
        Some(Pull::Refused(status, message)) => return Err(Refusal(status, message)),
        Some(Pull::ErrorLine(message)) => {
            return Ok(Reply::stream(move |wire| {
                let error = json!({"errorDetail": {"message": message}, "error": message});
                wire.open_chunks()?;
                wire.chunk(format!("{begin}\r\n{error}\r\n").as_bytes())?;
                wire.write_all(b"0\r\n\r\n")
            }));
        }
        Some(Pull::Works(_)) => Told::default(),
        Some(Pull::Held(gate, _)) => Told { gate: Some(gate), ..Told::default() },
        Some(Pull::Slow(steps, pause, _)) => Told { steps, pause, ..Told::default() },
    };
    let shared = Arc::clone(shared);
    Ok(Reply::stream(move |wire| {
        wire.open_chunks()?;
        let progress = json!({"status": "Downloading", "progressDetail": {"current": 1, "total": 2}, "id": "c0ffee"});
        wire.chunk(format!("{begin}\r\n{progress}\r\n").as_bytes())?;
        for step in 1..=steps {
            shared.pause(Some(Instant::now() + pause));
            let detail = json!({"current": step, "total": steps});
            let progress = json!({"status": "Downloading", "progressDetail": detail, "id": "c0ffee"});
            wire.chunk(format!("{progress}\r\n").as_bytes())?;
        }
        if let Some(gate) = gate {
            wire.watch()?;
            let connection = wire.connection;
            let done = |world: &World| world.open_gates.contains(&gate) || world.gone.contains(&connection);
            let opened = shared.until(None, |world| done(world).then(|| world.open_gates.contains(&gate)));
            if opened != Some(true) {
                return Ok(());
            }
        }
        shared.change(|world| {
            if let Some(Pull::Works(config) | Pull::Held(_, config) | Pull::Slow(.., config)) =
                world.pulls.get(&reference).cloned()
            {
                world.images.insert(reference.clone(), config);
            }
            let actor = json!({"ID": reference, "Attributes": {"name": reference}});
            world.tell(json!({"Type": "image", "Action": "pull", "Actor": actor, "scope": "local"}));
        });
        let end = json!({"status": format!("Status: Downloaded newer image for {reference}")});
        wire.chunk(format!("{end}\r\n").as_bytes())?;
        wire.write_all(b"0\r\n\r\n")
    }))
}

fn list(shared: &Shared, query: &BTreeMap<String, String>) -> Reply {
    let (all, filters) = (flag(query, "all"), Filters::of(query));
    let wanted = |one: &&Container| {
        let document = one.inspect();
        (all || !filters.values("status").is_empty() || one.status == Status::Running)
            && filters.any("status", |status| document["State"]["Status"] == status)
            && filters.any("name", |name| format!("/{}", one.name).contains(name))
            && filters.any("id", |id| one.id.starts_with(id))
            && filters.labels(&document["Config"]["Labels"])
    };
    let line = |one: &Container| {
        let document = one.inspect();
        json!({
            "Id": one.id, "Names": [format!("/{}", one.name)], "Image": one.image, "ImageID": document["Image"],
            "Command": "", "Created": 1_767_225_600, "Ports": [], "Labels": document["Config"]["Labels"],
            "State": document["State"]["Status"], "Status": "Up 1 second", "Mounts": document["Mounts"],
            "HostConfig": {"NetworkMode": document["HostConfig"]["NetworkMode"]}, "NetworkSettings": {"Networks": {}},
        })
    };
    let newest_first = shared.look(|world| world.containers.iter().rev().filter(wanted).map(line).collect());
    Reply::Json(200, newest_first)
}

// One container.

fn create(shared: &Shared, query: &BTreeMap<String, String>, body: &[u8]) -> Outcome {
    let body: Value = serde_json::from_slice(body).map_err(|error| Refusal(400, error.to_string()))?;
    let image = body["Image"].as_str().unwrap_or_default().to_owned();
    refuse_conflicts(&body)?;
    shared.change(|world| {
        let reference = full_reference(&image);
        if !world.images.keys().any(|known| *known == reference || image_id(known) == image) {
            return Err(world.flavour.refusal("create_no_image", "recorded/missing:1", &reference, ""));
        }
        refuse_platform(world, &reference, word(query, "platform"))?;
        let name = match word(query, "name").trim_start_matches('/') {
            "" => format!("unnamed_{}", world.count()),
            name => name.to_owned(),
        };
        if !is_name(&name) {
            let rule = "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed";
            return Err(Refusal(400, format!("Invalid container name ({name}), {rule}")));
        }
        if let Some(other) = world.containers.iter().find(|one| one.name == name) {
            return Err(world.flavour.refusal("create_name_taken", "recorded-web", &name, &other.id));
        }
        // The donor of the network is looked for at the start only.
        for donor in ["PidMode", "IpcMode"].map(|kind| joined(&body["HostConfig"][kind])) {
            if let Some(donor) = donor.filter(|donor| world.find(donor).is_none()) {
                return Err(world.flavour.refusal("create_no_donor", "recorded-none", donor, donor));
            }
        }
        if let Some(donor) = joined(&body["HostConfig"]["IpcMode"]).and_then(|donor| world.find(donor))
            && world.flavour.refuses("create_private_ipc")
            && !donor.lends_ipc()
        {
            return Err(world.flavour.refusal("create_private_ipc", "", "", &donor.id));
        }
        let id = world.add(&name, &image, body);
        world.happened(&id, "create", &[]);
        Ok(Reply::Json(201, json!({"Id": id, "Warnings": []})))
    })
}

/// An image for another platform is as good as none, and told with the same status.
fn refuse_platform(world: &World, reference: &str, wanted: &str) -> Result<(), Refusal> {
    let says = world.image_overlays.get(reference).and_then(|overlay| overlay["Architecture"].as_str());
    let actual = format!("linux/{}", says.unwrap_or("amd64"));
    if wanted.is_empty() || wanted == actual {
        return Ok(());
    }
    let text = format!("does not match the specified platform: wanted {wanted}, actual: {actual}");
    Err(Refusal(404, format!("image with reference {reference} was found but {text}")))
}

/// A name of a container or of a volume.
fn is_name(name: &str) -> bool {
    let allowed = |one: char| one.is_ascii_alphanumeric() || "_.-".contains(one);
    name.len() > 1 && name.starts_with(|one: char| one.is_ascii_alphanumeric()) && name.chars().all(allowed)
}

/// What cannot be set beside the network of another container, and `AutoRemove` beside a restart policy.
fn refuse_conflicts(body: &Value) -> Result<(), Refusal> {
    let host_config = &body["HostConfig"];
    let given = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
        _ => true,
    };
    let policy = host_config["RestartPolicy"]["Name"].as_str().unwrap_or_default();
    if host_config["AutoRemove"] == json!(true) && !["", "no"].contains(&policy) {
        return Err(Refusal(400, "can't create 'AutoRemove' container with restart policy".to_owned()));
    }
    if joined(&host_config["NetworkMode"]).is_none() {
        return Ok(());
    }
    let conflicts = [
        (&body["Hostname"], "hostname and the network mode"),
        (
            &host_config["Links"],
            "container type network can't be used with links. This would result in undefined behavior",
        ),
        (&host_config["Dns"], "dns and the network mode"),
        (&host_config["ExtraHosts"], "custom host-to-IP mapping and the network mode"),
        (&body["MacAddress"], "mac-address and the network mode"),
        (&host_config["PortBindings"], "port publishing and the container type network mode"),
        (&host_config["PublishAllPorts"], "port publishing and the container type network mode"),
        (&body["ExposedPorts"], "port exposing and the container type network mode"),
    ];
    match conflicts.iter().find(|(value, _)| given(value)) {
        Some((_, what)) => Err(Refusal(400, format!("conflicting options: {what}"))),
        None => Ok(()),
    }
}

/// Why an archive cannot be put there.
pub(super) fn refuse_archive(world: &World, id: &str, path: &str) -> Result<(), Refusal> {
    let one = world.known(id)?;
    let host_config = &one.body["HostConfig"];
    let known = world.directories.as_ref().is_none_or(|known| known.contains(path.trim_end_matches('/')));
    // Podman makes what is missing.
    if !known && !path.trim_end_matches('/').is_empty() && world.flavour.refuses("archive_no_folder") {
        return Err(world.flavour.refusal("archive_no_folder", "/none", path, id));
    }
    let binds = host_config["Binds"].as_array().into_iter().flatten();
    let binds = binds.filter_map(|bind| bind.as_str()?.split(':').nth(1));
    let mounts = host_config["Mounts"].as_array().into_iter().flatten();
    let mounts = mounts.filter_map(|mount| mount["Target"].as_str());
    let in_volume = binds.chain(mounts).any(|target| path.starts_with(target));
    let read_only = host_config["ReadonlyRootfs"] == json!(true) && !in_volume;
    if read_only && world.flavour.refuses("archive_read_only") {
        return Err(world.flavour.refusal("archive_read_only", "", "", id));
    }
    Ok(())
}

fn archive(shared: &Shared, id: &str, query: &BTreeMap<String, String>, body: &[u8]) -> Outcome {
    let path = word(query, "path").to_owned();
    shared.change(|world| {
        refuse_archive(world, id, &path)?;
        let id = world.known(id)?.id.clone();
        let bytes = body.to_vec();
        world.container(&id).expect("known").archives.push(Archive { path, bytes });
        Ok(Reply::Empty(200))
    })
}

/// Someone who is attached; gone with the reply, written or not.
struct Seat(Arc<Shared>, u64);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.change(|world| world.detach(self.1));
    }
}

const RAW: &str = "application/vnd.docker.raw-stream";

fn attach(shared: &Arc<Shared>, id: &str, head: &Head) -> Reply {
    let query = &head.query;
    let wanted = [flag(query, "stdout"), flag(query, "stderr")];
    let key = shared.change(|world| {
        let id = world.known(id)?.id.clone();
        Ok(world.attach(&id, wanted, flag(query, "logs")))
    });
    let key = match key {
        Ok(key) => key,
        // The only refusal that is no JSON: the connection is no longer the server's.
        Err(Refusal(status, text)) => {
            return Reply::stream(move |wire| {
                let head = format!("HTTP/1.1 {status} Not Found\r\nContent-Type: {RAW}\r\n\r\n");
                wire.write_all(format!("{head}{text}\r\n").as_bytes())
            });
        }
    };
    let seat = Seat(Arc::clone(shared), key);
    let upgrades = head.header("upgrade").eq_ignore_ascii_case("tcp");
    Reply::stream(move |wire| {
        let head = if upgrades {
            format!("HTTP/1.1 101 UPGRADED\r\nContent-Type: {RAW}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        } else {
            wire.flavour().attach_head()
        };
        wire.write_all(head.as_bytes())?;
        wire.watch()?;
        let connection = wire.connection;
        let take = || {
            let gone = |world: &World| world.gone.contains(&connection).then(Vec::new);
            seat.0.until(None, |world| gone(world).or_else(|| world.take_output(seat.1)))
        };
        while let Some(bytes) = take().filter(|bytes| !bytes.is_empty()) {
            wire.write_all(&bytes)?;
            seat.0.change(|world| world.has_taken(seat.1));
        }
        Ok(())
    })
}

fn wait(shared: &Arc<Shared>, id: &str, query: &BTreeMap<String, String>) -> Outcome {
    let condition = word(query, "condition").to_owned();
    let ((id, ends), epoch, podman) = shared.look(|world| {
        let one = world.known(id)?;
        Ok(((one.id.clone(), one.ends), world.waits_epoch, world.flavour.is_podman()))
    })?;
    let shared = Arc::clone(shared);
    Ok(Reply::stream(move |wire| {
        let connection = wire.connection;
        wire.open_chunks()?;
        wire.watch()?;
        let code = shared.until(None, |world| {
            let gone = world.gone.contains(&connection) || world.waits_epoch != epoch;
            match world.containers.iter().find(|one| one.id == id) {
                // Podman forgets who waits for what is removed, and sees only a run that it has looked at.
                None if podman => gone.then_some(None),
                Some(_) if podman && condition == "next-exit" => gone.then_some(None),
                Some(one) if podman && one.status == Status::Created => Some(Some(-1)),
                None => Some(world.removed.iter().rev().find(|one| one.id == id).map(|one| one.exit_code)),
                Some(_) if gone => Some(None),
                Some(one) => {
                    let over = match condition.as_str() {
                        "next-exit" => one.ends > ends,
                        "removed" => false,
                        _ => one.status != Status::Running,
                    };
                    over.then_some(Some(one.exit_code))
                }
            }
        });
        let Some(Some(code)) = code else {
            return Ok(());
        };
        wire.chunk(format!("{{\"Error\":null,\"StatusCode\":{code}}}\n").as_bytes())?;
        wire.write_all(b"0\r\n\r\n")
    }))
}

fn start(shared: &Arc<Shared>, id: &str) -> Outcome {
    let started = shared.change(|world| {
        let one = world.known(id)?;
        if one.status == Status::Running {
            return Ok(None);
        }
        if one.removing {
            return Err(Refusal(409, "container is marked for removal and cannot be started".to_owned()));
        }
        let (id, name) = (one.id.clone(), one.short_name().to_owned());
        world.start(&id).map(|script| Some((id, name, script)))
    })?;
    let Some((id, name, script)) = started else {
        return Ok(Reply::Empty(304));
    };
    if let Some(time) = script.healthy_after {
        let (shared, id) = (Arc::clone(shared), id.clone());
        let deadline = Some(Instant::now() + time);
        Arc::clone(&shared).spawn(&format!("health/{name}"), move || {
            let runs = |world: &World| world.find(&id).is_some_and(|one| one.status == Status::Running);
            shared.until(deadline, |world| (!runs(world)).then_some(()));
            if shared.look(|world| runs(world) && !world.closing) {
                shared.change(|world| world.set_health(&id, "healthy"));
            }
        });
    }
    let world = Arc::clone(shared);
    shared.spawn(&format!("script/{name}"), move || {
        play(&world, &id, &script);
    });
    Ok(Reply::Empty(204))
}

/// Waits until the container has ended once more than so many times; false at the deadline.
fn ended(shared: &Shared, id: &str, ends: usize, deadline: Option<Instant>) -> bool {
    let over = |world: &mut World| world.container(id).is_none_or(|one| one.ends > ends);
    shared.until(deadline, |world| over(world).then_some(())).is_some()
}

fn stop(shared: &Shared, id: &str, query: &BTreeMap<String, String>) -> Outcome {
    let running = shared.change(|world| {
        let one = world.known(id)?;
        let (id, ends) = (one.id.clone(), one.ends);
        let own_time = one.config("StopTimeout").as_i64().unwrap_or(10);
        if one.status != Status::Running {
            return Ok(None);
        }
        let signal = plain_signal(word(query, "signal")).unwrap_or_else(|| world.stop_signal(&id));
        world.signal(&id, &signal);
        if let Some(one) = world.container(&id) {
            one.stopping = true;
        }
        Ok(Some((id, ends, own_time)))
    })?;
    let Some((id, ends, own_time)) = running else {
        return Ok(Reply::Empty(304));
    };
    let time = word(query, "t").parse().unwrap_or(own_time);
    // A negative time is no limit.
    let deadline = u64::try_from(time).ok().map(|time| Instant::now() + Duration::from_secs(time));
    if !ended(shared, &id, ends, deadline) {
        shared.change(|world| world.signal(&id, "KILL"));
        ended(shared, &id, ends, None);
    }
    shared.change(|world| world.happened(&id, "stop", &[]));
    Ok(Reply::Empty(204))
}

fn kill(shared: &Shared, id: &str, query: &BTreeMap<String, String>) -> Outcome {
    let asked = match word(query, "signal") {
        "" => "KILL",
        signal => signal,
    };
    let signal = plain_signal(asked).ok_or_else(|| Refusal(400, format!("Invalid signal: {asked}")))?;
    let (full_id, ends) = shared.change(|world| {
        let one = world.known(id)?;
        let (full_id, ends) = (one.id.clone(), one.ends);
        if one.status != Status::Running {
            return Err(world.flavour.refusal("kill_stopped", "", "", &full_id));
        }
        world.signal(&full_id, &signal);
        Ok((full_id, ends))
    })?;
    if signal == "KILL" {
        ended(shared, &full_id, ends, None);
    }
    Ok(Reply::Empty(204))
}

fn remove(shared: &Shared, id: &str, query: &BTreeMap<String, String>) -> Outcome {
    let (id, running) = shared.change(|world| {
        let one = world.known(id)?;
        let (full_id, running) = (one.id.clone(), one.status == Status::Running);
        if one.removing {
            return Err(world.flavour.refusal("remove_busy", "", "", id));
        }
        if running && !flag(query, "force") {
            return Err(world.flavour.refusal("remove_running", "recorded-web", id, &full_id));
        }
        let joiners = world.joiners(&full_id);
        if let Some(joiner) = joiners.first().filter(|_| world.flavour.refuses("remove_depended")) {
            let Refusal(status, text) = world.flavour.refusal("remove_depended", "", "", &full_id);
            let (about, _) = text.split_once(" has ").unwrap_or((&text, ""));
            let about = about.to_owned();
            let rest = text[about.len()..].replace(&full_id, joiner);
            return Err(Refusal(status, about + &rest));
        }
        // Podman stops what it is to remove by force.
        let graceful = world.flavour.is_podman();
        let ends = one.ends;
        if let Some(one) = world.container(&full_id).filter(|_| !graceful) {
            one.removing = true;
        }
        if running {
            world.signal(&full_id, if graceful { "TERM" } else { "KILL" });
        }
        Ok((full_id, running.then_some((graceful, ends))))
    })?;
    if let Some((graceful, ends)) = running {
        if graceful && !ended(shared, &id, ends, Some(Instant::now() + Duration::from_secs(10))) {
            shared.change(|world| world.signal(&id, "KILL"));
        }
        let over = |world: &World| world.find(&id).is_none_or(|one| one.status != Status::Running);
        shared.until(None, |world| over(world).then_some(()));
    }
    shared.change(|world| world.remove(&id));
    Ok(Reply::Empty(204))
}
