//! Where the engine is: `DOCKER_HOST` → [`Host`] → [`Way`] → a connected [`Socket`].

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "tls")]
use super::tls::{Client, Session};
use super::{Error, QUICK};

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// What the environment says of TLS to an engine on TCP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// `DOCKER_TLS_VERIFY`: with TLS, and the engine has to show who it is.
    pub verify: bool,
    /// `DOCKER_TLS`: with TLS, whoever answers.
    pub anybody: bool,
    /// The folder with `ca.pem`, `cert.pem` and `key.pem`.
    pub folder: PathBuf,
}

/// The address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// `unix://PATH`
    Unix(PathBuf),
    /// `tcp://HOST:PORT`, without TLS.
    Tcp(String),
    /// `tcp://HOST:PORT` or `https://HOST:PORT`, with TLS.
    Tls {
        /// `HOST:PORT`
        authority: String,
        /// The folder with `ca.pem`, `cert.pem` and `key.pem`.
        folder: PathBuf,
    },
}

impl Host {
    /// Reads the value of `DOCKER_HOST`; without one it is the usual socket, which needs no TLS.
    pub fn parse(address: Option<&str>, tls: &Tls) -> Result<Self, Error> {
        let address = match address {
            None | Some("") => return Ok(Self::Unix(DEFAULT_SOCKET.into())),
            Some(address) => address,
        };
        let refused = |reason| Err(Error::Address { address: address.to_owned(), reason });
        match address.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("unix", _)) => refused("the path of a socket must be absolute, such as unix:///var/run/docker.sock"),
            Some((scheme @ ("tcp" | "http" | "https"), authority)) => {
                let with_tls = tls.verify || scheme == "https";
                let authority = authority.trim_end_matches('/');
                let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
                match port {
                    _ if authority.contains('/') => refused("a path behind the port is not supported"),
                    None if with_tls => refused("the port is missing, such as tcp://127.0.0.1:2376"),
                    None => refused("the port is missing, such as tcp://127.0.0.1:2375"),
                    Some(_) if tls.verify && scheme == "http" => {
                        refused("http:// is without TLS, and DOCKER_TLS_VERIFY is set: say tcp://")
                    }
                    Some(_) if with_tls => {
                        Ok(Self::Tls { authority: authority.to_owned(), folder: tls.folder.clone() })
                    }
                    Some(_) if tls.anybody => refused(
                        "DOCKER_TLS is set, and TLS with whoever answers protects nothing: set DOCKER_TLS_VERIFY=1, \
                         with ca.pem in the folder DOCKER_CERT_PATH",
                    ),
                    Some(_) => Ok(Self::Tcp(authority.to_owned())),
                }
            }
            Some(("ssh" | "npipe" | "fd", _)) => refused("only unix:// and tcp:// are supported"),
            _ => refused("expected unix:///PATH or tcp://HOST:PORT"),
        }
    }

    /// The value of the `Host` header.
    pub(super) fn authority(&self) -> &str {
        match self {
            Self::Unix(_) => "docker",
            Self::Tcp(authority) | Self::Tls { authority, .. } => authority,
        }
    }

    fn connect(&self) -> io::Result<Wire> {
        let stream = match self {
            Self::Unix(path) => Stream::Unix(uninterrupted(|| UnixStream::connect(path))?),
            Self::Tcp(authority) | Self::Tls { authority, .. } => {
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                let mut addresses = authority.to_socket_addrs()?;
                loop {
                    let Some(address) = addresses.next() else {
                        return Err(last);
                    };
                    match uninterrupted(|| TcpStream::connect_timeout(&address, QUICK)) {
                        Ok(stream) => {
                            // The head of a chunk must not wait until what came before it is acknowledged.
                            stream.set_nodelay(true)?;
                            break Stream::Tcp(stream);
                        }
                        Err(error) => last = error,
                    }
                }
            }
        };
        Ok(Wire { stream, limit: Limit::Never })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
            Self::Tls { authority, .. } => write!(f, "tcp://{authority} with TLS"),
        }
    }
}

/// A host, and all that it takes to connect to it.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) host: Host,
    #[cfg(feature = "tls")]
    client: Option<Arc<Client>>,
}

impl Way {
    /// Reads the certificates, where the host needs some.
    #[cfg(feature = "tls")]
    pub(super) fn to(host: Host) -> Result<Self, Error> {
        let client = match &host {
            Host::Tls { authority, folder } => Some(Arc::new(Client::read(authority, folder)?)),
            _ => None,
        };
        Ok(Self { host, client })
    }

    #[cfg(not(feature = "tls"))]
    pub(super) fn to(host: Host) -> Result<Self, Error> {
        match &host {
            Host::Tls { authority, .. } => Err(Error::Address {
                address: format!("tcp://{authority}"),
                reason: "this podlike was built without the feature 'tls'",
            }),
            _ => Ok(Self { host }),
        }
    }

    /// A connection over which nothing was sent yet.
    pub(super) fn connect(&self) -> io::Result<Socket> {
        let wire = self.host.connect()?;
        #[cfg(feature = "tls")]
        if let Some(client) = &self.client {
            return Ok(Socket::Tls(Box::new(Session::new(client, wire)?)));
        }
        Ok(Socket::Plain(wire))
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

impl Limit {
    /// The time that is left for the next step, as a socket takes it: none means for ever, and zero is not allowed.
    fn left(self) -> io::Result<Option<Duration>> {
        match self {
            Self::Never => Ok(None),
            Self::Idle(idle) => Ok(Some(idle)),
            Self::Until(end) => match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
                left => Ok(Some(left)),
            },
        }
    }
}

#[derive(Debug)]
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// Bytes to and from the engine's host, within a [`Limit`].
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    limit: Limit,
}

impl Wire {
    fn canceller(&self) -> io::Result<Canceller> {
        Ok(Canceller(match &self.stream {
            Stream::Unix(stream) => Stream::Unix(stream.try_clone()?),
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone()?),
        }))
    }

    /// From now on what cannot be done at once fails.
    #[cfg(feature = "tls")]
    pub(super) fn set_nonblocking(&self) -> io::Result<()> {
        match &self.stream {
            Stream::Unix(stream) => stream.set_nonblocking(true),
            Stream::Tcp(stream) => stream.set_nonblocking(true),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        uninterrupted(|| {
            let left = self.limit.left()?;
            match &mut self.stream {
                Stream::Unix(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
                Stream::Tcp(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
            }
        })
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        uninterrupted(|| {
            let left = self.limit.left()?;
            match &mut self.stream {
                Stream::Unix(stream) => stream.set_write_timeout(left).and_then(|()| stream.write_vectored(slices)),
                Stream::Tcp(stream) => stream.set_write_timeout(left).and_then(|()| stream.write_vectored(slices)),
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection to the engine that keeps to its [`Limit`].
#[derive(Debug)]
pub(super) enum Socket {
    Plain(Wire),
    #[cfg(feature = "tls")]
    Tls(Box<Session>),
}

impl Socket {
    pub(super) fn with(mut self, limit: Limit) -> Self {
        self.set_limit(limit);
        self
    }

    pub(super) fn set_limit(&mut self, limit: Limit) {
        match self {
            Self::Plain(wire) => wire.limit = limit,
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.wire_mut().limit = limit,
        }
    }

    /// The means to end this connection from another thread.
    pub(super) fn canceller(&self) -> io::Result<Canceller> {
        match self {
            Self::Plain(wire) => wire.canceller(),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.wire().canceller(),
        }
    }

    /// Makes it ready for requests.
    #[cfg_attr(not(feature = "tls"), expect(clippy::unnecessary_wraps, reason = "only TLS can fail"))]
    pub(super) fn greet(&mut self) -> io::Result<()> {
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
        match self {
            Self::Plain(wire) => wire.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.write(bytes),
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
pub struct Canceller(Stream);

impl Canceller {
    /// Ends the connection. One that has ended already stays so.
    pub fn cancel(&self) {
        // The only failure is a connection that has already gone, which is what is asked for.
        let _ = match &self.0 {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str, tls: &Tls) -> Result<Host, String> {
        Host::parse(Some(address), tls).map_err(|error| error.to_string())
    }

    #[test]
    fn docker_host_is_read_as_docker_reads_it() {
        let plain = Tls::default();
        assert_eq!(Host::parse(None, &plain).expect("the default"), Host::Unix(DEFAULT_SOCKET.into()));
        assert_eq!(parse("unix:///x.sock", &plain), Ok(Host::Unix("/x.sock".into())));
        assert_eq!(parse("tcp://127.0.0.1:2375/", &plain), Ok(Host::Tcp("127.0.0.1:2375".into())));
        assert_eq!(parse("tcp://[::1]:2375", &plain), Ok(Host::Tcp("[::1]:2375".into())));
        for bad in ["unix://x.sock", "tcp://host", "ssh://x", "/var/run/docker.sock", "tcp://h:1/x"] {
            let error = parse(bad, &plain).expect_err(bad);
            assert!(error.starts_with(&format!("DOCKER_HOST is '{bad}': ")), "{error}");
        }
    }

    #[test]
    fn tls_is_for_tcp_where_it_is_asked_for_and_never_with_whoever_answers() {
        let verify = Tls { verify: true, anybody: true, folder: "/certs".into() };
        let anybody = Tls { verify: false, ..verify.clone() };
        let with_tls = Ok(Host::Tls { authority: "h:2376".into(), folder: "/certs".into() });
        assert_eq!(parse("tcp://h:2376", &verify), with_tls);
        assert_eq!(parse("https://h:2376", &Tls { folder: "/certs".into(), ..Tls::default() }), with_tls);
        assert_eq!(parse("http://h:2375", &Tls::default()), Ok(Host::Tcp("h:2375".into())));
        for settings in [&verify, &anybody] {
            assert_eq!(parse("unix:///x.sock", settings), Ok(Host::Unix("/x.sock".into())), "as with Docker");
            assert_eq!(Host::parse(None, settings).expect("the default"), Host::Unix(DEFAULT_SOCKET.into()));
        }
        for (address, settings, part) in [
            ("tcp://h:2376", &anybody, "set DOCKER_TLS_VERIFY=1"),
            ("http://h:2376", &verify, "without TLS"),
            ("tcp://h", &verify, "tcp://127.0.0.1:2376"),
        ] {
            let error = parse(address, settings).expect_err(address);
            assert!(error.contains(part), "{error}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn a_build_without_tls_says_so() {
        let host = parse("tcp://h:2376", &Tls { verify: true, ..Tls::default() }).expect("a host");
        let error = Way::to(host).expect_err("no way").to_string();
        assert_eq!(error, "DOCKER_HOST is 'tcp://h:2376': this podlike was built without the feature 'tls'");
    }

    #[test]
    fn a_limit_holds_also_when_bytes_trickle() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let end = Instant::now() + Duration::from_millis(80);
        let mut socket = Socket::Plain(Wire { stream: Stream::Unix(ours), limit: Limit::Until(end) });
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
