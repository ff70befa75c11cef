//! Indexes of the executions that are not over. SQLite uses a partial index only where the query repeats its condition word
//! for word, so there is one for each state.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            "DROP INDEX executions_unfinished",
            "CREATE INDEX executions_running ON executions (owner) WHERE status = 'running'",
            "CREATE INDEX executions_new ON executions (created_at) WHERE status = 'new'",
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
