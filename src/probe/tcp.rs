//! Whether a port takes connections.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Error, addresses};

/// A port of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// A numeric address, or `localhost`.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

impl Place<'_> {
    /// Connects, and hangs up again.
    pub fn takes_connections(self, limit: Duration) -> Result<(), Error> {
        self.connect(Instant::now() + limit, limit).map(drop)
    }

    /// The first of its addresses that takes a connection.
    pub(super) fn connect(self, end: Instant, limit: Duration) -> Result<TcpStream, Error> {
        let mut failure = Error::Connect(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
        for address in addresses(self.host).unwrap_or_default() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::TooLong(limit));
            }
            match connect(SocketAddr::new(address, self.port), left) {
                Ok(stream) => return Ok(stream),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(Error::TooLong(limit)),
                Err(error) => failure = Error::Connect(error),
            }
        }
        Err(failure)
    }
}

/// Where nobody listens on a port that is given to who connects, we may meet ourselves.
fn connect(address: SocketAddr, left: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, left)?;
    if stream.local_addr()? == address { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(stream) }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_port_takes_connections_while_somebody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        for host in ["127.0.0.1", "localhost"] {
            Place { host, port }.takes_connections(LONG).expect("somebody listens");
        }
        drop(listener);
        let error = Place { host: "localhost", port }.takes_connections(LONG).expect_err("nobody listens");
        assert!(matches!(error, Error::Connect(_)), "{error}");
    }

    #[test]
    fn without_time_there_is_no_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let place = Place { host: "127.0.0.1", port };
        assert!(matches!(place.takes_connections(Duration::ZERO), Err(Error::TooLong(_))));
    }
}
