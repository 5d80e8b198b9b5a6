//! The time that Swarm gives a task to stop.

use crate::support::swarm::{MANAGER, Node, Stack};
use crate::support::swarm_events::Events;

/// A pod on a node whose component ignores TERM.
fn text(node: Node, keys: &str) -> String {
    format!(
        r"
version: '3.8'
services:
  web:
    image: podlike
    {keys}
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']
    deploy:
      replicas: 1
      placement: {{constraints: ['node.hostname == {}']}}
",
        node.name()
    )
}

const STUBBORN: &str = r#"pod.component.app: '{image: busybox, command: [sh, -c, "trap : TERM; while :; do sleep 1; done"], stop_grace_period: 1m}'"#;

/// Its controller ends by itself, before Swarm kills it.
fn ends_in_time(name: &str, text: &str) {
    let events = Events::subscribe();
    let stack = Stack::deploy_text(name, text);
    let pod = stack.runs("web", 1).remove(0);
    MANAGER.docker(&["service", "scale", "--detach", &format!("{}=0", stack.service("web"))]);
    assert_eq!(events.exit_code_of(&pod), 0, "{}", stack.said());
    assert!(!pod.node.components().iter().any(|line| line.starts_with(&pod.id)), "{}", stack.said());
    stack.ends();
}

#[test]
fn a_manager_tells_the_grace_of_the_service() {
    let keys = format!("stop_grace_period: 4s\n    labels:\n      {STUBBORN}");
    ends_in_time("grace", &text(MANAGER, &keys));
}

#[test]
fn a_label_tells_it_on_a_worker() {
    let keys = format!("stop_grace_period: 4s\n    labels:\n      pod.stop_grace_period: 4s\n      {STUBBORN}");
    ends_in_time("label", &text(Node(2), &keys));
}
