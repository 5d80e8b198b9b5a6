//! Questions to a port of the pod, asked from inside its network: does it take connections, and how does it answer HTTP?
//! Imports nothing of ours.
//!
//! ```text
//! Place ─▶ connect (bounded) ─┬─▶ tcp.rs   it took us
//!                             └─▶ http.rs  GET ─▶ head ─▶ status 200 to 399
//! ```
//!
//! The rules are the kubelet's: redirects are not followed and are good, a body is not read.

mod http;
mod tcp;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use std::{fmt, io};

pub use http::Get;
pub use tcp::Place;

/// Why the answer is no.
#[derive(Debug)]
pub enum Error {
    /// Nobody takes a connection there.
    Connect(io::Error),
    /// There is no whole answer in time.
    TooLong(Duration),
    /// The connection broke.
    Broken(io::Error),
    /// The answer is not HTTP.
    NotHttp,
    /// The head of the answer does not end.
    HugeHead,
    /// The status is not from 200 to 399.
    Status(u16),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                f.write_str("nobody listens there")
            }
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::TooLong(limit) => write!(f, "no answer in {} s", limit.as_secs_f64()),
            Self::Broken(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                f.write_str("hung up without an answer")
            }
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
            Self::NotHttp => f.write_str("what answers does not speak HTTP"),
            Self::HugeHead => f.write_str("the head of the answer does not end"),
            Self::Status(status) => write!(f, "status {status}, expected 200 to 399"),
        }
    }
}

impl std::error::Error for Error {}

/// The addresses that a host stands for. Names are not looked up, which could take for ever: only `localhost` has some.
pub fn addresses(host: &str) -> Option<Vec<IpAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok().map(|address| vec![address])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_and_localhost_are_hosts() {
        assert_eq!(addresses("127.0.0.1"), Some(vec![IpAddr::from([127, 0, 0, 1])]));
        assert_eq!(addresses("[::1]"), addresses("::1"));
        assert_eq!(addresses("LocalHost").map(|both| both.len()), Some(2));
        assert!(addresses("web").is_none() && addresses("").is_none());
    }
}
