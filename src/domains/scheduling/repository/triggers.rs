//! Queries of triggers that listen. A lease makes one process the holder; its term guards what it writes.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::super::entities::trigger;
use crate::common::{TenantId, Timestamp, TriggerId, WorkerId, WorkflowId};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Trigger = trigger::Model;

/// Newest first; one row more than the limit when there are more.
pub(in super::super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: Option<WorkflowId>,
    before: Option<TriggerId>,
    limit: u64,
) -> Result<Vec<Trigger>, DbErr> {
    let mut query = trigger::Entity::scoped(tenant).order_by_desc(trigger::Column::Id).limit(limit.saturating_add(1));
    if let Some(workflow) = workflow {
        query = query.filter(trigger::Column::WorkflowId.eq(workflow));
    }
    if let Some(before) = before {
        query = query.filter(trigger::Column::Id.lt(before));
    }
    query.all(connection).await
}

pub(in super::super) async fn of_workflow(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
) -> Result<Vec<Trigger>, DbErr> {
    let own = trigger::Entity::scoped(tenant).filter(trigger::Column::WorkflowId.eq(workflow));
    own.order_by_asc(trigger::Column::Id).lock_exclusive().all(connection).await
}

/// Triggers of all tenants that nobody holds.
pub(in super::super) async fn free(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Trigger>, DbErr> {
    trigger::Entity::across_tenants()
        .filter(trigger::Column::LeaseUntil.lt(now))
        .filter(trigger::Column::VersionId.is_not_null())
        .order_by_asc(trigger::Column::LeaseUntil)
        .limit(limit)
        .all(connection)
        .await
}

/// Begins a lease, provided that nobody did since `seen`. `false`: somebody was faster.
pub(in super::super) async fn take(
    connection: &impl ConnectionTrait,
    seen: &Trigger,
    holder: WorkerId,
    until: Timestamp,
) -> Result<bool, DbErr> {
    let taken = trigger::Entity::update_scoped(seen.tenant_id)
        .col_expr(trigger::Column::Holder, Expr::value(Some(holder)))
        .col_expr(trigger::Column::LeaseUntil, Expr::value(until))
        .col_expr(trigger::Column::Term, Expr::value(seen.term + 1))
        .filter(trigger::Column::Id.eq(seen.id))
        .filter(trigger::Column::Term.eq(seen.term))
        .filter(trigger::Column::LeaseUntil.eq(seen.lease_until))
        .exec(connection)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Prolongs leases of a holder, and gives those that are still its own, with their terms.
pub(in super::super) async fn renew(
    connection: &impl ConnectionTrait,
    holder: WorkerId,
    ids: &[TriggerId],
    until: Timestamp,
) -> Result<Vec<(TriggerId, i64)>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let own = || trigger::Column::Holder.eq(holder).and(trigger::Column::Id.is_in(ids.iter().copied()));
    trigger::Entity::update_across_tenants()
        .col_expr(trigger::Column::LeaseUntil, Expr::value(until))
        .filter(own())
        .exec(connection)
        .await?;
    let kept = trigger::Entity::across_tenants().filter(own()).select_only();
    kept.column(trigger::Column::Id).column(trigger::Column::Term).into_tuple().all(connection).await
}

/// Ends the leases of a holder: others may take them at once.
pub(in super::super) async fn release(connection: &impl ConnectionTrait, holder: WorkerId) -> Result<(), DbErr> {
    trigger::Entity::update_across_tenants()
        .col_expr(trigger::Column::Holder, Expr::value(None::<WorkerId>))
        .col_expr(trigger::Column::LeaseUntil, Expr::value(Timestamp::default()))
        .filter(trigger::Column::Holder.eq(holder))
        .exec(connection)
        .await
        .map(drop)
}

/// Notes how far a holder has got. `false`: it is the holder no more.
pub(in super::super) async fn advance(
    connection: &impl ConnectionTrait,
    row: &Trigger,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let advanced = trigger::Entity::update_scoped(row.tenant_id)
        .col_expr(trigger::Column::State, Expr::value(row.state.clone()))
        .col_expr(trigger::Column::Failures, Expr::value(row.failures))
        .col_expr(trigger::Column::Error, Expr::value(row.error.clone()))
        .col_expr(trigger::Column::LastBeganAt, Expr::value(row.last_began_at))
        .col_expr(trigger::Column::UpdatedAt, Expr::value(now))
        .filter(trigger::Column::Id.eq(row.id))
        .filter(trigger::Column::Term.eq(row.term))
        .exec(connection)
        .await?;
    Ok(advanced.rows_affected == 1)
}

/// Writes the whole row; its term grows, so whoever holds it holds it no more.
pub(in super::super) async fn update(connection: &impl ConnectionTrait, row: Trigger) -> Result<(), DbErr> {
    let (tenant, id, term) = (row.tenant_id, row.id, row.term + 1);
    let row = Trigger { term, holder: None, lease_until: Timestamp::default(), ..row };
    trigger::Entity::update_scoped(tenant)
        .set(row.into_active_model().reset_all())
        .filter(trigger::Column::Id.eq(id))
        .exec(connection)
        .await
        .map(drop)
}

pub(in super::super) async fn insert(connection: &impl ConnectionTrait, rows: Vec<Trigger>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    trigger::Entity::insert_many(rows).exec_without_returning(connection).await.map(drop)
}

pub(in super::super) async fn delete(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: &[TriggerId],
) -> Result<(), DbErr> {
    let gone = trigger::Column::Id.is_in(ids.iter().copied());
    trigger::Entity::delete_scoped(tenant).filter(gone).exec(connection).await.map(drop)
}
