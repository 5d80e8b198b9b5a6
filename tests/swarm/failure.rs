//! What the end of a pod is to its service.

use crate::support::swarm::{MANAGER, NODES, Stack, Task, until};

/// A service whose pod runs a script, in a component with some more keys.
fn text(script: &str, keys: &str) -> String {
    format!(
        r#"
version: '3.8'
services:
  web:
    image: podlike
    healthcheck: {{interval: 1s, retries: 3}}
    labels:
      pod.component.app: |
        image: busybox
        stop_signal: KILL
        command: [sh, -c, "{script}"]
        {keys}
      pod.component.other: '{{image: busybox, command: tail -f /dev/null, stop_signal: KILL}}'
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']
    deploy:
      replicas: 1
      restart_policy: {{condition: on-failure, delay: 1s}}
"#
    )
}

fn nothing_is_left(stack: &Stack) {
    let slot = format!("{}.", stack.service("web"));
    for node in NODES {
        until("its components are gone", || !node.components().iter().any(|line| line.contains(&slot)));
    }
}

#[test]
fn a_pod_that_fails_is_a_failed_task_and_another_one_comes() {
    let stack = Stack::deploy_text("fails", &text("sleep 2; exit 3", ""));
    let failed = || stack.tasks().into_iter().filter(|task| task.state.starts_with("Failed")).collect::<Vec<Task>>();
    until("two tasks have failed", || failed().len() >= 2);
    for task in failed() {
        assert!(task.error.contains("non-zero exit (3)"), "{task:?}");
    }
    MANAGER.docker(&["service", "scale", "--detach", &format!("{}=0", stack.service("web"))]);
    nothing_is_left(&stack);
    stack.ends();
}

#[test]
fn an_unhealthy_pod_is_a_failed_task_and_another_one_comes() {
    let check = "healthcheck: {test: test ! -e /sick, interval: 500ms, retries: 1}";
    let stack = Stack::deploy_text("unwell", &text("sleep 3; touch /sick; tail -f /dev/null", check));
    let failed = |task: &Task| task.state.starts_with("Failed") && task.error.contains("unhealthy container");
    until("a task has failed", || stack.tasks().iter().any(failed));
    let first = stack.tasks().into_iter().find(failed).expect("just seen").id;
    until("another pod runs", || stack.pods().iter().any(|pod| !pod.name.ends_with(&first)));
    stack.ends();
}

#[test]
fn a_pod_that_is_done_is_a_completed_task_and_none_comes() {
    let stack = Stack::deploy_text("done", &text("sleep 1", ""));
    until("the task is complete", || stack.tasks().iter().any(|task| task.state.starts_with("Complete")));
    nothing_is_left(&stack);
    assert_eq!(stack.tasks().len(), 1, "{:#?}", stack.tasks());
    stack.ends();
}

#[test]
fn a_killed_controller_leaves_nothing_and_another_task_comes() {
    let stack = Stack::deploy_text("killed", &text("tail -f /dev/null", ""));
    let pod = stack.runs("web", 1).remove(0);
    pod.node.docker(&["kill", "--signal", "KILL", &pod.id]);
    until("another pod runs", || stack.pods().iter().any(|it| it.id != pod.id));
    until("no component is left", || !pod.node.components().iter().any(|line| line.starts_with(&pod.id)));
    stack.runs("web", 1);
    stack.ends();
}
