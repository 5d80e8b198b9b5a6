//! A reload by a signal, and a stop that lets every component finish.

use std::thread;
use std::time::Duration;

use crate::deploy;
use crate::support::swarm::{MANAGER, Pod, get, until};
use crate::support::swarm_events::Events;

pub(crate) fn run() -> String {
    let events = Events::subscribe();
    let stack = deploy("signal");
    let pod = stack.runs("web", 1).remove(0);
    reloads(&pod);
    let request = thread::spawn(move || get(pod.node, 8083, "/cgi-bin/slow?8"));
    thread::sleep(Duration::from_secs(1));
    MANAGER.docker(&["service", "update", "--detach", "--force", &stack.service("web")]);
    let page = request.join().expect("it comes back").expect("an answer");
    assert!(pod.logs().contains("got SIGTERM"), "the stop began before the answer");
    assert!(page.contains("that is all\n") && page.ends_with("\r\n0\r\n\r\n"), "cut: {page}");
    assert_eq!(events.exit_code_of(&pod), 0, "{}", stack.said());
    let seen = events.of(&pod.name);
    let end = |line: &str| seen.iter().position(|it| it == line).unwrap_or_else(|| panic!("no '{line}' in {seen:?}"));
    assert!(end("proxy die 0") < end("app die 143"), "{seen:?}");
    assert!(seen.contains(&"worker die 0".to_owned()), "{seen:?}");
    let logs = pod.logs();
    let job = logs.lines().rfind(|line| line.contains("worker: job")).expect("a job");
    assert!(job.ends_with(" done"), "{job}");
    until("there is a new task", || stack.pods_of("web").iter().any(|it| *it != pod));
    assert!(stack.tasks().iter().all(|task| task.error.is_empty()));
    stack.ends();
    "HUP: nginx read its configuration anew; TERM: a request of 8 s whole, a job done, then the rest, code 0".into()
}

/// HUP to the controller reaches every component, and the pod goes on.
#[track_caller]
fn reloads(pod: &Pod) {
    let answers = |status: &str| get(pod.node, 8083, "/cgi-bin/slow").is_ok_and(|page| page.contains(status));
    until("it answers", || answers("200 OK"));
    pod.exec("app", "echo 'return 503 closed;' >/conf/maintenance.conf");
    assert!(answers("200 OK"), "nobody has read it yet");
    for (change, status) in [(":", "503 Service"), ("rm /conf/maintenance.conf", "200 OK")] {
        pod.exec("app", change);
        pod.node.docker(&["kill", "--signal", "HUP", &pod.id]);
        // Several in a row: nginx's old processes answer for a moment longer.
        until(status, || (0..5).all(|_| answers(status)));
    }
    until("the worker says so", || pod.logs().contains("worker: heard HUP"));
}
