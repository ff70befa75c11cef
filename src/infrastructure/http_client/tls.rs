//! TLS of outbound requests: rustls with ring; trusts the system's certificates, and Mozilla's where the system has none.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};

/// The configuration every verifying client shares.
pub(super) fn client_config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (trusted, _unusable) = roots.add_parsable_certificates(system.certs);
    if trusted == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Clients that do not verify take the process's provider; names it where nobody has.
pub(super) fn name_provider() {
    if CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, with the same.
        drop(ring::default_provider().install_default());
    }
}
