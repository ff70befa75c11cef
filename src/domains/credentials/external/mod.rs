//! Secrets that stay where they are: a field of a credential may name one (`={{ $secrets.PROVIDER.NAME }}`), and gets it
//! when the credential is used. Expressions of workflows cannot, so that no execution data can hold one.

mod environment;
mod template;
mod vault_kv;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moka::sync::Cache;
use serde_json::Value;

use super::model::Fields;
use crate::common::{Secret, TenantId};
use crate::infrastructure::config;
use crate::infrastructure::http_client::HttpClient;

use environment::Environment;
pub(super) use template::{Piece, Template};
use vault_kv::VaultKv;

/// A secret read once is believed this long.
const LIFE: Duration = Duration::from_secs(30);
const KEPT: u64 = 10_000;

/// A place that holds secrets.
#[async_trait]
pub(super) trait Provider: Send + Sync {
    /// As references name it.
    fn name(&self) -> &'static str;

    /// The secret of this name, as far as the tenant may have it.
    async fn read(&self, tenant: TenantId, name: &str) -> Result<Secret<String>, SecretError>;
}

/// Why a secret is not to be had. Names it, never shows it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SecretError {
    #[error("there is no provider of secrets \"{0}\"; there are: {1}")]
    NoProvider(String, String),
    #[error("the secret {0} does not exist, or the operator does not allow it")]
    Missing(String),
    #[error("the provider of the secret {0} does not answer: {1}")]
    Unreachable(String, String),
}

type Place = (TenantId, String);

/// All providers. Cheap to clone.
#[derive(Clone)]
pub(super) struct ExternalSecrets {
    providers: Arc<[Arc<dyn Provider>]>,
    read: Cache<Place, Secret<String>>,
}

impl ExternalSecrets {
    pub(super) fn new(config: &config::Secrets, http: &HttpClient) -> ExternalSecrets {
        let mut providers: Vec<Arc<dyn Provider>> = vec![Arc::new(Environment::new(&config.env_allow))];
        if !config.vault.url.is_empty() {
            providers.push(Arc::new(VaultKv::new(&config.vault, http.clone())));
        }
        let read = Cache::builder().max_capacity(KEPT).time_to_live(LIFE).build();
        ExternalSecrets { providers: providers.into(), read }
    }

    /// Puts secrets in place of the references to them.
    pub(super) async fn fill(&self, tenant: TenantId, fields: &mut Fields) -> Result<(), SecretError> {
        for value in fields.0.values_mut() {
            let Value::String(text) = value else { continue };
            let Some(template) = Template::of(text) else { continue };
            let mut filled = String::new();
            for piece in template.pieces() {
                match piece {
                    Piece::Text(text) => filled.push_str(text),
                    Piece::Secret { provider, name } => {
                        filled.push_str(self.read(tenant, provider, name).await?.expose());
                    }
                }
            }
            *value = Value::String(filled);
        }
        Ok(())
    }

    async fn read(&self, tenant: TenantId, provider: &str, name: &str) -> Result<Secret<String>, SecretError> {
        let place = (tenant, format!("{provider}.{name}"));
        if let Some(secret) = self.read.get(&place) {
            return Ok(secret);
        }
        let Some(found) = self.providers.iter().find(|known| known.name() == provider) else {
            let known = self.providers.iter().map(|known| known.name()).collect::<Vec<_>>().join(", ");
            return Err(SecretError::NoProvider(provider.to_owned(), known));
        };
        let secret = found.read(tenant, name).await?;
        self.read.insert(place, secret.clone());
        Ok(secret)
    }
}
