//! TLS of outbound requests: rustls with ring; trusts the system's certificates, and Mozilla's where the system has none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};

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

/// The configuration every verifying client shares. `authorities`: a PEM file of more certificates to trust; may be empty.
pub(in crate::infrastructure) fn client_config(authorities: &Path) -> Result<ClientConfig, TlsError> {
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
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
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
