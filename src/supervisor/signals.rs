//! Signals to the controller become events; orphans of a shared PID namespace are reaped.

use std::io;

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::Signals;

use super::crew::Crew;
use super::event::Event;

/// Starts to listen. To be called before anything else: PID 1 has no default actions, what comes earlier is lost.
pub fn listen(crew: &Crew) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD])?;
    let inbox = crew.inbox().clone();
    crew.spawn("signals".to_owned(), move || {
        for signal in signals.forever() {
            match signal {
                SIGCHLD => reap(),
                signal => inbox.event(Event::Signal(signal)),
            }
        }
    });
    Ok(())
}

/// Takes every child that has ended. We start no processes, so all of them are orphans of components: with a shared PID
/// namespace they become children of its PID 1. One signal may stand for many of them.
fn reap() {
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return,
            Ok(status) => log::debug!("reaped an orphan: {status:?}"),
            Err(Errno::EINTR) => {}
            Err(error) => return log::warn!("cannot reap orphans: {error}"),
        }
    }
}
