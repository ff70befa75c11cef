//! Row-level security on every table there is so far.

use sea_orm_migration::prelude::*;

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        isolate(manager, "tenants", "id").await?;
        for table in [
            "tenant_hosts",
            "memberships",
            "sessions",
            "refresh_tokens",
            "api_keys",
            "audit_heads",
            "audit_events",
            "idempotency_keys",
            "workflows",
            "workflow_versions",
            "tags",
            "workflow_tags",
            "executions",
            "execution_payloads",
            "workflow_memory",
            "webhook_routes",
            "webhook_epochs",
        ] {
            isolate(manager, table, "tenant_id").await?;
        }
        Ok(())
    }
}
