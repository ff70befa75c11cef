//! Who marked a tenant for deletion: what the platform deletes its owner does not restore.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE tenants ADD COLUMN deleted_by_platform BOOLEAN NOT NULL DEFAULT false";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}
