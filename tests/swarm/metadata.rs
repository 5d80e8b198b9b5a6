//! What components know of their task, and where a pod finds its labels.

use crate::support::swarm::{MANAGER, Node, Stack, until};

#[test]
fn components_know_their_task_and_node_on_every_node() {
    let stack = Stack::deploy_text(
        "metadata",
        r"
version: '3.8'
services:
  web:
    image: podlike
    labels:
      pod.component.app: |
        image: busybox
        command: [sh, -c, 'echo $$1; exec tail -f /dev/null', app, '$${POD_SERVICE_NAME}/$${POD_COMPONENT}']
        stop_signal: KILL
        environment:
          KNOWN: '$${POD_STACK} $${POD_TASK_ID} $${POD_NODE_HOSTNAME} $${POD_NODE_ID} $${POD_TASK_SLOT:-none}'
    command: -logs
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']
    deploy: {mode: global}
",
    );
    for pod in stack.runs("web", 3) {
        let label =
            |key: &str| pod.node.inspect(&pod.id)["Config"]["Labels"][key].as_str().expect("a label").to_owned();
        let (task, node) = (label("com.docker.swarm.task.id"), label("com.docker.swarm.node.id"));
        let known = pod.exec("app", "echo $KNOWN");
        assert_eq!(known, format!("metadata {task} {} {node} none", pod.node.name()));
        until("its argument is filled in", || pod.logs().contains("[out] app: metadata_web/app"));
    }
    stack.ends();
}

/// A pod whose labels are its service's, on a node.
fn under_deploy(name: &str, node: Node) -> Stack {
    let text = format!(
        r"
version: '3.8'
services:
  web:
    image: podlike
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']
    deploy:
      labels:
        pod.component.app: '{{image: busybox, command: tail -f /dev/null, stop_signal: KILL}}'
      placement: {{constraints: ['node.hostname == {}']}}
      restart_policy: {{condition: none}}
",
        node.name()
    );
    Stack::deploy_text(name, &text)
}

#[test]
fn labels_of_the_service_are_read_where_a_manager_runs_the_pod() {
    let stack = under_deploy("labels-manager", MANAGER);
    assert_eq!(stack.runs("web", 1)[0].components(), ["app"]);
    stack.ends();
}

#[test]
fn a_worker_says_where_labels_belong() {
    let stack = under_deploy("labels-worker", Node(2));
    until("the task fails", || stack.tasks().iter().any(|task| task.error.contains("non-zero exit (2)")));
    assert!(stack.said().contains("put them under 'labels' of the service"), "{}", stack.said());
    stack.ends();
}
