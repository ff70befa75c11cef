//! What a tenant may use, what it has used, whether it works at all; and who administers the platform.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, small_integer, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for column in [
            "settings TEXT NOT NULL DEFAULT '{}'",
            "plan TEXT",
            "limits TEXT",
            "status TEXT NOT NULL DEFAULT 'active'",
            "status_reason TEXT",
            "delete_after BIGINT",
        ] {
            connection.execute_unprepared(&format!("ALTER TABLE tenants ADD COLUMN {column}")).await?;
        }
        let mut usage = Table::create();
        usage.table(TenantUsage::Table).col(uuid(TenantUsage::TenantId)).col(big_integer(TenantUsage::Day));
        usage.col(small_integer(TenantUsage::Shard));
        for counter in [
            TenantUsage::Executions,
            TenantUsage::FailedExecutions,
            TenantUsage::NodeRuns,
            TenantUsage::ComputeMs,
            TenantUsage::StorageBytes,
            TenantUsage::AiCostMicros,
        ] {
            usage.col(big_integer(counter).default(0));
        }
        usage.primary_key(Index::create().col(TenantUsage::TenantId).col(TenantUsage::Day).col(TenantUsage::Shard));
        manager.create_table(usage.to_owned()).await?;
        isolate(manager, "tenant_usage", "tenant_id").await?;
        manager
            .create_table(
                Table::create()
                    .table(PlatformAdministrators::Table)
                    .col(uuid(PlatformAdministrators::UserId).primary_key())
                    .col(big_integer(PlatformAdministrators::CreatedAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(PlatformAdministrators::Table, PlatformAdministrators::UserId)
                            .to(Users::Table, Users::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }
}

#[derive(DeriveIden)]
enum TenantUsage {
    Table,
    TenantId,
    Day,
    Shard,
    Executions,
    FailedExecutions,
    NodeRuns,
    ComputeMs,
    StorageBytes,
    AiCostMicros,
}

#[derive(DeriveIden)]
enum PlatformAdministrators {
    Table,
    UserId,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}
