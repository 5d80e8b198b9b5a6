//! Web servers of our own on 127.0.0.1: http, https and proxies, each request answered by a function of the test.
//!
//! ```text
//!   Web::http(|request| ok("text")) ─▶ a thread ◀── GET /… ── podlike
//!   Web::https(&identity, …)            │ a thread per connection
//!                                       └─▶ seen(): the heads of all requests
//! ```

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A connection, with TLS or without.
pub(crate) trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// Answers a request, which it gets the head of.
type Answer = dyn Fn(&str, &mut dyn Stream) + Send + Sync;

/// A server. Dropped, it takes no more connections.
pub(crate) struct Web {
    scheme: &'static str,
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
    rude: Arc<AtomicBool>,
}

impl Web {
    /// A server that gives each request this answer.
    pub(crate) fn http(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::streaming(move |head, stream| drop(stream.write_all(&answer(head))))
    }

    /// A server that writes its answers by itself.
    pub(crate) fn streaming(answer: impl Fn(&str, &mut dyn Stream) + Send + Sync + 'static) -> Self {
        Self::start("http", None, Arc::new(answer))
    }

    /// A server with TLS.
    pub(crate) fn https(identity: &Identity, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let answer = move |head: &str, stream: &mut dyn Stream| drop(stream.write_all(&answer(head)));
        Self::start("https", Some(identity.config.clone()), Arc::new(answer))
    }

    /// A proxy that opens a tunnel to `target`, whatever host it is asked for.
    pub(crate) fn tunnel(target: SocketAddr) -> Self {
        let (this, listener) = Self::bound("http");
        let (seen, ended) = (this.seen.clone(), this.ended.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let seen = seen.clone();
                thread::spawn(move || tunnel(stream, target, &seen));
            }
        });
        this
    }

    fn bound(scheme: &'static str) -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        (Self { scheme, address, seen: Arc::default(), ended: Arc::default(), rude: Arc::default() }, listener)
    }

    fn start(scheme: &'static str, tls: Option<Arc<ServerConfig>>, answer: Arc<Answer>) -> Self {
        let (this, listener) = Self::bound(scheme);
        let (seen, ended, rude) = (this.seen.clone(), this.ended.clone(), this.rude.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (seen, rude, tls, answer) = (seen.clone(), rude.clone(), tls.clone(), answer.clone());
                thread::spawn(move || match tls {
                    None => serve(stream, &seen, &*answer),
                    Some(config) => {
                        let session = ServerConnection::new(config).expect("a session");
                        let mut stream = StreamOwned::new(session, stream);
                        serve(&mut stream, &seen, &*answer);
                        if !rude.load(Ordering::SeqCst) {
                            stream.conn.send_close_notify();
                            let _ = stream.conn.complete_io(&mut stream.sock);
                        }
                    }
                });
            }
        });
        this
    }

    /// It ends its connections without TLS's word for that.
    pub(crate) fn without_goodbye(self) -> Self {
        self.rude.store(true, Ordering::SeqCst);
        self
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// An address of it, by the host `127.0.0.1`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// An address of it by the other name that it has.
    pub(crate) fn localhost(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.address.port())
    }

    /// The heads of the requests so far, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// An answer with a length.
pub(crate) fn status(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

/// An answer with status 200.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    status(200, "", body)
}

/// A redirect.
pub(crate) fn to(location: &str) -> Vec<u8> {
    status(302, &format!("Location: {location}\r\n"), "elsewhere")
}

fn serve(mut stream: impl Stream, seen: &Mutex<Vec<String>>, answer: &Answer) {
    if let Some(head) = head(&mut stream) {
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
        answer(&head, &mut stream);
    }
}

/// Reads to the end of a head, and not a byte further.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.extend(byte);
    }
    String::from_utf8(bytes).ok()
}

fn tunnel(mut stream: TcpStream, target: SocketAddr, seen: &Mutex<Vec<String>>) {
    let Some(head) = head(&mut stream) else { return };
    let connects = head.starts_with("CONNECT ");
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    if !connects {
        return drop(stream.write_all(&status(403, "", "only tunnels")));
    }
    let mut server = TcpStream::connect(target).expect("the target listens");
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    let (mut back, mut there) = (stream.try_clone().expect("a copy"), server.try_clone().expect("a copy"));
    let up = thread::spawn(move || drop(std::io::copy(&mut stream, &mut server)));
    let _ = std::io::copy(&mut there, &mut back);
    let _ = back.shutdown(std::net::Shutdown::Both);
    let _ = up.join();
}

/// What a server shows itself with.
pub(crate) struct Identity {
    config: Arc<ServerConfig>,
    /// The certificate to trust, for `SSL_CERT_FILE`: its own, or its authority's.
    pub(crate) pem: String,
}

/// Which certificate.
#[derive(Default, Clone, Copy)]
pub(crate) struct Wish {
    /// For another host than ours.
    pub(crate) foreign: bool,
    /// Of the last century.
    pub(crate) expired: bool,
    /// Self-signed, but an authority's: what `openssl req -x509` makes.
    pub(crate) authority: bool,
}

impl Identity {
    /// Self-signed.
    pub(crate) fn own(wish: Wish) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params(wish).self_signed(&key).expect("a certificate");
        Self { config: config(certificate.der().clone(), &key), pem: certificate.pem() }
    }

    /// Of an authority of its own.
    pub(crate) fn issued(wish: Wish) -> Self {
        let (key, mut authority) = (KeyPair::generate().expect("a key"), CertificateParams::default());
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&key).expect("a certificate");
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().expect("a key");
        let certificate = params(wish).signed_by(&key, &issuer).expect("a certificate");
        Self { config: config(certificate.der().clone(), &key), pem: root.pem() }
    }
}

fn params(wish: Wish) -> CertificateParams {
    let hosts = if wish.foreign { vec!["elsewhere.test"] } else { vec!["127.0.0.1", "localhost", "podlike.test"] };
    let hosts: Vec<String> = hosts.into_iter().map(str::to_owned).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    if wish.expired {
        params.not_before = date_time_ymd(1998, 1, 1);
        params.not_after = date_time_ymd(1999, 12, 31);
    }
    if wish.authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    Arc::new(builder.with_no_client_auth().with_single_cert(vec![certificate], key).expect("a pair"))
}

/// The value of a header in a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}
