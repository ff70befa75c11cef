//! Invitations to connect an account on a hosted page.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary, integer, pk_uuid, string, string_null, text_null, uuid, uuid_null,
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
                    .table(ConnectSessions::Table)
                    .col(pk_uuid(ConnectSessions::Id))
                    .col(uuid(ConnectSessions::TenantId))
                    .col(binary(ConnectSessions::TokenHash))
                    .col(string(ConnectSessions::Kind))
                    .col(string(ConnectSessions::Name))
                    .col(string_null(ConnectSessions::EndUser))
                    .col(text_null(ConnectSessions::AllowedHosts))
                    .col(integer(ConnectSessions::KeyVersion))
                    .col(binary(ConnectSessions::Sealed))
                    .col(string(ConnectSessions::Status))
                    .col(string_null(ConnectSessions::Problem))
                    .col(uuid_null(ConnectSessions::CredentialId))
                    .col(big_integer(ConnectSessions::CreatedAt))
                    .col(uuid_null(ConnectSessions::CreatedBy))
                    .col(big_integer(ConnectSessions::ExpiresAt))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("connect_sessions_token")
                    .table(ConnectSessions::Table)
                    .col(ConnectSessions::TokenHash)
                    .unique()
                    .to_owned(),
            )
            .await?;
        isolate(manager, "connect_sessions", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum ConnectSessions {
    Table,
    Id,
    TenantId,
    TokenHash,
    Kind,
    Name,
    EndUser,
    AllowedHosts,
    KeyVersion,
    Sealed,
    Status,
    Problem,
    CredentialId,
    CreatedAt,
    CreatedBy,
    ExpiresAt,
}
