//! Queries of executions. Hot statements are written by hand and kept prepared: they take many rows at a time.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect, Statement,
    Value,
};

use super::entities::{execution, label, memory, payload, worker};
use super::model::Status;
use crate::common::{ExecutionId, TenantId, Timestamp, WorkerId, WorkflowId};
use crate::infrastructure::database::{Scoped, placeholders};

mod answers;
mod binaries;
mod jobs;
mod journal;
mod labels;
mod limits;
mod ownership;
mod parts;
mod pools;
mod reading;
mod retention;

pub(super) use answers::{answered, expect, expected, forget_answers, forget_old_answers, leave_answer};
pub(super) use binaries::{Binary, doom, find_binary, forget_binaries, note_binary, unneeded};
pub(super) use jobs::{Job, abandoned_jobs, advance_job, find_job, insert_job, jobs};
pub(super) use journal::{Append, append, clear, stored};
pub(super) use labels::{Label, label, labels, unlabel};
pub(super) use limits::{hold_claims, next_queued, running, unfinished};
pub(super) use ownership::{
    alone, claim, due, forgotten, give_up, hand_on, incidents, orphaned, owned, renew_lease, resume, retire,
    tell_again, tell_all_again, told, waiting_in_vain, wake,
};
pub(super) use parts::{Part, forget_old_parts, forget_parts, leave_part, parts, unread};
pub(super) use pools::{living, queued, stranded};
pub(super) use reading::{Filter, Outcome, data, data_sizes, list, outcomes};
pub(super) use retention::{Expired, delete_many, expired, last_kept};

pub(super) type Row = execution::Model;
pub(super) type Payload = payload::Model;
pub(super) type Worker = worker::Model;

/// Most rows of one statement; smaller batches are made of powers of two, so that few statements stay prepared.
const CHUNK: usize = 256;

const COLUMNS: [&str; 21] = [
    "tenant_id",
    "id",
    "workflow_id",
    "version_id",
    "mode",
    "status",
    "attempt",
    "owner",
    "created_at",
    "started_at",
    "stopped_at",
    "wait_until",
    "parent_id",
    "retry_of",
    "retry_success_id",
    "last_node",
    "error",
    "priority",
    "pool",
    "concurrency_key",
    "waits_for",
];

/// What an execution becomes on a later write. What it was at first (workflow, mode, creation) stays.
const ON_CONFLICT: &str = " ON CONFLICT (tenant_id, id) DO UPDATE SET status = excluded.status, \
    owner = excluded.owner, started_at = excluded.started_at, stopped_at = excluded.stopped_at, \
    wait_until = excluded.wait_until, waits_for = excluded.waits_for, last_node = excluded.last_node, \
    error = excluded.error \
    WHERE executions.attempt = excluded.attempt AND executions.status = 'running'";

/// Writes rows: new ones as they are, known ones only while their attempt still runs. Gives how many rows were written;
/// fewer than given means that some attempt is not the current one any more. Ids must not repeat.
pub(super) async fn upsert(connection: &impl ConnectionTrait, rows: Vec<Row>) -> Result<u64, DbErr> {
    let backend = connection.get_database_backend();
    let mut written = 0;
    let mut left = rows.into_iter();
    while let Some(size) = chunk_size(left.len()) {
        let values = left.by_ref().take(size).flat_map(values_of);
        let sql = insert_sql(backend, "executions", &COLUMNS, size, ON_CONFLICT);
        let statement = Statement::from_sql_and_values(backend, sql, values);
        written += connection.execute_raw(statement).await?.rows_affected();
    }
    Ok(written)
}

/// The same together with their payloads. SQLite is given both statements in one message: each costs two changes of
/// threads, more than a small statement itself takes.
pub(super) async fn upsert_whole(connection: &impl ConnectionTrait, whole: Vec<(Row, Payload)>) -> Result<u64, DbErr> {
    let backend = connection.get_database_backend();
    if backend != DbBackend::Sqlite {
        let (rows, payloads) = whole.into_iter().unzip();
        let written = upsert(connection, rows).await?;
        upsert_payloads(connection, payloads).await?;
        return Ok(written);
    }
    // Every payload counts, whether it is new or not.
    let payloads = u64::try_from(whole.len()).unwrap_or(u64::MAX);
    let mut written = 0;
    for statement in whole_statements(backend, whole) {
        written += connection.execute_raw(statement).await?.rows_affected();
    }
    Ok(written.saturating_sub(payloads))
}

/// Statements that write rows with their payloads, for a transaction of their own. For SQLite; elsewhere a statement is one.
pub(super) fn whole_statements(backend: DbBackend, whole: Vec<(Row, Payload)>) -> Vec<Statement> {
    let (mut statements, mut left) = (Vec::new(), whole.into_iter());
    while left.len() > 0 {
        let size = statement_size(left.len());
        let (rows, payloads): (Vec<Row>, Vec<Payload>) = left.by_ref().take(size).unzip();
        let sql = format!(
            "{}; {}",
            insert_sql(backend, "executions", &COLUMNS, size, ON_CONFLICT),
            insert_sql(backend, "execution_payloads", &PAYLOAD_COLUMNS, size, ON_PAYLOAD_CONFLICT)
        );
        let values = rows.into_iter().flat_map(values_of).chain(payloads.into_iter().flat_map(payload_values_of));
        statements.push(Statement::from_sql_and_values(backend, sql, values));
    }
    statements
}

/// Rows of one statement for so many: any number up to 16, then powers of two and what lies midway between them, so that few
/// statements stay prepared.
fn statement_size(left: usize) -> usize {
    let capped = left.min(CHUNK);
    match capped.checked_ilog2() {
        Some(power) if power >= 4 => {
            let (below, midway) = (1 << power, 3 << (power - 1));
            if capped >= midway { midway } else { below }
        }
        _ => capped,
    }
}

const PAYLOAD_COLUMNS: [&str; 4] = ["tenant_id", "execution_id", "data", "state"];
const ON_PAYLOAD_CONFLICT: &str =
    " ON CONFLICT (tenant_id, execution_id) DO UPDATE SET data = excluded.data, state = excluded.state";

fn payload_values_of(row: Payload) -> [Value; PAYLOAD_COLUMNS.len()] {
    [row.tenant_id.into(), row.execution_id.into(), Value::Bytes(row.data), Value::Bytes(row.state)]
}

/// Writes payloads over those the executions had.
pub(super) async fn upsert_payloads(connection: &impl ConnectionTrait, rows: Vec<Payload>) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let mut left = rows.into_iter();
    while let Some(size) = chunk_size(left.len()) {
        let values = left.by_ref().take(size).flat_map(payload_values_of);
        let sql = insert_sql(backend, "execution_payloads", &PAYLOAD_COLUMNS, size, ON_PAYLOAD_CONFLICT);
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    Ok(())
}

/// The largest power of two that fits.
fn chunk_size(left: usize) -> Option<usize> {
    let capped = left.min(CHUNK);
    capped.checked_ilog2().map(|power| 1 << power)
}

fn insert_sql(backend: DbBackend, table: &str, columns: &[&str], rows: usize, tail: &str) -> String {
    let places = placeholders(backend, rows, &vec![""; columns.len()]);
    format!("INSERT INTO {table} ({}) VALUES {places}{tail}", columns.join(", "))
}

fn values_of(row: Row) -> [Value; COLUMNS.len()] {
    [
        row.tenant_id.into(),
        row.id.into(),
        row.workflow_id.into(),
        row.version_id.into(),
        row.mode.into(),
        row.status.into(),
        row.attempt.into(),
        row.owner.into(),
        row.created_at.into(),
        row.started_at.into(),
        row.stopped_at.into(),
        row.wait_until.into(),
        row.parent_id.into(),
        row.retry_of.into(),
        row.retry_success_id.into(),
        row.last_node.into(),
        row.error.into(),
        row.priority.into(),
        row.pool.into(),
        row.concurrency_key.into(),
        row.waits_for.into(),
    ]
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
) -> Result<Option<Row>, DbErr> {
    execution::Entity::scoped(tenant).filter(execution::Column::Id.eq(id)).one(connection).await
}

pub(super) async fn payloads(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: impl IntoIterator<Item = ExecutionId>,
) -> Result<Vec<Payload>, DbErr> {
    payload::Entity::scoped(tenant).filter(payload::Column::ExecutionId.is_in(ids)).all(connection).await
}

/// The states of those executions that are there.
pub(super) async fn statuses(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: impl IntoIterator<Item = ExecutionId>,
) -> Result<HashMap<ExecutionId, Status>, DbErr> {
    let query = execution::Entity::scoped(tenant)
        .select_only()
        .columns([execution::Column::Id, execution::Column::Status])
        .filter(execution::Column::Id.is_in(ids));
    Ok(query.into_tuple::<(ExecutionId, Status)>().all(connection).await?.into_iter().collect())
}

/// Moves an execution from one state to another, if it is in the first. `false`: it is not.
pub(super) async fn transition(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
    from: Status,
    to: Status,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let mut update = execution::Entity::update_scoped(tenant)
        .col_expr(execution::Column::Status, Expr::value(to))
        .col_expr(execution::Column::Owner, Expr::value(None::<WorkerId>))
        .col_expr(execution::Column::WaitUntil, Expr::value(None::<Timestamp>))
        .col_expr(execution::Column::WaitsFor, Expr::value(None::<ExecutionId>));
    if to.is_terminal() {
        update = update.col_expr(execution::Column::StoppedAt, Expr::value(Some(now)));
    }
    let moved =
        update.filter(execution::Column::Id.eq(id)).filter(execution::Column::Status.eq(from)).exec(connection).await?;
    Ok(moved.rows_affected == 1)
}

pub(super) async fn set_retry_success(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
    success: ExecutionId,
) -> Result<(), DbErr> {
    execution::Entity::update_scoped(tenant)
        .col_expr(execution::Column::RetrySuccessId, Expr::value(Some(success)))
        .filter(execution::Column::Id.eq(id))
        .exec(connection)
        .await
        .map(drop)
}

/// Deletes an execution unless it runs. `false`: it does, or there is none.
pub(super) async fn delete(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
) -> Result<bool, DbErr> {
    delete_if(connection, tenant, id, execution::Column::Status.ne(Status::Running)).await
}

/// Deletes an execution that an attempt runs. `false`: it is not that attempt's any more.
pub(super) async fn discard(connection: &impl ConnectionTrait, row: &Row) -> Result<bool, DbErr> {
    let is_own = execution::Column::Attempt.eq(row.attempt).and(execution::Column::Status.eq(Status::Running));
    delete_if(connection, row.tenant_id, row.id, is_own).await
}

async fn delete_if(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
    condition: Expr,
) -> Result<bool, DbErr> {
    let deleted = execution::Entity::delete_scoped(tenant)
        .filter(execution::Column::Id.eq(id))
        .filter(condition)
        .exec(connection)
        .await?;
    if deleted.rows_affected == 0 {
        return Ok(false);
    }
    payload::Entity::delete_scoped(tenant).filter(payload::Column::ExecutionId.eq(id)).exec(connection).await?;
    doom(connection, tenant, [id]).await?;
    journal::delete(connection, tenant, id).await?;
    label::Entity::delete_scoped(tenant).filter(label::Column::ExecutionId.eq(id)).exec(connection).await?;
    Ok(true)
}

/// Deletes everything a workflow left behind: executions, their payloads, its memory.
pub(super) async fn delete_of_workflow(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
) -> Result<(), DbErr> {
    let ids = || {
        let ids = execution::Entity::scoped(tenant).select_only().column(execution::Column::Id);
        sea_orm::QueryTrait::into_query(ids.filter(execution::Column::WorkflowId.eq(workflow)))
    };
    payload::Entity::delete_scoped(tenant)
        .filter(payload::Column::ExecutionId.in_subquery(ids()))
        .exec(connection)
        .await?;
    binaries::doom_all(connection, tenant, ids()).await?;
    journal::delete_all(connection, tenant, ids()).await?;
    label::Entity::delete_scoped(tenant).filter(label::Column::ExecutionId.in_subquery(ids())).exec(connection).await?;
    execution::Entity::delete_scoped(tenant)
        .filter(execution::Column::WorkflowId.eq(workflow))
        .exec(connection)
        .await?;
    memory::Entity::delete_scoped(tenant).filter(memory::Column::WorkflowId.eq(workflow)).exec(connection).await?;
    Ok(())
}

pub(super) async fn recall(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
    key: &str,
) -> Result<Option<String>, DbErr> {
    let row = memory::Entity::scoped(tenant)
        .filter(memory::Column::WorkflowId.eq(workflow))
        .filter(memory::Column::Key.eq(key))
        .one(connection)
        .await?;
    Ok(row.map(|row| row.value))
}

pub(super) async fn remember(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
    key: &str,
    value: String,
    now: Timestamp,
) -> Result<(), DbErr> {
    let row = memory::ActiveModel {
        tenant_id: Set(tenant),
        workflow_id: Set(workflow),
        key: Set(key.to_owned()),
        value: Set(value),
        updated_at: Set(now),
    };
    let replaced = OnConflict::columns([memory::Column::TenantId, memory::Column::WorkflowId, memory::Column::Key])
        .update_columns([memory::Column::Value, memory::Column::UpdatedAt])
        .to_owned();
    memory::Entity::insert(row).on_conflict(replaced).exec_without_returning(connection).await.map(drop)
}

/// Bytes that the data of the tenant's executions take.
pub(super) async fn stored_bytes(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<i64, DbErr> {
    let sql = "SELECT CAST((SELECT COALESCE(SUM(COALESCE(LENGTH(data), 0) + COALESCE(LENGTH(state), 0)), 0) \
               FROM execution_payloads WHERE tenant_id = $1) + (SELECT COALESCE(SUM(bytes), 0) \
               FROM execution_binaries WHERE tenant_id = $1) AS BIGINT) AS bytes";
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [tenant.into()]);
    match connection.query_one_raw(statement).await? {
        Some(row) => row.try_get("", "bytes"),
        None => Ok(0),
    }
}
