//! Answers that a caller waits for in one process while its execution runs in another.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, text_null, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let answers = Table::create()
            .table(ExecutionAnswers::Table)
            .col(uuid(ExecutionAnswers::TenantId))
            .col(uuid(ExecutionAnswers::ExecutionId))
            .col(string(ExecutionAnswers::Interest))
            .col(text_null(ExecutionAnswers::Answer))
            .col(big_integer(ExecutionAnswers::CreatedAt))
            .primary_key(Index::create().col(ExecutionAnswers::TenantId).col(ExecutionAnswers::ExecutionId))
            .to_owned();
        manager.create_table(answers).await?;
        isolate(manager, "execution_answers", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum ExecutionAnswers {
    Table,
    TenantId,
    ExecutionId,
    Interest,
    Answer,
    CreatedAt,
}
