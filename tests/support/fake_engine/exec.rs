//! Commands that are run in containers: `POST /containers/{id}/exec`, and what becomes of it.
//!
//! ```text
//!   prepare ─▶ start ─▶ says · until_open(gate) ─▶ exit(n)
//!                └── the end of its container: 137; a client that hangs up ends nothing
//! ```

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use super::model::{Refusal, Shared, Status, World};
use super::routes::Reply;

/// What a command does. Those that nobody has told of end with 0 at once, and say nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    says: Vec<(u8, Vec<u8>)>,
    gate: Option<String>,
    hangs: bool,
    closes: bool,
    cannot_run: Option<String>,
    code: i64,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn write_out(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.says.push((1, bytes.into()));
        self
    }

    pub(crate) fn write_err(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.says.push((2, bytes.into()));
        self
    }

    /// Waits for `engine.open(gate)`.
    pub(crate) fn until_open(mut self, gate: &str) -> Self {
        self.gate = Some(gate.to_owned());
        self
    }

    /// Runs as long as its container does.
    pub(crate) fn hangs(mut self) -> Self {
        self.hangs = true;
        self
    }

    /// Closes its output before it waits.
    pub(crate) fn closes_its_output(mut self) -> Self {
        self.closes = true;
        self
    }

    pub(crate) fn exit(mut self, code: i64) -> Self {
        self.code = code;
        self
    }

    /// There is no such command.
    pub(crate) fn cannot_be_found(mut self) -> Self {
        let why = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"x\": executable file \
                   not found in $PATH: unknown\r\n";
        self.cannot_run = Some(why.to_owned());
        self
    }
}

/// Commands, and what was asked to run.
#[derive(Default)]
pub(super) struct Execs {
    pub(super) programs: BTreeMap<String, Program>,
    all: Vec<Run>,
}

struct Run {
    id: String,
    container: String,
    body: Value,
    said: Vec<u8>,
    running: bool,
    /// Nothing is said any more.
    closed: bool,
    code: Option<i64>,
}

impl Execs {
    fn find(&mut self, id: &str) -> Option<&mut Run> {
        self.all.iter_mut().find(|run| run.id == id)
    }

    /// The container that a command is in.
    pub(super) fn container_of(&self, id: &str) -> Option<&str> {
        self.all.iter().find(|run| run.id == id).map(|run| run.container.as_str())
    }

    /// The requests so far, in order.
    pub(super) fn bodies(&self) -> Vec<Value> {
        self.all.iter().map(|run| run.body.clone()).collect()
    }
}

type Outcome = Result<Reply, Refusal>;

fn missing(id: &str) -> Refusal {
    Refusal(404, format!("No such exec instance: {id}"))
}

pub(super) fn prepare(shared: &Shared, id: &str, body: &[u8]) -> Outcome {
    let body: Value = serde_json::from_slice(body).map_err(|error| Refusal(400, error.to_string()))?;
    if body["Cmd"].as_array().is_none_or(Vec::is_empty) {
        return Err(Refusal(400, "No exec command specified".to_owned()));
    }
    shared.change(|world| {
        let one = world.known(id)?;
        let container = one.id.clone();
        if one.status != Status::Running {
            return Err(Refusal(409, format!("Container {container} is not running")));
        }
        let id = format!("{:064x}", world.count());
        let (said, running, closed, code) = (Vec::new(), false, false, None);
        world.execs.all.push(Run { id: id.clone(), container, body, said, running, closed, code });
        Ok(Reply::Json(201, json!({ "Id": id })))
    })
}

pub(super) fn start(shared: &Arc<Shared>, id: &str) -> Outcome {
    let id = id.to_owned();
    let (container, program) = shared.change(|world| {
        let run = world.execs.find(&id).ok_or_else(|| missing(&id))?;
        let word = run.body["Cmd"][0].as_str().unwrap_or_default().to_owned();
        let program = world.execs.programs.get(&word).cloned().unwrap_or_default();
        let run = world.execs.find(&id).expect("just found");
        run.running = true;
        for (stream, bytes) in &program.says {
            run.say(*stream, bytes);
        }
        if let Some(why) = &program.cannot_run {
            run.say(1, why.as_bytes());
        }
        run.closed = program.closes;
        Ok((run.container.clone(), program))
    })?;
    let world = Arc::clone(shared);
    let exec = id.clone();
    shared.spawn("exec", move || play(&world, &exec, &container, &program));
    let shared = Arc::clone(shared);
    Ok(Reply::Stream(Box::new(move |wire| {
        let connection = wire.connection;
        wire.write_all(wire.flavour().attach_head().as_bytes())?;
        wire.watch()?;
        loop {
            let more = shared.until(None, |world| {
                let gone = world.gone.contains(&connection);
                let run = world.execs.find(&id)?;
                if !run.said.is_empty() {
                    return Some(Some(std::mem::take(&mut run.said)));
                }
                (gone || run.closed || !run.running).then_some(None)
            });
            let Some(Some(bytes)) = more else { return Ok(()) };
            wire.write_all(&bytes)?;
        }
    })))
}

fn play(shared: &Shared, id: &str, container: &str, program: &Program) {
    let killed = shared.until(None, |world| {
        let runs = |world: &World| world.find(container).is_some_and(|one| one.status == Status::Running);
        let opened = program.gate.as_ref().is_none_or(|gate| world.open_gates.contains(gate));
        if !runs(world) {
            return Some(true);
        }
        (opened && !program.hangs).then_some(false)
    });
    let Some(killed) = killed else { return };
    shared.change(|world| {
        let Some(run) = world.execs.find(id) else { return };
        run.running = false;
        run.code = Some(match program.cannot_run {
            Some(_) => 126,
            None if killed => 137,
            None => program.code,
        });
    });
}

pub(super) fn inspect(shared: &Shared, id: &str) -> Outcome {
    shared.change(|world| {
        let run = world.execs.find(id).ok_or_else(|| missing(id))?;
        let document = json!({
            "ID": run.id, "Running": run.running, "ExitCode": run.code, "ContainerID": run.container, "Pid": 4243,
            "ProcessConfig": {"tty": false, "entrypoint": run.body["Cmd"][0], "privileged": run.body["Privileged"]},
            "OpenStdin": false, "OpenStdout": true, "OpenStderr": true, "CanRemove": false, "DetachKeys": "",
        });
        Ok(Reply::Json(200, document))
    })
}

impl Run {
    fn say(&mut self, stream: u8, bytes: &[u8]) {
        self.said.extend([stream, 0, 0, 0]);
        self.said.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.said.extend(bytes);
    }
}
