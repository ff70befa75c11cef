//! Credentials, sealed under data keys of which each tenant has its own, and the data keys, wrapped.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, integer, pk_uuid, string, string_null, text_null, uuid, uuid_null,
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
                    .table(DataKeys::Table)
                    .col(uuid(DataKeys::TenantId))
                    .col(integer(DataKeys::Version))
                    .col(string(DataKeys::KeyId))
                    .col(binary(DataKeys::Wrapped))
                    .col(big_integer(DataKeys::CreatedAt))
                    .primary_key(Index::create().col(DataKeys::TenantId).col(DataKeys::Version))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(Credentials::Table)
                    .col(pk_uuid(Credentials::Id))
                    .col(uuid(Credentials::TenantId))
                    .col(string_null(Credentials::Alias))
                    .col(string(Credentials::Name))
                    .col(string(Credentials::Kind))
                    .col(integer(Credentials::Revision))
                    .col(integer(Credentials::KeyVersion))
                    .col(binary(Credentials::Sealed))
                    .col(text_null(Credentials::AllowedHosts))
                    .col(text_null(Credentials::Workflows))
                    .col(text_null(Credentials::NodeTypes))
                    .col(string(Credentials::Status))
                    .col(text_null(Credentials::Problem))
                    .col(text_null(Credentials::Scopes))
                    .col(big_integer_null(Credentials::ExpiresAt))
                    .col(big_integer_null(Credentials::RefreshingUntil))
                    .col(big_integer(Credentials::CreatedAt))
                    .col(big_integer(Credentials::UpdatedAt))
                    .col(uuid_null(Credentials::CreatedBy))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("credentials_alias")
                    .table(Credentials::Table)
                    .col(Credentials::TenantId)
                    .col(Credentials::Alias)
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("credentials_name")
                    .table(Credentials::Table)
                    .col(Credentials::TenantId)
                    .col(Credentials::Kind)
                    .col(Credentials::Name)
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("credentials_key_version")
                    .table(Credentials::Table)
                    .col(Credentials::TenantId)
                    .col(Credentials::KeyVersion)
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("credentials_expires_at")
                    .table(Credentials::Table)
                    .col(Credentials::ExpiresAt)
                    .to_owned(),
            )
            .await?;
        isolate(manager, "data_keys", "tenant_id").await?;
        isolate(manager, "credentials", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum DataKeys {
    Table,
    TenantId,
    Version,
    KeyId,
    Wrapped,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Credentials {
    Table,
    Id,
    TenantId,
    Alias,
    Name,
    Kind,
    Revision,
    KeyVersion,
    Sealed,
    AllowedHosts,
    Workflows,
    NodeTypes,
    Status,
    Problem,
    Scopes,
    ExpiresAt,
    RefreshingUntil,
    CreatedAt,
    UpdatedAt,
    CreatedBy,
}
