//! `podlike version` and `podlike --help`.

use std::io::{self, Write};

use crate::cli::Settings;
use crate::engine::{Capabilities, Engine};
use crate::pod::{Controller, Options, Placement};
use crate::version;

use super::{Error, Outcome, host};

/// Prints what was built; if asked for, also what the engine is, and where components of a controller with limits would
/// be placed.
pub fn version(settings: &Settings, options: Options, engine: bool) -> Result<Outcome, Error> {
    print(&format!("podlike {}", version::long()))?;
    if engine {
        let engine = Engine::connect(host(settings)?)?;
        let mut controller = Controller::assumed(engine.all_capabilities()?);
        controller.host.pids_limit = Some(1);
        print(&shown(&controller.engine, &Placement::choose(&controller, options.cgroup)))?;
    }
    Ok(Outcome::Done)
}

/// An engine, and where it places components.
pub(super) fn shown(engine: &Capabilities, placement: &Placement) -> String {
    format!("{engine}\n  {:<12} {placement}", "components")
}

/// Prints the help.
pub fn help(text: &str) -> Result<Outcome, Error> {
    print(text)?;
    Ok(Outcome::Done)
}

pub(super) fn print(line: &str) -> Result<(), Error> {
    writeln!(io::stdout(), "{line}").map_err(|source| Error::System { doing: "write to stdout", source })
}
