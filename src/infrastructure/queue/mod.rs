//! Dispatch of executions to workers: within the process, or through a table of PostgreSQL, whose bell is PostgreSQL or
//! RabbitMQ. A message says only which execution of which tenant; the database is the record, so a message may come twice,
//! late, or for work that is done.

mod bell;
mod embedded;
mod fair;
mod rabbitmq;
mod table;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use self::bell::{Bell, Notifications};
use self::embedded::EmbeddedQueue;
use self::rabbitmq::RabbitBell;
use self::table::TableQueue;
use crate::common::error::{Code, Kind};
use crate::common::{Coded, ExecutionId, TenantId};
use crate::infrastructure::config::{self, QueueBackend};
use crate::infrastructure::database::dispatches::Tell;
use crate::infrastructure::database::{Backend, Database};

/// The queue the configuration asks for.
pub fn open(config: &config::Queue, database: &Database) -> Arc<dyn Queue> {
    let weights = config.weights.iter().filter_map(|(tenant, weight)| Some((tenant.parse().ok()?, *weight)));
    let is_embedded = match config.backend {
        QueueBackend::Embedded => true,
        QueueBackend::Auto => database.backend() == Backend::Sqlite,
        QueueBackend::Postgres | QueueBackend::RabbitMq => false,
    };
    if is_embedded {
        return Arc::new(EmbeddedQueue::new(config.prefetch, weights.collect::<HashMap<TenantId, u32>>()));
    }
    let (tell, bell): (_, Arc<dyn Bell>) = match config.is_rabbitmq() {
        true => (Tell::Nobody, Arc::new(RabbitBell::new(config))),
        false => (Tell::Workers, Arc::new(Notifications(database.clone()))),
    };
    Arc::new(TableQueue::new(database.clone(), tell, bell, config.prefetch, weights))
}

/// An execution that a worker should take up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dispatch {
    pub tenant: TenantId,
    pub execution: ExecutionId,
    /// Milliseconds since the epoch, moved forward for urgent work: the lower, the earlier.
    #[serde(default)]
    pub rank: i64,
}

/// Hands executions to workers, each to one at a time, at least once.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Hands it to the workers of a pool. Returns when the queue has the message safe: in memory (embedded), or in its table.
    async fn publish(&self, pool: &str, dispatch: Dispatch) -> Result<(), Error>;

    /// A new competing consumer of what is for the workers of a pool.
    async fn consume(&self, pool: &str) -> Result<Box<dyn Consumer>, Error>;

    /// Whether messages survive this process.
    fn is_durable(&self) -> bool;

    /// Whether the queue answers.
    async fn ping(&self) -> Result<(), Error>;
}

/// Receives messages one by one, up to `queue.prefetch` of them not yet settled.
#[async_trait]
pub trait Consumer: Send {
    /// Waits for the next message. None when the queue was closed. Safe to cancel.
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, Error>;

    /// Gives to others what was fetched ahead. The next call of `next` fetches again.
    async fn rest(&mut self);
}

/// A message in a worker's hands. Dropping it without settling gives it to another worker.
#[async_trait]
pub trait Delivery: Send + Sync {
    fn dispatch(&self) -> Dispatch;

    /// The execution is finished or durably somebody's: never deliver it again.
    async fn acknowledge(self: Box<Self>) -> Result<(), Error>;

    /// Deliver it to another worker.
    async fn give_back(self: Box<Self>) -> Result<(), Error>;
}

/// The queue does not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the queue does not answer: {0}")]
pub struct Error(String);

impl Coded for Error {
    fn code(&self) -> Code {
        Code::new(Kind::Unavailable, "queue_unavailable", "The queue does not answer")
    }

    fn detail(&self) -> Option<String> {
        None
    }
}
