//! Components that say too much, too little or the last thing before their death, on a real engine.

use std::time::{Duration, Instant};

use crate::support::real_engine::{Pod, docker, sh, stays, with};
use serde_json::json;

/// Written by `head` and `tr`, of which the engine cuts frames as it likes.
const HUNDRED_MEGABYTES: usize = 100 << 20;

#[test]
fn the_last_lines_of_a_component_that_ends_are_shown_without_the_flag() {
    // Two streams have no order between them but by time.
    let script = "for i in $(seq 20); do echo line $i; done; sleep 1; echo 'panic: on purpose' >&2; sleep 1; exit 3";
    let ended = Pod::new().component("app", sh(script)).component("other", stays()).end();
    assert_eq!((ended.code, ended.out().as_str()), (Some(3), ""));
    let text = ended.err();
    for line in [
        "app: ended with exit code 3 after",
        "other: stopped with the pod after",
        "the last lines of app:",
        "  | line 20\n",
        "  | panic: on purpose\n",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
    assert!(!text.contains("| line 10\n"), "ten lines at most: {text}");
}

#[test]
fn a_component_that_lives_for_milliseconds_leaves_its_last_words() {
    for _ in 0..5 {
        let ended = Pod::new().component("app", sh("echo oops >&2; exit 4")).end();
        assert_eq!(ended.code, Some(4));
        assert!(ended.err().contains("the last lines of app:\npodlike:   | oops\n"), "{}", ended.err());
    }
}

#[test]
fn a_component_that_is_killed_for_its_memory_is_told_so() {
    let component = with(sh("echo so long; tail /dev/zero"), json!({"mem_limit": "16m", "memswap_limit": "16m"}));
    let ended = Pod::new().component("app", component).end();
    assert_eq!(ended.code, Some(137), "{}", ended.err());
    assert!(ended.err().contains("exit code 137 (killed by the OOM killer) after"), "{}", ended.err());
}

#[test]
fn a_component_that_closes_its_stdout_runs_on_and_its_code_is_the_pods() {
    for flags in ["-logs", "-logs=false"] {
        let ended = Pod::new().component("app", sh("echo last; exec >&- 2>&-; sleep 2; exit 5")).flags(flags).end();
        assert_eq!(ended.code, Some(5), "{}", ended.err());
        assert!(ended.err().contains("app: ended with exit code 5 after"), "{}", ended.err());
    }
}

#[test]
fn a_hundred_megabytes_without_a_line_end_are_cut_into_lines_and_not_a_byte_is_lost() {
    let script = format!("head -c {HUNDRED_MEGABYTES} /dev/zero | tr '\\0' x");
    let ended = Pod::new().options("--memory 64m --log-driver none").component("app", sh(&script)).flags("-logs").end();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    let content = ended.out().lines().map(|line| line.len() - "[out] app: ".len()).sum::<usize>();
    assert_eq!(content, HUNDRED_MEGABYTES);
    assert!(ended.err().contains("a line is longer than"), "{}", ended.err());
}

#[test]
fn a_hundred_megabytes_that_nobody_wants_cost_no_memory() {
    let script = format!("head -c {HUNDRED_MEGABYTES} /dev/zero | tr '\\0' x; echo; echo end; exit 6");
    // What components take counts, too.
    let ended = Pod::new()
        .options("--memory 64m")
        .component("app", with(sh(&script), json!({"logging": {"driver": "none"}})))
        .end();
    assert_eq!(ended.code, Some(6), "{}", ended.err());
    let last = ended.err().lines().rfind(|line| line.contains("  | ")).map(str::to_owned);
    assert_eq!(last.as_deref(), Some("podlike:   | end"), "{}", &ended.err()[..500.min(ended.err().len())]);
    assert!(ended.err().len() < 16 << 10, "{} bytes", ended.err().len());
}

#[test]
fn a_thousand_orphans_neither_stay_as_zombies_nor_keep_the_pod() {
    let script = "i=0; while [ $i -lt 1000 ]; do (sleep 2 &) ; i=$((i + 1)); done; echo forked; sleep 1000";
    let pod = Pod::new().component("app", sh(script)).flags("-logs").run();
    pod.says("[out] app: forked");
    let is_zombie = |line: &&str| line.split_whitespace().nth(1).is_some_and(|state| state.starts_with('Z'));
    let zombies = || docker(&["top", pod.name(), "-o", "pid,stat,comm"]).lines().filter(is_zombie).count();
    let begun = Instant::now();
    std::thread::sleep(Duration::from_secs(4));
    while zombies() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} zombies", zombies());
        std::thread::sleep(Duration::from_millis(200));
    }
    pod.stop();
}
