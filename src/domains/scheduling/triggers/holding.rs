//! Who holds which trigger: this process takes some that nobody holds, prolongs its leases, and lets go of what it has
//! lost.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::error::Error;
use super::super::repository::triggers::{self as rows, Trigger};
use super::listening;
use super::service::Triggers;
use crate::common::TriggerId;
use crate::common::error::chain;
use crate::infrastructure::database::AcrossTenants;

/// A process that is not heard of for so long holds nothing any more.
const LEASE: Duration = Duration::from_secs(15);
const RENEW_EVERY: Duration = Duration::from_secs(4);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Taken in one look, so that processes which begin at the same time share.
const AT_ONCE: u64 = 32;

/// A trigger that this process holds.
struct Held {
    term: i64,
    stop: CancellationToken,
    listening: JoinHandle<()>,
}

impl Triggers {
    /// Listens until the shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        let (mut held, mut renewed) = (HashMap::new(), Instant::now());
        while !shutdown.is_cancelled() {
            if renewed.elapsed() >= RENEW_EVERY {
                match self.renew(&mut held).await {
                    Ok(()) => renewed = Instant::now(),
                    Err(error) => tracing::warn!(error = chain(&error), "leases of triggers could not be prolonged"),
                }
            }
            if renewed.elapsed() >= LEASE {
                // Others may hold them by now.
                held.drain().for_each(|(_, lost): (TriggerId, Held)| lost.stop.cancel());
            } else if let Err(error) = self.take(&mut held).await {
                tracing::warn!(error = chain(&error), "triggers that nobody holds could not be looked for");
            }
            shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
        }
        for (_, last) in held {
            last.stop.cancel();
            drop(last.listening.await);
        }
        if let Err(error) = rows::release(&self.database.write(AcrossTenants), self.holder).await {
            tracing::warn!(%error, "leases of triggers could not be ended; they run out by themselves");
        }
    }

    async fn renew(&self, held: &mut HashMap<TriggerId, Held>) -> Result<(), Error> {
        held.retain(|_, one| !one.listening.is_finished());
        let ids: Vec<TriggerId> = held.keys().copied().collect();
        let until = self.clock.now().plus(LEASE);
        let own = rows::renew(&self.database.write(AcrossTenants), self.holder, &ids, until).await?;
        held.retain(|id, one| {
            let keeps = own.contains(&(*id, one.term));
            if !keeps {
                one.stop.cancel();
            }
            keeps
        });
        Ok(())
    }

    async fn take(&self, held: &mut HashMap<TriggerId, Held>) -> Result<(), Error> {
        let now = self.clock.now();
        for seen in rows::free(&self.database.read(AcrossTenants), now, AT_ONCE).await? {
            let until = now.plus(LEASE);
            if !rows::take(&self.database.write(seen.tenant_id), &seen, self.holder, until).await? {
                continue;
            }
            let row = Trigger { term: seen.term + 1, ..seen };
            let (id, term, stop) = (row.id, row.term, CancellationToken::new());
            let listening = tokio::spawn(listening::listen(self.clone(), row, stop.clone()));
            if let Some(before) = held.insert(id, Held { term, stop, listening }) {
                before.stop.cancel();
            }
        }
        Ok(())
    }
}
