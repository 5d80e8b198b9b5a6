//! The controller's limits hold for the pod, and a component's own below them.

use serde_json::{Value, json};

use crate::support::abilities::{Abilities, degraded};
use crate::support::real_engine::{BUSYBOX, Pod, docker, inspect, sh, stays, try_docker, with};

/// Holds so many megabytes, and says so, or that it was not allowed to.
fn holds(megabytes: u32) -> Value {
    // The one that reads from the pipe does so after it was asked to; dd has all of it until then.
    sh(&format!(
        "mkfifo /tmp/pipe; (sleep 0.5; dd if=/dev/zero bs={megabytes}M count=1 2>/dev/null >/tmp/pipe || echo too much) &
        exec 3</tmp/pipe; head -c 1 <&3 >/dev/null && echo holds; wait; tail -f /dev/null"
    ))
}

/// Without a memory controller an engine either takes limits and forgets them, or refuses to start a container that has one.
fn without_limits() {
    degraded("no limits on this host");
}

/// A warning, in podlike's words or in the engine's.
fn says_so(told: &str) -> bool {
    told.lines()
        .any(|line| line.contains("warning: ") && (line.contains("mem_limit") || line.contains("limits of memory")))
}

#[test]
fn the_controllers_memory_is_that_of_all_components() {
    let able = Abilities::get();
    let pod = Pod::new().options("--memory 64m --memory-swap 64m").flags("-logs");
    let pod = pod.component("app", holds(40)).component("db", with(holds(40), json!({"depends_on": ["app"]})));
    if able.podman && !able.memory {
        without_limits();
        let (code, said) = try_docker(&["start", &pod.create().name]);
        assert!(code != Some(0) && said.contains("memory"), "{said}");
        return;
    }
    let pod = pod.run();
    if able.limits_the_pod() {
        pod.says("too much");
        let parent = inspect(&pod.of("db"))["HostConfig"]["CgroupParent"].clone();
        assert_ne!(parent, "", "a component is not placed below the pod");
        pod.stop();
        return;
    }
    pod.says("app: holds").says("db: holds");
    let limit = |container: &str| inspect(container)["HostConfig"]["Memory"].clone();
    assert_eq!(limit(&pod.of("db")), limit(pod.name()));
    let ended = pod.stop();
    let warnings = ended.err().matches("hold for each component, not for their sum").count();
    if able.memory {
        degraded("for each component");
        assert_eq!(warnings, 1, "{}", ended.err());
    } else {
        without_limits();
        assert_eq!(warnings, 0, "there is nothing to hold: {}", ended.err());
    }
}

#[test]
fn a_component_gets_no_more_than_its_own_limit() {
    let able = Abilities::get();
    let small = with(holds(40), json!({"mem_limit": "24m", "memswap_limit": "24m"}));
    let pod = Pod::new().flags("-logs").component("app", small).component("db", holds(40)).run();
    pod.says("db: holds");
    if able.memory {
        pod.says("app: too much").stop();
        return;
    }
    without_limits();
    let ended = pod.says("app: holds").stop();
    assert!(says_so(&ended.err()), "a limit that does not hold is not passed over: {}", ended.err());
}

#[test]
fn a_component_may_not_have_more_than_the_controller() {
    let able = Abilities::get();
    let limit = if able.memory { "--memory 64m" } else { "" };
    let pod = Pod::new().options(limit).component("app", with(stays(), json!({"mem_limit": "512m"}))).run();
    pod.tells("podlike: app: started");
    let taken = inspect(&pod.of("app"))["HostConfig"]["Memory"].clone();
    let ended = pod.stop();
    if able.memory {
        assert_eq!(taken, 64 << 20, "{}", ended.err());
        assert!(ended.err().contains("mem_limit"), "{}", ended.err());
    } else {
        without_limits();
        assert_eq!(taken, 0, "{}", ended.err());
        assert!(says_so(&ended.err()), "{}", ended.err());
    }
}

/// Where the kernel has the controller: a line for each tree of cgroups.
fn cgroup_of(container: &str) -> String {
    let joined = format!("--pid=container:{container}");
    docker(&["run", "--rm", &joined, "--cgroupns=host", "--network=none", BUSYBOX, "cat", "/proc/1/cgroup"])
}

#[test]
fn a_pod_is_in_one_cgroup_if_that_is_asked_for() {
    let able = Abilities::get();
    let pod = Pod::new().options("--health-interval 1s").flags("-cgroup=pod").component("app", stays()).run();
    pod.tells("podlike: app: started");
    let parent = inspect(&pod.of("app"))["HostConfig"]["CgroupParent"].clone();
    let parent = parent.as_str().unwrap_or_default();
    let controller = inspect(pod.name());
    let id = controller["Id"].as_str().expect("an id");
    if able.cgroup_driver == "cgroupfs" && !able.podman {
        assert!(parent.ends_with(&format!("/{id}")), "{parent}");
        let lines = cgroup_of(pod.name());
        let place =
            if able.cgroup_version == "2" { format!("0::{parent}/podlike") } else { format!(":memory:{parent}") };
        assert!(lines.lines().any(|line| line.ends_with(&place)), "{place} is not in {lines}");
    }
    let errand = format!("{}.podlike-cgroup", pod.name());
    assert_ne!(try_docker(&["inspect", &errand]).0, Some(0), "what prepared it is gone");
    assert_eq!(try_docker(&["exec", pod.name(), "/podlike", "healthcheck"]), (Some(0), "healthy".to_owned()));
    docker(&["top", &pod.of("app")]);
    pod.stop();
}
