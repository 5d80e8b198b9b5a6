//! How a port answers a GET.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{Error, Place};

/// A longer head is no answer.
const LONGEST_HEAD: usize = 64 << 10;
/// More headers than a head of this length has from anybody.
const MOST_HEADERS: usize = 512;

/// A request over HTTP/1.1, without TLS.
#[derive(Debug, Clone, Copy)]
pub struct Get<'a> {
    /// Who is asked.
    pub place: Place<'a>,
    /// Path and query.
    pub path: &'a str,
    /// More headers, which take the place of ours: `Host`, `User-Agent`.
    pub headers: &'a [(String, String)],
}

impl Get<'_> {
    /// Asks, and takes a status from 200 to 399 for good. Answers with one of 100 to 199 before it are skipped.
    pub fn is_answered_well(self, limit: Duration) -> Result<(), Error> {
        let end = Instant::now() + limit;
        let stream = self.place.connect(end, limit)?;
        let mut bounded = Bounded { stream, end };
        let late = |error: io::Error| match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::TooLong(limit),
            _ => Error::Broken(error),
        };
        // Who hangs up on us may have answered before.
        let sent = bounded.write_all(self.head().as_bytes());
        let status = match (status(&mut bounded), sent) {
            (Err(Failure::Stream(_)), Err(error)) | (Err(Failure::Stream(error)), _) => return Err(late(error)),
            (Err(Failure::Answer(error)), _) => return Err(error),
            (Ok(status), _) => status,
        };
        if (200..400).contains(&status) { Ok(()) } else { Err(Error::Status(status)) }
    }

    fn head(self) -> String {
        let Place { host, port } = self.place;
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let ours = [
            ("Host", format!("{host}:{port}")),
            ("User-Agent", format!("podlike/{}", env!("CARGO_PKG_VERSION"))),
            ("Accept", "*/*".to_owned()),
        ];
        let mut head = format!("GET {} HTTP/1.1\r\n", self.path);
        let mut add = |name: &str, value: &str| {
            write!(head, "{name}: {value}\r\n").expect("a String takes every line");
        };
        for (name, value) in &ours {
            if !self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) {
                add(name, value);
            }
        }
        for (name, value) in self.headers {
            add(name, value);
        }
        add("Connection", "close");
        head + "\r\n"
    }
}

/// A stream whose every step ends in time.
struct Bounded {
    stream: TcpStream,
    end: Instant,
}

impl Bounded {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Failure {
    Stream(io::Error),
    Answer(Error),
}

/// The status of the first answer that is not an interim one.
fn status(from: &mut impl Read) -> Result<u16, Failure> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Err(Failure::Stream(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Stream(error)),
        };
        text.extend_from_slice(&buffer[..read]);
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            match response.parse(&text) {
                Ok(httparse::Status::Complete(end)) => {
                    let code = response.code.ok_or(Failure::Answer(Error::NotHttp))?;
                    if code == 101 || !(100..200).contains(&code) {
                        return Ok(code);
                    }
                    text.drain(..end);
                }
                Ok(httparse::Status::Partial) if text.len() > LONGEST_HEAD => {
                    return Err(Failure::Answer(Error::HugeHead));
                }
                Ok(httparse::Status::Partial) => break,
                Err(httparse::Error::TooManyHeaders) => return Err(Failure::Answer(Error::HugeHead)),
                Err(_) => return Err(Failure::Answer(Error::NotHttp)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn get(path: &str, port: u16) -> Get<'_> {
        Get { place: Place { host: "127.0.0.1", port }, path, headers: &[] }
    }

    /// A server that reads one head, answers so and keeps the connection open until it is asked for the head.
    fn server(answer: &'static [u8]) -> (u16, impl FnOnce() -> String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (done, end) = crossbeam_channel::bounded::<()>(0);
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|read| read > 0) {}
            let _ = stream.write_all(answer);
            let _ = end.recv();
            head
        });
        (port, move || {
            drop(done);
            thread.join().expect("a server")
        })
    }

    fn answered(answer: &'static [u8]) -> Result<(), String> {
        let (port, _server) = server(answer);
        get("/", port).is_answered_well(LONG).map_err(|error| error.to_string())
    }

    #[test]
    fn a_status_from_200_to_399_is_good_whatever_follows() {
        for good in ["200", "204", "301", "399"] {
            let head = format!("HTTP/1.1 {good} x\r\nContent-Length: 1000000\r\n\r\nnot all of it");
            answered(head.leak().as_bytes()).expect(good);
        }
        for bad in ["400", "404", "500", "503"] {
            let head = format!("HTTP/1.1 {bad} x\r\n\r\n");
            assert_eq!(answered(head.leak().as_bytes()), Err(format!("status {bad}, expected 200 to 399")));
        }
        answered(b"HTTP/1.0 200\r\n\r\n").expect("an old one");
    }

    #[test]
    fn interim_answers_are_skipped() {
        answered(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
            .expect("good");
        let bad = answered(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 No\r\n\r\n");
        assert_eq!(bad, Err("status 500, expected 200 to 399".to_owned()));
    }

    #[test]
    fn the_request_says_who_asks_whom_and_what() {
        let (port, head) = server(b"HTTP/1.1 200 OK\r\n\r\n");
        let headers = [("host".to_owned(), "shop".to_owned()), ("X-Check".to_owned(), "1".to_owned())];
        let get = Get { headers: &headers, ..get("/healthz?deep=1", port) };
        get.is_answered_well(LONG).expect("good");
        let version = env!("CARGO_PKG_VERSION");
        let agent = format!("User-Agent: podlike/{version}");
        let lines = ["GET /healthz?deep=1 HTTP/1.1", &agent, "Accept: */*", "host: shop", "X-Check: 1"];
        assert_eq!(head(), lines.join("\r\n") + "\r\nConnection: close\r\n\r\n");
        let place = Place { host: "::1", port: 80 };
        assert!(Get { place, path: "/", headers: &[] }.head().contains("\r\nHost: [::1]:80\r\n"));
    }

    #[test]
    fn what_is_no_answer_is_bounded_in_size_and_in_time() {
        assert_eq!(answered(b"SSH-2.0-OpenSSH\r\n"), Err("what answers does not speak HTTP".to_owned()));
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(LONGEST_HEAD + 8192));
        assert_eq!(answered(endless.leak().as_bytes()), Err("the head of the answer does not end".to_owned()));
        let begun = Instant::now();
        let (port, _server) = server(b"HTTP/1.1 200 OK\r\nX: ");
        let late = get("/", port).is_answered_well(Duration::from_millis(80)).expect_err("it does not go on");
        assert_eq!(late.to_string(), "no answer in 0.08 s");
        assert!(begun.elapsed() < LONG);
    }

    #[test]
    fn who_hangs_up_has_not_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let server = thread::spawn(move || drop(listener.accept()));
        let error = get("/", port).is_answered_well(LONG).expect_err("no answer");
        assert!(matches!(error, Error::Broken(_)), "{error}");
        server.join().expect("a server");
    }
}
