//! HTTP/1.1 over any byte stream: one request, one answer. Pure but for the stream, which is a [`Socket`] where it is real.
//! Imports nothing of ours.
//!
//! ```text
//! Request ─▶ head ─▶ payload (bytes, or chunks that are pushed) ─▶ stream
//!                       └ the peer hangs up: read its answer first
//! stream ─▶ head (1xx skipped) ─▶ Body: by length · by chunks · until the end
//!
//! wire.rs  Socket: resolve, connect, read and write within a Limit     tls.rs  Session on top     trust.rs  with whom, crypto.rs  by which means
//! ```

#[cfg(feature = "tls")]
pub mod crypto;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
pub mod trust;
mod wire;

use std::io::{self, BufRead, BufReader, IoSlice, Read, Write};

#[cfg(feature = "tls")]
pub(crate) use tls::config;
#[cfg(feature = "tls")]
pub use tls::{Peer, Session};
pub use wire::{Canceller, Limit, Socket, Wire};

/// A longer head is none.
const LONGEST_HEAD: usize = 64 << 10;
/// No head has more lines from anybody.
const MOST_HEADERS: usize = 128;
/// Enough for a head. Every connection has one, so it is small; who reads more at a time reads past it.
const BUFFER: usize = 2 << 10;

/// What is asked. Its headers may hold secrets: it is not for showing.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Such as `GET`.
    pub method: &'static str,
    /// Path and query, encoded; what a proxy is asked for has more.
    pub path: &'a str,
    /// What goes along beside `Host` and what tells of the payload: names and values, which hold no line end.
    pub headers: &'a [(&'static str, &'a str)],
}

impl<'a> Request<'a> {
    /// Without headers of its own.
    pub fn new(method: &'static str, path: &'a str) -> Self {
        Self { method, path, headers: &[] }
    }
}

/// Writes an upload piece by piece into the connection.
pub type Push<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// What is sent with a request.
pub enum Payload<'a> {
    /// Only the head.
    Nothing,
    /// A text of JSON.
    Json(&'a [u8]),
    /// A tar archive of unknown length, pushed into the connection.
    Tar(Push<'a>),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Error {
    /// The stream failed or ended.
    Stream(io::Error),
    /// The answer is not HTTP.
    Malformed(String),
    /// The answer is one of TLS.
    Tls,
    /// The pusher of the payload failed by itself.
    Source(io::Error),
}

/// The answer, its body still to be read.
#[derive(Debug)]
pub struct Response<S> {
    /// From 101 on; what comes before it is skipped.
    pub status: u16,
    head: Vec<u8>,
    /// Still to be read.
    pub body: Body<S>,
}

impl<S> Response<S> {
    /// The value of the first header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(&self.head).ok()?;
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        str::from_utf8(header.value).map(str::trim).ok()
    }
}

/// Sends a request to a host and reads the head of the answer. When the peer hangs up on the payload, it has answered already:
/// that answer is read and returned.
pub fn exchange<S: Read + Write>(
    mut stream: S,
    host: &str,
    request: Request<'_>,
    payload: Payload<'_>,
) -> Result<Response<S>, Error> {
    let sent = send(&mut stream, host, request, payload);
    let hung_up = match sent {
        Ok(()) => None,
        Err(Error::Stream(error)) if hangs_up(&error) => Some(error),
        Err(error) => return Err(error),
    };
    match (receive(BufReader::with_capacity(BUFFER, stream), request.method), hung_up) {
        // What TLS has to say tells more than that the peer hung up.
        (Err(Error::Stream(error)), Some(_)) if error.kind() == io::ErrorKind::InvalidData => Err(Error::Stream(error)),
        (Err(Error::Stream(_)), Some(error)) => Err(Error::Stream(error)),
        (result, _) => result,
    }
}

/// Whether the peer has closed the connection; it may have answered before.
pub fn hangs_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

fn send<S: Write>(stream: &mut S, host: &str, request: Request<'_>, payload: Payload<'_>) -> Result<(), Error> {
    let Request { method, path, headers } = request;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    match payload {
        Payload::Nothing => {
            if method == "POST" {
                head.push_str("Content-Length: 0\r\n");
            }
            head.push_str("\r\n");
            stream.write_all(head.as_bytes()).map_err(Error::Stream)
        }
        Payload::Json(bytes) => {
            head.push_str("Content-Type: application/json\r\nContent-Length: ");
            head.push_str(&bytes.len().to_string());
            head.push_str("\r\n\r\n");
            let mut message = head.into_bytes();
            message.extend_from_slice(bytes);
            stream.write_all(&message).map_err(Error::Stream)
        }
        Payload::Tar(push) => {
            head.push_str("Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).map_err(Error::Stream)?;
            let mut chunks = Chunks { stream, failed: None };
            match push(&mut chunks) {
                Ok(()) => chunks.stream.write_all(b"0\r\n\r\n").map_err(Error::Stream),
                Err(error) => Err(match chunks.failed {
                    Some(failed) => Error::Stream(failed),
                    None => Error::Source(error),
                }),
            }
        }
    }
}

/// Makes a chunk of each write, and remembers if the stream failed.
struct Chunks<'a, S> {
    stream: &'a mut S,
    failed: Option<io::Error>,
}

impl<S: Write> Write for Chunks<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        // What is buffered comes again when its owner is dropped: a stream that hangs must not hang once more.
        if let Some(failed) = &self.failed {
            return Err(failed.kind().into());
        }
        let length = format!("{:x}\r\n", bytes.len());
        let chunk = write_all_of(self.stream, &mut [length.as_bytes(), bytes, b"\r\n"].map(IoSlice::new));
        chunk.map(|()| bytes.len()).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all of it with as few calls as the stream needs.
fn write_all_of(to: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !slices.is_empty() {
        match to.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn malformed(what: impl Into<String>) -> Error {
    Error::Malformed(what.into())
}

fn receive<S: Read>(mut stream: BufReader<S>, method: &str) -> Result<Response<S>, Error> {
    loop {
        let mut text = Vec::new();
        let Head { status, length, chunked } = read_head(&mut stream, &mut text)?;
        if matches!(status, 100 | 102..=199) {
            continue;
        }
        let framing = match (status, method) {
            (101, _) => Framing::UntilEnd,
            (204 | 304, _) | (_, "HEAD") => Framing::Length(0),
            _ if chunked => Framing::Chunks { left: 0, first: true },
            _ => length.map_or(Framing::UntilEnd, Framing::Length),
        };
        return Ok(Response { status, head: text, body: Body { stream, framing } });
    }
}

struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
}

/// Reads to the end of a head and not a byte further.
fn read_head<S: Read>(stream: &mut BufReader<S>, text: &mut Vec<u8>) -> Result<Head, Error> {
    loop {
        let known = text.len();
        let buffer = stream.fill_buf().map_err(Error::Stream)?;
        if buffer.is_empty() {
            return Err(Error::Stream(io::ErrorKind::UnexpectedEof.into()));
        }
        text.extend_from_slice(buffer);
        let read = buffer.len();
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(text) {
            Ok(httparse::Status::Complete(end)) => {
                let head = understand(&response)?;
                stream.consume(end - known);
                text.truncate(end);
                return Ok(head);
            }
            Ok(httparse::Status::Partial) if text.len() > LONGEST_HEAD => {
                return Err(malformed("its head does not end"));
            }
            Ok(httparse::Status::Partial) => stream.consume(read),
            // The start of an alert of TLS, which the peer took our request for.
            Err(_) if text.starts_with(&[21, 3]) => return Err(Error::Tls),
            Err(error) => return Err(malformed(error.to_string())),
        }
    }
}

fn understand(response: &httparse::Response<'_, '_>) -> Result<Head, Error> {
    let status = response.code.ok_or_else(|| malformed("no status"))?;
    let mut head = Head { status, length: None, chunked: false };
    for header in &*response.headers {
        let value = str::from_utf8(header.value).map(str::trim).unwrap_or_default();
        if header.name.eq_ignore_ascii_case("content-length") {
            head.length = Some(value.parse().map_err(|_| malformed(format!("a length of '{value}'")))?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            head.chunked = value.eq_ignore_ascii_case("chunked");
        }
    }
    Ok(head)
}

/// The body of an answer.
#[derive(Debug)]
pub struct Body<S> {
    stream: BufReader<S>,
    framing: Framing,
}

#[derive(Debug, Clone, Copy)]
enum Framing {
    Length(u64),
    /// `left` bytes of the current chunk; the first chunk has no line end before it.
    Chunks {
        left: u64,
        first: bool,
    },
    UntilEnd,
}

impl<S> Body<S> {
    /// The stream that it comes from.
    pub fn stream_mut(&mut self) -> &mut S {
        self.stream.get_mut()
    }

    /// The stream that a proxy has connected: nothing has come by it yet, or it is none.
    pub fn into_stream(self) -> Option<S> {
        self.stream.buffer().is_empty().then(|| self.stream.into_inner())
    }
}

impl<S: Read> Body<S> {
    /// Reads the head of the next chunk, or the end of the last.
    fn next_chunk(&mut self, first: bool) -> io::Result<()> {
        if !first && !self.line()?.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk is longer than it says"));
        }
        let mut line = self.line()?;
        line.extend_from_slice(b"\r\n");
        let Ok(httparse::Status::Complete((_, left))) = httparse::parse_chunk_size(&line) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the length of a chunk is not a number"));
        };
        if left == 0 {
            while !self.line()?.is_empty() {}
            self.framing = Framing::Length(0);
        } else {
            self.framing = Framing::Chunks { left, first: false };
        }
        Ok(())
    }

    /// A short line without its end.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.stream).take(1024).read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }
}

impl<S: Read> Body<S> {
    /// How much is left of it, or of the chunk that is read next.
    fn left(&mut self) -> io::Result<u64> {
        if let Framing::Chunks { left: 0, first } = self.framing {
            self.next_chunk(first)?;
        }
        Ok(match self.framing {
            Framing::Length(left) | Framing::Chunks { left, .. } => left,
            Framing::UntilEnd => u64::MAX,
        })
    }
}

impl<S: Read> BufRead for Body<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = self.left()?;
        if left == 0 {
            return Ok(&[]);
        }
        let buffer = self.stream.fill_buf()?;
        if buffer.is_empty() && left != u64::MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let end = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        Ok(&buffer[..end])
    }

    fn consume(&mut self, amount: usize) {
        self.stream.consume(amount);
        match &mut self.framing {
            Framing::Length(left) | Framing::Chunks { left, .. } => *left -= amount as u64,
            Framing::UntilEnd => {}
        }
    }
}

impl<S: Read> Read for Body<S> {
    /// Into a large buffer without another copy.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left()?;
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = self.stream.read(&mut buffer[..most])?;
        match &mut self.framing {
            Framing::UntilEnd => {}
            Framing::Length(_) | Framing::Chunks { .. } if read == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Framing::Length(left) | Framing::Chunks { left, .. } => *left -= read as u64,
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A peer that answers with the given packets, one per read, and takes `room` bytes before it hangs up.
    #[derive(Debug)]
    struct Peer {
        packets: Vec<Vec<u8>>,
        sent: Vec<u8>,
        room: usize,
        hung_up: usize,
    }

    impl Peer {
        fn new(packets: &[&str]) -> Self {
            let packets = packets.iter().rev().map(|packet| packet.as_bytes().to_vec()).collect();
            Self { packets, sent: Vec::new(), room: usize::MAX, hung_up: 0 }
        }
    }

    impl Read for Peer {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(packet) = self.packets.pop() else {
                return Ok(0);
            };
            let read = Cursor::new(&packet).read(buffer)?;
            if read < packet.len() {
                self.packets.push(packet[read..].to_vec());
            }
            Ok(read)
        }
    }

    impl Write for Peer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.sent.len() + bytes.len() > self.room {
                self.hung_up += 1;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.sent.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn get(packets: &[&str]) -> Result<(u16, String), String> {
        let request = Request::new("GET", "/x");
        let mut response =
            exchange(Peer::new(packets), "docker", request, Payload::Nothing).map_err(|error| format!("{error:?}"))?;
        let mut body = String::new();
        response.body.read_to_string(&mut body).map_err(|error| error.to_string())?;
        Ok((response.status, body))
    }

    #[test]
    fn the_three_ways_to_end_a_body() {
        assert_eq!(get(&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhixx"]), Ok((200, "hi".into())));
        assert_eq!(get(&["HTTP/1.1 200 OK\r\n\r\nhi", "!"]), Ok((200, "hi!".into())));
        let chunks =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n!!!\r\n0\r\nT: x\r\n\r\n";
        assert_eq!(get(&[chunks]), Ok((200, "hi!!!".into())));
        let bytes: Vec<String> = chunks.chars().map(String::from).collect();
        let bytes: Vec<&str> = bytes.iter().map(String::as_str).collect();
        assert_eq!(get(&bytes), Ok((200, "hi!!!".into())), "one byte at a time");
    }

    #[test]
    fn interim_answers_are_skipped_in_one_packet_and_in_two() {
        assert_eq!(get(&["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"]), Ok((204, String::new())));
        assert_eq!(
            get(&["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"]),
            Ok((200, "a".into()))
        );
    }

    #[test]
    fn a_cut_body_is_an_error_and_not_a_short_one() {
        assert!(get(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"]).is_err());
        assert!(get(&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi"]).is_err());
        assert!(get(&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"]).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for nonsense in ["", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 2"] {
            assert!(get(&[nonsense]).is_err(), "{nonsense}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(LONGEST_HEAD));
        assert!(get(&[&endless, &endless]).expect_err("endless").contains("does not end"));
        let of = |headers| format!("HTTP/1.1 204 No Content\r\n{}\r\n", "X: y\r\n".repeat(headers));
        assert!(get(&[&of(MOST_HEADERS)]).is_ok() && get(&[&of(MOST_HEADERS + 1)]).is_err());
        let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        assert!(get(&[chunk]).is_err());
    }

    #[test]
    fn headers_go_along_only_where_they_are_given() {
        let sent = |request| {
            let peer = Peer::new(&["HTTP/1.1 204 No Content\r\n\r\n"]);
            let mut response = exchange(peer, "docker", request, Payload::Nothing).expect("an answer");
            String::from_utf8(response.body.stream_mut().sent.clone()).expect("text")
        };
        let (request, headers) = (Request::new("POST", "/x"), [("X-Registry-Auth", "e30="), ("X", "y")]);
        assert!(!sent(request).contains("X-Registry-Auth"));
        assert!(sent(Request { headers: &headers, ..request }).contains("\r\nX-Registry-Auth: e30=\r\nX: y\r\n"));
    }

    #[test]
    fn a_header_of_an_answer_is_found_whatever_its_case() {
        let peer = Peer::new(&["HTTP/1.1 302 Found\r\nLOCATION:  /a \r\nLocation: /b\r\n\r\nLate: no"]);
        let response = exchange(peer, "h", Request::new("GET", "/"), Payload::Nothing).expect("an answer");
        assert_eq!((response.header("location"), response.header("late")), (Some("/a"), None));
    }

    #[test]
    fn what_a_proxy_has_connected_is_a_stream() {
        let connected = |packets: &[&str]| {
            let request = Request::new("CONNECT", "h:1");
            let response = exchange(Peer::new(packets), "h:1", request, Payload::Nothing).expect("an answer");
            response.body.into_stream().map(|mut peer| io::read_to_string(&mut peer).expect("text"))
        };
        let yes = "HTTP/1.1 200 Yes\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(connected(&[yes, "hi"]).as_deref(), Some("hi"));
        assert_eq!(connected(&[&format!("{yes}hi")]), None);
    }

    #[test]
    fn an_upload_is_pushed_in_chunks() {
        let request = Request::new("PUT", "/x");
        let mut response = exchange(
            Peer::new(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]),
            "docker",
            request,
            Payload::Tar(&mut |to| to.write_all(b"hello")),
        )
        .expect("an answer");
        let sent = String::from_utf8(response.body.stream_mut().sent.clone()).expect("text");
        assert!(sent.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{sent}");
    }

    #[test]
    fn an_early_refusal_is_the_answer() {
        let request = Request::new("PUT", "/x");
        let mut peer = Peer::new(&["HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"]);
        peer.room = 300;
        let mut push = |to: &mut dyn Write| (0..100).try_for_each(|_| to.write_all(&[0; 100]));
        let response = exchange(peer, "docker", request, Payload::Tar(&mut push)).expect("the engine's answer");
        assert_eq!(response.status, 404);
    }

    #[test]
    fn what_tls_says_when_it_hangs_up_is_told() {
        #[derive(Debug)]
        struct Refuses(Peer);
        impl Read for Refuses {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the certificate"))
            }
        }
        impl Write for Refuses {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let peer = Refuses(Peer { room: 10, ..Peer::new(&[]) });
        let refused = exchange(peer, "docker", Request::new("GET", "/x"), Payload::Nothing);
        assert!(matches!(refused, Err(Error::Stream(error)) if error.to_string() == "the certificate"));
    }

    #[test]
    fn tls_that_takes_us_for_a_client_of_its_own_is_known() {
        let exchanged = |packet: &[u8]| {
            let peer = Peer { packets: vec![packet.to_vec()], ..Peer::new(&[]) };
            exchange(peer, "docker", Request::new("GET", "/x"), Payload::Nothing)
        };
        assert!(matches!(exchanged(&[21, 3, 3, 0, 2, 2, 10]), Err(Error::Tls)));
        assert!(matches!(exchanged(&[21, 4, 3, 0, 2, 2, 10]), Err(Error::Malformed(_))));
    }

    #[test]
    fn a_stream_that_has_failed_gets_nothing_more() {
        let request = Request::new("PUT", "/x");
        let mut peer = Peer::new(&["HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\n\r\n"]);
        peer.room = 300;
        let mut push = |to: &mut dyn Write| {
            let mut buffered = io::BufWriter::with_capacity(100, to);
            (0..100).try_for_each(|_| buffered.write_all(&[0; 80]))
        };
        let mut response = exchange(peer, "docker", request, Payload::Tar(&mut push)).expect("the engine's answer");
        assert_eq!(response.body.stream_mut().hung_up, 1);
    }

    #[test]
    fn a_source_that_fails_is_told_from_a_stream_that_fails() {
        let request = Request::new("PUT", "/x");
        let mut push = |_: &mut dyn Write| Err(io::Error::other("unreadable"));
        assert!(matches!(exchange(Peer::new(&[]), "docker", request, Payload::Tar(&mut push)), Err(Error::Source(_))));
    }
}
