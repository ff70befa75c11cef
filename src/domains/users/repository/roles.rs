//! Queries of roles that tenants made.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::super::entities::role::{Column, Entity, Model};
use super::super::entities::{invitation, membership};
use crate::common::{RoleId, TenantId};
use crate::infrastructure::database::{Error, Scoped};

pub(in super::super) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await.map(drop)
}

/// By name.
pub(in super::super) async fn list(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<Vec<Model>, Error> {
    Entity::scoped(tenant).order_by_asc(Column::Name).all(connection).await
}

/// Locked until the transaction ends: nobody gets a role that is being changed or deleted.
pub(in super::super) async fn lock(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: RoleId,
) -> Result<Option<Model>, Error> {
    Entity::scoped(tenant).filter(Column::Id.eq(id)).lock_exclusive().one(connection).await
}

pub(in super::super) async fn update(connection: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    row.into_active_model().reset_all().update(connection).await.map(drop)
}

pub(in super::super) async fn delete(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: RoleId,
) -> Result<(), Error> {
    Entity::delete_scoped(tenant).filter(Column::Id.eq(id)).exec(connection).await.map(drop)
}

/// Whether a member has it, or somebody is invited to it.
pub(in super::super) async fn is_used(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: RoleId,
) -> Result<bool, Error> {
    let had = membership::Entity::scoped(tenant).filter(membership::Column::RoleId.eq(id)).one(connection).await?;
    let open = invitation::Entity::scoped(tenant)
        .filter(invitation::Column::RoleId.eq(id))
        .filter(invitation::Column::AcceptedAt.is_null());
    Ok(had.is_some() || open.one(connection).await?.is_some())
}
