//! Queries of tenants, their host names and what they used.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};

use super::admin_dto::ListTenantsQuery;
use super::entities::{tenant, tenant_host, usage};
use super::model::{Slug, Tenant};
use super::plan::Status;
use super::usage::{Day, Usage};
use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::{Error, Scoped};

/// The shard of what is noted, not counted.
const GAUGE: i16 = -1;

pub(super) async fn find(connection: &impl ConnectionTrait, id: TenantId) -> Result<Option<Tenant>, Error> {
    with_hosts(connection, tenant::Entity::scoped(id).one(connection).await?).await
}

/// The same, locked until the transaction ends: who changes a tenant, or counts what it has, does so alone.
pub(super) async fn lock(connection: &impl ConnectionTrait, id: TenantId) -> Result<Option<Tenant>, Error> {
    with_hosts(connection, tenant::Entity::scoped(id).lock_exclusive().one(connection).await?).await
}

async fn with_hosts(connection: &impl ConnectionTrait, row: Option<tenant::Model>) -> Result<Option<Tenant>, Error> {
    let Some(row) = row else { return Ok(None) };
    let id = row.id;
    let hosts = tenant_host::Entity::scoped(id).order_by_asc(tenant_host::Column::Host).all(connection).await?;
    let hosts = hosts.into_iter().map(|host| host.host).collect();
    Ok(Some(Tenant { hosts, ..from_row(row)? }))
}

/// Newest first, one row more than the limit when there are more; without host names.
pub(super) async fn list(connection: &impl ConnectionTrait, query: &ListTenantsQuery) -> Result<Vec<Tenant>, Error> {
    let mut select = tenant::Entity::across_tenants();
    if let Some(status) = query.status {
        select = select.filter(tenant::Column::Status.eq(status));
    }
    if let Some(cursor) = query.cursor {
        select = select.filter(tenant::Column::Id.lt(cursor.id()));
    }
    let limit = query.limit.unwrap_or_default().get();
    let rows = select.order_by_desc(tenant::Column::Id).limit(limit + 1).all(connection).await?;
    rows.into_iter().map(from_row).collect()
}

/// Tenants whose grace period is over.
pub(super) async fn due_for_deletion(
    connection: &impl ConnectionTrait,
    now: Timestamp,
) -> Result<Vec<TenantId>, Error> {
    let due = tenant::Entity::across_tenants()
        .filter(tenant::Column::Status.eq(Status::Deleting))
        .filter(tenant::Column::DeleteAfter.lte(now));
    Ok(due.all(connection).await?.into_iter().map(|tenant| tenant.id).collect())
}

/// Deletes every row of a tenant in every table that has tenants, those of later versions included.
pub(super) async fn erase(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<(), Error> {
    let backend = connection.get_database_backend();
    let tables = match backend {
        DbBackend::Postgres => {
            "SELECT table_name::text AS name FROM information_schema.columns \
             WHERE table_schema = current_schema() AND column_name = 'tenant_id'"
        }
        _ => {
            "SELECT tables.name AS name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns \
             WHERE tables.type = 'table' AND columns.name = 'tenant_id'"
        }
    };
    // What refers to the tenant goes with it.
    tenant::Entity::delete_scoped(tenant).exec(connection).await?;
    for row in connection.query_all_raw(Statement::from_string(backend, tables)).await? {
        let table: String = row.try_get("", "name")?;
        let sql = format!("DELETE FROM \"{table}\" WHERE tenant_id = $1");
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, [tenant.into()])).await?;
    }
    Ok(())
}

/// What a tenant used since this day.
pub(super) async fn usage_since(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    since: Day,
) -> Result<Usage, Error> {
    Ok(usage_by_day(connection, tenant, since).await?.into_iter().fold(Usage::default(), |sum, (_, day)| sum.plus(day)))
}

/// What a tenant used on each day since this one, newest first.
pub(super) async fn usage_by_day(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    since: Day,
) -> Result<Vec<(Day, Usage)>, Error> {
    let rows = usage::Entity::scoped(tenant)
        .filter(usage::Column::Day.gte(since.0))
        .order_by_desc(usage::Column::Day)
        .all(connection)
        .await?;
    let mut days: Vec<(Day, Usage)> = Vec::new();
    for row in rows {
        let used = Usage {
            executions: row.executions,
            failed_executions: row.failed_executions,
            node_runs: row.node_runs,
            compute_ms: row.compute_ms,
            storage_bytes: row.storage_bytes,
            ai_cost_micros: row.ai_cost_micros,
        };
        match days.last_mut() {
            Some((day, sum)) if day.0 == row.day => sum.add(used),
            _ => days.push((Day(row.day), used)),
        }
    }
    Ok(days)
}

/// Adds to the counters.
pub(super) async fn add_usage(
    connection: &impl ConnectionTrait,
    shard: i16,
    counts: Vec<(TenantId, Day, Usage)>,
) -> Result<(), Error> {
    use usage::Column;
    let rows = counts.into_iter().map(|(tenant_id, day, used)| {
        let Usage { executions, failed_executions, node_runs, compute_ms, storage_bytes, ai_cost_micros } = used;
        let day = day.0;
        usage::Model {
            tenant_id,
            day,
            shard,
            executions,
            failed_executions,
            node_runs,
            compute_ms,
            storage_bytes,
            ai_cost_micros,
        }
        .into_active_model()
    });
    let mut added = OnConflict::columns([Column::TenantId, Column::Day, Column::Shard]);
    for column in [
        Column::Executions,
        Column::FailedExecutions,
        Column::NodeRuns,
        Column::ComputeMs,
        Column::StorageBytes,
        Column::AiCostMicros,
    ] {
        let sum = Expr::col((usage::Entity, column)).add(Expr::col((Alias::new("excluded"), column)));
        added.value(column, sum);
    }
    usage::Entity::insert_many(rows).on_conflict(added).exec_without_returning(connection).await.map(drop)
}

/// Notes what a tenant stores on a day, in place of what was noted before. It is no count, so it has a shard of its own.
pub(super) async fn set_storage(
    connection: &impl ConnectionTrait,
    tenant_id: TenantId,
    day: Day,
    storage_bytes: i64,
) -> Result<(), Error> {
    use usage::Column;
    let row = usage::ActiveModel {
        tenant_id: Set(tenant_id),
        day: Set(day.0),
        shard: Set(GAUGE),
        storage_bytes: Set(storage_bytes),
        ..Default::default()
    };
    let mut noted = OnConflict::columns([Column::TenantId, Column::Day, Column::Shard]);
    noted.update_column(Column::StorageBytes);
    usage::Entity::insert(row).on_conflict(noted).exec_without_returning(connection).await.map(drop)
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
    let row = row(tenant)?.into_active_model();
    tenant::Entity::insert(row).exec_without_returning(connection).await?;
    insert_hosts(connection, tenant).await
}

/// Writes every field but the host names.
pub(super) async fn update(connection: &impl ConnectionTrait, tenant: &Tenant) -> Result<(), Error> {
    row(tenant)?.into_active_model().reset_all().update(connection).await.map(drop)
}

/// Replaces the host names.
pub(super) async fn update_hosts(connection: &impl ConnectionTrait, tenant: &Tenant) -> Result<(), Error> {
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

fn row(tenant: &Tenant) -> Result<tenant::Model, Error> {
    let json = |error: serde_json::Error| Error::Custom(error.to_string());
    Ok(tenant::Model {
        id: tenant.id,
        slug: tenant.slug.to_string(),
        name: tenant.name.clone(),
        settings: serde_json::to_string(&tenant.settings).map_err(json)?,
        plan: tenant.plan.clone(),
        limits: tenant.limits.as_ref().map(serde_json::to_string).transpose().map_err(json)?,
        status: tenant.status,
        status_reason: tenant.status_reason.clone(),
        delete_after: tenant.delete_after,
        deleted_by_platform: tenant.deleted_by_platform,
        created_at: tenant.created_at,
        updated_at: tenant.updated_at,
    })
}

fn from_row(row: tenant::Model) -> Result<Tenant, Error> {
    let json = |error: serde_json::Error| Error::Type(format!("the settings of tenant {}: {error}", row.id));
    Ok(Tenant {
        settings: serde_json::from_str(&row.settings).map_err(json)?,
        limits: row.limits.as_deref().map(serde_json::from_str).transpose().map_err(json)?,
        id: row.id,
        slug: Slug::from_stored(row.slug),
        name: row.name,
        hosts: Vec::new(),
        plan: row.plan,
        status: row.status,
        status_reason: row.status_reason,
        delete_after: row.delete_after,
        deleted_by_platform: row.deleted_by_platform,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
