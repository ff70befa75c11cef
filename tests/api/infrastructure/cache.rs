//! Both caches behave alike. Redis is tried where `MILLRACE_TEST_REDIS_URL` names one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;

use millrace::common::{Secret, TenantId, Timestamp};
use millrace::infrastructure::cache::{Bucket, Cache, Key, MemoryCache, RedisCache};
use millrace::infrastructure::config::Config;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(60);

/// Every implementation that can be had here, each with keys of its own.
fn caches() -> Vec<Arc<dyn Cache>> {
    let mut caches: Vec<Arc<dyn Cache>> = vec![Arc::new(MemoryCache::new(1000))];
    if let Ok(url) = std::env::var("MILLRACE_TEST_REDIS_URL") {
        let mut config = Config::defaults().unwrap().cache;
        config.url = Secret::new(url);
        config.prefix = format!("test-{}", TenantId::new());
        caches.push(Arc::new(RedisCache::new(&config).unwrap()));
    }
    caches
}

fn key(name: &str) -> Key {
    Key::global("test", name)
}

#[tokio::test]
async fn values_live_until_removed_or_expired() {
    for cache in caches() {
        assert_eq!(cache.get(&key("a")).await.unwrap(), None);
        cache.set(&key("a"), Bytes::from_static(b"1"), LONG).await.unwrap();
        cache.set(&key("b"), Bytes::from_static(b"2"), SHORT).await.unwrap();
        assert_eq!(cache.get(&key("a")).await.unwrap().unwrap(), "1");
        tokio::time::sleep(SHORT * 3).await;
        assert_eq!(cache.get(&key("b")).await.unwrap(), None);
        cache.remove(&key("a")).await.unwrap();
        assert_eq!(cache.get(&key("a")).await.unwrap(), None);
        cache.ping().await.unwrap();
    }
}

#[tokio::test]
async fn counters_count_and_end_with_their_window() {
    for cache in caches() {
        for expected in 1..=3 {
            assert_eq!(cache.increment(&key("n"), SHORT * 5).await.unwrap(), expected);
        }
        assert_eq!(cache.get(&key("n")).await.unwrap().unwrap(), "3");
        tokio::time::sleep(SHORT * 3).await;
        assert_eq!(cache.increment(&key("n"), SHORT * 5).await.unwrap(), 4, "counting must not end the window");
        tokio::time::sleep(SHORT * 3).await;
        assert_eq!(cache.increment(&key("n"), SHORT * 5).await.unwrap(), 1, "nor prolong it");
    }
}

#[tokio::test]
async fn concurrent_counts_are_not_lost() {
    for cache in caches() {
        let counted = (0..50).map(|_| {
            let cache = Arc::clone(&cache);
            async move { cache.increment(&key("many"), LONG).await.unwrap() }
        });
        let mut counts = futures_util::future::join_all(counted).await;
        counts.sort_unstable();
        assert_eq!(counts, (1..=50).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn messages_reach_the_subscribers_of_their_channel_only() {
    for cache in caches() {
        let mut first = cache.subscribe(&key("channel")).await.unwrap();
        let mut second = cache.subscribe(&key("channel")).await.unwrap();
        let mut other = cache.subscribe(&key("other")).await.unwrap();
        cache.publish(&key("channel"), Bytes::from_static(b"hello")).await.unwrap();
        assert_eq!(first.next().await.unwrap(), "hello");
        assert_eq!(second.next().await.unwrap(), "hello");
        assert!(tokio::time::timeout(SHORT, other.next()).await.is_err());
        drop(first);
        cache.publish(&key("channel"), Bytes::from_static(b"again")).await.unwrap();
        assert_eq!(second.next().await.unwrap(), "again");
        drop(second);
        cache.publish(&key("channel"), Bytes::from_static(b"to nobody")).await.unwrap();
        let mut late = cache.subscribe(&key("channel")).await.unwrap();
        cache.publish(&key("channel"), Bytes::from_static(b"last")).await.unwrap();
        assert_eq!(late.next().await.unwrap(), "last");
    }
}

#[test]
fn tenants_have_keys_of_their_own() {
    let (one, two) = (TenantId::new(), TenantId::new());
    assert_ne!(Key::tenant(one, "kind", "name"), Key::tenant(two, "kind", "name"));
}

#[tokio::test]
async fn buckets_give_out_what_is_in_them_and_fill_again() {
    let bucket = Bucket::new(10, Duration::from_secs(1), 3);
    for cache in caches() {
        let start = Timestamp::from_millis(1_738_310_400_000);
        let taken = async |milliseconds| {
            let now = start.plus(Duration::from_millis(milliseconds));
            cache.take(&key("bucket"), bucket, now).await.unwrap()
        };
        for (at, expected) in
            [(0, None), (0, None), (0, None), (0, Some(100)), (40, Some(60)), (100, None), (100, Some(100))]
        {
            assert_eq!(taken(at).await, expected.map(Duration::from_millis), "{at}");
        }
        for (at, expected) in [(10_000, None), (10_000, None), (10_000, None), (10_000, Some(100))] {
            assert_eq!(taken(at).await, expected.map(Duration::from_millis), "{at}: never more than the burst");
        }
    }
}
