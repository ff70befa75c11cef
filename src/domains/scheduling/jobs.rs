//! The scheduler: any number of processes may run it. It fires what is due as soon as it is, and sees to what waits for
//! the end of an execution: queued firings, and schedules that fail again and again.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::firing::is_watched;
use super::model::{Outcome, State};
use super::repository::{self as rows, Firing, Row};
use super::service::Service;
use crate::common::{Ctx, FiringId, ScheduleId, TenantId, Timestamp};
use crate::domains::audit::Change;
use crate::infrastructure::database::AcrossTenants;

/// What is due is in another scheduler's hands at the moment.
const TAKEN: Duration = Duration::from_millis(20);
/// Pause after the database failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the database is asked for the time.
const AGREE_EVERY: Duration = Duration::from_secs(5);
/// How often the ends of executions are looked for.
const SETTLE_EVERY: Duration = Duration::from_millis(500);
/// Schedules looked at in one go.
const SETTLE: u64 = 500;

impl Service {
    /// Fires and settles until the shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        tokio::join!(self.fire_all(&shutdown), self.settle_all(&shutdown));
    }

    /// Now, as all schedulers have it: the database's time, where it has one. Clocks of machines differ.
    fn agreed_now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().as_millis().saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// Measures how far this machine's clock is from the database's.
    async fn agree(&self) -> Result<(), Error> {
        if !self.config.database_clock {
            return Ok(());
        }
        if let Some(theirs) = self.database.now().await? {
            let offset = theirs.as_millis().saturating_sub(self.clock.now().as_millis());
            self.offset.store(offset, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn fire_all(&self, shutdown: &CancellationToken) {
        let (mut agreed_at, mut agrees) = (Instant::now(), false);
        loop {
            if !agrees || agreed_at.elapsed() > AGREE_EVERY {
                agrees = self.agree().await.inspect_err(|error| tracing::error!(%error, "no time to be had")).is_ok();
                agreed_at = Instant::now();
            }
            let wait = match self.fire_next().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "due schedules could not be fired; trying again");
                    PAUSE
                }
            };
            if shutdown.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    /// Fires a batch of what is due. Gives how long there is nothing to do.
    async fn fire_next(&self) -> Result<Duration, Error> {
        let poll = Duration::from_millis(self.config.poll_ms);
        let now = self.agreed_now();
        match rows::next_fire(&self.database.read(AcrossTenants)).await? {
            None => Ok(poll),
            Some(next) if next > now => Ok(next.since(now).min(poll)),
            Some(_) if self.firer.fire_due(now, self.config.batch).await? == 0 => Ok(TAKEN),
            Some(_) => Ok(Duration::ZERO),
        }
    }

    /// Fires everything that is due by now. For tests, which move the clock themselves.
    pub async fn fire_everything_due(&self) -> Result<usize, Error> {
        let mut fired = 0;
        loop {
            match self.firer.fire_due(self.clock.now(), self.config.batch).await? {
                0 => return Ok(fired),
                count => fired += count,
            }
        }
    }

    async fn settle_all(&self, shutdown: &CancellationToken) {
        loop {
            if let Err(error) = self.settle().await {
                tracing::error!(%error, "the ends of scheduled executions could not be looked for; trying again");
            }
            if shutdown.run_until_cancelled(tokio::time::sleep(SETTLE_EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// One round over all schedules with open firings.
    pub async fn settle(&self) -> Result<(), Error> {
        let mut above = None;
        loop {
            let some = rows::schedules_with_open_firings(&self.database.read(AcrossTenants), above, SETTLE).await?;
            let open = rows::open_firings(&self.database.read(AcrossTenants), some.iter().map(|(_, id)| *id)).await?;
            let over = self.firer.over(&open).await?;
            for (tenant, id) in &some {
                let mut own = open.iter().filter(|firing| firing.schedule_id == *id);
                let ended = own.clone().any(|firing| over.contains_key(&firing.id));
                // Without a look at the rows under lock: nothing to do while one runs.
                if ended || own.all(|firing| firing.outcome == Outcome::Queued) {
                    self.settle_one(*tenant, *id).await?;
                }
            }
            above = some.last().map(|(_, id)| *id);
            if some.len() < usize::try_from(SETTLE).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// Closes firings whose executions are over, counts failures, and begins the next firing that waits.
    async fn settle_one(&self, tenant: TenantId, id: ScheduleId) -> Result<(), Error> {
        let now = self.clock.now();
        let transaction = self.database.begin(tenant).await?;
        let Some(mut row) = rows::lock(&transaction, tenant, id).await? else { return Ok(()) };
        let open = rows::open_firings(&transaction, [id]).await?;
        let over = self.firer.over(&open).await?;
        let ended: Vec<FiringId> = open.iter().map(|firing| firing.id).filter(|id| over.contains_key(id)).collect();
        rows::close(&transaction, tenant, &ended).await?;
        for id in &ended {
            row.failures = if over.get(id).is_some_and(|failed| *failed) { row.failures.saturating_add(1) } else { 0 };
        }
        let pauses = self.pause_failing(&mut row, now);
        let left: Vec<&Firing> = open.iter().filter(|firing| !over.contains_key(&firing.id)).collect();
        let mut prepared = Vec::new();
        if let Some(next) = next_queued(&left).filter(|_| row.state != State::Paused && row.version_id.is_some()) {
            match self.firer.prepare(&row, next.due_at).await {
                Ok(execution) => {
                    rows::begin(&transaction, tenant, next.id, execution.id(), now).await?;
                    prepared.push(execution);
                }
                Err(Error::Database(error)) => return Err(error.into()),
                Err(error) => rows::give_up(&transaction, tenant, next.id, &error.to_string()).await?,
            }
            self.firer.executions.executor().store_within(&transaction, &prepared).await?;
        }
        if !ended.is_empty() {
            let change = Change::new("schedule.pause", id).after(&serde_json::json!({ "reason": row.pause_reason }));
            rows::update(&transaction, row).await?;
            if pauses {
                self.audit.record(&transaction, &Ctx::system(tenant), change).await?;
            }
        }
        transaction.commit().await?;
        self.firer.executions.executor().announce(prepared);
        Ok(())
    }

    /// Pauses a schedule whose executions failed too often. `true`: it was not paused before.
    fn pause_failing(&self, row: &mut Row, now: Timestamp) -> bool {
        let fails = is_watched(row) && row.pause_after > 0 && row.failures >= row.pause_after;
        if !fails || row.state == State::Paused {
            return false;
        }
        tracing::warn!(schedule = %row.id, failures = row.failures, "a schedule that keeps failing is paused");
        row.pause_reason = Some(format!("{} executions in a row failed", row.failures));
        row.paused_at = Some(now);
        row.disarm(State::Paused);
        true
    }

    /// Deletes history that is older than the configuration says.
    pub async fn prune(&self) -> Result<u64, Error> {
        let life = Duration::from_secs(self.config.history_days.saturating_mul(86_400));
        Ok(rows::prune(&self.database.write(AcrossTenants), self.clock.now().minus(life)).await?)
    }
}

/// The firing that has waited longest, where nothing runs.
fn next_queued<'a>(left: &[&'a Firing]) -> Option<&'a Firing> {
    let first = left.first()?;
    left.iter().all(|firing| firing.outcome == Outcome::Queued).then_some(*first)
}
