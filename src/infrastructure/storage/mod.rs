//! The store of large binaries: a directory, or a bucket of a service that speaks S3. Each binary lies under its tenant, and
//! nobody names a path: a key is made of ids. Talks to the operator's own service, whatever a tenant's egress policy says.

mod key;
mod open;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Runtime;

use crate::common::error::{Code, Kind};
use crate::common::{Coded, TenantId};

pub use key::Key;
pub use open::{StartError, open};

/// What is done at the same time when many are deleted.
const AT_ONCE: usize = 16;

/// Cheap to clone.
#[derive(Clone)]
pub struct Storage(Arc<Parts>);

struct Parts {
    store: Arc<dyn ObjectStore>,
    /// What descriptions of binaries say in place of their bytes.
    name: &'static str,
    /// Before every key.
    prefix: Path,
    /// Longest time of one operation, its repetitions included.
    patience: Duration,
    /// Drives what goes in and out, so that those who have to block for it can.
    runtime: Option<Runtime>,
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // What is under way is of no use to anybody any more.
            runtime.shutdown_background();
        }
    }
}

/// The store does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("it is not in the store")]
    NotFound,
    #[error("the store refuses the server's credentials")]
    Refused,
    #[error("the store did not answer in time")]
    TimedOut,
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => Code::new(Kind::NotFound, "binary_not_found", "No such binary"),
            Error::Refused | Error::TimedOut | Error::Unreachable(_) => {
                Code::new(Kind::Unavailable, "storage_unavailable", "The store of binaries does not answer")
            }
        }
    }

    /// Nothing of the operator's service is told.
    fn detail(&self) -> Option<String> {
        None
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Error {
        match error {
            object_store::Error::NotFound { .. } => Error::NotFound,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Error::Refused
            }
            other => Error::Unreachable(other.to_string()),
        }
    }
}

impl Storage {
    /// `filesystem` or `s3`.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Returns when the bytes are safe.
    pub async fn put(&self, key: Key, bytes: Bytes) -> Result<(), Error> {
        let (store, path) = (Arc::clone(&self.0.store), self.path(key));
        self.run(async move { store.put(&path, bytes.into()).await.map(drop) }).await
    }

    pub async fn get(&self, key: Key) -> Result<Bytes, Error> {
        let (store, path) = (Arc::clone(&self.0.store), self.path(key));
        self.run(async move { store.get(&path).await?.bytes().await }).await
    }

    /// The same for callers that cannot wait otherwise; they block their thread.
    pub fn get_blocking(&self, key: Key) -> Result<Bytes, Error> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let storage = self.clone();
        let got = async move {
            // The caller waits for nothing else.
            drop(sender.send(storage.get(key).await));
        };
        match &self.0.runtime {
            Some(runtime) => drop(runtime.spawn(got)),
            None => return Err(Error::Unreachable("it is closed".to_owned())),
        }
        receiver.recv().unwrap_or(Err(Error::TimedOut))
    }

    /// One that is gone already is as good.
    pub async fn delete(&self, key: Key) -> Result<(), Error> {
        let (store, path) = (Arc::clone(&self.0.store), self.path(key));
        match self.run(async move { store.delete(&path).await }).await {
            Err(Error::NotFound) => Ok(()),
            other => other,
        }
    }

    /// Tenants that something is stored of.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, Error> {
        let (store, prefix) = (Arc::clone(&self.0.store), self.0.prefix.clone());
        let listed = self.run(async move { store.list_with_delimiter(Some(&prefix)).await }).await?;
        let names = listed.common_prefixes.iter().filter_map(Path::filename);
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// Deletes everything of a tenant.
    pub async fn delete_tenant(&self, tenant: TenantId) -> Result<(), Error> {
        let (store, folder) = (Arc::clone(&self.0.store), self.0.prefix.clone().join(tenant.to_string()));
        let work = async move {
            let deleting = store.list(Some(&folder)).map(|found| {
                let store = Arc::clone(&store);
                async move { store.delete(&found?.location).await }
            });
            deleting.buffer_unordered(AT_ONCE).try_for_each(|()| std::future::ready(Ok(()))).await
        };
        match self.run(work).await {
            Err(Error::NotFound) => Ok(()),
            other => other,
        }
    }

    fn path(&self, key: Key) -> Path {
        key.parts().into_iter().fold(self.0.prefix.clone(), |path, part| path.join(part))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T, Error> {
        let Some(runtime) = &self.0.runtime else { return Err(Error::Unreachable("it is closed".to_owned())) };
        let patience = self.0.patience;
        match runtime.spawn(tokio::time::timeout(patience, work)).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) => Err(Error::TimedOut),
            Err(error) => Err(Error::Unreachable(error.to_string())),
        }
    }
}
