//! Queries of single sign-on.

use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::super::entities::{identity, identity_provider, sso_login};
use crate::common::{TenantId, Timestamp};
use crate::infrastructure::crypto::TokenHash;
use crate::infrastructure::database::{Error, Scoped};

pub(in crate::domains::auth) async fn find_identity_provider(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Option<identity_provider::Model>, Error> {
    identity_provider::Entity::scoped(tenant).one(connection).await
}

pub(in crate::domains::auth) async fn put_identity_provider(
    connection: &impl ConnectionTrait,
    row: identity_provider::Model,
    exists: bool,
) -> Result<(), Error> {
    if exists {
        row.into_active_model().reset_all().update(connection).await?;
    } else {
        identity_provider::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// With what it said of people: another provider's subjects are other people.
pub(in crate::domains::auth) async fn delete_identity_provider(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<(), Error> {
    identity_provider::Entity::delete_scoped(tenant).exec(connection).await?;
    identity::Entity::delete_scoped(tenant).exec(connection).await?;
    Ok(())
}

pub(in crate::domains::auth) async fn find_identity(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    issuer: &str,
    subject: &str,
) -> Result<Option<identity::Model>, Error> {
    identity::Entity::scoped(tenant)
        .filter(identity::Column::Issuer.eq(issuer))
        .filter(identity::Column::Subject.eq(subject))
        .one(connection)
        .await
}

pub(in crate::domains::auth) async fn insert_identity(
    connection: &impl ConnectionTrait,
    row: identity::Model,
) -> Result<(), Error> {
    identity::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

pub(in crate::domains::auth) async fn insert_sso_login(
    connection: &impl ConnectionTrait,
    row: sso_login::Model,
) -> Result<(), Error> {
    sso_login::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// The state says which tenant it is of. None when there is none, or somebody was faster.
pub(in crate::domains::auth) async fn take_sso_login(
    connection: &impl ConnectionTrait,
    state: &TokenHash,
) -> Result<Option<sso_login::Model>, Error> {
    let select = sso_login::Entity::across_tenants().filter(sso_login::Column::State.eq(state.as_bytes()));
    let Some(row) = select.one(connection).await? else { return Ok(None) };
    let delete = sso_login::Entity::delete_scoped(row.tenant_id).filter(sso_login::Column::State.eq(state.as_bytes()));
    Ok((delete.exec(connection).await?.rows_affected == 1).then_some(row))
}

pub(in crate::domains::auth) async fn delete_sso_logins_before(
    connection: &impl ConnectionTrait,
    time: Timestamp,
) -> Result<(), Error> {
    let delete = sso_login::Entity::delete_across_tenants().filter(sso_login::Column::ExpiresAt.lt(time));
    delete.exec(connection).await?;
    Ok(())
}
