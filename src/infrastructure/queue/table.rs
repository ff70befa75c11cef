//! The queue in PostgreSQL: a narrow table of what is ready for each pool, taken in batches that no two workers share. What waits for a
//! time is not in it, so it stays small and hot. Each worker serves the tenants in turn, in the order of their ids. A message
//! that was taken is gone; should its worker die, the database still says that the execution is queued. A [`Bell`] tells workers
//! when to look; without it they look regularly.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use uuid::Uuid;

use super::bell::{Bell, Ear};
use super::{Consumer, Delivery, Dispatch, Error, Queue};
use crate::common::TenantId;
use crate::infrastructure::database::Database;
use crate::infrastructure::database::dispatches::{self, Ready, Tell};

/// Longest time between two looks at the table; usually the bell comes first.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pause after the database failed.
const PAUSE: Duration = Duration::from_millis(500);
/// What waits to be put into the table at most; beyond, who publishes waits.
const WAITING: usize = 4096;
/// Put into the table by one statement at most.
const BATCH: usize = 512;

pub(super) struct TableQueue {
    table: Table,
    prefetch: u16,
    weights: Arc<[(TenantId, u32)]>,
}

impl TableQueue {
    /// Each consumer holds at most `prefetch` unsettled messages. A tenant without a weight has 1.
    pub(super) fn new(
        database: Database,
        tell: Tell,
        bell: Arc<dyn Bell>,
        prefetch: u16,
        weights: impl IntoIterator<Item = (TenantId, u32)>,
    ) -> TableQueue {
        let (puts, published) = mpsc::channel(WAITING);
        tokio::spawn(put_all(database.clone(), tell, Arc::clone(&bell), published));
        TableQueue { table: Table { database, bell, puts }, prefetch, weights: weights.into_iter().collect() }
    }
}

#[async_trait]
impl Queue for TableQueue {
    async fn publish(&self, pool: &str, dispatch: Dispatch) -> Result<(), Error> {
        self.table.put(pool.into(), dispatch).await
    }

    async fn consume(&self, pool: &str) -> Result<Box<dyn Consumer>, Error> {
        let pool: Arc<str> = pool.into();
        Ok(Box::new(TableConsumer {
            table: self.table.clone(),
            ear: self.table.bell.ear(Arc::clone(&pool)),
            pool,
            permits: Arc::new(Semaphore::new(usize::from(self.prefetch))),
            taken: VecDeque::new(),
            turn: Turn::new(Arc::clone(&self.weights)),
        }))
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<(), Error> {
        self.table.database.ping().await.map_err(|error| Error(error.to_string()))?;
        self.table.bell.ping().await
    }
}

/// Where dispatches are put and taken from. Cheap to clone.
#[derive(Clone)]
struct Table {
    database: Database,
    bell: Arc<dyn Bell>,
    puts: mpsc::Sender<Put>,
}

/// A dispatch on its way into the table.
struct Put {
    pool: Arc<str>,
    dispatch: Dispatch,
    done: oneshot::Sender<Result<(), Error>>,
}

impl Table {
    async fn put(&self, pool: Arc<str>, dispatch: Dispatch) -> Result<(), Error> {
        let (done, put) = oneshot::channel();
        let ended = || Error("the process is ending".to_owned());
        self.puts.send(Put { pool, dispatch, done }).await.map_err(|_| ended())?;
        put.await.map_err(|_| ended())?
    }
}

/// Puts what is published into the table, and rings: what comes while that is under way makes up the next statement. Ends with
/// the queue and its consumers.
async fn put_all(database: Database, tell: Tell, bell: Arc<dyn Bell>, mut published: mpsc::Receiver<Put>) {
    let mut batch = Vec::new();
    while published.recv_many(&mut batch, BATCH).await > 0 {
        let ready: Vec<(&str, Ready)> = batch.iter().map(|put| (&*put.pool, ready(put.dispatch))).collect();
        let result = dispatches::put(&database, &ready, tell).await.map_err(|error| Error(error.to_string()));
        for Put { pool, dispatch, done } in batch.drain(..) {
            if result.is_ok() {
                bell.ring(&pool, dispatch);
            }
            // Who published it may have gone away.
            let _ = done.send(result.clone());
        }
    }
}

struct TableConsumer {
    table: Table,
    ear: Box<dyn Ear>,
    pool: Arc<str>,
    permits: Arc<Semaphore>,
    taken: VecDeque<TableDelivery>,
    turn: Turn,
}

#[async_trait]
impl Consumer for TableConsumer {
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, Error> {
        loop {
            if let Some(delivery) = self.taken.pop_front() {
                return Ok(Some(Box::new(delivery)));
            }
            // The semaphore is never closed, so an error cannot happen; were it to, the consumer would end.
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Ok(None) };
            self.take(permit).await;
            if self.taken.is_empty() {
                // What was missed is found by the next look.
                let _ = tokio::time::timeout(LOOK_EVERY, self.ear.hear()).await;
            }
        }
    }

    async fn rest(&mut self) {
        self.taken.clear();
        self.ear.rest().await;
    }
}

impl TableConsumer {
    /// Takes as many as may be held, beside the one of the permit given.
    async fn take(&mut self, permit: OwnedSemaphorePermit) {
        let mut permits = vec![permit];
        while let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            permits.push(permit);
        }
        self.ear.listen().await;
        let (first, weights, asked) = (self.turn.next(), &self.turn.weights, permits.len());
        let found = match dispatches::take(&self.table.database, &self.pool, asked, first, weights).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the queue cannot be read");
                tokio::time::sleep(PAUSE).await;
                return;
            }
        };
        self.ear.looked((found.len() == asked).then_some(asked)).await;
        for ready in &found {
            self.turn.serve(ready.tenant);
        }
        self.taken.extend(found.into_iter().zip(permits).map(|(ready, permit)| TableDelivery {
            dispatch: Dispatch { tenant: ready.tenant, execution: ready.execution, rank: ready.rank },
            pool: Arc::clone(&self.pool),
            unsettled: Some((self.table.clone(), permit)),
        }));
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

struct TableDelivery {
    dispatch: Dispatch,
    pool: Arc<str>,
    unsettled: Option<(Table, OwnedSemaphorePermit)>,
}

#[async_trait]
impl Delivery for TableDelivery {
    fn dispatch(&self) -> Dispatch {
        self.dispatch
    }

    async fn acknowledge(mut self: Box<Self>) -> Result<(), Error> {
        self.unsettled = None;
        Ok(())
    }

    async fn give_back(mut self: Box<Self>) -> Result<(), Error> {
        match self.unsettled.take() {
            Some((table, _permit)) => table.put(Arc::clone(&self.pool), self.dispatch).await,
            None => Ok(()),
        }
    }
}

impl Drop for TableDelivery {
    fn drop(&mut self) {
        let Some((table, permit)) = self.unsettled.take() else { return };
        let (pool, dispatch) = (Arc::clone(&self.pool), self.dispatch);
        // Without a runtime the process is ending, and the execution is found by its state.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = table.put(pool, dispatch).await {
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
