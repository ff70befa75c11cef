//! When somebody with a connect session left for the authorisation server: who is not back in time will not come.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE connect_sessions ADD COLUMN started_at BIGINT";
        manager.get_connection().execute_unprepared(column).await.map(drop)
    }
}
