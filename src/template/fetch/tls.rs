//! TLS by rustls, and who is trusted: the roots of the web compiled in, those of the system, and the user's.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use std::{fmt, fs};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter, time,
};

use super::Problem;
use crate::tls::{Verifier, certificates, reason};

/// Where systems have the certificates that they trust: Debian and Alpine, Fedora, SUSE.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/// Who is trusted. Files are read when the first https address is fetched.
#[derive(Debug)]
pub(super) struct Trust {
    /// `SSL_CERT_FILE`
    file: Option<PathBuf>,
    /// `SSL_CERT_DIR`, which may name more than one.
    folders: Vec<PathBuf>,
    known: OnceLock<Known>,
}

/// What the files had.
#[derive(Debug)]
struct Known {
    certificates: Vec<CertificateDer<'static>>,
    /// What the user named and could not be read.
    notes: Vec<String>,
}

impl Trust {
    /// With the files that the environment names beside those of the system.
    pub(super) fn new(env: &BTreeMap<String, String>) -> Self {
        let value = |key| env.get(key).filter(|value| !value.is_empty());
        Self {
            file: value("SSL_CERT_FILE").map(PathBuf::from),
            folders: value("SSL_CERT_DIR")
                .map(|folders| folders.split(':').map(PathBuf::from).collect())
                .unwrap_or_default(),
            known: OnceLock::new(),
        }
    }

    /// The link of ureq's chain that makes a TLS stream of a connection to an https server, until the deadline.
    pub(super) fn connector(&self, insecure: bool, deadline: Instant) -> Result<Tls, Problem> {
        let provider = Arc::new(CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() });
        let verifier: Arc<dyn ServerCertVerifier> = if insecure {
            Arc::new(Unchecked(provider.clone()))
        } else {
            Arc::new(self.verifier(&provider).map_err(|why| Problem::Tls(why.to_string()))?)
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| Problem::Tls(why.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Tls { config: Arc::new(config), deadline })
    }

    /// What is known of the problem that rustls met.
    pub(super) fn problem(&self, error: &rustls::Error, insecure: bool) -> Problem {
        match error {
            rustls::Error::InvalidCertificate(why) => {
                let notes = self.known.get().map(|known| known.notes.clone()).unwrap_or_default();
                Problem::Certificate { why: reason(why), insecure, notes }
            }
            rustls::Error::InvalidMessage(_) => {
                Problem::Tls("the server does not speak it (is it http://?)".to_owned())
            }
            rustls::Error::AlertReceived(alert) => Problem::Tls(format!("the server refused with {alert:?}")),
            rustls::Error::PeerIncompatible(why) => Problem::Tls(format!("nothing in common with the server: {why:?}")),
            other => Problem::Tls(other.to_string()),
        }
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier, rustls::client::VerifierBuilderError> {
        let known = self.known.get_or_init(|| self.read());
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Verifier::new(roots, known.certificates.clone(), provider)
    }

    fn read(&self) -> Known {
        let mut known = Known { certificates: Vec::new(), notes: Vec::new() };
        for path in SYSTEM.map(Path::new).into_iter().filter(|path| path.exists()) {
            known.add(path, "the system");
        }
        if let Some(path) = &self.file {
            known.add(path, "SSL_CERT_FILE");
        }
        for folder in &self.folders {
            match fs::read_dir(folder) {
                Ok(entries) => entries.flatten().for_each(|entry| known.add_if_any(&entry.path())),
                Err(why) => known.notes.push(format!("SSL_CERT_DIR: cannot read {}: {why}", folder.display())),
            }
        }
        known
    }
}

impl Known {
    /// The certificates of a file that is to have some.
    fn add(&mut self, path: &Path, named_by: &str) {
        let before = self.certificates.len();
        match fs::read(path) {
            Ok(bytes) => {
                self.certificates.extend(certificates(&bytes));
                if self.certificates.len() == before {
                    self.notes.push(format!("{named_by}: there is no certificate in {}", path.display()));
                }
            }
            Err(why) => self.notes.push(format!("{named_by}: cannot read {}: {why}", path.display())),
        }
    }

    fn add_if_any(&mut self, path: &Path) {
        if path.is_file() {
            self.certificates.extend(fs::read(path).iter().flat_map(|bytes| certificates(bytes)));
        }
    }
}

/// Loads no keys: nothing is signed by a client without a certificate.
#[derive(Debug)]
struct NoKeys;

impl rustls::crypto::KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: rustls::pki_types::PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn rustls::sign::SigningKey>, rustls::Error> {
        Err(rustls::Error::General("no keys".to_owned()))
    }
}

/// Asks nobody who the server is: `insecure`.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A link of ureq's chain: TLS on top of a connection to an https server.
#[derive(Debug)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    /// `ConnectionDetails` has the time that was left before the links below this one were made.
    deadline: Instant,
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Stream<In>>;

    fn connect(&self, to: &ConnectionDetails<'_>, link: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(link) = link else { return Ok(None) };
        if !to.needs_tls() {
            return Ok(Some(Either::A(link)));
        }
        let host = to.uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|_| ureq::Error::Tls("the host has no name for it"))?;
        let mut session = ClientConnection::new(self.config.clone(), name).map_err(told)?;
        let mut socket = TransportAdapter::new(link, to.current_time.clone());
        let left = self.deadline.saturating_duration_since(Instant::now());
        socket.set_timeout(NextTimeout { after: time::Duration::Exact(left), ..to.timeout });
        session.complete_io(&mut socket).map_err(from_stream)?;
        let buffers = LazyBuffers::new(to.config.input_buffer_size(), to.config.output_buffer_size());
        Ok(Some(Either::B(Stream { buffers, stream: StreamOwned::new(session, socket) })))
    }
}

/// A TLS stream.
pub(super) struct Stream<In: Transport> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter<In>>,
}

impl<In: Transport> fmt::Debug for Stream<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl<In: Transport> Transport for Stream<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount]).map_err(from_stream)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf()).map_err(from_stream)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// An error of rustls, where [`Trust::problem`] finds it.
fn told(error: rustls::Error) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

/// rustls wraps its errors in those of streams.
fn from_stream(error: io::Error) -> ureq::Error {
    match error.downcast::<rustls::Error>() {
        Ok(error) => told(error),
        Err(error) => error.into(),
    }
}
