//! Single sign-on: a tenant's identity provider, whose people are whom, and sign-ins on their way.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, binary_null, boolean, pk_uuid, string, text, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(IdentityProviders::Table)
                    .col(pk_uuid(IdentityProviders::TenantId))
                    .col(string(IdentityProviders::Issuer))
                    .col(string(IdentityProviders::ClientId))
                    .col(binary_null(IdentityProviders::ClientSecret))
                    .col(text(IdentityProviders::Scopes))
                    .col(text(IdentityProviders::EmailDomains))
                    .col(boolean(IdentityProviders::CreateMembers))
                    .col(string(IdentityProviders::DefaultRole))
                    .col(big_integer(IdentityProviders::UpdatedAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(IdentityProviders::Table, IdentityProviders::TenantId)
                            .to(Tenants::Table, Tenants::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        isolate(manager, "identity_providers", "tenant_id").await?;
        manager
            .create_table(
                Table::create()
                    .table(Identities::Table)
                    .col(uuid(Identities::TenantId))
                    .col(string(Identities::Issuer))
                    .col(string(Identities::Subject))
                    .col(uuid(Identities::UserId))
                    .primary_key(
                        Index::create().col(Identities::TenantId).col(Identities::Issuer).col(Identities::Subject),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from_tbl(Identities::Table)
                            .from_col(Identities::TenantId)
                            .from_col(Identities::UserId)
                            .to_tbl(Memberships::Table)
                            .to_col(Memberships::TenantId)
                            .to_col(Memberships::UserId)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        isolate(manager, "identities", "tenant_id").await?;
        manager
            .create_table(
                Table::create()
                    .table(SsoLogins::Table)
                    .col(binary(SsoLogins::State).primary_key())
                    .col(uuid(SsoLogins::TenantId))
                    .col(binary(SsoLogins::Browser))
                    .col(binary(SsoLogins::Verifier))
                    .col(string(SsoLogins::Nonce))
                    .col(big_integer(SsoLogins::ExpiresAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(SsoLogins::Table, SsoLogins::TenantId)
                            .to(Tenants::Table, Tenants::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        isolate(manager, "sso_logins", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Memberships {
    Table,
    TenantId,
    UserId,
}

#[derive(DeriveIden)]
enum IdentityProviders {
    Table,
    TenantId,
    Issuer,
    ClientId,
    ClientSecret,
    Scopes,
    EmailDomains,
    CreateMembers,
    DefaultRole,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum Identities {
    Table,
    TenantId,
    Issuer,
    Subject,
    UserId,
}

#[derive(DeriveIden)]
enum SsoLogins {
    Table,
    State,
    TenantId,
    Browser,
    Verifier,
    Nonce,
    ExpiresAt,
}
