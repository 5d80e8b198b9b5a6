//! A connection whose every step ends in time: to a UNIX socket or by TCP, with TLS on top or without.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(feature = "tls")]
use super::tls::{Peer, Session};

/// As much as a lookup of a name takes of a stack.
const STACK: usize = 256 << 10;

/// How long a read or a write may block.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// For ever.
    Never,
    /// Until a moment, whatever moves in the meantime.
    Until(Instant),
    /// As long as something moves at least this often.
    Idle(Duration),
}

impl Limit {
    /// The time that is left for the next step, as a socket takes it: none means for ever, and zero is not allowed.
    fn left(self) -> io::Result<Option<Duration>> {
        match self {
            Self::Never => Ok(None),
            Self::Idle(idle) => Ok(Some(idle)),
            Self::Until(end) => left_until(end).map(Some),
        }
    }
}

/// The moment has not come yet: the time until then.
fn left_until(end: Instant) -> io::Result<Duration> {
    match end.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

/// Bytes to and from a host, within a [`Limit`].
#[derive(Debug)]
pub struct Wire {
    /// Or a UNIX socket: what is asked of it is the same.
    stream: TcpStream,
    limit: Limit,
    /// What the kernel knows of the limit of reads, and of writes.
    set: [Option<Duration>; 2],
}

impl Wire {
    /// Tells the kernel how long the next read may take, unless it knows.
    fn limit_read(&mut self) -> io::Result<()> {
        let left = self.limit.left()?;
        if left != self.set[0] {
            self.stream.set_read_timeout(left)?;
            self.set[0] = left;
        }
        Ok(())
    }

    /// The same for the next write.
    fn limit_write(&mut self) -> io::Result<()> {
        let left = self.limit.left()?;
        if left != self.set[1] {
            self.stream.set_write_timeout(left)?;
            self.set[1] = left;
        }
        Ok(())
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        uninterrupted(|| {
            self.limit_read()?;
            self.stream.read(buffer)
        })
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        uninterrupted(|| {
            self.limit_write()?;
            self.stream.write_vectored(slices)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection that keeps to its [`Limit`], which is none at first.
#[derive(Debug)]
pub enum Socket {
    /// Without TLS.
    Plain(Wire),
    /// With TLS.
    #[cfg(feature = "tls")]
    Tls(Box<Session>),
}

impl Socket {
    /// Connects to a UNIX socket.
    pub fn unix(path: &Path) -> io::Result<Self> {
        uninterrupted(|| UnixStream::connect(path)).map(|stream| Self::plain(OwnedFd::from(stream).into()))
    }

    /// Connects to `HOST:PORT` by TCP until then: to the first of its addresses that takes the connection.
    pub fn tcp(authority: &str, end: Instant) -> io::Result<Self> {
        let addresses = match authority.parse() {
            Ok(address) => vec![address],
            Err(_) => look_up(authority.to_owned(), end)?,
        };
        let stream = first(addresses, end, TcpStream::connect_timeout)?;
        // The head of a chunk must not wait until what came before it is acknowledged.
        stream.set_nodelay(true)?;
        Ok(Self::plain(stream))
    }

    fn plain(stream: TcpStream) -> Self {
        Self::Plain(Wire { stream, limit: Limit::Never, set: [None; 2] })
    }

    /// The same connection with TLS on top, of which nothing is sent yet.
    #[cfg(feature = "tls")]
    pub fn secured(self, peer: Arc<dyn Peer>) -> io::Result<Self> {
        Session::new(peer, self).map(Box::new).map(Self::Tls)
    }

    /// The same connection within another limit.
    #[must_use]
    pub fn with(mut self, limit: Limit) -> Self {
        self.set_limit(limit);
        self
    }

    /// From now on it keeps to this limit.
    pub fn set_limit(&mut self, limit: Limit) {
        self.wire_mut().limit = limit;
    }

    /// From now on what cannot be done at once fails.
    #[cfg(feature = "tls")]
    pub(super) fn set_nonblocking(&self) -> io::Result<()> {
        self.wire().stream.set_nonblocking(true)
    }

    /// The means to end this connection from another thread.
    pub fn canceller(&self) -> io::Result<Canceller> {
        self.wire().stream.try_clone().map(Canceller)
    }

    fn wire(&self) -> &Wire {
        match self {
            Self::Plain(wire) => wire,
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.below.wire(),
        }
    }

    fn wire_mut(&mut self) -> &mut Wire {
        match self {
            Self::Plain(wire) => wire,
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.below.wire_mut(),
        }
    }

    /// Makes it ready for requests.
    pub fn greet(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.shake_hands(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.write_vectored(slices),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.write_vectored(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(wire) => wire.flush(),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.flush(),
        }
    }
}

/// The addresses of `HOST:PORT`. A lookup that takes longer than until then is left to itself.
fn look_up(authority: String, end: Instant) -> io::Result<Vec<SocketAddr>> {
    within(end, move || authority.to_socket_addrs().map(Iterator::collect))
}

fn within<T: Send + 'static>(end: Instant, work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (tell, told) = crossbeam_channel::bounded(1);
    thread::Builder::new().stack_size(STACK).spawn(move || drop(tell.send(work())))?;
    told.recv_deadline(end).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Each of the addresses has its share of the time, so that one that is silent leaves some to those behind it.
fn first<T>(
    addresses: Vec<SocketAddr>,
    end: Instant,
    mut connect: impl FnMut(&SocketAddr, Duration) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut untried = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let share = (left_until(end)? / untried).max(Duration::from_millis(1));
        match uninterrupted(|| connect(&address, share)) {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error,
        }
        untried -= 1;
    }
    Err(last)
}

/// A signal may come to any thread, and interrupts what blocks with a timeout, whatever its handler says.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Ends one connection from another thread: whoever blocks on it sees its end.
#[derive(Debug)]
pub struct Canceller(TcpStream);

impl Canceller {
    /// Ends the connection. One that has ended already stays so.
    pub fn cancel(&self) {
        // The only failure is a connection that has already gone, which is what is asked for.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_limit_holds_also_when_bytes_trickle() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let end = Instant::now() + Duration::from_millis(80);
        let mut socket = Socket::plain(OwnedFd::from(ours).into()).with(Limit::Until(end));
        let mut byte = [0];
        let error = loop {
            theirs.write_all(b"x").expect("the other end is open");
            match socket.read_exact(&mut byte) {
                Ok(()) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock));
    }
    #[test]
    fn the_first_address_that_takes_a_connection_gets_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let good = listener.local_addr().expect("bound");
        let refused = TcpListener::bind("127.0.0.1:0").and_then(|gone| gone.local_addr()).expect("a port");
        let end = Instant::now() + Duration::from_secs(20);
        let connected = |addresses| first(addresses, end, TcpStream::connect_timeout);
        let stream = connected(vec![refused, good]).expect("the last one listens");
        assert_eq!(stream.peer_addr().expect("connected"), good);
        assert_eq!(connected(vec![refused]).expect_err("refused").kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(connected(Vec::new()).expect_err("none").to_string(), "the name has no address");
        let late = first(vec![good], Instant::now(), TcpStream::connect_timeout).expect_err("no time is left");
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn an_address_that_is_silent_leaves_time_for_those_behind_it() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let end = Instant::now() + Duration::from_mins(1);
        let mut shares = Vec::new();
        let silent = first(vec![address; 3], end, |_, share| {
            shares.push(share.as_secs_f64().ceil());
            Err::<(), _>(io::ErrorKind::TimedOut.into())
        });
        assert_eq!(silent.expect_err("nobody").kind(), io::ErrorKind::TimedOut);
        assert_eq!(shares, [20.0, 30.0, 60.0]);
    }

    #[test]
    fn a_lookup_that_hangs_is_left() {
        let (_held, end) = crossbeam_channel::bounded::<()>(0);
        let start = Instant::now();
        let hung = within(start + Duration::from_millis(50), move || end.recv().map_err(io::Error::other));
        assert_eq!(hung.expect_err("late").kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(10));
        let found = look_up("localhost:80".to_owned(), start + Duration::from_mins(1)).expect("everybody has it");
        assert!(found.iter().all(|address| address.port() == 80 && address.ip().is_loopback()), "{found:?}");
    }
}
