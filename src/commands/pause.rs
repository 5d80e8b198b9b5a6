//! `podlike pause`: the process of a container that only has to be there, such as the holder of volumes in memory, and of
//! the guard, which waits for the end of its controller as well.

use std::thread;

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::cli::Settings;
use crate::pod::Watch;
use crate::supervisor;

use super::{Error, Outcome, host};

/// Does nothing until TERM or INT, or until there is nothing more to guard. All signals are blocked, and these fetched: there
/// must be no thread that would take them, from a process 1 the kernel withholds what it neither handles nor blocks, and
/// another process would be ended by a HUP. It reaps no orphans: that is for process 1, and one of its own namespace has
/// none. Nobody gets to its files through `/proc` without the right to trace processes.
pub fn pause(settings: &Settings, watch: Option<&Watch>) -> Result<Outcome, Error> {
    let failed = |doing| move |errno: nix::Error| Error::System { doing, source: errno.into() };
    prctl::set_dumpable(false).map_err(failed("hide its files"))?;
    let ends = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    SigSet::all().thread_block().map_err(failed("block signals"))?;
    if let Some(watch) = watch.cloned() {
        let host = host(settings)?;
        let guard = thread::Builder::new().name("guard".to_owned()).spawn(move || {
            supervisor::stand_guard(&host, &watch);
            // It cannot fail: a process may signal itself.
            let _ = kill(Pid::this(), Signal::SIGTERM);
        });
        guard.map_err(|source| Error::System { doing: "start a thread", source })?;
    }
    ends.wait().map_err(failed("wait for a signal"))?;
    Ok(Outcome::Done)
}
