//! What the tenant's plan and settings mean for an execution: leave to begin, how it is kept, and what it counts for.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use async_trait::async_trait;

use super::attempt::Attempt;
use super::error::Error;
use super::executor::Executor;
use super::model::{Mode, Status};
use super::repository as rows;
use crate::common::TenantId;
use crate::domains::tenants::{self, Admission, Gauge, Limit, Profile, Settings, Usage};
use crate::infrastructure::database;
use crate::infrastructure::telemetry::tenant_label;

/// What an attempt knows of its tenant.
#[derive(Debug, Default)]
pub(super) struct Tenancy {
    profile: OnceLock<Arc<Profile>>,
}

impl Tenancy {
    pub(super) fn admitted(&self, admission: Admission) {
        let _ = self.profile.set(admission.profile);
    }

    /// None where the tenant could not be looked up.
    pub(super) fn settings(&self) -> Option<&Settings> {
        self.profile.get().map(|profile| &profile.settings)
    }
}

/// Tenants whose executions this process left in the queue because nothing of theirs runs.
#[derive(Default)]
pub(super) struct Stopped(Mutex<HashSet<TenantId>>);

impl Stopped {
    fn tenants(&self) -> MutexGuard<'_, HashSet<TenantId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor {
    /// Asks whether the tenant may begin another execution.
    /// What other executions begin is not refused because they run.
    pub(super) async fn admit(&self, tenant: TenantId, mode: Mode) -> Result<Admission, Error> {
        let admission = self.0.programs.tenants().admit(tenant).await?;
        if matches!(mode, Mode::Integrated | Mode::Error) {
            return Ok(admission);
        }
        // Whoever comes at the same moment is accepted, too, and waits in the queue: there are never more that run.
        if let Some(allowed) = admission.profile.limits.concurrent_executions
            && rows::running(&self.0.database.read(tenant), tenant, None).await? >= allowed
        {
            return Err(tenants::Error::LimitReached { limit: Limit::Concurrency, allowed }.into());
        }
        Ok(admission)
    }

    /// Whether executions of the tenant may go on. One that cannot be looked up is taken to be as it was; one that may not is
    /// remembered.
    pub(super) async fn is_at_work(&self, tenant: TenantId) -> bool {
        let profile = self.0.programs.tenants().profile(tenant).await;
        let is_stopped = profile.is_ok_and(|profile| profile.require_active().is_err());
        if is_stopped {
            self.0.stopped.tenants().insert(tenant);
        }
        !is_stopped
    }

    /// Lets the queued executions of tenants that were stopped, and are no longer, be told to the workers.
    pub(super) async fn call_back(&self) -> Result<(), Error> {
        let stopped: Vec<TenantId> = self.0.stopped.tenants().drain().collect();
        for tenant in stopped {
            if self.is_at_work(tenant).await {
                rows::tell_again(&self.0.database.write(tenant), tenant).await?;
            }
        }
        Ok(())
    }

    /// Looks up the tenant of an attempt that went on from an earlier one.
    pub(super) async fn introduce(&self, attempt: &Attempt) {
        if attempt.tenancy.profile.get().is_some() {
            return;
        }
        match self.0.programs.tenants().profile(attempt.row.tenant_id).await {
            Ok(profile) => drop(attempt.tenancy.profile.set(profile)),
            Err(error) => tracing::warn!(%error, "the settings of a tenant could not be read; the server's are used"),
        }
    }

    /// Counts what an attempt has used.
    pub(super) fn meter(&self, attempt: &Attempt, status: Status, started: Instant) {
        // What another workflow calls counts with its caller; a pause is no end.
        let is_counted = status.is_terminal() && attempt.row.mode != Mode::Integrated;
        let failed = is_counted && matches!(status, Status::Error | Status::Crashed);
        let usage = Usage {
            executions: is_counted.into(),
            failed_executions: failed.into(),
            node_runs: i64::try_from(attempt.node_runs()).unwrap_or(i64::MAX),
            compute_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
            ..Usage::default()
        };
        let tenant = attempt.row.tenant_id;
        if is_counted {
            let outcome = if failed { "failed" } else { "ok" };
            let label = tenant_label(tenant);
            metrics::counter!("millrace_tenant_executions_total", "tenant" => label, "outcome" => outcome).increment(1);
        }
        self.0.programs.tenants().count(tenant, usage);
    }
}

#[async_trait]
impl Gauge for Executor {
    async fn stored_bytes(&self, tenant: TenantId) -> Result<i64, database::Error> {
        rows::stored_bytes(&self.0.database.read(tenant), tenant).await
    }

    async fn unfinished(&self, tenant: TenantId) -> Result<i64, database::Error> {
        let count = rows::unfinished(&self.0.database.read(tenant), tenant).await?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    async fn let_go(&self, tenant: TenantId) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.clear_tenant(tenant).await?)
    }
}
