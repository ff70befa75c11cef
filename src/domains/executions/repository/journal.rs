//! The journal of running executions: rows are added only by the attempt that has the execution.

use sea_orm::sea_query::SelectStatement;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, DbErr, QueryFilter, QueryOrder, Statement};

use super::super::entities::{answer, incident, journal};
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::database::{Scoped, placeholders};

/// A row to be added.
#[derive(Clone, Debug)]
pub(in super::super) struct Append {
    pub tenant: TenantId,
    pub execution: ExecutionId,
    /// The attempt that adds it.
    pub attempt: i32,
    pub seq: i32,
    pub entries: Vec<u8>,
}

/// Rows of one statement at most.
const CHUNK: usize = 128;

/// Adds rows whose attempt is the current one and runs. Gives how many were added; fewer than given means that some
/// attempt has lost its execution. On PostgreSQL the executions are held, so that none is lost meanwhile. A row that is
/// there already is written again: its commit may have gone through unnoticed.
pub(in super::super) async fn append(connection: &impl ConnectionTrait, rows: Vec<Append>) -> Result<u64, DbErr> {
    let backend = connection.get_database_backend();
    let mut added = 0;
    let mut left = rows.into_iter();
    while let Some(power) = left.len().min(CHUNK).checked_ilog2() {
        let size = 1 << power;
        let values = left.by_ref().take(size).flat_map(|row| {
            [row.tenant.into(), row.execution.into(), row.attempt.into(), row.seq.into(), row.entries.into()]
        });
        let statement = Statement::from_sql_and_values(backend, append_sql(backend, size), values);
        added += connection.execute_raw(statement).await?.rows_affected();
    }
    Ok(added)
}

fn append_sql(backend: DbBackend, rows: usize) -> String {
    let (types, tail) = match backend {
        DbBackend::Postgres => (["::uuid", "::uuid", "::int4", "::int4", "::bytea"], " FOR SHARE OF e"),
        _ => ([""; 5], ""),
    };
    format!(
        "INSERT INTO execution_journal (tenant_id, execution_id, seq, entries) \
         SELECT v.column1, v.column2, v.column4, v.column5 FROM (VALUES {}) AS v JOIN executions e \
         ON e.tenant_id = v.column1 AND e.id = v.column2 WHERE e.attempt = v.column3 AND e.status = 'running'{tail} \
         ON CONFLICT (tenant_id, execution_id, seq) DO UPDATE SET entries = excluded.entries",
        placeholders(backend, rows, &types)
    )
}

/// What is stored of an execution to go on with it: its state, and the rows of its journal, each with its place.
pub(in super::super) async fn stored(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
) -> Result<(Option<Vec<u8>>, Vec<(i32, Vec<u8>)>), DbErr> {
    let payload = super::payloads(connection, tenant, [id]).await?.into_iter().next();
    let rows = journal::Entity::scoped(tenant)
        .filter(journal::Column::ExecutionId.eq(id))
        .order_by_asc(journal::Column::Seq)
        .all(connection)
        .await?;
    Ok((payload.and_then(|payload| payload.state), rows.into_iter().map(|row| (row.seq, row.entries)).collect()))
}

/// Deletes the journals of executions whose state has been stored whole.
pub(in super::super) async fn clear(
    connection: &impl ConnectionTrait,
    executions: &[(TenantId, ExecutionId)],
) -> Result<(), DbErr> {
    if executions.is_empty() {
        return Ok(());
    }
    let backend = connection.get_database_backend();
    let pairs = placeholders(backend, executions.len(), &[""; 2]);
    let sql = format!("DELETE FROM execution_journal WHERE (tenant_id, execution_id) IN (VALUES {pairs})");
    let values = executions.iter().flat_map(|(tenant, id)| [(*tenant).into(), (*id).into()]);
    connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

/// Deletes what is kept of one execution's attempts.
pub(super) async fn delete(connection: &impl ConnectionTrait, tenant: TenantId, id: ExecutionId) -> Result<(), DbErr> {
    journal::Entity::delete_scoped(tenant).filter(journal::Column::ExecutionId.eq(id)).exec(connection).await?;
    incident::Entity::delete_scoped(tenant).filter(incident::Column::ExecutionId.eq(id)).exec(connection).await?;
    answer::Entity::delete_scoped(tenant).filter(answer::Column::ExecutionId.eq(id)).exec(connection).await?;
    Ok(())
}

/// Deletes what is kept of the attempts of the executions that a query gives.
pub(super) async fn delete_all(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: SelectStatement,
) -> Result<(), DbErr> {
    let of_journal = journal::Column::ExecutionId.in_subquery(ids.clone());
    journal::Entity::delete_scoped(tenant).filter(of_journal).exec(connection).await?;
    let of_incidents = incident::Column::ExecutionId.in_subquery(ids);
    incident::Entity::delete_scoped(tenant).filter(of_incidents).exec(connection).await?;
    Ok(())
}
