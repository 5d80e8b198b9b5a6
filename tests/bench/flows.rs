//! Output and copies, beside the `docker` command and beside a raw attach that throws the bytes away.

use std::path::Path;

use crate::support::flow::{Took, copy_by_docker, copy_by_pod, log_by_attach, log_by_docker, log_by_pod};
use crate::support::raw::Watch;
use crate::table::Column;
use crate::{Bench, float, megabytes};

/// Output that is written, and the figures of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    /// In bytes, with its end.
    pub(crate) line: usize,
    pub(crate) lines: usize,
    pub(crate) by_logs: &'static str,
    pub(crate) cpu: &'static str,
    pub(crate) by_attach: &'static str,
    pub(crate) peak: &'static str,
}

/// Short lines and long ones.
pub(crate) const LOGS: [Log; 2] = [
    Log {
        line: 250,
        lines: 2_000_000,
        by_logs: "log of 2 M lines, time",
        cpu: "log of 2 M lines, CPU",
        by_attach: "log of 2 M lines, time beside an attach",
        peak: "log of 2 M lines, memory peak",
    },
    Log {
        line: 1_000_000,
        lines: 500,
        by_logs: "log of 500 lines, time",
        cpu: "log of 500 lines, CPU",
        by_attach: "log of 500 lines, time beside an attach",
        peak: "log of 500 lines, memory peak",
    },
];

/// Measures a log once, of everybody, with a file that has its lines.
pub(crate) fn log(bench: &mut Bench, log: Log, file: &Path, turned: bool) {
    let watch = Watch::begin();
    let others = || {
        let (attached, bytes) = log_by_attach(&watch, file);
        assert!(bytes >= (log.line * log.lines) as u64, "only {bytes} bytes came");
        (log_by_docker(&watch, file), attached)
    };
    let (took, (logs, attached)) = both(bench, turned, |image| log_by_pod(&watch, image, file), others);
    let table = &mut bench.table;
    table.push(log.by_logs, Column::Other, logs.ms);
    table.push(log.cpu, Column::Other, float(logs.cpu_ms));
    table.push(log.by_attach, Column::Other, attached);
    for (column, took) in took {
        table.push(log.by_logs, column, took.ms);
        table.push(log.cpu, column, float(took.cpu_ms));
        table.push(log.by_attach, column, took.ms);
        table.push(log.peak, column, megabytes(took.peak));
    }
}

/// Measures a copy once, of everybody, with a file.
pub(crate) fn copy(bench: &mut Bench, file: &Path, turned: bool) {
    let watch = Watch::begin();
    let (took, other) = both(bench, turned, |image| copy_by_pod(&watch, image, file), || copy_by_docker(file));
    bench.table.push("copy of 200 MB", Column::Other, other);
    for (column, took) in took {
        bench.table.push("copy of 200 MB", column, took.ms);
        bench.table.push("copy of 200 MB, memory peak", column, megabytes(took.peak));
    }
}

/// Pods of every image and what they are held against, which is first where it is turned.
fn both<T>(bench: &Bench, turned: bool, pod: impl Fn(&str) -> Took, other: impl Fn() -> T) -> (Vec<(Column, Took)>, T) {
    let before = turned.then(&other);
    let took = bench.subjects.iter().map(|subject| (subject.column, pod(&subject.image))).collect();
    (took, before.unwrap_or_else(other))
}
