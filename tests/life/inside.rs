//! `exec`, `top` and `stats` work on the controller and on its components.

use crate::support::real_engine::{Pod, docker, exec, sh, stays};

#[test]
fn exec_top_and_stats_work_while_the_pod_runs() {
    for options in ["", "--memory 200m"] {
        let pod = Pod::new().options(options).component("app", sh("sleep 1000 & wait")).component("db", stays()).run();
        pod.tells("podlike: app: started").tells("podlike: db: started");
        assert_eq!(docker(&["exec", pod.name(), "/podlike", "healthcheck"]), "healthy", "{options}");
        for name in ["app", "db"] {
            let component = pod.of(name);
            assert_eq!(exec(&component, "echo here"), "here", "{options}");
            let top = docker(&["top", &component]);
            assert!(top.contains(if name == "app" { "sleep 1000" } else { "tail -f" }), "{options}: {top}");
            let other = if name == "app" { "tail -f" } else { "sleep 1000" };
            assert!(!top.contains(other), "{options}: another component's processes: {top}");
        }
        let of = [pod.of("app"), pod.of("db")];
        for name in [pod.name(), &of[0], &of[1]] {
            let stats = docker(&["stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", name]);
            assert!(!stats.contains("--"), "{options}: {stats}");
        }
        pod.stop();
    }
}
