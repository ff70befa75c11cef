//! What is ready for a worker, apart from the executions themselves: used where PostgreSQL is the queue. And how urgent an
//! execution is.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let priority = integer(Executions::Priority).default(0).to_owned();
        manager.alter_table(Table::alter().table(Executions::Table).add_column(priority).to_owned()).await?;
        let dispatches = Table::create()
            .table(ExecutionDispatches::Table)
            .col(uuid(ExecutionDispatches::TenantId))
            .col(uuid(ExecutionDispatches::ExecutionId))
            .col(big_integer(ExecutionDispatches::Rank))
            .primary_key(Index::create().col(ExecutionDispatches::TenantId).col(ExecutionDispatches::ExecutionId))
            .to_owned();
        manager.create_table(dispatches).await?;
        let order = Index::create()
            .name("execution_dispatches_order")
            .table(ExecutionDispatches::Table)
            .col(ExecutionDispatches::TenantId)
            .col(ExecutionDispatches::Rank)
            .col(ExecutionDispatches::ExecutionId)
            .to_owned();
        manager.create_index(order).await?;
        isolate(manager, "execution_dispatches", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum Executions {
    Table,
    Priority,
}

#[derive(DeriveIden)]
enum ExecutionDispatches {
    Table,
    TenantId,
    ExecutionId,
    Rank,
}
