//! An endpoint for the health of all parts of a pod, and a pod that Swarm replaces when one of them hangs.

use crate::deploy;
use crate::support::swarm::{Pod, get, until};

pub(crate) fn run() -> String {
    let stack = deploy("health");
    let pod = stack.runs("jobs", 1).remove(0);
    assert_eq!(pod.exec("redis", "redis-cli rpush jobs one"), "1");
    until("the worker works", || pod.logs().contains("[out] worker: did one"));
    tells(&pod, "200 OK", "redis is well\nworker is well\n");
    // For a moment, which is told, and passes.
    pod.node.docker(&["kill", "--signal", "STOP", &pod.of("worker")]);
    tells(&pod, "503 Service Unavailable", "redis is well\nworker is not well\n");
    pod.node.docker(&["kill", "--signal", "CONT", &pod.of("worker")]);
    tells(&pod, "200 OK", "redis is well\nworker is well\n");
    assert_eq!(stack.pods(), std::slice::from_ref(&pod), "Swarm has let it be");
    // For good: the worker hangs, too, as it waits for an answer.
    pod.node.docker(&["kill", "--signal", "STOP", &pod.of("redis")]);
    tells(&pod, "503 Service Unavailable", "redis is not well\nworker is not well\n");
    until("the task fails", || stack.tasks().iter().any(|task| task.error.contains("unhealthy container")));
    let later = stack.runs("jobs", 1).remove(0);
    assert_ne!(later.id, pod.id);
    tells(&later, "200 OK", "redis is well\nworker is well\n");
    stack.ends();
    "200; the worker stopped: 503 until it went on; redis stopped: 503, unhealthy, and Swarm made a new task: 200"
        .into()
}

/// Waits until the endpoint says so.
#[track_caller]
fn tells(pod: &Pod, status: &str, report: &str) {
    let says = || get(pod.node, 8086, "/cgi-bin/health");
    until(status, || says().is_ok_and(|page| page.contains(status) && page.ends_with(report)));
}
