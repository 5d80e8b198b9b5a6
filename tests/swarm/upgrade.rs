//! From the Go program to this one: the same stack, and `docker service update --image`.
//!
//! No image of the Go program can be had here, so one that takes its flags stands in for it, and the component that it left
//! behind is made by hand as it makes them.

use serde_json::Value;

use crate::support::real_engine::image;
use crate::support::swarm::{MANAGER, NODES, Stack, until};

/// What the Go program understands: labels, and flags in Go's manner.
const STACK: &str = r#"
version: '3.5'
services:
  web:
    image: rycus86/podlike:0.3.2
    command: -logs -pids=true -ipc=true --volumes=true -pull=false
    labels:
      pod.init.components: |
        - image: busybox
          command: sh -c 'echo prepared > /shared/init'
      pod.component.app: |
        image: busybox
        command: ["httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/shared"]
        environment:
          - KEY=value
        mem_limit: 64m
        stop_grace_period: 2s
        stop_signal: SIGKILL
        healthcheck:
          test: ["CMD", "test", "-e", "/shared/init"]
          interval: 1s
      pod.component.sidecar: |
        image: busybox
        command: tail -n +1 -f /etc/copied
        depends_on:
          - app
      pod.copy.sidecar: /conf/copied:/etc/copied
    configs:
      - source: copied
        target: /conf/copied
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
      - shared:/shared
    deploy:
      replicas: 2
      restart_policy: {condition: on-failure, delay: 1s}
volumes:
  shared: {}
configs:
  copied: {file: ./LICENSE}
"#;

fn spec(service: &str) -> Value {
    let text = MANAGER.docker(&["service", "inspect", "--format", "{{json .Spec}}", service]);
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn an_update_of_the_image_is_all_it_takes() {
    let stack = Stack::deploy_text("upgrade", STACK);
    let old = stack.runs("web", 2);
    // With its name, its labels (none), and the namespaces of its controller.
    for pod in &old {
        let (name, of_it) = (pod.of("app"), format!("container:{}", pod.id));
        let words = ["run", "--detach", "--rm", "--name", &name, "--network", &of_it, "--pid", &of_it, "busybox"];
        pod.node.docker(&[words.as_slice(), &["tail", "-f", "/dev/null"]].concat());
    }
    let service = stack.service("web");
    let before = spec(&service);

    MANAGER.docker(&[
        "service",
        "update",
        "--quiet",
        "--detach=false",
        "--no-resolve-image",
        "--image",
        &image(),
        &service,
    ]);
    let mut expected = before;
    expected["TaskTemplate"]["ContainerSpec"]["Image"] = image().into();
    assert_eq!(spec(&service), expected, "nothing else has changed");
    for pod in stack.runs("web", 2) {
        assert!(!old.contains(&pod), "{old:?}");
        assert_eq!(pod.components(), ["app", "sidecar"]);
        pod.comes_to_print("sidecar", "wget -qO- 127.0.0.1:8080/init", "prepared");
        assert_eq!(pod.exec("app", "echo $KEY"), "value");
        assert!(pod.exec("sidecar", "cat /etc/copied").contains("MIT License"));
        until("its logs are streamed", || pod.logs().contains("[out] sidecar: MIT License"));
    }
    // What the Go program leaves when it ends in haste, engines remove themselves: it shares the PIDs.
    for node in NODES {
        let left = || node.docker(&["ps", "--all", "--quiet", "--filter", "name=upgrade_web.*podlike.app"]);
        let pods = stack.pods().iter().filter(|pod| pod.node == node).count();
        until("only the new pods are there", || left().lines().count() == pods);
    }

    MANAGER.docker(&["service", "rollback", "--quiet", "--detach=false", &service]);
    stack.runs("web", 2);
    assert_eq!(spec(&service)["TaskTemplate"]["ContainerSpec"]["Image"], "rycus86/podlike:0.3.2");
    stack.ends();
}
