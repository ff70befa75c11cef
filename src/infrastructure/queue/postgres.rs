//! The queue in PostgreSQL: a narrow table of what is ready for each pool, taken in batches that no two workers share. What waits for a
//! time is not in it, so it stays small and hot. Each worker serves the tenants in turn, in the order of their ids. A message
//! that was taken is gone; should its worker die, the database still says that the execution is queued.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::{Consumer, Delivery, Dispatch, Error, Queue};
use crate::common::TenantId;
use crate::infrastructure::database::Database;
use crate::infrastructure::database::dispatches::{self, Calls, Ready};

/// Longest time between two looks at the table; usually a notification comes first.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pause after the database failed.
const PAUSE: Duration = Duration::from_millis(500);

pub struct PostgresQueue {
    database: Database,
    prefetch: u16,
    weights: Arc<[(TenantId, u32)]>,
}

impl PostgresQueue {
    /// Each consumer holds at most `prefetch` unsettled messages. A tenant without a weight has 1.
    pub fn new(database: Database, prefetch: u16, weights: HashMap<TenantId, u32>) -> PostgresQueue {
        PostgresQueue { database, prefetch, weights: weights.into_iter().collect() }
    }
}

#[async_trait]
impl Queue for PostgresQueue {
    async fn publish(&self, pool: &str, dispatch: Dispatch) -> Result<(), Error> {
        dispatches::put(&self.database, pool, &[ready(dispatch)]).await.map_err(failed)
    }

    async fn consume(&self, pool: &str) -> Result<Box<dyn Consumer>, Error> {
        Ok(Box::new(PostgresConsumer {
            database: self.database.clone(),
            pool: pool.into(),
            permits: Arc::new(Semaphore::new(usize::from(self.prefetch))),
            taken: VecDeque::new(),
            turn: Turn::new(Arc::clone(&self.weights)),
            calls: None,
        }))
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<(), Error> {
        self.database.ping().await.map_err(failed)
    }
}

struct PostgresConsumer {
    database: Database,
    pool: Arc<str>,
    permits: Arc<Semaphore>,
    taken: VecDeque<PostgresDelivery>,
    turn: Turn,
    calls: Option<Calls>,
}

#[async_trait]
impl Consumer for PostgresConsumer {
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, Error> {
        loop {
            if let Some(delivery) = self.taken.pop_front() {
                return Ok(Some(Box::new(delivery)));
            }
            // The semaphore is never closed, so an error cannot happen; were it to, the consumer would end.
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Ok(None) };
            if self.calls.is_none() {
                // Without it the table is looked at regularly all the same.
                self.calls = Calls::listen(&self.database, Arc::clone(&self.pool)).await.ok();
            }
            self.take(permit).await?;
            if self.taken.is_empty() {
                self.wait().await;
            }
        }
    }
    async fn rest(&mut self) {
        self.taken.clear();
    }
}

impl PostgresConsumer {
    /// Takes as many as may be held, beside the one of the permit given.
    async fn take(&mut self, permit: OwnedSemaphorePermit) -> Result<(), Error> {
        let mut permits = vec![permit];
        while let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            permits.push(permit);
        }
        let (first, weights) = (self.turn.next(), &self.turn.weights);
        let found = match dispatches::take(&self.database, &self.pool, permits.len(), first, weights).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the queue cannot be read");
                tokio::time::sleep(PAUSE).await;
                return Ok(());
            }
        };
        for ready in &found {
            self.turn.serve(ready.tenant);
        }
        self.taken.extend(found.into_iter().zip(permits).map(|(ready, permit)| PostgresDelivery {
            dispatch: Dispatch { tenant: ready.tenant, execution: ready.execution, rank: ready.rank },
            pool: Arc::clone(&self.pool),
            unsettled: Some((self.database.clone(), permit)),
        }));
        Ok(())
    }

    async fn wait(&mut self) {
        let called = async {
            match &mut self.calls {
                Some(calls) => calls.next().await,
                None => std::future::pending().await,
            }
        };
        if tokio::time::timeout(LOOK_EVERY, called).await.is_ok_and(|heard| !heard) {
            self.calls = None;
        }
    }
}

/// Whose turn it is.
struct Turn {
    weights: Arc<[(TenantId, u32)]>,
    last: TenantId,
    /// How many more the last one is given in its turn.
    left: u32,
}

impl Turn {
    fn new(weights: Arc<[(TenantId, u32)]>) -> Turn {
        Turn { weights, last: TenantId::from_uuid(Uuid::nil()), left: 1 }
    }

    fn serve(&mut self, tenant: TenantId) {
        if self.last != tenant || self.left == 0 {
            let weight = self.weights.iter().find(|(known, _)| *known == tenant).map_or(1, |(_, weight)| *weight);
            (self.last, self.left) = (tenant, weight.max(1));
        }
        self.left = self.left.saturating_sub(1);
    }

    /// The lowest id of the tenant that is served next.
    fn next(&self) -> TenantId {
        match self.left {
            0 => TenantId::from_uuid(Uuid::from_u128(self.last.as_uuid().as_u128().wrapping_add(1))),
            _ => self.last,
        }
    }
}

struct PostgresDelivery {
    dispatch: Dispatch,
    pool: Arc<str>,
    unsettled: Option<(Database, OwnedSemaphorePermit)>,
}

#[async_trait]
impl Delivery for PostgresDelivery {
    fn dispatch(&self) -> Dispatch {
        self.dispatch
    }

    async fn acknowledge(mut self: Box<Self>) -> Result<(), Error> {
        self.unsettled = None;
        Ok(())
    }

    async fn give_back(mut self: Box<Self>) -> Result<(), Error> {
        match self.unsettled.take() {
            Some((database, _permit)) => {
                dispatches::put(&database, &self.pool, &[ready(self.dispatch)]).await.map_err(failed)
            }
            None => Ok(()),
        }
    }
}

impl Drop for PostgresDelivery {
    fn drop(&mut self) {
        let Some((database, permit)) = self.unsettled.take() else { return };
        let (pool, ready) = (Arc::clone(&self.pool), ready(self.dispatch));
        // Without a runtime the process is ending, and the execution is found by its state.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = dispatches::put(&database, &pool, &[ready]).await {
                    tracing::debug!(%error, "a message comes back only when its execution is found queued");
                }
                drop(permit);
            });
        }
    }
}

fn ready(dispatch: Dispatch) -> Ready {
    Ready { tenant: dispatch.tenant, execution: dispatch.execution, rank: dispatch.rank }
}

#[expect(clippy::needless_pass_by_value, reason = "used as the function of `map_err`")]
fn failed(error: crate::infrastructure::database::Error) -> Error {
    Error(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_as_long_as_the_weight() {
        let (paying, free) = (TenantId::from_uuid(Uuid::from_u128(5)), TenantId::from_uuid(Uuid::from_u128(9)));
        let mut turn = Turn::new(Arc::from([(paying, 2)]));
        turn.serve(paying);
        assert_eq!(turn.next(), paying);
        turn.serve(paying);
        assert_eq!(turn.next(), TenantId::from_uuid(Uuid::from_u128(6)), "whoever comes behind");
        turn.serve(free);
        assert_eq!(turn.next(), TenantId::from_uuid(Uuid::from_u128(10)));
    }
}
