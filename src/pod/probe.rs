//! `x-podlike-probes`: how the controller finds out by itself whether a component has started, is ready, and lives.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::compose::{self, Error, Kind, Node};
use crate::probe;

/// The probes of a component.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Probes {
    /// Fails when the component must be restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<Probe>,
    /// Passes while the component can do its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Probe>,
    /// Passes once the component has started: the others wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<Probe>,
}

impl Probes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether they tell when the component is ready.
    pub fn tell_readiness(&self) -> bool {
        self.readiness.is_some() || self.startup.is_some()
    }
}

/// A question that is asked again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// The question.
    #[serde(flatten)]
    pub check: Check,
    /// From one question to the next.
    #[serde(serialize_with = "super::plan::seconds")]
    pub interval: Duration,
    /// How long an answer may take.
    #[serde(serialize_with = "super::plan::seconds")]
    pub timeout: Duration,
    /// How many failures in a row count; at least one.
    pub retries: u32,
    /// How long after the start failures don't count, until the first success.
    #[serde(serialize_with = "super::plan::seconds", skip_serializing_if = "Duration::is_zero")]
    pub start_period: Duration,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// Whether a GET over HTTP is answered with a status from 200 to 399.
    Http(HttpCheck),
    /// Whether a port takes connections.
    Tcp {
        /// A numeric address, or `localhost`.
        host: String,
        /// The port.
        port: u16,
    },
    /// Whether a command in the component ends with 0.
    Exec(Vec<String>),
}

/// A GET over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpCheck {
    /// A numeric address, or `localhost`.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// More headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_brackets = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        match self {
            Self::Http(HttpCheck { host, port, path, .. }) => write!(f, "http://{}:{port}{path}", in_brackets(host)),
            Self::Tcp { host, port } => write!(f, "tcp {}:{port}", in_brackets(host)),
            Self::Exec(words) => write!(f, "exec {}", words.first().map_or("", String::as_str)),
        }
    }
}

/// Where components listen that say nothing else.
const HERE: &str = "127.0.0.1";

/// Reads `x-podlike-probes`.
pub(super) fn probes(node: &Node) -> Result<Probes, Error> {
    let mut probes = Probes::default();
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "liveness" => probes.liveness = Some(probe(value)?),
            "readiness" => probes.readiness = Some(probe(value)?),
            "startup" => probes.startup = Some(probe(value)?),
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, ["liveness", "readiness", "startup"])),
        }
    }
    Ok(probes)
}

fn probe(node: &Node) -> Result<Probe, Error> {
    const KEYS: [&str; 7] = ["exec", "http", "interval", "retries", "start_period", "tcp", "timeout"];
    let mut check: Option<Check> = None;
    let (mut interval, mut timeout) = (Duration::from_secs(10), Duration::from_secs(1));
    let (mut retries, mut start_period) = (3, Duration::ZERO);
    for (key, value) in node.map()?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "exec" | "http" | "tcp" if check.is_some() => {
                return Err(value.refused("a probe has one of http, tcp and exec, and there is another one"));
            }
            "exec" => check = Some(Check::Exec(words(value)?)),
            "http" => check = Some(Check::Http(http(value)?)),
            "tcp" => check = Some(tcp(value)?),
            "interval" => interval = positive(value)?,
            "timeout" => timeout = positive(value)?,
            "start_period" => start_period = compose::duration(value)?,
            "retries" => {
                let count = u32::try_from(value.integer()?).ok().filter(|count| *count > 0);
                retries = count.ok_or_else(|| value.invalid("a number of failures, from 1 on"))?;
            }
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, KEYS)),
        }
    }
    if let Some(long) = node.get("timeout").or_else(|| node.get("interval")).filter(|_| timeout > interval) {
        return Err(long.refused(format!(
            "a timeout of {} s is longer than the interval of {} s: one probe ends before the next one begins",
            timeout.as_secs_f64(),
            interval.as_secs_f64()
        )));
    }
    let check = check.ok_or_else(|| node.refused("a probe has one of http, tcp and exec, such as 'tcp: 5432'"))?;
    Ok(Probe { check, interval, timeout, retries, start_period })
}

fn positive(node: &Node) -> Result<Duration, Error> {
    let duration = compose::duration(node)?;
    if duration < Duration::from_millis(1) { Err(node.invalid("a duration of at least 1ms")) } else { Ok(duration) }
}

fn words(node: &Node) -> Result<Vec<String>, Error> {
    let words = compose::command(node)?;
    if words.is_empty() { Err(node.refused("a probe has a command, such as [pg_isready]")) } else { Ok(words) }
}

/// `5432`, `HOST:5432`, or a mapping.
fn tcp(node: &Node) -> Result<Check, Error> {
    if let Kind::Map(entries) = &node.kind {
        let mut host = HERE.to_owned();
        for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
            match key.as_str() {
                "host" => host = host_of(value, &value.text()?)?,
                "port" => {}
                key if key.starts_with("x-") => {}
                key => return Err(node.unknown(key, ["host", "port"])),
            }
        }
        let port = node.get("port").ok_or_else(|| node.missing("port"))?;
        return Ok(Check::Tcp { host, port: port_of(port, &port.text()?)? });
    }
    let text = node.text()?;
    let (host, port) = authority(node, text.trim(), None)?;
    Ok(Check::Tcp { host, port })
}

/// `8080`, `:8080/PATH`, `HOST:8080/PATH`, `http://HOST[:PORT]/PATH`, or a mapping.
fn http(node: &Node) -> Result<HttpCheck, Error> {
    if let Kind::Map(entries) = &node.kind {
        return long_http(node, entries);
    }
    let text = node.text()?;
    let text = text.trim();
    if text.starts_with("https://") {
        return Err(node.refused(NO_TLS));
    }
    let (rest, usual) = text.strip_prefix("http://").map_or((text, None), |rest| (rest, Some(80)));
    let (place, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let (host, port) = authority(node, place, usual)?;
    Ok(HttpCheck { host, port, path: path_of(node, path)?, headers: Vec::new() })
}

const NO_TLS: &str = "podlike asks no https: probe the port with tcp, or run a command of the component with exec";

fn long_http(node: &Node, entries: &[(String, Node)]) -> Result<HttpCheck, Error> {
    let mut check = HttpCheck { host: HERE.to_owned(), port: 0, path: "/".to_owned(), headers: Vec::new() };
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "headers" => check.headers = headers(value)?,
            "host" => check.host = host_of(value, &value.text()?)?,
            "path" => check.path = path_of(value, &value.text()?)?,
            "port" => check.port = port_of(value, &value.text()?)?,
            "scheme" => match value.text()?.to_ascii_lowercase().as_str() {
                "http" => {}
                "https" => return Err(value.refused(NO_TLS)),
                _ => return Err(value.invalid("a scheme: http")),
            },
            key if key.starts_with("x-") => {}
            key => return Err(node.unknown(key, ["headers", "host", "path", "port", "scheme"])),
        }
    }
    if check.port == 0 { Err(node.missing("port")) } else { Ok(check) }
}

/// `PORT`, `:PORT`, `HOST:PORT`; with a usual port also `HOST`.
fn authority(node: &Node, text: &str, usual: Option<u16>) -> Result<(String, u16), Error> {
    let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = match text.rsplit_once(':') {
        // The last colon of an address of IPv6.
        Some((_, rest)) if rest.ends_with(']') => (text, None),
        Some((host, port)) => (host, Some(port)),
        None if bare && usual.is_none() => ("", Some(text)),
        None => (text, None),
    };
    let port = match (port, usual) {
        (Some(port), _) => port_of(node, port)?,
        (None, Some(usual)) => usual,
        (None, None) => return Err(node.invalid("an address with a port, such as :8080 or 127.0.0.1:8080")),
    };
    Ok((if host.is_empty() { HERE.to_owned() } else { host_of(node, host)? }, port))
}

fn port_of(node: &Node, text: &str) -> Result<u16, Error> {
    let port = text.trim().parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| node.not(text, "a port from 1 to 65535"))
}

fn host_of(node: &Node, text: &str) -> Result<String, Error> {
    let expected = "127.0.0.1, another numeric address of the pod, or localhost: names are not looked up";
    if probe::addresses(text).is_none() {
        return Err(node.not(text, expected));
    }
    Ok(text.trim_start_matches('[').trim_end_matches(']').to_owned())
}

fn path_of(node: &Node, path: &str) -> Result<String, Error> {
    if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(path.to_owned());
    }
    Err(node.not(path, "a path that begins with '/' and has neither blanks (%20) nor letters outside of ASCII"))
}

/// What a value holds is not shown: it may be a password.
fn headers(node: &Node) -> Result<Vec<(String, String)>, Error> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let check = |(name, value): (String, Option<String>)| {
        if name.is_empty() || !name.chars().all(is_token) {
            return Err(node.not(&name, "the name of a header, such as X-Check"));
        }
        let value = value.unwrap_or_default();
        if value.chars().any(char::is_control) {
            return Err(node.refused(format!("the value of the header {name} has characters that end a line")));
        }
        Ok((name, value))
    };
    compose::key_values(node)?.into_iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use crate::compose::valid;

    use super::*;

    fn check(text: &str) -> Result<String, String> {
        let probe = probe(&valid(text)).map_err(|error| error.to_string())?;
        Ok(probe.check.to_string())
    }

    #[test]
    fn the_short_forms_are_on_this_host_and_with_the_root() {
        for (short, long) in [
            ("{tcp: 5432}", "tcp 127.0.0.1:5432"),
            ("{tcp: ':5432'}", "tcp 127.0.0.1:5432"),
            ("{tcp: '[::1]:5432'}", "tcp [::1]:5432"),
            ("{tcp: {port: 1, host: localhost}}", "tcp localhost:1"),
            ("{http: 8080}", "http://127.0.0.1:8080/"),
            ("{http: ':8080/healthz'}", "http://127.0.0.1:8080/healthz"),
            ("{http: 'http://localhost/x?y=1'}", "http://localhost:80/x?y=1"),
            ("{http: 'http://[::1]/'}", "http://[::1]:80/"),
            ("{http: {port: 80, path: /x}}", "http://127.0.0.1:80/x"),
            ("{exec: pg_isready -q}", "exec pg_isready"),
        ] {
            assert_eq!(check(short).as_deref(), Ok(long), "{short}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_asked_is_refused() {
        for (text, part) in [
            ("{tcp: 0}", "a port from 1 to 65535"),
            ("{tcp: 70000}", "a port from 1 to 65535"),
            ("{tcp: web:80}", "names are not looked up"),
            ("{http: /healthz}", "an address with a port"),
            ("{http: localhost}", "an address with a port"),
            ("{http: 'https://localhost/'}", "podlike asks no https"),
            ("{http: {port: 1, scheme: https}}", "podlike asks no https"),
            ("{http: {path: /}}", "port"),
            ("{http: {port: 1, path: x}}", "begins with '/'"),
            ("{http: {port: 1, path: '/a b'}}", "begins with '/'"),
            ("{http: {port: 1, headers: {'a b': c}}}", "the name of a header"),
            ("{http: {port: 1, headers: {a: \"hunter2\\n\"}}}", "the value of the header a"),
            ("{exec: []}", "a probe has a command"),
        ] {
            let error = check(text).expect_err(text);
            assert!(error.contains(part) && !error.contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_kubelet() {
        let probe = probe(&valid("{tcp: 1}")).expect("a probe");
        let Probe { interval, timeout, retries, start_period, .. } = probe;
        let seconds = Duration::from_secs;
        assert_eq!((interval, timeout, retries, start_period), (seconds(10), seconds(1), 3, Duration::ZERO));
    }
}
