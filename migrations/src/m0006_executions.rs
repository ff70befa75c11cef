//! Executions: the rows that lists read, their payloads apart, the processes that own running ones, and what workflows
//! remember between executions. No foreign keys here: these tables take thousands of rows a second.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary_null, integer, pk_uuid, string, string_null, text, text_null, uuid, uuid_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_sqlite = manager.get_database_backend() == sea_orm::DbBackend::Sqlite;
        let mut executions = executions();
        if is_sqlite {
            // The rows themselves lie in the order of their key: one tree fewer to write.
            executions.extra("WITHOUT ROWID");
        }
        manager.create_table(executions).await?;
        for (name, columns) in [
            ("executions_workflow", [Executions::TenantId, Executions::WorkflowId, Executions::Id]),
            ("executions_status", [Executions::TenantId, Executions::Status, Executions::Id]),
        ] {
            let mut index = Index::create();
            index.name(name).table(Executions::Table);
            for column in columns {
                index.col(column);
            }
            manager.create_index(index).await?;
        }
        let connection = manager.get_connection();
        for partial in [
            "CREATE INDEX executions_unfinished ON executions (owner) WHERE status IN ('new', 'running')",
            "CREATE INDEX executions_waiting ON executions (wait_until) WHERE status = 'waiting'",
        ] {
            connection.execute_unprepared(partial).await?;
        }
        manager.create_table(payloads()).await?;
        manager.create_table(workers()).await?;
        manager.create_table(memory()).await
    }
}

fn executions() -> TableCreateStatement {
    Table::create()
        .table(Executions::Table)
        .col(uuid(Executions::TenantId))
        .col(uuid(Executions::Id))
        .col(uuid(Executions::WorkflowId))
        .col(uuid(Executions::VersionId))
        .col(string(Executions::Mode))
        .col(string(Executions::Status))
        .col(integer(Executions::Attempt))
        .col(uuid_null(Executions::Owner))
        .col(big_integer(Executions::CreatedAt))
        .col(big_integer_null(Executions::StartedAt))
        .col(big_integer_null(Executions::StoppedAt))
        .col(big_integer_null(Executions::WaitUntil))
        .col(uuid_null(Executions::ParentId))
        .col(uuid_null(Executions::RetryOf))
        .col(uuid_null(Executions::RetrySuccessId))
        .col(string_null(Executions::LastNode))
        .col(text_null(Executions::Error))
        .primary_key(Index::create().col(Executions::TenantId).col(Executions::Id))
        .to_owned()
}

fn payloads() -> TableCreateStatement {
    Table::create()
        .table(ExecutionPayloads::Table)
        .col(uuid(ExecutionPayloads::TenantId))
        .col(uuid(ExecutionPayloads::ExecutionId))
        .col(binary_null(ExecutionPayloads::Data))
        .col(binary_null(ExecutionPayloads::State))
        .primary_key(Index::create().col(ExecutionPayloads::TenantId).col(ExecutionPayloads::ExecutionId))
        .to_owned()
}

fn workers() -> TableCreateStatement {
    Table::create()
        .table(Workers::Table)
        .col(pk_uuid(Workers::Id))
        .col(big_integer(Workers::StartedAt))
        .col(big_integer(Workers::LeaseUntil))
        .to_owned()
}

fn memory() -> TableCreateStatement {
    Table::create()
        .table(WorkflowMemory::Table)
        .col(uuid(WorkflowMemory::TenantId))
        .col(uuid(WorkflowMemory::WorkflowId))
        .col(string(WorkflowMemory::Key))
        .col(text(WorkflowMemory::Value))
        .col(big_integer(WorkflowMemory::UpdatedAt))
        .primary_key(
            Index::create().col(WorkflowMemory::TenantId).col(WorkflowMemory::WorkflowId).col(WorkflowMemory::Key),
        )
        .to_owned()
}

#[derive(Clone, Copy, DeriveIden)]
enum Executions {
    Table,
    TenantId,
    Id,
    WorkflowId,
    VersionId,
    Mode,
    Status,
    Attempt,
    Owner,
    CreatedAt,
    StartedAt,
    StoppedAt,
    WaitUntil,
    ParentId,
    RetryOf,
    RetrySuccessId,
    LastNode,
    Error,
}

#[derive(DeriveIden)]
enum ExecutionPayloads {
    Table,
    TenantId,
    ExecutionId,
    Data,
    State,
}

#[derive(DeriveIden)]
enum Workers {
    Table,
    Id,
    StartedAt,
    LeaseUntil,
}

#[derive(DeriveIden)]
enum WorkflowMemory {
    Table,
    TenantId,
    WorkflowId,
    Key,
    Value,
    UpdatedAt,
}
