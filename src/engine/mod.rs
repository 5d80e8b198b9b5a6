//! The Docker Engine API, and nothing about pods. Imports `http`, and nothing else of ours.
//!
//! ```text
//! Engine ── request ─▶ host.rs  connect ─▶ http::Socket (unix · tcp · with tls.rs)
//!    │                              │
//!    │                 http  head, body, chunks over any byte stream
//!    ▼                              │
//! containers · exec · archive · images · volumes · services · events  ◀─ Response
//!    (what the API can do, one function a call)    types/  as the API spells it
//!    └─ podman/  what Podman does otherwise
//! ```
//!
//! One connection per call: nothing is pooled, so a stream can be cancelled from another thread by shutting its socket
//! down. An ordinary call is given up after [`QUICK`], one that makes the engine work after [`WORK`], a stream never.

mod access;
mod archive;
pub mod capabilities;
mod containers;
mod error;
mod events;
mod exec;
mod frames;
mod host;
mod images;
mod lines;
mod podman;
mod services;
#[cfg(feature = "tls")]
mod tls;
pub mod types;
mod volumes;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::http::Canceller;
use crate::http::{self, Limit, Payload, Request, Socket};
pub use archive::{Source, Upload};
pub use capabilities::Capabilities;
use capabilities::Product;
pub use containers::{Attach, Condition, Wait};
pub use error::Error;
pub use events::{ContainerEvent, Events};
pub use frames::{Frames, Stream};
use host::Way;
pub use host::{Host, Tls};
pub use images::{AuthHeader, Credentials, NotLogins, Progress, Reference, Shelf};
pub use lines::JsonLines;
pub use services::Service;
use types::{ApiVersion, Info, LibpodInfo, Version};

/// The newest API version that we speak unless more is needed: every engine from 25 to 29 has it.
const NEWEST: ApiVersion = ApiVersion::new(44);
/// The oldest one: Docker 19.03, the first with private IPC namespaces by default.
const OLDEST: ApiVersion = ApiVersion::new(40);
/// The newest one that we know to have nothing against our calls, for engines that refuse older ones.
const KNOWN: ApiVersion = ApiVersion::new(56);

/// How long a call may take that the engine answers from memory.
pub const QUICK: Duration = Duration::from_secs(15);
/// How long a call may take that makes the engine set up or tear down a container, on a busy host.
pub const WORK: Duration = Duration::from_mins(1);

/// More than any answer that is read whole; a longer one is not an engine's.
const LARGEST_ANSWER: u64 = 32 << 20;

/// An engine that was reached, and the API version that we speak with it.
#[derive(Debug, Clone)]
pub struct Engine {
    way: Way,
    /// The minor version that we speak, the same for all clones: an engine that is replaced may refuse it.
    spoken: Arc<AtomicU32>,
    /// What a call needs at least.
    needed: ApiVersion,
    /// The newest that it knows.
    newest: ApiVersion,
    podman: bool,
}

type Response = http::Response<Socket>;

impl Engine {
    /// Reaches the engine and agrees on an API version: the older of its newest and ours.
    pub fn connect(host: Host) -> Result<Self, Error> {
        let spoken = Arc::new(AtomicU32::new(NEWEST.minor));
        let mut engine = Self { way: Way::to(host)?, spoken, needed: OLDEST, newest: NEWEST, podman: false };
        let limit = Limit::Until(Instant::now() + QUICK);
        let pong = engine.exchange(Request::new("GET", "/_ping"), Payload::Nothing, limit, |_| ())?;
        let theirs = pong.header("Api-Version").and_then(|text| text.parse().ok());
        engine.podman = pong.header("Libpod-Api-Version").is_some();
        drop(pong);
        engine.newest = if let Some(theirs) = theirs {
            theirs
        } else {
            let version = engine.asked_for_version()?;
            engine.podman |= version.is_podman();
            version.api_version
        };
        if engine.newest < OLDEST {
            return Err(Error::TooOld { theirs: engine.newest, ours: OLDEST });
        }
        engine.speak(engine.newest.min(NEWEST));
        Ok(engine)
    }

    /// The address of the engine.
    pub fn host(&self) -> &Host {
        &self.way.host
    }

    /// The API version that is spoken.
    pub fn version(&self) -> ApiVersion {
        ApiVersion::new(self.spoken.load(Ordering::Relaxed)).max(self.needed)
    }

    fn speak(&self, version: ApiVersion) {
        self.spoken.store(version.minor, Ordering::Relaxed);
    }

    /// What the engine is and can, for who asks about it: `GET /version`, too, for the oldest version of the API that it takes.
    /// Nothing hangs on that: a proxy before the engine may keep it for itself.
    pub fn all_capabilities(&self) -> Result<Capabilities, Error> {
        let version = self.asked_for_version().inspect_err(|error| log::debug!("{error}")).ok();
        Ok(Capabilities { oldest: version.and_then(|version| version.min_api_version), ..self.capabilities()? })
    }

    /// What the engine is and can: `GET /info`, beside what the first contact told.
    pub fn capabilities(&self) -> Result<Capabilities, Error> {
        let mut info: Info = self.read("GET", "/info", Payload::Nothing, QUICK)?;
        if self.podman && info.cgroup_version == "2" {
            // What it says of limits in Docker's words is wrong on cgroup v2 (run on 4.3 and 5.4).
            let own = self.read::<LibpodInfo>("GET", "/libpod/info", Payload::Nothing, QUICK);
            let own = own.inspect_err(|error| log::debug!("{error}"));
            info.cgroup_controllers = Some(own.map(|own| own.host.cgroup_controllers).unwrap_or_default());
        }
        let product = if self.podman { Product::Podman } else { Product::Docker };
        Ok(Capabilities::read(product, self.newest, self.version(), info))
    }

    /// `GET /version`, which every version of the API has.
    fn asked_for_version(&self) -> Result<Version, Error> {
        let limit = Limit::Until(Instant::now() + QUICK);
        let response = self.exchange(Request::new("GET", "/version"), Payload::Nothing, limit, |_| ())?;
        read_json("GET /version", response)
    }

    /// The same engine, spoken with in a newer version where that is needed and there.
    fn speaking(&self, version: ApiVersion) -> Self {
        Self { needed: version.min(self.newest), ..self.clone() }
    }

    /// Makes a call and reads its answer as `T`.
    fn read<T: DeserializeOwned>(
        &self,
        method: &'static str,
        path: &str,
        payload: Payload<'_>,
        patience: Duration,
    ) -> Result<T, Error> {
        read_json(&call_name(method, path), self.call(method, path, payload, patience)?)
    }

    /// Makes a call of which only the success matters.
    fn perform(&self, method: &'static str, path: &str, payload: Payload<'_>, patience: Duration) -> Result<(), Error> {
        self.call(method, path, payload, patience).map(drop)
    }

    fn call(
        &self,
        method: &'static str,
        path: &str,
        payload: Payload<'_>,
        patience: Duration,
    ) -> Result<Response, Error> {
        let once = |payload| {
            self.versioned(Request::new(method, path), payload, Limit::Until(Instant::now() + patience), |_| ())
        };
        match payload {
            Payload::Nothing => self.in_its_version(|| once(Payload::Nothing)),
            Payload::Json(text) => self.in_its_version(|| once(Payload::Json(text))),
            Payload::Tar(push) => once(Payload::Tar(push)),
        }
    }

    /// Opens a stream: returns when the engine has sent its head, which means that it has taken note; from then on
    /// nothing times out.
    fn stream(&self, method: &'static str, path: &str, patience: Duration) -> Result<Response, Error> {
        let mut response = self.in_its_version(|| {
            let limit = Limit::Until(Instant::now() + patience);
            self.versioned(Request::new(method, path), Payload::Nothing, limit, |_| ())
        })?;
        response.body.stream_mut().set_limit(Limit::Never);
        Ok(response)
    }

    /// Makes a call, and once more if the engine refuses the version that we speak and names one that we know, too: that
    /// is kept.
    fn in_its_version(&self, call: impl Fn() -> Result<Response, Error>) -> Result<Response, Error> {
        // Another thread may be told the same in the meantime.
        let asked = self.version();
        let result = call();
        let named = result.as_ref().err().and_then(Error::version_it_wants);
        match named.filter(|named| (OLDEST..=KNOWN).contains(named) && *named != asked) {
            Some(named) => {
                self.speak(named);
                call()
            }
            None => result,
        }
    }

    fn versioned(
        &self,
        request: Request<'_>,
        payload: Payload<'_>,
        limit: Limit,
        connected: impl FnOnce(Canceller),
    ) -> Result<Response, Error> {
        let path = format!("/v{}{}", self.version(), request.path);
        self.exchange(Request { path: &path, ..request }, payload, limit, connected)
    }

    /// One request and the head of its answer. `connected` gets the means to cancel it before anything is sent.
    fn exchange(
        &self,
        request: Request<'_>,
        payload: Payload<'_>,
        limit: Limit,
        connected: impl FnOnce(Canceller),
    ) -> Result<Response, Error> {
        let call = || call_name(request.method, request.path);
        let host = &self.way.host;
        let unreachable = |source| Error::Unreachable { host: Box::new(host.clone()), source };
        let mut socket = self.way.connect().map_err(unreachable)?.with(limit);
        connected(socket.canceller().map_err(|source| Error::Broken { call: call(), source })?);
        socket.greet().map_err(|source| if is_late(&source) { broken(call(), source) } else { unreachable(source) })?;
        match http::exchange(socket, host.authority(), request, payload) {
            Ok(response) if (200..300).contains(&response.status) => Ok(response),
            Ok(response) => Err(refused(call(), host, response)),
            Err(http::Error::Source(source)) => Err(Error::Source(source)),
            Err(http::Error::Malformed(what)) => Err(Error::Nonsense { call: call(), what }),
            Err(http::Error::Tls) => Err(Error::WantsTls { host: Box::new(host.clone()) }),
            // TLS knows what is wrong: with TLS 1.3 the first answer is the word on our certificate.
            Err(http::Error::Stream(source)) if source.kind() == io::ErrorKind::InvalidData => Err(unreachable(source)),
            Err(http::Error::Stream(source)) => Err(broken(call(), source)),
        }
    }
}

/// A call as errors name it: without the version, which says nothing.
fn call_name(method: &str, path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path);
    let unversioned = path.strip_prefix("/v").and_then(|rest| rest.find('/').map(|slash| &rest[slash..]));
    let versioned = path.strip_prefix("/v").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    format!("{method} {}", unversioned.filter(|_| versioned).unwrap_or(path))
}

/// An error of the connection: out of time, or cut.
fn broken(call: String, source: io::Error) -> Error {
    if is_late(&source) { Error::TimedOut { call } } else { Error::Broken { call, source } }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The engine said no, or only that it speaks TLS.
fn refused(call: String, host: &Host, response: Response) -> Error {
    let status = response.status;
    let words = words(response);
    // Docker: "Client sent an HTTP request to an HTTPS server."
    match host {
        Host::Tcp(_) if status == 400 && words.contains("HTTPS") => Error::WantsTls { host: Box::new(host.clone()) },
        _ => Error::Refused { call, status, words },
    }
}

fn read_json<T: DeserializeOwned>(call: &str, response: Response) -> Result<T, Error> {
    let mut text = Vec::new();
    match response.body.take(LARGEST_ANSWER).read_to_end(&mut text) {
        Ok(_) => serde_json::from_slice(&text)
            .map_err(|error| Error::Nonsense { call: call.to_owned(), what: error.to_string() }),
        Err(source) => Err(broken(call.to_owned(), source)),
    }
}

/// The engine's own words in a refusal, on one line: the `message` of its JSON, else the text, as a proxy's page has it.
fn words(response: Response) -> String {
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    let mut text = Vec::new();
    // What arrived before an error is all there is to say: the refusal itself is the news.
    let _ = response.body.take(64 << 10).read_to_end(&mut text);
    match serde_json::from_slice(&text) {
        Ok(Message { message }) => on_one_line(podman::plain(&message)),
        Err(_) => on_one_line(&without_tags(&String::from_utf8_lossy(&text))).chars().take(500).collect(),
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of a page of HTML; any other text as it is.
fn without_tags(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    text.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<Vec<_>>().join(" ")
}

/// The text of a request's body.
fn json(request: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(request).expect("requests have only text for keys")
}

/// Text as a part of a path or a query: everything but the unreserved characters is percent-encoded.
fn encoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
            _ => write!(out, "%{byte:02X}").expect("a Vec takes every byte"),
        }
    }
    String::from_utf8(out).expect("only ASCII was written")
}

/// The `filters` parameter that selects by one label.
fn label_filter(label: &str) -> String {
    encoded(&serde_json::json!({ "label": [label] }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_without_version_and_query() {
        assert_eq!(call_name("POST", "/v1.41/containers/create?name=x"), "POST /containers/create");
        assert_eq!(call_name("GET", "/version"), "GET /version");
        assert_eq!(call_name("GET", "/volumes/v"), "GET /volumes/v");
    }

    #[test]
    fn a_page_that_refuses_is_told_on_one_line_without_its_tags() {
        let page = "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n";
        let words = "403 Forbidden Request forbidden by administrative rules.";
        assert_eq!(on_one_line(&without_tags(page)), words);
        assert_eq!(on_one_line(&without_tags("a < b\n\tc > d")), "a < b c > d");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_a_path() {
        assert_eq!(encoded("a/../b?c=d e\r\n\u{e9}"), "a%2F..%2Fb%3Fc%3Dd%20e%0D%0A%C3%A9");
    }
}
