//! Pods of very many components, on the fake engine: tests of their own, as they take the whole machine.

mod support;

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;
use support::cases::LIMIT;
use support::controller::Launch;
use support::fake_engine::{FakeEngine, Status};
use support::pod::{PODLIKE, start};

/// The labels of a container have room for them, and what is small for one must be so for many.
#[test]
fn five_hundred_components_start_and_end_in_little_time_and_memory() {
    let fake = FakeEngine::new();
    fake.image("demo").controller(&json!({"HostConfig": {"IpcMode": "shareable"}}));
    for number in 0..500 {
        fake.label(&format!("pod.component.c{number}"), "{image: demo, stop_grace_period: 60s}");
    }
    let controller = start(&fake);
    let all = |fake: &FakeEngine| fake.containers().iter().filter(|one| one.status == Status::Running).count() == 500;
    fake.until("all of them run", all, LIMIT);
    let status = fs::read_to_string(format!("/proc/{}/status", controller.pid())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    let resident: u64 = line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default();
    assert!(resident > 0 && resident < 160 << 10, "{line}");
    controller.signal(Signal::SIGTERM);
    let ended = controller.wait(LIMIT);
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    assert!(fake.containers().is_empty(), "{}", ended.err());
    assert!(ended.took < LIMIT, "{:?}", ended.took);
}

/// Engines give a container a thousand open files at first where it may have many more (systemd's default), and a component
/// takes some.
#[test]
fn a_pod_opens_as_many_files_as_it_may() {
    let fake = FakeEngine::new();
    fake.image("demo").controller(&json!({"HostConfig": {"IpcMode": "shareable"}}));
    for number in 0..40 {
        fake.label(&format!("pod.component.c{number}"), "{image: demo, stop_grace_period: 60s}");
    }
    let controller = Launch::new("sh", &fake.host(), &fake.controller_id())
        .args(&["-c", r#"ulimit -Sn 48 && exec "$1""#, "sh", PODLIKE])
        .start();
    let all = |fake: &FakeEngine| fake.containers().iter().filter(|one| one.status == Status::Running).count() == 40;
    let _ = fake.wait_for(|fake| all(fake) || controller.has_ended(), LIMIT);
    controller.signal_if_running(Signal::SIGTERM);
    let ended = controller.wait(LIMIT);
    assert_eq!((ended.code, fake.containers().len()), (Some(0), 0), "{}", ended.err());
}
