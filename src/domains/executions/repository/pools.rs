//! Queries of pools: who works for them, and what waits for them.

use std::collections::HashMap;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, FromQueryResult, QueryFilter, QuerySelect, QueryTrait};

use super::super::entities::{execution, worker};
use super::ownership::NEW;
use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::{Scoped, Unscoped};

/// The workers of a pool.
#[derive(Clone, Copy, Debug, Default, FromQueryResult)]
pub(in super::super) struct Pool {
    pub workers: i64,
    /// Executions that they run at the same time.
    pub slots: i64,
}

/// What waits for a pool.
#[derive(Clone, Debug, FromQueryResult)]
pub(in super::super) struct Stranded {
    pub pool: String,
    pub executions: i64,
    pub oldest: Timestamp,
}

/// Pools that somebody works for.
pub(in super::super) async fn living(
    connection: &impl ConnectionTrait,
    now: Timestamp,
) -> Result<HashMap<String, Pool>, DbErr> {
    let workers = worker::Entity::global().filter(worker::Column::LeaseUntil.gt(now)).all(connection).await?;
    let mut pools: HashMap<String, Pool> = HashMap::new();
    for worker in workers {
        let pool = pools.entry(worker.pool).or_default();
        pool.workers += 1;
        pool.slots += i64::from(worker.slots);
    }
    Ok(pools)
}

/// What is queued of a tenant, by pool.
pub(in super::super) async fn queued(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Vec<Stranded>, DbErr> {
    by_pool(execution::Entity::scoped(tenant)).all(connection).await
}

/// What is queued of all tenants in pools that nobody works for.
pub(in super::super) async fn stranded(
    connection: &impl ConnectionTrait,
    now: Timestamp,
) -> Result<Vec<Stranded>, DbErr> {
    let living =
        worker::Entity::global().select_only().column(worker::Column::Pool).filter(worker::Column::LeaseUntil.gt(now));
    let nobodys = execution::Column::Pool.not_in_subquery(living.into_query());
    by_pool(execution::Entity::across_tenants().filter(nobodys)).all(connection).await
}

fn by_pool(executions: sea_orm::Select<execution::Entity>) -> sea_orm::Selector<sea_orm::SelectModel<Stranded>> {
    executions
        .select_only()
        .column(execution::Column::Pool)
        .column_as(execution::Column::Id.count(), "executions")
        .column_as(execution::Column::CreatedAt.min(), "oldest")
        .filter(Expr::cust(NEW))
        .group_by(execution::Column::Pool)
        .into_model::<Stranded>()
}
