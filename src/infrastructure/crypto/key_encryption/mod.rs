//! Keys that encrypt keys: data keys are stored only wrapped by one of these. Where they come from (a file, the
//! environment, a key management service) is the operator's choice; which of them wrapped a data key stands beside it.

mod local;
#[cfg(test)]
mod tests;
mod transit;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::{RandomError, SealError, SealingKey};
use crate::infrastructure::config;
use crate::infrastructure::http_client::HttpClient;

pub use local::LocalKeys;
pub use transit::VaultTransit;

/// Name of the key file within the data directory.
const KEY_FILE: &str = "keys/encryption.key";

/// Wraps and unwraps data keys. Ids name versions: a new version is a new id.
#[async_trait]
pub trait KeyEncryption: Send + Sync {
    /// Id of the key that wraps from now on.
    async fn current(&self) -> Result<String, Error>;

    /// Wraps a data key under the current key; it unwraps only with the same associated data.
    async fn wrap(&self, key: &SealingKey, associated: &[u8]) -> Result<Wrapped, Error>;

    /// The data key again, under whichever key it was wrapped.
    async fn unwrap(&self, wrapped: &Wrapped, associated: &[u8]) -> Result<SealingKey, Error>;

    /// Makes a new current key. Older ones still unwrap. Gives the id of the new one.
    async fn rotate(&self) -> Result<String, Error>;
}

/// A data key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// Id of the key that wrapped it.
    pub key_id: String,
    pub bytes: Vec<u8>,
}

/// Why keys cannot be used. The text holds ids and paths, never keys.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the encryption key {needed} is needed and is not among those at hand ({at_hand}); {remedy}")]
    Missing { needed: String, at_hand: String, remedy: &'static str },
    #[error("the encryption key {0} does not open what it should have wrapped")]
    Wrong(String),
    #[error("{0}")]
    Unusable(String),
    #[error("the keys of encryption.source = \"env\" are changed where they come from: put the new one first")]
    Fixed,
    #[error("the key management service failed: {0}")]
    Service(String),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The source the configuration names. `may_create`: nothing was wrapped yet, so that a missing key file may be made;
/// else a new key would only hide that the old one is gone.
pub fn open(
    config: &config::Encryption,
    directory: &Path,
    http: &HttpClient,
    may_create: bool,
) -> Result<Arc<dyn KeyEncryption>, Error> {
    Ok(match config.source {
        config::KeySource::File => Arc::new(LocalKeys::file(directory.join(KEY_FILE), may_create)?),
        config::KeySource::Env => Arc::new(LocalKeys::given(&config.keys)?),
        config::KeySource::Vault => Arc::new(VaultTransit::new(&config.vault, http.clone())),
    })
}
