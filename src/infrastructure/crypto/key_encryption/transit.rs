//! Keys that never leave a key management service: HashiCorp Vault's transit engine (or one that speaks its API) wraps
//! and unwraps over HTTP. The version of the key stands in what it gives back (`vault:v2:…`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{Error, KeyEncryption, Wrapped};
use crate::common::Secret;
use crate::infrastructure::config;
use crate::infrastructure::crypto::SealingKey;
use crate::infrastructure::http_client::{Body, EgressPolicy, HttpClient, Request};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A key of the transit engine, of type `aes256-gcm96`, which takes associated data.
pub struct VaultTransit {
    config: config::VaultTransit,
    http: HttpClient,
    /// The operator named the address, so it may be a private one.
    policy: Arc<EgressPolicy>,
}

impl VaultTransit {
    pub fn new(config: &config::VaultTransit, http: HttpClient) -> VaultTransit {
        VaultTransit { config: config.clone(), http, policy: Arc::new(EgressPolicy::unrestricted()) }
    }

    fn id(&self, version: &str) -> String {
        format!("{}/{}:{version}", self.config.mount, self.config.key)
    }

    /// Calls the engine; `data` of its answer.
    async fn call(&self, method: &str, path: String, body: Value) -> Result<Value, Error> {
        let url = format!("{}/v1/{}/{path}", self.config.url.trim_end_matches('/'), self.config.mount);
        let mut headers = vec![("X-Vault-Token".to_owned(), self.config.token.expose().clone())];
        if !self.config.namespace.is_empty() {
            headers.push(("X-Vault-Namespace".to_owned(), self.config.namespace.clone()));
        }
        let body = if body.is_null() { Body::None } else { Body::Bytes(body.to_string().into()) };
        let request =
            Request { method: method.to_owned(), url, headers, body, timeout: Some(TIMEOUT), ..Request::default() };
        let answer = self.http.send(&self.policy, request).await;
        let answer = answer.map_err(|error| Error::Service(error.to_string()))?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if !(200..300).contains(&answer.status) {
            let words = body.pointer("/errors/0").and_then(Value::as_str);
            return Err(Error::Service(format!("{} {}", answer.status, words.unwrap_or(answer.reason))));
        }
        Ok(body.get("data").cloned().unwrap_or_default())
    }
}

#[async_trait]
impl KeyEncryption for VaultTransit {
    async fn current(&self) -> Result<String, Error> {
        let key = self.call("GET", format!("keys/{}", self.config.key), Value::Null).await?;
        let version = key.get("latest_version").and_then(Value::as_u64);
        let version = version.ok_or_else(|| Error::Service("its answer names no version of the key".to_owned()))?;
        Ok(self.id(&format!("v{version}")))
    }

    async fn wrap(&self, key: &SealingKey, associated: &[u8]) -> Result<Wrapped, Error> {
        let body = json!({
            "plaintext": BASE64_STANDARD.encode(key.expose()),
            "associated_data": BASE64_STANDARD.encode(associated)
        });
        let data = self.call("POST", format!("encrypt/{}", self.config.key), body).await?;
        let text = data.get("ciphertext").and_then(Value::as_str).unwrap_or_default();
        let version = version_of(text).ok_or_else(|| Error::Service("its answer holds no ciphertext".to_owned()))?;
        Ok(Wrapped { key_id: self.id(version), bytes: text.as_bytes().to_vec() })
    }

    async fn unwrap(&self, wrapped: &Wrapped, associated: &[u8]) -> Result<SealingKey, Error> {
        let text = std::str::from_utf8(&wrapped.bytes).unwrap_or_default();
        if version_of(text).is_none_or(|version| self.id(version) != wrapped.key_id) {
            let at_hand = self.id("*");
            let remedy = "configure the source of keys (encryption.source, encryption.vault) that wrapped it";
            return Err(Error::Missing { needed: wrapped.key_id.clone(), at_hand, remedy });
        }
        let body = json!({ "ciphertext": text, "associated_data": BASE64_STANDARD.encode(associated) });
        let data = self.call("POST", format!("decrypt/{}", self.config.key), body).await?;
        let bits = data
            .get("plaintext")
            .and_then(Value::as_str)
            .and_then(|text| BASE64_STANDARD.decode(text).ok())
            .map(Secret::new);
        let bits = bits.and_then(|bits| <[u8; 32]>::try_from(bits.expose().as_slice()).ok());
        bits.map(|bits| SealingKey::new(Secret::new(bits))).ok_or_else(|| Error::Wrong(wrapped.key_id.clone()))
    }

    async fn rotate(&self) -> Result<String, Error> {
        self.call("POST", format!("keys/{}/rotate", self.config.key), json!({})).await?;
        self.current().await
    }
}

/// `v2` of `vault:v2:…`.
fn version_of(ciphertext: &str) -> Option<&str> {
    let (version, _) = ciphertext.strip_prefix("vault:")?.split_once(':')?;
    version.strip_prefix('v').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())).map(|_| version)
}
