//! Rolling updates: the new pod before the old one, and back again when the new one is no good.

use crate::support::swarm::{MANAGER, Pod, Stack, root, until};

/// A stack whose pod runs this, and is watched for some seconds after it has taken another one's place.
fn text(app: &str, monitor: u32) -> String {
    format!(
        r"
version: '3.8'
services:
  web:
    image: podlike
    healthcheck: {{interval: 1s, retries: 3}}
    labels:
      pod.component.app: |
        image: busybox
        stop_signal: KILL
        {app}
      pod.component.other: '{{image: busybox, command: tail -f /dev/null}}'
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']
    deploy:
      replicas: 2
      restart_policy: {{condition: on-failure, delay: 1s}}
      update_config: {{order: start-first, failure_action: rollback, monitor: {monitor}s, delay: 0s}}
      rollback_config: {{order: start-first, monitor: 1s}}
"
    )
}

const GOOD: &str = "command: tail -f /dev/null";

/// When a controller started or finished, which texts of one length compare.
fn time(pod: &Pod, which: &str) -> String {
    pod.node.inspect(&pod.id)["State"][which].as_str().expect("a time").chars().take(23).collect()
}

fn status(stack: &Stack) -> String {
    let format = "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}";
    MANAGER.docker(&["service", "inspect", "--format", format, &stack.service("web")])
}

#[test]
fn start_first_has_the_new_pod_before_the_old_one_goes() {
    let stack = Stack::deploy_text("update", &text(GOOD, 2));
    let old = stack.runs("web", 2);
    stack.update(root(), &text("command: tail -f /dev/null /dev/null", 2));
    until("the update is complete", || status(&stack) == "completed");
    let new = stack.runs("web", 2);
    for pod in &old {
        assert!(!new.contains(pod), "{old:?}, {new:?}");
        let slot = |pod: &Pod| pod.name.split('.').nth(1).map(str::to_owned);
        let heir = new.iter().find(|it| slot(it) == slot(pod)).expect("a slot has one");
        let (started, ended) = (time(heir, "StartedAt"), time(pod, "FinishedAt"));
        assert!(started < ended, "the new one started at {started}, the old one ended at {ended}");
        assert!(!pod.node.components().iter().any(|line| line.starts_with(&pod.id)), "{}", pod.name);
    }
    stack.ends();
}

/// Updates to a pod that is no good, and sees the old one stay.
fn is_rolled_back(name: &str, bad: &str, why: &str) {
    let stack = Stack::deploy_text(name, &text(GOOD, 2));
    stack.runs("web", 2);
    // What fails later than that is not the update's fault to Swarm, and a machine may be slow.
    stack.update(root(), &text(bad, 60));
    until("it is rolled back", || status(&stack) == "rollback_completed");
    assert!(stack.tasks().iter().any(|task| task.error.contains(why)), "no task says '{why}': {:#?}", stack.tasks());
    for pod in stack.runs("web", 2) {
        assert_eq!(pod.components(), ["app", "other"]);
        assert_eq!(pod.node.inspect(&pod.of("app"))["Config"]["Cmd"][0], "tail", "it is the old one again");
    }
    stack.ends();
}

#[test]
fn a_pod_that_exits_with_an_error_is_rolled_back() {
    is_rolled_back("exits", "command: sh -c 'sleep 1; exit 3'", "non-zero exit (3)");
}

#[test]
fn a_pod_that_turns_unhealthy_is_rolled_back() {
    let bad = "command: sh -c 'sleep 3; touch /sick; tail -f /dev/null'\n        \
               healthcheck: {test: test ! -e /sick, interval: 500ms, retries: 1}";
    is_rolled_back("sick", bad, "unhealthy container");
}
