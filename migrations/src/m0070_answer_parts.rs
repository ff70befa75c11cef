//! Answers in parts, on their way from the process that runs an execution to the one where somebody reads them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, text, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut key = Index::create()
            .col(ExecutionAnswerParts::TenantId)
            .col(ExecutionAnswerParts::ExecutionId)
            .col(ExecutionAnswerParts::Attempt)
            .col(ExecutionAnswerParts::Seq)
            .to_owned();
        let parts = Table::create()
            .table(ExecutionAnswerParts::Table)
            .col(uuid(ExecutionAnswerParts::TenantId))
            .col(uuid(ExecutionAnswerParts::ExecutionId))
            .col(integer(ExecutionAnswerParts::Attempt))
            .col(integer(ExecutionAnswerParts::Seq))
            .col(text(ExecutionAnswerParts::Part))
            .col(big_integer(ExecutionAnswerParts::CreatedAt))
            .primary_key(&mut key)
            .to_owned();
        manager.create_table(parts).await?;
        isolate(manager, "execution_answer_parts", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum ExecutionAnswerParts {
    Table,
    TenantId,
    ExecutionId,
    Attempt,
    Seq,
    Part,
    CreatedAt,
}
