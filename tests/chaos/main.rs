//! Drains, kills and cuts off nodes of a Swarm while a client keeps asking three services of two pods each: those of
//! `examples/mesh`.
//!
//! ```text
//!   ROUNDS=3 .ci/swarm.sh with cargo test --test chaos
//!
//!   threads in the network of a task:   ask, ask, ask … ──▶ tasks.front ─▶ orders ─▶ stock
//!   here:                               calm │ drain │ activate │ kill │ start │ unplug │ plug │ calm
//! ```
//!
//! A request may fail only within [`MISSES`] after a node was killed or cut off: those that drain, update, start and join
//! fail none. In the end nothing may be left on any node.

#![allow(clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "a program that stands on tests")]

#[path = "../support/mod.rs"]
mod support;

mod client;

use std::time::{Duration, Instant};
use std::{env, fs, thread};

use client::{Answer, Client};
use support::swarm::{MANAGER, NODES, Node, Stack, Task, root, testbed, until};

/// How long the news that a task runs may be under way to who asks for it: Docker's DNS, and the sidecars' look at it.
const SETTLES: Duration = Duration::from_secs(3);
/// How long nothing is done, and nothing may fail.
const CALM: Duration = Duration::from_secs(5);
/// Longer than Swarm takes to miss a node, and to have pods elsewhere.
const WINDOW: Duration = Duration::from_mins(1);
/// Longer than Docker's DNS names who is lost with its node, and than a request to it takes to fail.
const MISSES: Duration = Duration::from_secs(20);

const SERVICES: [&str; 3] = ["front", "orders", "stock"];
/// The tasks of the services, and the client's.
const TASKS: usize = 2 * SERVICES.len() + 1;

/// What was done, from when until all tasks ran again and [`SETTLES`] more, and how long requests may fail for it.
struct Deed {
    what: String,
    began: Instant,
    ended: Instant,
    excuse: Duration,
}

/// What was done so far.
struct Story<'a> {
    stack: &'a Stack,
    deeds: Vec<Deed>,
}

impl Story<'_> {
    /// Does something for which no request may fail, and waits until the tasks run again, none of them on the node that is
    /// `lost`.
    #[track_caller]
    fn deed(&mut self, what: String, lost: Option<Node>, act: impl FnOnce()) {
        self.excused(what, lost, Duration::ZERO, act);
    }

    /// The same, and requests may fail for so long.
    #[track_caller]
    fn excused(&mut self, what: String, lost: Option<Node>, excuse: Duration, act: impl FnOnce()) {
        thread::sleep(CALM);
        let began = Instant::now();
        act();
        until(&format!("all tasks run after: {what}"), || self.is_settled(lost));
        let took = began.elapsed();
        assert!(took < WINDOW, "{what}: Swarm took {took:?}");
        thread::sleep(SETTLES);
        self.deeds.push(Deed { what, began, ended: Instant::now(), excuse });
    }

    /// Whether all tasks run, none of them on the node that is `lost`; and if none is, whether all nodes are back, and have
    /// no pod that is not wanted.
    fn is_settled(&self, lost: Option<Node>) -> bool {
        let wanted: Vec<Task> = self.stack.tasks().into_iter().filter(|task| task.desired == "Running").collect();
        let runs = |task: &Task| task.runs() && lost.is_none_or(|lost| task.node != lost.name());
        let all_back = || {
            let nodes = MANAGER.docker(&["node", "ls", "--format", "{{.Status}}"]);
            nodes.lines().all(|status| status == "Ready") && self.stack.pods().len() == TASKS
        };
        wanted.len() == TASKS && wanted.iter().all(runs) && (lost.is_some() || all_back())
    }

    /// Brings pods to a node that has none.
    fn spread(&mut self) {
        self.deed("update".to_owned(), None, || {
            let update = |service: &str| {
                let name = self.stack.service(service);
                MANAGER.docker(&[
                    "service",
                    "update",
                    "--force",
                    "--quiet",
                    "--detach=false",
                    "--update-order=start-first",
                    &name,
                ]);
            };
            thread::scope(|scope| SERVICES.into_iter().for_each(|service| drop(scope.spawn(move || update(service)))));
        });
    }

    /// Who has most of the pods, but for the manager.
    fn victim(&self) -> Node {
        let pods = self.stack.pods();
        let count = |node: &Node| pods.iter().filter(|pod| pod.node == *node).count();
        let victim = NODES.into_iter().filter(|node| *node != MANAGER).max_by_key(count).expect("there are workers");
        assert!(count(&victim) > 0, "the workers have no pods: {pods:?}");
        victim
    }

    fn round(&mut self) {
        let available = |node: Node, how: &str| {
            MANAGER.docker(&["node", "update", "--availability", how, &node.name()]);
        };
        let node = self.victim();
        self.deed(format!("drain {}", node.name()), Some(node), || available(node, "drain"));
        available(node, "active");
        self.spread();
        let node = self.victim();
        self.excused(format!("kill {}", node.name()), Some(node), MISSES, || testbed(&["halt", &node.name()]));
        self.deed(format!("start {}", node.name()), None, || testbed(&["start", &node.name()]));
        self.spread();
        let node = self.victim();
        self.excused(format!("cut off {}", node.name()), Some(node), MISSES, || testbed(&["unplug", &node.name()]));
        self.deed(format!("join {}", node.name()), None, || testbed(&["plug", &node.name()]));
        self.spread();
    }
}

/// The mesh, whose pods get a volume each to leave behind, and a task whose network the client asks from.
fn stack() -> Stack {
    let folder = root().join("examples/mesh");
    let text = fs::read_to_string(folder.join("stack.yml")).expect("a stack");
    let client = format!(
        "services:\n  client:\n    image: busybox\n    command: tail -f /dev/null\n    networks: [mesh]\n    \
         deploy: {{placement: {{constraints: ['node.hostname == {}']}}}}\n",
        MANAGER.name()
    );
    let text = text.replacen("services:\n", &client, 1);
    let text = text.replace(
        "    labels:\n      pod.component.app: |\n",
        "    labels:\n      pod.volume.own: disk\n      pod.component.app: |\n        volumes: [own:/own]\n",
    );
    assert_eq!(text.matches("volumes: [own:/own]").count(), SERVICES.len());
    Stack::deploy_in("chaos", &folder, &text)
}

fn main() {
    let rounds = env::var("ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number of rounds"));
    let stack = stack();
    for service in SERVICES {
        stack.runs(service, 2);
    }
    let task = stack.runs("client", 1).remove(0);
    let client = Client::in_network_of(&task, "tasks.front", 8080);
    until("the services answer", || client.last().is_some_and(|answer| answer.error.is_none()));
    let mut story = Story { stack: &stack, deeds: Vec::new() };
    let began = Instant::now();
    for _ in 0..rounds {
        story.round();
    }
    thread::sleep(CALM);
    let answers: Vec<Answer> = client.ends().into_iter().filter(|answer| answer.at >= began).collect();
    let deeds = story.deeds;
    tell(&answers, &deeds);
    let failed = answers.iter().filter(|answer| answer.error.is_some());
    let not_excused: Vec<String> =
        failed.filter(|it| !deeds.iter().any(|deed| deed.excuses(it))).map(|it| story_of(it, &deeds)).collect();
    assert!(not_excused.is_empty(), "requests failed for which no node was lost: {not_excused:#?}");
    stack.ends();
    for node in NODES {
        until("nothing is left on any node", || node.components().is_empty() && node.volumes().is_empty());
    }
    println!("nothing is left on any node");
}

impl Deed {
    fn has(&self, answer: &Answer) -> bool {
        answer.at >= self.began && answer.began <= self.ended
    }

    fn excuses(&self, answer: &Answer) -> bool {
        answer.at >= self.began && answer.at <= self.began + self.excuse
    }
}

/// What became of a request, and how long after which deed it was over.
fn story_of(answer: &Answer, deeds: &[Deed]) -> String {
    let last = deeds.iter().rfind(|deed| deed.began <= answer.at);
    let after = last.map(|deed| format!(", {:?} after: {}", answer.at - deed.began, deed.what));
    format!("{:?}{}", answer.error, after.unwrap_or_default())
}

/// A line for each deed.
fn tell(answers: &[Answer], deeds: &[Deed]) {
    println!("| deed | all tasks run after | requests | failed | the last of them, after | slowest |");
    println!("|---|---|---|---|---|---|");
    for deed in deeds {
        let asked: Vec<&Answer> = answers.iter().filter(|answer| deed.has(answer)).collect();
        let failed: Vec<&&Answer> = asked.iter().filter(|answer| answer.error.is_some()).collect();
        let last = failed.iter().map(|answer| answer.at - deed.began).max().unwrap_or_default();
        let took = (deed.ended - deed.began).saturating_sub(SETTLES);
        let slowest = asked.iter().map(|answer| answer.at - answer.began).max().unwrap_or_default();
        println!(
            "| {} | {:.1} s | {} | {} | {:.1} s | {:.1} s |",
            deed.what,
            took.as_secs_f64(),
            asked.len(),
            failed.len(),
            last.as_secs_f64(),
            slowest.as_secs_f64()
        );
    }
    let failed = answers.iter().filter(|answer| answer.error.is_some()).count();
    println!("{} requests, {failed} failed", answers.len());
}
