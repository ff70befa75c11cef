//! Triggers that listen to something: which node of which workflow, which process holds each, and how far it has got.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, pk_uuid, string, text, text_null, uuid, uuid_null,
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
                    .table(Triggers::Table)
                    .col(pk_uuid(Triggers::Id))
                    .col(uuid(Triggers::TenantId))
                    .col(uuid(Triggers::WorkflowId))
                    .col(uuid_null(Triggers::VersionId))
                    .col(string(Triggers::Node))
                    .col(string(Triggers::Kind))
                    .col(text(Triggers::Source))
                    .col(text_null(Triggers::State))
                    .col(uuid_null(Triggers::Holder))
                    .col(big_integer(Triggers::LeaseUntil))
                    .col(big_integer(Triggers::Term))
                    .col(integer(Triggers::Failures))
                    .col(text_null(Triggers::Error))
                    .col(big_integer_null(Triggers::LastBeganAt))
                    .col(big_integer(Triggers::CreatedAt))
                    .col(big_integer(Triggers::UpdatedAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(Triggers::Table, Triggers::WorkflowId)
                            .to(Workflows::Table, Workflows::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        let index = |name: &str| Index::create().name(name).table(Triggers::Table).to_owned();
        for statement in [
            index("triggers_node").col(Triggers::WorkflowId).col(Triggers::Node).unique().to_owned(),
            index("triggers_tenant").col(Triggers::TenantId).col(Triggers::Id).to_owned(),
            index("triggers_lease").col(Triggers::LeaseUntil).to_owned(),
        ] {
            manager.create_index(statement).await?;
        }
        isolate(manager, "triggers", "tenant_id").await
    }
}

#[derive(DeriveIden)]
enum Triggers {
    Table,
    Id,
    TenantId,
    WorkflowId,
    VersionId,
    Node,
    Kind,
    Source,
    State,
    Holder,
    LeaseUntil,
    Term,
    Failures,
    Error,
    LastBeganAt,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum Workflows {
    Table,
    Id,
}
