//! The cases of `tests/golden/templates/`, which Go answered. The head of `record.go` there tells how they are written.

#[path = "templates/data.rs"]
mod data;

use std::fs;
use std::path::Path;

pub(crate) use data::{data, functions};

/// The name of all templates of the corpus.
pub(crate) const NAME: &str = "test";

/// A template, and what becomes of it.
pub(crate) struct Case {
    /// The file and the line.
    pub(crate) place: String,
    pub(crate) template: String,
    pub(crate) answer: Answer,
}

/// What a template prints, or what is wrong with it. Behind a `*` at the end of an error, which only stands in cases that are
/// written by hand, the words are free.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Output(String),
    Error(String),
}

/// All cases, file by file.
pub(crate) fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/templates");
    let entries = fs::read_dir(folder).expect("the cases");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|txt| txt == "txt"));
    paths.sort();
    let read = |path: &Path| {
        let name = path.file_name().expect("a name").to_string_lossy();
        in_text(&name, &fs::read_to_string(path).expect("a file of cases"))
    };
    paths.iter().flat_map(|path| read(path)).collect()
}

/// The cases in the text of a file.
pub(crate) fn in_text(file: &str, text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut paragraph = Vec::new();
    for (number, line) in (1..).zip(text.split('\n').chain([""])) {
        if !line.is_empty() {
            paragraph.push(line);
        } else if !paragraph.is_empty() {
            cases.extend(case(&paragraph, format!("{file}:{}", number - paragraph.len())));
            paragraph.clear();
        }
    }
    cases
}

/// The case of a paragraph; none if it is a heading.
fn case(paragraph: &[&str], place: String) -> Option<Case> {
    let template = block(paragraph, '>')?;
    let answer = match (block(paragraph, '='), block(paragraph, '!')) {
        (Some(output), None) => Answer::Output(output),
        (None, Some(error)) => Answer::Error(error),
        _ => panic!("{place}: a case has one answer"),
    };
    Some(Case { place, template, answer })
}

/// What stands behind a sign: lines, or one JSON string.
fn block(paragraph: &[&str], sign: char) -> Option<String> {
    let mut lines = paragraph.iter().filter_map(|line| line.strip_prefix(sign)).peekable();
    let first = lines.peek()?;
    if first.starts_with('"') {
        return Some(serde_json::from_str(first).expect("a JSON string"));
    }
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    Some(lines.join("\n"))
}
