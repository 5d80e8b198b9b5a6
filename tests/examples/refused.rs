//! What a Swarm service cannot have: components have it, an operator forbids it.

use std::process::Command;

use serde_json::Value;

use crate::support::swarm::{MANAGER, NODES, Pod, Stack, until};
use crate::support::swarm_events::Events;
use crate::{deploy, deploy_changed, stack_file};

/// An example of `examples/refused/`.
struct Refused {
    name: &'static str,
    /// The component that has it, and the key by which it has.
    component: &'static str,
    key: &'static str,
    /// The class that forbids it, and all classes that the pod needs.
    class: &'static str,
    needs: &'static str,
}

impl Refused {
    fn example(&self) -> String {
        format!("refused/{}", self.name)
    }

    /// Deploys the stack as it is.
    #[track_caller]
    fn deployed(&self) -> (Stack, Pod) {
        let stack = deploy(&self.example());
        let pod = stack.runs("pod", 1).remove(0);
        (stack, pod)
    }

    /// With the flag the task is refused, and no component is made; with the others allowed it still is, and with what it needs
    /// it is not.
    #[track_caller]
    fn is_forbidden(&self) {
        let Self { component, key, class, needs, .. } = self;
        let refusal = format!("{key}: forbidden here, the controller runs with -deny {class}");
        assert_eq!(validate(&self.example(), &["-deny", class]).map_err(|said| said.contains(&refusal)), Err(true));
        validate(&self.example(), &["-allow", "none"]).expect_err("nothing is allowed");
        validate(&self.example(), &["-allow", needs]).expect("what it needs is allowed");

        let events = Events::subscribe();
        let command = format!("command: -logs -deny {class}");
        let stack = deploy_changed(&self.example(), &[("command: -logs", &command)]);
        let failed = || stack.tasks().iter().any(|task| task.error.contains("non-zero exit (2)"));
        until("the task is refused", failed);
        let said = MANAGER.docker(&["service", "logs", "--raw", &stack.service("pod")]);
        let whole = format!("podlike: error: label 'pod.component.{component}', line ");
        assert!(said.contains(&whole) && said.contains(&refusal), "{said}");
        let seen = events.of(&stack.service("pod"));
        assert!(!seen.iter().any(|line| line.ends_with(" start")), "{seen:?}");
        let pods = format!(" {}.", stack.service("pod"));
        assert!(NODES.iter().flat_map(|node| node.components()).all(|line| !line.contains(&pods)));
        stack.ends();
    }
}

/// Swarm has no such flag.
#[track_caller]
fn unknown_to_swarm(flag: &str) {
    let (_, said) = MANAGER.try_docker(&["service", "create", flag, "busybox"]);
    assert!(said.contains(&format!("unknown flag: {flag}")), "{said}");
}

/// What `podlike validate` prints of an example with some flags, in JSON; or what it says.
fn validate(example: &str, flags: &[&str]) -> Result<Value, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podlike"));
    command.args(["validate", "--json"]).args(flags).arg("-f").arg(stack_file(example));
    let output = command.output().expect("podlike runs");
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Waits until the pod's log has a line.
#[track_caller]
fn says(pod: &Pod, line: &str) {
    until(line, || pod.logs().contains(line));
}

pub(crate) fn devices() -> String {
    let refused =
        Refused { name: "devices", component: "vpn", key: "devices", class: "devices", needs: "devices,privileged" };
    unknown_to_swarm("--device");
    let (stack, pod) = refused.deployed();
    says(&pod, "[out] vpn: vpn0\n");
    says(&pod, "inet 10.77.0.1/24 scope global vpn0");
    says(&pod, "[err] app: ls: /dev/net/tun: No such file or directory");
    assert!(pod.exec("app", "ip link show vpn0").contains("UP"));
    stack.ends();
    refused.is_forbidden();
    "a tunnel by /dev/net/tun of one component, its interface for both; with -deny devices the task ends with 2".into()
}

pub(crate) fn privileged() -> String {
    let refused =
        Refused { name: "privileged", component: "disk", key: "privileged", class: "privileged", needs: "privileged" };
    unknown_to_swarm("--privileged");
    let (may, by_hand) = MANAGER.try_docker(&["run", "--rm", "--privileged", "busybox", "true"]);
    let seen = if may {
        let (stack, pod) = refused.deployed();
        says(&pod, "[err] app: mount: permission denied");
        assert!(pod.exec("disk", "df /scratch").contains("8192"));
        assert!(!pod.exec("app", "cat /proc/mounts").contains("/scratch"));
        stack.ends();
        "one component mounts a file system, the other may not"
    } else {
        // A machine in a machine may not give all capabilities away.
        let reason = by_hand.rsplit(": ").nth(1).expect("a reason");
        let stack = deploy(&refused.example());
        until("the task fails", || stack.tasks().iter().any(|task| task.error.contains("non-zero exit (125)")));
        let said = MANAGER.docker(&["service", "logs", "--raw", &stack.service("pod")]);
        assert!(said.contains("error: component 'disk': cannot start") && said.contains(reason), "{by_hand}\n{said}");
        stack.ends();
        "this machine can make nothing privileged, and the pod ends as docker run does"
    };
    refused.is_forbidden();
    format!("{seen}; with -deny privileged the task ends with 2")
}

pub(crate) fn shm_size() -> String {
    let refused = Refused { name: "shm-size", component: "database", key: "shm_size", class: "", needs: "none" };
    unknown_to_swarm("--shm-size");
    let (stack, pod) = refused.deployed();
    says(&pod, "[out] sidecar: shm                     256.0M    100.0M    156.0M  39% /dev/shm");
    let sizes =
        ["database", "sidecar"].map(|name| pod.exec(name, "df -k /dev/shm | sed -n '2s/^[^ ]* *\\([0-9]*\\).*/\\1/p'"));
    assert_eq!(sizes, ["262144", "262144"]);
    stack.ends();
    validate(&refused.example(), &["-deny", "all"]).expect("memory is a matter of limits");
    "100 of 256 MB of shared memory, filled by one component and seen by the other; no flag forbids it".into()
}

pub(crate) fn ipc() -> String {
    let refused =
        Refused { name: "ipc", component: "node", key: "ipc", class: "host-namespaces", needs: "host-namespaces" };
    unknown_to_swarm("--ipc");
    let (stack, pod) = refused.deployed();
    says(&pod, "[out] reader: hello\n");
    let namespace = "readlink /proc/self/ns/ipc";
    let of = |component: &str| pod.exec(component, namespace);
    let nodes = pod.node.docker(&["run", "--rm", "--ipc=host", "busybox", "sh", "-c", namespace]);
    assert_eq!(of("node"), nodes);
    assert_eq!(of("writer"), of("reader"));
    assert_ne!(of("writer"), nodes);
    stack.ends();
    refused.is_forbidden();
    "two components share memory, the third has the node's; with -deny host-namespaces the task ends with 2".into()
}

pub(crate) fn gpus() -> String {
    let refused = Refused { name: "gpus", component: "model", key: "gpus", class: "devices", needs: "devices" };
    unknown_to_swarm("--gpus");
    let plan = validate(&refused.example(), &[]).expect("a plan");
    let components = plan["pods"][0]["plan"]["components"].as_array().expect("components");
    let asks = |name: &str| {
        let component = components.iter().find(|component| component["name"] == name).expect("it is there");
        component["request"]["HostConfig"]["DeviceRequests"].clone()
    };
    assert_eq!(asks("model")[0]["Capabilities"][0][0], "gpu");
    assert_eq!(asks("model")[0]["Count"], -1);
    assert_eq!(asks("app"), Value::Null);
    refused.is_forbidden();
    "planned only, as there is none: all GPUs for one of two components; with -deny devices the task ends with 2".into()
}

pub(crate) fn host_pid() -> String {
    let refused = Refused {
        name: "host-pid",
        component: "monitor",
        key: "pid",
        class: "host-namespaces",
        needs: "host-namespaces",
    };
    unknown_to_swarm("--pid");
    let (stack, pod) = refused.deployed();
    let first = "cat /proc/1/comm";
    let nodes = pod.node.docker(&["run", "--rm", "--pid=host", "busybox", "sh", "-c", first]);
    says(&pod, &format!(" processes, the first is {nodes}\n"));
    says(&pod, " processes, the first is podlike\n");
    let sees_engine = |component: &str| pod.exec(component, "ps").contains("dockerd");
    assert_eq!([sees_engine("monitor"), sees_engine("app")], [true, false]);
    assert_eq!(pod.exec("app", first), "podlike");
    stack.ends();
    refused.is_forbidden();
    "one component sees the engine's own process, the other its pod; with -deny host-namespaces the task ends with 2"
        .into()
}
