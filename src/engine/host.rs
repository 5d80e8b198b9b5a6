//! Where the engine is: `DOCKER_HOST` → [`Host`] → a connected [`Socket`].

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Error, QUICK};

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// `unix://PATH`
    Unix(PathBuf),
    /// `tcp://HOST:PORT`, without TLS.
    Tcp(String),
}

impl Host {
    /// Reads the value of `DOCKER_HOST`; without one it is the usual socket.
    pub fn parse(address: Option<&str>) -> Result<Self, Error> {
        let address = match address {
            None | Some("") => return Ok(Self::Unix(DEFAULT_SOCKET.into())),
            Some(address) => address,
        };
        let refused = |reason| Err(Error::Address { address: address.to_owned(), reason });
        match address.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("unix", _)) => refused("the path of a socket must be absolute, such as unix:///var/run/docker.sock"),
            Some(("tcp" | "http", authority)) => {
                let authority = authority.trim_end_matches('/');
                let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
                match port {
                    _ if authority.contains('/') => refused("a path behind the port is not supported"),
                    Some(_) => Ok(Self::Tcp(authority.to_owned())),
                    None => refused("the port is missing, such as tcp://127.0.0.1:2375"),
                }
            }
            Some(("ssh" | "npipe" | "fd" | "https", _)) => refused("only unix:// and tcp:// are supported"),
            _ => refused("expected unix:///PATH or tcp://HOST:PORT"),
        }
    }

    /// The value of the `Host` header.
    pub(super) fn authority(&self) -> &str {
        match self {
            Self::Unix(_) => "docker",
            Self::Tcp(authority) => authority,
        }
    }

    pub(super) fn connect(&self) -> io::Result<Socket> {
        let wire = match self {
            Self::Unix(path) => Wire::Unix(uninterrupted(|| UnixStream::connect(path))?),
            Self::Tcp(authority) => {
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                let mut addresses = authority.to_socket_addrs()?;
                loop {
                    let Some(address) = addresses.next() else {
                        return Err(last);
                    };
                    match uninterrupted(|| TcpStream::connect_timeout(&address, QUICK)) {
                        Ok(stream) => break Wire::Tcp(stream),
                        Err(error) => last = error,
                    }
                }
            }
        };
        Ok(Socket { wire, limit: Limit::Never })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
        }
    }
}

/// How long a read or a write may block.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// For ever.
    Never,
    /// Until a moment, whatever moves in the meantime.
    Until(Instant),
    /// As long as something moves at least this often.
    Idle(Duration),
}

#[derive(Debug)]
enum Wire {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// A connection to the engine that keeps to its [`Limit`].
#[derive(Debug)]
pub(super) struct Socket {
    wire: Wire,
    limit: Limit,
}

impl Socket {
    pub(super) fn with(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    pub(super) fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
    }

    /// The means to end this connection from another thread.
    pub(super) fn canceller(&self) -> io::Result<Canceller> {
        Ok(Canceller(match &self.wire {
            Wire::Unix(stream) => Wire::Unix(stream.try_clone()?),
            Wire::Tcp(stream) => Wire::Tcp(stream.try_clone()?),
        }))
    }

    /// The time that is left for the next step, as a socket takes it: none means for ever, and zero is not allowed.
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.limit {
            Limit::Never => Ok(None),
            Limit::Idle(idle) => Ok(Some(idle)),
            Limit::Until(end) => match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
                left => Ok(Some(left)),
            },
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        uninterrupted(|| {
            let left = self.left()?;
            match &mut self.wire {
                Wire::Unix(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
                Wire::Tcp(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
            }
        })
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        uninterrupted(|| {
            let left = self.left()?;
            match &mut self.wire {
                Wire::Unix(stream) => stream.set_write_timeout(left).and_then(|()| stream.write_vectored(slices)),
                Wire::Tcp(stream) => stream.set_write_timeout(left).and_then(|()| stream.write_vectored(slices)),
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
pub struct Canceller(Wire);

impl Canceller {
    /// Ends the connection. One that has ended already stays so.
    pub fn cancel(&self) {
        // The only failure is a connection that has already gone, which is what is asked for.
        let _ = match &self.0 {
            Wire::Unix(stream) => stream.shutdown(Shutdown::Both),
            Wire::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_host_is_read_as_docker_reads_it() {
        assert_eq!(Host::parse(None).expect("the default"), Host::Unix(DEFAULT_SOCKET.into()));
        assert_eq!(Host::parse(Some("unix:///x.sock")).expect("a socket"), Host::Unix("/x.sock".into()));
        assert_eq!(Host::parse(Some("tcp://127.0.0.1:2375/")).expect("tcp"), Host::Tcp("127.0.0.1:2375".into()));
        assert_eq!(Host::parse(Some("tcp://[::1]:2375")).expect("tcp"), Host::Tcp("[::1]:2375".into()));
        for bad in ["unix://x.sock", "tcp://host", "ssh://x", "/var/run/docker.sock", "tcp://h:1/x"] {
            let error = Host::parse(Some(bad)).expect_err(bad).to_string();
            assert!(error.starts_with(&format!("DOCKER_HOST is '{bad}': ")), "{error}");
        }
    }

    #[test]
    fn a_limit_holds_also_when_bytes_trickle() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let end = Instant::now() + Duration::from_millis(80);
        let mut socket = Socket { wire: Wire::Unix(ours), limit: Limit::Until(end) };
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
}
