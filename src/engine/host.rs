//! Where the engine is: `DOCKER_HOST` → [`Host`] → [`Way`] → a connected [`Socket`].

use std::path::PathBuf;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::Instant;
use std::{fmt, io};

#[cfg(feature = "tls")]
use super::tls::Client;
use super::{Error, QUICK};
use crate::http::Socket;
use crate::version;

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
                    Some(_) if tls.anybody && !cfg!(feature = "tls") => refused(version::NO_TLS),
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

    fn connect(&self) -> io::Result<Socket> {
        match self {
            Self::Unix(path) => Socket::unix(path),
            Self::Tcp(authority) | Self::Tls { authority, .. } => Socket::tcp(authority, Instant::now() + QUICK),
        }
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
            Host::Tls { authority, .. } => {
                Err(Error::Address { address: format!("tcp://{authority}"), reason: version::NO_TLS })
            }
            _ => Ok(Self { host }),
        }
    }

    /// A connection over which nothing was sent yet.
    pub(super) fn connect(&self) -> io::Result<Socket> {
        let socket = self.host.connect()?;
        #[cfg(feature = "tls")]
        if let Some(client) = &self.client {
            return socket.secured(client.clone());
        }
        Ok(socket)
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
        let advice = if cfg!(feature = "tls") { "set DOCKER_TLS_VERIFY=1" } else { version::NO_TLS };
        for (address, settings, part) in [
            ("tcp://h:2376", &anybody, advice),
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
        assert_eq!(error, format!("DOCKER_HOST is 'tcp://h:2376': {}", version::NO_TLS));
    }
}
