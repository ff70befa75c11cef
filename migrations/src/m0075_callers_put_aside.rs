//! What the caller of an execution waits for, while it is put aside.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::uuid_null;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let waits_for = Table::alter().table("executions").add_column(uuid_null("waits_for")).to_owned();
        manager.alter_table(waits_for).await?;
        let sql = "CREATE INDEX executions_waits_for ON executions (tenant_id, waits_for) WHERE waits_for IS NOT NULL";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}
