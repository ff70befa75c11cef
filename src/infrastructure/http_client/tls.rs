//! TLS of outbound requests: rustls with ring; trusts the system's certificates, and Mozilla's where the system has none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pkcs8::der::pem::LineEnding;
use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument};
use rustls::client::WantsClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use zeroize::Zeroizing;

use super::request::{Error, ErrorKind, Identity};

/// Outbound TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the certificates in {file} (http_client.ca_certificates) cannot be read")]
    Unreadable { file: PathBuf, source: pem::Error },
    #[error("{0} (http_client.ca_certificates) holds no certificate")]
    Empty(PathBuf),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// Whom verifying clients trust.
pub(super) struct Trust {
    roots: RootCertStore,
    /// The configuration of every client that shows no certificate.
    pub(super) config: ClientConfig,
}

impl Trust {
    /// `authorities`: a PEM file of more certificates to trust; may be empty.
    pub(super) fn new(authorities: &Path) -> Result<Trust, TlsError> {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        let (trusted, _unusable) = roots.add_parsable_certificates(system.certs);
        if trusted == 0 {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if !authorities.as_os_str().is_empty() {
            for certificate in read(authorities)? {
                roots.add(certificate)?;
            }
        }
        let config = trusting(roots.clone())?.with_no_client_auth();
        Ok(Trust { roots, config: speaking_http(config) })
    }

    /// The configuration of a client that shows a certificate.
    pub(super) fn showing(&self, identity: &Identity) -> Result<ClientConfig, Error> {
        let certificates = certificates(&identity.certificate, "certificate")?;
        let key = plain_key(identity)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| unusable("private key"))?;
        let mut roots = self.roots.clone();
        if !identity.authority.trim().is_empty() {
            for certificate in self::certificates(&identity.authority, "authority")? {
                roots.add(certificate).map_err(|_| unusable("authority"))?;
            }
        }
        let config = trusting(roots).and_then(|config| config.with_client_auth_cert(certificates, key));
        config.map(speaking_http).map_err(|_| unusable("private key"))
    }
}

/// The certificate as a client shows it that verifies nobody.
pub(super) fn shown(identity: &Identity) -> Result<reqwest::Identity, Error> {
    let pem = Zeroizing::new(format!("{}\n{}\n", identity.certificate, *plain_key(identity)?));
    reqwest::Identity::from_pem(pem.as_bytes()).map_err(|_| unusable("certificate or its private key"))
}

/// The key in PEM, decrypted where it is encrypted (PKCS #8).
fn plain_key(identity: &Identity) -> Result<Zeroizing<String>, Error> {
    let unusable = || unusable("private key or its passphrase");
    let (label, document) = SecretDocument::from_pem(&identity.key).map_err(|_| unusable())?;
    if label != "ENCRYPTED PRIVATE KEY" {
        return Ok(Zeroizing::new(identity.key.clone()));
    }
    let sealed = EncryptedPrivateKeyInfo::try_from(document.as_bytes()).map_err(|_| unusable())?;
    let opened = sealed.decrypt(&identity.passphrase).map_err(|_| unusable())?;
    opened.to_pem("PRIVATE KEY", LineEnding::LF).map_err(|_| unusable())
}

fn trusting(roots: RootCertStore) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(config.with_safe_default_protocol_versions()?.with_root_certificates(roots))
}

fn speaking_http(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| unusable(what))
}

/// Says which part, never what it holds.
fn unusable(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the {what} of the client certificate cannot be used; it has to be PEM"))
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { file: file.to_owned(), source };
    let certificates = CertificateDer::pem_file_iter(file).map_err(unreadable)?.collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(unreadable)?;
    if certificates.is_empty() { Err(TlsError::Empty(file.to_owned())) } else { Ok(certificates) }
}

/// Clients that do not verify take the process's provider; names it where nobody has.
pub(super) fn name_provider() {
    if CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, with the same.
        drop(ring::default_provider().install_default());
    }
}
