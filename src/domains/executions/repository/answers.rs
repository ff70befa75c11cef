//! Answers for callers in other processes.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::super::entities::answer;
use super::super::model::Interest;
use crate::common::{ExecutionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

/// Notes that somebody waits; replaces who waited before.
pub(in super::super) async fn expect(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
    interest: Interest,
    now: Timestamp,
) -> Result<(), DbErr> {
    let row = answer::ActiveModel {
        tenant_id: Set(tenant),
        execution_id: Set(id),
        interest: Set(interest),
        answer: Set(None),
        created_at: Set(now),
    };
    let again = OnConflict::columns([answer::Column::TenantId, answer::Column::ExecutionId])
        .update_columns([answer::Column::Interest, answer::Column::Answer, answer::Column::CreatedAt])
        .to_owned();
    answer::Entity::insert(row).on_conflict(again).exec_without_returning(connection).await.map(drop)
}

/// What somebody waits for, if anybody does.
pub(in super::super) async fn expected(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
) -> Result<Option<Interest>, DbErr> {
    let row = answer::Entity::scoped(tenant)
        .filter(answer::Column::ExecutionId.eq(id))
        .filter(answer::Column::Answer.is_null())
        .one(connection)
        .await?;
    Ok(row.map(|row| row.interest))
}

/// Leaves an answer, if somebody still waits for one. `false`: nobody does.
pub(in super::super) async fn leave_answer(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
    answer: String,
) -> Result<bool, DbErr> {
    let left = answer::Entity::update_scoped(tenant)
        .col_expr(answer::Column::Answer, Expr::value(Some(answer)))
        .filter(answer::Column::ExecutionId.eq(id))
        .filter(answer::Column::Answer.is_null())
        .exec(connection)
        .await?;
    Ok(left.rows_affected == 1)
}

/// The answers there are to these executions of all tenants.
pub(in super::super) async fn answered(
    connection: &impl ConnectionTrait,
    ids: &[ExecutionId],
) -> Result<Vec<(ExecutionId, String)>, DbErr> {
    let rows = answer::Entity::across_tenants()
        .filter(answer::Column::ExecutionId.is_in(ids.iter().copied()))
        .filter(answer::Column::Answer.is_not_null())
        .all(connection)
        .await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.execution_id, row.answer?))).collect())
}

/// Nobody waits for these any more.
pub(in super::super) async fn forget_answers(
    connection: &impl ConnectionTrait,
    ids: &[ExecutionId],
) -> Result<(), DbErr> {
    let ids = answer::Column::ExecutionId.is_in(ids.iter().copied());
    answer::Entity::delete_across_tenants().filter(ids).exec(connection).await.map(drop)
}

/// Deletes what processes that died were waiting for.
pub(in super::super) async fn forget_old_answers(
    connection: &impl ConnectionTrait,
    before: Timestamp,
) -> Result<(), DbErr> {
    let old = answer::Column::CreatedAt.lt(before);
    answer::Entity::delete_across_tenants().filter(old).exec(connection).await.map(drop)
}
