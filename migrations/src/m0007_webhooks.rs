//! Webhook routes of active workflows: which method and path of a tenant begins which version at which node.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, pk_uuid, string, uuid};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(WebhookRoutes::Table)
                    .col(pk_uuid(WebhookRoutes::Id))
                    .col(uuid(WebhookRoutes::TenantId))
                    .col(string(WebhookRoutes::Method))
                    .col(string(WebhookRoutes::Path))
                    .col(string(WebhookRoutes::Shape))
                    .col(uuid(WebhookRoutes::WorkflowId))
                    .col(uuid(WebhookRoutes::VersionId))
                    .col(string(WebhookRoutes::Node))
                    .col(integer(WebhookRoutes::Output))
                    .col(big_integer(WebhookRoutes::CreatedAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(WebhookRoutes::Table, WebhookRoutes::WorkflowId)
                            .to(Workflows::Table, Workflows::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("webhook_routes_shape")
                    .table(WebhookRoutes::Table)
                    .col(WebhookRoutes::TenantId)
                    .col(WebhookRoutes::Method)
                    .col(WebhookRoutes::Shape)
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("webhook_routes_workflow")
                    .table(WebhookRoutes::Table)
                    .col(WebhookRoutes::WorkflowId)
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(WebhookEpochs::Table)
                    .col(pk_uuid(WebhookEpochs::TenantId))
                    .col(big_integer(WebhookEpochs::Epoch))
                    .to_owned(),
            )
            .await
    }
}

#[derive(DeriveIden)]
enum Workflows {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum WebhookRoutes {
    Table,
    Id,
    TenantId,
    Method,
    Path,
    Shape,
    WorkflowId,
    VersionId,
    Node,
    Output,
    CreatedAt,
}

#[derive(DeriveIden)]
enum WebhookEpochs {
    Table,
    TenantId,
    Epoch,
}
