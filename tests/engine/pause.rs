//! `podlike pause`: a container that only has to be there.

use std::fs;

use crate::support::real_engine::{Pod, inspect, try_docker, until};

#[test]
fn a_pause_stays_with_one_thread_until_term_or_int_and_ends_with_0() {
    for signal in ["TERM", "INT"] {
        let options = "--no-healthcheck --network none --read-only --cap-drop ALL --security-opt no-new-privileges";
        let pause = Pod::without_socket().options(options).flags("pause").run();
        until("it runs", || inspect(pause.name())["State"]["Running"] == true);
        for harmless in ["HUP", "USR1", "CHLD"] {
            pause.signal(harmless);
        }
        let pid = inspect(pause.name())["State"]["Pid"].clone();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it still runs");
        assert!(status.contains("Threads:\t1\n"), "{status}");
        // A process 1 misses what comes before it listens.
        until("it ends", || {
            try_docker(&["kill", "--signal", signal, pause.name()]);
            inspect(pause.name())["State"]["Running"] == false
        });
        let ended = pause.end();
        assert_eq!((ended.code, ended.out().as_str(), ended.err().as_str()), (Some(0), "", ""), "{signal}");
    }
}
