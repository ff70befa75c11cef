//! Answers kept for repeated `Idempotency-Key`s.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, binary_null, small_integer_null, string_null, uuid};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(IdempotencyKeys::Table)
                    .col(uuid(IdempotencyKeys::TenantId))
                    .col(binary(IdempotencyKeys::KeyHash))
                    .col(binary(IdempotencyKeys::Fingerprint))
                    .col(big_integer(IdempotencyKeys::CreatedAt))
                    .col(small_integer_null(IdempotencyKeys::Status))
                    .col(string_null(IdempotencyKeys::ContentType))
                    .col(binary_null(IdempotencyKeys::Body))
                    .primary_key(Index::create().col(IdempotencyKeys::TenantId).col(IdempotencyKeys::KeyHash))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idempotency_keys_age")
                    .table(IdempotencyKeys::Table)
                    .col(IdempotencyKeys::CreatedAt)
                    .to_owned(),
            )
            .await
    }
}

#[derive(DeriveIden)]
enum IdempotencyKeys {
    Table,
    TenantId,
    KeyHash,
    Fingerprint,
    CreatedAt,
    Status,
    ContentType,
    Body,
}
