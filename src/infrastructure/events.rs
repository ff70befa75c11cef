//! The one bus of what happens in tenants: `execution.*`, `credential.*` and so on. An event is stored in the transaction
//! that makes it true, so whoever follows a tenant sees each once, in order, from wherever it left off. Nothing is stored
//! for tenants that nobody listens to.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use rustc_hash::FxHashMap;
use tokio_util::sync::CancellationToken;

use super::cache::{Cache, Key};
use super::database::events::{self as rows, New};
pub use super::database::events::{NotAPlace, Place, RECORDED, Scope, Stored};
use super::database::{self, AcrossTenants, Database, Transaction};
use crate::common::{Clock, TenantId, Timestamp, WorkerId};

/// Events read at a time.
pub const PAGE: usize = 200;
/// Longest time between two looks while somebody follows.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest time after which a process knows that somebody listens in another one.
const LEARN_EVERY: Duration = Duration::from_secs(1);
/// Who goes away may come back within this time and has missed nothing.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// How often a listener says that it is still there.
const RENEW_EVERY: Duration = Duration::from_secs(600);
/// Events deleted at a time.
const PRUNED_AT_ONCE: u64 = 1000;

/// Something that happened in a tenant.
#[derive(Clone, Debug)]
pub struct Event {
    pub tenant: TenantId,
    /// `execution.succeeded`: what it is about, and what became of it.
    pub kind: &'static str,
    pub at: Timestamp,
    pub data: serde_json::Value,
}

/// Takes events and hands them on. Cheap to clone.
#[derive(Clone)]
pub struct Bus(Arc<Parts>);

struct Parts {
    database: Database,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    /// This process among the listeners.
    name: String,
    /// Tenants that somebody listens to, and until when.
    attended: RwLock<FxHashMap<TenantId, Timestamp>>,
    /// This process stops: nobody is told anything any more.
    closing: CancellationToken,
}

/// Events that are in a transaction. Once it is committed, [`Bus::announce`] tells who follows.
#[derive(Debug, Default)]
#[must_use = "followers are told by `announce`"]
pub struct Emitted(Vec<TenantId>);

impl Bus {
    pub fn new(database: Database, cache: Arc<dyn Cache>, clock: Arc<dyn Clock>) -> Bus {
        let name = format!("live:{}", WorkerId::new());
        Bus(Arc::new(Parts {
            database,
            cache,
            clock,
            name,
            attended: RwLock::default(),
            closing: CancellationToken::new(),
        }))
    }

    /// Whether anybody listens to a tenant: an event for nobody need not be made.
    pub fn is_attended(&self, tenant: TenantId) -> bool {
        let attended = self.0.attended.read().unwrap_or_else(PoisonError::into_inner);
        attended.get(&tenant).is_some_and(|until| *until > self.0.clock.now())
    }

    /// Stores events in the caller's transaction; those of tenants that nobody listens to are dropped.
    pub async fn emit(&self, transaction: &Transaction, events: Vec<Event>) -> Result<Emitted, database::Error> {
        let heard = events.into_iter().filter(|event| self.is_attended(event.tenant));
        let new: Vec<New> =
            heard.map(|Event { tenant, kind, at, data }| New { tenant, kind, at, data: data.to_string() }).collect();
        rows::append(transaction, &new).await?;
        let mut tenants: Vec<TenantId> = new.iter().map(|event| event.tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        Ok(Emitted(tenants))
    }

    /// Tells who follows, here and in other processes, that there is something to read.
    pub async fn announce(&self, emitted: Emitted) {
        for tenant in emitted.0 {
            if let Err(error) = self.0.cache.publish(&channel(tenant), Bytes::new()).await {
                tracing::debug!(%error, "followers of events look for themselves a little later");
            }
        }
    }

    /// An event that belongs to no transaction.
    pub async fn emit_alone(&self, event: Event) -> Result<(), database::Error> {
        if !self.is_attended(event.tenant) {
            return Ok(());
        }
        let transaction = self.0.database.begin(event.tenant).await?;
        let emitted = self.emit(&transaction, vec![event]).await?;
        transaction.commit().await?;
        self.announce(emitted).await;
        Ok(())
    }

    /// From now on events of this tenant are stored, in every process, for somebody of this name.
    pub async fn attend(&self, tenant: TenantId, name: &str, until: Timestamp) -> Result<(), database::Error> {
        rows::attend(&self.0.database.write(tenant), tenant, name, until).await?;
        self.note(tenant, until);
        if let Err(error) = self.0.cache.publish(&attendance(), Bytes::new()).await {
            tracing::debug!(%error, "other processes learn a little later that somebody listens");
        }
        Ok(())
    }

    /// The same for somebody who is connected to this process, and may come back.
    pub async fn attend_live(&self, tenant: TenantId) -> Result<(), database::Error> {
        let until = self.0.clock.now().plus(REMEMBERED);
        self.attend(tenant, &self.0.name, until).await
    }

    fn note(&self, tenant: TenantId, until: Timestamp) {
        let mut attended = self.0.attended.write().unwrap_or_else(PoisonError::into_inner);
        let known = attended.entry(tenant).or_insert(until);
        *known = (*known).max(until);
    }

    /// Events of a tenant after a place, in order.
    pub async fn after(&self, tenant: TenantId, place: Place, scope: Scope) -> Result<Vec<Stored>, database::Error> {
        rows::after(&self.0.database.read(tenant), tenant, place, scope, PAGE).await
    }

    /// The place of the newest event of a tenant.
    pub async fn newest(&self, tenant: TenantId, scope: Scope) -> Result<Place, database::Error> {
        rows::newest(&self.0.database.read(tenant), tenant, scope).await
    }

    /// Which tenants something happened in after a place, and up to where; and the place up to which that is known.
    pub async fn moved_after(&self, mut place: Place) -> Result<(FxHashMap<TenantId, Place>, Place), database::Error> {
        let (connection, mut moved) = (self.0.database.read(AcrossTenants), FxHashMap::default());
        loop {
            let page = rows::places_after(&connection, place, PAGE).await?;
            let is_last = page.len() < PAGE;
            place = page.last().map_or(place, |(_, last)| *last);
            moved.extend(page);
            if is_last {
                return Ok((moved, place));
            }
        }
    }

    /// The place of the newest event of all tenants.
    pub async fn newest_of_all(&self) -> Result<Place, database::Error> {
        rows::newest_of_all(&self.0.database.read(AcrossTenants)).await
    }

    /// Events of a tenant, one after the other, as long as somebody reads and this process goes on. `None`: from now on.
    /// While the database is away the stream waits.
    pub async fn follow(
        &self,
        tenant: TenantId,
        from: Option<Place>,
        scope: Scope,
    ) -> Result<impl Stream<Item = Stored> + Send + use<>, database::Error> {
        self.attend_live(tenant).await?;
        let place = match from {
            Some(place) => place,
            None => self.newest(tenant, scope).await?,
        };
        let follower =
            Follower { bus: self.clone(), tenant, scope, place, calls: None, attended: tokio::time::Instant::now() };
        let pages = stream::unfold(follower, |mut follower| async {
            let closing = follower.bus.0.closing.clone();
            let page = closing.run_until_cancelled(follower.next()).await?;
            Some((stream::iter(page), follower))
        });
        Ok(pages.flatten())
    }

    /// Learns who listens: a process that begins misses nothing for those who are remembered.
    pub async fn learn_once(&self) {
        match rows::attended(&self.0.database.read(AcrossTenants), self.0.clock.now()).await {
            Ok(attended) => attended.into_iter().for_each(|(tenant, until)| self.note(tenant, until)),
            Err(error) => tracing::warn!(%error, "who listens to events cannot be read"),
        }
    }

    /// Learns who listens in other processes, until the shutdown.
    pub async fn learn(self, shutdown: CancellationToken) {
        let mut calls = None;
        while !shutdown.is_cancelled() {
            self.learn_once().await;
            if calls.is_none() {
                calls = self.0.cache.subscribe(&attendance()).await.ok();
            }
            let next = wait(&mut calls, LEARN_EVERY);
            shutdown.run_until_cancelled(next).await;
        }
        self.0.closing.cancel();
    }

    /// Waits until this process stops: streams of events end then.
    pub async fn closing(&self) {
        self.0.closing.cancelled().await;
    }

    /// Deletes events that are older than this, and forgets who does not listen any more.
    pub async fn prune(&self, age: Duration) -> Result<(), database::Error> {
        let (connection, now) = (self.0.database.write(AcrossTenants), self.0.clock.now());
        rows::forget(&connection, now).await?;
        while rows::prune(&connection, now.minus(age), PRUNED_AT_ONCE).await? == PRUNED_AT_ONCE {}
        Ok(())
    }
}

struct Follower {
    bus: Bus,
    tenant: TenantId,
    scope: Scope,
    place: Place,
    calls: Option<stream::BoxStream<'static, Bytes>>,
    attended: tokio::time::Instant,
}

impl Follower {
    /// The next events there are.
    async fn next(&mut self) -> Vec<Stored> {
        loop {
            if self.calls.is_none() {
                self.calls = self.bus.0.cache.subscribe(&channel(self.tenant)).await.ok();
            }
            if self.attended.elapsed() > RENEW_EVERY && self.bus.attend_live(self.tenant).await.is_ok() {
                self.attended = tokio::time::Instant::now();
            }
            match self.bus.after(self.tenant, self.place, self.scope).await {
                Ok(page) if page.is_empty() => {}
                Ok(page) => {
                    self.place = page.last().map_or(self.place, |last| last.place);
                    return page;
                }
                Err(error) => tracing::warn!(%error, "events cannot be read; trying again"),
            }
            wait(&mut self.calls, LOOK_EVERY).await;
        }
    }
}

/// Until somebody calls, or for this long. A subscription that has ended is dropped.
async fn wait(calls: &mut Option<stream::BoxStream<'static, Bytes>>, longest: Duration) {
    let called = async {
        match calls {
            Some(calls) => calls.next().await.is_some(),
            None => std::future::pending().await,
        }
    };
    if tokio::time::timeout(longest, called).await == Ok(false) {
        *calls = None;
    }
}

fn channel(tenant: TenantId) -> Key {
    Key::tenant(tenant, "events", "stored")
}

fn attendance() -> Key {
    Key::global("events", "attended")
}
