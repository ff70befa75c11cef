//! People on their way to an authorisation server and back.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, binary, integer, pk_uuid, string, uuid, uuid_null};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(OauthFlows::Table)
                    .col(pk_uuid(OauthFlows::Id))
                    .col(uuid(OauthFlows::TenantId))
                    .col(uuid(OauthFlows::CredentialId))
                    .col(uuid_null(OauthFlows::UserId))
                    .col(uuid_null(OauthFlows::SessionId))
                    .col(binary(OauthFlows::StateHash))
                    .col(binary(OauthFlows::BrowserHash))
                    .col(integer(OauthFlows::KeyVersion))
                    .col(binary(OauthFlows::SealedVerifier))
                    .col(string(OauthFlows::RedirectUri))
                    .col(big_integer(OauthFlows::CreatedAt))
                    .col(big_integer(OauthFlows::ExpiresAt))
                    .col(big_integer_null(OauthFlows::UsedAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(OauthFlows::Table, OauthFlows::CredentialId)
                            .to(Credentials::Table, Credentials::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("oauth_flows_state")
                    .table(OauthFlows::Table)
                    .col(OauthFlows::StateHash)
                    .unique()
                    .to_owned(),
            )
            .await?;
        isolate(manager, "oauth_flows", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum Credentials {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum OauthFlows {
    Table,
    Id,
    TenantId,
    CredentialId,
    UserId,
    SessionId,
    StateHash,
    BrowserHash,
    KeyVersion,
    SealedVerifier,
    RedirectUri,
    CreatedAt,
    ExpiresAt,
    UsedAt,
}
