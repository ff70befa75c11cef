//! Secrets of HashiCorp Vault's key-value engine, version 2 (or of a service that speaks its API), each tenant below a
//! path of its own: `$secrets.vault.billing.key` is the field `key` of `MOUNT/PATH OF THE TENANT/billing`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::{Provider, SecretError};
use crate::common::{Secret, TenantId};
use crate::infrastructure::config;
use crate::infrastructure::http_client::{EgressPolicy, HttpClient, Request};

const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct VaultKv {
    config: config::VaultSecrets,
    http: HttpClient,
    /// The operator named the address, so it may be a private one.
    policy: Arc<EgressPolicy>,
}

impl VaultKv {
    pub(super) fn new(config: &config::VaultSecrets, http: HttpClient) -> VaultKv {
        VaultKv { config: config.clone(), http, policy: Arc::new(EgressPolicy::unrestricted()) }
    }
}

#[async_trait]
impl Provider for VaultKv {
    fn name(&self) -> &'static str {
        "vault"
    }

    async fn read(&self, tenant: TenantId, name: &str) -> Result<Secret<String>, SecretError> {
        let reference = || format!("$secrets.vault.{name}");
        let Some((path, field)) = name.rsplit_once('.') else { return Err(SecretError::Missing(reference())) };
        let config = &self.config;
        let own = config.path.replace("{tenant}", &tenant.to_string());
        let path = format!("{}/{}", own.trim_matches('/'), path.replace('.', "/"));
        let url =
            format!("{}/v1/{}/data/{}", config.url.trim_end_matches('/'), config.mount, path.trim_start_matches('/'));
        let mut headers = vec![("X-Vault-Token".to_owned(), config.token.expose().clone())];
        if !config.namespace.is_empty() {
            headers.push(("X-Vault-Namespace".to_owned(), config.namespace.clone()));
        }
        let request = Request { url, headers, timeout: Some(TIMEOUT), ..Request::default() };
        let answer = self.http.send(&self.policy, request).await;
        let answer = answer.map_err(|error| SecretError::Unreachable(reference(), error.message))?;
        match answer.status {
            200 => {}
            404 => return Err(SecretError::Missing(reference())),
            status => return Err(SecretError::Unreachable(reference(), format!("{status} {}", answer.reason))),
        }
        let body: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| SecretError::Unreachable(reference(), "its answer is not JSON".to_owned()))?;
        match body.pointer("/data/data").and_then(|data| data.get(field)) {
            Some(Value::String(text)) => Ok(Secret::new(text.clone())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Secret::new(value.to_string())),
            _ => Err(SecretError::Missing(reference())),
        }
    }
}
