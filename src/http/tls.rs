//! TLS over a connection that keeps to its limit.
//!
//! ```text
//! who it has to be, who we are ─▶ Peer, once ─▶ Session, one per connection
//!
//! HTTP ◀─ bytes ─▶ Session ◀─ records ─▶ Socket below: TCP, or TLS again (to a server behind a proxy with TLS)
//! ```
//!
//! What TLS has against a connection is an [`io::Error`] of the kind [`io::ErrorKind::InvalidData`], in words of the [`Peer`].

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::{Socket, hangs_up};

/// The other end of a session, and what is expected of it.
pub trait Peer: Debug + Send + Sync {
    /// Who is trusted, and who we are.
    fn config(&self) -> Arc<ClientConfig>;
    /// The name that its certificate has to have.
    fn name(&self) -> ServerName<'static>;
    /// What TLS has against it, or it against us. An end in the handshake is [`rustls::Error::HandshakeNotComplete`].
    fn words(&self, error: &rustls::Error) -> String;
    /// Whether it may end a stream without the goodbye of TLS, as anybody can who is able to cut the connection.
    fn may_just_hang_up(&self) -> bool;
}

/// With a certificate of ours, or without.
pub(crate) fn config(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    own: Option<Arc<dyn ResolvesClientCert>>,
) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for both versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Arc::new(match own {
        Some(own) => config.with_client_cert_resolver(own),
        None => config.with_no_client_auth(),
    })
}

/// A connection with TLS. It is taken leave of when it is dropped.
#[derive(Debug)]
pub struct Session {
    tls: ClientConnection,
    pub(super) below: Socket,
    peer: Arc<dyn Peer>,
}

impl Session {
    /// Nothing is sent yet.
    pub(super) fn new(peer: Arc<dyn Peer>, below: Socket) -> io::Result<Self> {
        let tls = ClientConnection::new(peer.config(), peer.name()).map_err(io::Error::other)?;
        Ok(Self { tls, below, peer })
    }

    /// Makes sure who the peer is. What it thinks of our certificate it may say only with its first answer (TLS 1.3).
    pub(super) fn shake_hands(&mut self) -> io::Result<()> {
        let peer = self.peer.clone();
        let hung_up = || io::Error::new(io::ErrorKind::UnexpectedEof, peer.words(&rustls::Error::HandshakeNotComplete));
        loop {
            match self.send() {
                Ok(()) if !self.tls.is_handshaking() => return Ok(()),
                // It has hung up: what it said before that comes now.
                Err(error) if !hangs_up(&error) => return Err(error),
                _ => {}
            }
            match self.receive() {
                Ok(0) => return Err(hung_up()),
                Err(error) if hangs_up(&error) => return Err(hung_up()),
                received => drop(received?),
            }
        }
    }

    /// Sends what rustls has to send.
    fn send(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.below)?;
        }
        Ok(())
    }

    /// Waits for something from the peer; 0 is its end.
    fn receive(&mut self) -> io::Result<usize> {
        let received = self.tls.read_tls(&mut self.below)?;
        if let Err(error) = self.tls.process_new_packets() {
            // The peer is told, too, if it still listens.
            let _ = self.send();
            return Err(io::Error::new(io::ErrorKind::InvalidData, self.peer.words(&error)));
        }
        Ok(received)
    }
}

impl Read for Session {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Anybody can cut a connection; only the peer can say that it has said all.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.peer.may_just_hang_up() => {
                    return Ok(0);
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::new(error.kind(), "it ended without the goodbye of TLS, maybe too early"));
                }
                result => return result,
            }
            // Who has hung up on what we send may have answered before.
            match self.send() {
                Err(error) if !hangs_up(&error) => return Err(error),
                _ => drop(self.receive()?),
            }
        }
    }
}

impl Write for Session {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send()?;
        let written = self.tls.writer().write(bytes)?;
        self.send()?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tls.send_close_notify();
        // A peer that does not read any more is not waited for.
        if self.below.set_nonblocking().is_ok() {
            let _ = self.send();
        }
    }
}
