//! Queries of subscriptions, of what they are to be told, and of the attempts.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Iterable, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::super::deliveries::DeliveryStatus;
use super::super::entities::{attempt, delivery, subscription};
use super::due_by_tenant;
use crate::common::{DeliveryId, SubscriptionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Subscription = subscription::Model;
pub(in super::super) type Delivery = delivery::Model;
pub(in super::super) type Attempt = attempt::Model;

/// Subscriptions of every tenant that are told of events.
pub(in super::super) async fn enabled(connection: &impl ConnectionTrait) -> Result<Vec<Subscription>, DbErr> {
    subscription::Entity::across_tenants().filter(subscription::Column::DisabledAt.is_null()).all(connection).await
}

/// The same of these tenants.
pub(in super::super) async fn enabled_of(
    connection: &impl ConnectionTrait,
    tenants: impl IntoIterator<Item = TenantId>,
) -> Result<Vec<Subscription>, DbErr> {
    let query = subscription::Entity::across_tenants().filter(subscription::Column::DisabledAt.is_null());
    query.filter(subscription::Column::TenantId.is_in(tenants)).all(connection).await
}

/// Newest first; one row more than the limit when there are more.
pub(in super::super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    before: Option<SubscriptionId>,
    limit: u64,
) -> Result<Vec<Subscription>, DbErr> {
    let mut query = subscription::Entity::scoped(tenant).order_by_desc(subscription::Column::Id).limit(limit + 1);
    if let Some(before) = before {
        query = query.filter(subscription::Column::Id.lt(before));
    }
    query.all(connection).await
}

pub(in super::super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: SubscriptionId,
) -> Result<Option<Subscription>, DbErr> {
    subscription::Entity::scoped(tenant).filter(subscription::Column::Id.eq(id)).one(connection).await
}

pub(in super::super) async fn insert(connection: &impl ConnectionTrait, row: Subscription) -> Result<(), DbErr> {
    subscription::Entity::insert(row.into_active_model()).exec_without_returning(connection).await.map(drop)
}

/// Writes what differs from the row as it was seen, provided that no person has changed it since. `false`: somebody has.
pub(in super::super) async fn update(
    connection: &impl ConnectionTrait,
    seen: &Subscription,
    row: &Subscription,
) -> Result<bool, DbErr> {
    use subscription::Column;
    let (before, after) = (seen.clone().into_active_model(), row.clone().into_active_model());
    let differs = |column: &Column| before.get(*column) != after.get(*column);
    let mut update = subscription::Entity::update_scoped(row.tenant_id);
    for column in Column::iter().filter(differs) {
        let value = after.get(column).into_value();
        update = update.col_expr(column, value.map_or_else(|| Expr::cust("NULL"), Expr::value));
    }
    let update = update.filter(Column::Id.eq(row.id)).filter(Column::UpdatedAt.eq(seen.updated_at));
    Ok(update.exec(connection).await?.rows_affected == 1)
}

/// Moves a subscription's place among the events, provided that nobody did since `seen`. `false`: somebody was faster, or
/// it is told no more.
pub(in super::super) async fn reach(
    connection: &impl ConnectionTrait,
    seen: &Subscription,
    place: &str,
) -> Result<bool, DbErr> {
    let reached = subscription::Entity::update_scoped(seen.tenant_id)
        .col_expr(subscription::Column::Reached, Expr::value(place))
        .filter(subscription::Column::Id.eq(seen.id))
        .filter(subscription::Column::Reached.eq(seen.reached.as_str()))
        .filter(subscription::Column::DisabledAt.is_null())
        .exec(connection)
        .await?;
    Ok(reached.rows_affected == 1)
}

/// Notes how attempts go, provided that nobody did since `seen`; touches nothing that people set. `false`: somebody was
/// faster.
pub(in super::super) async fn note(
    connection: &impl ConnectionTrait,
    seen: &Subscription,
    row: &Subscription,
) -> Result<bool, DbErr> {
    let noted = subscription::Entity::update_scoped(row.tenant_id)
        .col_expr(subscription::Column::FailingSince, Expr::value(row.failing_since))
        .col_expr(subscription::Column::Warned, Expr::value(row.warned))
        .col_expr(subscription::Column::DisabledAt, Expr::value(row.disabled_at))
        .col_expr(subscription::Column::DisabledReason, Expr::value(row.disabled_reason.clone()))
        .filter(subscription::Column::Id.eq(row.id))
        .filter(subscription::Column::Warned.eq(seen.warned))
        .filter(match seen.failing_since {
            Some(since) => subscription::Column::FailingSince.eq(since),
            None => subscription::Column::FailingSince.is_null(),
        })
        .filter(subscription::Column::DisabledAt.is_null())
        .exec(connection)
        .await?;
    Ok(noted.rows_affected == 1)
}

/// Deletes a subscription with all it was told.
pub(in super::super) async fn delete(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: SubscriptionId,
) -> Result<(), DbErr> {
    let deliveries = delivery::Entity::delete_scoped(tenant).filter(delivery::Column::SubscriptionId.eq(id));
    deliveries.exec(connection).await?;
    let row = subscription::Entity::delete_scoped(tenant).filter(subscription::Column::Id.eq(id));
    row.exec(connection).await.map(drop)
}

pub(in super::super) async fn insert_deliveries(
    connection: &impl ConnectionTrait,
    rows: Vec<Delivery>,
) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    delivery::Entity::insert_many(rows).exec_without_returning(connection).await.map(drop)
}

/// What every tenant's subscribers are to be told now; of each tenant no more than its share.
pub(in super::super) async fn due(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    share: usize,
    limit: usize,
) -> Result<Vec<Delivery>, DbErr> {
    let ids: Vec<DeliveryId> = due_by_tenant(connection, "webhook_deliveries", now, (share, limit)).await?;
    let found = delivery::Entity::across_tenants().filter(delivery::Column::Id.is_in(ids));
    found.order_by_asc(delivery::Column::DueAt).order_by_asc(delivery::Column::Id).all(connection).await
}

/// What a subscriber is to be told first of all.
pub(in super::super) async fn oldest_pending(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    of: SubscriptionId,
) -> Result<Option<Delivery>, DbErr> {
    delivery::Entity::scoped(tenant)
        .filter(delivery::Column::SubscriptionId.eq(of))
        .filter(delivery::Column::Status.eq(DeliveryStatus::Pending))
        .order_by_asc(delivery::Column::Id)
        .one(connection)
        .await
}

/// Writes a delivery's new state, provided that nobody wrote since `seen`. `false`: somebody was faster.
pub(in super::super) async fn change(
    connection: &impl ConnectionTrait,
    seen: &Delivery,
    row: &Delivery,
) -> Result<bool, DbErr> {
    let changed = delivery::Entity::update_scoped(row.tenant_id)
        .col_expr(delivery::Column::Status, Expr::value(row.status))
        .col_expr(delivery::Column::Attempts, Expr::value(row.attempts))
        .col_expr(delivery::Column::DueAt, Expr::value(row.due_at))
        .col_expr(delivery::Column::UpdatedAt, Expr::value(row.updated_at))
        .filter(delivery::Column::Id.eq(row.id))
        .filter(delivery::Column::Attempts.eq(seen.attempts))
        .filter(delivery::Column::Status.eq(seen.status))
        .filter(match seen.due_at {
            Some(due) => delivery::Column::DueAt.eq(due),
            None => delivery::Column::DueAt.is_null(),
        })
        .exec(connection)
        .await?;
    Ok(changed.rows_affected == 1)
}

pub(in super::super) async fn find_delivery(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: DeliveryId,
) -> Result<Option<Delivery>, DbErr> {
    delivery::Entity::scoped(tenant).filter(delivery::Column::Id.eq(id)).one(connection).await
}

/// Newest first; one row more than the limit when there are more.
pub(in super::super) async fn deliveries(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    of: SubscriptionId,
    status: Option<DeliveryStatus>,
    before: Option<DeliveryId>,
    limit: u64,
) -> Result<Vec<Delivery>, DbErr> {
    let mut query = delivery::Entity::scoped(tenant)
        .filter(delivery::Column::SubscriptionId.eq(of))
        .order_by_desc(delivery::Column::Id)
        .limit(limit + 1);
    if let Some(status) = status {
        query = query.filter(delivery::Column::Status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(delivery::Column::Id.lt(before));
    }
    query.all(connection).await
}

/// Puts what failed since then back into the queue; gives how much.
pub(in super::super) async fn recover(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    of: SubscriptionId,
    since: Timestamp,
    now: Timestamp,
) -> Result<u64, DbErr> {
    let recovered = delivery::Entity::update_scoped(tenant)
        .col_expr(delivery::Column::Status, Expr::value(DeliveryStatus::Pending))
        .col_expr(delivery::Column::Attempts, Expr::value(0))
        .col_expr(delivery::Column::DueAt, Expr::value(Some(now)))
        .col_expr(delivery::Column::UpdatedAt, Expr::value(now))
        .filter(delivery::Column::SubscriptionId.eq(of))
        .filter(delivery::Column::Status.eq(DeliveryStatus::Failed))
        .filter(delivery::Column::CreatedAt.gte(since))
        .exec(connection)
        .await?;
    Ok(recovered.rows_affected)
}

pub(in super::super) async fn insert_attempt(connection: &impl ConnectionTrait, row: Attempt) -> Result<(), DbErr> {
    attempt::Entity::insert(row.into_active_model()).exec_without_returning(connection).await.map(drop)
}

/// Attempts at a delivery, newest first.
pub(in super::super) async fn attempts(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    of: DeliveryId,
) -> Result<Vec<Attempt>, DbErr> {
    attempt::Entity::scoped(tenant)
        .filter(attempt::Column::DeliveryId.eq(of))
        .order_by_desc(attempt::Column::Id)
        .all(connection)
        .await
}

/// Deletes what was told, or given up, before then; of every tenant.
pub(in super::super) async fn prune(connection: &impl ConnectionTrait, before: Timestamp) -> Result<u64, DbErr> {
    let delete = delivery::Entity::delete_across_tenants()
        .filter(delivery::Column::Status.ne(DeliveryStatus::Pending))
        .filter(delivery::Column::UpdatedAt.lt(before));
    Ok(delete.exec(connection).await?.rows_affected)
}
