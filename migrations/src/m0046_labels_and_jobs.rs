//! What people and workflows write on executions, and work on many executions at once. No foreign keys: the tables of
//! executions take thousands of rows a second.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, pk_uuid, string, text, text_null, uuid, uuid_null};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let labels = Table::create()
            .table(ExecutionLabels::Table)
            .col(uuid(ExecutionLabels::TenantId))
            .col(uuid(ExecutionLabels::ExecutionId))
            .col(string(ExecutionLabels::Kind))
            .col(string(ExecutionLabels::Name))
            .col(text(ExecutionLabels::Value))
            .primary_key(
                Index::create()
                    .col(ExecutionLabels::TenantId)
                    .col(ExecutionLabels::ExecutionId)
                    .col(ExecutionLabels::Kind)
                    .col(ExecutionLabels::Name),
            )
            .to_owned();
        manager.create_table(labels).await?;
        let by_name = Index::create()
            .name("execution_labels_name")
            .table(ExecutionLabels::Table)
            .col(ExecutionLabels::TenantId)
            .col(ExecutionLabels::Kind)
            .col(ExecutionLabels::Name)
            .col(ExecutionLabels::ExecutionId)
            .to_owned();
        manager.create_index(by_name).await?;
        manager.create_table(jobs()).await?;
        // Rows come in the order of their times: where the database has an index for that, it costs next to nothing.
        let by_time = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => "CREATE INDEX executions_created ON executions USING brin (created_at)",
            _ => "CREATE INDEX executions_created ON executions (tenant_id, created_at)",
        };
        manager.get_connection().execute_unprepared(by_time).await?;
        for table in ["execution_labels", "execution_jobs"] {
            isolate(manager, table, "tenant_id").await?;
        }
        Ok(())
    }
}

fn jobs() -> TableCreateStatement {
    Table::create()
        .table(ExecutionJobs::Table)
        .col(pk_uuid(ExecutionJobs::Id))
        .col(uuid(ExecutionJobs::TenantId))
        .col(string(ExecutionJobs::Action))
        .col(text(ExecutionJobs::Filter))
        .col(string(ExecutionJobs::Status))
        .col(uuid_null(ExecutionJobs::Place))
        .col(big_integer(ExecutionJobs::Done))
        .col(big_integer(ExecutionJobs::Failed))
        .col(text_null(ExecutionJobs::Error))
        .col(big_integer(ExecutionJobs::CreatedAt))
        .col(big_integer_null(ExecutionJobs::EndedAt))
        .col(big_integer(ExecutionJobs::LeaseUntil))
        .to_owned()
}

#[derive(DeriveIden)]
enum ExecutionLabels {
    Table,
    TenantId,
    ExecutionId,
    Kind,
    Name,
    Value,
}

#[derive(DeriveIden)]
enum ExecutionJobs {
    Table,
    Id,
    TenantId,
    Action,
    Filter,
    Status,
    Place,
    Done,
    Failed,
    Error,
    CreatedAt,
    EndedAt,
    LeaseUntil,
}
