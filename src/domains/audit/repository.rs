//! Queries of the audit log. Nothing here changes an event; only those before a checkpoint marked as pruned can be deleted.

use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::dto::ListAuditEventsQuery;
use super::entities::{audit_checkpoint, audit_event, audit_head};
use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::{Error, Scoped};

/// The end of the tenant's chain, locked until the transaction ends. None before the first event.
pub(super) async fn lock_head(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Option<audit_head::Model>, Error> {
    // SQLite has no row locks and needs none: it has one writer.
    audit_head::Entity::scoped(tenant).lock_exclusive().one(connection).await
}

/// Adds the event and makes it the end of the chain.
pub(super) async fn append(
    connection: &impl ConnectionTrait,
    event: audit_event::Model,
    head: Option<audit_head::Model>,
) -> Result<(), Error> {
    let (sequence, mac, tenant_id) = (event.sequence, event.mac.clone(), event.tenant_id);
    audit_event::Entity::insert(event.into_active_model()).exec_without_returning(connection).await?;
    match head {
        Some(head) => {
            let head = audit_head::Model { sequence, mac, ..head };
            head.into_active_model().reset_all().update(connection).await?;
        }
        None => {
            let head = audit_head::Model { tenant_id, sequence, mac, checkpointed: 0 };
            audit_head::Entity::insert(head.into_active_model()).exec_without_returning(connection).await?;
        }
    }
    Ok(())
}

/// The end of the tenant's chain as it is at the moment.
pub(super) async fn head(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Option<audit_head::Model>, Error> {
    audit_head::Entity::scoped(tenant).one(connection).await
}

/// Newest first; one row more than the limit when there are more.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    query: &ListAuditEventsQuery,
) -> Result<Vec<audit_event::Model>, Error> {
    use audit_event::Column;
    let mut select = between(audit_event::Entity::scoped(tenant), query.from, query.until);
    for (column, wanted) in [
        (Column::Action, &query.action),
        (Column::ResourceKind, &query.resource_kind),
        (Column::ResourceId, &query.resource_id),
        (Column::RequestId, &query.request_id),
        (Column::Address, &query.address),
    ] {
        if let Some(wanted) = wanted {
            select = select.filter(column.eq(wanted));
        }
    }
    if let Some(user) = query.user_id {
        select = select.filter(Column::UserId.eq(user));
    }
    if let Some(key) = query.api_key_id {
        select = select.filter(Column::ApiKeyId.eq(key));
    }
    if let Some(text) = query.search.as_deref().filter(|text| !text.is_empty()) {
        let pattern = format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        let holds = |column: Column| Expr::col(column).like(LikeExpr::new(pattern.as_str()).escape('\\'));
        let columns = [Column::Action, Column::ResourceId, Column::Before, Column::After];
        select = select.filter(columns.into_iter().fold(Condition::any(), |any, column| any.add(holds(column))));
    }
    if let Some(cursor) = query.cursor {
        select = select.filter(Column::Id.lt(cursor.id()));
    }
    let limit = query.limit.unwrap_or_default().get();
    select.order_by_desc(Column::Id).limit(limit + 1).all(connection).await
}

/// Rows after this number and between these times, in the order they were written.
pub(super) async fn export(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    (from, until): (Option<Timestamp>, Option<Timestamp>),
    after: i64,
    limit: u64,
) -> Result<Vec<audit_event::Model>, Error> {
    between(audit_event::Entity::scoped(tenant), from, until)
        .filter(audit_event::Column::Sequence.gt(after))
        .order_by_asc(audit_event::Column::Sequence)
        .limit(limit)
        .all(connection)
        .await
}

/// Rows after this number, in the order they were written.
pub(super) async fn rows_after(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    after: i64,
    limit: u64,
) -> Result<Vec<audit_event::Model>, Error> {
    export(connection, tenant, (None, None), after, limit).await
}

/// The last row written before this time.
pub(super) async fn last_before(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    before: Timestamp,
) -> Result<Option<audit_event::Model>, Error> {
    between(audit_event::Entity::scoped(tenant), None, Some(before))
        .order_by_desc(audit_event::Column::Sequence)
        .limit(1)
        .one(connection)
        .await
}

/// The tenant's checkpoints, in the order of the log.
pub(super) async fn checkpoints(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Vec<audit_checkpoint::Model>, Error> {
    audit_checkpoint::Entity::scoped(tenant).order_by_asc(audit_checkpoint::Column::Sequence).all(connection).await
}

/// The checkpoint at this row.
pub(super) async fn checkpoint_at(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    sequence: i64,
) -> Result<Option<audit_checkpoint::Model>, Error> {
    let at = audit_checkpoint::Column::Sequence.eq(sequence);
    audit_checkpoint::Entity::scoped(tenant).filter(at).one(connection).await
}

/// Tenants whose log has rows after its last checkpoint.
pub(super) async fn without_checkpoint(connection: &impl ConnectionTrait) -> Result<Vec<TenantId>, Error> {
    let behind = Expr::col(audit_head::Column::Checkpointed).lt(Expr::col(audit_head::Column::Sequence));
    let heads = audit_head::Entity::across_tenants().filter(behind).all(connection).await?;
    Ok(heads.into_iter().map(|head| head.tenant_id).collect())
}

pub(super) async fn insert_checkpoint(
    connection: &impl ConnectionTrait,
    row: audit_checkpoint::Model,
) -> Result<(), Error> {
    audit_head::Entity::update_scoped(row.tenant_id)
        .col_expr(audit_head::Column::Checkpointed, Expr::value(row.sequence))
        .filter(audit_head::Column::Checkpointed.lt(row.sequence))
        .exec(connection)
        .await?;
    audit_checkpoint::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// Says that the rows up to this checkpoint may go.
pub(super) async fn mark_pruned(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    sequence: i64,
    now: Timestamp,
    signature: Vec<u8>,
) -> Result<(), Error> {
    audit_checkpoint::Entity::update_scoped(tenant)
        .col_expr(audit_checkpoint::Column::PrunedAt, Expr::value(Some(now)))
        .col_expr(audit_checkpoint::Column::PruningSignature, Expr::value(Some(signature)))
        .filter(audit_checkpoint::Column::Sequence.eq(sequence))
        .exec(connection)
        .await?;
    Ok(())
}

/// Deletes the rows up to this one, and the checkpoints before it. The database refuses where no checkpoint allows it.
pub(super) async fn delete_through(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    sequence: i64,
) -> Result<u64, Error> {
    let gone = audit_event::Entity::delete_scoped(tenant).filter(audit_event::Column::Sequence.lte(sequence));
    let deleted = gone.exec(connection).await?.rows_affected;
    let older = audit_checkpoint::Column::Sequence.lt(sequence);
    audit_checkpoint::Entity::delete_scoped(tenant).filter(older).exec(connection).await?;
    Ok(deleted)
}

/// Deletes what is left of a log without rows.
pub(super) async fn delete_evidence(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<(), Error> {
    audit_checkpoint::Entity::delete_scoped(tenant).exec(connection).await?;
    audit_head::Entity::delete_scoped(tenant).exec(connection).await?;
    Ok(())
}

fn between(
    mut select: Select<audit_event::Entity>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Select<audit_event::Entity> {
    if let Some(from) = from {
        select = select.filter(audit_event::Column::OccurredAt.gte(from));
    }
    if let Some(until) = until {
        select = select.filter(audit_event::Column::OccurredAt.lt(until));
    }
    select
}
