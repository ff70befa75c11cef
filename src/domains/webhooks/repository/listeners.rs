//! Queries of those who listen to test calls.

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::super::entities::listener;
use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Listener = listener::Model;

pub(in super::super) async fn insert(connection: &impl ConnectionTrait, rows: Vec<Listener>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    listener::Entity::insert_many(rows).exec_without_returning(connection).await.map(drop)
}

/// Those of a tenant that still listen.
pub(in super::super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<Listener>, DbErr> {
    listener::Entity::scoped(tenant).filter(listener::Column::ExpiresAt.gt(now)).all(connection).await
}

/// Ends a listener. `false`: it had ended, so its call is somebody else's.
pub(in super::super) async fn take(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    call: Uuid,
) -> Result<bool, DbErr> {
    let taken = listener::Entity::delete_scoped(tenant).filter(listener::Column::Call.eq(call)).exec(connection);
    Ok(taken.await?.rows_affected > 0)
}

/// Deletes what nobody listens to any more, of every tenant.
pub(in super::super) async fn prune(connection: &impl ConnectionTrait, now: Timestamp) -> Result<u64, DbErr> {
    let delete = listener::Entity::delete_across_tenants().filter(listener::Column::ExpiresAt.lt(now));
    Ok(delete.exec(connection).await?.rows_affected)
}
