//! Pools of workers: which one an execution is for, and which one a process works for. No index is needed for what is queued:
//! `executions_new` has it, and it is little.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, string};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["executions", "execution_dispatches", "workers"] {
            let pool = string("pool").default("default").to_owned();
            manager.alter_table(Table::alter().table(Alias::new(table)).add_column(pool).to_owned()).await?;
        }
        let slots = integer("slots").default(0).to_owned();
        manager.alter_table(Table::alter().table("workers").add_column(slots).to_owned()).await?;
        manager
            .drop_index(Index::drop().name("execution_dispatches_order").table("execution_dispatches").to_owned())
            .await?;
        let order = Index::create()
            .name("execution_dispatches_order")
            .table("execution_dispatches")
            .col("pool")
            .col("tenant_id")
            .col("rank")
            .col("execution_id")
            .to_owned();
        manager.create_index(order).await
    }
}
