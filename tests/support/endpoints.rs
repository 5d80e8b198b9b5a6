//! The calls that podlike may make, read out of the README's table.

use std::fmt;
use std::fs;
use std::path::Path;

/// The head of the table.
const TABLE: &str = "| call | when | without it |";

/// A method and the pattern of a path: `POST /containers/{id}/start`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    pub(crate) method: String,
    pub(crate) path: String,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Endpoint {
    /// Whether a request line's method and path, without its version and its query, is such a call.
    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        let (mut pattern, mut parts) = (self.path.split('/'), path.split('/'));
        let fits = |wanted: &str, part: &str| wanted == part || (wanted.starts_with('{') && !part.is_empty());
        let all = pattern.by_ref().all(|wanted| parts.next().is_some_and(|part| fits(wanted, part)));
        self.method == method && all && parts.next().is_none()
    }
}

/// The rows of the README's table.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("a README");
    let rows = readme.lines().skip_while(|line| *line != TABLE).skip(2).take_while(|line| line.starts_with('|'));
    let calls = rows.map(|row| row.split('`').nth(1).expect("a call in backticks"));
    let endpoints = calls.map(|call| {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        Endpoint { method: method.to_owned(), path: path.to_owned() }
    });
    endpoints.collect()
}

/// `/containers/x/json` of `/v1.41/containers/x/json?size=1`.
pub(crate) fn bare(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    let version = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    match path.strip_prefix("/v").filter(|rest| version(rest)) {
        Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => path,
    }
}

/// What `HAProxy` must be told to allow these calls.
pub(crate) fn haproxy_rules(endpoints: &[Endpoint]) -> Vec<String> {
    let part = |part: &str| match part {
        // Podlike sends a slash within a name as `%2F`.
        "{image}" => "[^/]+".to_owned(),
        "{id}" | "{name}" => "[a-zA-Z0-9_.-]+".to_owned(),
        part => part.to_owned(),
    };
    let rule = |Endpoint { method, path }: &Endpoint| {
        let path: Vec<String> = path.split('/').map(part).collect();
        let path = path.join("/");
        format!("http-request allow if {{ method {method} }} {{ path_reg ^(/v1[.][0-9]+)?{path}$ }}")
    };
    endpoints.iter().map(rule).collect()
}
