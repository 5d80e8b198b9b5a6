//! Probes: the binary asks small servers of the test, on 127.0.0.1, which is the network that it shares with its components.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use support::controller::Launch;
use support::fake_engine::{Call, FakeEngine, Fault, Program, Script};
use support::pod::{PODLIKE, SOON, created, ends, pod, says, start, stops};

/// A server whose every answer is the test's to choose, and which notes what it is asked.
struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By path; others are answered with 404.
    answers: Vec<(String, u16)>,
    asked: Vec<String>,
    /// Takes connections, and says nothing.
    hung: Vec<TcpStream>,
    hangs: bool,
}

impl Server {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(stream, &shared);
            }
        });
        Self { port, state }
    }

    fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answers(&self, path: &str, status: u16) -> &Self {
        self.look(|state| state.answers.insert(0, (path.to_owned(), status)));
        self
    }

    fn hangs(&self) {
        self.look(|state| state.hangs = true);
    }

    /// The paths that were asked for, in order.
    fn asked(&self) -> Vec<String> {
        self.look(|state| state.asked.clone())
    }

    #[track_caller]
    fn until_asked(&self, path: &str, times: usize) {
        let end = std::time::Instant::now() + SOON;
        while self.asked().iter().filter(|asked| *asked == path).count() < times {
            assert!(std::time::Instant::now() < end, "{path} not asked {times} times: {:?}", self.asked());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// A component that is asked here; `%` stands for the port.
    fn component(&self, probes: &str) -> String {
        format!("{{image: demo, x-podlike-probes: {probes}}}").replace('%', &self.port.to_string())
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer).unwrap_or(0);
    let head = String::from_utf8_lossy(&buffer[..read]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.asked.push(path.clone());
    if state.hangs {
        state.hung.push(stream);
        return;
    }
    let status = state.answers.iter().find(|(known, _)| *known == path).map_or(404, |(_, status)| *status);
    let _ = write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
}

/// What `podlike healthcheck` prints.
fn health(engine: &FakeEngine) -> String {
    Launch::of(PODLIKE, engine).arg("healthcheck").start().wait(SOON).out().trim().to_owned()
}

const WANTS_WEB_HEALTHY: &str = "{image: demo, depends_on: {web: {condition: service_healthy}}}";

#[test]
fn who_is_not_ready_holds_back_who_depends_on_it_and_the_health_of_the_pod() {
    let server = Server::open();
    let web = server.component("{readiness: {http: ':%/ready', interval: 400ms, timeout: 400ms, retries: 2}}");
    let engine = pod(&[("web", &web), ("other", WANTS_WEB_HEALTHY)]);
    server.answers("/ready", 503);
    let controller = start(&engine);
    controller
        .until_stderr_contains("web: not ready: the readiness probe failed 2 times in a row: http://127.0.0.1:", SOON);
    assert!(!created(&engine, "other"));
    assert_eq!(health(&engine), "starting");
    server.answers("/ready", 302);
    engine.until_running("other", SOON);
    controller.until_stderr_contains("web: ready", SOON);
    controller.until_stderr_contains("the pod is healthy", SOON);
    server.answers("/ready", 500);
    controller.until_stderr_repeats("web: not ready", 2, SOON);
    assert!(engine.is_running("web") && engine.is_running("other"), "that ends nothing");
    stops(&controller, &engine);
}

#[test]
fn who_is_not_alive_is_stopped_and_the_reason_is_told() {
    let server = Server::open();
    let engine = pod(&[("web", &server.component("{liveness: {http: ':%/live', interval: 400ms, timeout: 400ms}}"))]);
    server.answers("/live", 200);
    let controller = start(&engine);
    server.until_asked("/live", 5);
    assert!(engine.is_running("web"));
    server.answers("/live", 500);
    let why = "the liveness probe failed 3 times in a row: http://127.0.0.1:";
    controller.until_stderr_contains(why, SOON);
    controller.until_stderr_contains("/live: status 500, expected 200 to 399", SOON);
    let stopped = |engine: &FakeEngine| engine.container("web").is_some_and(|web| web.signals == ["TERM"]);
    engine.until("web is stopped", stopped, SOON);
}

#[test]
fn who_is_not_alive_is_started_again_and_who_ends_by_itself_is_not() {
    let server = Server::open();
    let probes = "{liveness: {http: ':%/live', interval: 400ms, timeout: 400ms, retries: 1}}";
    let engine = pod(&[("web", &server.component(probes))]);
    let controller = Launch::of(PODLIKE, &engine).arg("-restart-delay=50ms").start();
    engine.until_seen("POST /containers/web/stop", 1, SOON);
    server.answers("/live", 200);
    engine.script("web", Script::new().until_open("over").exit(4));
    controller.until_stderr_contains("restarting in 50 ms (1st time)", SOON);
    engine.until("it runs its second life", |engine| engine.seen("POST /containers/web/start") > 1, SOON);
    engine.open("over");
    ends(&controller, &engine, 4);
}

#[test]
fn a_server_that_hangs_takes_connections_and_is_dead() {
    let server = Server::open();
    let probes =
        "{readiness: {tcp: %, interval: 400ms, timeout: 400ms}, liveness: {http: %, interval: 400ms, timeout: 400ms}}";
    let engine = pod(&[("web", &server.component(probes))]);
    server.answers("/", 200);
    let controller = start(&engine);
    controller.until_stderr_contains("web: ready", SOON);
    server.until_asked("/", 2);
    server.hangs();
    controller.until_stderr_contains("the liveness probe failed 3 times in a row: http://127.0.0.1:", SOON);
    controller.until_stderr_contains("/: no answer in 0.4 s", SOON);
}

#[test]
fn until_a_component_has_started_it_is_asked_nothing_else() {
    let server = Server::open();
    let every = "interval: 400ms, timeout: 400ms";
    let probes = format!(
        "{{startup: {{http: ':%/started', retries: 1000, {every}}}, liveness: {{http: ':%/live', retries: 1, {every}}}, \
         readiness: {{http: ':%/ready', {every}}}}}"
    );
    let engine = pod(&[("web", &server.component(&probes))]);
    server.answers("/ready", 200);
    let controller = start(&engine);
    server.until_asked("/started", 4);
    assert!(server.asked().iter().all(|path| path == "/started"), "{:?}", server.asked());
    server.answers("/live", 200).answers("/started", 200);
    controller.until_stderr_contains("web: ready", SOON);
    server.until_asked("/live", 3);
    let asked = server.asked();
    let last = asked.iter().rposition(|path| path == "/started").expect("it was asked");
    assert!(asked[..last].iter().all(|path| path == "/started"), "{asked:?}");
    stops(&controller, &engine);
}

#[test]
fn who_never_starts_is_dead() {
    let engine =
        pod(&[("web", "{image: demo, x-podlike-probes: {startup: {exec: check, interval: 400ms, timeout: 400ms}}}")]);
    engine.program("check", Program::new().write_err("not yet\n").exit(1));
    let controller = start(&engine);
    let why = "the startup probe failed 3 times in a row: exec check: ended with exit code 1, its last words: not yet";
    controller.until_stderr_contains(why, SOON);
}

#[test]
fn a_command_is_asked_inside_of_the_component() {
    let probes = "{readiness: {exec: [check, --deep], interval: 400ms, timeout: 400ms}}";
    let engine = pod(&[("web", &format!("{{image: demo, user: '7', x-podlike-probes: {probes}}}"))]);
    engine.program("check", Program::new().exit(1));
    let controller = start(&engine);
    controller.until_stderr_contains("web: not ready: the readiness probe failed 3 times", SOON);
    engine.program("check", Program::new());
    controller.until_stderr_contains("web: ready", SOON);
    let request = engine.execs()[0].clone();
    assert_eq!(request["Cmd"], serde_json::json!(["check", "--deep"]));
    assert!(request["User"].is_null() && request["Privileged"] == false, "{request}");
    stops(&controller, &engine);
}

#[test]
fn a_command_that_hangs_is_not_run_again_beside_itself() {
    let probes = "{liveness: {exec: check, interval: 60ms, timeout: 50ms, retries: 4}}";
    let engine = pod(&[("web", &format!("{{image: demo, x-podlike-probes: {probes}}}"))]);
    engine.program("check", Program::new().hangs());
    let controller = start(&engine);
    let why = "the liveness probe failed 4 times in a row: exec check: the command still runs that was asked before";
    controller.until_stderr_contains(why, SOON);
    assert_eq!(engine.seen(Call::new("POST /containers/web/exec check")), 1);
}

#[test]
fn a_call_that_fails_is_a_probe_that_fails() {
    let probes = "{liveness: {exec: check, interval: 50ms, timeout: 50ms, retries: 2}}";
    for fault in [Fault::status(500, "on purpose"), Fault::Silence, Fault::Cut, Fault::Garbage] {
        let engine = pod(&[("web", &format!("{{image: demo, x-podlike-probes: {probes}}}"))]);
        engine.fault(Call::new("POST /containers/web/exec"), fault);
        let controller = start(&engine);
        controller.until_stderr_contains("the liveness probe failed 2 times in a row: exec check: ", SOON);
    }
}

#[test]
fn nobody_is_asked_after_its_end() {
    let server = Server::open();
    let web = server.component("{liveness: {http: ':%/live', interval: 400ms, timeout: 400ms, retries: 1}}");
    let engine = pod(&[("web", &web), ("slow", "{image: demo, stop_grace_period: 2s}")]);
    server.answers("/live", 200);
    engine.script("slow", Script::new().ignore_term().until_stopped());
    let controller = start(&engine);
    server.until_asked("/live", 3);
    controller.signal(support::pod::TERM);
    engine.until("web has ended", |engine| !engine.is_running("web"), SOON);
    let before = server.asked().len();
    let ended = ends(&controller, &engine, 0);
    // One may have been under way.
    assert!(server.asked().len() <= before + 1, "{} and then {}", before, server.asked().len());
    assert!(!ended.err().contains("probe"), "{}", ended.err());
}

#[test]
fn without_a_check_of_health_a_probe_is_enough_to_wait_for() {
    let server = Server::open();
    let engine = pod(&[
        ("web", &server.component("{startup: {tcp: %, interval: 400ms, timeout: 400ms}}")),
        ("other", WANTS_WEB_HEALTHY),
    ]);
    let controller = start(&engine);
    engine.until_running("other", SOON);
    stops(&controller, &engine);

    let engine = pod(&[
        ("web", &server.component("{liveness: {tcp: %, interval: 400ms, timeout: 400ms}}")),
        ("other", WANTS_WEB_HEALTHY),
    ]);
    let ended = ends(&start(&engine), &engine, 125);
    says(&ended, &["it has no health check"]);
}

#[test]
fn both_the_engines_check_and_the_probe_are_waited_for() {
    let server = Server::open();
    let probes =
        "{readiness: {http: ':%/ready', interval: 400ms, timeout: 400ms}}".replace('%', &server.port.to_string());
    let web = format!("{{image: demo, healthcheck: {{test: [CMD, check]}}, x-podlike-probes: {probes}}}");
    let engine = pod(&[("web", &web), ("other", WANTS_WEB_HEALTHY)]);
    server.answers("/ready", 200);
    let controller = start(&engine);
    controller.until_stderr_contains("web: ready", SOON);
    assert_eq!(health(&engine), "starting");
    assert!(!created(&engine, "other"));
    engine.set_health("web", "healthy");
    engine.until_running("other", SOON);
    stops(&controller, &engine);
}
