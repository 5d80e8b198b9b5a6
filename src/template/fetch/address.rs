//! The address of a template: `http(s)://[user[:password]@]host[:port][/path][?query]`.

use std::fmt;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Where a template is, or a proxy. Shown without its login and its query, which may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) scheme: Scheme,
    /// `user:password`, decoded.
    pub(super) login: Option<Vec<u8>>,
    /// In lower case, an IPv6 address in brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query, encoded, from the first slash on.
    pub(super) target: String,
}

impl Address {
    /// Reads an absolute address. Without one it says what is wrong with the text.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const SCHEME: &str = "expected http:// or https:// at its start";
        let (scheme, rest) = text.trim().split_once("://").ok_or(SCHEME)?;
        let known = [Scheme::Http, Scheme::Https].into_iter().find(|known| scheme.eq_ignore_ascii_case(known.name()));
        let scheme = known.ok_or(SCHEME)?;
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (login, server) = match authority.rsplit_once('@') {
            Some((login, server)) => (Some(self::login(login)), server),
            None => (None, authority),
        };
        let (host, port) = self::server(server)?;
        Ok(Self { scheme, login, host, port: port.unwrap_or(scheme.port()), target: self::target(target) })
    }

    /// The address that a redirect from this one leads to. The login goes along to the same server only.
    pub(super) fn redirected(&self, location: &str) -> Result<Self, &'static str> {
        let location = location.trim();
        let first = location.split(['/', '?', '#']).next().unwrap_or_default();
        let mut next = if first.contains(':') {
            Self::parse(location)?
        } else if location.starts_with("//") {
            Self::parse(&format!("{}:{location}", self.scheme.name()))?
        } else {
            Self { target: target(&self.resolved(location)), ..self.clone() }
        };
        if next.login.is_none() && self.is_server_of(&next) {
            next.login.clone_from(&self.login);
        }
        Ok(next)
    }

    /// The path and query that a relative reference means (RFC 3986, 5.2).
    fn resolved(&self, reference: &str) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        match reference.chars().next() {
            None | Some('#') => self.target.clone(),
            Some('?') => format!("{path}{reference}"),
            Some('/') => plain(reference),
            Some(_) => plain(&format!("{}/{reference}", path.rsplit_once('/').map_or("", |(folder, _)| folder))),
        }
    }

    /// Whether the other address has the same server: the same host and port, or https in the place of http.
    fn is_server_of(&self, other: &Self) -> bool {
        let secured =
            (self.scheme, self.port) == (Scheme::Http, 80) && (other.scheme, other.port) == (Scheme::Https, 443);
        self.host == other.host && (secured || (self.scheme == other.scheme && self.port == other.port))
    }

    /// Host, and port if it is not the usual one.
    pub(super) fn authority(&self) -> String {
        if self.port == self.scheme.port() { self.host.clone() } else { self.server() }
    }

    /// Host and port.
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.scheme.name(), self.authority())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&format!("{}{}", self.origin(), self.target)))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address as it is written, or a text that is none, as a message may have it: without login, query and fragment.
pub(in crate::template) fn shown(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // What has no server in front may begin with a login that should have been encoded.
    let login = if server(host).is_ok() && !scheme.is_empty() { authority } else { rest };
    let rest = login.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let (path, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let between = if scheme.is_empty() { "" } else { "://" };
    let query = if query.is_empty() { "" } else { "?…" };
    let plain = format!("{scheme}{between}{path}{query}");
    plain.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A login as basic authentication has it, `%XX` decoded.
fn login(text: &str) -> Vec<u8> {
    let mut result = decoded(text);
    if !text.contains(':') {
        result.push(b':');
    }
    result
}

/// `%XX` as the byte that it stands for; a `%` that stands for none remains.
fn decoded(text: &str) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = tail.first_chunk::<2>().filter(|_| *first == b'%').and_then(|pair| str::from_utf8(pair).ok());
        let byte = pair.filter(|pair| !pair.starts_with('+')).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        result.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    result
}

/// Host and port of `host`, `host:port` or `[v6]:port`.
fn server(text: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = match text.find(']') {
        Some(end) => text.split_at(end + 1),
        None if text.starts_with('[') => (text, ""),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(number.parse().map_err(|_| "its port is not a number up to 65535")?)
        }
        _ => return Err("its port is not a number (special characters of a password are written as %XX)"),
    };
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let good = match v6 {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)),
    };
    if !good {
        return Err("it has no host that could be asked (a name of other letters is written as xn--…)");
    }
    Ok((host.to_ascii_lowercase(), port))
}

/// Path and query without a fragment; what a request cannot hold as it is, is encoded.
fn target(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let mut result = String::with_capacity(text.len() + 1);
    if !text.starts_with('/') {
        result.push('/');
    }
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            result.push(char::from(byte));
        } else {
            let digit = |of: u8| char::from(b"0123456789ABCDEF"[usize::from(of)]);
            result.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    result
}

/// A path without `.` and `..`; a query stays.
fn plain(reference: &str) -> String {
    let (path, rest) = reference.split_at(reference.find(['?', '#']).unwrap_or(reference.len()));
    let mut parts = Vec::new();
    let mut names = path.split('/').skip(1).peekable();
    while let Some(name) = names.next() {
        let last = names.peek().is_none();
        match name {
            "." | ".." => {
                if name == ".." {
                    parts.pop();
                }
                if last {
                    parts.push("");
                }
            }
            _ => parts.push(name),
        }
    }
    format!("/{}{rest}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let address = Address::parse(" hTTps://M%65:p@ss%zz@Host.Example:8443/a b?c=é#d ").expect("an address");
        assert_eq!((address.scheme, address.host.as_str(), address.port), (Scheme::Https, "host.example", 8443));
        assert_eq!(address.login.as_deref(), Some(&b"Me:p@ss%zz"[..]));
        assert_eq!(address.target, "/a%20b?c=%C3%A9");
        assert_eq!(address.to_string(), "https://host.example:8443/a%20b?…");
        let bare = Address::parse("http://[::1]:").expect("an address");
        assert_eq!((bare.to_string().as_str(), bare.port, bare.login), ("http://[::1]/", 80, None));
    }

    #[test]
    fn what_is_shown_has_no_secrets() {
        for (text, expected) in [
            ("https://me:secret@host/x?token=secret#y", "https://host/x?…"),
            ("https://me:se?cret@host/x", "https://host/x"),
            ("https://me:se/cret@host/x", "https://host/x"),
            ("https://me:80se/cret@host/x", "https://host/x"),
            ("https://host/a@1/x", "https://host/a@1/x"),
            ("https://me:secret@host:80/a@1/x?me@host", "https://host:80/a@1/x?…"),
            ("http://[::1]/a@1#secret", "http://[::1]/a@1?…"),
            ("me:secret@host", "host"),
            ("http://host/\u{1b}[2J", "http://host/\u{fffd}[2J"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
