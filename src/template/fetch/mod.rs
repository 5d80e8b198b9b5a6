//! Templates from http and https addresses.
//!
//! ```text
//!   address ─▶ -offline? ─▶ proxy? ─▶ wire.rs: one request ─▶ 200: text        (by the room http)
//!      ▲                                 │ tls.rs: who is trusted
//!      └───────────── redirect ──────────┘
//! ```
//!
//! Without the feature `tls`, an https address or proxy is an error that says so.

mod address;
mod error;
mod proxies;
#[cfg(feature = "tls")]
mod tls;
mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(super) use address::shown;
use address::{Address, Scheme};
pub(super) use error::Error;
use error::Problem;
use proxies::Proxies;

/// All of a fetch takes no longer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A longer text is no template, as with other texts.
const LONGEST: u64 = 4 << 20;
/// As many as Go follows.
const REDIRECTS: u32 = 10;

/// Fetches templates.
#[derive(Debug)]
pub struct Fetch {
    offline: bool,
    timeout: Duration,
    longest: u64,
    proxies: Proxies,
    #[cfg(feature = "tls")]
    trust: tls::Trust,
}

/// What a server says to one request.
struct Answer {
    status: u16,
    /// Where a redirect leads.
    location: Option<String>,
    /// What came with status 200.
    body: Vec<u8>,
}

impl Fetch {
    /// With the proxies (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, also in lower case) and the certificates
    /// (`SSL_CERT_FILE`, `SSL_CERT_DIR`) of the environment. `offline`: every fetch is refused.
    pub fn new(env: &BTreeMap<String, String>, offline: bool) -> Self {
        Self {
            offline,
            timeout: TIMEOUT,
            longest: LONGEST,
            proxies: Proxies::read(env),
            #[cfg(feature = "tls")]
            trust: tls::Trust::new(env),
        }
    }

    /// With another limit for all of a fetch, redirects included, than ten seconds.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// With another limit for an answer, in bytes, than 4 MiB.
    #[must_use]
    pub fn with_longest(self, longest: u64) -> Self {
        Self { longest, ..self }
    }

    /// The text at an `http://` or `https://` address, which may hold a login. Only an answer with status 200 counts.
    /// Redirects are followed, but not from https to http; the login goes to no other server. `insecure`: whoever
    /// answers is believed to be the server, also after a redirect.
    pub fn get(&self, url: &str, insecure: bool) -> Result<String, Error> {
        let deadline = Instant::now() + self.timeout;
        let failed = |problem| Error { address: shown(url.trim()), redirected: None, problem };
        let first = Address::parse(url).map_err(|why| failed(Problem::Address(why)))?;
        if self.offline {
            return Err(failed(Problem::Offline));
        }
        let mut address = first.clone();
        for redirects in 0..=REDIRECTS {
            let failed = |problem| Error { redirected: (redirects > 0).then(|| address.origin()), ..failed(problem) };
            let answer = self.ask(&address, insecure, deadline).map_err(failed)?;
            match answer {
                Answer { status: 200, body, .. } => {
                    return String::from_utf8(body).map_err(|_| failed(Problem::NotText));
                }
                Answer { status: 301 | 302 | 303 | 307 | 308, location, .. } => {
                    address = follow(&address, location.as_deref()).map_err(failed)?;
                }
                Answer { status, .. } => return Err(failed(Problem::Status(status))),
            }
        }
        Err(failed(Problem::Redirects(REDIRECTS)))
    }

    fn ask(&self, address: &Address, insecure: bool, deadline: Instant) -> Result<Answer, Problem> {
        let proxy = self.proxies.proxy_of(address).map_err(Problem::Variable)?;
        #[cfg(not(feature = "tls"))]
        if [Some(address), proxy.as_ref()].into_iter().flatten().any(|one| one.scheme == Scheme::Https) {
            return Err(Problem::NotBuilt);
        }
        wire::Request { address, proxy: proxy.as_ref(), insecure, deadline, fetch: self }.send()
    }
}

fn follow(from: &Address, location: Option<&str>) -> Result<Address, Problem> {
    let location = location.ok_or(Problem::Location("it names no address"))?;
    let next = from.redirected(location).map_err(Problem::Location)?;
    if from.scheme == Scheme::Https && next.scheme == Scheme::Http {
        return Err(Problem::Downgrade);
    }
    Ok(next)
}

#[cfg(all(test, not(feature = "tls")))]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_built_is_said() {
        let env = BTreeMap::from([("HTTP_PROXY".to_owned(), "https://podlike.test".to_owned())]);
        for url in ["https://podlike.test/", "http://podlike.test/"] {
            let error = Fetch::new(&env, false).get(url, false).expect_err("not built").to_string();
            assert!(error.contains(&format!(": {} (", crate::version::NO_TLS)), "{error}");
        }
    }
}
