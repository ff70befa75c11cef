//! Schema changes, one file each, in order. Every one runs on SQLite and PostgreSQL alike; a landed file never changes.

mod isolation;
mod m0001_tenants_and_users;
mod m0002_sessions_and_keys;
mod m0003_audit;
mod m0004_idempotency;
mod m0005_workflows;
mod m0006_executions;
mod m0007_webhooks;
mod m0008_accounts;
mod m0009_single_sign_on;
mod m0010_isolation;
mod m0011_audit_evidence;
mod m0012_plans;
mod m0013_invitations_and_roles;
mod m0014_credentials;
mod m0015_oauth_flows;
mod m0016_connect_sessions;
mod m0017_journal;
mod m0018_answers;
mod m0019_dispatches;
mod m0022_schedules;
mod m0025_webhook_endpoints;
mod m0026_webhook_queue;
mod m0027_webhook_requests;
mod m0030_data_tables;
mod m0031_audit_pruning;
mod m0032_connect_session_starts;
mod m0040_webhook_subscriptions;
mod m0041_webhook_forms;
mod m0042_triggers;
mod m0045_events;
mod m0046_labels_and_jobs;
mod m0050_deletion_by_platform;
mod m0060_unfinished_executions;
mod m0060_worker_pools;
mod m0061_binaries;
mod m0065_concurrency_keys;
mod m0070_answer_parts;
mod m0071_events_in_order;
mod m0075_callers_put_aside;

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::MigratorTrait;

/// The list of all changes.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_tenants_and_users::Migration),
            Box::new(m0002_sessions_and_keys::Migration),
            Box::new(m0003_audit::Migration),
            Box::new(m0004_idempotency::Migration),
            Box::new(m0005_workflows::Migration),
            Box::new(m0006_executions::Migration),
            Box::new(m0007_webhooks::Migration),
            Box::new(m0008_accounts::Migration),
            Box::new(m0009_single_sign_on::Migration),
            Box::new(m0010_isolation::Migration),
            Box::new(m0011_audit_evidence::Migration),
            Box::new(m0012_plans::Migration),
            Box::new(m0013_invitations_and_roles::Migration),
            Box::new(m0014_credentials::Migration),
            Box::new(m0015_oauth_flows::Migration),
            Box::new(m0016_connect_sessions::Migration),
            Box::new(m0017_journal::Migration),
            Box::new(m0018_answers::Migration),
            Box::new(m0019_dispatches::Migration),
            Box::new(m0022_schedules::Migration),
            Box::new(m0025_webhook_endpoints::Migration),
            Box::new(m0026_webhook_queue::Migration),
            Box::new(m0027_webhook_requests::Migration),
            Box::new(m0030_data_tables::Migration),
            Box::new(m0031_audit_pruning::Migration),
            Box::new(m0032_connect_session_starts::Migration),
            Box::new(m0040_webhook_subscriptions::Migration),
            Box::new(m0041_webhook_forms::Migration),
            Box::new(m0042_triggers::Migration),
            Box::new(m0045_events::Migration),
            Box::new(m0046_labels_and_jobs::Migration),
            Box::new(m0050_deletion_by_platform::Migration),
            Box::new(m0060_unfinished_executions::Migration),
            Box::new(m0060_worker_pools::Migration),
            Box::new(m0061_binaries::Migration),
            Box::new(m0065_concurrency_keys::Migration),
            Box::new(m0070_answer_parts::Migration),
            Box::new(m0071_events_in_order::Migration),
            Box::new(m0075_callers_put_aside::Migration),
        ]
    }
}
