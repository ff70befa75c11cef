//! Short-lived shared state: counters, small values, messages to other replicas. In memory for one process, Redis for many.
//! Never the only copy of anything.

mod memory;
mod redis;
mod subscriptions;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use tokio::sync::broadcast;

use crate::common::error::{Code, Kind};
use crate::common::{Coded, TenantId};
use crate::infrastructure::config;

pub use self::memory::MemoryCache;
pub use self::redis::RedisCache;

/// The cache the configuration asks for.
pub fn open(config: &config::Cache) -> Result<Arc<dyn Cache>, Error> {
    Ok(if config.url.expose().is_empty() {
        Arc::new(MemoryCache::new(config.memory_entries))
    } else {
        Arc::new(RedisCache::new(config)?)
    })
}

/// What both implementations do. Values vanish after their time to live, or earlier under memory pressure.
#[async_trait]
pub trait Cache: Send + Sync {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error>;

    async fn set(&self, key: &Key, value: Bytes, life: Duration) -> Result<(), Error>;

    async fn remove(&self, key: &Key) -> Result<(), Error>;

    /// Adds one to a counter and returns its new value. A new counter lives for `life`; counting does not prolong it.
    async fn increment(&self, key: &Key, life: Duration) -> Result<u64, Error>;

    /// Sends a message to everyone subscribed to the channel now, on every replica.
    async fn publish(&self, channel: &Key, message: Bytes) -> Result<(), Error>;

    /// Messages published from now on. The subscription ends when the stream is dropped.
    async fn subscribe(&self, channel: &Key) -> Result<BoxStream<'static, Bytes>, Error>;

    /// Whether the cache answers.
    async fn ping(&self) -> Result<(), Error>;
}

/// Names an entry or a channel. A tenant's keys carry the tenant, so that one cannot read another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// `kind` is fixed text; `name` may come from a caller.
    pub fn tenant(tenant: TenantId, kind: &'static str, name: &str) -> Key {
        Key(format!("t:{tenant}:{kind}:{name}"))
    }

    /// For what belongs to no tenant, such as addresses of callers.
    pub fn global(kind: &'static str, name: &str) -> Key {
        Key(format!("g:{kind}:{name}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Messages a slow subscriber may lag behind before it loses the oldest.
const CHANNEL_CAPACITY: usize = 256;

/// What a receiver gets, as a stream; a slow one is told in the log what it lost.
fn messages(receiver: broadcast::Receiver<Bytes>) -> impl Stream<Item = Bytes> + Send + 'static {
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        loop {
            match receiver.recv().await {
                Ok(message) => return Some((message, receiver)),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "a subscriber is too slow and lost messages");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
}

/// The cache does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the cache does not answer: {0}")]
pub struct Error(String);

impl Coded for Error {
    fn code(&self) -> Code {
        Code::new(Kind::Unavailable, "cache_unavailable", "The cache does not answer")
    }

    fn detail(&self) -> Option<String> {
        None
    }
}
