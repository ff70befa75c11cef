//! Rotation of keys while everything goes on: a tenant's data key gets a new version and what older ones sealed is sealed
//! anew; data keys that an older key of the operator wraps are wrapped anew. Nothing is ever without a key that opens it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::dto::{EncryptionResponse, KeyVersion, WrappingResponse};
use super::error::Error;
use super::repository as rows;
use super::service::Service;
use crate::common::error::chain;
use crate::common::{Coded, Ctx, TenantId};
use crate::domains::audit::Change;
use crate::infrastructure::database::AcrossTenants;

/// Rows dealt with between two looks at the database.
const BATCH: u64 = 100;
/// How often keys are looked after.
const UPKEEP: Duration = Duration::from_secs(60);
/// An old version stays this long: somebody may be about to store what it sealed.
const GRACE: Duration = Duration::from_secs(3600);

impl Service {
    /// The tenant's keys, and how much of what older ones sealed is sealed anew.
    pub async fn encryption(&self, ctx: &Ctx) -> Result<EncryptionResponse, Error> {
        let connection = &self.database.read(ctx);
        let keys = rows::keys(connection, ctx.tenant).await?;
        let counts = rows::sealed_by_version(connection, ctx.tenant).await?;
        let sealed = |version: i32| {
            let count = counts.iter().find(|(sealed, _)| *sealed == version).map_or(0, |(_, count)| *count);
            u64::try_from(count).unwrap_or_default()
        };
        let versions: Vec<KeyVersion> = keys
            .into_iter()
            .map(|key| KeyVersion {
                version: key.version,
                key_id: key.key_id,
                credentials: sealed(key.version),
                created_at: key.created_at,
            })
            .collect();
        let total = versions.iter().map(|version| version.credentials).sum();
        let resealed = versions.first().map_or(0, |newest| newest.credentials);
        Ok(EncryptionResponse { key_id: self.vault.keys().current().await?, versions, total, resealed })
    }

    /// Makes a new version of the tenant's data key and begins to seal everything anew.
    pub async fn rotate(&self, ctx: &Ctx) -> Result<EncryptionResponse, Error> {
        let newest = rows::newest_key(&self.database.read(ctx), ctx.tenant).await?;
        let version = newest.map_or(0, |key| key.version).saturating_add(1);
        let key = self.vault.wrapped_key(ctx.tenant, version).await?;
        let transaction = self.database.begin(ctx).await?;
        rows::insert_key(&transaction, key).await?;
        self.audit.record(&transaction, ctx, Change::new("encryption.rotate", version)).await?;
        transaction.commit().await?;
        let (service, tenant) = (self.clone(), ctx.tenant);
        tokio::spawn(async move {
            if let Err(error) = service.seal_anew(tenant).await {
                tracing::warn!(%tenant, error = chain(&error), "sealing anew stopped; it goes on within a minute");
            }
        });
        self.encryption(ctx).await
    }

    /// Id of the operator's key that wraps from now on.
    pub async fn wrapping_key(&self) -> Result<String, Error> {
        Ok(self.vault.keys().current().await?)
    }

    /// The operator's key, and how many data keys it wraps.
    pub async fn wrapping(&self) -> Result<WrappingResponse, Error> {
        let key_id = self.wrapping_key().await?;
        let (data_keys, wrapped) = rows::wrapped_by(&self.database.read(AcrossTenants), &key_id).await?;
        Ok(WrappingResponse { key_id, data_keys, wrapped })
    }

    /// Rotates the operator's key on behalf of an administrator of the platform; recorded in their own tenant's log, before
    /// it is begun and when it is over: a key that nobody knows who made is never made.
    pub async fn admin_rotate(&self, ctx: &Ctx) -> Result<WrappingResponse, Error> {
        let old = self.wrapping_key().await?;
        self.audit.note(ctx, Change::new("encryption.rotateWrapping", &old)).await?;
        let rotated = async {
            let id = self.rotate_wrapping_key().await?;
            Ok::<_, Error>((id, self.wrapping().await?))
        };
        match rotated.await {
            Ok((id, response)) => {
                self.audit.note(ctx, Change::new("encryption.wrappingRotated", id).after(&response)).await?;
                Ok(response)
            }
            Err(error) => {
                let after = serde_json::json!({ "code": error.code().code });
                self.audit.note(ctx, Change::new("encryption.wrappingNotRotated", old).after(&after)).await?;
                Err(error)
            }
        }
    }

    /// Makes a new key of the operator's and wraps every data key with it. Gives its id.
    pub async fn rotate_wrapping_key(&self) -> Result<String, Error> {
        let id = self.vault.keys().rotate().await?;
        self.wrap_anew().await?;
        Ok(id)
    }

    /// Looks after keys, and connect sessions that were left, until the shutdown. Any number of processes may do it at once.
    pub async fn upkeep(self, shutdown: CancellationToken) {
        loop {
            if let Err(error) = self.look_after_keys().await {
                tracing::warn!(error = chain(&error), "keys could not be looked after");
            }
            if let Err(error) = self.give_up_sessions().await {
                tracing::warn!(error = chain(&error), "connect sessions that were left could not be ended");
            }
            if shutdown.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_none() {
                return;
            }
        }
    }

    /// Wraps anew, seals anew, and removes what nothing needs any more.
    pub async fn look_after_keys(&self) -> Result<(), Error> {
        self.wrap_anew().await?;
        for tenant in rows::tenants_with_several_keys(&self.database.read(AcrossTenants)).await? {
            self.seal_anew(tenant).await?;
            self.remove_old_keys(tenant).await?;
        }
        Ok(())
    }

    /// Wraps every data key that another key than the current one wraps.
    async fn wrap_anew(&self) -> Result<(), Error> {
        let current = self.vault.keys().current().await?;
        loop {
            let found = rows::wrapped_otherwise(&self.database.read(AcrossTenants), &current, BATCH).await?;
            if found.is_empty() {
                return Ok(());
            }
            let mut wrapped = false;
            for row in &found {
                wrapped |= self.vault.wrap_again(row).await?;
            }
            if !wrapped {
                // Somebody else is at it.
                return Ok(());
            }
        }
    }

    /// Seals with the newest key what older ones sealed.
    async fn seal_anew(&self, tenant: TenantId) -> Result<(), Error> {
        let sealer = self.vault.sealer(tenant).await?;
        loop {
            let found = rows::sealed_before(&self.database.read(tenant), tenant, sealer.version, BATCH).await?;
            let mut sealed = false;
            for mut row in found {
                match self.fields(&row).await {
                    Ok(fields) => self.seal_with(&sealer, &mut row, &fields)?,
                    // What does not open stays as it is: the key that might open it must stay, too.
                    Err(Error::Damaged) => continue,
                    Err(error) => return Err(error),
                }
                sealed |= rows::reseal(&self.database.write(tenant), &row).await?;
            }
            if !sealed {
                return Ok(());
            }
        }
    }

    async fn remove_old_keys(&self, tenant: TenantId) -> Result<(), Error> {
        let connection = &self.database.read(tenant);
        let Some(newest) = rows::newest_key(connection, tenant).await? else { return Ok(()) };
        let sealed = rows::sealed_by_version(connection, tenant).await?;
        let oldest_needed = sealed.iter().map(|(version, _)| *version).min().unwrap_or(newest.version);
        if self.clock.now().since(newest.created_at) > GRACE {
            let below = oldest_needed.min(newest.version);
            rows::delete_keys_below(&self.database.write(tenant), tenant, below).await?;
        }
        Ok(())
    }
}
