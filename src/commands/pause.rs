//! `podlike pause`: the process of a container that only has to be there, such as the holder of volumes in memory.

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};

use super::{Error, Outcome};

/// Does nothing until TERM or INT. All signals are blocked, and these fetched: there must be no other thread that would take
/// them, from a process 1 the kernel withholds what it neither handles nor blocks, and another process would be ended by a
/// HUP. It reaps no orphans: that is for process 1, and one of its own namespace has none. Nobody gets to its files through
/// `/proc` without the right to trace processes.
pub fn pause() -> Result<Outcome, Error> {
    prctl::set_dumpable(false).map_err(|errno| Error::System { doing: "hide its files", source: errno.into() })?;
    let ends = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    let ended = SigSet::all().thread_block().and_then(|()| ends.wait());
    ended.map_err(|errno| Error::System { doing: "wait for a signal", source: errno.into() })?;
    Ok(Outcome::Done)
}
