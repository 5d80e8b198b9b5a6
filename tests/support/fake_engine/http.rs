//! HTTP/1.1 as a server of a few tests needs it: a request head, a body with a length or in chunks,
//! heads and chunks to write, and the wire that they are written on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::flavour::Flavour;
use super::model::Shared;

/// A request head, its target taken apart.
pub(super) struct Head {
    pub(super) method: String,
    /// `1.41` of `/v1.41/info`.
    pub(super) version: Option<String>,
    /// Without the version and the query, percent-decoded.
    pub(super) path: String,
    /// As it came.
    pub(super) encoded_path: String,
    pub(super) query: BTreeMap<String, String>,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
}

impl Head {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(super) fn wants_close(&self) -> bool {
        self.header("connection").eq_ignore_ascii_case("close")
    }
}

/// The next request head, or `None` when the client is done.
pub(super) fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let Some(first) = read_line(reader)? else {
        return Ok(None);
    };
    let mut words = first.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let mut headers = BTreeMap::new();
    while let Some(line) = read_line(reader)?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (version, path) = split_version(path);
    Ok(Some(Head {
        method,
        version,
        path: decode(&path, false),
        encoded_path: path,
        query: query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (decode(key, true), decode(value, true)))
            .collect(),
        headers,
    }))
}

/// The whole body, whichever way its length is told.
pub(super) fn read_body(reader: &mut impl BufRead, head: &Head) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if !head.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        let length = head.header("content-length").parse().unwrap_or(0);
        reader.take(length).read_to_end(&mut body)?;
        return Ok(body);
    }
    loop {
        let line = read_line(reader)?.unwrap_or_default();
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        reader.take(size).read_to_end(&mut body)?;
        read_line(reader)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = reader.read_line(&mut line)?;
    line.truncate(line.trim_end().len());
    Ok((length > 0).then_some(line))
}

fn split_version(path: &str) -> (Option<String>, String) {
    let found = path.strip_prefix("/v").and_then(|rest| {
        let (version, tail) = rest.split_once('/')?;
        let number = version.starts_with(|first: char| first.is_ascii_digit());
        number.then(|| (Some(version.to_owned()), format!("/{tail}")))
    });
    found.unwrap_or_else(|| (None, path.to_owned()))
}

fn decode(text: &str, plus_is_blank: bool) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' if plus_is_blank => b' ',
            b'%' => {
                let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits).into_owned();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The way back to the client, at full speed or a byte at a time.
pub(super) struct Wire {
    pub(super) stream: UnixStream,
    pub(super) shared: Arc<Shared>,
    pub(super) connection: u64,
    /// The pause after each byte, for slow answers.
    pub(super) pace: Option<Duration>,
    /// The record whose headers the answer has.
    pub(super) like: &'static str,
}

impl Wire {
    /// A status line and headers, those of every answer of the engine among them.
    pub(super) fn head(&mut self, status: u16, headers: &[(&str, &str)]) -> io::Result<()> {
        let mut text = format!("HTTP/1.1 {status} {}\r\n", reason(status));
        let version = self.shared.look(|world| world.ping_version.clone());
        for (name, value) in self.flavour().headers(self.like) {
            match (name.as_str(), &version) {
                ("Api-Version", None) => {}
                ("Api-Version", Some(version)) => {
                    let _ = write!(text, "Api-Version: {version}\r\n");
                }
                _ => {
                    let _ = write!(text, "{name}: {value}\r\n");
                }
            }
        }
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        self.write_all(format!("{text}\r\n").as_bytes())
    }

    pub(super) fn flavour(&self) -> Flavour {
        self.shared.look(|world| world.flavour)
    }

    /// An answer of known length.
    pub(super) fn answer(&mut self, status: u16, kind: &str, body: &[u8]) -> io::Result<()> {
        let length = body.len().to_string();
        self.head(status, &[("Content-Type", kind), ("Content-Length", &length)])?;
        self.write_all(body)
    }

    /// The head of a chunked JSON stream.
    pub(super) fn open_chunks(&mut self) -> io::Result<()> {
        let kind = ("Content-Type", "application/json");
        self.head(200, &[kind, ("Transfer-Encoding", "chunked")])
    }

    pub(super) fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let size = format!("{:x}\r\n", bytes.len());
        self.write_all(&[size.as_bytes(), bytes, b"\r\n"].concat())
    }

    /// Notes it in the world when the client closes its end; what it sends until then is dropped.
    pub(super) fn watch(&self) -> io::Result<()> {
        let mut stream = self.stream.try_clone()?;
        let (shared, connection) = (Arc::clone(&self.shared), self.connection);
        self.shared.spawn("watch", move || {
            let _ = io::copy(&mut stream, &mut io::sink());
            shared.change(|world| world.gone.insert(connection));
        });
        Ok(())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(pace) = self.pace else {
            return self.stream.write(bytes);
        };
        let sent = self.stream.write(&bytes[..bytes.len().min(1)])?;
        self.shared.pause(Some(Instant::now() + pace));
        if self.shared.look(|world| world.closing) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(sent)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Closed means closed, also for the copies that watch and that the world keeps.
        let _ = self.stream.shutdown(Shutdown::Both);
        self.shared.change(|world| world.sockets.remove(&self.connection));
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Whatever",
    }
}
