//! What an execution's limit of concurrency is counted by, beside its workflow.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE executions ADD COLUMN concurrency_key TEXT";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}
