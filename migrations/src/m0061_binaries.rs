//! Large binaries, whose bytes are in a store of their own. No foreign keys: the rows outlive their executions until the store
//! has let go of the bytes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, boolean, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let binaries = Table::create()
            .table("execution_binaries")
            .col(uuid("tenant_id"))
            .col(uuid("id"))
            .col(uuid("execution_id"))
            .col(big_integer("bytes"))
            .col(big_integer("created_at"))
            .col(boolean("doomed").default(false))
            .primary_key(Index::create().col("tenant_id").col("id"))
            .to_owned();
        manager.create_table(binaries).await?;
        let of_execution = Index::create()
            .name("execution_binaries_execution")
            .table("execution_binaries")
            .col("tenant_id")
            .col("execution_id")
            .to_owned();
        manager.create_index(of_execution).await?;
        isolate(manager, "execution_binaries", "tenant_id").await
    }
}
