//! Who an engine with TLS has to be, and who we are: `ca.pem`, `cert.pem` and `key.pem` ─▶ [`Client`], once per engine.
//!
//! Engines are trusted whose certificate is of an authority in `ca.pem`, and no others.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs};

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, CertificateError, ClientConfig, InconsistentKeys, RootCertStore};

use super::Error;
use crate::http::crypto::provider;
use crate::http::trust::{Verifier, certificates, reason};
use crate::http::{Peer, config};

/// What it takes to speak TLS with one engine: who it has to be, and who we are.
pub(super) struct Client {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    files: Files,
    /// We have a certificate of ours.
    certified: bool,
}

impl fmt::Debug for Client {
    /// Without our key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("name", &self.name).field("files", &self.files).finish_non_exhaustive()
    }
}

impl Client {
    /// For the engine at `HOST:PORT`, with the files of a folder. As Docker does, it goes without a certificate of ours
    /// where there is neither `cert.pem` nor `key.pem`.
    pub(super) fn read(authority: &str, folder: &Path) -> Result<Self, Error> {
        let files = Files::in_folder(folder);
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::Address {
            address: format!("tcp://{authority}"),
            reason: "its host is no name that a certificate can have",
        })?;
        let provider = Arc::new(provider());
        let verifier = Arc::new(files.verifier(&provider)?);
        let own = files.own(&provider)?;
        let certified = own.is_some();
        Ok(Self { config: config(provider, verifier, own), name, files, certified })
    }
}

impl Peer for Client {
    fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }

    fn name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    fn may_just_hang_up(&self) -> bool {
        false
    }

    fn words(&self, error: &rustls::Error) -> String {
        let Files { ca, certificate, key } = &self.files;
        match error {
            rustls::Error::InvalidCertificate(why) => match why {
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    format!("{} (DOCKER_HOST has to name one that it is for)", reason(why))
                }
                CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_) => {
                    format!("{} (known are those of {})", reason(why), ca.display())
                }
                _ => reason(why),
            },
            rustls::Error::AlertReceived(alert) if is_about_us(*alert) && self.certified => {
                format!("it does not accept our certificate, {}: {alert:?}", certificate.display())
            }
            rustls::Error::AlertReceived(alert) if is_about_us(*alert) => format!(
                "it wants a certificate, and there is neither {} nor {}: {alert:?}",
                certificate.display(),
                key.display()
            ),
            rustls::Error::AlertReceived(alert) => format!("it refused with {alert:?}"),
            rustls::Error::InvalidMessage(_) => NOT_TLS.to_owned(),
            rustls::Error::HandshakeNotComplete => format!("it hung up: {NOT_TLS}"),
            rustls::Error::PeerIncompatible(why) => format!("it has nothing in common with us: {why:?}"),
            other => other.to_string(),
        }
    }
}

const NOT_TLS: &str = "it does not speak TLS (unset DOCKER_TLS_VERIFY for an engine without it)";

/// Whether the engine means our certificate, or that we have none; some say only that the handshake failed.
fn is_about_us(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::HandshakeFailure
    )
}

/// The files as Docker names them.
#[derive(Debug)]
struct Files {
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn in_folder(folder: &Path) -> Self {
        Self { ca: folder.join("ca.pem"), certificate: folder.join("cert.pem"), key: folder.join("key.pem") }
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
        let authorities = certificates_in(&self.ca, &read(&self.ca)?)?;
        Verifier::new(RootCertStore::empty(), authorities, provider)
            .map_err(|_| unusable(&self.ca, "none of its certificates can be read"))
    }

    fn own(&self, provider: &CryptoProvider) -> Result<Option<Arc<dyn ResolvesClientCert>>, Error> {
        if is_missing(&self.certificate) && is_missing(&self.key) {
            return Ok(None);
        }
        let chain = certificates_in(&self.certificate, &read(&self.certificate)?)?;
        let key = key_in(&read(&self.key)?).map_err(|why| unusable(&self.key, why))?;
        let key = provider.key_provider.load_private_key(key).map_err(|_| unusable(&self.key, KINDS))?;
        let own = CertifiedKey::new(chain, key);
        match own.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok(Some(Arc::new(SingleCertAndKey::from(own))))
            }
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err(unusable(&self.key, format!("it is not the key of {}", self.certificate.display())))
            }
            Err(_) => Err(unusable(&self.certificate, "its first certificate cannot be read")),
        }
    }
}

const KINDS: &str = "its key cannot be used (expected RSA from 2048 bits on, ECDSA P-256 or P-384, or Ed25519)";

fn is_missing(path: &Path) -> bool {
    matches!(fs::metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|why| unusable(path, why.to_string()))
}

fn certificates_in(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found = certificates(pem);
    if found.is_empty() {
        return Err(unusable(path, "it has no certificate (expected PEM: -----BEGIN CERTIFICATE-----)"));
    }
    Ok(found)
}

/// The first private key in PEM: PKCS#8, PKCS#1 or SEC 1. What is wrong is said without a word of the file.
fn key_in(pem: &[u8]) -> Result<PrivateKeyDer<'static>, &'static str> {
    // `ENCRYPTED PRIVATE KEY`, and the `Proc-Type: 4,ENCRYPTED` of older ones.
    if pem.windows(9).any(|window| window == b"ENCRYPTED") {
        return Err("its key is encrypted, and nobody is there to be asked for the password (store it without one)");
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| "it has no private key (expected PEM: -----BEGIN PRIVATE KEY-----)")
}

fn unusable(path: &Path, why: impl Into<String>) -> Error {
    Error::Certificates { path: path.to_owned(), why: why.into() }
}
