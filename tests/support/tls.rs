//! TLS before an engine: an authority with certificates as tests want them, and a front that speaks TLS and passes on
//! what it gets to the engine's socket.
//!
//! ```text
//!   podlike ──TLS──▶ Front (a thread per connection) ──unix socket──▶ FakeEngine, or a real one
//!                      └─▶ seen(): how each connection began and ended
//!   Authority ─▶ server() ─▶ Front        Authority ─▶ Files: ca.pem, cert.pem, key.pem
//! ```

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SignatureAlgorithm,
    date_time_ymd,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use tempfile::TempDir;

/// An RSA key of 2048 bits, made for these tests: ring makes none.
const RSA: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDDjjpc0C7EyEtl\n\
iduLLPgPfFnyWkepaa5gGEJIj0F1j4XlzAHNtZsLwV/cYe2D9/5cMA7XabFY6Sy/\n\
58T7NMVZH822fCYEsxmfFOgLgi/A0APM0gAs6j2euZbWCPaIlsmvgzF9ZfajyMlA\n\
PKCKczLjn823FU/4nQTQLmA+s86hBtPQJn2svm3hZqFFg27M1aRUow+P2kDa+gQf\n\
ZCKteHQO+yZOcwr1iXj0GDuXDjX29ITnNAVPjNpaE0NLdwRvABRyUn2mMG5BYnPE\n\
lv4El4ZzScVqCASrRwskz3sMfR8A+nR8o0yEkbkrz18aKdxstr5hez9qqUbRAKCi\n\
YymoX7o/AgMBAAECggEAFV3/iNpNxJOhZV1W9JHmeC6yrJ/qWkZMAX+fvR+QsUs2\n\
1VaL+zxKI30uv7z1f6jDuAf06drzFU9uY85BFYpSZpFqip4YZgVkbx+Q1oe+4axO\n\
QKgmJmzhFxbui8FxSphgk4GxZnhofBnkH4A1scWyPEaJlY/JwVT1dy0cuA0xLnfd\n\
tirVSLZTRzLjXffiHZGpUtG8HS8tppp/iZeVaRIC5n3HhXiL7ducX/KAS4h5LLwe\n\
3jddfSCyLNe9ekYvtDZXYRhoMAZUXDQGkjCSevFWlLRk03BfTr7QRwsM78NVXA6p\n\
8TWRTAnM5pcSPY5nAgUODfacls7bT7zHPe10gnAsAQKBgQDry+8WrBO1Ok8ZnFhi\n\
C6ynkGPUAqR3+Ecb6WJy+Po2IqyyifkSylDrlASm0aczcy1kJIx+KoeWWpP3gNku\n\
KxVNiGZy9f2E8pq/TfBOo+EJ4KQ+o0biNbmnFAq8i8VvlxMahhdwBSM7DU5C2/II\n\
500asoR7AqKo3l2Z7m6oWToMAQKBgQDUT6EnFfzkoV2v33COim9OOUXLjjyEf2FE\n\
T81G1rh6z60Zl0xCt45kRELt6Z6WdXSSTuxYaFxuZWxxwGRjMIhzATcBYkBT46pI\n\
5t2GhuHqhUDOPZ9FQG3skHGpbEPKiLOXYttNuevPg5Od9Rwwbqrc11TpvPtVZU1E\n\
wG5HJc7GPwKBgCQ0sSaLD4+hP2oQTqXnYwBrtFhme3iMX+bSRDKhNlI/qsLTWrJe\n\
7GPv23L9+C13Pv4EeqoYv67/g37agv6K0P+RtSFr0hyq38YGIqMAmNpaav3PNmAf\n\
nb0g37EpyQwkZ2OIOWsS7uDvXxf3C8gANB+oT51Pv0gstLShHs6svLQBAoGBAL01\n\
siMJP3XqMXpZoRAHY6bM99yvCFP0yZR9oi3tkj8w8c2KvtX+jBHjm9o3h7QDPT5e\n\
w9cOOsHP9dNyaITVbeVAQesjyrx4evu5c9c+QfwlgVnMJTMsdkqLeCBLcib/qT3T\n\
RiqA9Rzc4CO3m8W1+uQRq4UbfMngG/qXnDAgC6U1AoGASQ+30yOPRMKzmq0cC/ye\n\
a0jztVEUg0X9pBLJON5YRUPuq76fojaW19yDYHKvYbeKeOaN1mAuj18cjWQzWAeq\n\
XKX20MnhyYoZ3p0G8gqT19IBfEQHoTdZJutbCBu09ElEjdIr8+bjjWNEH9VtJTgD\n\
YKH8MHqOuffqMEPmjYxTCJ0=\n\
-----END PRIVATE KEY-----";

/// Which certificate a server gets, if not a good one for 127.0.0.1 and localhost.
#[derive(Clone, Copy)]
pub(crate) enum Flaw {
    /// For `elsewhere.test` and 192.0.2.1.
    Foreign,
    /// Of the last century.
    Expired,
    /// Of the next one.
    Early,
}

/// An authority of its own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        Self::called(&format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// With the name that another one may have, too.
    pub(crate) fn called(name: &str) -> Self {
        let (key, mut params) = (KeyPair::generate().expect("a key"), CertificateParams::default());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("a certificate");
        Self { pem: root.pem(), root: root.der().clone(), issuer: Issuer::new(params, key) }
    }

    fn issue(&self, mut params: CertificateParams, key: &KeyPair, server: bool) -> rcgen::Certificate {
        params.extended_key_usages =
            vec![if server { ExtendedKeyUsagePurpose::ServerAuth } else { ExtendedKeyUsagePurpose::ClientAuth }];
        params.signed_by(key, &self.issuer).expect("a certificate")
    }

    /// A server of 127.0.0.1. `clients`: it wants a certificate of this authority.
    pub(crate) fn server(&self, flaw: Option<Flaw>, clients: Option<&Self>) -> Arc<ServerConfig> {
        self.server_of(flaw, clients, rustls::ALL_VERSIONS)
    }

    /// A server that speaks these versions of TLS.
    pub(crate) fn server_of(
        &self,
        flaw: Option<Flaw>,
        clients: Option<&Self>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let foreign = matches!(flaw, Some(Flaw::Foreign));
        let names = if foreign { ["elsewhere.test", "192.0.2.1"] } else { ["127.0.0.1", "localhost"] };
        let mut params = CertificateParams::new(names.map(str::to_owned)).expect("names");
        if let Some(Flaw::Expired) = flaw {
            (params.not_before, params.not_after) = (date_time_ymd(1998, 1, 1), date_time_ymd(1999, 12, 31));
        }
        if let Some(Flaw::Early) = flaw {
            (params.not_before, params.not_after) = (date_time_ymd(2198, 1, 1), date_time_ymd(2199, 12, 31));
        }
        let key = KeyPair::generate().expect("a key");
        let chain = vec![self.issue(params, &key, true).der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions);
        let builder = builder.expect("versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.root.clone()).expect("a certificate");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.expect("a verifier"))
            }
        };
        Arc::new(builder.with_single_cert(chain, key).expect("a pair"))
    }

    /// A key and a certificate of a client.
    pub(crate) fn client(&self, key: &Key) -> String {
        let pair = key.pair();
        self.issue(CertificateParams::new(["client".to_owned()]).expect("a name"), &pair, false).pem()
    }

    /// A folder with all that a client needs.
    pub(crate) fn files(&self) -> Files {
        let key = Key::generate(&rcgen::PKCS_ECDSA_P256_SHA256);
        let files = Files::empty();
        files.write("ca.pem", &self.pem).write("cert.pem", &self.client(&key)).write("key.pem", &key.pkcs8());
        files
    }
}

/// A client's key.
pub(crate) struct Key(KeyPair);

impl Key {
    pub(crate) fn generate(kind: &'static SignatureAlgorithm) -> Self {
        Self(KeyPair::generate_for(kind).expect("a key"))
    }

    pub(crate) fn rsa() -> Self {
        Self(KeyPair::from_pem(RSA).expect("a key"))
    }

    fn pair(&self) -> KeyPair {
        KeyPair::try_from(self.0.serialize_der()).expect("the same key")
    }

    /// `PRIVATE KEY`
    pub(crate) fn pkcs8(&self) -> String {
        self.0.serialize_pem()
    }

    /// The key inside of that, as `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
    pub(crate) fn inner(&self, label: &str) -> String {
        // SEQUENCE { version, algorithm, OCTET STRING { the key }, … }
        let der = self.0.serialize_der();
        let (sequence, _) = element(&der);
        let (_version, rest) = element(sequence);
        let (_algorithm, rest) = element(rest);
        let (key, _) = element(rest);
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("base64")).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }
}

/// The content of the first element of DER, and what comes after it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match usize::from(der[1]) {
        short @ ..0x80 => (short, 2),
        long => {
            let count = long & 0x7f;
            (der[2..2 + count].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), 2 + count)
        }
    };
    der[start..].split_at(length)
}

/// A folder as `DOCKER_CERT_PATH` names it.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        fs::write(self.0.path().join(name), text).expect("a file");
        self
    }

    pub(crate) fn remove(&self, name: &str) -> &Self {
        fs::remove_file(self.0.path().join(name)).expect("it is there");
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

/// How a connection went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// It went on from an earlier one.
    pub(crate) resumed: bool,
    /// The client showed a certificate.
    pub(crate) certified: bool,
    /// The client took its leave.
    pub(crate) goodbye: bool,
}

#[derive(Default)]
struct Manner {
    ended: AtomicBool,
    rude: AtomicBool,
    stalls: AtomicBool,
    seen: Mutex<Vec<Seen>>,
    stalled: Mutex<Vec<TcpStream>>,
    grown: Condvar,
}

/// Speaks TLS before an engine. Dropped, it takes no more connections.
pub(crate) struct Front {
    address: SocketAddr,
    manner: Arc<Manner>,
}

impl Front {
    pub(crate) fn new(config: &Arc<ServerConfig>, engine: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let manner = Arc::<Manner>::default();
        let (config, engine) = (config.clone(), PathBuf::from(engine));
        let this = Self { address, manner: manner.clone() };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if manner.ended.load(Ordering::SeqCst) {
                    return;
                }
                if manner.stalls.swap(false, Ordering::SeqCst) {
                    manner.stalled.lock().unwrap_or_else(PoisonError::into_inner).push(client);
                    manner.grown.notify_all();
                    continue;
                }
                let (config, engine, manner) = (config.clone(), engine.clone(), manner.clone());
                thread::spawn(move || {
                    let session = ServerConnection::new(config).expect("a session");
                    // Who goes away is its own business.
                    let _ = UnixStream::connect(engine)
                        .and_then(|engine| Relay { client, session, engine, goodbye: false }.run(&manner));
                });
            }
        });
        this
    }

    /// As in `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// From now on it ends connections without a goodbye.
    pub(crate) fn be_rude(&self) -> &Self {
        self.manner.rude.store(true, Ordering::SeqCst);
        self
    }

    /// It takes the next connection and says nothing.
    pub(crate) fn stall(&self) {
        self.manner.stalls.store(true, Ordering::SeqCst);
    }

    /// Until that connection is there.
    pub(crate) fn until_stalled(&self, timeout: Duration) {
        let stalled = self.manner.stalled.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.manner.grown.wait_timeout_while(stalled, timeout, |stalled| stalled.is_empty());
        assert!(!waited.unwrap_or_else(PoisonError::into_inner).0.is_empty(), "nobody came in {timeout:?}");
    }

    /// The connections that have ended.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.manner.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.manner.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection.
struct Relay {
    client: TcpStream,
    session: ServerConnection,
    engine: UnixStream,
    /// The client has taken its leave.
    goodbye: bool,
}

impl Relay {
    fn run(mut self, manner: &Manner) -> io::Result<()> {
        self.session.set_buffer_limit(None);
        let result = self.pass_on();
        if result.is_ok() && !manner.rude.load(Ordering::SeqCst) {
            self.session.send_close_notify();
            let _ = self.send();
        }
        let _ = self.client.shutdown(Shutdown::Write);
        // Its last words.
        self.client.set_read_timeout(Some(Duration::from_secs(30)))?;
        while !self.goodbye && matches!(self.receive(), Ok(1..)) {}
        let seen = Seen {
            resumed: self.session.handshake_kind() == Some(HandshakeKind::Resumed),
            certified: self.session.peer_certificates().is_some(),
            goodbye: self.goodbye,
        };
        manner.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        result
    }

    /// Until one of both has ended.
    fn pass_on(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 16 << 10];
        let mut deaf = false;
        loop {
            self.send()?;
            let (client, engine) = ready(&self.client, &self.engine)?;
            if client {
                let length = self.receive()?;
                while let Ok(length @ 1..) = self.session.reader().read(&mut buffer) {
                    // An engine that does not listen any more may have answered.
                    deaf = deaf || self.engine.write_all(&buffer[..length]).is_err();
                }
                if length == 0 {
                    return self.engine.shutdown(Shutdown::Both);
                }
            }
            if engine {
                match self.engine.read(&mut buffer)? {
                    0 => return Ok(()),
                    length => self.session.writer().write_all(&buffer[..length])?,
                }
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.client)?;
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<usize> {
        let length = self.session.read_tls(&mut self.client)?;
        match self.session.process_new_packets() {
            Ok(state) => self.goodbye |= state.peer_has_closed(),
            Err(error) => {
                let _ = self.send();
                return Err(io::Error::other(error));
            }
        }
        Ok(length)
    }
}

/// Which of both can be read, once one can.
fn ready(client: &TcpStream, engine: &UnixStream) -> io::Result<(bool, bool)> {
    let mut both = [client.as_fd(), engine.as_fd()].map(|one| PollFd::new(one, PollFlags::POLLIN));
    poll(&mut both, PollTimeout::NONE)?;
    let [client, engine] = both.map(|one| one.any().unwrap_or(true));
    Ok((client, engine))
}
