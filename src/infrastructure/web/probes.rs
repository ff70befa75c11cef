//! The dependencies that `/health/ready` asks.

use std::sync::Arc;

use async_trait::async_trait;

use super::operations::Probe;
use crate::infrastructure::cache::Cache;
use crate::infrastructure::database::Database;
use crate::infrastructure::queue::Queue;

pub(crate) struct DatabaseProbe(pub(crate) Database);

#[async_trait]
impl Probe for DatabaseProbe {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| {
            tracing::warn!(%error, "the database does not answer");
            "does not answer".to_owned()
        })
    }
}

pub(crate) struct CacheProbe(pub(crate) Arc<dyn Cache>);

#[async_trait]
impl Probe for CacheProbe {
    fn name(&self) -> &'static str {
        "cache"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| {
            tracing::warn!(%error, "the cache does not answer");
            "does not answer".to_owned()
        })
    }
}

pub(crate) struct QueueProbe(pub(crate) Arc<dyn Queue>);

#[async_trait]
impl Probe for QueueProbe {
    fn name(&self) -> &'static str {
        "queue"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| {
            tracing::warn!(%error, "the queue does not answer");
            "does not answer".to_owned()
        })
    }
}
