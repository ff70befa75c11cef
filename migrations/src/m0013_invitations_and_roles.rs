//! Invitations to tenants, and roles that tenants make themselves.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, binary_uniq, pk_uuid, string, text, uuid, uuid_null};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(Roles::Table)
                    .col(pk_uuid(Roles::Id))
                    .col(uuid(Roles::TenantId))
                    .col(string(Roles::Name))
                    .col(text(Roles::Permissions))
                    .col(big_integer(Roles::CreatedAt))
                    .col(big_integer(Roles::UpdatedAt))
                    .foreign_key(&mut of_tenant(Roles::Table, Roles::TenantId))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("roles_name")
                    .table(Roles::Table)
                    .col(Roles::TenantId)
                    .col(Roles::Name)
                    .unique()
                    .to_owned(),
            )
            .await?;
        isolate(manager, "roles", "tenant_id").await?;
        manager
            .create_table(
                Table::create()
                    .table(Invitations::Table)
                    .col(pk_uuid(Invitations::Id))
                    .col(uuid(Invitations::TenantId))
                    .col(string(Invitations::Email))
                    .col(string(Invitations::Role))
                    .col(uuid_null(Invitations::RoleId))
                    .col(binary_uniq(Invitations::TokenHash))
                    .col(uuid_null(Invitations::InvitedBy))
                    .col(big_integer(Invitations::CreatedAt))
                    .col(big_integer(Invitations::ExpiresAt))
                    .col(big_integer_null(Invitations::AcceptedAt))
                    .foreign_key(&mut of_tenant(Invitations::Table, Invitations::TenantId))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("invitations_newest")
                    .table(Invitations::Table)
                    .col(Invitations::TenantId)
                    .col(Invitations::Id)
                    .to_owned(),
            )
            .await?;
        isolate(manager, "invitations", "tenant_id").await?;
        manager
            .alter_table(Table::alter().table(Memberships::Table).add_column(uuid_null(Memberships::RoleId)).to_owned())
            .await
    }
}

fn of_tenant<T: IntoIden + 'static>(table: T, tenant: T) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_tbl(table.into_iden())
        .from_col(tenant.into_iden())
        .to_tbl(Tenants::Table)
        .to_col(Tenants::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

#[derive(DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Memberships {
    Table,
    RoleId,
}

#[derive(DeriveIden)]
enum Roles {
    Table,
    Id,
    TenantId,
    Name,
    Permissions,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum Invitations {
    Table,
    Id,
    TenantId,
    Email,
    Role,
    RoleId,
    TokenHash,
    InvitedBy,
    CreatedAt,
    ExpiresAt,
    AcceptedAt,
}
