//! What a running execution has done so far, so that another process can go on with it, and what became of the processes
//! that ran it. No foreign keys: these tables are written on the way of every effect.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, integer, string, uuid, uuid_null};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            integer(Executions::Crashes).default(0).to_owned(),
            big_integer(Executions::QueuedAt).default(0).to_owned(),
        ] {
            manager.alter_table(Table::alter().table(Executions::Table).add_column(column).to_owned()).await?;
        }
        let journal = Table::create()
            .table(ExecutionJournal::Table)
            .col(uuid(ExecutionJournal::TenantId))
            .col(uuid(ExecutionJournal::ExecutionId))
            .col(integer(ExecutionJournal::Seq))
            .col(binary(ExecutionJournal::Entries))
            .primary_key(
                Index::create()
                    .col(ExecutionJournal::TenantId)
                    .col(ExecutionJournal::ExecutionId)
                    .col(ExecutionJournal::Seq),
            )
            .to_owned();
        manager.create_table(journal).await?;
        let incidents = Table::create()
            .table(ExecutionIncidents::Table)
            .col(uuid(ExecutionIncidents::TenantId))
            .col(uuid(ExecutionIncidents::ExecutionId))
            .col(integer(ExecutionIncidents::Attempt))
            .col(big_integer(ExecutionIncidents::At))
            .col(uuid_null(ExecutionIncidents::Worker))
            .col(string(ExecutionIncidents::Kind))
            .primary_key(
                Index::create()
                    .col(ExecutionIncidents::TenantId)
                    .col(ExecutionIncidents::ExecutionId)
                    .col(ExecutionIncidents::Attempt),
            )
            .to_owned();
        manager.create_table(incidents).await?;
        for table in ["execution_journal", "execution_incidents"] {
            isolate(manager, table, "tenant_id").await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Executions {
    Table,
    Crashes,
    QueuedAt,
}

#[derive(DeriveIden)]
enum ExecutionJournal {
    Table,
    TenantId,
    ExecutionId,
    Seq,
    Entries,
}

#[derive(DeriveIden)]
enum ExecutionIncidents {
    Table,
    TenantId,
    ExecutionId,
    Attempt,
    At,
    Worker,
    Kind,
}
