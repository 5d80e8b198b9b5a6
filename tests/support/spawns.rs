//! What it takes to run a program in a container, as the engine does for a health check: time and memory.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::real_engine::docker;

/// How often a program is run.
const TIMES: usize = 200;

/// A program that runs others, and one that does nothing, both static: containers need not have anything else.
pub(crate) struct Spawner(TempDir);

/// The medians of many runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// From its birth to its end.
    pub(crate) ms: f64,
    /// The most memory at a time, in bytes.
    pub(crate) peak: f64,
}

impl Spawner {
    pub(crate) fn build() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["spawn", "empty"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/support/spawn/{name}.c"));
            let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
            let mut command = Command::new(compiler);
            let built = command.args(["-O2", "-static", "-o"]).arg(folder.path().join(name)).arg(source).status();
            assert!(built.is_ok_and(|status| status.success()), "no C compiler for static programs");
        }
        Self(folder)
    }

    /// Puts both into a container.
    pub(crate) fn equip(&self, container: &str) {
        for name in ["spawn", "empty"] {
            let program: PathBuf = self.0.path().join(name);
            docker(&["cp", "--quiet", &program.display().to_string(), &format!("{container}:/")]);
        }
    }
}

/// Runs a program in a container that has been equipped, such as `/empty`.
pub(crate) fn run(container: &str, words: &[&str]) -> Run {
    let times = TIMES.to_string();
    let text = docker(&[&["exec", container, "/spawn", times.as_str()], words].concat());
    let row = |line: &str| -> Option<(f64, f64)> {
        let (time, memory) = line.split_once(' ')?;
        Some((time.parse().ok()?, memory.parse().ok()?))
    };
    let (mut micros, mut kibibytes): (Vec<f64>, Vec<f64>) = text.lines().filter_map(row).unzip();
    assert_eq!(micros.len(), TIMES, "{text}");
    micros.sort_by(f64::total_cmp);
    kibibytes.sort_by(f64::total_cmp);
    Run { ms: micros[TIMES / 2] / 1000.0, peak: kibibytes[TIMES / 2] * 1024.0 }
}
