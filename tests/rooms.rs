//! Who may import whom: the table in the crate doc (`src/lib.rs`) against the `crate::` and `super::` paths of every
//! file. An arrow that goes up, or that the table does not have, fails.

#![allow(clippy::panic, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The rows `| [`room`] | what it owns | `a`, `b` … |` of the crate doc. A room of a room counts as the room, but for
/// `engine::types`, which is smaller.
fn table() -> Arrows {
    let text = fs::read_to_string(source().join("lib.rs")).expect("the crate doc");
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | [`"));
    rows.map(|row| {
        let (room, rest) = row.split_once("`]").expect("a room");
        let last = rest.trim_end_matches(" |").rsplit(" | ").next().expect("a last column");
        (room.to_owned(), last.split('`').skip(1).step_by(2).map(str::to_owned).collect())
    })
    .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file without comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Every path that starts with `crate::`, `{…}` spread out.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        spread("", &code[start + "crate::".len()..], &mut found);
    }
    found
}

fn spread(before: &str, rest: &str, found: &mut Vec<String>) {
    let Some(inner) = rest.strip_prefix('{') else {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        let path = format!("{before}{}", &rest[..end]);
        match path.strip_suffix("::") {
            Some(path) if rest[end..].starts_with('{') => spread(&format!("{path}::"), &rest[end..], found),
            _ => found.push(path),
        }
        return;
    };
    let (mut depth, mut start) = (0, 0);
    for (position, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let item = inner[start..position].trim();
                if !item.is_empty() {
                    spread(before, item, found);
                }
                start = position + 1;
                if c == '}' {
                    return;
                }
            }
            _ => {}
        }
    }
}

/// The room that a path leads into, as fine as the row of the table has it.
fn room(path: &str, row: &BTreeSet<String>) -> String {
    let fine = row.iter().find(|name| name.contains("::") && path.starts_with(name.as_str()));
    fine.cloned().unwrap_or_else(|| path.split("::").next().expect("a first part").to_owned())
}

/// The arrows as the code has them.
fn drawn(table: &Arrows) -> Arrows {
    let mut arrows: Arrows = table.keys().map(|room| (room.clone(), BTreeSet::new())).collect();
    for file in files(&source()) {
        let inside = file.strip_prefix(source()).expect("a file of ours");
        let from = inside.components().next().expect("a first part").as_os_str().to_string_lossy().replace(".rs", "");
        if from == "lib" || from == "main" {
            continue;
        }
        let depth = inside.components().count() - usize::from(inside.ends_with("mod.rs"));
        let text = fs::read_to_string(&file).expect("a file");
        let arrows = arrows.get_mut(&from).unwrap_or_else(|| panic!("{from} is not in the table of src/lib.rs"));
        let code = code(&text);
        assert!(!code.contains(&"super::".repeat(depth + 1)), "{}: a way out of the room by super::", inside.display());
        arrows.extend(paths(&code).iter().map(|path| room(path, &table[&from])).filter(|to| *to != from));
    }
    arrows
}

#[test]
fn the_drawing_and_the_code_are_the_same() {
    let table = table();
    assert!(table.len() > 5, "the table of src/lib.rs was not found");
    let drawn = drawn(&table);
    for (from, allowed) in &table {
        let wrong: Vec<_> = drawn[from].difference(allowed).collect();
        assert!(wrong.is_empty(), "{from} imports {wrong:?}, which the table does not allow");
        let idle: Vec<_> = allowed.difference(&drawn[from]).collect();
        assert!(idle.is_empty(), "the table lets {from} import {idle:?}, which it does not");
    }
}

#[test]
fn arrows_only_go_down() {
    let mut left = table();
    while !left.is_empty() {
        let rooms: BTreeSet<String> = left.keys().cloned().collect();
        let coarse = |to: &String| to.split("::").next().expect("a first part").to_owned();
        let before = left.len();
        left.retain(|_, to| to.iter().any(|to| rooms.contains(&coarse(to))));
        assert!(left.len() < before, "these rooms import each other in a circle: {rooms:?}");
    }
}

#[test]
fn an_arrow_that_goes_up_is_seen() {
    let found = paths(&code("use crate::{engine::{self, types::X}, health}; // crate::pod\nfn f(x: crate::cli::Y) {}"));
    assert_eq!(found, ["engine::self", "engine::types::X", "health", "cli::Y"]);
}
