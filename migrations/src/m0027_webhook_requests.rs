//! The log of webhooks' requests and answers.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary, binary_null, pk_uuid, small_integer, string, string_null, text, uuid, uuid_null,
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
                    .table(WebhookRequests::Table)
                    .col(pk_uuid(WebhookRequests::Id))
                    .col(uuid(WebhookRequests::TenantId))
                    .col(uuid(WebhookRequests::WebhookId))
                    .col(big_integer(WebhookRequests::ReceivedAt))
                    .col(string(WebhookRequests::Method))
                    .col(text(WebhookRequests::Target))
                    .col(string_null(WebhookRequests::Address))
                    .col(small_integer(WebhookRequests::Status))
                    .col(string(WebhookRequests::Outcome))
                    .col(big_integer(WebhookRequests::Micros))
                    .col(uuid_null(WebhookRequests::ExecutionId))
                    .col(text(WebhookRequests::Searched))
                    .col(binary(WebhookRequests::Request))
                    .col(binary_null(WebhookRequests::Response))
                    .foreign_key(
                        ForeignKey::create()
                            .from(WebhookRequests::Table, WebhookRequests::WebhookId)
                            .to(WebhookEndpoints::Table, WebhookEndpoints::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for (name, columns) in [
            ("webhook_requests_webhook", vec![WebhookRequests::WebhookId, WebhookRequests::Id]),
            ("webhook_requests_age", vec![WebhookRequests::ReceivedAt]),
        ] {
            let mut index = Index::create();
            index.name(name).table(WebhookRequests::Table);
            for column in columns {
                index.col(column);
            }
            manager.create_index(index.to_owned()).await?;
        }
        isolate(manager, "webhook_requests", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum WebhookEndpoints {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum WebhookRequests {
    Table,
    Id,
    TenantId,
    WebhookId,
    ReceivedAt,
    Method,
    Target,
    Address,
    Status,
    Outcome,
    Micros,
    ExecutionId,
    Searched,
    Request,
    Response,
}
