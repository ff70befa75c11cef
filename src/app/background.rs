//! What a process does beside requests, by its roles.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::App;
use crate::domains::{credentials, webhooks};
use crate::infrastructure::config::Role;

/// Expired rows harm nobody but take room.
const PRUNE_INTERVAL: Duration = Duration::from_secs(3600);
/// Who follows a tenant's events may be away for so long.
const EVENTS_KEPT: Duration = Duration::from_secs(7 * 86_400);

impl App {
    /// Starts what runs beside requests, as far as this process has the role for it. Ends when `shutdown` is cancelled.
    pub fn start_background(&self, roles: &[Role], shutdown: &CancellationToken) -> TaskTracker {
        let tasks = TaskTracker::new();
        tasks.spawn(self.database.clone().move_log(shutdown.clone()));
        tasks.spawn(self.metrics.clone().upkeep(shutdown.clone()));
        tasks.spawn(self.events.clone().learn(shutdown.clone()));
        self.executions.executor().start_background(roles.contains(&Role::Worker), shutdown, &tasks);
        if roles.contains(&Role::Api) {
            tasks.spawn(self.webhook_routes.clone().follow(shutdown.clone()));
        }
        tasks.spawn(self.tenants.as_ref().clone().store_regularly(shutdown.clone()));
        if roles.contains(&Role::Worker) {
            tasks.spawn(webhooks::Service::clone(&self.webhooks).work_on_queue(shutdown.clone()));
            tasks.spawn(webhooks::Subscriptions::clone(&self.subscriptions).deliver(shutdown.clone()));
        }
        if roles.contains(&Role::Scheduler) {
            tasks.spawn(self.schedules.as_ref().clone().run(shutdown.clone()));
            tasks.spawn(self.triggers.as_ref().clone().run(shutdown.clone()));
            tasks.spawn(self.clone().prune_regularly(shutdown.clone()));
            tasks.spawn(credentials::Service::clone(&self.credentials).upkeep(shutdown.clone()));
        }
        tasks.close();
        tasks
    }

    /// Deletes what has expired. Any number of processes may do it at once.
    async fn prune_regularly(self, shutdown: CancellationToken) {
        let answers = Duration::from_secs(self.config.limits.idempotency_seconds);
        loop {
            if let Err(error) = self.executions.executor().prune().await {
                tracing::warn!(%error, "executions that are not to be kept could not be deleted");
            }
            if let Err(error) = self.executions.executor().clear_binaries().await {
                tracing::warn!(%error, "binaries that nobody needs could not be deleted; that is tried again");
            }
            if let Err(error) = self.events.prune(EVENTS_KEPT).await {
                tracing::warn!(%error, "old events could not be pruned");
            }
            if let Err(error) = self.idempotency_keys.prune(answers).await {
                tracing::warn!(%error, "used idempotency keys could not be pruned");
            }
            if let Err(error) = self.auth.rotate_signing_keys().await {
                tracing::warn!(%error, "the keys that sign access tokens could not be rotated");
            }
            if let Err(error) = self.auth.prune().await {
                tracing::warn!(%error, "expired logins could not be pruned");
            }
            if let Err(error) = self.tenants.erase_due().await {
                tracing::warn!(%error, "tenants whose grace period is over could not be deleted");
            }
            if let Err(error) = self.tenants.prune_audit().await {
                tracing::warn!(%error, "old rows of audit logs could not be deleted");
            }
            if let Err(error) = self.tenants.meter_storage().await {
                tracing::warn!(%error, "what tenants store could not be noted");
            }
            if let Err(error) = self.audit.checkpoint_all().await {
                tracing::warn!(%error, "checkpoints of the audit log could not be signed");
            }
            if let Err(error) = self.schedules.prune().await {
                tracing::warn!(%error, "the history of schedules could not be pruned");
            }
            if let Err(error) = self.subscriptions.prune().await {
                tracing::warn!(%error, "events that were told could not be pruned");
            }
            if let Err(error) = self.webhooks.prune().await {
                tracing::warn!(%error, "webhooks that are over could not be pruned");
            }
            if let Err(error) = self.credentials.prune().await {
                tracing::warn!(%error, "account connections that are over could not be pruned");
            }
            if shutdown.run_until_cancelled(tokio::time::sleep(PRUNE_INTERVAL)).await.is_none() {
                return;
            }
        }
    }
}
