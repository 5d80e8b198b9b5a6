//! The body of `POST /containers/ID/exec`, and what `GET /exec/ID/json` says.

use serde::{Deserialize, Serialize};

/// The body of `POST /containers/ID/exec`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecRequest {
    /// The command.
    pub cmd: Vec<String>,
    /// The user, as `NAME`, `UID` or `UID:GID`; none keeps the container's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it may do all that root on the host may.
    pub privileged: bool,
    /// The working directory; none keeps the container's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Environment, as `KEY=VALUE`, over that of the container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Whether its standard output can be read.
    pub attach_stdout: bool,
    /// Whether its standard error can be read.
    pub attach_stderr: bool,
}

/// The part of `GET /exec/ID/json` that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExecDetails {
    /// Whether it runs.
    pub running: bool,
    /// Its exit code, once it has ended; 126 or 127 if it could not be run.
    pub exit_code: Option<i64>,
}
