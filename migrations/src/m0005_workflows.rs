//! Workflows, their immutable versions, and their tags.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, pk_uuid, string, string_null, text, uuid, uuid_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(workflows()).await?;
        manager
            .create_index(
                Index::create()
                    .name("workflows_alias")
                    .table(Workflows::Table)
                    .col(Workflows::TenantId)
                    .col(Workflows::Alias)
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("workflows_newest")
                    .table(Workflows::Table)
                    .col(Workflows::TenantId)
                    .col(Workflows::Id)
                    .to_owned(),
            )
            .await?;
        manager.create_table(versions()).await?;
        manager
            .create_index(
                Index::create()
                    .name("workflow_versions_number")
                    .table(WorkflowVersions::Table)
                    .col(WorkflowVersions::WorkflowId)
                    .col(WorkflowVersions::Number)
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager.create_table(tags()).await?;
        manager
            .create_index(
                Index::create()
                    .name("tags_name")
                    .table(Tags::Table)
                    .col(Tags::TenantId)
                    .col(Tags::Name)
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager.create_table(workflow_tags()).await?;
        manager
            .create_index(
                Index::create()
                    .name("workflow_tags_tag")
                    .table(WorkflowTags::Table)
                    .col(WorkflowTags::TagId)
                    .to_owned(),
            )
            .await
    }
}

fn workflows() -> TableCreateStatement {
    Table::create()
        .table(Workflows::Table)
        .col(pk_uuid(Workflows::Id))
        .col(uuid(Workflows::TenantId))
        .col(string_null(Workflows::Alias))
        .col(string(Workflows::Name))
        .col(uuid(Workflows::VersionId))
        .col(uuid_null(Workflows::ActiveVersionId))
        .col(integer(Workflows::TriggerCount))
        .col(big_integer(Workflows::CreatedAt))
        .col(big_integer(Workflows::UpdatedAt))
        .foreign_key(
            ForeignKey::create()
                .from(Workflows::Table, Workflows::TenantId)
                .to(Tenants::Table, Tenants::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn versions() -> TableCreateStatement {
    Table::create()
        .table(WorkflowVersions::Table)
        .col(pk_uuid(WorkflowVersions::Id))
        .col(uuid(WorkflowVersions::TenantId))
        .col(uuid(WorkflowVersions::WorkflowId))
        .col(integer(WorkflowVersions::Number))
        .col(text(WorkflowVersions::Document))
        .col(big_integer(WorkflowVersions::CreatedAt))
        .col(uuid_null(WorkflowVersions::CreatedBy))
        .foreign_key(
            ForeignKey::create()
                .from(WorkflowVersions::Table, WorkflowVersions::WorkflowId)
                .to(Workflows::Table, Workflows::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn tags() -> TableCreateStatement {
    Table::create()
        .table(Tags::Table)
        .col(pk_uuid(Tags::Id))
        .col(uuid(Tags::TenantId))
        .col(string(Tags::Name))
        .col(big_integer(Tags::CreatedAt))
        .col(big_integer(Tags::UpdatedAt))
        .foreign_key(
            ForeignKey::create()
                .from(Tags::Table, Tags::TenantId)
                .to(Tenants::Table, Tenants::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn workflow_tags() -> TableCreateStatement {
    Table::create()
        .table(WorkflowTags::Table)
        .col(uuid(WorkflowTags::WorkflowId))
        .col(uuid(WorkflowTags::TagId))
        .col(uuid(WorkflowTags::TenantId))
        .primary_key(Index::create().col(WorkflowTags::WorkflowId).col(WorkflowTags::TagId))
        .foreign_key(
            ForeignKey::create()
                .from(WorkflowTags::Table, WorkflowTags::WorkflowId)
                .to(Workflows::Table, Workflows::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .from(WorkflowTags::Table, WorkflowTags::TagId)
                .to(Tags::Table, Tags::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Workflows {
    Table,
    Id,
    TenantId,
    Alias,
    Name,
    VersionId,
    ActiveVersionId,
    TriggerCount,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum WorkflowVersions {
    Table,
    Id,
    TenantId,
    WorkflowId,
    Number,
    Document,
    CreatedAt,
    CreatedBy,
}

#[derive(DeriveIden)]
enum Tags {
    Table,
    Id,
    TenantId,
    Name,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum WorkflowTags {
    Table,
    WorkflowId,
    TagId,
    TenantId,
}
