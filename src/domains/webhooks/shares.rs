//! Work for many tenants side by side: as soon as a piece ends the next one begins, and no tenant has more than half of the
//! places while it works, so that one whose work is slow does not keep the others waiting.

use std::collections::HashMap;
use std::hash::Hash;

use tokio::task::JoinSet;

use crate::common::TenantId;

/// The pieces that are being worked on, by their ids.
#[derive(Debug)]
pub(super) struct Shares<I> {
    places: usize,
    busy: HashMap<I, TenantId>,
    pieces: JoinSet<I>,
}

impl<I: Copy + Eq + Hash + Send + 'static> Shares<I> {
    pub(super) fn new(places: usize) -> Shares<I> {
        Shares { places: places.max(1), busy: HashMap::new(), pieces: JoinSet::new() }
    }

    /// How much of a tenant's work is worth looking at.
    pub(super) fn of_tenant(places: usize) -> usize {
        places.div_ceil(2).max(1)
    }

    /// Whether another piece may begin.
    fn has_room(&self, id: I, tenant: TenantId) -> bool {
        let own = self.busy.values().filter(|busy| **busy == tenant).count();
        self.busy.len() < self.places && own < Shares::<I>::of_tenant(self.places) && !self.busy.contains_key(&id)
    }

    /// Begins a piece, if it has not begun and there is a place for its tenant.
    pub(super) fn begin(&mut self, id: I, tenant: TenantId, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let begins = self.has_room(id, tenant);
        if begins {
            self.busy.insert(id, tenant);
            self.pieces.spawn(async move {
                work.await;
                id
            });
        }
        begins
    }

    /// Waits until a piece ends; for ever where there is none.
    pub(super) async fn one_ended(&mut self) {
        match self.pieces.join_next().await {
            Some(Ok(id)) => {
                self.busy.remove(&id);
            }
            // It panicked: whose it was is not known any more, but how many are left is.
            Some(Err(_)) if self.pieces.is_empty() => self.busy.clear(),
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Waits until everything has ended.
    pub(super) async fn all_ended(mut self) {
        while self.pieces.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tenant_gets_half_and_the_next_piece_begins_when_one_ends() {
        let (acme, globex) = (TenantId::new(), TenantId::new());
        let mut shares = Shares::new(4);
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        assert!(shares.begin(1, acme, async move { drop(wait.await) }));
        assert!(shares.begin(2, acme, std::future::pending()));
        assert!(!shares.begin(3, acme, std::future::pending()), "half");
        assert!(!shares.begin(2, globex, std::future::pending()), "it has begun");
        assert!(shares.begin(4, globex, std::future::pending()));
        go.send(()).unwrap();
        shares.one_ended().await;
        assert!(shares.begin(3, acme, std::future::pending()));
    }
}
