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
use crate::common::{Coded, TenantId, Timestamp};
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

    /// Takes one token from a bucket, made full where there is none. `Some`: it is empty, and has one again after this
    /// long. `now` is the caller's, so that tests can move it; replicas whose clocks differ by a second refill a second
    /// more or less.
    async fn take(&self, key: &Key, bucket: Bucket, now: Timestamp) -> Result<Option<Duration>, Error>;

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

/// How a token bucket fills: one token each `interval`, up to `burst` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub interval: Duration,
    pub burst: u32,
}

impl Bucket {
    /// `requests` each `period`, `burst` of them at once.
    pub fn new(requests: u32, period: Duration, burst: u32) -> Bucket {
        Bucket { interval: period / requests.max(1), burst: burst.max(1) }
    }

    /// One number says how full a bucket is: the time, in microseconds, at which it will be full again (the generic cell
    /// rate algorithm, ITU-T I.371). Gives the new one, or how long to wait.
    fn taken(self, full_at: u64, now: u64) -> Result<u64, Duration> {
        let interval = micros(self.interval);
        let full_at = full_at.max(now);
        let ahead = full_at.saturating_sub(now);
        let room = interval.saturating_mul(u64::from(self.burst.saturating_sub(1)));
        if ahead > room {
            return Err(Duration::from_micros(ahead - room));
        }
        Ok(full_at.saturating_add(interval))
    }

    /// After this long without a call it is full in any case.
    fn life(self) -> Duration {
        self.interval.saturating_mul(self.burst).saturating_add(Duration::from_secs(1))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1)
}

fn micros_of(time: Timestamp) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or_default().saturating_mul(1000)
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
