//! Finds what happened lately in any tenant, for those who tell all of them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX events_place ON events (xact, number, tenant_id)";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}
