//! One request and its answer, by ureq.
//!
//! What ureq has not: plain http through a proxy (it asks proxies for a tunnel only, which many refuse for port 80), and
//! a choice of who is trusted (`tls.rs`). Both are links of its chain of connectors, an API outside of its promises:
//! `Cargo.toml` holds its minor version.

use std::io::{self, Read as _};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ureq::Agent;
use ureq::http::header::{AUTHORIZATION, HOST, LOCATION, PROXY_AUTHORIZATION};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};

use super::address::{Address, Scheme};
use super::{Answer, Problem};

/// What is asked, and how.
pub(super) struct Request<'a> {
    pub(super) address: &'a Address,
    pub(super) proxy: Option<&'a Address>,
    pub(super) insecure: bool,
    pub(super) timeout: Duration,
    pub(super) longest: u64,
    #[cfg(feature = "tls")]
    pub(super) trust: &'a super::tls::Trust,
}

impl Request<'_> {
    /// Sends it, and reads the answer: the body of a 200 only.
    pub(super) fn send(&self) -> Result<Answer, Problem> {
        let target = self.address;
        // Where the connection leads to; through a tunnel it is the target itself.
        let (peer, tunnel) = match (self.proxy, target.scheme) {
            (Some(proxy), Scheme::Http) => (proxy, None),
            (proxy, _) => (target, proxy),
        };
        let relayed = self.proxy.is_some() && tunnel.is_none();
        let agent = self.agent(tunnel, relayed.then(|| target.origin()))?;
        let mut request = agent.get(format!("{}{}", peer.origin(), target.target)).header(HOST, target.authority());
        if let Some(login) = &target.login {
            request = request.header(AUTHORIZATION, basic(login));
        }
        if let Some(login) = self.proxy.and_then(|proxy| proxy.login.as_ref()).filter(|_| relayed) {
            request = request.header(PROXY_AUTHORIZATION, basic(login));
        }
        let response = request.call().map_err(|error| self.problem(error))?;
        let status = response.status().as_u16();
        let location = response.headers().get(LOCATION).and_then(|value| str::from_utf8(value.as_bytes()).ok());
        let location = location.map(str::to_owned);
        let body = if status == 200 { self.body(response.into_body())? } else { Vec::new() };
        Ok(Answer { status, location, body })
    }

    fn body(&self, body: ureq::Body) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        let read = body.into_reader().take(self.longest + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.problem(error.into()))?;
        if bytes.len() as u64 > self.longest {
            return Err(Problem::TooLong(self.longest));
        }
        Ok(bytes)
    }

    fn agent(&self, tunnel: Option<&Address>, relayed: Option<String>) -> Result<Agent, Problem> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(self.timeout))
            .user_agent(concat!("podlike/", env!("CARGO_PKG_VERSION")))
            .proxy(tunnel.map(ureq_proxy).transpose()?)
            .build();
        let links = ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default());
        #[cfg(feature = "tls")]
        let links = links.chain(self.trust.connector(self.insecure, std::time::Instant::now() + self.timeout)?);
        Ok(Agent::with_parts(config, links.chain(Relay(relayed)), DefaultResolver::default()))
    }

    /// ureq's error without anything that a server said.
    fn problem(&self, error: ureq::Error) -> Problem {
        match error {
            ureq::Error::Timeout(_) => Problem::Timeout(self.timeout),
            ureq::Error::HostNotFound => Problem::Host,
            ureq::Error::ConnectProxyFailed(why) => Problem::Proxy {
                proxy: self.proxy.map(Address::origin).unwrap_or_default(),
                status: why.rsplit('/').next().and_then(|status| status.parse().ok()),
            },
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => Problem::Timeout(self.timeout),
            ureq::Error::Io(error) => self.broken(&error),
            ureq::Error::ConnectionFailed => Problem::Connection("the connection failed".to_owned()),
            #[cfg(feature = "tls")]
            ureq::Error::Other(error) => match error.downcast_ref() {
                Some(error) => self.trust.problem(error, self.insecure),
                None => Problem::NotHttp,
            },
            _ => Problem::NotHttp,
        }
    }

    fn broken(&self, error: &io::Error) -> Problem {
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the connection ended before the answer did".to_owned(),
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            _ => error.to_string(),
        };
        let proxy = self.proxy.map(|proxy| format!(" (through the proxy {})", proxy.origin()));
        Problem::Connection(why + &proxy.unwrap_or_default())
    }
}

fn basic(login: &[u8]) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(login))
}

/// A proxy that is asked for a tunnel.
fn ureq_proxy(proxy: &Address) -> Result<ureq::Proxy, Problem> {
    let protocol = match proxy.scheme {
        Scheme::Http => ureq::ProxyProtocol::Http,
        Scheme::Https => ureq::ProxyProtocol::Https,
    };
    let mut builder = ureq::Proxy::builder(protocol).host(&proxy.host).port(proxy.port);
    if let Some(login) = &proxy.login {
        let login = String::from_utf8_lossy(login);
        let (user, password) = login.split_once(':').unwrap_or((&login, ""));
        builder = builder.username(user).password(password);
    }
    builder.build().map_err(|_| Problem::Variable(format!("the proxy {} cannot be used", proxy.origin())))
}

/// Names the whole address in the first line of a request, as proxies want it for plain http: its scheme, host and port.
#[derive(Debug)]
struct Relay(Option<String>);

impl<In: Transport> Connector<In> for Relay {
    type Out = Relayed<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, link: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(link.map(|inner| Relayed { origin: self.0.clone(), inner }))
    }
}

#[derive(Debug)]
struct Relayed<T> {
    /// Until the first line is sent.
    origin: Option<String>,
    inner: T,
}

impl<T: Transport> Transport for Relayed<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        const METHOD: usize = "GET ".len();
        let Some(origin) = self.origin.take() else { return self.inner.transmit_output(amount, timeout) };
        let output = self.inner.buffers().output();
        let end = METHOD + origin.len();
        if amount + origin.len() > output.len() {
            return Err(ureq::Error::BadUri("too long".to_owned()));
        }
        output.copy_within(METHOD..amount, end);
        output[METHOD..end].copy_from_slice(origin.as_bytes());
        self.inner.transmit_output(amount + origin.len(), timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
