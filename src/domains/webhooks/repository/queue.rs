//! Queries of queued webhooks, of the events that workflows want, and of the secrets of their senders.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::super::entities::{event, queued, receiver};
use super::super::queue::Status;
use super::due_by_tenant;
use crate::common::{QueuedWebhookId, TenantId, Timestamp, WorkflowId};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Queued = queued::Model;
pub(in super::super) type Receiver = receiver::Model;

/// Adds webhooks. Those whose delivery is in the queue already are left out; gives how many were added.
pub(in super::super) async fn insert(connection: &impl ConnectionTrait, rows: Vec<Queued>) -> Result<u64, DbErr> {
    if rows.is_empty() {
        return Ok(0);
    }
    let key = [queued::Column::TenantId, queued::Column::WorkflowId, queued::Column::Delivery];
    queued::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await
}

/// Those of these ids that are in the queue, oldest first.
pub(in super::super) async fn those_there(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: Vec<QueuedWebhookId>,
) -> Result<Vec<QueuedWebhookId>, DbErr> {
    let found = queued::Entity::scoped(tenant).select_only().column(queued::Column::Id);
    let found = found.filter(queued::Column::Id.is_in(ids)).order_by_asc(queued::Column::Id);
    found.into_tuple().all(connection).await
}

/// Is a delivery in the queue, for whatever workflow?
pub(in super::super) async fn is_known(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    delivery: &str,
) -> Result<bool, DbErr> {
    let found = queued::Entity::scoped(tenant).select_only().column(queued::Column::Id);
    let found = found.filter(queued::Column::Delivery.eq(delivery));
    Ok(found.into_tuple::<QueuedWebhookId>().one(connection).await?.is_some())
}

/// Webhooks of every tenant that are due: never tried, to be tried again, or left by a process that died. Of each tenant no
/// more than its share.
pub(in super::super) async fn due(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    share: usize,
    limit: usize,
) -> Result<Vec<Queued>, DbErr> {
    let ids: Vec<QueuedWebhookId> = due_by_tenant(connection, "webhook_queue", now, (share, limit)).await?;
    let found = queued::Entity::across_tenants().filter(queued::Column::Id.is_in(ids));
    found.order_by_asc(queued::Column::DueAt).all(connection).await
}

/// Writes a webhook's new state, provided that nobody wrote since `seen`. `false`: somebody was faster.
pub(in super::super) async fn change(
    connection: &impl ConnectionTrait,
    seen: &Queued,
    row: &Queued,
) -> Result<bool, DbErr> {
    let changed = queued::Entity::update_scoped(row.tenant_id)
        .col_expr(queued::Column::Status, Expr::value(row.status))
        .col_expr(queued::Column::Attempts, Expr::value(row.attempts))
        .col_expr(queued::Column::DueAt, Expr::value(row.due_at))
        .col_expr(queued::Column::ExecutionId, Expr::value(row.execution_id))
        .col_expr(queued::Column::Error, Expr::value(row.error.clone()))
        .col_expr(queued::Column::UpdatedAt, Expr::value(row.updated_at))
        .filter(queued::Column::Id.eq(row.id))
        .filter(queued::Column::Status.eq(seen.status))
        .filter(queued::Column::Attempts.eq(seen.attempts))
        .filter(match seen.due_at {
            Some(due) => queued::Column::DueAt.eq(due),
            None => queued::Column::DueAt.is_null(),
        })
        .exec(connection)
        .await?;
    Ok(changed.rows_affected == 1)
}

pub(in super::super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: QueuedWebhookId,
) -> Result<Option<Queued>, DbErr> {
    queued::Entity::scoped(tenant).filter(queued::Column::Id.eq(id)).one(connection).await
}

/// Newest first; one row more than the limit when there are more.
pub(in super::super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    status: Option<Status>,
    before: Option<QueuedWebhookId>,
    limit: u64,
) -> Result<Vec<Queued>, DbErr> {
    let mut query = queued::Entity::scoped(tenant).order_by_desc(queued::Column::Id).limit(limit + 1);
    if let Some(status) = status {
        query = query.filter(queued::Column::Status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(queued::Column::Id.lt(before));
    }
    query.all(connection).await
}

/// How many webhooks there are in each state.
pub(in super::super) async fn counts(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Vec<(Status, i64)>, DbErr> {
    queued::Entity::scoped(tenant)
        .select_only()
        .column(queued::Column::Status)
        .column_as(queued::Column::Id.count(), "count")
        .group_by(queued::Column::Status)
        .into_tuple()
        .all(connection)
        .await
}

/// When the webhook was queued that waits longest.
pub(in super::super) async fn oldest(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Option<Timestamp>, DbErr> {
    let row = queued::Entity::scoped(tenant)
        .filter(queued::Column::Status.eq(Status::Queued))
        .order_by_asc(queued::Column::Id)
        .one(connection)
        .await?;
    Ok(row.map(|row| row.created_at))
}

/// Deletes webhooks in this state; gives how many.
pub(in super::super) async fn delete(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    status: Status,
) -> Result<u64, DbErr> {
    let delete = queued::Entity::delete_scoped(tenant).filter(queued::Column::Status.eq(status));
    Ok(delete.exec(connection).await?.rows_affected)
}

/// Deletes webhooks of every tenant that ended well before this time.
pub(in super::super) async fn prune(connection: &impl ConnectionTrait, before: Timestamp) -> Result<u64, DbErr> {
    let delete = queued::Entity::delete_across_tenants()
        .filter(queued::Column::Status.eq(Status::Completed))
        .filter(queued::Column::UpdatedAt.lt(before));
    Ok(delete.exec(connection).await?.rows_affected)
}

/// Says which events a workflow wants.
pub(in super::super) async fn set_events(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
    events: &[String],
) -> Result<(), DbErr> {
    event::Entity::delete_scoped(tenant).filter(event::Column::WorkflowId.eq(workflow)).exec(connection).await?;
    if events.is_empty() {
        return Ok(());
    }
    let rows = events.iter().map(|event| event::ActiveModel {
        tenant_id: Set(tenant),
        event: Set(event.clone()),
        workflow_id: Set(workflow),
    });
    event::Entity::insert_many(rows).exec_without_returning(connection).await.map(drop)
}

/// Active workflows that want an event.
pub(in super::super) async fn workflows_for(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    event: &str,
) -> Result<Vec<WorkflowId>, DbErr> {
    let rows = event::Entity::scoped(tenant).filter(event::Column::Event.eq(event)).all(connection).await?;
    Ok(rows.into_iter().map(|row| row.workflow_id).collect())
}

/// The senders' secrets, sealed.
pub(in super::super) async fn secrets(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Option<Receiver>, DbErr> {
    receiver::Entity::scoped(tenant).one(connection).await
}

/// Writes the senders' secrets, provided that they are still those that were seen. `false`: somebody was faster.
pub(in super::super) async fn set_secrets(
    connection: &impl ConnectionTrait,
    seen: Option<&Receiver>,
    row: Receiver,
) -> Result<bool, DbErr> {
    use receiver::Column;
    let written = match seen {
        None => {
            let known = OnConflict::column(Column::TenantId).do_nothing().to_owned();
            let insert = receiver::Entity::insert(row.into_active_model()).on_conflict(known);
            insert.exec_without_returning(connection).await?
        }
        Some(seen) => {
            let update = receiver::Entity::update_scoped(row.tenant_id)
                .col_expr(Column::Secrets, Expr::value(row.secrets))
                .col_expr(Column::UpdatedAt, Expr::value(row.updated_at))
                .filter(Column::Secrets.eq(seen.secrets.as_slice()));
            update.exec(connection).await?.rows_affected
        }
    };
    Ok(written == 1)
}
