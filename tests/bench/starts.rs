//! The start and the stop of pods.

use crate::Bench;
use crate::support::lives::{Lasted, Shape, lives};
use crate::table::{Column, Table};

/// A pod that is started, and its figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    figure: &'static str,
    /// The figure of its stop, if that is one.
    stop: Option<&'static str>,
    shape: Shape,
    /// So often in a round: what is short is all the more at the mercy of a moment.
    repeats: usize,
}

const ONE: Shape = Shape { components: 1, chain: false, private_ipc: false };
const SIXTEEN: Shape = Shape { components: 16, ..ONE };

const fn case(figure: &'static str, shape: Shape, repeats: usize) -> Case {
    Case { figure, stop: None, shape, repeats }
}

/// All that are measured.
pub(crate) const CASES: [Case; 6] = [
    case("start of 1", ONE, 5),
    case("start of 4", Shape { components: 4, ..ONE }, 3),
    Case { stop: Some("stop of 16"), ..case("start of 16", SIXTEEN, 1) },
    case("start of 64", Shape { components: 64, ..ONE }, 1),
    case("start of 16, private IPC", Shape { private_ipc: true, ..SIXTEEN }, 1),
    case("chain of 5 depends_on", Shape { components: 5, chain: true, ..ONE }, 2),
];

/// Measures a case, of everybody in turn.
pub(crate) fn round(bench: &mut Bench, case: Case, turned: bool) {
    let images: Vec<&str> = bench.subjects.iter().map(|subject| subject.image.as_str()).collect();
    for repeat in 0..case.repeats {
        let (raw, pods) = lives(&images, case.shape, turned == (repeat % 2 == 0));
        push(&mut bench.table, case, Column::Other, raw);
        for (subject, pod) in bench.subjects.iter().zip(pods) {
            push(&mut bench.table, case, subject.column, pod);
        }
    }
}

fn push(table: &mut Table, case: Case, column: Column, lasted: Lasted) {
    table.push(case.figure, column, lasted.start);
    if let Some(figure) = case.stop {
        table.push(figure, column, lasted.stop);
    }
}
