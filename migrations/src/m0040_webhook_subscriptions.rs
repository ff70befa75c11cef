//! Webhooks that this server sends: who subscribed to what, what happened, and every attempt to tell of it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, boolean, integer, pk_uuid, small_integer_null, string, string_null, text,
    text_null, uuid,
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
                    .table(WebhookSubscriptions::Table)
                    .col(pk_uuid(WebhookSubscriptions::Id))
                    .col(uuid(WebhookSubscriptions::TenantId))
                    .col(string(WebhookSubscriptions::Name))
                    .col(text(WebhookSubscriptions::Url))
                    .col(text(WebhookSubscriptions::Events))
                    .col(boolean(WebhookSubscriptions::Ordered))
                    .col(binary(WebhookSubscriptions::Secrets))
                    .col(string(WebhookSubscriptions::Reached))
                    .col(big_integer_null(WebhookSubscriptions::FailingSince))
                    .col(integer(WebhookSubscriptions::Warned))
                    .col(big_integer_null(WebhookSubscriptions::DisabledAt))
                    .col(string_null(WebhookSubscriptions::DisabledReason))
                    .col(big_integer(WebhookSubscriptions::CreatedAt))
                    .col(big_integer(WebhookSubscriptions::UpdatedAt))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(WebhookDeliveries::Table)
                    .col(pk_uuid(WebhookDeliveries::Id))
                    .col(uuid(WebhookDeliveries::TenantId))
                    .col(uuid(WebhookDeliveries::SubscriptionId))
                    .col(string(WebhookDeliveries::Event))
                    .col(text(WebhookDeliveries::Payload))
                    .col(string(WebhookDeliveries::Status))
                    .col(integer(WebhookDeliveries::Attempts))
                    .col(big_integer_null(WebhookDeliveries::DueAt))
                    .col(big_integer(WebhookDeliveries::CreatedAt))
                    .col(big_integer(WebhookDeliveries::UpdatedAt))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(WebhookAttempts::Table)
                    .col(pk_uuid(WebhookAttempts::Id))
                    .col(uuid(WebhookAttempts::TenantId))
                    .col(uuid(WebhookAttempts::DeliveryId))
                    .col(big_integer(WebhookAttempts::AttemptedAt))
                    .col(small_integer_null(WebhookAttempts::Status))
                    .col(text_null(WebhookAttempts::Error))
                    .col(text_null(WebhookAttempts::Answer))
                    .col(big_integer(WebhookAttempts::Micros))
                    .foreign_key(
                        ForeignKey::create()
                            .from(WebhookAttempts::Table, WebhookAttempts::DeliveryId)
                            .to(WebhookDeliveries::Table, WebhookDeliveries::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        let index = |name: &str| Index::create().name(name).to_owned();
        for statement in [
            index("webhook_subscriptions_tenant")
                .table(WebhookSubscriptions::Table)
                .col(WebhookSubscriptions::TenantId)
                .col(WebhookSubscriptions::Id)
                .to_owned(),
            index("webhook_deliveries_due").table(WebhookDeliveries::Table).col(WebhookDeliveries::DueAt).to_owned(),
            index("webhook_deliveries_subscription")
                .table(WebhookDeliveries::Table)
                .col(WebhookDeliveries::SubscriptionId)
                .col(WebhookDeliveries::Id)
                .to_owned(),
            index("webhook_attempts_delivery")
                .table(WebhookAttempts::Table)
                .col(WebhookAttempts::DeliveryId)
                .col(WebhookAttempts::Id)
                .to_owned(),
        ] {
            manager.create_index(statement).await?;
        }
        for table in ["webhook_subscriptions", "webhook_deliveries", "webhook_attempts"] {
            isolate(manager, table, "tenant_id").await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum WebhookSubscriptions {
    Table,
    Id,
    TenantId,
    Name,
    Url,
    Events,
    Ordered,
    Secrets,
    Reached,
    FailingSince,
    Warned,
    DisabledAt,
    DisabledReason,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum WebhookDeliveries {
    Table,
    Id,
    TenantId,
    SubscriptionId,
    Event,
    Payload,
    Status,
    Attempts,
    DueAt,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum WebhookAttempts {
    Table,
    Id,
    TenantId,
    DeliveryId,
    AttemptedAt,
    Status,
    Error,
    Answer,
    Micros,
}
