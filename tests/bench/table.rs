//! The figures: what is measured of whom, what is promised, and the table of it.
//!
//! ```text
//!   rounds ─push─▶ Table: samples of each figure and column ─▶ median and spread ─▶ markdown, JSON
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

/// Who was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// What ours is held against.
    Other,
    Podlike,
    /// Another image with the same labels and flags.
    Baseline,
}

/// How a figure is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As it is.
    Plain,
    /// As a part of the other's in the same round.
    Ratio,
    /// As what is more than the other's in the same round.
    Beyond,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) kind: Kind,
    /// What the other is.
    pub(crate) against: &'static str,
    /// The most that it may be, read as its kind says; none where it is only to be known.
    pub(crate) promise: Option<f64>,
}

/// The samples of a run.
#[derive(Debug)]
pub(crate) struct Table {
    figures: &'static [Figure],
    samples: BTreeMap<(&'static str, Column), Vec<f64>>,
}

/// The middle of samples, the least and the most of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let (least, most) = (*samples.first()?, *samples.last()?);
        let (half, odd) = (samples.len() / 2, samples.len() % 2 == 1);
        let median = if odd { samples[half] } else { f64::midpoint(samples[half - 1], samples[half]) };
        Some(Self { median, least, most })
    }

    fn text(self, digits: usize) -> String {
        let Self { median, least, most } = self;
        if most - least < 10_f64.powi(-i32::try_from(digits).unwrap_or(0)) / 2.0 {
            format!("{median:.digits$}")
        } else {
            format!("{median:.digits$} ({least:.digits$} – {most:.digits$})")
        }
    }
}

impl Table {
    pub(crate) fn new(figures: &'static [Figure]) -> Self {
        Self { figures, samples: BTreeMap::new() }
    }

    /// Adds a sample of a figure that the table knows.
    #[track_caller]
    pub(crate) fn push(&mut self, name: &str, column: Column, value: f64) {
        let figure = self.figures.iter().find(|figure| figure.name == name);
        let figure = figure.unwrap_or_else(|| panic!("no figure '{name}'"));
        self.samples.entry((figure.name, column)).or_default().push(value);
    }

    fn spread(&self, figure: &Figure, column: Column) -> Option<Spread> {
        Spread::of(self.samples.get(&(figure.name, column))?.clone())
    }

    /// A column, read as the figure's kind says.
    fn read(&self, figure: &Figure, column: Column) -> Option<Spread> {
        let mine = self.samples.get(&(figure.name, column))?;
        if figure.kind == Kind::Plain {
            return Spread::of(mine.clone());
        }
        let other = self.samples.get(&(figure.name, Column::Other))?;
        let pairs = mine.iter().zip(other);
        Spread::of(
            pairs.map(|(mine, other)| if figure.kind == Kind::Ratio { mine / other } else { mine - other }).collect(),
        )
    }

    /// Whether the promise is kept; none where there is none, or nothing was measured.
    fn holds(&self, figure: &Figure) -> Option<bool> {
        Some(self.read(figure, Column::Podlike)?.median <= figure.promise?)
    }

    /// The table in markdown, of what was measured.
    pub(crate) fn markdown(&self, baseline: Option<&str>) -> String {
        let mut text = "| figure | against | podlike | read as | promise | |\n|---|---|---|---|---|---|\n".to_owned();
        if let Some(image) = baseline {
            text = format!(
                "| figure | against | podlike | read as | promise | | {image} | read as |\n|---|---|---|---|---|---|---|---|\n"
            );
        }
        for figure in self.figures.iter().filter(|figure| self.samples.contains_key(&(figure.name, Column::Podlike))) {
            let amount = |column| {
                self.spread(figure, column)
                    .map_or_else(String::new, |spread| format!("{} {}", short(spread.median), figure.unit))
            };
            let read = |column| self.read(figure, column).map_or_else(String::new, |spread| reading(figure, spread));
            let against = match figure.kind {
                Kind::Plain => "–".to_owned(),
                _ => format!("{}: {}", figure.against, amount(Column::Other)),
            };
            let promise = figure.promise.map_or("–".to_owned(), |promise| match figure.kind {
                Kind::Ratio => format!("≤ {promise} ×"),
                _ => format!("≤ {promise} {}", figure.unit),
            });
            let verdict = match self.holds(figure) {
                Some(true) => "holds",
                Some(false) => "**missed**",
                None => "",
            };
            let _ = write!(
                text,
                "| {} | {against} | {} | {} | {promise} | {verdict} |",
                figure.name,
                amount(Column::Podlike),
                read(Column::Podlike)
            );
            if baseline.is_some() {
                let _ = write!(text, " {} | {} |", amount(Column::Baseline), read(Column::Baseline));
            }
            text.push('\n');
        }
        text
    }

    /// Every sample, and what was made of them.
    pub(crate) fn json(&self) -> Value {
        let spread = |spread: Option<Spread>| {
            spread.map(|Spread { median, least, most }| json!({"median": median, "least": least, "most": most}))
        };
        let samples = |figure: &Figure, column| self.samples.get(&(figure.name, column));
        let rows = self.figures.iter().filter(|figure| samples(figure, Column::Podlike).is_some());
        rows.map(|figure| {
            json!({
                "figure": figure.name,
                "unit": figure.unit,
                "kind": format!("{:?}", figure.kind).to_lowercase(),
                "against": figure.against,
                "promise": figure.promise,
                "holds": self.holds(figure),
                "podlike": spread(self.read(figure, Column::Podlike)),
                "baseline": spread(self.read(figure, Column::Baseline)),
                "samples": {
                    "other": samples(figure, Column::Other),
                    "podlike": samples(figure, Column::Podlike),
                    "baseline": samples(figure, Column::Baseline),
                },
            })
        })
        .collect()
    }
}

fn reading(figure: &Figure, spread: Spread) -> String {
    match figure.kind {
        Kind::Ratio => format!("{} ×", spread.text(2)),
        Kind::Beyond => format!("{} {} more", spread.text(2), figure.unit),
        Kind::Plain => format!("{} {}", spread.text(2), figure.unit),
    }
}

/// With three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
