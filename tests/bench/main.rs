//! Measures what podlike costs, beside raw calls to the engine and beside the `docker` command, on a real engine.
//!
//! ```text
//!   ROUNDS=7 PODLIKE_IMAGE=podlike:test [BASELINE=image] [EDGE=image] [ONLY=start,logs] cargo test --test bench
//!
//!   rounds: ours, raw, ours, raw … ─▶ Table ─▶ markdown on stdout, target/bench.json
//! ```
//!
//! `BASELINE` is any image that takes the same labels and flags, `EDGE` podlike's small flavour, of which the size is told.
//! `ONLY` takes some of the groups `start`, `logs`, `copy`, `idle` and `calls`.
//!
//! Everything is measured in turn, so that a machine that is busy for a while is so for all. Figures that a busy machine
//! does not change, such as memory, are read of pods that idle meanwhile. It needs root, and the engine on this machine.

#![allow(clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "a program that stands on tests")]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod flows;
mod idle;
mod starts;
mod table;

use std::env;
use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use flows::Log;
use idle::Idlers;
use support::flow::write_lines;
use support::real_engine::{docker, image};
use table::{Column, Figure, Kind, Table};

/// An image that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) column: Column,
    pub(crate) image: String,
}

/// A run of the bench.
pub(crate) struct Bench {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) table: Table,
}

const fn figure(name: &'static str, unit: &'static str, kind: Kind, against: &'static str, promise: f64) -> Figure {
    Figure { name, unit, kind, against, promise: Some(promise) }
}

const RAW: &str = "raw calls";

/// A figure without a promise.
const fn known(name: &'static str, unit: &'static str, kind: Kind, against: &'static str) -> Figure {
    Figure { name, unit, kind, against, promise: None }
}

const FOLLOW: &str = "`docker logs -f`";
const ATTACH: &str = "raw attach";

/// The rows, in the order of the table.
const FIGURES: &[Figure] = &[
    figure("binary", "MB", Kind::Plain, "", 2.5),
    figure("binary, edge", "MB", Kind::Plain, "", 1.2),
    figure("idle memory, 4 components", "MB", Kind::Plain, "", 1.2),
    figure("idle memory, 16 components", "MB", Kind::Plain, "", 2.0),
    known("PSS beside other pods, 4 components", "MB", Kind::Plain, ""),
    known("PSS beside other pods, 16 components", "MB", Kind::Plain, ""),
    figure("idle CPU in a minute", "ms", Kind::Plain, "", 0.0),
    figure("idle wake-ups in a minute", "times", Kind::Plain, "", 0.0),
    figure("start of 1", "ms", Kind::Ratio, RAW, 1.05),
    figure("start of 4", "ms", Kind::Ratio, RAW, 1.05),
    figure("start of 16", "ms", Kind::Ratio, RAW, 1.05),
    figure("start of 64", "ms", Kind::Ratio, RAW, 1.05),
    known("start of 16, private IPC", "ms", Kind::Ratio, RAW),
    figure("chain of 5 depends_on", "ms", Kind::Ratio, "raw calls in sequence", 1.05),
    figure("stop of 16", "ms", Kind::Ratio, RAW, 1.03),
    figure("log of 2 M lines, time", "ms", Kind::Ratio, FOLLOW, 0.25),
    figure("log of 2 M lines, CPU", "ms", Kind::Ratio, FOLLOW, 0.2),
    figure("log of 2 M lines, time beside an attach", "ms", Kind::Ratio, ATTACH, 1.1),
    figure("log of 2 M lines, memory peak", "MB", Kind::Plain, "", 2.5),
    known("log of 500 lines, time", "ms", Kind::Ratio, FOLLOW),
    known("log of 500 lines, CPU", "ms", Kind::Ratio, FOLLOW),
    known("log of 500 lines, time beside an attach", "ms", Kind::Ratio, ATTACH),
    figure("log of 500 lines, memory peak", "MB", Kind::Plain, "", 2.5),
    figure("copy of 200 MB", "ms", Kind::Ratio, "`docker cp`", 0.8),
    figure("copy of 200 MB, memory peak", "MB", Kind::Plain, "", 3.0),
    figure("health check, time", "ms", Kind::Beyond, "an empty program", 0.5),
    figure("health check, memory peak", "MB", Kind::Beyond, "an empty program", 1.0),
];

/// In millions of bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    float(bytes) / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "numbers below 2^52")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

/// What components write, and what is copied into them.
struct Files {
    logs: Vec<(Log, PathBuf)>,
    copy: Option<PathBuf>,
}

impl Files {
    fn write(folder: &TempDir, wanted: impl Fn(&str) -> bool) -> Self {
        let log = |log: Log| (log, write_lines(folder.path(), &log.lines.to_string(), log.line, log.lines));
        let logs = if wanted("logs") { flows::LOGS.into_iter().map(log).collect() } else { Vec::new() };
        let copy = wanted("copy").then(|| write_lines(folder.path(), "copied", 1_000_000, 200));
        Self { logs, copy }
    }
}

fn main() {
    let rounds: usize = env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let only = env::var("ONLY").unwrap_or_default();
    let wanted = |group: &str| only.is_empty() || only.split(',').any(|one| one == group);
    let baseline = env::var("BASELINE").ok().filter(|image| !image.is_empty());
    let mut subjects = vec![Subject { column: Column::Podlike, image: image() }];
    subjects.extend(baseline.iter().map(|image| Subject { column: Column::Baseline, image: image.clone() }));
    let mut bench = Bench { subjects, table: Table::new(FIGURES) };
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files::write(&folder, wanted);
    let mut idlers = wanted("idle").then(|| Idlers::begin(&bench.subjects));
    if let Some(idlers) = &idlers {
        idlers.equip();
        idlers.weigh(&mut bench.table, folder.path());
    }
    if let Some(edge) = env::var("EDGE").ok().filter(|image| !image.is_empty()) {
        let size = docker(&["image", "inspect", "--format", "{{.Size}}", &edge]);
        bench.table.push("binary, edge", Column::Podlike, megabytes(size.parse().expect("a number")));
    }
    for round in 0..rounds {
        let turned = round % 2 == 1;
        if wanted("start") {
            for case in starts::CASES {
                starts::round(&mut bench, case, turned);
            }
        }
        for (log, file) in &files.logs {
            flows::log(&mut bench, *log, file, turned);
        }
        if let Some(file) = &files.copy {
            flows::copy(&mut bench, file, turned);
        }
        if let Some(idlers) = &mut idlers {
            idlers.check(&mut bench.table);
            idlers.look(&mut bench.table);
        }
        eprintln!("round {} of {rounds}:\n{}", round + 1, bench.table.markdown(baseline.as_deref()));
    }
    drop(idlers);
    let calls = wanted("calls").then(calls::of_lives);
    println!("{}", bench.table.markdown(baseline.as_deref()));
    if let Some(calls) = &calls {
        println!("{}", calls::markdown(calls));
    }
    let version = docker(&["version", "--format", "{{.Server.Version}}"]);
    let whole = json!({"rounds": rounds, "engine": version, "baseline": baseline, "figures": bench.table.json(), "calls": calls});
    let folder = PathBuf::from(env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned()));
    fs::write(folder.join("bench.json"), format!("{whole:#}\n")).expect("the folder of the build");
}
