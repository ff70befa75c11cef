//! Queries of large binaries. A row is written before its bytes are stored and goes after they are gone, so nothing lies in
//! the store that nobody knows of.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::super::entities::{binary, execution};
use crate::common::{ExecutionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Binary = binary::Model;

/// What was stored and never got an execution that is stored, too, is nobody's after this time.
const FORGOTTEN: Duration = Duration::from_secs(86_400);

pub(in super::super) async fn note_binary(connection: &impl ConnectionTrait, row: Binary) -> Result<(), DbErr> {
    let row = binary::ActiveModel {
        tenant_id: Set(row.tenant_id),
        id: Set(row.id),
        execution_id: Set(row.execution_id),
        bytes: Set(row.bytes),
        created_at: Set(row.created_at),
        doomed: Set(row.doomed),
    };
    let known = OnConflict::columns([binary::Column::TenantId, binary::Column::Id]).do_nothing().to_owned();
    // One that is there was noted before its bytes could be stored.
    binary::Entity::insert(row).on_conflict(known).exec_without_returning(connection).await.map(drop)
}

/// One of an execution.
pub(in super::super) async fn find_binary(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    execution: ExecutionId,
    id: Uuid,
) -> Result<Option<Binary>, DbErr> {
    binary::Entity::scoped(tenant)
        .filter(binary::Column::ExecutionId.eq(execution))
        .filter(binary::Column::Id.eq(id))
        .filter(binary::Column::Doomed.eq(false))
        .one(connection)
        .await
}

/// Nobody needs the binaries of these executions any more.
pub(in super::super) async fn doom(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    executions: impl IntoIterator<Item = ExecutionId>,
) -> Result<(), DbErr> {
    doom_where(connection, tenant, binary::Column::ExecutionId.is_in(executions)).await
}

/// The same of those that a query finds.
pub(in super::super) async fn doom_all(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    executions: SelectStatement,
) -> Result<(), DbErr> {
    doom_where(connection, tenant, binary::Column::ExecutionId.in_subquery(executions)).await
}

async fn doom_where(connection: &impl ConnectionTrait, tenant: TenantId, which: Expr) -> Result<(), DbErr> {
    binary::Entity::update_scoped(tenant)
        .col_expr(binary::Column::Doomed, Expr::value(true))
        .filter(which)
        .exec(connection)
        .await
        .map(drop)
}

/// Some that nobody needs any more, of all tenants: doomed, or forgotten before their execution was stored.
pub(in super::super) async fn unneeded(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Binary>, DbErr> {
    let column = |column: execution::Column| Expr::col((execution::Entity, column));
    let known = execution::Entity::across_tenants()
        .select_only()
        .column(execution::Column::Id)
        .filter(column(execution::Column::TenantId).equals((binary::Entity, binary::Column::TenantId)))
        .filter(column(execution::Column::Id).equals((binary::Entity, binary::Column::ExecutionId)));
    let forgotten = Condition::all()
        .add(binary::Column::CreatedAt.lt(now.minus(FORGOTTEN)))
        .add(Expr::exists(known.into_query()).not());
    binary::Entity::across_tenants()
        .filter(Condition::any().add(binary::Column::Doomed.eq(true)).add(forgotten))
        .limit(limit)
        .all(connection)
        .await
}

/// The store has them no longer.
pub(in super::super) async fn forget_binaries(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<(), DbErr> {
    binary::Entity::delete_scoped(tenant).filter(binary::Column::Id.is_in(ids)).exec(connection).await.map(drop)
}
