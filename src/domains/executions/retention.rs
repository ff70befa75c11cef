//! Deletes executions that are over and that their tenant does not want to keep any longer: those that are too old, and the
//! oldest of those that are too many. A few at a time, so that nobody waits for it.

use std::time::Duration;

use super::error::Error;
use super::executor::Executor;
use super::repository::{self as rows, Expired};
use crate::common::TenantId;

/// Executions deleted in one transaction.
const AT_ONCE: u64 = 500;
const DAY: Duration = Duration::from_secs(86_400);

impl Executor {
    /// Deletes what is not to be kept of any tenant; says how many executions. Any number of processes may do it at once.
    pub async fn prune(&self) -> Result<u64, Error> {
        let mut deleted = 0;
        for (tenant, _) in self.0.programs.tenants().all().await? {
            let settings = &self.0.programs.tenants().profile(tenant).await?.settings;
            let server = &self.0.config;
            let days =
                settings.execution_retention_days.or_else(|| Some(server.retention_days).filter(|days| *days > 0));
            let count =
                settings.execution_retention_count.or_else(|| Some(server.retention_count).filter(|count| *count > 0));
            if let Some(days) = days {
                deleted += self.delete(tenant, Expired::Before(self.0.clock.now().minus(DAY * days))).await?;
            }
            if let Some(count) = count
                && let Some(last) = rows::last_kept(&self.0.database.read(tenant), tenant, count).await?
            {
                deleted += self.delete(tenant, Expired::Below(last)).await?;
            }
        }
        if deleted > 0 {
            metrics::counter!("millrace_executions_pruned_total").increment(deleted);
            tracing::info!(deleted, "executions that are not to be kept any longer were deleted");
        }
        Ok(deleted)
    }

    async fn delete(&self, tenant: TenantId, expired: Expired) -> Result<u64, Error> {
        let mut deleted = 0;
        loop {
            let ids = rows::expired(&self.0.database.read(tenant), tenant, expired, AT_ONCE).await?;
            let found = u64::try_from(ids.len()).unwrap_or(u64::MAX);
            if found > 0 {
                let transaction = self.0.database.begin(tenant).await?;
                rows::delete_many(&transaction, tenant, &ids).await?;
                transaction.commit().await?;
            }
            deleted += found;
            if found < AT_ONCE {
                return Ok(deleted);
            }
        }
    }
}
