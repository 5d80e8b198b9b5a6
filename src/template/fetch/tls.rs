//! Who is trusted: the roots of the web compiled in, those of the system, and the user's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::Problem;
use crate::http::crypto::provider;
use crate::http::trust::{Verifier, certificates, reason};
use crate::http::{Peer, config};

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

    /// What is expected of the server of that host.
    pub(super) fn peer(&self, host: &str, insecure: bool) -> Result<Arc<dyn Peer>, Problem> {
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| Problem::Connection(no_tls("its host is no name that a certificate can have")))?;
        let provider = Arc::new(provider());
        let verifier: Arc<dyn ServerCertVerifier> =
            if insecure { Arc::new(Unchecked(provider.clone())) } else { Arc::new(self.verifier(&provider)) };
        let notes = self.known.get().map(|known| known.notes.clone()).unwrap_or_default();
        Ok(Arc::new(Server { config: config(provider, verifier, None), name, insecure, notes }))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Verifier {
        let known = self.known.get_or_init(|| self.read());
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Verifier::new(roots, known.certificates.clone(), provider).expect("the web has roots")
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

/// A server with TLS.
#[derive(Debug)]
struct Server {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    insecure: bool,
    /// Of files with certificates that were not read.
    notes: Vec<String>,
}

impl Peer for Server {
    fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }

    fn name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    /// Many do. What says its length is not cut unseen.
    fn may_just_hang_up(&self) -> bool {
        true
    }

    fn words(&self, error: &rustls::Error) -> String {
        match error {
            rustls::Error::InvalidCertificate(why) => {
                let notes: String = self.notes.iter().flat_map(|note| [note, "; "]).collect();
                let insecure = if self.insecure { "" } else { ", or say insecure: true" };
                let hint = "name a file with the certificate of its authority in SSL_CERT_FILE";
                format!("{} ({notes}{hint}{insecure})", reason(why))
            }
            rustls::Error::InvalidMessage(_) => no_tls("the server does not speak it (is it http://?)"),
            rustls::Error::AlertReceived(alert) => no_tls(&format!("the server refused with {alert:?}")),
            rustls::Error::PeerIncompatible(why) => no_tls(&format!("nothing in common with the server: {why:?}")),
            other => no_tls(&other.to_string()),
        }
    }
}

fn no_tls(why: &str) -> String {
    format!("no TLS connection: {why}")
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
