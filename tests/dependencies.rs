//! What podlike is made of: crates whose licences allow it, as few as there are, and no code of ours that is unsafe.
//!
//! A list of advisories is no part of this: it changes without us.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::iter::Peekable;
use std::path::Path;
use std::process::Command;
use std::vec;

use serde_json::Value;

/// What may be linked into a program under the MIT licence, and given on with it.
const ALLOWED: [&str; 10] = [
    "0BSD",
    "Apache-2.0",
    "BSD-3-Clause",
    // The roots of the web, which are data.
    "CDLA-Permissive-2.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What a release is built for.
const TARGET: &str = "x86_64-unknown-linux-musl";

/// The crates in the binary, without those that only run while it is built. More of them need a reason.
const IN_THE_BINARY: usize = 40;

/// What a command of cargo's says of the build for a release.
fn cargo(words: &[&str]) -> Vec<u8> {
    let output = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(words)
        .args(["--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn metadata() -> Value {
    serde_json::from_slice(&cargo(&["metadata", "--format-version=1", "--filter-platform", TARGET])).expect("JSON")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn packages(metadata: &Value) -> BTreeMap<&str, &Value> {
    list(metadata, "packages").iter().map(|package| (text(package, "id"), package)).collect()
}

/// Whether an expression of SPDX can be met with what is allowed: `MIT OR Apache-2.0`, `(MIT OR X) AND ISC`, `MIT/Apache-2.0`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut words = words.into_iter().peekable();
    any_of(&mut words) == Some(true) && words.next().is_none()
}

type Words<'a> = Peekable<vec::IntoIter<&'a str>>;

/// None if it is no expression.
fn any_of(words: &mut Words<'_>) -> Option<bool> {
    let mut allowed = all_of(words)?;
    while words.next_if_eq(&"OR").is_some() {
        allowed |= all_of(words)?;
    }
    Some(allowed)
}

fn all_of(words: &mut Words<'_>) -> Option<bool> {
    let mut allowed = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        allowed &= one(words)?;
    }
    Some(allowed)
}

fn one(words: &mut Words<'_>) -> Option<bool> {
    let first = words.next()?;
    if first == "(" {
        let allowed = any_of(words)?;
        return words.next_if_eq(&")").map(|_| allowed);
    }
    // An exception only ever allows more.
    if words.next_if_eq(&"WITH").is_some() {
        words.next()?;
    }
    Some(ALLOWED.contains(&first))
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    for yes in
        ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR ISC", "(MIT OR X) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(is_allowed(yes), "{yes}");
    }
    for no in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND X", "MIT OR", "(MIT", "MIT )", "MIT MIT"] {
        assert!(!is_allowed(no), "{no}");
    }
}

#[test]
fn the_licence_of_every_crate_allows_it() {
    let metadata = metadata();
    let packages = packages(&metadata);
    assert!(packages.len() > IN_THE_BINARY, "only {} crates were found", packages.len());
    let refused: Vec<String> = packages
        .into_values()
        .filter(|package| !is_allowed(text(package, "license")))
        .map(|package| format!("{}: '{}'", text(package, "name"), text(package, "license")))
        .collect();
    assert!(refused.is_empty(), "not among the licences that are allowed: {refused:#?}");
}

#[test]
fn the_binary_is_made_of_as_many_crates_as_are_known_and_of_none_twice() {
    let words = ["tree", "--edges=normal,no-proc-macro", "--prefix=none", "--format={p}", "--target", TARGET];
    let tree = String::from_utf8(cargo(&words)).expect("text");
    let crates: BTreeSet<&str> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.starts_with("podlike ")).collect();
    let names: BTreeSet<&str> = crates.iter().filter_map(|it| it.split(' ').next()).collect();
    assert_eq!(crates.len(), names.len(), "one is there in two versions: {crates:#?}");
    assert_eq!(names.len(), IN_THE_BINARY, "is there a reason for another one? {names:#?}");
}

#[test]
fn every_crate_comes_from_the_registry_and_with_a_checksum() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).expect("a lock file");
    let entries: Vec<&str> =
        lock.split("[[package]]").skip(1).filter(|entry| !entry.contains("name = \"podlike\"")).collect();
    assert!(entries.len() > IN_THE_BINARY);
    for entry in entries {
        let is_known = entry.contains("source = \"registry+") && entry.contains("checksum = \"");
        assert!(is_known, "not from the registry, or without a checksum: {entry}");
    }
}

#[test]
fn no_code_of_ours_is_unsafe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    assert!(manifest.contains("\nunsafe_code = \"forbid\"\n"), "the lint that forbids it is gone");
    let metadata = metadata();
    let ours = packages(&metadata)[text(&metadata["resolve"], "root")];
    let builds =
        list(ours, "targets").iter().flat_map(|target| list(target, "kind")).any(|kind| kind == "custom-build");
    assert!(!builds, "a build script is not under the lint's eyes");
    // What the compiler is told outside of the manifest.
    for file in [".cargo/config.toml", ".cargo/config", "build.rs"] {
        assert!(!root.join(file).exists(), "{file}");
    }
}
