//! How many executions run at a time, for tenants and workflows that may run only so many.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};

use super::super::entities::execution;
use super::super::model::{Mode, Status};
use super::Row;
use crate::common::TenantId;
use crate::infrastructure::database::Scoped;

/// Keeps others from claiming executions of a tenant until the transaction ends. SQLite has one writer anyway.
pub(in super::super) async fn hold_claims(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    if backend == DbBackend::Postgres {
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 727281003))";
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, [tenant.to_string().into()])).await?;
    }
    Ok(())
}

/// How many executions of a tenant, or those that are limited together with one of them, run; without those that others call.
pub(in super::super) async fn running(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    like: Option<&Row>,
) -> Result<u64, DbErr> {
    execution::Entity::scoped(tenant)
        .filter(execution::Column::Status.eq(Status::Running))
        .filter(execution::Column::Mode.ne(Mode::Integrated))
        .filter(limited_with(like))
        .count(connection)
        .await
}

/// Executions of the same workflow with the same key.
fn limited_with(row: Option<&Row>) -> Condition {
    let Some(row) = row else { return Condition::all() };
    let key = match &row.concurrency_key {
        Some(key) => execution::Column::ConcurrencyKey.eq(key.as_str()),
        None => execution::Column::ConcurrencyKey.is_null(),
    };
    Condition::all().add(execution::Column::WorkflowId.eq(row.workflow_id)).add(key)
}

/// How many executions of a tenant were accepted and have not ended; without those that others call.
pub(in super::super) async fn unfinished(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<u64, DbErr> {
    execution::Entity::scoped(tenant)
        .filter(execution::Column::Status.is_in([Status::New, Status::Running, Status::Waiting]))
        .filter(execution::Column::Mode.ne(Mode::Integrated))
        .count(connection)
        .await
}

/// Executions of a pool that are looked at for the next one of each workflow.
const LOOKED_AT: u64 = 32;

/// The queued executions of a tenant, or those that are limited together with one of them, that come next: of each pool one
/// of each workflow and key, since of some as many may run already as may.
pub(in super::super) async fn next_queued(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    like: Option<&Row>,
) -> Result<Vec<Row>, DbErr> {
    let queued = execution::Entity::scoped(tenant).filter(execution::Column::Status.eq(Status::New));
    let query = queued.filter(limited_with(like));
    let pools: Vec<String> =
        query.clone().select_only().column(execution::Column::Pool).distinct().into_tuple().all(connection).await?;
    let mut found = Vec::with_capacity(pools.len());
    for pool in pools {
        let next = query.clone().filter(execution::Column::Pool.eq(pool));
        let next = next.order_by_desc(execution::Column::Priority).order_by_asc(execution::Column::Id);
        let mut seen = HashSet::new();
        let next = next.limit(if like.is_some() { 1 } else { LOOKED_AT }).all(connection).await?;
        found.extend(next.into_iter().filter(|row| seen.insert((row.workflow_id, row.concurrency_key.clone()))));
    }
    Ok(found)
}
