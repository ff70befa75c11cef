//! Data tables of tenants: their columns, and their rows as JSON.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, pk_uuid, string, text, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(DataTables::Table)
                    .col(pk_uuid(DataTables::Id))
                    .col(uuid(DataTables::TenantId))
                    .col(string(DataTables::Name))
                    .col(text(DataTables::Columns))
                    .col(big_integer(DataTables::LastRow))
                    .col(big_integer(DataTables::RowCount))
                    .col(big_integer(DataTables::CreatedAt))
                    .col(big_integer(DataTables::UpdatedAt))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("data_tables_name")
                    .table(DataTables::Table)
                    .col(DataTables::TenantId)
                    .col(DataTables::Name)
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(DataTableRows::Table)
                    .col(uuid(DataTableRows::TableId))
                    .col(big_integer(DataTableRows::Id))
                    .col(uuid(DataTableRows::TenantId))
                    .col(text(DataTableRows::Data))
                    .col(big_integer(DataTableRows::CreatedAt))
                    .col(big_integer(DataTableRows::UpdatedAt))
                    .primary_key(Index::create().col(DataTableRows::TableId).col(DataTableRows::Id))
                    .foreign_key(
                        ForeignKey::create()
                            .from(DataTableRows::Table, DataTableRows::TableId)
                            .to(DataTables::Table, DataTables::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        isolate(manager, "data_tables", "tenant_id").await?;
        isolate(manager, "data_table_rows", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum DataTables {
    Table,
    Id,
    TenantId,
    Name,
    Columns,
    LastRow,
    RowCount,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum DataTableRows {
    Table,
    TableId,
    Id,
    TenantId,
    Data,
    CreatedAt,
    UpdatedAt,
}
