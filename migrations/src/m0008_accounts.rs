//! Accounts: verified addresses, second factors, links by mail, the keys that sign tokens, and what is known of a session.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, boolean, pk_uuid, string, string_null, text_null, uuid,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, Users::Table, big_integer_null(Users::EmailVerifiedAt)).await?;
        add(manager, Users::Table, boolean(Users::EmailPending).default(false).take()).await?;
        add(manager, Sessions::Table, string(Sessions::Method).default("password").take()).await?;
        add(manager, Sessions::Table, string_null(Sessions::Address)).await?;
        add(manager, Sessions::Table, text_null(Sessions::UserAgent)).await?;
        add(manager, Sessions::Table, big_integer_null(Sessions::RefreshedAt)).await?;
        add(manager, ApiKeys::Table, big_integer_null(ApiKeys::RequestsPerMinute)).await?;
        manager
            .create_index(Index::create().name("sessions_user").table(Sessions::Table).col(Sessions::UserId).to_owned())
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(SigningKeys::Table)
                    .col(string(SigningKeys::Id).primary_key())
                    .col(binary(SigningKeys::Seed))
                    .col(big_integer(SigningKeys::CreatedAt))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(OneTimeTokens::Table)
                    .col(binary(OneTimeTokens::Hash).primary_key())
                    .col(string(OneTimeTokens::Purpose))
                    .col(uuid(OneTimeTokens::UserId))
                    .col(big_integer(OneTimeTokens::ExpiresAt))
                    .foreign_key(&mut user_key(OneTimeTokens::Table, OneTimeTokens::UserId))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("one_time_tokens_user")
                    .table(OneTimeTokens::Table)
                    .col(OneTimeTokens::UserId)
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(SecondFactors::Table)
                    .col(pk_uuid(SecondFactors::UserId))
                    .col(binary(SecondFactors::Secret))
                    .col(big_integer(SecondFactors::CreatedAt))
                    .col(big_integer_null(SecondFactors::ConfirmedAt))
                    .col(big_integer(SecondFactors::LastStep))
                    .foreign_key(&mut user_key(SecondFactors::Table, SecondFactors::UserId))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(RecoveryCodes::Table)
                    .col(binary(RecoveryCodes::Hash).primary_key())
                    .col(uuid(RecoveryCodes::UserId))
                    .foreign_key(&mut user_key(RecoveryCodes::Table, RecoveryCodes::UserId))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("recovery_codes_user")
                    .table(RecoveryCodes::Table)
                    .col(RecoveryCodes::UserId)
                    .to_owned(),
            )
            .await
    }
}

/// SQLite takes one column per statement.
async fn add(manager: &SchemaManager<'_>, table: impl IntoIden, column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table.into_iden()).add_column(column).to_owned()).await
}

fn user_key<T: IntoIden + 'static>(table: T, user: T) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_tbl(table.into_iden())
        .from_col(user.into_iden())
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    EmailVerifiedAt,
    EmailPending,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    UserId,
    Method,
    Address,
    UserAgent,
    RefreshedAt,
}

#[derive(DeriveIden)]
enum ApiKeys {
    Table,
    RequestsPerMinute,
}

#[derive(DeriveIden)]
enum SigningKeys {
    Table,
    Id,
    Seed,
    CreatedAt,
}

#[derive(DeriveIden)]
enum OneTimeTokens {
    Table,
    Hash,
    Purpose,
    UserId,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum SecondFactors {
    Table,
    UserId,
    Secret,
    CreatedAt,
    ConfirmedAt,
    LastStep,
}

#[derive(DeriveIden)]
enum RecoveryCodes {
    Table,
    Hash,
    UserId,
}
