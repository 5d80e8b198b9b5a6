//! The controller's limits hold for the pod, and a component's own below them.

use serde_json::{Value, json};

use crate::support::abilities::{Abilities, degraded};
use crate::support::real_engine::{Pod, inspect, sh, stays, with};

/// Holds so many megabytes, and says so, or that it was not allowed to.
fn holds(megabytes: u32) -> Value {
    // The one that reads from the pipe does so after it was asked to; dd has all of it until then.
    sh(&format!(
        "mkfifo /tmp/pipe; (sleep 0.5; dd if=/dev/zero bs={megabytes}M count=1 2>/dev/null >/tmp/pipe || echo too much) &
        exec 3</tmp/pipe; head -c 1 <&3 >/dev/null && echo holds; wait; tail -f /dev/null"
    ))
}

#[test]
fn the_controllers_memory_is_that_of_all_components() {
    let able = Abilities::get();
    let pod = Pod::new().options("--memory 64m --memory-swap 64m").flags("-logs");
    let pod = pod.component("app", holds(40)).component("db", with(holds(40), json!({"depends_on": ["app"]}))).run();
    if able.limits_the_pod() {
        pod.says("too much");
        let parent = inspect(&pod.of("db"))["HostConfig"]["CgroupParent"].clone();
        assert_ne!(parent, "", "a component is not placed below the pod");
        pod.stop();
        return;
    }
    pod.says("app: holds").says("db: holds");
    let (own, limit) = (inspect(pod.name()), inspect(&pod.of("db")));
    assert_eq!(limit["HostConfig"]["Memory"], own["HostConfig"]["Memory"]);
    let ended = pod.stop();
    if able.memory {
        degraded("for each component");
        assert_eq!(ended.err().matches("podlike: warning:").count(), 1, "{}", ended.err());
        assert!(ended.err().contains("component"), "{}", ended.err());
    } else {
        degraded("no limits on this host");
    }
}

#[test]
fn a_component_gets_no_more_than_its_own_limit() {
    let able = Abilities::get();
    let small = with(holds(40), json!({"mem_limit": "24m", "memswap_limit": "24m"}));
    let pod = Pod::new().options("--memory 200m --memory-swap 200m").flags("-logs");
    let pod = pod.component("app", small).component("db", holds(40)).component("other", stays()).run();
    pod.says("db: holds").tells("podlike: other: started");
    if able.memory {
        pod.says("app: too much");
    } else {
        pod.says("app: holds");
        degraded("no limits on this host");
    }
    pod.stop();
}

#[test]
fn a_component_may_not_have_more_than_the_controller() {
    let able = Abilities::get();
    let large = with(stays(), json!({"mem_limit": "512m"}));
    let pod = Pod::new().options("--memory 64m").component("app", large).run();
    pod.tells("podlike: app: started");
    let limit = inspect(&pod.of("app"))["HostConfig"]["Memory"].clone();
    let ended = pod.stop();
    if able.memory {
        assert_eq!(limit, 64 << 20, "{}", ended.err());
        assert!(ended.err().contains("mem_limit"), "{}", ended.err());
    } else {
        degraded("no limits on this host");
    }
}
