//! Queries of schedules and of their history. What is due is found by index, across tenants, and locked where the
//! database can: another replica then takes the next ones.

pub(super) mod triggers;

use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::entities::{firing, schedule};
use super::model::{Outcome, State};
use crate::common::{ExecutionId, FiringId, ScheduleId, TenantId, Timestamp, WorkflowId};
use crate::infrastructure::database::Scoped;

pub(super) type Row = schedule::Model;
pub(super) type Firing = firing::Model;

/// What a list of schedules is narrowed by.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub workflow: Option<WorkflowId>,
    pub state: Option<State>,
    pub before: Option<ScheduleId>,
    pub limit: u64,
}

/// A row more than the limit, newest first: the extra one tells that there is another page.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    filter: &Filter,
) -> Result<Vec<Row>, DbErr> {
    let mut query =
        schedule::Entity::scoped(tenant).order_by_desc(schedule::Column::Id).limit(filter.limit.saturating_add(1));
    if let Some(workflow) = filter.workflow {
        query = query.filter(schedule::Column::WorkflowId.eq(workflow));
    }
    if let Some(state) = filter.state {
        query = query.filter(schedule::Column::State.eq(state));
    }
    if let Some(before) = filter.before {
        query = query.filter(schedule::Column::Id.lt(before));
    }
    query.all(connection).await
}

/// Schedules that fire, those that fire first in front.
pub(super) async fn firing(connection: &impl ConnectionTrait, tenant: TenantId, limit: u64) -> Result<Vec<Row>, DbErr> {
    schedule::Entity::scoped(tenant)
        .filter(schedule::Column::FireAt.is_not_null())
        .order_by_asc(schedule::Column::FireAt)
        .order_by_asc(schedule::Column::Id)
        .limit(limit)
        .all(connection)
        .await
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ScheduleId,
) -> Result<Option<Row>, DbErr> {
    schedule::Entity::scoped(tenant).filter(schedule::Column::Id.eq(id)).one(connection).await
}

/// The row, which nobody else changes until the transaction is over.
pub(super) async fn lock(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ScheduleId,
) -> Result<Option<Row>, DbErr> {
    schedule::Entity::scoped(tenant).filter(schedule::Column::Id.eq(id)).lock_exclusive().one(connection).await
}

/// Schedules of a workflow, which nobody else changes until the transaction is over.
pub(super) async fn lock_of_workflow(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
) -> Result<Vec<Row>, DbErr> {
    schedule::Entity::scoped(tenant)
        .filter(schedule::Column::WorkflowId.eq(workflow))
        .order_by_asc(schedule::Column::Id)
        .lock_exclusive()
        .all(connection)
        .await
}

/// Schedules of all tenants whose time has come, the most overdue first, but not those that another replica has in hand.
pub(super) async fn lock_due(connection: &impl ConnectionTrait, now: Timestamp, limit: u64) -> Result<Vec<Row>, DbErr> {
    schedule::Entity::across_tenants()
        .filter(schedule::Column::FireAt.lte(now))
        .order_by_asc(schedule::Column::FireAt)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(connection)
        .await
}

/// When the next schedule of any tenant fires.
pub(super) async fn next_fire(connection: &impl ConnectionTrait) -> Result<Option<Timestamp>, DbErr> {
    let query = schedule::Entity::across_tenants()
        .select_only()
        .column(schedule::Column::FireAt)
        .filter(schedule::Column::FireAt.is_not_null())
        .order_by_asc(schedule::Column::FireAt);
    query.into_tuple::<Timestamp>().one(connection).await
}

pub(super) async fn insert(connection: &impl ConnectionTrait, rows: Vec<Row>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    schedule::Entity::insert_many(rows).exec_without_returning(connection).await.map(drop)
}

/// Writes the row's present state, provided that nobody has changed it since it was read: its revision becomes the next.
/// `false`: somebody has.
pub(super) async fn update(connection: &impl ConnectionTrait, row: Row) -> Result<bool, DbErr> {
    let (tenant, id, seen) = (row.tenant_id, row.id, row.revision);
    let changes = schedule::ActiveModel { revision: Set(seen + 1), ..schedule::ActiveModel::from(row).reset_all() };
    let changed = schedule::Entity::update_scoped(tenant)
        .set(changes)
        .filter(schedule::Column::Id.eq(id))
        .filter(schedule::Column::Revision.eq(seen))
        .exec(connection)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Moves the clocks of many rows at once, each provided that its revision is the one before the row's. Gives how many
/// moved.
pub(super) async fn advance(connection: &impl ConnectionTrait, rows: Vec<Row>) -> Result<u64, DbErr> {
    use schedule::Column;
    if rows.is_empty() {
        return Ok(0);
    }
    let moved = OnConflict::column(Column::Id)
        .update_columns([Column::State, Column::LastDueAt, Column::DueAt, Column::FireAt, Column::Revision])
        .action_and_where(Expr::col((schedule::Entity, Column::Revision)).add(1).eq(Expr::cust("excluded.revision")))
        .to_owned();
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    schedule::Entity::insert_many(rows).on_conflict(moved).exec_without_returning(connection).await
}

pub(super) async fn delete(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: &[ScheduleId],
) -> Result<(), DbErr> {
    let ids = ids.iter().copied();
    firing::Entity::delete_scoped(tenant)
        .filter(firing::Column::ScheduleId.is_in(ids.clone()))
        .exec(connection)
        .await?;
    schedule::Entity::delete_scoped(tenant).filter(schedule::Column::Id.is_in(ids)).exec(connection).await.map(drop)
}

pub(super) async fn insert_firings(connection: &impl ConnectionTrait, rows: Vec<Firing>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    firing::Entity::insert_many(rows).exec_without_returning(connection).await.map(drop)
}

/// History of a schedule, newest first, one row more than the limit.
pub(super) async fn history(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    schedule: ScheduleId,
    outcome: Option<Outcome>,
    before: Option<FiringId>,
    limit: u64,
) -> Result<Vec<Firing>, DbErr> {
    let mut query = firing::Entity::scoped(tenant)
        .filter(firing::Column::ScheduleId.eq(schedule))
        .order_by_desc(firing::Column::Id)
        .limit(limit.saturating_add(1));
    if let Some(outcome) = outcome {
        query = query.filter(firing::Column::Outcome.eq(outcome));
    }
    if let Some(before) = before {
        query = query.filter(firing::Column::Id.lt(before));
    }
    query.all(connection).await
}

/// Firings of these schedules that wait, or whose executions are not known to be over, oldest first.
pub(super) async fn open_firings(
    connection: &impl ConnectionTrait,
    schedules: impl IntoIterator<Item = ScheduleId>,
) -> Result<Vec<Firing>, DbErr> {
    firing::Entity::across_tenants()
        .filter(firing::Column::ScheduleId.is_in(schedules))
        .filter(firing::Column::Open.eq(true))
        .order_by_asc(firing::Column::Id)
        .all(connection)
        .await
}

/// Schedules of all tenants with open firings, from one id on.
pub(super) async fn schedules_with_open_firings(
    connection: &impl ConnectionTrait,
    above: Option<ScheduleId>,
    limit: u64,
) -> Result<Vec<(TenantId, ScheduleId)>, DbErr> {
    let mut query = firing::Entity::across_tenants()
        .select_only()
        .columns([firing::Column::TenantId, firing::Column::ScheduleId])
        .distinct()
        .filter(firing::Column::Open.eq(true))
        .order_by_asc(firing::Column::ScheduleId)
        .limit(limit);
    if let Some(above) = above {
        query = query.filter(firing::Column::ScheduleId.gt(above));
    }
    query.into_tuple().all(connection).await
}

/// Says that the executions of these firings are over.
pub(super) async fn close(connection: &impl ConnectionTrait, tenant: TenantId, ids: &[FiringId]) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    firing::Entity::update_scoped(tenant)
        .col_expr(firing::Column::Open, Expr::value(false))
        .filter(firing::Column::Id.is_in(ids.iter().copied()))
        .exec(connection)
        .await
        .map(drop)
}

/// Says that a firing that waited has begun.
pub(super) async fn begin(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: FiringId,
    execution: ExecutionId,
    now: Timestamp,
) -> Result<(), DbErr> {
    firing::Entity::update_scoped(tenant)
        .col_expr(firing::Column::Outcome, Expr::value(Outcome::Started))
        .col_expr(firing::Column::ExecutionId, Expr::value(Some(execution)))
        .col_expr(firing::Column::FiredAt, Expr::value(now))
        .filter(firing::Column::Id.eq(id))
        .exec(connection)
        .await
        .map(drop)
}

/// Says that a firing will never begin.
pub(super) async fn give_up(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: FiringId,
    reason: &str,
) -> Result<(), DbErr> {
    firing::Entity::update_scoped(tenant)
        .col_expr(firing::Column::Outcome, Expr::value(Outcome::Failed))
        .col_expr(firing::Column::Reason, Expr::value(Some(reason)))
        .col_expr(firing::Column::Open, Expr::value(false))
        .filter(firing::Column::Id.eq(id))
        .exec(connection)
        .await
        .map(drop)
}

/// Deletes history that is older, but nothing that is still open.
pub(super) async fn prune(connection: &impl ConnectionTrait, before: Timestamp) -> Result<u64, DbErr> {
    let pruned = firing::Entity::delete_across_tenants()
        .filter(firing::Column::FiredAt.lt(before))
        .filter(firing::Column::Open.eq(false))
        .exec(connection)
        .await?;
    Ok(pruned.rows_affected)
}
