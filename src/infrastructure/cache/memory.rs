//! The cache within one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache as Moka;
use tokio::sync::broadcast;

use super::{Bucket, CHANNEL_CAPACITY, Cache, Error, Key, messages, micros_of};
use crate::common::Timestamp;

/// Bounded: the entries used least give way to new ones.
pub struct MemoryCache {
    entries: Moka<Key, Entry>,
    channels: Mutex<HashMap<Key, broadcast::Sender<Bytes>>>,
}

#[derive(Clone)]
struct Entry {
    value: Value,
    life: Duration,
}

#[derive(Clone)]
enum Value {
    Bytes(Bytes),
    Count(u64),
    /// When a bucket is full again, in microseconds.
    FullAt(u64),
}

impl MemoryCache {
    pub fn new(max_entries: u64) -> MemoryCache {
        MemoryCache {
            entries: Moka::builder().max_capacity(max_entries).expire_after(LifeOfEntry).build(),
            channels: Mutex::default(),
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<Key, broadcast::Sender<Bytes>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        Ok(self.entries.get(key).map(|entry| match entry.value {
            Value::Bytes(bytes) => bytes,
            Value::Count(count) | Value::FullAt(count) => Bytes::from(count.to_string()),
        }))
    }

    async fn set(&self, key: &Key, value: Bytes, life: Duration) -> Result<(), Error> {
        // Removed first, so that the new life counts from now.
        self.entries.invalidate(key);
        self.entries.insert(key.clone(), Entry { value: Value::Bytes(value), life });
        Ok(())
    }

    async fn remove(&self, key: &Key) -> Result<(), Error> {
        self.entries.invalidate(key);
        Ok(())
    }

    async fn increment(&self, key: &Key, life: Duration) -> Result<u64, Error> {
        let mut counted = 1;
        self.entries.entry_by_ref(key).and_compute_with(|present| {
            if let Some(Value::Count(count)) = present.as_ref().map(|entry| &entry.value().value) {
                counted = count.saturating_add(1);
            }
            let life = present.map_or(life, |entry| entry.value().life);
            Op::Put(Entry { value: Value::Count(counted), life })
        });
        Ok(counted)
    }

    async fn take(&self, key: &Key, bucket: Bucket, now: Timestamp) -> Result<Option<Duration>, Error> {
        let mut wait = None;
        self.entries.entry_by_ref(key).and_compute_with(|present| {
            let full_at = match present.map(|entry| entry.into_value().value) {
                Some(Value::FullAt(full_at)) => full_at,
                _ => 0,
            };
            match bucket.taken(full_at, micros_of(now)) {
                Ok(full_at) => Op::Put(Entry { value: Value::FullAt(full_at), life: bucket.life() }),
                Err(longer) => {
                    wait = Some(longer);
                    Op::Nop
                }
            }
        });
        Ok(wait)
    }

    async fn publish(&self, channel: &Key, message: Bytes) -> Result<(), Error> {
        let mut channels = self.channels();
        if let Some(sender) = channels.get(channel)
            && sender.send(message).is_err()
        {
            // Nobody listens any more.
            channels.remove(channel);
        }
        Ok(())
    }

    async fn subscribe(&self, channel: &Key) -> Result<BoxStream<'static, Bytes>, Error> {
        let mut channels = self.channels();
        channels.retain(|_, sender| sender.receiver_count() > 0);
        let sender = channels.entry(channel.clone()).or_insert_with(|| broadcast::Sender::new(CHANNEL_CAPACITY));
        Ok(messages(sender.subscribe()).boxed())
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Each entry lives as long as it says from its creation; counting on does not prolong it, but taking from a bucket does.
struct LifeOfEntry;

impl Expiry<Key, Entry> for LifeOfEntry {
    fn expire_after_create(&self, _: &Key, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.life)
    }

    fn expire_after_update(&self, _: &Key, entry: &Entry, _: Instant, remaining: Option<Duration>) -> Option<Duration> {
        if matches!(entry.value, Value::FullAt(_)) { Some(entry.life) } else { remaining }
    }
}
