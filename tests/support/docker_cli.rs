//! What the docker command makes of a stack. It reads a stack before it looks for an engine, so none is needed.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Where no engine is.
const NOWHERE: &str = "unix:///nonexistent/engine.sock";

/// A folder and an environment in which stacks are read.
pub(crate) struct DockerCli<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) env: &'a [(&'a str, &'a str)],
}

impl DockerCli<'_> {
    /// Whether it would deploy a stack, or why not.
    pub(crate) fn takes(&self, stack: &str) -> Result<(), String> {
        let output = self.fed(&["deploy", "--compose-file", "-", "podlike-test"], stack);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // That is what it does next.
        if said.contains("Cannot connect to the Docker daemon") { Ok(()) } else { Err(said) }
    }

    /// What `docker stack config` prints of a stack that is taken; nothing where the command is older than that.
    pub(crate) fn config(&self, stack: &str) -> Option<String> {
        let output = self.fed(&["config", "--compose-file", "-"], stack);
        output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
    }

    fn fed(&self, words: &[&str], stack: &str) -> Output {
        let mut command = Command::new("docker");
        command.arg("stack").args(words).current_dir(self.folder).env_clear().envs(self.env.iter().copied());
        command.env("DOCKER_HOST", NOWHERE).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("there is a docker command: `make engine` installs it");
        // One that does not know its words ends before it has read.
        _ = child.stdin.take().expect("its input").write_all(stack.as_bytes());
        child.wait_with_output().expect("its output")
    }
}

/// Whether the command is only too old for the `version` of a stack.
pub(crate) fn is_too_old(error: &str) -> bool {
    error.contains("unsupported Compose file version")
}
