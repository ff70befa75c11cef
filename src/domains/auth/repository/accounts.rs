//! Queries of what belongs to a person or to the installation, not to a tenant: mailed tokens, second factors, signing keys; and
//! of a person's logins wherever they are.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::super::entities::{one_time_token, recovery_code, second_factor, session, signing_key};
use super::super::model::Purpose;
use crate::common::{SessionId, TenantId, Timestamp, UserId};
use crate::infrastructure::crypto::TokenHash;
use crate::infrastructure::database::{Error, Scoped, Unscoped};

/// The person's logins that have not been ended, in every tenant.
pub(in crate::domains::auth) async fn living_sessions(
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Vec<(TenantId, SessionId)>, Error> {
    let select = session::Entity::across_tenants()
        .filter(session::Column::UserId.eq(person))
        .filter(session::Column::RevokedAt.is_null());
    let rows = select.all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.id)).collect())
}

pub(in crate::domains::auth) async fn revoke_sessions(
    connection: &impl ConnectionTrait,
    ids: Vec<SessionId>,
    now: Timestamp,
) -> Result<(), Error> {
    session::Entity::update_across_tenants()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .filter(session::Column::Id.is_in(ids))
        .exec(connection)
        .await?;
    Ok(())
}

pub(in crate::domains::auth) async fn insert_one_time_token(
    connection: &impl ConnectionTrait,
    row: one_time_token::Model,
) -> Result<(), Error> {
    one_time_token::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

pub(in crate::domains::auth) async fn find_one_time_token(
    connection: &impl ConnectionTrait,
    token: &TokenHash,
    purpose: Purpose,
) -> Result<Option<one_time_token::Model>, Error> {
    one_time_token::Entity::global()
        .filter(one_time_token::Column::Hash.eq(token.as_bytes()))
        .filter(one_time_token::Column::Purpose.eq(purpose))
        .one(connection)
        .await
}

/// False when somebody was faster.
pub(in crate::domains::auth) async fn delete_one_time_token(
    connection: &impl ConnectionTrait,
    token: &TokenHash,
) -> Result<bool, Error> {
    let delete = one_time_token::Entity::delete_global().filter(one_time_token::Column::Hash.eq(token.as_bytes()));
    Ok(delete.exec(connection).await?.rows_affected == 1)
}

pub(in crate::domains::auth) async fn delete_one_time_tokens(
    connection: &impl ConnectionTrait,
    user: UserId,
    purpose: Purpose,
) -> Result<(), Error> {
    one_time_token::Entity::delete_global()
        .filter(one_time_token::Column::UserId.eq(user))
        .filter(one_time_token::Column::Purpose.eq(purpose))
        .exec(connection)
        .await?;
    Ok(())
}

pub(in crate::domains::auth) async fn delete_one_time_tokens_before(
    connection: &impl ConnectionTrait,
    time: Timestamp,
) -> Result<(), Error> {
    let delete = one_time_token::Entity::delete_global().filter(one_time_token::Column::ExpiresAt.lt(time));
    delete.exec(connection).await?;
    Ok(())
}

pub(in crate::domains::auth) async fn find_second_factor(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<second_factor::Model>, Error> {
    second_factor::Entity::global().filter(second_factor::Column::UserId.eq(user)).one(connection).await
}

/// False when there is a confirmed one, which stays.
pub(in crate::domains::auth) async fn replace_unconfirmed_second_factor(
    connection: &impl ConnectionTrait,
    row: second_factor::Model,
) -> Result<bool, Error> {
    second_factor::Entity::delete_global()
        .filter(second_factor::Column::UserId.eq(row.user_id))
        .filter(second_factor::Column::ConfirmedAt.is_null())
        .exec(connection)
        .await?;
    if find_second_factor(connection, row.user_id).await?.is_some() {
        return Ok(false);
    }
    second_factor::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(true)
}

/// False when there is none to confirm.
pub(in crate::domains::auth) async fn confirm_second_factor(
    connection: &impl ConnectionTrait,
    user: UserId,
    step: i64,
    now: Timestamp,
) -> Result<bool, Error> {
    let result = second_factor::Entity::update_global()
        .col_expr(second_factor::Column::ConfirmedAt, Expr::value(now))
        .col_expr(second_factor::Column::LastStep, Expr::value(step))
        .filter(second_factor::Column::UserId.eq(user))
        .filter(second_factor::Column::ConfirmedAt.is_null())
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// False when the step, or a later one, was used before.
pub(in crate::domains::auth) async fn use_step(
    connection: &impl ConnectionTrait,
    user: UserId,
    step: i64,
) -> Result<bool, Error> {
    let result = second_factor::Entity::update_global()
        .col_expr(second_factor::Column::LastStep, Expr::value(step))
        .filter(second_factor::Column::UserId.eq(user))
        .filter(second_factor::Column::LastStep.lt(step))
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// With its recovery codes.
pub(in crate::domains::auth) async fn delete_second_factor(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<(), Error> {
    second_factor::Entity::delete_global().filter(second_factor::Column::UserId.eq(user)).exec(connection).await?;
    recovery_code::Entity::delete_global().filter(recovery_code::Column::UserId.eq(user)).exec(connection).await?;
    Ok(())
}

pub(in crate::domains::auth) async fn replace_recovery_codes(
    connection: &impl ConnectionTrait,
    user: UserId,
    rows: Vec<recovery_code::Model>,
) -> Result<(), Error> {
    recovery_code::Entity::delete_global().filter(recovery_code::Column::UserId.eq(user)).exec(connection).await?;
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    recovery_code::Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(())
}

pub(in crate::domains::auth) async fn has_recovery_code(
    connection: &impl ConnectionTrait,
    user: UserId,
    code: &TokenHash,
) -> Result<bool, Error> {
    let select = recovery_code::Entity::global()
        .filter(recovery_code::Column::UserId.eq(user))
        .filter(recovery_code::Column::Hash.eq(code.as_bytes()));
    Ok(select.one(connection).await?.is_some())
}

/// False when it was used before.
pub(in crate::domains::auth) async fn use_recovery_code(
    connection: &impl ConnectionTrait,
    user: UserId,
    code: &TokenHash,
) -> Result<bool, Error> {
    let delete = recovery_code::Entity::delete_global()
        .filter(recovery_code::Column::UserId.eq(user))
        .filter(recovery_code::Column::Hash.eq(code.as_bytes()));
    Ok(delete.exec(connection).await?.rows_affected == 1)
}

/// Oldest first.
pub(in crate::domains::auth) async fn list_signing_keys(
    connection: &impl ConnectionTrait,
) -> Result<Vec<signing_key::Model>, Error> {
    let select = signing_key::Entity::global().order_by_asc(signing_key::Column::CreatedAt);
    select.order_by_asc(signing_key::Column::Id).all(connection).await
}

/// The same, locked, so that two processes do not both add one.
pub(in crate::domains::auth) async fn lock_signing_keys(
    connection: &impl ConnectionTrait,
) -> Result<Vec<signing_key::Model>, Error> {
    let select = signing_key::Entity::global().order_by_asc(signing_key::Column::CreatedAt);
    select.order_by_asc(signing_key::Column::Id).lock_exclusive().all(connection).await
}

pub(in crate::domains::auth) async fn insert_signing_key(
    connection: &impl ConnectionTrait,
    row: signing_key::Model,
) -> Result<(), Error> {
    signing_key::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

pub(in crate::domains::auth) async fn delete_signing_key(
    connection: &impl ConnectionTrait,
    id: &str,
) -> Result<(), Error> {
    signing_key::Entity::delete_global().filter(signing_key::Column::Id.eq(id)).exec(connection).await?;
    Ok(())
}
