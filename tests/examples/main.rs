//! Runs the stacks of `examples/` on a Swarm of three nodes, and prints a line each with what it saw.
//!
//! ```text
//!   .ci/swarm.sh with cargo test --test examples [-- NAME...]
//!
//!   sidecar              a page: MISS, then HIT; app, proxy; gone with the stack      9 s
//! ```
//!
//! Each example is a function that deploys the stack of its folder (without IPVS as `support::swarm` says), looks at what its README promises, and says it.

#![allow(clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "a program that stands on tests")]

#[path = "../support/mod.rs"]
mod support;

mod depends_on;
mod health;
mod init;
mod logging;
mod mesh;
mod modernised;
mod refused;
mod sidecar;
mod signal;
mod volume;

use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

use support::swarm::{Stack, root};

/// The name of an example, and what is seen of it.
type Example = (&'static str, fn() -> String);

#[rustfmt::skip]
const EXAMPLES: &[Example] = &[
    ("sidecar", sidecar::run),
    ("init", init::run),
    ("depends-on", depends_on::run),
    ("signal", signal::run),
    ("logging", logging::run),
    ("volume", volume::run),
    ("health", health::run),
    ("mesh", mesh::run),
    ("modernised", modernised::run),
    ("refused/devices", refused::devices),
    ("refused/privileged", refused::privileged),
    ("refused/shm-size", refused::shm_size),
    ("refused/ipc", refused::ipc),
    ("refused/gpus", refused::gpus),
    ("refused/host-pid", refused::host_pid),
];

/// The folder of an example that has one of its own.
pub(crate) fn folder(example: &str) -> PathBuf {
    root().join("examples").join(example)
}

/// The stack of an example: `FOLDER/stack.yml`, or `FOLDER/NAME.yml` where a folder has several.
pub(crate) fn stack_file(example: &str) -> PathBuf {
    folder(&if example.contains('/') { format!("{example}.yml") } else { format!("{example}/stack.yml") })
}

fn name(example: &str) -> String {
    format!("example-{}", example.replace('/', "-"))
}

/// Deploys the stack of an example.
#[track_caller]
pub(crate) fn deploy(example: &str) -> Stack {
    Stack::deploy(&name(example), &stack_file(example))
}

/// Deploys the stack of an example with some texts changed, each of which is there once: what it is now, what it shall be.
#[track_caller]
pub(crate) fn deploy_changed(example: &str, changes: &[(&str, &str)]) -> Stack {
    let file = stack_file(example);
    let mut text = fs::read_to_string(&file).expect("a stack");
    for (now, then) in changes {
        assert_eq!(text.matches(now).count(), 1, "'{now}' in the stack");
        text = text.replace(now, then);
    }
    Stack::deploy_in(&name(example), file.parent().expect("it is in a folder"), &text)
}

fn main() -> ExitCode {
    let chosen: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let Some(unknown) = chosen.iter().find(|name| !EXAMPLES.iter().any(|(known, _)| known == name)) {
        eprintln!("there is no example '{unknown}'");
        return ExitCode::from(2);
    }
    let mut failed = false;
    for (name, run) in EXAMPLES.iter().filter(|(name, _)| chosen.is_empty() || chosen.iter().any(|it| it == name)) {
        let began = Instant::now();
        if let Ok(seen) = catch_unwind(run) {
            println!("{name:<20} {seen} ({} s)", began.elapsed().as_secs());
        } else {
            failed = true;
            println!("{name:<20} FAILED, for the reason above");
        }
    }
    failed |= !all_are_run();
    ExitCode::from(u8::from(failed))
}

/// Whether every stack is that of an example which runs here.
fn all_are_run() -> bool {
    let run: Vec<PathBuf> = EXAMPLES.iter().map(|(name, _)| stack_file(name)).collect();
    let folders =
        fs::read_dir(root().join("examples")).expect("the examples").flatten().filter(|it| it.path().is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).expect("its files").flatten());
    let stacks = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "yml"));
    let forgotten: Vec<PathBuf> = stacks.filter(|path| !run.contains(path)).collect();
    for path in &forgotten {
        println!("{} FAILED: it is a stack, and nothing runs it", path.display());
    }
    forgotten.is_empty()
}
