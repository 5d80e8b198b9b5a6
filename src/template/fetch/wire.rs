//! One request and its answer, from the server itself or by a proxy.
//!
//! ```text
//! http, no proxy    ── GET /path ─────────────▶ server
//! http by a proxy   ── GET http://server/path ─▶ proxy
//! https             ── TLS, GET /path ────────▶ server
//! https by a proxy  ── CONNECT server:443 ────▶ proxy ── TLS, GET /path ─▶ server
//! ```

use std::io::{self, Read as _};
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::address::{Address, Scheme};
use super::{Answer, Fetch, Problem};
use crate::http::{self, Limit, Payload, Response, Socket, exchange};

const AGENT: &str = concat!("podlike/", env!("CARGO_PKG_VERSION"));

/// What is asked, and how.
pub(super) struct Request<'a> {
    pub(super) address: &'a Address,
    pub(super) proxy: Option<&'a Address>,
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "without TLS nobody shows who it is"))]
    pub(super) insecure: bool,
    pub(super) deadline: Instant,
    pub(super) fetch: &'a Fetch,
}

impl Request<'_> {
    /// Sends it, and reads the answer: the body of a 200 only.
    pub(super) fn send(&self) -> Result<Answer, Problem> {
        let address = self.address;
        // Through a tunnel it is the server itself that is asked.
        let relay = self.proxy.filter(|_| address.scheme == Scheme::Http);
        let path = format!("{}{}", relay.map(|_| address.origin()).unwrap_or_default(), address.target);
        let logins = [login("Authorization", Some(address)), login("Proxy-Authorization", relay)];
        let response = self.ask(self.connect()?, ("GET", &path), &address.authority(), &logins)?;
        let (status, location) = (response.status, response.header("Location").map(str::to_owned));
        let mut body = Vec::new();
        if status == 200 {
            let longest = self.fetch.longest;
            response.body.take(longest + 1).read_to_end(&mut body).map_err(|error| self.broken(&error))?;
            if body.len() as u64 > longest {
                return Err(Problem::TooLong(longest));
            }
        }
        Ok(Answer { status, location, body })
    }

    /// A connection for the request, which may be a tunnel.
    fn connect(&self) -> Result<Socket, Problem> {
        #[cfg(feature = "tls")]
        if let (Some(proxy), Scheme::Https) = (self.proxy, self.address.scheme) {
            return self.secured(self.tunnel(proxy)?, self.address);
        }
        self.connected(self.proxy.unwrap_or(self.address))
    }

    fn connected(&self, to: &Address) -> Result<Socket, Problem> {
        let socket = Socket::tcp(&to.server(), self.deadline).map_err(|error| self.broken(&error))?;
        let socket = socket.with(Limit::Until(self.deadline));
        #[cfg(feature = "tls")]
        if to.scheme == Scheme::Https {
            return self.secured(socket, to);
        }
        Ok(socket)
    }

    #[cfg(feature = "tls")]
    fn secured(&self, socket: Socket, to: &Address) -> Result<Socket, Problem> {
        let peer = self.fetch.trust.peer(&to.host, self.insecure)?;
        let secured = socket.secured(peer).and_then(|mut socket| socket.greet().map(|()| socket));
        secured.map_err(|error| self.broken(&error))
    }

    #[cfg(feature = "tls")]
    fn tunnel(&self, proxy: &Address) -> Result<Socket, Problem> {
        let refused = |status| Problem::Proxy { proxy: proxy.origin(), status };
        let (server, login) = (self.address.server(), login("Proxy-Authorization", Some(proxy)));
        let response = match self.ask(self.connected(proxy)?, ("CONNECT", &server), &server, &[login]) {
            Err(Problem::NotHttp) => return Err(refused(None)),
            response => response?,
        };
        match response.status {
            200..=299 => response.body.into_stream().ok_or_else(|| refused(None)),
            status => Err(refused(Some(status))),
        }
    }

    fn ask(
        &self,
        socket: Socket,
        (method, path): (&'static str, &str),
        host: &str,
        logins: &[Option<Login>],
    ) -> Result<Response<Socket>, Problem> {
        let mut headers = vec![("User-Agent", AGENT), ("Accept", "*/*")];
        headers.extend(logins.iter().flatten().map(|(name, value)| (*name, value.as_str())));
        let request = http::Request { method, path, headers: &headers };
        exchange(socket, host, request, Payload::Nothing).map_err(|error| match error {
            http::Error::Malformed(_) => Problem::NotHttp,
            http::Error::Tls => Problem::Connection("the server speaks TLS (is it https://?)".to_owned()),
            http::Error::Stream(error) | http::Error::Source(error) => self.broken(&error),
        })
    }

    /// What ended the connection, without anything that a server said.
    fn broken(&self, error: &io::Error) -> Problem {
        let why = match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => return Problem::Timeout(self.fetch.timeout),
            // In words that say who is meant.
            io::ErrorKind::InvalidData => return Problem::Connection(error.to_string()),
            io::ErrorKind::UnexpectedEof => "the connection ended before the answer did".to_owned(),
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            _ => error.to_string(),
        };
        let proxy = self.proxy.map(|proxy| format!(" (through the proxy {})", proxy.origin()));
        Problem::Connection(why + &proxy.unwrap_or_default())
    }
}

/// A header with a login.
type Login = (&'static str, String);

fn login(name: &'static str, of: Option<&Address>) -> Option<Login> {
    let login = of?.login.as_ref()?;
    Some((name, format!("Basic {}", BASE64_STANDARD.encode(login))))
}
