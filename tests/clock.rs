//! A clock that is set back and forth by an hour while a pod runs: only the age of images is told by it. The controller is
//! run with a time of day of our own, by a library that the dynamic linker puts before the system's.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use support::controller::Launch;
use support::fake_engine::{FakeEngine, Script};
use support::pod::{PODLIKE, SOON, TERM, ends, pod};
use tempfile::TempDir;

/// Each time that somebody asks it is an hour later, or earlier, than it was. Leaves a mark that it was asked.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static int asked;
    int result = syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME) {
        time->tv_sec += asked++ % 2 ? 3600 : -3600;
        int mark = open(getenv("CLOCK_MARK"), O_CREAT | O_WRONLY, 0600);
        if (mark >= 0)
            close(mark);
    }
    return result;
}
"#;

/// The library, and the mark.
fn clock(folder: &TempDir) -> (PathBuf, PathBuf) {
    let (source, library) = (folder.path().join("clock.c"), folder.path().join("clock.so"));
    fs::write(&source, CLOCK).expect("a file");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(compiled.expect("ring needs a C compiler, too").success());
    (library, folder.path().join("mark"))
}

fn launch(engine: &FakeEngine, folder: &TempDir) -> (Launch, PathBuf) {
    let (library, mark) = clock(folder);
    let launch = Launch::of(PODLIKE, engine)
        .env("LD_PRELOAD", library.to_str().expect("text"))
        .env("CLOCK_MARK", mark.to_str().expect("text"));
    (launch, mark)
}

#[test]
fn a_pod_lives_and_ends_in_time_whatever_the_clock_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = pod(&[
        ("db", "{image: checked, stop_grace_period: 2s}"),
        ("web", "{image: demo, configs: [], depends_on: {db: {condition: service_healthy}}}"),
    ]);
    engine.image_with("checked", json!({"Healthcheck": {"Test": ["CMD", "x"]}}));
    // The time of day is asked for: when the image got its tag, and when a file was made.
    engine.image("aged").image_says("aged", json!({"Metadata": {"LastTagTime": "2020-01-01T00:00:00Z"}}));
    engine.pull("aged", support::fake_engine::Pull::Works(json!({})));
    engine.label("pod.component.aged", "{image: aged, pull_policy: daily}");
    engine.script(
        "db",
        Script::new().until_stopped().until_stopped().ignore_term().healthy_after(Duration::from_secs(1)),
    );
    let (launch, mark) = launch(&engine, &folder);
    let controller = launch.arg("-logs").start();
    for name in ["db", "aged", "web"] {
        controller.until_stderr_contains(&format!("{name}: started"), SOON);
    }
    // It finds its way back to the engine, whose health it has to ask for again.
    engine.set_health_silently("db", "unhealthy").cut_events();
    controller.until_stderr_contains("the pod is unhealthy", SOON);
    controller.signal(TERM);
    let ended = ends(&controller, &engine, 0);
    assert!(ended.took < Duration::from_secs(15), "{:?}", ended.took);
    assert!(mark.exists(), "nobody has asked for the time of day: the clock was not ours");
}

#[test]
fn how_long_a_component_ran_is_told_by_no_clock_that_is_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = pod(&[("web", "image: demo")]);
    engine.script("web", Script::new().wait(Duration::from_millis(1200)).exit(3));
    let (launch, _) = launch(&engine, &folder);
    let ended = ends(&launch.start(), &engine, 3);
    assert!(ended.err().contains("web: ended with exit code 3 after 1."), "{}", ended.err());
}
