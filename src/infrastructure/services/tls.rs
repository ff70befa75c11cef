//! TLS to services that begin with it: checked against the system's certificates and the name that was asked for, unless the
//! credential says not to.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failure;
use crate::infrastructure::http_client::client_config;

/// `is_checked`: any certificate will do where it is not.
pub(super) async fn wrap(stream: TcpStream, host: &str, is_checked: bool) -> Result<TlsStream<TcpStream>, Failure> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Failure::new(format!("The host \"{host}\" is no name that a certificate can have")))?;
    let mut config = client_config(Path::new("")).map_err(|error| Failure::new(error.to_string()))?;
    config.alpn_protocols.clear();
    if !is_checked {
        accept_any(&mut config);
    }
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| {
        Failure::new("The TLS connection could not be made")
            .describe(format!("{error}. Is it the right port, and does the server's certificate name this host?"))
    })
}

fn accept_any(config: &mut ClientConfig) {
    config.dangerous().set_certificate_verifier(Arc::new(AnyCertificate(ring::default_provider())));
}

/// Accepts every certificate; that its owner speaks is still proven.
#[derive(Debug)]
struct AnyCertificate(CryptoProvider);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
