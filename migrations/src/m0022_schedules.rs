//! Schedules with the state of their clocks, and the history of what became of each due time.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, pk_uuid, string, string_null, text, text_null, uuid, uuid_null,
};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(schedules()).await?;
        manager.create_table(firings()).await?;
        for index in [
            Index::create()
                .name("schedules_tenant")
                .table(Schedules::Table)
                .col(Schedules::TenantId)
                .col(Schedules::Id)
                .to_owned(),
            Index::create().name("schedules_workflow").table(Schedules::Table).col(Schedules::WorkflowId).to_owned(),
            Index::create()
                .name("schedule_firings_history")
                .table(ScheduleFirings::Table)
                .col(ScheduleFirings::ScheduleId)
                .col(ScheduleFirings::Id)
                .to_owned(),
            Index::create()
                .name("schedule_firings_age")
                .table(ScheduleFirings::Table)
                .col(ScheduleFirings::FiredAt)
                .to_owned(),
        ] {
            manager.create_index(index).await?;
        }
        let connection = manager.get_connection();
        for partial in [
            "CREATE INDEX schedules_due ON schedules (fire_at) WHERE fire_at IS NOT NULL",
            // The second lock: whatever else goes wrong, a due time fires once.
            "CREATE UNIQUE INDEX schedule_firings_once ON schedule_firings (schedule_id, due_at) \
             WHERE cause IN ('due', 'catchUp') AND outcome <> 'missed'",
            "CREATE INDEX schedule_firings_open ON schedule_firings (schedule_id, id) WHERE open",
        ] {
            connection.execute_unprepared(partial).await?;
        }
        isolate(manager, "schedules", "tenant_id").await?;
        isolate(manager, "schedule_firings", "tenant_id").await
    }
}

fn schedules() -> TableCreateStatement {
    Table::create()
        .table(Schedules::Table)
        .col(pk_uuid(Schedules::Id))
        .col(uuid(Schedules::TenantId))
        .col(uuid(Schedules::WorkflowId))
        .col(uuid_null(Schedules::VersionId))
        .col(string(Schedules::Origin))
        .col(string_null(Schedules::Node))
        .col(integer(Schedules::Position))
        .col(string(Schedules::Name))
        .col(text_null(Schedules::Description))
        .col(text(Schedules::Rule))
        .col(string(Schedules::Zone))
        .col(big_integer_null(Schedules::StartsAt))
        .col(big_integer_null(Schedules::EndsAt))
        .col(big_integer(Schedules::JitterMs))
        .col(string_null(Schedules::TriggerEvent))
        .col(text_null(Schedules::Input))
        .col(string(Schedules::Overlap))
        .col(string(Schedules::Misfire))
        .col(big_integer(Schedules::CatchUpMs))
        .col(integer(Schedules::PauseAfter))
        .col(string(Schedules::State))
        .col(text_null(Schedules::PauseReason))
        .col(big_integer_null(Schedules::PausedAt))
        .col(big_integer(Schedules::Anchor))
        .col(big_integer_null(Schedules::LastDueAt))
        .col(big_integer_null(Schedules::DueAt))
        .col(big_integer_null(Schedules::FireAt))
        .col(integer(Schedules::Failures))
        .col(big_integer(Schedules::Revision))
        .col(big_integer(Schedules::CreatedAt))
        .col(big_integer(Schedules::UpdatedAt))
        .foreign_key(
            ForeignKey::create()
                .from(Schedules::Table, Schedules::WorkflowId)
                .to(Workflows::Table, Workflows::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn firings() -> TableCreateStatement {
    Table::create()
        .table(ScheduleFirings::Table)
        .col(pk_uuid(ScheduleFirings::Id))
        .col(uuid(ScheduleFirings::TenantId))
        .col(uuid(ScheduleFirings::ScheduleId))
        .col(big_integer(ScheduleFirings::DueAt))
        .col(big_integer_null(ScheduleFirings::LastDueAt))
        .col(integer(ScheduleFirings::Count))
        .col(big_integer(ScheduleFirings::PlannedAt))
        .col(big_integer(ScheduleFirings::FiredAt))
        .col(string(ScheduleFirings::Cause))
        .col(string(ScheduleFirings::Outcome))
        .col(text_null(ScheduleFirings::Reason))
        .col(uuid_null(ScheduleFirings::ExecutionId))
        .col(boolean(ScheduleFirings::Open))
        .foreign_key(
            ForeignKey::create()
                .from(ScheduleFirings::Table, ScheduleFirings::ScheduleId)
                .to(Schedules::Table, Schedules::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Workflows {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Schedules {
    Table,
    Id,
    TenantId,
    WorkflowId,
    VersionId,
    Origin,
    Node,
    Position,
    Name,
    Description,
    Rule,
    Zone,
    StartsAt,
    EndsAt,
    JitterMs,
    TriggerEvent,
    Input,
    Overlap,
    Misfire,
    CatchUpMs,
    PauseAfter,
    State,
    PauseReason,
    PausedAt,
    Anchor,
    LastDueAt,
    DueAt,
    FireAt,
    Failures,
    Revision,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum ScheduleFirings {
    Table,
    Id,
    TenantId,
    ScheduleId,
    DueAt,
    LastDueAt,
    Count,
    PlannedAt,
    FiredAt,
    Cause,
    Outcome,
    Reason,
    ExecutionId,
    Open,
}
