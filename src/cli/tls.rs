//! TLS of the server: rustls with the certificate and key that `server.tls` names.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Error;
use crate::infrastructure::config;

/// None where the server speaks plain HTTP.
pub(super) fn server_config(tls: &config::Tls) -> Result<Option<ServerConfig>, Error> {
    if !tls.is_configured() {
        return Ok(None);
    }
    let unusable = |path: &Path, cause: &dyn std::fmt::Display| {
        Error::Input(format!("server.tls: {} cannot be used: {cause}", path.display()))
    };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(&tls.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| unusable(&tls.key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&tls.certificate, &error))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| unusable(&tls.certificate, &error))?;
    Ok(Some(config))
}
