//! `exec`, `top` and `stats` work on the controller and on its components.

use crate::support::abilities::{Abilities, degraded};
use crate::support::real_engine::{Pod, docker, exec, sh, stays};

#[test]
fn exec_top_and_stats_work_while_the_pod_runs() {
    let Abilities { podman, memory, .. } = *Abilities::get();
    if podman {
        degraded("`top` shows the whole pod");
    }
    for options in if memory { &["", "--memory 200m"][..] } else { &[""] } {
        let pod = Pod::new().options(options).component("app", sh("sleep 1000 & wait")).component("db", stays()).run();
        pod.tells("podlike: app: started").tells("podlike: db: started");
        assert_eq!(docker(&["exec", pod.name(), "/podlike", "healthcheck"]), "healthy", "{options}");
        for name in ["app", "db"] {
            let component = pod.of(name);
            assert_eq!(exec(&component, "echo here"), "here", "{options}");
            let top = docker(&["top", &component]);
            assert!(top.contains(if name == "app" { "sleep 1000" } else { "tail -f" }), "{options}: {top}");
            let other = if name == "app" { "tail -f" } else { "sleep 1000" };
            // Podman looks by PID namespace, Docker by cgroup.
            assert_eq!(top.contains(other), podman, "{options}: another component's processes: {top}");
        }
        let of = [pod.of("app"), pod.of("db")];
        for name in [pod.name(), &of[0], &of[1]] {
            let stats = docker(&["stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", name]);
            assert!(!stats.contains("--"), "{options}: {stats}");
        }
        pod.stop();
    }
}
