//! How workers hear that something is in the table. A bell saves time and no more: what it does not ring for is found by the
//! next regular look at the table.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Dispatch, Error};
use crate::infrastructure::database::Database;
use crate::infrastructure::database::dispatches::Calls;

/// Rings for the workers of a pool.
#[async_trait]
pub(super) trait Bell: Send + Sync {
    /// What is in the table now is somebody's to take. Waits for nobody.
    fn ring(&self, pool: &Arc<str>, dispatch: Dispatch);

    /// An ear of a worker of this pool.
    fn ear(&self, pool: Arc<str>) -> Box<dyn Ear>;

    /// Whether it can ring.
    async fn ping(&self) -> Result<(), Error>;
}

/// Hears a bell for one worker.
#[async_trait]
pub(super) trait Ear: Send {
    /// Called before each look at the table: what has rung so far is about to be looked for, what rings from now on is heard.
    async fn listen(&mut self);

    /// Waits until it rings; for ever where it cannot be heard. Safe to cancel.
    async fn hear(&mut self);

    /// The look is over: so many were taken; `None`: all that there were.
    async fn looked(&mut self, taken: Option<usize>);

    /// The worker has no room: others may hear what rings.
    async fn rest(&mut self);
}

/// PostgreSQL's own: who puts something into the table notifies everybody in the same transaction.
pub(super) struct Notifications(pub Database);

#[async_trait]
impl Bell for Notifications {
    fn ring(&self, _: &Arc<str>, _: Dispatch) {}

    fn ear(&self, pool: Arc<str>) -> Box<dyn Ear> {
        Box::new(NotificationsEar { database: self.0.clone(), pool, calls: None })
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct NotificationsEar {
    database: Database,
    pool: Arc<str>,
    /// None while the connection is gone.
    calls: Option<Calls>,
}

#[async_trait]
impl Ear for NotificationsEar {
    async fn listen(&mut self) {
        if self.calls.is_none() {
            self.calls = Calls::listen(&self.database, Arc::clone(&self.pool)).await.ok();
        }
    }

    async fn hear(&mut self) {
        let is_gone = match &mut self.calls {
            Some(calls) => !calls.next().await,
            None => std::future::pending().await,
        };
        if is_gone {
            self.calls = None;
        }
    }

    async fn looked(&mut self, _: Option<usize>) {}

    async fn rest(&mut self) {}
}
