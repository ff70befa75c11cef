//! Queries of the audit log. Adds and reads; nothing here changes or deletes an event.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::dto::ListAuditEventsQuery;
use super::entities::{audit_event, audit_head};
use crate::common::TenantId;
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
    is_first: bool,
) -> Result<(), Error> {
    let head = audit_head::Model { tenant_id: event.tenant_id, sequence: event.sequence, mac: event.mac.clone() };
    audit_event::Entity::insert(event.into_active_model()).exec_without_returning(connection).await?;
    if is_first {
        audit_head::Entity::insert(head.into_active_model()).exec_without_returning(connection).await?;
    } else {
        head.into_active_model().reset_all().update(connection).await?;
    }
    Ok(())
}

/// Newest first; one row more than the limit when there are more.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    query: &ListAuditEventsQuery,
) -> Result<Vec<audit_event::Model>, Error> {
    let mut select = audit_event::Entity::scoped(tenant);
    if let Some(action) = &query.action {
        select = select.filter(audit_event::Column::Action.eq(action));
    }
    if let Some(resource) = &query.resource_id {
        select = select.filter(audit_event::Column::ResourceId.eq(resource));
    }
    if let Some(cursor) = query.cursor {
        select = select.filter(audit_event::Column::Id.lt(cursor.id()));
    }
    let limit = query.limit.unwrap_or_default().get();
    select.order_by_desc(audit_event::Column::Id).limit(limit + 1).all(connection).await
}
