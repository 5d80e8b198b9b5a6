//! Signals go to every component; orphans are reaped.

use crate::support::real_engine::{Pod, exec, sh, stays, until};

#[test]
fn signals_go_to_every_component() {
    const SIGNALS: [&str; 4] = ["HUP", "USR1", "USR2", "WINCH"];
    let traps = SIGNALS.map(|signal| format!("trap 'echo got {signal}' {signal}\n")).concat();
    let listens = sh(&format!("{traps} sleep 1000 & echo ready; while :; do wait $!; done"));
    let pod = Pod::new().component("app", &listens).component("db", &listens).flags("-logs").run();
    pod.says("app: ready").says("db: ready").tells("podlike: app: started").tells("podlike: db: started");
    for signal in SIGNALS {
        pod.signal(signal);
        pod.says(&format!("[out] app: got {signal}")).says(&format!("[out] db: got {signal}"));
    }
    pod.stop();
}

#[test]
fn orphans_are_reaped() {
    let script = "for i in $(seq 50); do (sleep 1000 &); done; echo ready; tail -f /dev/null";
    let pod = Pod::new().component("app", sh(script)).component("db", stays()).flags("-logs").run();
    pod.says("ready").tells("podlike: db: started");
    let db = pod.of("db");
    // Seen from another component: they all share one PID namespace, whose PID 1 is the controller.
    let count = |what: &str| exec(&db, &format!("grep -l '{what}' /proc/[0-9]*/status 2>/dev/null | wc -l"));
    let orphans = exec(&db, "grep -lx 'PPid:.1' $(grep -lx 'Name:.sleep' /proc/[0-9]*/status) | wc -l");
    assert_eq!(orphans, "50");
    exec(&db, "killall sleep");
    until("no orphan is left", || count("^Name:.sleep") == "0");
    assert_eq!(count("^State:.Z"), "0");
    pod.stop();
}
