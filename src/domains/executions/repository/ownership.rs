//! Who has which execution: claims, leases, and what becomes of executions whose process is gone. Each change is a
//! compare-and-set on state, owner and attempt; the attempt is the token that a later owner's is greater than.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, UpdateMany,
};

use super::super::entities::{execution, incident, worker};
use super::super::model::{Incident, Status};
use super::Row;
use crate::common::{ExecutionId, TenantId, Timestamp, WorkerId};
use crate::infrastructure::database::{Scoped, Unscoped};

/// Takes an execution for this worker: queued or waiting becomes running, with the next attempt. `max_crashes`: leaves
/// one whose process died more often. `None`: somebody else has it, it is over, or it is left.
pub(in super::super) async fn claim(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
    from: Status,
    worker: WorkerId,
    now: Timestamp,
    max_crashes: i32,
) -> Result<Option<Row>, DbErr> {
    let taken = execution::Entity::update_scoped(tenant)
        .col_expr(execution::Column::Status, Expr::value(Status::Running))
        .col_expr(execution::Column::Attempt, Expr::col(execution::Column::Attempt).add(1))
        .col_expr(execution::Column::Owner, Expr::value(Some(worker)))
        .col_expr(execution::Column::WaitUntil, Expr::value(None::<Timestamp>))
        .col_expr(
            execution::Column::StartedAt,
            Func::coalesce([Expr::col(execution::Column::StartedAt), Expr::value(now)]).into(),
        )
        .filter(execution::Column::Id.eq(id))
        .filter(execution::Column::Status.eq(from))
        .filter(execution::Column::Crashes.lte(max_crashes))
        .exec(connection)
        .await?;
    if taken.rows_affected == 0 {
        return Ok(None);
    }
    super::find(connection, tenant, id).await
}

/// Puts a waiting execution into the queue. `false`: it does not wait any more.
pub(in super::super) async fn resume(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let moved = execution::Entity::update_scoped(tenant)
        .col_expr(execution::Column::Status, Expr::value(Status::New))
        .col_expr(execution::Column::WaitUntil, Expr::value(None::<Timestamp>))
        .col_expr(execution::Column::QueuedAt, Expr::value(now))
        .filter(execution::Column::Id.eq(id))
        .filter(execution::Column::Status.eq(Status::Waiting))
        .exec(connection)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// Puts a caller that waits for the end of this called execution into the queue. `false`: it does not, or not any more.
pub(in super::super) async fn wake(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    caller: ExecutionId,
    called: ExecutionId,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let moved = execution::Entity::update_scoped(tenant)
        .col_expr(execution::Column::Status, Expr::value(Status::New))
        .col_expr(execution::Column::QueuedAt, Expr::value(now))
        .filter(execution::Column::Id.eq(caller))
        .filter(execution::Column::Status.eq(Status::Waiting))
        .filter(execution::Column::WaitsFor.eq(called))
        .exec(connection)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// Callers of all tenants that wait for what is over, or is not there any more.
pub(in super::super) async fn waiting_in_vain(
    connection: &impl ConnectionTrait,
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    let goes_on = "EXISTS (SELECT 1 FROM executions called WHERE called.tenant_id = executions.tenant_id \
        AND called.id = executions.waits_for AND called.status IN ('new', 'running', 'waiting'))";
    execution::Entity::across_tenants()
        .filter(execution::Column::WaitsFor.is_not_null())
        .filter(Expr::cust(WAITING))
        .filter(Expr::cust(goes_on).not())
        .limit(limit)
        .all(connection)
        .await
}

/// Waiting executions of all tenants whose time has come, earliest first.
pub(in super::super) async fn due(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    execution::Entity::across_tenants()
        .filter(Expr::cust(WAITING))
        .filter(execution::Column::WaitUntil.lte(now))
        .order_by_asc(execution::Column::WaitUntil)
        .limit(limit)
        .all(connection)
        .await
}

/// Longest time after which workers are told again of an execution that nobody took.
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

/// Queued executions of all tenants of which the workers were told before `before`, oldest first. Each time they are told
/// again twice as late, so that a long queue is not filled with repetitions.
pub(in super::super) async fn forgotten(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    before: Timestamp,
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    let (queued, created) = (execution::Column::QueuedAt, execution::Column::CreatedAt);
    let twice_as_late = Expr::col(queued).mul(2).sub(Expr::col(created)).lt(now.as_millis());
    let silent = Condition::any().add(twice_as_late).add(queued.lt(now.minus(LONGEST_SILENCE)));
    let told = Condition::all().add(queued.lt(before)).add(silent);
    execution::Entity::across_tenants()
        .filter(Expr::cust(NEW))
        .filter(created.lt(before))
        .filter(Condition::any().add(queued.eq(Timestamp::default())).add(told))
        .order_by_asc(execution::Column::CreatedAt)
        .limit(limit)
        .all(connection)
        .await
}

/// Notes that the workers are told of a queued execution. `false`: it is not queued any more.
pub(in super::super) async fn told(
    connection: &impl ConnectionTrait,
    row: &Row,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let noted = execution::Entity::update_scoped(row.tenant_id)
        .col_expr(execution::Column::QueuedAt, Expr::value(now))
        .filter(execution::Column::Id.eq(row.id))
        .filter(execution::Column::Status.eq(Status::New))
        .filter(execution::Column::QueuedAt.eq(row.queued_at))
        .exec(connection)
        .await?;
    Ok(noted.rows_affected == 1)
}

/// The same for all tenants: the queue is empty because its process ended.
pub(in super::super) async fn tell_all_again(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let sql = format!("UPDATE executions SET queued_at = 0 WHERE {NEW} AND queued_at <> 0");
    connection.execute_unprepared(&sql).await.map(drop)
}

/// Has the workers told of all queued executions of a tenant as if they had never been.
pub(in super::super) async fn tell_again(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<(), DbErr> {
    execution::Entity::update_scoped(tenant)
        .col_expr(execution::Column::QueuedAt, Expr::value(Timestamp::default()))
        .filter(execution::Column::Status.eq(Status::New))
        .exec(connection)
        .await
        .map(drop)
}

/// States as the partial indexes name them, which are not used where a state is a parameter.
pub(super) const NEW: &str = "status = 'new'";
const RUNNING: &str = "status = 'running'";
const WAITING: &str = "status = 'waiting'";

/// Running executions of all tenants whose process is gone: its lease has run out, or it was never heard of. Not those of
/// who asks.
pub(in super::super) async fn orphaned(
    connection: &impl ConnectionTrait,
    asking: WorkerId,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    let alive =
        worker::Entity::global().select_only().column(worker::Column::Id).filter(worker::Column::LeaseUntil.gt(now));
    let dead = execution::Column::Owner.ne(asking).and(execution::Column::Owner.not_in_subquery(alive.into_query()));
    let nobodys = Condition::any().add(execution::Column::Owner.is_null()).add(dead);
    execution::Entity::across_tenants().filter(Expr::cust(RUNNING)).filter(nobodys).limit(limit).all(connection).await
}

/// Executions that a worker is said to be running.
pub(in super::super) async fn owned(connection: &impl ConnectionTrait, worker: WorkerId) -> Result<Vec<Row>, DbErr> {
    execution::Entity::across_tenants()
        .filter(Expr::cust(RUNNING))
        .filter(execution::Column::Owner.eq(worker))
        .all(connection)
        .await
}

/// Puts an execution back into the queue, to be gone on with from its journal, provided that nobody took it up
/// meanwhile. `crashed`: its process died with it.
pub(in super::super) async fn hand_on(
    connection: &impl ConnectionTrait,
    row: &Row,
    crashed: bool,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let update = taken_from(row, Status::New)
        .col_expr(execution::Column::Crashes, Expr::col(execution::Column::Crashes).add(i32::from(crashed)))
        .col_expr(execution::Column::QueuedAt, Expr::value(now));
    let kind = if crashed { Incident::Died } else { Incident::HandedOn };
    Ok(update.exec(connection).await?.rows_affected == 1 && report(connection, row, kind, now).await?)
}

/// Ends an execution that kills its process each time, provided that nobody took it up meanwhile.
pub(in super::super) async fn give_up(
    connection: &impl ConnectionTrait,
    row: &Row,
    error: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let update = taken_from(row, Status::Crashed)
        .col_expr(execution::Column::Crashes, Expr::col(execution::Column::Crashes).add(1))
        .col_expr(execution::Column::StoppedAt, Expr::value(Some(now)))
        .col_expr(execution::Column::Error, Expr::value(Some(error)));
    Ok(update.exec(connection).await?.rows_affected == 1 && report(connection, row, Incident::Died, now).await?)
}

fn taken_from(row: &Row, status: Status) -> UpdateMany<execution::Entity> {
    let owner = match row.owner {
        Some(owner) => execution::Column::Owner.eq(owner),
        None => execution::Column::Owner.is_null(),
    };
    execution::Entity::update_scoped(row.tenant_id)
        .col_expr(execution::Column::Status, Expr::value(status))
        .col_expr(execution::Column::Owner, Expr::value(None::<WorkerId>))
        .col_expr(execution::Column::Attempt, Expr::col(execution::Column::Attempt).add(1))
        .filter(execution::Column::Id.eq(row.id))
        .filter(execution::Column::Attempt.eq(row.attempt))
        .filter(execution::Column::Status.eq(row.status))
        .filter(owner)
}

async fn report(connection: &impl ConnectionTrait, row: &Row, kind: Incident, now: Timestamp) -> Result<bool, DbErr> {
    let incident = incident::ActiveModel {
        tenant_id: Set(row.tenant_id),
        execution_id: Set(row.id),
        attempt: Set(row.attempt),
        at: Set(now),
        worker: Set(row.owner),
        kind: Set(kind),
    };
    incident::Entity::insert(incident).exec_without_returning(connection).await?;
    Ok(true)
}

/// Attempts at an execution that came to no end, in order.
pub(in super::super) async fn incidents(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
) -> Result<Vec<incident::Model>, DbErr> {
    incident::Entity::scoped(tenant)
        .filter(incident::Column::ExecutionId.eq(id))
        .order_by_asc(incident::Column::Attempt)
        .all(connection)
        .await
}

/// Says that a worker lives until then.
pub(in super::super) async fn renew_lease(
    connection: &impl ConnectionTrait,
    worker: worker::Model,
) -> Result<(), DbErr> {
    let row = worker::ActiveModel {
        id: Set(worker.id),
        started_at: Set(worker.started_at),
        lease_until: Set(worker.lease_until),
        pool: Set(worker.pool),
        slots: Set(worker.slots),
    };
    let renewed = OnConflict::column(worker::Column::Id).update_column(worker::Column::LeaseUntil).to_owned();
    worker::Entity::insert(row).on_conflict(renewed).exec_without_returning(connection).await.map(drop)
}

/// Says that this is the only worker there is: the leases of all others are over.
pub(in super::super) async fn alone(connection: &impl ConnectionTrait, id: WorkerId) -> Result<(), DbErr> {
    worker::Entity::delete_global().filter(worker::Column::Id.ne(id)).exec(connection).await.map(drop)
}

/// Ends the lease of a worker that stops, and forgets those that are long gone.
pub(in super::super) async fn retire(
    connection: &impl ConnectionTrait,
    id: WorkerId,
    forgotten: Timestamp,
) -> Result<(), DbErr> {
    let gone = Condition::any().add(worker::Column::Id.eq(id)).add(worker::Column::LeaseUntil.lt(forgotten));
    worker::Entity::delete_global().filter(gone).exec(connection).await.map(drop)
}
