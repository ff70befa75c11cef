//! Keeps for subscribers what happened. Only those are looked after in whose tenants something happened: a subscription to
//! which nothing happens costs nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use rustc_hash::{FxHashMap, FxHashSet};

use super::error::Error;
use super::repository::outbound::{self as rows, Subscription};
use super::subscriptions::Subscriptions;
use crate::common::error::chain;
use crate::common::{SubscriptionId, TenantId, Timestamp};
use crate::infrastructure::database::AcrossTenants;
use crate::infrastructure::events::Place;

/// Subscriptions that are looked after at the same time.
const SIDE_BY_SIDE: usize = 8;
/// All subscriptions are looked after so often, whatever happens: it is said again that they listen.
const ALL_EVERY: Duration = Duration::from_secs(3600);
/// A tenant in which something happened is looked after for so long: a subscription may begin in a transaction that is
/// still open.
const WARM: Duration = Duration::from_secs(60);

/// How far this process has seen the events of all tenants. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// `None`: nothing yet.
    place: Option<Place>,
    /// When all subscriptions were looked after.
    all_at: Timestamp,
    /// Tenants in which something happened lately: up to where, and when that was seen.
    warm: FxHashMap<TenantId, (Place, Timestamp)>,
    /// Subscriptions of which there may be more to read, or could not be read.
    behind: FxHashMap<SubscriptionId, TenantId>,
}

/// What a look at the events came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Subscriptions whose events were read.
    pub read: usize,
    /// What is to be told of them.
    pub kept: usize,
}

impl Subscriptions {
    /// Keeps for all subscribers what happened since the last time.
    pub async fn collect(&self) -> Result<Collected, Error> {
        let behind = self.behind().await?;
        let mut collected = Collected { read: behind.len(), kept: 0 };
        for some in behind.chunks(SIDE_BY_SIDE) {
            let kept = join_all(some.iter().map(|row| self.collect_for(row))).await;
            for (row, kept) in some.iter().zip(kept) {
                // What keeps one subscription back keeps no other back.
                let (kept, is_done) = kept.unwrap_or_else(|error| {
                    tracing::warn!(error = chain(&error), "events of a subscription could not be looked for");
                    (0, false)
                });
                collected.kept += kept;
                let mut seen = lock(&self.progress);
                match is_done {
                    true => seen.behind.remove(&row.id),
                    false => seen.behind.insert(row.id, row.tenant_id),
                };
            }
        }
        Ok(collected)
    }

    /// Subscriptions that may have to be told something.
    async fn behind(&self) -> Result<Vec<Subscription>, Error> {
        let (now, connection) = (self.clock.now(), self.database.read(AcrossTenants));
        let (place, all_at) = {
            let seen = lock(&self.progress);
            (seen.place, seen.all_at)
        };
        let Some(place) = place.filter(|_| now.since(all_at) < ALL_EVERY) else {
            let place = self.events.newest_of_all().await?;
            let all = rows::enabled(&connection).await?;
            let mut seen = lock(&self.progress);
            (seen.place, seen.all_at) = (Some(place.max(seen.place.unwrap_or_default())), now);
            return Ok(all);
        };
        let (moved, place) = self.events.moved_after(place).await?;
        let (warm, behind) = {
            let mut seen = lock(&self.progress);
            seen.place = seen.place.max(Some(place));
            seen.warm.retain(|_, (_, at)| now.since(*at) < WARM);
            seen.warm.extend(moved.into_iter().map(|(tenant, place)| (tenant, (place, now))));
            (seen.warm.clone(), seen.behind.clone())
        };
        let tenants: FxHashSet<TenantId> = warm.keys().chain(behind.values()).copied().collect();
        if tenants.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = rows::enabled_of(&connection, tenants).await?;
        rows.retain(|row| {
            let reached: Place = row.reached.parse().unwrap_or_default();
            let has_news = warm.get(&row.tenant_id).is_some_and(|(newest, _)| reached < *newest);
            has_news || behind.contains_key(&row.id)
        });
        // Those that are told no more are not waited for.
        lock(&self.progress).behind.retain(|id, _| rows.iter().any(|row| row.id == *id) || !behind.contains_key(id));
        Ok(rows)
    }
}

fn lock(progress: &Progress) -> MutexGuard<'_, Seen> {
    progress.0.lock().unwrap_or_else(PoisonError::into_inner)
}
