//! Seals and opens what credentials hold: each tenant has data keys of its own, stored wrapped; each row is bound to its
//! tenant, its id and the version of the key. Nothing here knows what is sealed.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::error::Error;
use super::repository as rows;
use crate::common::{Clock, Secret, TenantId};
use crate::infrastructure::crypto::SealingKey;
use crate::infrastructure::crypto::key_encryption::{self, KeyEncryption, Wrapped};
use crate::infrastructure::database::{AcrossTenants, Database};

/// Unwrapped keys kept at most, and how long without use.
const KEYS: u64 = 10_000;
const IDLE: Duration = Duration::from_secs(600);

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Vault {
    database: Database,
    clock: Arc<dyn Clock>,
    keys: Arc<dyn KeyEncryption>,
    unwrapped: Cache<(TenantId, i32), SealingKey>,
}

/// The key that seals a tenant's rows at present.
pub(super) struct Sealer {
    tenant: TenantId,
    pub version: i32,
    key: SealingKey,
}

/// What is sealed, and where it belongs.
pub(super) struct Sealed<'a> {
    pub tenant: TenantId,
    /// The row: kind and id.
    pub row: &'a str,
    pub version: i32,
    pub bytes: &'a [u8],
}

impl Sealer {
    /// Seals bytes for a row.
    pub(super) fn seal(&self, row: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.key.seal(plain, &associated(self.tenant, row, self.version))?)
    }
}

impl Vault {
    pub(super) fn new(database: Database, clock: Arc<dyn Clock>, keys: Arc<dyn KeyEncryption>) -> Vault {
        let unwrapped = Cache::builder().max_capacity(KEYS).time_to_idle(IDLE).build();
        Vault { database, clock, keys, unwrapped }
    }

    pub(super) fn keys(&self) -> &dyn KeyEncryption {
        &*self.keys
    }

    /// The newest key of a tenant; its first one is made where there is none. Begin no transaction before: the key may
    /// have to be fetched from a service.
    pub(super) async fn sealer(&self, tenant: TenantId) -> Result<Sealer, Error> {
        let newest = match rows::newest_key(&self.database.read(tenant), tenant).await? {
            Some(row) => row,
            None => self.make_key(tenant, 1).await?,
        };
        let key = self.unwrap(&newest).await?;
        Ok(Sealer { tenant, version: newest.version, key })
    }

    /// A new version of a tenant's key, to be stored.
    pub(super) async fn wrapped_key(&self, tenant: TenantId, version: i32) -> Result<rows::DataKey, Error> {
        let wrapped = self.keys.wrap(&SealingKey::generate()?, &key_binding(tenant, version)).await?;
        let created_at = self.clock.now();
        Ok(rows::DataKey { tenant_id: tenant, version, key_id: wrapped.key_id, wrapped: wrapped.bytes, created_at })
    }

    /// Makes a version of a tenant's key; where somebody was faster, theirs holds.
    async fn make_key(&self, tenant: TenantId, version: i32) -> Result<rows::DataKey, Error> {
        let row = self.wrapped_key(tenant, version).await?;
        rows::insert_key(&self.database.write(tenant), row).await?;
        rows::key(&self.database.write(tenant), tenant, version).await?.ok_or(Error::Damaged)
    }

    /// Opens what was sealed for this row of this tenant.
    pub(super) async fn open(&self, sealed: &Sealed<'_>) -> Result<Secret<Vec<u8>>, Error> {
        let key = match self.unwrapped.get(&(sealed.tenant, sealed.version)) {
            Some(key) => key,
            None => {
                let row = rows::key(&self.database.read(sealed.tenant), sealed.tenant, sealed.version)
                    .await?
                    .ok_or(Error::Damaged)?;
                self.unwrap(&row).await?
            }
        };
        Ok(key.open(sealed.bytes, &associated(sealed.tenant, sealed.row, sealed.version))?)
    }

    async fn unwrap(&self, row: &rows::DataKey) -> Result<SealingKey, Error> {
        let place = (row.tenant_id, row.version);
        if let Some(key) = self.unwrapped.get(&place) {
            return Ok(key);
        }
        let wrapped = Wrapped { key_id: row.key_id.clone(), bytes: row.wrapped.clone() };
        let key = self.keys.unwrap(&wrapped, &key_binding(row.tenant_id, row.version)).await?;
        self.unwrapped.insert(place, key.clone());
        Ok(key)
    }

    /// Wraps a stored key again, under the current key. `false`: somebody else did meanwhile.
    pub(super) async fn wrap_again(&self, row: &rows::DataKey) -> Result<bool, Error> {
        let key = self.unwrap(row).await?;
        let wrapped = self.keys.wrap(&key, &key_binding(row.tenant_id, row.version)).await?;
        Ok(rows::replace_wrapped(&self.database.write(row.tenant_id), row, wrapped.key_id, wrapped.bytes).await?)
    }

    /// Can every key that wrapped a data key still unwrap it? Run at start: better no server than one that finds out when
    /// a workflow needs a credential.
    pub(super) async fn check(&self) -> Result<(), Error> {
        for row in rows::one_key_of_each_wrapping(&self.database.read(AcrossTenants)).await? {
            self.unwrap(&row).await?;
        }
        Ok(())
    }
}

/// Was anything ever wrapped in this database?
pub(super) async fn is_in_use(database: &Database) -> Result<bool, Error> {
    Ok(!rows::one_key_of_each_wrapping(&database.read(AcrossTenants)).await?.is_empty())
}

/// What a sealed row is bound to.
fn associated(tenant: TenantId, row: &str, version: i32) -> Vec<u8> {
    format!("millrace/1|{tenant}|{row}|{version}").into_bytes()
}

fn key_binding(tenant: TenantId, version: i32) -> Vec<u8> {
    associated(tenant, "data-key", version)
}

/// Why the keys of the configuration do not fit the database.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the encryption keys do not fit the database")]
    Keys(#[from] key_encryption::Error),
    #[error("the encryption keys cannot be checked")]
    Check(#[source] Error),
}

impl From<Error> for StartError {
    fn from(error: Error) -> StartError {
        match error {
            Error::Keys(error) => StartError::Keys(error),
            other => StartError::Check(other),
        }
    }
}
