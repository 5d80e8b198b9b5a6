//! SIGKILL of the controller at each call of its life, on the real engine, and what comes after it: nothing of a dead
//! controller may run on, and the next start leaves nothing of it. TERM at some of them, too: the others are in `faults.rs`.
//!
//! ```text
//!   rehearsal: how many calls ─▶ each × { before, after its work } × { same container, new task, nothing } × PIDs ─▶ matrix
//! ```
//!
//! `make faults` tries all of them, `cargo test` a part.

mod support;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::matrix::{Case, Promise, Verdict, all_of_it, hold};
use support::real_engine::{Created, OWNER, Pod, SOCKET, stays, try_docker, with};
use support::tripwire::{Tripwire, When, ask};

/// So many pods at a time.
const AT_A_TIME: usize = 10;
/// So many, where most of them wait to be swept.
const WAITING: usize = 20;
/// In which nothing of a dead controller may run any more.
const AT_LAST: Duration = Duration::from_secs(10);
/// What a start or an end may take on a machine that does ten of them at a time.
const BOUND: Duration = Duration::from_secs(90);

/// More than ten of them at a time need to stop on a small machine, and less than [`BOUND`].
const TO_STOP: &str = "25s";
/// In which a controller sweeps what dead ones left, once it has settled itself.
const SWEPT: Duration = Duration::from_secs(40);

/// What comes after the kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Again,
    Anew,
    Nothing,
}

impl Then {
    fn name(self) -> &'static str {
        match self {
            Self::Again => "the same container again",
            Self::Anew => "a new task of the service",
            Self::Nothing => "no restart",
        }
    }
}

/// A kind of pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    name: &'static str,
    flags: &'static str,
    /// It has one on a disk and one in memory.
    volumes: bool,
}

const SHARED: Kind = Kind { name: "shared PIDs", flags: "", volumes: true };
const PRIVATE: Kind = Kind { name: "private PIDs", flags: "-pids=false", volumes: true };

/// A task of a service.
fn task(pod: Pod, service: &str, kind: Kind) -> Created {
    let grace = json!({"stop_grace_period": "1s"});
    let volumes = json!({"volumes": if kind.volumes { vec!["disk:/disk", "fast:/fast"] } else { Vec::new() }});
    let pod = pod
        .label("com.docker.swarm.service.id", service)
        .label("com.docker.swarm.service.name", service)
        .label("pod.stop_grace_period", TO_STOP)
        .component("app", with(with(stays(), grace.clone()), volumes))
        .component("db", with(stays(), grace))
        .flags(kind.flags);
    if !kind.volumes {
        return pod.create();
    }
    let fast = json!({"medium": "memory", "size": "1m"});
    pod.label("pod.volume.disk", "").label("pod.volume.fast", fast).create()
}

/// A call to the engine that must work.
fn engine(method: &str, path: &str) -> String {
    let (status, body) = ask(Path::new(SOCKET), method, path).expect("the engine answers");
    assert!(status < 400, "{method} {path}: {status} {body}");
    body
}

fn state(container: &str) -> Value {
    let body = ask(Path::new(SOCKET), "GET", &format!("/containers/{container}/json")).expect("an answer").1;
    serde_json::from_str::<Value>(&body).expect("JSON")["State"].take()
}

fn runs(container: &str) -> bool {
    state(container)["Running"] == true
}

/// The containers of a controller, or of those only that run.
fn containers(controller: &Created, running: bool) -> Vec<String> {
    let filters = format!("%7B%22label%22%3A%5B%22{OWNER}%3D{}%22%5D%7D", controller.id);
    let all = u8::from(!running);
    let found: Value =
        serde_json::from_str(&engine("GET", &format!("/containers/json?all={all}&filters={filters}"))).expect("a list");
    let name = |one: &Value| format!("{} ({})", one["Names"][0], one["Status"]);
    found.as_array().into_iter().flatten().map(name).collect()
}

fn left(controller: &Created) -> Vec<String> {
    [containers(controller, false), controller.volumes()].concat()
}

/// Waits until it is so; false when it takes too long.
fn comes(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !is_so() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
    true
}

fn start(controller: &Created) {
    engine("POST", &format!("/containers/{}/start", controller.id));
}

/// Lives until its components run, or it has ended for another reason, and then until its end by TERM.
fn live(controller: &Created, until: impl Fn() -> bool) {
    let components = [controller.of("app"), controller.of("db")];
    let up = || components.iter().all(|one| runs(one));
    comes(BOUND, || until() || up() || !runs(&controller.id));
    if !until() {
        let _ = ask(Path::new(SOCKET), "POST", &format!("/containers/{}/kill?signal=TERM", controller.id));
    }
    comes(BOUND, || !runs(&controller.id));
}

/// A next start, and its end once it is so, or after some time: with code 0, without delay.
fn live_on(controller: &Created, time: Duration, is_so: impl Fn() -> bool, verdict: &mut Verdict) {
    start(controller);
    let up = Instant::now();
    let components = [controller.of("app"), controller.of("db")];
    comes(BOUND, || components.iter().all(|one| runs(one)) || !runs(&controller.id));
    let mut took = up.elapsed();
    comes(time, is_so);
    let down = Instant::now();
    live(controller, || false);
    took += down.elapsed();
    let code = &state(&controller.id)["ExitCode"];
    let said = || try_docker(&["logs", &controller.id]).1;
    verdict.holds(Promise::Code, code == 0, || format!("the next start ended with {code}: {}", said()));
    verdict.holds(Promise::Bounded, took < BOUND, || format!("the next start took {took:?}: {}", said()));
}

/// TERM in the middle of a call: an orderly end, whatever it was.
fn end(point: &Point, verdict: &mut Verdict) {
    let wire = Tripwire::before(Path::new(SOCKET));
    let pod = Pod::without_socket().mount(&wire.socket(), SOCKET);
    let service = pod.of("service");
    let pod = task(pod, &service, point.kind);
    wire.arm(&pod.id, point.nth, point.when, "TERM");
    start(&pod);
    comes(BOUND / 2, || wire.struck().is_some() || !runs(&pod.id));
    let begun = Instant::now();
    if wire.struck().is_none() {
        let _ = ask(Path::new(SOCKET), "POST", &format!("/containers/{}/kill?signal=TERM", pod.id));
    }
    comes(BOUND, || !runs(&pod.id));
    let (took, code, said) = (begun.elapsed(), state(&pod.id)["ExitCode"].clone(), try_docker(&["logs", &pod.id]).1);
    let forced = said.contains("the pod was killed after SIGTERM");
    verdict.holds(Promise::Code, code == if forced { 143 } else { 0 }, || format!("it ended with {code}: {said}"));
    verdict.holds(Promise::Bounded, took < BOUND / 3, || format!("it took {took:?}: {said}"));
    verdict.holds(Promise::Told, said.contains("SIGTERM"), || said.clone());
    verdict.holds(Promise::Clean, left(&pod).is_empty(), || format!("{:?}: {said}", left(&pod)));
}

struct Point {
    nth: usize,
    when: When,
    then: Then,
    kind: Kind,
}

fn play(point: &Point, verdict: &mut Verdict) {
    let wire = Tripwire::before(Path::new(SOCKET));
    let pod = Pod::without_socket().mount(&wire.socket(), SOCKET);
    let service = pod.of("service");
    let dead = task(pod, &service, point.kind);
    wire.arm(&dead.id, point.nth, point.when, "KILL");
    start(&dead);
    live(&dead, || wire.struck().is_some());
    let Some(call) = wire.struck() else {
        // The last calls need not be made each time.
        return verdict.holds(Promise::Clean, left(&dead).is_empty(), || format!("not killed: {:?}", left(&dead)));
    };
    let code = &state(&dead.id)["ExitCode"];
    verdict.holds(Promise::Code, code == 137, || format!("killed at {call}, it ended with {code}"));
    match point.then {
        Then::Again => {
            live_on(&dead, Duration::ZERO, || true, verdict);
        }
        Then::Anew | Then::Nothing => {
            let components = || -> Vec<String> {
                containers(&dead, true).into_iter().filter(|name| name.contains(".podlike.")).collect()
            };
            let gone = comes(AT_LAST, || components().is_empty());
            verdict.holds(Promise::Bounded, gone, || format!("killed at {call}, these run on: {:?}", components()));
            // Who removes what is left takes a moment more.
            let gone = comes(BOUND / 3, || containers(&dead, true).is_empty());
            verdict.holds(Promise::Bounded, gone, || {
                format!("killed at {call}, these run on: {:?}", containers(&dead, true))
            });
            if point.then == Then::Nothing {
                return;
            }
            let heir = task(Pod::new(), &service, point.kind);
            live_on(&heir, SWEPT, || left(&dead).is_empty(), verdict);
            let left = left(&heir);
            verdict
                .holds(Promise::Clean, left.is_empty(), || format!("killed at {call}, the next one leaves {left:?}"));
        }
    }
    let left = left(&dead);
    verdict.holds(Promise::Clean, left.is_empty(), || format!("killed at {call}, these are left: {left:?}"));
}

/// How many calls a life takes.
fn calls(kind: Kind) -> usize {
    let wire = Tripwire::before(Path::new(SOCKET));
    let pod = Pod::without_socket().mount(&wire.socket(), SOCKET);
    let service = pod.of("service");
    let pod = task(pod, &service, kind);
    start(&pod);
    live(&pod, || false);
    assert_eq!(left(&pod), Vec::<String>::new(), "without a kill");
    assert_eq!(state(&pod.id)["ExitCode"], 0, "without a kill");
    wire.calls().len()
}

/// Every one, or a part: another part for each way that it goes on, so that each call has its turn.
fn points(kind: Kind, then: &[Then], calls: usize, part: usize) -> Vec<Point> {
    let mut points = Vec::new();
    for nth in 1..=calls {
        for when in [When::Before, When::After] {
            points.extend(then.iter().map(|then| Point { nth, when, then: *then, kind }));
        }
    }
    let mut count = 0;
    points.retain(|_| {
        count += 1;
        all_of_it() || count % part == 0
    });
    points
}

fn hold_at_each_call(title: &str, pods: &[(Kind, &[Then])], part: usize, at_a_time: usize) {
    let mut cases = Vec::new();
    for (kind, then) in pods {
        for point in points(*kind, then, calls(*kind), part) {
            cases.push(Case {
                row: format!("{} · {}", kind.name, point.then.name()),
                name: format!("call {}, {:?}", point.nth, point.when),
                waits: false,
                run: Box::new(move |verdict| play(&point, verdict)),
            });
        }
    }
    hold(title, cases, at_a_time);
}

#[test]
fn a_term_at_some_calls_ends_the_pod_well_on_a_real_engine() {
    let calls = calls(SHARED);
    let mut cases = Vec::new();
    // What comes after the start's last call is the end already, which these pods do not come to by themselves.
    for nth in (1..calls * 2 / 3).step_by(if all_of_it() { 1 } else { 4 }) {
        for when in [When::Before, When::After] {
            let point = Point { nth, when, then: Then::Nothing, kind: SHARED };
            cases.push(Case {
                row: format!("{when:?}"),
                name: format!("call {nth}, {when:?}"),
                waits: false,
                run: Box::new(move |verdict| end(&point, verdict)),
            });
        }
    }
    hold("TERM at some calls", cases, AT_A_TIME);
}

#[test]
fn a_controller_killed_at_any_call_leaves_nothing_that_runs_and_its_next_start_nothing_at_all() {
    let rows: [(Kind, &[Then]); 2] = [(SHARED, &[Then::Again, Then::Nothing]), (PRIVATE, &[Then::Again])];
    hold_at_each_call("SIGKILL at each call", &rows, 5, AT_A_TIME);
}

/// What a controller with private PIDs leaves runs on unless something ends it, and what one leaves that never comes back
/// only another one removes.
#[test]
fn what_a_killed_controller_cannot_see_to_itself_is_seen_to() {
    const SMALL: Kind = Kind { name: "shared PIDs, no volumes", flags: "", volumes: false };
    let rows: [(Kind, &[Then]); 3] =
        [(SMALL, &[Then::Anew]), (SHARED, &[Then::Anew]), (PRIVATE, &[Then::Anew, Then::Nothing])];
    hold_at_each_call("SIGKILL at each call, for a guard and a sweep", &rows, 11, WAITING);
}
