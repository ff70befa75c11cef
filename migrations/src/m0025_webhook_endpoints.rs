//! What is known of webhook nodes beside their routes: who may call them and how often, and who listens to test calls.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary_null, integer, pk_uuid, string, text, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(WebhookEndpoints::Table)
                    .col(pk_uuid(WebhookEndpoints::Id))
                    .col(uuid(WebhookEndpoints::TenantId))
                    .col(uuid(WebhookEndpoints::WorkflowId))
                    .col(string(WebhookEndpoints::NodeKey))
                    .col(string(WebhookEndpoints::Node))
                    .col(string(WebhookEndpoints::Path))
                    .col(text(WebhookEndpoints::Settings))
                    .col(binary_null(WebhookEndpoints::Secrets))
                    .col(big_integer(WebhookEndpoints::CreatedAt))
                    .col(big_integer(WebhookEndpoints::UpdatedAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(WebhookEndpoints::Table, WebhookEndpoints::WorkflowId)
                            .to(Workflows::Table, Workflows::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("webhook_endpoints_node")
                    .table(WebhookEndpoints::Table)
                    .col(WebhookEndpoints::WorkflowId)
                    .col(WebhookEndpoints::NodeKey)
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("webhook_endpoints_tenant")
                    .table(WebhookEndpoints::Table)
                    .col(WebhookEndpoints::TenantId)
                    .col(WebhookEndpoints::Id)
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(WebhookListeners::Table)
                    .col(pk_uuid(WebhookListeners::Id))
                    .col(uuid(WebhookListeners::TenantId))
                    .col(string(WebhookListeners::Method))
                    .col(string(WebhookListeners::Path))
                    .col(uuid(WebhookListeners::WorkflowId))
                    .col(uuid(WebhookListeners::VersionId))
                    .col(string(WebhookListeners::Node))
                    .col(uuid(WebhookListeners::Call))
                    .col(integer(WebhookListeners::Output))
                    .col(big_integer(WebhookListeners::ExpiresAt))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("webhook_listeners_tenant")
                    .table(WebhookListeners::Table)
                    .col(WebhookListeners::TenantId)
                    .col(WebhookListeners::ExpiresAt)
                    .to_owned(),
            )
            .await?;
        isolate(manager, "webhook_endpoints", "tenant_id").await?;
        isolate(manager, "webhook_listeners", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum Workflows {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum WebhookEndpoints {
    Table,
    Id,
    TenantId,
    WorkflowId,
    NodeKey,
    Node,
    Path,
    Settings,
    Secrets,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum WebhookListeners {
    Table,
    Id,
    TenantId,
    Method,
    Path,
    WorkflowId,
    VersionId,
    Node,
    Call,
    Output,
    ExpiresAt,
}
