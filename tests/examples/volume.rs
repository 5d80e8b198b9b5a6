//! Volumes of a node, of a task and of a pod, that components share.

use crate::deploy_changed;
use crate::support::swarm::{MANAGER, NODES, Node, Pod, Stack, until};

/// Both replicas on one node, where no two can have one port.
const TOGETHER: [(&str, &str); 2] = [
    ("    ports:\n      - 8085:80\n", ""),
    ("      replicas: 2\n", "      replicas: 2\n      placement: {constraints: [node.hostname == swarm-2]}\n"),
];
const NODE: Node = NODES[1];

pub(crate) fn run() -> String {
    remove_what_stays();
    let stack = deploy_changed("volume", &TOGETHER);
    let pods = stack.runs("notes", 2);
    for (pod, word) in pods.iter().zip(["one", "two"]) {
        pod.comes_to_print("app", &format!("wget -q -O - 'http://127.0.0.1/cgi-bin/note?{word}'"), "noted");
    }
    for (pod, word) in pods.iter().zip(["one", "two"]) {
        assert_eq!([ask(pod, "own"), ask(pod, "scratch")], [word, word]);
        assert_eq!(ask(pod, "lasting"), "one\ntwo");
        assert_eq!(
            pod.exec("app", "stat -f -c %T /scratch; ls /var/run/docker.sock 2>&1 | tail -c 26"),
            "tmpfs\nNo such file or directory"
        );
    }
    let gone = scaled_down(&stack, &pods);
    assert_eq!(volumes(&gone.name), [""; 0], "the volumes of its pod");
    assert_eq!(volumes(&own(&gone)).len(), 1, "the volume of its task");
    MANAGER.docker(&["service", "scale", "--detach", &format!("{}=2", stack.service("notes"))]);
    let later = stack.runs("notes", 2).into_iter().find(|pod| !pods.contains(pod)).expect("a new one");
    assert_eq!(later.exec("app", "ls /own /scratch"), "/own:\n\n/scratch:", "nothing of its predecessor");
    assert_eq!(ask(&later, "lasting"), "one\ntwo");
    let mut stay = vec![stack.service("lasting"), own(&pods[0]), own(&pods[1]), own(&later)];
    stack.ends();
    stay.sort();
    assert_eq!(volumes(""), stay);
    remove_what_stays();
    "two replicas on one node: one volume for both, one in memory and one on disk for each; the first and those of \
     {{.Task.ID}} stay, the pods' own go"
        .into()
}

/// What the proxy of a pod answers.
#[track_caller]
fn ask(pod: &Pod, path: &str) -> String {
    pod.exec("app", &format!("wget -q -O - 'http://127.0.0.1/{path}'"))
}

/// The volume of a pod's task.
fn own(pod: &Pod) -> String {
    format!("notes-{}", pod.name.rsplit('.').next().expect("the id of its task"))
}

/// The volumes of the example with this in their name, sorted.
fn volumes(part: &str) -> Vec<String> {
    let words = ["volume", "ls", "--format", "{{.Name}}", "--filter"];
    let of = |name: &str| NODE.docker(&[&words[..], &[&format!("name={name}")]].concat());
    let all = [of("notes"), of("example-volume")].join("\n");
    let mut names: Vec<String> =
        all.lines().filter(|name| !name.is_empty() && name.contains(part)).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// The pod that goes when the service has one replica only.
#[track_caller]
fn scaled_down(stack: &Stack, pods: &[Pod]) -> Pod {
    MANAGER.docker(&["service", "scale", "--detach", &format!("{}=1", stack.service("notes"))]);
    until("one is gone", || stack.pods().len() == 1);
    let left = stack.pods();
    pods.iter().find(|pod| !left.contains(pod)).expect("one of them").clone()
}

fn remove_what_stays() {
    // A container of a task that has just ended may still have one.
    until("no volume is left", || {
        for name in volumes("") {
            NODE.try_docker(&["volume", "rm", &name]);
        }
        volumes("").is_empty()
    });
}
