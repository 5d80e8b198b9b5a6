//! Why a template could not be fetched.

use std::fmt;
use std::time::Duration;

/// A template that could not be fetched: which, and why. Neither logins nor what a server answered are in it.
#[derive(Debug)]
pub struct Error {
    /// The address that the user wrote, without login and query.
    pub(super) address: String,
    /// The server that the last redirect led to.
    pub(super) redirected: Option<String>,
    pub(super) problem: Problem,
}

/// What went wrong.
#[derive(Debug)]
pub(super) enum Problem {
    /// The text is no address.
    Address(&'static str),
    /// `-offline`.
    Offline,
    /// An https address, in a binary without TLS.
    #[cfg(not(feature = "tls"))]
    NotBuilt,
    /// A status other than 200.
    Status(u16),
    /// A redirect without a target, or with one that is no address.
    Location(&'static str),
    /// More redirects than this.
    Redirects(u32),
    /// A redirect from https to http.
    Downgrade,
    /// A variable that names no proxy.
    Variable(String),
    /// The proxy's answer when it was asked for a connection.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "without TLS there is no tunnel to ask for"))]
    Proxy { proxy: String, status: Option<u16> },
    /// No answer, or not all of it, in this time.
    Timeout(Duration),
    /// The connection failed or ended, or TLS has something against it.
    Connection(String),
    /// The answer is no HTTP.
    NotHttp,
    /// Longer than this many bytes.
    TooLong(u64),
    /// Not UTF-8.
    NotText,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot fetch {}: ", self.address)?;
        if let Some(server) = &self.redirected {
            write!(f, "redirected to {server}: ")?;
        }
        self.problem.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why) => write!(f, "it is no address: {why}"),
            Self::Offline => f.write_str("-offline forbids it (give the template as a file or inline)"),
            #[cfg(not(feature = "tls"))]
            Self::NotBuilt => write!(f, "{} (or give the template as a file or inline)", crate::version::NO_TLS),
            Self::Status(status) => write!(f, "status {status}, expected 200{}", hint(*status)),
            Self::Location(why) => write!(f, "a redirect that leads nowhere: {why}"),
            Self::Redirects(most) => write!(f, "more than {most} redirects"),
            Self::Downgrade => {
                f.write_str("a redirect from https to http is not followed (name the http address if that is meant)")
            }
            Self::Proxy { proxy, status: Some(status) } => {
                write!(f, "the proxy {proxy} does not connect to it: status {status}{}", hint(*status))
            }
            Self::Proxy { proxy, status: None } => write!(f, "the proxy {proxy} does not answer as one"),
            Self::Timeout(time) => write!(f, "no complete answer in {time:?}"),
            Self::Variable(why) | Self::Connection(why) => f.write_str(why),
            Self::NotHttp => f.write_str("the answer is no HTTP/1.1"),
            Self::TooLong(limit) => write!(f, "the answer is longer than {}", Size(*limit)),
            Self::NotText => f.write_str("the answer is no text in UTF-8"),
        }
    }
}

/// Bytes, in MiB if there are whole ones.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: u64 = 1 << 20;
        if self.0 > 0 && self.0.is_multiple_of(MIB) {
            write!(f, "{} MiB", self.0 / MIB)
        } else {
            write!(f, "{} bytes", self.0)
        }
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => " (an address may hold a login: https://USER:PASSWORD@…)",
        407 => " (the address of a proxy may hold a login: http://USER:PASSWORD@…)",
        _ => "",
    }
}

impl std::error::Error for Error {}
