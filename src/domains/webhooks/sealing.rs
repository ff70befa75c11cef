//! Seals the secrets of webhooks for the database and opens them: bound to the tenant and the row, so that a
//! sealed secret copied elsewhere does not open.

use serde_json::{Value, json};

use super::error::Error;
use super::settings::{Secrets, SigningSecret};
use crate::common::{Secret, TenantId, Timestamp};
use crate::infrastructure::crypto::SealingKey;

/// Secrets that count at the same time at most: more would make each forged call dearer to refuse.
const MOST_SECRETS: usize = 5;

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sealer(SealingKey);

impl Sealer {
    pub(super) fn new(key: &Secret<[u8; 32]>) -> Sealer {
        Sealer(SealingKey::new(key.clone()))
    }

    /// `row`: what the text belongs to.
    pub(super) fn seal(&self, tenant: TenantId, row: &str, text: &str) -> Result<Vec<u8>, Error> {
        self.0.seal(text.as_bytes(), place(tenant, row).as_bytes()).map_err(|_| Error::Sealed)
    }

    pub(super) fn open(&self, tenant: TenantId, row: &str, sealed: &[u8]) -> Result<Secret<String>, Error> {
        let opened = self.0.open(sealed, place(tenant, row).as_bytes()).map_err(|_| Error::Sealed)?;
        String::from_utf8(opened.expose().clone()).map(Secret::new).map_err(|_| Error::Sealed)
    }
}

fn place(tenant: TenantId, row: &str) -> String {
    format!("{tenant}/{row}")
}

impl Secrets {
    /// As JSON, to be sealed.
    pub(super) fn write(&self) -> Secret<String> {
        let signature = self
            .signature
            .iter()
            .map(|secret| json!({ "value": secret.value.expose(), "until": secret.until.map(Timestamp::as_millis) }));
        let authentication = self.authentication.as_ref().map(Secret::expose);
        Secret::new(json!({ "signature": signature.collect::<Vec<_>>(), "authentication": authentication }).to_string())
    }

    /// Adds the newest secret that signs. Those before count until `until` at the longest; those over are forgotten.
    pub(super) fn add(&mut self, newest: SigningSecret, now: Timestamp, until: Timestamp) {
        self.signature.retain(|kept| kept.until.is_none_or(|until| until > now));
        for kept in &mut self.signature {
            kept.until = Some(kept.until.map_or(until, |before| before.min(until)));
        }
        self.signature.push(newest);
        let surplus = self.signature.len().saturating_sub(MOST_SECRETS);
        self.signature.drain(..surplus);
    }

    pub(super) fn read(text: &Secret<String>) -> Result<Secrets, Error> {
        let value: Value = serde_json::from_str(text.expose()).map_err(|_| Error::Sealed)?;
        let secret = |value: &Value| value.as_str().map(|text| Secret::new(text.to_owned()));
        let signing = |entry: &Value| {
            let until = entry.get("until").and_then(Value::as_i64).map(Timestamp::from_millis);
            Some(SigningSecret { value: secret(entry.get("value")?)?, until })
        };
        Ok(Secrets {
            signature: value
                .get("signature")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(signing)
                .collect(),
            authentication: value.get("authentication").and_then(secret),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_where_it_belongs() {
        let sealer = Sealer::new(&Secret::new([7; 32]));
        let (acme, globex) = (TenantId::new(), TenantId::new());
        let sealed = sealer.seal(acme, "a", "hush").unwrap();
        assert_eq!(sealer.open(acme, "a", &sealed).unwrap().expose(), "hush");
        assert!(!sealed.windows(4).any(|part| part == b"hush"));
        for (tenant, row, bytes) in
            [(globex, "a", &sealed[..]), (acme, "b", &sealed), (acme, "a", &sealed[1..]), (acme, "a", &[])]
        {
            assert!(sealer.open(tenant, row, bytes).is_err());
        }
    }

    #[test]
    fn secrets_come_back_as_they_were() {
        let until = Some(Timestamp::from_millis(5));
        let old = SigningSecret { value: Secret::new("old".to_owned()), until };
        let new = SigningSecret { value: Secret::new("new".to_owned()), until: None };
        let secrets = Secrets { signature: vec![old, new], authentication: Some(Secret::new("p".to_owned())) };
        let read = Secrets::read(&secrets.write()).unwrap();
        let values: Vec<_> = read.signature.iter().map(|one| (one.value.expose().as_str(), one.until)).collect();
        assert_eq!(values, [("old", until), ("new", None)]);
        assert_eq!(read.authentication.unwrap().expose(), "p");
    }
}
