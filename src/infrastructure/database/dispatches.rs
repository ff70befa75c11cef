//! The table of executions that are ready for a worker; PostgreSQL only. Used by the queue and nobody else.

use std::collections::BTreeSet;
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};
use sqlx::postgres::PgListener;

use super::{AcrossTenants, Database, Pools, placeholders, session};
use crate::common::{ExecutionId, TenantId};

/// Channel on which workers are told that something is ready.
const CHANNEL: &str = "millrace_dispatches";

/// An execution that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    pub tenant: TenantId,
    pub execution: ExecutionId,
    /// The lower, the earlier.
    pub rank: i64,
}

/// Whether PostgreSQL is to tell the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    Workers,
    Nobody,
}

/// Makes executions known as ready to the workers of their pools. One that is there already stays as it is.
pub async fn put(database: &Database, ready: &[(&str, Ready)], tell: Tell) -> Result<(), DbErr> {
    let (backend, mut left) = (database.backend(), ready);
    let transaction = database.begin(AcrossTenants).await?;
    // In powers of two, so that few statements stay prepared.
    while let Some(size) = left.len().checked_ilog2() {
        let (rows, others) = left.split_at(1 << size);
        left = others;
        let sql = format!(
            "INSERT INTO execution_dispatches (tenant_id, execution_id, rank, pool) VALUES {} ON CONFLICT DO NOTHING",
            placeholders(backend, rows.len(), &[""; 4])
        );
        let values = rows
            .iter()
            .flat_map(|(pool, ready)| [ready.tenant.into(), ready.execution.into(), ready.rank.into(), (*pool).into()]);
        transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    if tell == Tell::Workers {
        let pools: BTreeSet<&str> = ready.iter().map(|(pool, _)| *pool).collect();
        for pool in pools {
            let values = [CHANNEL.into(), pool.into()];
            let notify = Statement::from_sql_and_values(backend, "SELECT pg_notify($1, $2)", values);
            transaction.execute_raw(notify).await?;
        }
    }
    transaction.commit().await
}

/// Takes up to `limit` of a pool's, in the order in which they are to be run: tenants in turn, the first one being the one with
/// the lowest id from `first` on, each as often as its weight says (1 where it has none), and within a tenant by rank. So
/// whoever has many waiting delays nobody else. What another worker is taking is passed over.
pub async fn take(
    database: &Database,
    pool: &str,
    limit: usize,
    first: TenantId,
    weights: &[(TenantId, u32)],
) -> Result<Vec<Ready>, DbErr> {
    const SQL: &str = "
        WITH RECURSIVE tenants AS (
            (SELECT tenant_id FROM execution_dispatches WHERE pool = $4 ORDER BY tenant_id LIMIT 1)
            UNION ALL
            SELECT (SELECT d.tenant_id FROM execution_dispatches d WHERE d.pool = $4 AND d.tenant_id > t.tenant_id
                    ORDER BY d.tenant_id LIMIT 1)
            FROM tenants t WHERE t.tenant_id IS NOT NULL
        ), weights AS (
            SELECT (value->>0)::uuid AS tenant_id, (value->>1)::bigint AS weight
            FROM jsonb_array_elements($3::text::jsonb)
        ), heads AS (
            SELECT d.tenant_id, d.execution_id, d.rank,
                   (row_number() OVER (PARTITION BY d.tenant_id ORDER BY d.rank, d.execution_id) - 1)
                       / COALESCE(w.weight, 1) AS turn
            FROM tenants t CROSS JOIN LATERAL (
                SELECT h.tenant_id, h.execution_id, h.rank FROM execution_dispatches h
                WHERE h.pool = $4 AND h.tenant_id = t.tenant_id ORDER BY h.rank, h.execution_id LIMIT $1 FOR UPDATE SKIP LOCKED
            ) d LEFT JOIN weights w ON w.tenant_id = d.tenant_id WHERE t.tenant_id IS NOT NULL
        ), picked AS (
            SELECT tenant_id, execution_id, row_number() OVER turns AS place FROM heads
            WINDOW turns AS (ORDER BY turn, tenant_id < $2, tenant_id, rank, execution_id)
            ORDER BY place LIMIT $1
        ), taken AS (
            DELETE FROM execution_dispatches d USING picked p
            WHERE d.tenant_id = p.tenant_id AND d.execution_id = p.execution_id
            RETURNING d.tenant_id, d.execution_id, d.rank, p.place
        )
        SELECT tenant_id, execution_id, rank FROM taken ORDER BY place";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let listed: Vec<String> =
        weights.iter().map(|(tenant, weight)| format!("[\"{tenant}\",{}]", weight.max(&1))).collect();
    let values = [limit.into(), first.into(), format!("[{}]", listed.join(",")).into(), pool.into()];
    let statement = Statement::from_sql_and_values(database.backend(), SQL, values);
    let rows = database.write(AcrossTenants).query_all_raw(statement).await?;
    let ready = |row: &QueryResult| {
        Ok(Ready {
            tenant: row.try_get("", "tenant_id")?,
            execution: row.try_get("", "execution_id")?,
            rank: row.try_get("", "rank")?,
        })
    };
    rows.iter().map(ready).collect()
}

/// Hears when something becomes ready for a pool.
pub struct Calls {
    listener: PgListener,
    pool: Arc<str>,
}

impl Calls {
    pub async fn listen(database: &Database, pool: Arc<str>) -> Result<Calls, DbErr> {
        let Pools::Postgres(connections) = &database.0 else {
            return Err(DbErr::Custom("only PostgreSQL tells".to_owned()));
        };
        let mut listener = PgListener::connect_with(&connections.pool).await.map_err(session::acquire_error)?;
        listener.listen(CHANNEL).await.map_err(session::acquire_error)?;
        Ok(Calls { listener, pool })
    }

    /// `false`: the connection is gone.
    pub async fn next(&mut self) -> bool {
        loop {
            match self.listener.recv().await {
                Ok(call) if call.payload() == &*self.pool => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }
}
