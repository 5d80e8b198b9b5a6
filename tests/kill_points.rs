//! SIGKILL of the controller at each call of its life, on the real engine, and what comes after it: nothing of a dead
//! controller may run on, and the next start leaves nothing of it. TERM at some of them, too: the others are in `faults.rs`.
//!
//! ```text
//!   rehearsal: how many calls ─▶ each × { before, after its work } × { same container, new task, nothing } × PIDs ─▶ matrix
//! ```
//!
//! `make faults` tries all of them, `cargo test` every fifth.

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
/// In which nothing of a dead controller may run any more.
const AT_LAST: Duration = Duration::from_secs(10);
/// What a start or an end may take on a machine that does ten of them at a time.
const BOUND: Duration = Duration::from_mins(1);

/// In which a controller sweeps what dead ones left: those that have been dead for a minute, once it has settled itself.
const SWEPT: Duration = Duration::from_secs(100);

/// What comes after the kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Again,
    #[allow(dead_code)]
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

/// A task of a service; its pod has volumes of both kinds.
fn task(pod: Pod, service: &str, flags: &str) -> Created {
    let grace = json!({"stop_grace_period": "1s"});
    let volumes = json!({"volumes": ["disk:/disk", "fast:/fast"]});
    pod.label("com.docker.swarm.service.id", service)
        .label("com.docker.swarm.service.name", service)
        .label("pod.volume.disk", "")
        .label("pod.volume.fast", json!({"medium": "memory", "size": "1m"}))
        .component("app", with(with(stays(), grace.clone()), volumes))
        .component("db", with(stays(), grace))
        .flags(flags)
        .create()
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
    let took = up.elapsed();
    comes(time, is_so);
    let begun = Instant::now() - took;
    live(controller, || false);
    let code = &state(&controller.id)["ExitCode"];
    let said = || try_docker(&["logs", &controller.id]).1;
    verdict.holds(Promise::Code, code == 0, || format!("the next start ended with {code}: {}", said()));
    let took = begun.elapsed();
    verdict.holds(Promise::Bounded, took < BOUND, || format!("the next start took {took:?}: {}", said()));
}

/// TERM in the middle of a call: an orderly end, whatever it was.
fn end(point: &Point, verdict: &mut Verdict) {
    let wire = Tripwire::before(Path::new(SOCKET));
    let pod = Pod::without_socket().mount(&wire.socket(), SOCKET);
    let service = pod.of("service");
    let pod = task(pod, &service, point.flags);
    wire.arm(&pod.id, point.nth, point.when, "TERM");
    start(&pod);
    let began = Instant::now();
    comes(BOUND, || wire.struck().is_some() || !runs(&pod.id) || began.elapsed() > BOUND / 2);
    let begun = Instant::now();
    if wire.struck().is_none() {
        let _ = ask(Path::new(SOCKET), "POST", &format!("/containers/{}/kill?signal=TERM", pod.id));
    }
    comes(BOUND, || !runs(&pod.id));
    let (took, code, said) = (begun.elapsed(), state(&pod.id)["ExitCode"].clone(), try_docker(&["logs", &pod.id]).1);
    let forced = said.contains("the pod was killed after SIGTERM");
    verdict.holds(Promise::Code, code == if forced { 143 } else { 0 }, || format!("it ended with {code}: {said}"));
    verdict.holds(Promise::Bounded, took < BOUND / 2, || format!("it took {took:?}: {said}"));
    verdict.holds(Promise::Told, said.contains("SIGTERM"), || said.clone());
    verdict.holds(Promise::Clean, left(&pod).is_empty(), || format!("{:?}: {said}", left(&pod)));
}

struct Point {
    nth: usize,
    when: When,
    then: Then,
    flags: &'static str,
}

fn play(point: &Point, verdict: &mut Verdict) {
    let wire = Tripwire::before(Path::new(SOCKET));
    let pod = Pod::without_socket().mount(&wire.socket(), SOCKET);
    let service = pod.of("service");
    let dead = task(pod, &service, point.flags);
    wire.arm(&dead.id, point.nth, point.when, "KILL");
    start(&dead);
    live(&dead, || wire.struck().is_some());
    let Some(call) = wire.struck() else {
        // The last calls need not be made each time.
        return verdict.holds(Promise::Clean, left(&dead).is_empty(), || format!("not killed: {:?}", left(&dead)));
    };
    let code = &state(&dead.id)["ExitCode"];
    verdict.holds(Promise::Code, code == 137, || format!("killed at {call}, it ended with {code}"));
    let before = left(&dead);
    match point.then {
        Then::Again => live_on(&dead, Duration::ZERO, || true, verdict),
        Then::Anew | Then::Nothing => {
            let gone = comes(AT_LAST, || containers(&dead, true).is_empty());
            verdict.holds(Promise::Bounded, gone, || {
                format!("killed at {call}, these run on: {:?}", containers(&dead, true))
            });
            if point.then == Then::Nothing {
                return;
            }
            let heir = task(Pod::new(), &service, point.flags);
            live_on(&heir, SWEPT, || left(&dead).is_empty(), verdict);
            let left = left(&heir);
            verdict
                .holds(Promise::Clean, left.is_empty(), || format!("killed at {call}, the next one leaves {left:?}"));
            tells(&heir, &before, verdict);
        }
    }
    let left = left(&dead);
    verdict.holds(Promise::Clean, left.is_empty(), || format!("killed at {call}, these are left: {left:?}"));
    if point.then == Then::Again {
        tells(&dead, &before, verdict);
    }
}

/// Whoever removes what was there of another life says so.
fn tells(controller: &Created, before: &[String], verdict: &mut Verdict) {
    let said = try_docker(&["logs", &controller.id]).1;
    let dying = |one: &String| one.contains("Removal In Progress") || one.contains("(Up");
    let stayed = before.iter().any(|one| !dying(one) && one.contains("Created"));
    verdict.holds(Promise::Told, !stayed || said.contains("left behind"), || format!("{before:?} were there: {said}"));
}

/// How many calls a life takes.
fn calls(flags: &str) -> usize {
    let wire = Tripwire::before(Path::new(SOCKET));
    let pod = Pod::without_socket().mount(&wire.socket(), SOCKET);
    let service = pod.of("service");
    let pod = task(pod, &service, flags);
    start(&pod);
    live(&pod, || false);
    assert_eq!(left(&pod), Vec::<String>::new(), "without a kill");
    assert_eq!(state(&pod.id)["ExitCode"], 0, "without a kill");
    wire.calls().len()
}

/// Every one, or every fifth: another fifth for each way that it goes on, so that each call has its turn.
fn points(flags: &'static str, then: &[Then], calls: usize) -> Vec<Point> {
    let mut points = Vec::new();
    for nth in 1..=calls {
        for when in [When::Before, When::After] {
            points.extend(then.iter().map(|then| Point { nth, when, then: *then, flags }));
        }
    }
    let mut count = 0;
    points.retain(|_| {
        count += 1;
        all_of_it() || count % 5 == 0
    });
    points
}

fn hold_at_each_call(title: &str, pods: &[(&'static str, &[Then])]) {
    let mut cases = Vec::new();
    for (flags, then) in pods {
        for point in points(flags, then, calls(flags)) {
            let kind = if flags.is_empty() { "shared PIDs" } else { "private PIDs" };
            cases.push(Case {
                row: format!("{kind} · {}", point.then.name()),
                name: format!("call {}, {:?}", point.nth, point.when),
                waits: false,
                run: Box::new(move |verdict| play(&point, verdict)),
            });
        }
    }
    hold(title, cases, AT_A_TIME);
}

#[test]
fn a_term_at_some_calls_ends_the_pod_well_on_a_real_engine() {
    let calls = calls("");
    let mut cases = Vec::new();
    // What comes after the start's last call is the end already, which these pods do not come to by themselves.
    for nth in (1..calls * 2 / 3).step_by(if all_of_it() { 1 } else { 4 }) {
        for when in [When::Before, When::After] {
            let point = Point { nth, when, then: Then::Nothing, flags: "" };
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
    hold_at_each_call("SIGKILL at each call", &[("", &[Then::Again, Then::Nothing]), ("-pids=false", &[Then::Again])]);
}
