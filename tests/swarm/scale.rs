//! More tasks and fewer.

use crate::support::swarm::{MANAGER, NODES, Stack, until};
use crate::support::swarm_events::Events;

#[test]
fn every_task_is_a_pod_and_no_component_outlives_its_task() {
    let events = Events::subscribe();
    let stack = Stack::deploy_text("scale", &text());
    let first = stack.runs("web", 1);
    let service = stack.service("web");
    MANAGER.docker(&["service", "scale", "--detach", &format!("{service}=4")]);
    let pods = stack.runs("web", 4);
    for node in NODES {
        assert!(pods.iter().any(|pod| pod.node == node), "Swarm spreads them: {pods:?}");
    }
    for pod in &pods {
        assert_eq!(pod.components(), ["app", "sidecar"], "{}", pod.name);
        pod.comes_to_print("sidecar", "wget -qO- 127.0.0.1:8080/issue", &pod.exec("app", "hostname"));
    }
    assert!(pods.contains(&first[0]), "the first goes on");

    MANAGER.docker(&["service", "scale", "--detach", &format!("{service}=1")]);
    let left = stack.runs("web", 1);
    for pod in pods.iter().filter(|pod| !left.contains(pod)) {
        until("its components are gone", || !pod.node.components().iter().any(|line| line.starts_with(&pod.id)));
        assert_eq!(events.exit_code_of(pod), 0, "{}", stack.said());
    }
    stack.ends();
}

#[test]
fn a_global_service_has_a_pod_on_each_node() {
    let stack = Stack::deploy_text("global", &text().replace("replicas: 1", "mode: global"));
    let pods = stack.runs("web", 3);
    let mut nodes: Vec<_> = pods.iter().map(|pod| pod.node).collect();
    nodes.sort();
    assert_eq!(nodes, NODES);
    stack.ends();
}

fn text() -> String {
    r"
version: '3.8'
services:
  web:
    image: podlike
    command: -logs
    labels:
      pod.component.app: |
        image: busybox
        command: sh -c 'mkdir /www; hostname > /www/issue; exec httpd -f -p 127.0.0.1:8080 -h /www'
        stop_signal: KILL
      pod.component.sidecar: '{image: busybox, command: tail -f /dev/null, x-podlike-role: sidecar}'
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']
    deploy: {replicas: 1}
"
    .to_owned()
}
