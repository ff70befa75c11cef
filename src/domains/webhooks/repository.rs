//! Queries of webhooks: routes here, the rest beside.

pub(super) mod endpoints;
pub(super) mod listeners;
pub(super) mod outbound;
pub(super) mod queue;
pub(super) mod requests;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, Statement, TryGetable,
};

use super::entities::{epoch, route};
use crate::common::{TenantId, Timestamp, WorkflowId};
use crate::infrastructure::database::Scoped;

pub(super) type Row = route::Model;

/// Ids of a table's rows that are due, over all tenants: of each tenant the first ones, and the first of each before the
/// second of any. `share`: of a tenant; `limit`: of all.
async fn due_by_tenant<I: TryGetable>(
    connection: &impl ConnectionTrait,
    table: &'static str,
    now: Timestamp,
    (share, limit): (usize, usize),
) -> Result<Vec<I>, DbErr> {
    let sql = format!(
        "SELECT id FROM (SELECT id, due_at, ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY due_at, id) AS place \
         FROM {table} WHERE due_at <= $1) AS due WHERE place <= {share} ORDER BY place, due_at LIMIT {limit}"
    );
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [now.into()]);
    connection.query_all_raw(statement).await?.iter().map(|row| row.try_get("", "id")).collect()
}

/// All routes of a tenant.
pub(super) async fn list(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<Vec<Row>, DbErr> {
    route::Entity::scoped(tenant).order_by_asc(route::Column::Path).all(connection).await
}

/// Routes of other workflows that take one of these requests.
pub(super) async fn conflicting(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
    wanted: &[Row],
) -> Result<Vec<Row>, DbErr> {
    let any = wanted.iter().fold(Condition::any(), |any, row| {
        let same = route::Column::Method.eq(row.method.as_str()).and(route::Column::Shape.eq(row.shape.as_str()));
        any.add(same)
    });
    route::Entity::scoped(tenant).filter(route::Column::WorkflowId.ne(workflow)).filter(any).all(connection).await
}

pub(super) async fn insert(connection: &impl ConnectionTrait, rows: Vec<Row>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    route::Entity::insert_many(rows).exec_without_returning(connection).await.map(drop)
}

pub(super) async fn delete(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
) -> Result<(), DbErr> {
    route::Entity::delete_scoped(tenant).filter(route::Column::WorkflowId.eq(workflow)).exec(connection).await.map(drop)
}

/// Says that a tenant's routes have changed.
pub(super) async fn touch(connection: &impl ConnectionTrait, tenant: TenantId, now: Timestamp) -> Result<(), DbErr> {
    let row = epoch::ActiveModel { tenant_id: Set(tenant), epoch: Set(now.as_millis()) };
    // Two changes within one millisecond, or a clock that goes back: later than before all the same.
    let later = Expr::case(
        Expr::col((epoch::Entity, epoch::Column::Epoch)).gte(now.as_millis()),
        Expr::col((epoch::Entity, epoch::Column::Epoch)).add(1),
    )
    .finally(now.as_millis());
    let changed = OnConflict::column(epoch::Column::TenantId).value(epoch::Column::Epoch, later).to_owned();
    epoch::Entity::insert(row).on_conflict(changed).exec_without_returning(connection).await.map(drop)
}

/// When the tenant's routes changed last; 0: never.
pub(super) async fn epoch(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<i64, DbErr> {
    Ok(epoch::Entity::scoped(tenant).one(connection).await?.map_or(0, |row| row.epoch))
}

/// Tenants whose routes changed since then, and when.
pub(super) async fn changed_since(
    connection: &impl ConnectionTrait,
    since: i64,
) -> Result<Vec<(TenantId, i64)>, DbErr> {
    let rows = epoch::Entity::across_tenants().filter(epoch::Column::Epoch.gte(since)).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.epoch)).collect())
}
