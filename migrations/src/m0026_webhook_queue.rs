//! Webhooks that are queued before their workflow runs: the queue, which workflow wants which event, and the secrets that
//! prove the senders.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, integer, pk_uuid, string, string_null, text, text_null, uuid, uuid_null,
};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(WebhookQueue::Table)
                    .col(pk_uuid(WebhookQueue::Id))
                    .col(uuid(WebhookQueue::TenantId))
                    .col(uuid(WebhookQueue::WorkflowId))
                    .col(string_null(WebhookQueue::Event))
                    .col(text(WebhookQueue::Payload))
                    .col(string_null(WebhookQueue::Delivery))
                    .col(string(WebhookQueue::Status))
                    .col(integer(WebhookQueue::Attempts))
                    .col(big_integer_null(WebhookQueue::DueAt))
                    .col(uuid_null(WebhookQueue::ExecutionId))
                    .col(text_null(WebhookQueue::Error))
                    .col(big_integer(WebhookQueue::CreatedAt))
                    .col(big_integer(WebhookQueue::UpdatedAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(WebhookQueue::Table, WebhookQueue::WorkflowId)
                            .to(Workflows::Table, Workflows::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for (name, columns, is_unique) in [
            ("webhook_queue_due", vec![WebhookQueue::DueAt], false),
            ("webhook_queue_tenant", vec![WebhookQueue::TenantId, WebhookQueue::Status, WebhookQueue::Id], false),
            (
                "webhook_queue_delivery",
                vec![WebhookQueue::TenantId, WebhookQueue::WorkflowId, WebhookQueue::Delivery],
                true,
            ),
        ] {
            let mut index = Index::create();
            index.name(name).table(WebhookQueue::Table);
            for column in columns {
                index.col(column);
            }
            if is_unique {
                index.unique();
            }
            manager.create_index(index.to_owned()).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table(WebhookEvents::Table)
                    .col(uuid(WebhookEvents::TenantId))
                    .col(string(WebhookEvents::Event))
                    .col(uuid(WebhookEvents::WorkflowId))
                    .primary_key(
                        Index::create()
                            .col(WebhookEvents::TenantId)
                            .col(WebhookEvents::Event)
                            .col(WebhookEvents::WorkflowId),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from(WebhookEvents::Table, WebhookEvents::WorkflowId)
                            .to(Workflows::Table, Workflows::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(WebhookReceivers::Table)
                    .col(pk_uuid(WebhookReceivers::TenantId))
                    .col(binary(WebhookReceivers::Secrets))
                    .col(big_integer(WebhookReceivers::UpdatedAt))
                    .to_owned(),
            )
            .await?;
        for table in ["webhook_queue", "webhook_events", "webhook_receivers"] {
            isolate(manager, table, "tenant_id").await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Workflows {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum WebhookQueue {
    Table,
    Id,
    TenantId,
    WorkflowId,
    Event,
    Payload,
    Delivery,
    Status,
    Attempts,
    DueAt,
    ExecutionId,
    Error,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum WebhookEvents {
    Table,
    TenantId,
    Event,
    WorkflowId,
}

#[derive(DeriveIden)]
enum WebhookReceivers {
    Table,
    TenantId,
    Secrets,
    UpdatedAt,
}
