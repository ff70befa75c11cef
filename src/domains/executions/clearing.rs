//! Takes large binaries out of the store that nobody needs any more, and hands out those that somebody wants to have.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use super::answer::Answer;
use super::error::Error;
use super::executor::Executor;
use super::repository as rows;
use super::service::Service;
use crate::common::{Ctx, ExecutionId, TenantId};
use crate::infrastructure::database::AcrossTenants;
use crate::infrastructure::storage::{self, Key};

/// Rows handled at once.
const AT_ONCE: u64 = 500;
/// Deletions under way at the same time.
const DELETING: usize = 16;

impl Executor {
    /// Deletes binaries whose executions are gone; says how many. What the store does not let go of stays for the next time.
    pub async fn clear_binaries(&self) -> Result<u64, Error> {
        let parts = &self.0;
        let Some(keeper) = &parts.keeper else { return Ok(0) };
        let mut deleted = 0;
        loop {
            let found = rows::unneeded(&parts.database.read(AcrossTenants), parts.clock.now(), AT_ONCE).await?;
            let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
            let deleting = stream::iter(found).map(async |row| {
                let key = Key { tenant: row.tenant_id, execution: row.execution_id, id: row.id };
                keeper.storage.delete(key).await.map(|()| key)
            });
            let mut gone: HashMap<TenantId, Vec<Uuid>> = HashMap::new();
            let mut failure = None;
            for outcome in deleting.buffer_unordered(DELETING).collect::<Vec<_>>().await {
                match outcome {
                    Ok(key) => gone.entry(key.tenant).or_default().push(key.id),
                    Err(error) => failure = Some(error),
                }
            }
            for (tenant, ids) in gone {
                deleted += u64::try_from(ids.len()).unwrap_or(u64::MAX);
                rows::forget_binaries(&parts.database.write(tenant), tenant, ids).await?;
            }
            match failure {
                Some(error) => return Err(error.into()),
                None if count < AT_ONCE => return Ok(deleted),
                None => {}
            }
        }
    }

    /// Deletes all binaries of a tenant that is being deleted.
    pub(super) async fn clear_tenant(&self, tenant: TenantId) -> Result<(), storage::Error> {
        match &self.0.keeper {
            Some(keeper) => keeper.storage.delete_tenant(tenant).await,
            None => Ok(()),
        }
    }
}

impl Service {
    /// An answer whose first item holds the bytes of this binary itself. Where they cannot be had it stays as it is.
    pub async fn with_bytes(&self, answer: Answer, name: &str) -> Answer {
        let Answer::Ended(mut ended) = answer else { return answer };
        if let (Some(keeper), Some((_, items))) = (&self.executor().0.keeper, &mut ended.last)
            && let Some(handle) = items.first().and_then(|item| item.binary.as_ref()?.get(name)?.id.clone())
            && let Some(key) = Key::of_handle(ended.row.tenant_id, &handle)
        {
            match keeper.storage.get(key).await {
                Ok(bytes) => {
                    let item = Arc::make_mut(items).first_mut();
                    if let Some(binary) = item.and_then(|item| Arc::make_mut(item.binary.as_mut()?).get_mut(name)) {
                        (binary.data, binary.id) = (BASE64_STANDARD.encode(&bytes).into(), None);
                    }
                }
                Err(error) => tracing::warn!(execution = %ended.row.id, %error, "a binary could not be read"),
            }
        }
        Answer::Ended(ended)
    }

    /// The bytes of a large binary.
    pub async fn binary(&self, ctx: &Ctx, execution: ExecutionId, id: Uuid) -> Result<Bytes, Error> {
        let found = rows::find_binary(&self.database.read(ctx), ctx.tenant, execution, id).await?;
        let keeper = self.executor().0.keeper.as_ref().filter(|_| found.is_some()).ok_or(storage::Error::NotFound)?;
        Ok(keeper.storage.get(Key { tenant: ctx.tenant, execution, id }).await?)
    }
}
