//! Both streams come whole, in order, and from the first line.

use serde_json::json;

use crate::support::real_engine::{Pod, sh, stays, with};

#[test]
fn a_component_that_lives_for_milliseconds_loses_nothing() {
    for _ in 0..3 {
        let script = "echo one; echo two >&2; printf last; printf end >&2";
        let ended = Pod::new().component("app", sh(script)).flags("-logs").end();
        assert_eq!(ended.out(), "[out] app: one\n[out] app: last\n", "{}", ended.err());
        for line in ["[err] app: two\n", "[err] app: end\n"] {
            assert!(ended.err().contains(line), "{}", ended.err());
        }
    }
}

#[test]
fn twenty_thousand_lines_of_two_components_are_whole_and_in_order() {
    const EACH: usize = 10_000;
    let script = format!("awk 'BEGIN {{ for (i = 1; i <= {EACH}; i++) print i, \"{}\" }}'", "x".repeat(100));
    let done = json!({"condition": "service_completed_successfully"});
    let ended = Pod::new()
        .component("a", sh(&script))
        .component("b", sh(&script))
        .component("last", with(sh("echo done"), json!({"depends_on": {"a": done, "b": done}})))
        .flags("-logs")
        .end();
    let mut last = [0, 0];
    let output = ended.out();
    for line in output.lines() {
        let (name, text) = line.strip_prefix("[out] ").and_then(|rest| rest.split_once(": ")).expect("a whole line");
        if let Some(place) = ["a", "b"].iter().position(|known| *known == name) {
            last[place] += 1;
            assert_eq!(text, format!("{} {}", last[place], "x".repeat(100)), "torn or lost: {line}");
        }
    }
    assert_eq!(last, [EACH, EACH], "{}", ended.err());
}

#[test]
fn a_terminal_has_one_stream_and_plain_line_ends() {
    let script = "test -t 1 && echo a terminal; echo too >&2; printf last";
    let ended = Pod::new()
        .component("app", with(sh(script), json!({"tty": true})))
        .component("db", stays())
        .flags("-logs")
        .end();
    assert_eq!(ended.out(), "[out] app: a terminal\n[out] app: too\n[out] app: last\n", "{}", ended.err());
}

#[test]
fn the_log_drivers_do_not_matter() {
    let silent = with(sh("echo one; exit 4"), json!({"logging": {"driver": "none"}}));
    let ended = Pod::new().options("--log-driver none").component("app", silent).flags("-logs").end();
    assert_eq!((ended.code, ended.out().as_str()), (Some(4), "[out] app: one\n"), "{}", ended.err());
}
