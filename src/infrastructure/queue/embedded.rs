//! The queue within one process. Lost with the process; at start the workers find unfinished executions in the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::fair::FairQueue;
use super::{Consumer, Delivery, Dispatch, Error, Queue};
use crate::common::TenantId;

/// Of each pool the tenants in turn, within a tenant by rank.
pub(super) struct EmbeddedQueue {
    pools: Mutex<HashMap<Arc<str>, Arc<Shared>>>,
    weights: HashMap<TenantId, u32>,
    prefetch: usize,
}

/// What waits for the workers of one pool.
struct Shared {
    waiting: Mutex<FairQueue>,
    arrived: Notify,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, FairQueue> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EmbeddedQueue {
    /// Each consumer holds at most `prefetch` unsettled messages. A tenant without a weight has 1.
    pub(super) fn new(prefetch: u16, weights: HashMap<TenantId, u32>) -> EmbeddedQueue {
        EmbeddedQueue { pools: Mutex::default(), weights, prefetch: usize::from(prefetch) }
    }

    fn shared(&self, pool: &str) -> Arc<Shared> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = pools.get(pool) {
            return Arc::clone(shared);
        }
        let waiting = Mutex::new(FairQueue::new(self.weights.clone()));
        let shared = Arc::new(Shared { waiting, arrived: Notify::new() });
        pools.insert(pool.into(), Arc::clone(&shared));
        shared
    }
}

#[async_trait]
impl Queue for EmbeddedQueue {
    async fn publish(&self, pool: &str, dispatch: Dispatch) -> Result<(), Error> {
        let shared = self.shared(pool);
        shared.waiting().push(dispatch);
        shared.arrived.notify_one();
        Ok(())
    }

    async fn consume(&self, pool: &str) -> Result<Box<dyn Consumer>, Error> {
        let permits = Arc::new(Semaphore::new(self.prefetch));
        Ok(Box::new(EmbeddedConsumer { shared: self.shared(pool), permits }))
    }

    fn is_durable(&self) -> bool {
        false
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct EmbeddedConsumer {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
}

#[async_trait]
impl Consumer for EmbeddedConsumer {
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, Error> {
        // The semaphore is never closed, so an error cannot happen; were it to, the consumer would end.
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Ok(None) };
        loop {
            let arrived = self.shared.arrived.notified();
            let (next, more) = {
                let mut waiting = self.shared.waiting();
                (waiting.pop(), !waiting.is_empty())
            };
            if let Some(dispatch) = next {
                if more {
                    // One notification may stand for several messages.
                    self.shared.arrived.notify_one();
                }
                let delivery = EmbeddedDelivery { dispatch, unsettled: Some((Arc::clone(&self.shared), permit)) };
                return Ok(Some(Box::new(delivery)));
            }
            arrived.await;
        }
    }
    /// Nothing is fetched ahead.
    async fn rest(&mut self) {}
}

struct EmbeddedDelivery {
    dispatch: Dispatch,
    unsettled: Option<(Arc<Shared>, OwnedSemaphorePermit)>,
}

#[async_trait]
impl Delivery for EmbeddedDelivery {
    fn dispatch(&self) -> Dispatch {
        self.dispatch
    }

    async fn acknowledge(mut self: Box<Self>) -> Result<(), Error> {
        self.unsettled = None;
        Ok(())
    }

    async fn give_back(self: Box<Self>) -> Result<(), Error> {
        drop(self);
        Ok(())
    }
}

impl Drop for EmbeddedDelivery {
    fn drop(&mut self) {
        if let Some((shared, _permit)) = self.unsettled.take() {
            shared.waiting().push(self.dispatch);
            shared.arrived.notify_one();
        }
    }
}
