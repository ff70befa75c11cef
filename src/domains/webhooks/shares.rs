//! Work for many tenants side by side: as soon as a piece ends the next one begins, and no tenant has more than half of the
//! places while it works, so that one whose work is slow does not keep the others waiting.

use std::collections::HashMap;

use tokio::task::{self, JoinSet};

use crate::common::TenantId;

/// The pieces that are being worked on, with their ids and tenants.
#[derive(Debug)]
pub(super) struct Shares<I> {
    places: usize,
    busy: HashMap<task::Id, (I, TenantId)>,
    pieces: JoinSet<()>,
}

impl<I: PartialEq> Shares<I> {
    pub(super) fn new(places: usize) -> Shares<I> {
        Shares { places: places.max(1), busy: HashMap::new(), pieces: JoinSet::new() }
    }

    /// How much of a tenant's work is worth looking at.
    pub(super) fn of_tenant(places: usize) -> usize {
        places.div_ceil(2).max(1)
    }

    /// Whether another piece may begin.
    fn has_room(&self, id: &I, tenant: TenantId) -> bool {
        let own = self.busy.values().filter(|(_, busy)| *busy == tenant).count();
        let has_begun = self.busy.values().any(|(busy, _)| busy == id);
        self.busy.len() < self.places && own < Shares::<I>::of_tenant(self.places) && !has_begun
    }

    /// Begins a piece, if it has not begun and there is a place for its tenant.
    pub(super) fn begin(&mut self, id: I, tenant: TenantId, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let begins = self.has_room(&id, tenant);
        if begins {
            let piece = self.pieces.spawn(work);
            self.busy.insert(piece.id(), (id, tenant));
        }
        begins
    }

    /// Waits until a piece ends; for ever where there is none.
    pub(super) async fn one_ended(&mut self) {
        let piece = match self.pieces.join_next_with_id().await {
            Some(Ok((piece, ()))) => piece,
            // It panicked.
            Some(Err(error)) => error.id(),
            None => std::future::pending().await,
        };
        self.busy.remove(&piece);
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
        assert!(shares.begin(3, acme, async { panic!("a piece that breaks gives its place back, too") }));
        shares.one_ended().await;
        assert!(shares.begin(5, acme, std::future::pending()));
    }
}
