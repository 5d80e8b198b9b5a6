//! `-logs`: the output of the components on the controller's.

use std::collections::BTreeMap;

use crate::support::real_engine::{Pod, sh};

#[test]
fn a_hundred_thousand_lines_of_four_components_at_once_are_whole_and_in_order() {
    const EACH: usize = 25_000;
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    // Each tenth line also goes to stderr. All of them begin at the signal, and stay when they are done.
    let script = format!(
        r#"trap go=1 USR1; echo ready; while [ -z "$go" ]; do sleep 0.1; done
        awk 'BEGIN {{ x = "{x}"; for (i = 1; i <= {EACH}; i++) {{
            print i, substr(x, 1, i % 200), "|"
            if (i % 10 == 0) print i, substr(x, 1, i % 200), "|" >"/dev/stderr"
        }} }}'
        echo done >&2; sleep 1000"#,
        x = "x".repeat(200)
    );
    let mut pod = Pod::new().flags("-logs");
    for name in NAMES {
        pod = pod.component(name, sh(&script));
    }
    let pod = pod.run();
    for name in NAMES {
        pod.says(&format!("[out] {name}: ready"));
    }
    pod.signal("USR1");
    for name in NAMES {
        pod.tells(&format!("[err] {name}: done"));
    }
    let ended = pod.stop();
    for (stream, output, step) in [("out", ended.out(), 1), ("err", ended.err(), 10)] {
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for line in output.lines() {
            if line.starts_with("podlike: ") || line.ends_with(": ready") || line.ends_with(": done") {
                continue;
            }
            let start = format!("[{stream}] ");
            let (name, text) = line
                .strip_prefix(&start)
                .and_then(|rest| rest.split_once(": "))
                .unwrap_or_else(|| panic!("no line of ours: {line}"));
            let seen = last.entry(name).or_default();
            *seen += step;
            assert_eq!(text, format!("{seen} {} |", "x".repeat(*seen % 200)), "torn or lost: {line}");
        }
        assert_eq!(last, NAMES.map(|name| (name, EACH)).into(), "{stream}");
    }
}

#[test]
fn a_component_that_lives_for_milliseconds_loses_nothing() {
    for _ in 0..5 {
        let script = "echo one; echo two >&2; printf last; printf end >&2";
        let ended = Pod::new().component("app", sh(script)).flags("-logs").end();
        assert_eq!(ended.out(), "[out] app: one\n[out] app: last\n");
        for line in ["[err] app: two\n", "[err] app: end\n"] {
            assert!(ended.err().contains(line), "{}", ended.err());
        }
    }
}

#[test]
fn bytes_pass_unchanged_and_a_megabyte_is_one_line() {
    let script = r"printf '\377\376\000\t\303\050\r\n\n'; head -c 1048576 /dev/zero | tr '\0' x; echo";
    let ended = Pod::new().component("app", sh(script)).flags("-logs").end();
    let wanted =
        [&b"[out] app: \xff\xfe\0\t\xc3(\r\n[out] app: \n[out] app: "[..], &b"x".repeat(1 << 20)[..], b"\n"].concat();
    assert_eq!(ended.stdout.len(), wanted.len());
    assert!(ended.stdout == wanted, "{:?}", String::from_utf8_lossy(&ended.stdout[..100]));
}

#[test]
fn the_controllers_log_driver_does_not_matter() {
    for driver in ["none", "local", "json-file"] {
        let ended = Pod::new()
            .options(&format!("--log-driver {driver}"))
            .component("app", sh("echo one; exit 4"))
            .flags("-logs")
            .end();
        assert_eq!((ended.code, ended.out().as_str()), (Some(4), "[out] app: one\n"), "{driver}");
    }
}

#[test]
fn without_the_flag_nothing_is_passed_on() {
    let ended = Pod::new().component("app", sh("echo one; echo two >&2")).end();
    assert_eq!(ended.out(), "");
    // But for the last lines, which are told at the end.
    assert!(!ended.err().contains("[err]"), "{}", ended.err());
}
