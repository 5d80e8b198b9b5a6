//! What is true where the engine runs, wherever that is: seen by a container that has its PIDs and its cgroups.

use super::abilities::Abilities;
use super::real_engine::{BUSYBOX, Running, docker, inspect};

/// What a shell script prints that sees every process there, and the cgroups below `/cgroups`.
#[track_caller]
pub(crate) fn look(script: &str) -> String {
    let sees = ["--pid=host", "--cap-add=SYS_PTRACE", "--cgroupns=host", "--volume=/sys/fs/cgroup:/cgroups:ro"];
    // Only the host's users may see all of the host's processes.
    let users: &[&str] = if Abilities::get().remaps { &["--userns=host"] } else { &[] };
    let options = [&sees[..], users, &["--rm", "--network=none", "--label=podlike-test"]].concat();
    docker(&[&["run"], &options[..], &[BUSYBOX, "sh", "-c", script]].concat())
}

/// The number of a container's first process.
#[track_caller]
pub(crate) fn process(container: &str) -> u64 {
    let pid = inspect(container)["State"]["Pid"].as_u64().unwrap_or_default();
    assert!(pid > 0, "{container} does not run");
    pid
}

/// Which of these namespaces each component shares with the controller.
#[track_caller]
pub(crate) fn shared_with_controller(pod: &Running, components: &[&str], kinds: &[&str]) -> Vec<String> {
    let controller = process(pod.name());
    components.iter().map(|component| shared(controller, process(&pod.of(component)), kinds)).collect()
}

/// Which of these namespaces two processes share, such as `net pid`.
#[track_caller]
pub(crate) fn shared(one: u64, other: u64, kinds: &[&str]) -> String {
    let script = format!(
        "for kind in {}; do
            mine=$(readlink /proc/{one}/ns/$kind) && its=$(readlink /proc/{other}/ns/$kind) || exit
            [ $mine != $its ] || printf '%s ' $kind
        done",
        kinds.join(" ")
    );
    look(&script).trim_end().to_owned()
}
