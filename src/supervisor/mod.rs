//! The room with the threads: carries out a plan. Imports `pod`, `engine`, `health` and `probe`.
//!
//! ```text
//!  signals ─────┐
//!  health-feed ─┤
//!  probe/* ─────┤
//!  component/* ─┤
//!  wait/* ──────┼─▶ inbox ─▶ run: Machine ─▶ actions ─▶ component/*, stop/*, probe/* ─▶ engine, the pod's ports
//!  stop/* ──────┘                      └────▶ Board ─▶ health-server
//!  log/* ─▶ stdout, stderr   (or: last words)
//! ```
//!
//! One inbox, many reporters; only the thread of [`run`] changes state, and the machine decides how.

mod cgroup;
mod component;
mod crew;
mod ear;
mod errand;
mod error;
mod event;
mod exec;
mod guard;
mod hands;
mod health_feed;
mod hook;
mod hosts;
mod images;
mod inbox;
mod life;
mod machine;
mod member;
mod output;
mod probe;
mod retry;
mod scratch;
mod signals;
mod sweep;
mod tail;
#[cfg(test)]
mod walks;
mod words;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, never, select};

use crate::engine::{self, Engine, Events};
use crate::health::Board;
use crate::pod::{Options, Plan, Planned, owned_by};

pub use cgroup::{Slice, place};
use component::Component;
pub use component::PROGRESS;
pub use crew::Crew;
use ear::Ear;
pub use error::{Error, chain};
pub use event::{Action, Cause, End, Event, Who, signal_name};
pub use guard::stand_guard;
use hands::Hands;
use health_feed::HealthFeed;
pub use images::Images;
pub use inbox::{Report, Sender, inbox};
use life::Chronicle;
pub use life::{Fate, LastWords, Life};
use machine::Machine;
pub use machine::ends;
use output::Output;
use scratch::Scratch;
pub use signals::listen;
pub use sweep::sweep;
use sweep::{Neighbours, sweep_containers};
use tail::Tails;
pub use words::{ordinal, span};

/// How long the end waits for the last output to be written.
const LAST_OUTPUT: Duration = Duration::from_secs(3);

/// A pod that can be run.
#[derive(Debug)]
pub struct Pod {
    /// The engine that it runs on.
    pub engine: Engine,
    /// The id of the controller.
    pub controller: String,
    /// What to run.
    pub plan: Plan,
    /// How.
    pub options: Options,
    /// Where images come from that the engine does not have.
    pub images: Images,
    /// Where its health is written.
    pub board: Board,
    /// What happens to its components, from [`subscribe`].
    pub events: Events,
    /// The slice that they are in, from [`place`].
    pub slice: Option<Slice>,
    /// Whether volumes of tasks are looked for that are gone.
    pub has_volume_of_task: bool,
}

/// Runs a pod to its end: every container is gone when this returns, or a message has said which may be left.
pub fn run(pod: Pod, crew: &Crew, inbox: &Receiver<Report>) -> End {
    if !pod.plan.hosts.is_empty()
        && let Err(error) = hosts::add(Path::new(hosts::HOSTS), &pod.plan.hosts)
    {
        log::warn!(
            "services do not know each other by name, only as localhost: cannot write {}: {error}",
            hosts::HOSTS
        );
    }

    let (pod_lives, over) = bounded::<()>(0);
    let label = owned_by(&pod.controller);
    let feed = HealthFeed { engine: pod.engine.clone(), label, inbox: crew.inbox().clone(), over: over.clone() };
    let events = pod.events;
    crew.spawn("health-feed".to_owned(), move || feed.follow(events));

    let (pod_stays, ending) = bounded::<()>(0);
    let ear = if pod.options.logs {
        Ear::Shown(Output::open(crew, ending.clone()))
    } else {
        Ear::Kept(Tails::of(pod.plan.components.len(), crew, ending.clone()))
    };
    let images = Arc::new(pod.images);
    let opened = Arc::default();
    let component = |(position, planned): (usize, &Planned)| Component {
        who: Who(position),
        planned: Arc::new(planned.clone()),
        engine: pod.engine.clone(),
        inbox: crew.inbox().clone(),
        logs: pod.options.logs,
        images: Arc::clone(&images),
        opened: Arc::clone(&opened),
        apart: false,
        life: never(),
        ending: ending.clone(),
        over: over.clone(),
    };
    let components: Vec<Component> = pod.plan.components.iter().enumerate().map(component).collect();
    let neighbours = Neighbours::of(pod.engine.clone(), pod.controller.clone(), &pod.plan.components, ending.clone())
        .and_of_tasks(pod.has_volume_of_task);
    crew.spawn("sweep".to_owned(), move || neighbours.look());
    let machine = Machine::new(&pod.plan);
    let hands = Hands::new(crew.clone(), components, pod.board, ear, pod_stays);
    let chronicle = Chronicle::new(&pod.plan.components);
    let conducted = conducted(machine, hands, chronicle, inbox.clone());
    let (mut end, witnesses) = match conducted {
        Ok((end, chronicle, ear)) => (end, Some((chronicle, ear))),
        Err(why) => {
            if let Err(error) = sweep_containers(&pod.engine, &pod.controller) {
                log::error!("containers may be left behind: {}", chain(&error));
            }
            (End::new(Cause::Crashed(why), true), None)
        }
    };
    let scratch = Scratch { engine: pod.engine.clone(), controller: pod.controller, over };
    scratch.remove_all(pod.plan.scratch(), crew, inbox);
    if let Some(slice) = pod.slice {
        slice.remove(&pod.engine, crew, inbox);
    }
    drop(pod_lives);
    let Some((mut chronicle, ear)) = witnesses else { return end };
    if matches!(end.cause, Cause::Signal(_)) {
        end.unhealthy = is_unhealthy(&scratch.engine, &scratch.controller);
    } else {
        chronicle.hear_out(&end.cause, inbox);
        let culprit = chronicle.culprit(&end.cause);
        end.last_words = culprit.map(|of| LastWords { of, lines: ear.last_words(of) });
    }
    end.lives = chronicle.close(Instant::now());
    ear.close(LAST_OUTPUT);
    end
}

/// Whether the engine has found a container unhealthy. Swarm ends such a task by TERM, and takes one that exits with 0 for
/// done, whatever its health.
fn is_unhealthy(engine: &Engine, id: &str) -> bool {
    let health = engine.inspect(id).ok().and_then(|details| details.state.health);
    health.is_some_and(|health| health.status == "unhealthy")
}

/// What [`conduct`] comes to, on a thread of its own: if that panics, why.
fn conducted(
    machine: Machine,
    mut hands: Hands,
    mut chronicle: Chronicle,
    inbox: Receiver<Report>,
) -> Result<(End, Chronicle, Ear), String> {
    let (told, end) = bounded(1);
    let crashed = told.clone();
    let conduct = move || {
        let end = conduct(machine, &mut hands, &mut chronicle, &inbox);
        let _ = told.send(Ok((end, chronicle, hands.ear)));
    };
    crew::start("pod".to_owned(), conduct, move |why| drop(crashed.send(Err(format!("pod: {why}")))));
    end.recv().unwrap_or_else(|_| Err("no word of the pod".to_owned()))
}

/// Subscribes to what happens to the components of a controller: to be done before the first of them is there.
pub fn subscribe(engine: &Engine, controller: &str) -> Result<Events, engine::Error> {
    engine.events(&owned_by(controller))
}

/// The loop: one event at a time, and the actions that it leads to.
fn conduct(mut machine: Machine, hands: &mut Hands, chronicle: &mut Chronicle, inbox: &Receiver<Report>) -> End {
    let mut actions = machine.begin();
    loop {
        for action in &actions {
            chronicle.note_action(action);
            hands.carry_out(action, |who| machine.id(who).map(str::to_owned));
        }
        if actions.last() == Some(&Action::Finish) {
            for who in machine.left() {
                let planned = &hands.components[who.0].planned;
                let volumes = if planned.scratch().next().is_some() { ", with its volumes" } else { "" };
                log::error!("the container {} may be left behind{volumes}", planned.container);
            }
            return machine.into_end().expect("a pod finishes for a cause");
        }
        let event = next_event(hands, inbox);
        tell(&event, hands);
        hands.notice(&event);
        chronicle.note(&event, Instant::now());
        actions = machine.step(event);
    }
}

/// Waits for the next event, and takes what comes with others.
fn next_event(hands: &mut Hands, inbox: &Receiver<Report>) -> Event {
    loop {
        select! {
            recv(inbox) -> report => match report.expect("the crew holds a sender") {
                Report::Event(event) => return event,
                Report::Pulling(who, cancel) => {
                    hands.hold_pull(who, cancel);
                    return Event::Pulling(who);
                }
                Report::Attached { who, id, tty, attach } => hands.follow(who, id, tty, attach),
            },
            recv(hands.deadline) -> _ => return Event::Deadline,
        }
    }
}

/// A line for what an operator wants to know.
fn tell(event: &Event, hands: &Hands) {
    let name = |who: &Who| &hands.components[who.0].planned.name;
    match event {
        Event::Started { who, .. } => log::info!("{}: started", name(who)),
        Event::Misplaced(who, error) if !hands.apart => log::warn!(
            "the engine refuses to place components in the controller's cgroup, so that its limits hold for each of them, \
             not for their sum: {}: {}",
            name(who),
            chain(error)
        ),
        Event::Signal(signal) => log::info!("got {}", signal_name(*signal)),
        _ => {}
    }
}
