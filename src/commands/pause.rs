//! `podlike pause`: the process of a container that only has to be there, such as the holder of volumes in memory.

use nix::sys::signal::{SigSet, Signal};

use super::{Error, Outcome};

/// Does nothing until TERM or INT. A process 1 gets no signal that it does not expect, but for those that it blocks; that
/// must be before there are other threads. It reaps no orphans: its PID namespace is its own.
pub fn pause() -> Result<Outcome, Error> {
    let ends = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    let ended = ends.thread_block().and_then(|()| ends.wait());
    ended.map_err(|errno| Error::System { doing: "wait for a signal", source: errno.into() })?;
    Ok(Outcome::Done)
}
