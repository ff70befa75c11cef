//! The audit log: numbered and chained per tenant.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, pk_uuid, string, string_null, text_null, uuid, uuid_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(AuditHeads::Table)
                    .col(pk_uuid(AuditHeads::TenantId))
                    .col(big_integer(AuditHeads::Sequence))
                    .col(binary(AuditHeads::Mac))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(AuditEvents::Table)
                    .col(pk_uuid(AuditEvents::Id))
                    .col(uuid(AuditEvents::TenantId))
                    .col(big_integer(AuditEvents::Sequence))
                    .col(big_integer(AuditEvents::OccurredAt))
                    .col(string(AuditEvents::ActorKind))
                    .col(uuid_null(AuditEvents::UserId))
                    .col(uuid_null(AuditEvents::ApiKeyId))
                    .col(string(AuditEvents::Action))
                    .col(string(AuditEvents::ResourceKind))
                    .col(string(AuditEvents::ResourceId))
                    .col(text_null(AuditEvents::Before))
                    .col(text_null(AuditEvents::After))
                    .col(string_null(AuditEvents::Address))
                    .col(string(AuditEvents::RequestId))
                    .col(binary(AuditEvents::Mac))
                    .to_owned(),
            )
            .await?;
        for (name, column, unique) in [
            ("audit_events_sequence", AuditEvents::Sequence, true),
            ("audit_events_newest", AuditEvents::Id, false),
            ("audit_events_resource", AuditEvents::ResourceId, false),
        ] {
            let mut index = Index::create();
            index.name(name).table(AuditEvents::Table).col(AuditEvents::TenantId).col(column);
            if unique {
                index.unique();
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum AuditHeads {
    Table,
    TenantId,
    Sequence,
    Mac,
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Id,
    TenantId,
    Sequence,
    OccurredAt,
    ActorKind,
    UserId,
    ApiKeyId,
    Action,
    ResourceKind,
    ResourceId,
    Before,
    After,
    Address,
    RequestId,
    Mac,
}
