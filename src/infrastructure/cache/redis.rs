//! The cache shared by all replicas, in Redis (6.2 or later).

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use deadpool_redis::redis::{self, AsyncCommands};
use deadpool_redis::{Connection, Pool, PoolConfig, Runtime, Timeouts};
use futures_util::stream::BoxStream;

use super::subscriptions::Subscriptions;
use super::{Bucket, Cache, Error, Key, micros, micros_of};
use crate::common::Timestamp;
use crate::infrastructure::config;

/// A cache that takes longer than this is worse than none.
const TIMEOUT: Duration = Duration::from_secs(3);

/// [`Bucket::taken`], atomically. Numbers stay below 2^53, so doubles hold them.
const TAKE: &str = "
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local room = interval * (burst - 1)
if full_at - now > room then return full_at - now - room end
redis.call('SET', KEYS[1], string.format('%.0f', full_at + interval), 'PX', ARGV[4])
return 0";

/// Pooled connections for commands, one more for subscriptions.
pub struct RedisCache {
    pool: Pool,
    subscriptions: Subscriptions,
    prefix: String,
}

impl RedisCache {
    /// Connects lazily: a Redis that is away shows in `/health/ready`, not at start.
    pub fn new(config: &config::Cache) -> Result<RedisCache, Error> {
        let mut settings = deadpool_redis::Config::from_url(config.url.expose());
        let timeouts = Timeouts { wait: Some(TIMEOUT), create: Some(TIMEOUT), recycle: Some(TIMEOUT) };
        settings.pool = Some(PoolConfig { max_size: config.max_connections, timeouts, ..PoolConfig::default() });
        let pool = settings.create_pool(Some(Runtime::Tokio1)).map_err(|error| Error(error.to_string()))?;
        let client = redis::Client::open(config.url.expose().as_str()).map_err(failed)?;
        Ok(RedisCache { pool, subscriptions: Subscriptions::new(client), prefix: config.prefix.clone() })
    }

    async fn connection(&self) -> Result<Connection, Error> {
        self.pool.get().await.map_err(|error| Error(error.to_string()))
    }

    fn name(&self, key: &Key) -> String {
        format!("{}:{}", self.prefix, key.as_str())
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        let mut connection = self.connection().await?;
        let found: Option<Vec<u8>> = within(connection.get(self.name(key))).await?;
        Ok(found.map(Bytes::from))
    }

    async fn set(&self, key: &Key, value: Bytes, life: Duration) -> Result<(), Error> {
        let mut connection = self.connection().await?;
        within(connection.pset_ex(self.name(key), &value[..], millis(life))).await
    }

    async fn remove(&self, key: &Key) -> Result<(), Error> {
        let mut connection = self.connection().await?;
        within(connection.del(self.name(key))).await
    }

    async fn increment(&self, key: &Key, life: Duration) -> Result<u64, Error> {
        let name = self.name(key);
        let mut transaction = redis::pipe();
        transaction
            .atomic()
            // Sets the life once, when the counter begins.
            .cmd("SET")
            .arg(&name)
            .arg(0)
            .arg("PX")
            .arg(millis(life))
            .arg("NX")
            .ignore()
            .incr(&name, 1);
        let mut connection = self.connection().await?;
        let (count,): (u64,) = within(transaction.query_async(&mut connection)).await?;
        Ok(count)
    }

    async fn take(&self, key: &Key, bucket: Bucket, now: Timestamp) -> Result<Option<Duration>, Error> {
        let mut command = redis::cmd("EVAL");
        command.arg(TAKE).arg(1).arg(self.name(key));
        command.arg(micros_of(now)).arg(micros(bucket.interval)).arg(bucket.burst).arg(millis(bucket.life()));
        let mut connection = self.connection().await?;
        let wait: u64 = within(command.query_async(&mut connection)).await?;
        Ok((wait > 0).then(|| Duration::from_micros(wait)))
    }

    async fn publish(&self, channel: &Key, message: Bytes) -> Result<(), Error> {
        let mut connection = self.connection().await?;
        within(connection.publish(self.name(channel), &message[..])).await
    }

    async fn subscribe(&self, channel: &Key) -> Result<BoxStream<'static, Bytes>, Error> {
        let subscribing = self.subscriptions.subscribe(self.name(channel));
        tokio::time::timeout(TIMEOUT, subscribing).await.map_err(|_| no_answer())?
    }

    async fn ping(&self) -> Result<(), Error> {
        let mut connection = self.connection().await?;
        within(connection.ping()).await
    }
}

async fn within<T>(command: impl Future<Output = redis::RedisResult<T>>) -> Result<T, Error> {
    tokio::time::timeout(TIMEOUT, command).await.map_err(|_| no_answer())?.map_err(failed)
}

/// Redis refuses a life of zero.
fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn no_answer() -> Error {
    Error("no answer in time".to_owned())
}

/// Only the kind of failure: Redis's own text may show addresses.
pub(super) fn failed(error: redis::RedisError) -> Error {
    Error(error.category().to_owned())
}
