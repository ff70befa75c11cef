//! Queries of tenants and their host names.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::entities::{tenant, tenant_host};
use super::model::{Slug, Tenant};
use crate::common::TenantId;
use crate::infrastructure::database::{Error, Scoped};

pub(super) async fn find(connection: &impl ConnectionTrait, id: TenantId) -> Result<Option<Tenant>, Error> {
    let Some(row) = tenant::Entity::scoped(id).one(connection).await? else { return Ok(None) };
    let hosts = tenant_host::Entity::scoped(id).order_by_asc(tenant_host::Column::Host).all(connection).await?;
    Ok(Some(Tenant {
        id: row.id,
        slug: Slug::from_stored(row.slug),
        name: row.name,
        hosts: hosts.into_iter().map(|host| host.host).collect(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }))
}

/// Which tenant an address means; asked before the caller is known.
pub(super) async fn find_id_by_slug(connection: &impl ConnectionTrait, slug: &str) -> Result<Option<TenantId>, Error> {
    let row = tenant::Entity::across_tenants().filter(tenant::Column::Slug.eq(slug)).one(connection).await?;
    Ok(row.map(|tenant| tenant.id))
}

/// Which tenant a host name means; asked before the caller is known.
pub(super) async fn find_id_by_host(connection: &impl ConnectionTrait, host: &str) -> Result<Option<TenantId>, Error> {
    let row = tenant_host::Entity::across_tenants().filter(tenant_host::Column::Host.eq(host)).one(connection).await?;
    Ok(row.map(|host| host.tenant_id))
}

/// The first `limit` tenants, oldest first.
pub(super) async fn first_ids(connection: &impl ConnectionTrait, limit: u64) -> Result<Vec<TenantId>, Error> {
    let rows = tenant::Entity::across_tenants().order_by_asc(tenant::Column::Id).limit(limit).all(connection).await?;
    Ok(rows.into_iter().map(|tenant| tenant.id).collect())
}

/// Every tenant, oldest first.
pub(super) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<(TenantId, Slug)>, Error> {
    let rows = tenant::Entity::across_tenants().order_by_asc(tenant::Column::Id).all(connection).await?;
    Ok(rows.into_iter().map(|tenant| (tenant.id, Slug::from_stored(tenant.slug))).collect())
}

pub(super) async fn insert(connection: &impl ConnectionTrait, tenant: &Tenant) -> Result<(), Error> {
    let row = row(tenant).into_active_model();
    tenant::Entity::insert(row).exec_without_returning(connection).await?;
    insert_hosts(connection, tenant).await
}

/// Writes every field, and replaces the host names.
pub(super) async fn update(connection: &impl ConnectionTrait, tenant: &Tenant) -> Result<(), Error> {
    row(tenant).into_active_model().reset_all().update(connection).await?;
    tenant_host::Entity::delete_scoped(tenant.id).exec(connection).await?;
    insert_hosts(connection, tenant).await
}

async fn insert_hosts(connection: &impl ConnectionTrait, tenant: &Tenant) -> Result<(), Error> {
    if tenant.hosts.is_empty() {
        return Ok(());
    }
    let rows = tenant
        .hosts
        .iter()
        .map(|host| tenant_host::Model { host: host.clone(), tenant_id: tenant.id }.into_active_model());
    tenant_host::Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(())
}

fn row(tenant: &Tenant) -> tenant::Model {
    tenant::Model {
        id: tenant.id,
        slug: tenant.slug.to_string(),
        name: tenant.name.clone(),
        created_at: tenant.created_at,
        updated_at: tenant.updated_at,
    }
}
