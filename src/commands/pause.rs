//! `podlike pause`: the process of a container that only has to be there, such as the holder of volumes in memory.

use nix::sys::signal::{SigSet, Signal};

use super::{Error, Outcome};

/// Does nothing until TERM or INT. All signals are blocked, and these fetched: there must be no other thread that would take
/// them, from a process 1 the kernel withholds what it neither handles nor blocks, and another process would be ended by a
/// HUP. It reaps no orphans: it is for a PID namespace of its own.
pub fn pause() -> Result<Outcome, Error> {
    let ends = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    let ended = SigSet::all().thread_block().and_then(|()| ends.wait());
    ended.map_err(|errno| Error::System { doing: "wait for a signal", source: errno.into() })?;
    Ok(Outcome::Done)
}
