//! Configs and secrets of a Swarm, in components.

use crate::support::swarm::Stack;

const TOKEN: &str = "the token of these tests";

#[test]
fn a_component_has_the_configs_and_secrets_of_its_service_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("token", TOKEN), ("app.conf", "colour = green")] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let text = r"
version: '3.8'
services:
  web:
    image: podlike
    labels:
      pod.component.app: |
        image: busybox
        command: tail -f /dev/null
        user: '1000'
        secrets: [token, {source: token, target: mine, uid: '1000', mode: 0400}]
        configs: [{source: app.conf, target: /etc/app.conf}]
      pod.component.other: '{image: busybox, command: tail -f /dev/null}'
    secrets: [token]
    configs: [{source: app, target: /app.conf}]
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']
    deploy: {mode: global}
secrets:
  token: {file: ./token}
configs:
  app: {file: ./app.conf}
";
    let file = folder.path().join("stack.yml");
    std::fs::write(&file, text).expect("a file");
    let stack = Stack::deploy("projected", &file);
    for pod in stack.runs("web", 3) {
        let seen = pod
            .exec("app", "cat /run/secrets/token /run/secrets/mine /etc/app.conf; stat -c ' %a %u' /run/secrets/mine");
        assert_eq!(seen, format!("{TOKEN}{TOKEN}colour = green 400 1000"));
        for target in ["/run/secrets", "/etc/app.conf"] {
            let mount = pod.exec("app", &format!("grep ' {target} ' /proc/self/mountinfo"));
            assert!(mount.contains(" - tmpfs "), "{target}: {mount}");
        }
        assert_eq!(pod.exec("other", "ls /run/secrets 2>/dev/null || echo none"), "none");
    }
    stack.ends();
}
