//! Large binaries of one attempt. A node hands them over without waiting; they are staged in memory, and stored before the
//! node's outcome counts, or the execution is accepted that begins with them. So what a record names is in the store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use millrace_model::{BinaryData, ExecutionError, Item, Items, human_size};
use millrace_runner::off_the_pool;

use super::error::Error;
use super::repository as rows;
use crate::common::{Clock, ExecutionId, TenantId};
use crate::infrastructure::database::Database;
use crate::infrastructure::storage::{self, Key, Storage};

/// Binaries on their way to the store at the same time.
const AT_ONCE: usize = 4;

/// Where large binaries go.
pub(super) struct Keeper {
    pub storage: Storage,
    pub database: Database,
    pub clock: Arc<dyn Clock>,
    /// Smaller ones stay where they are.
    pub inline_bytes: usize,
}

/// What an attempt has made.
#[derive(Default)]
pub(super) struct Binaries {
    keeper: OnceLock<Arc<Keeper>>,
    /// Whose they are: the execution itself, or the one that called it and gets what it puts out.
    owner: OnceLock<ExecutionId>,
    staged: Mutex<Vec<(Key, Bytes)>>,
    /// Some were stored.
    kept: AtomicBool,
    /// Bytes of all of them, stored or not.
    total: AtomicU64,
}

impl Binaries {
    /// Later calls change nothing.
    pub(super) fn belong(&self, keeper: Option<&Arc<Keeper>>, owner: ExecutionId) {
        if let Some(keeper) = keeper {
            drop(self.keeper.set(Arc::clone(keeper)));
        }
        let _ = self.owner.set(owner);
    }

    pub(super) fn owner(&self, own: ExecutionId) -> ExecutionId {
        self.owner.get().copied().unwrap_or(own)
    }

    /// Whether the store may have some of them.
    pub(super) fn were_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    /// Counts bytes; `Err`: how many they are together, which is more than allowed.
    pub(super) fn count(&self, bytes: usize, allowed: u64) -> Result<(), u64> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let all = self.total.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if all > allowed { Err(all) } else { Ok(()) }
    }

    /// Takes a large binary; gives the description with its handle. `None`: it is to stay where it is.
    pub(super) fn stage(
        &self,
        tenant: TenantId,
        own: ExecutionId,
        bytes: Bytes,
        known: BinaryData,
    ) -> Option<BinaryData> {
        let keeper = self.keeper.get().filter(|keeper| bytes.len() >= keeper.inline_bytes)?;
        let key = Key::new(tenant, self.owner(own));
        self.staged().push((key, bytes));
        Some(BinaryData { data: keeper.storage.name().into(), id: Some(key.handle().into()), ..known })
    }

    /// Items as they came from outside, with large binaries staged.
    pub(super) fn stage_items(&self, tenant: TenantId, own: ExecutionId, items: Items) -> Items {
        let Some(keeper) = self.keeper.get() else { return items };
        let is_large = |binary: &BinaryData| binary.id.is_none() && binary.data.len() / 4 * 3 >= keeper.inline_bytes;
        if !items.iter().flat_map(|item| &item.binary).any(|binaries| binaries.values().any(is_large)) {
            return items;
        }
        let staged = |item: &Item| {
            let mut item = item.clone();
            for binary in item.binary.iter_mut().flat_map(|binaries| Arc::make_mut(binaries).values_mut()) {
                if is_large(binary)
                    && let Ok(bytes) = BASE64_STANDARD.decode(binary.data.as_bytes())
                    && let Some(known) = self.stage(tenant, own, bytes.into(), binary.clone())
                {
                    *binary = known;
                }
            }
            item
        };
        Arc::new(items.iter().map(staged).collect())
    }

    /// Bytes by their handle; blocks the thread where they are in the store.
    pub(super) fn load(&self, tenant: TenantId, handle: &str) -> Result<Bytes, storage::Error> {
        let key = Key::of_handle(tenant, handle).ok_or(storage::Error::NotFound)?;
        if let Some((_, bytes)) = self.staged().iter().find(|(staged, _)| *staged == key) {
            return Ok(bytes.clone());
        }
        let keeper = self.keeper.get().ok_or(storage::Error::NotFound)?;
        off_the_pool(|| keeper.storage.get_blocking(key))
    }

    /// Stores what is staged. What could not be stored stays staged.
    pub(super) async fn keep(&self) -> Result<(), Error> {
        let staged = self.staged().clone();
        let Some(keeper) = self.keeper.get().filter(|_| !staged.is_empty()) else { return Ok(()) };
        let keeping = stream::iter(staged).map(|(key, bytes)| async move {
            let row = rows::Binary {
                tenant_id: key.tenant,
                id: key.id,
                execution_id: key.execution,
                bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
                created_at: keeper.clock.now(),
                doomed: false,
            };
            self.kept.store(true, Ordering::Relaxed);
            rows::note_binary(&keeper.database.write(key.tenant), row).await?;
            keeper.storage.put(key, bytes).await?;
            self.staged().retain(|(staged, _)| *staged != key);
            Ok::<_, Error>(())
        });
        keeping.buffer_unordered(AT_ONCE).try_for_each(|()| std::future::ready(Ok(()))).await
    }

    /// Forgets what is staged.
    pub(super) fn drop_staged(&self) {
        self.staged().clear();
    }

    fn staged(&self) -> MutexGuard<'_, Vec<(Key, Bytes)>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a node is told whose binary cannot be stored or read.
pub(super) fn failed(what: &str, error: &Error) -> ExecutionError {
    let code = crate::common::Coded::code(error).code;
    tracing::warn!(%error, "a binary could not be {what}");
    ExecutionError::operation(format!("The binary data cannot be {what}: {error}")).with_context("code", code)
}

/// What a node is told that puts out more than an execution may.
pub(super) fn too_large(all: u64, allowed: u64) -> ExecutionError {
    let (all, allowed) = (human_size(all), human_size(allowed));
    let message = format!("The binary data of the execution is too large: {all}, at most {allowed} are allowed");
    ExecutionError::operation(message).with_context("code", "binaries_too_large")
}
