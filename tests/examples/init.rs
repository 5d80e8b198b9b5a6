//! Init components that wait for another service, and prepare what the others use.

use std::fs;

use crate::support::swarm::{MANAGER, Stack, page, until};
use crate::support::swarm_events::Events;
use crate::{deploy_changed, folder};

const BROKEN: (&str, &str) = (". /conf/settings", "exit 3");
const ABSENT: (&str, &str) = ("    stop_grace_period: 1s\n", "    stop_grace_period: 1s\n    deploy: {replicas: 0}\n");
/// Names that Swarm does not know are asked of a server that is not there.
const IMPATIENT: (&str, &str) = (
    "volumes: [conf:/conf]\n        #",
    "volumes: [conf:/conf]\n          environment: ['RES_OPTIONS=timeout:1 attempts:1']\n        #",
);

pub(crate) fn run() -> String {
    let events = Events::subscribe();
    let stack = deploy_changed("init", &[BROKEN, ABSENT, IMPATIENT]);
    waits_and_fails(&stack, &events);
    stack.update(&folder("init"), &fs::read_to_string(folder("init").join("stack.yml")).expect("a stack"));
    let pod = stack.runs("web", 1).remove(0);
    let seen = events.of(&pod.name);
    assert_eq!(seen[..4], ["init-1 start", "init-1 die 0", "init-2 start", "init-2 die 0"]);
    assert_eq!(pod.components(), ["app", "proxy"]);
    let page = page(pod.node, 8081, "/");
    assert!(page.contains("X-Colour: green\r\n") && page.ends_with("<h1>Hello from the settings</h1>\n"), "{page}");
    let volumes = || pod.node.docker(&["volume", "ls", "--quiet", "--filter", &format!("name={}", pod.name)]);
    assert_eq!(volumes().lines().count(), 2);
    stack.ends();
    assert_eq!(volumes(), "");
    "init-1 waited for a service, a broken init-2 ended the task with 3; mended, a page of what both made".into()
}

/// Without an answer of the other service the pod gets no further than to its first init component; the exit code of the
/// second, which fails, is the task's, and nothing else starts.
#[track_caller]
fn waits_and_fails(stack: &Stack, events: &Events) {
    let web = stack.service("web");
    let waits = |log: String| log.contains("[err] init-1: wget: ") && !log.contains("init-1: took");
    until("it waits", || stack.pods_of("web").iter().any(|pod| waits(pod.logs())));
    assert_eq!(events.of(&web), ["init-1 start"]);
    MANAGER.docker(&["service", "scale", "--detach", &format!("{}=1", stack.service("settings"))]);
    until("the task fails", || stack.tasks().iter().any(|task| task.error.contains("non-zero exit (3)")));
    let seen = events.of(&web);
    assert_eq!(seen[..4], ["init-1 start", "init-1 die 0", "init-2 start", "init-2 die 3"]);
    assert!(!seen.iter().any(|line| line == "app start" || line == "proxy start"), "{seen:?}");
}
