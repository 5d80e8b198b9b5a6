//! Who is trusted in TLS, and what is wrong with a certificate, in words.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// The certificates of a PEM file; what is none is passed over.
pub fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).flatten().collect()
}

/// Trusts chains that end in a root, and the very certificates that a file names.
#[derive(Debug)]
pub struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// With more roots than these: the certificates that a file names.
    pub fn new(
        mut roots: RootCertStore,
        named: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        roots.add_parsable_certificates(named.iter().cloned());
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
        Ok(Self { chains, named })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.chains.verify_server_cert(server, intermediates, name, ocsp, now) {
            // A self-signed certificate that calls itself an authority, as `openssl req -x509` makes them. webpki has
            // looked at its dates before it says so.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(why)))
                if is_authority_itself(&why) && self.named.contains(server) =>
            {
                verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, server, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, server, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

fn is_authority_itself(why: &rustls::OtherError) -> bool {
    matches!(why.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// What is wrong with a server's certificate.
pub fn reason(why: &CertificateError) -> String {
    match why {
        // A signature is bad where another authority has the name of a known one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is from an unknown authority".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet (or the clock is wrong)".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<String> = presented.iter().map(|name| plain(name)).collect();
            match names.as_slice() {
                [] => "its certificate is for no host (it has no subjectAltName)".to_owned(),
                names => format!("its certificate is for another host: {}", names.join(", ")),
            }
        }
        CertificateError::NotValidForName => "its certificate is for another host".to_owned(),
        CertificateError::Other(why) if is_authority_itself(why) => {
            "its certificate is that of an unknown authority itself".to_owned()
        }
        other => format!("its certificate is not valid: {other:?}"),
    }
}

/// A name of a certificate: `DnsName("x")` and `IpAddress(x)` as rustls has them are `x`.
fn plain(name: &str) -> String {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inside.trim_matches('"').chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_a_certificate_has_them() {
        for (name, expected) in [
            ("DnsName(\"*.engine.test\")", "*.engine.test"),
            ("IpAddress(10.0.0.1)", "10.0.0.1"),
            ("DnsName(\"a\u{1b}[2J\")", "a\u{fffd}[2J"),
            ("DirectoryName", "DirectoryName"),
        ] {
            assert_eq!(plain(name), expected);
        }
    }
}
