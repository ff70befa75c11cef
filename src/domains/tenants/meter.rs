//! Counts what tenants use, and says when it is enough. Counting is a few additions in memory; whoever commits executions
//! stores the counts in the same transaction, once a second, so they cost next to nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::error::Error;
use super::plan::Limit;
use super::profile::Profile;
use super::repository;
use super::service::Service;
use super::usage::{Day, Usage};
use crate::common::TenantId;
use crate::infrastructure::database::{self, AcrossTenants, Transaction};

/// What other processes count is seen after this time.
const STANDING_LIFE: Duration = Duration::from_secs(5);
/// How often counts go along with executions that are being committed.
const STORE_EVERY: Duration = Duration::from_secs(1);
/// Rows per tenant and day, so that processes do not wait for each other's.
const SHARDS: u32 = 16;

/// Shared by everything that counts. Cheap to clone.
#[derive(Clone)]
pub(super) struct Meter(Arc<Parts>);

struct Parts {
    shard: i16,
    pending: Mutex<HashMap<(TenantId, Day), Usage>>,
    /// When counts were last taken to be stored.
    taken: Mutex<Option<Instant>>,
    standings: Cache<TenantId, Arc<Standing>>,
}

/// What a tenant had used when it was looked up, and what this process has begun since.
struct Standing {
    executions: AtomicI64,
    ai_cost_micros: i64,
    storage_bytes: i64,
}

/// Leave to run one execution.
#[derive(Debug)]
pub struct Admission {
    pub profile: Arc<Profile>,
}

/// Counts on their way to the database; back in memory when this is dropped before they are [`Taken::settled`].
pub struct Taken {
    meter: Meter,
    counts: HashMap<(TenantId, Day), Usage>,
}

impl Meter {
    pub(super) fn new() -> Meter {
        let shard = u32::from_be_bytes(crate::infrastructure::crypto::random_bytes::<4>().unwrap_or_default()) % SHARDS;
        Meter(Arc::new(Parts {
            shard: i16::try_from(shard).unwrap_or_default(),
            pending: Mutex::default(),
            taken: Mutex::default(),
            standings: Cache::builder().max_capacity(100_000).time_to_live(STANDING_LIFE).build(),
        }))
    }

    fn add(&self, tenant: TenantId, day: Day, usage: Usage) {
        lock(&self.0.pending).entry((tenant, day)).or_default().add(usage);
    }

    /// What is counted and not stored yet.
    fn pending_of(&self, tenant: TenantId) -> Usage {
        let pending = lock(&self.0.pending);
        let own = pending.iter().filter(|((of, _), _)| *of == tenant);
        own.fold(Usage::default(), |sum, (_, usage)| sum.plus(*usage))
    }
}

impl Service {
    /// Asks whether the tenant may begin another execution. How many run at a time is for whoever runs them.
    pub async fn admit(&self, tenant: TenantId) -> Result<Admission, Error> {
        let profile = self.profile(tenant).await?;
        profile.require_active()?;
        let limits = &profile.limits;
        if limits.executions_per_month.is_some() || limits.storage_bytes.is_some() {
            let standing = self.standing(&profile, tenant).await?;
            if let Some(allowed) = limits.storage_bytes.filter(|allowed| at_least(standing.storage_bytes, *allowed)) {
                return Err(Error::LimitReached { limit: Limit::Storage, allowed });
            }
            if let Some(allowed) = limits.executions_per_month
                && at_least(standing.executions.fetch_add(1, Ordering::Relaxed), allowed)
            {
                standing.executions.fetch_sub(1, Ordering::Relaxed);
                return Err(Error::LimitReached { limit: Limit::Executions, allowed });
            }
        }
        Ok(Admission { profile })
    }

    /// Counts what an execution has used. Never waits.
    pub fn count(&self, tenant: TenantId, usage: Usage) {
        self.meter.add(tenant, Day::of(self.clock.now()), usage);
    }

    /// Asks whether the tenant may spend on AI.
    pub async fn admit_ai(&self, tenant: TenantId) -> Result<(), Error> {
        let profile = self.profile(tenant).await?;
        profile.require_active()?;
        let Some(allowed) = profile.limits.ai_cost_micros_per_month else { return Ok(()) };
        let mine = self.meter.pending_of(tenant).ai_cost_micros;
        let standing = self.standing(&profile, tenant).await?;
        if at_least(standing.ai_cost_micros.saturating_add(mine), allowed) {
            return Err(Error::LimitReached { limit: Limit::AiCost, allowed });
        }
        Ok(())
    }

    /// The counts that are not stored yet, to be stored in the caller's transaction; none where some were taken just now.
    pub fn take_due_counts(&self) -> Taken {
        if lock(&self.meter.0.taken).is_some_and(|taken| taken.elapsed() < STORE_EVERY) {
            return Taken { meter: self.meter.clone(), counts: HashMap::new() };
        }
        self.take_counts()
    }

    fn take_counts(&self) -> Taken {
        *lock(&self.meter.0.taken) = Some(Instant::now());
        let counts = std::mem::take(&mut *lock(&self.meter.0.pending));
        Taken { meter: self.meter.clone(), counts }
    }

    /// Stores what is counted; for when no execution is being committed.
    pub async fn store_counts(&self) -> Result<(), Error> {
        let taken = self.take_counts();
        if taken.counts.is_empty() {
            return Ok(());
        }
        let transaction = self.database.begin(AcrossTenants).await?;
        taken.store(&transaction).await?;
        transaction.commit().await?;
        taken.settled();
        Ok(())
    }

    async fn standing(&self, profile: &Profile, tenant: TenantId) -> Result<Arc<Standing>, Error> {
        let now = Day::of(self.clock.now());
        let look = async {
            // What is counted here and not stored yet first: counting it twice is safer than not at all.
            let pending = self.meter.pending_of(tenant);
            let connection = self.database.read(tenant);
            let used = repository::usage_since(&connection, tenant, now.month_start()).await?;
            let unfinished = match profile.limits.executions_per_month {
                Some(_) => self.unfinished(tenant).await?,
                None => 0,
            };
            let storage_bytes = match profile.limits.storage_bytes {
                Some(_) => self.stored_bytes(tenant).await?,
                None => 0,
            };
            Ok::<_, Error>(Arc::new(Standing {
                executions: AtomicI64::new(
                    used.executions.saturating_add(pending.executions).saturating_add(unfinished),
                ),
                // Pending costs are added where they are asked for.
                ai_cost_micros: used.ai_cost_micros,
                storage_bytes,
            }))
        };
        if let Some(known) = self.meter.0.standings.get(&tenant) {
            return Ok(known);
        }
        let standing = look.await?;
        self.meter.0.standings.insert(tenant, Arc::clone(&standing));
        Ok(standing)
    }

    /// After a change of the plan: what was looked up for the old one counts no more.
    pub(super) fn forget_standing(&self, tenant: TenantId) {
        self.meter.0.standings.invalidate(&tenant);
    }
}

impl Taken {
    /// Adds the counts to those in the database: one statement.
    pub async fn store(&self, transaction: &Transaction) -> Result<(), database::Error> {
        if self.counts.is_empty() {
            return Ok(());
        }
        let rows = self.counts.iter().map(|((tenant, day), usage)| (*tenant, *day, *usage)).collect();
        repository::add_usage(transaction, self.meter.0.shard, rows).await
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// They are committed.
    pub fn settled(mut self) {
        self.counts.clear();
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        for ((tenant, day), usage) in self.counts.drain() {
            self.meter.add(tenant, day, usage);
        }
    }
}

fn at_least(used: i64, allowed: u64) -> bool {
    u64::try_from(used).is_ok_and(|used| used >= allowed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
