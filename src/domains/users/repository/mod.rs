//! Queries of people, memberships, invitations and roles.

mod invitations;
pub(super) mod roles;

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

pub(super) use invitations::{
    delete_invitation, delete_open_invitations, find_invitation, find_invitation_by_token, insert_invitation,
    list_invitations, use_invitation,
};

use super::entities::{administrator, membership, role, user};
use super::model::{Email, Membership, Role, User, read_permissions};
use crate::common::{PageQuery, Permissions, RoleId, TenantId, Timestamp, UserId};
use crate::infrastructure::database::{Error, Scoped, Unscoped};

/// Before sign-in only: people are looked up by address across tenants.
pub(super) async fn find_by_email(connection: &impl ConnectionTrait, email: &Email) -> Result<Option<User>, Error> {
    let row = user::Entity::global().filter(user::Column::Email.eq(email.as_str())).one(connection).await?;
    Ok(row.map(from_row))
}

/// A person's account, whichever tenants they are a member of.
pub(super) async fn find_by_id(connection: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, Error> {
    let row = user::Entity::global().filter(user::Column::Id.eq(id)).one(connection).await?;
    Ok(row.map(from_row))
}

pub(super) async fn set_password_hash(
    connection: &impl ConnectionTrait,
    id: UserId,
    hash: String,
    now: Timestamp,
) -> Result<(), Error> {
    user::Entity::update_global()
        .col_expr(user::Column::PasswordHash, Expr::value(hash))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

pub(super) async fn set_email_pending(connection: &impl ConnectionTrait, id: UserId) -> Result<(), Error> {
    user::Entity::update_global()
        .col_expr(user::Column::EmailPending, Expr::value(true))
        .filter(user::Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

pub(super) async fn set_email_verified(
    connection: &impl ConnectionTrait,
    id: UserId,
    now: Timestamp,
) -> Result<(), Error> {
    user::Entity::update_global()
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(user::Column::EmailPending, Expr::value(false))
        .filter(user::Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

/// The person's memberships, oldest first. Before sign-in only.
pub(super) async fn memberships_of(connection: &impl ConnectionTrait, user: UserId) -> Result<Vec<Membership>, Error> {
    let rows = membership::Entity::across_tenants()
        .filter(membership::Column::UserId.eq(user))
        .order_by_asc(membership::Column::CreatedAt)
        .order_by_asc(membership::Column::TenantId)
        .all(connection)
        .await?;
    let customs = customs_of(connection, &rows).await?;
    Ok(rows.into_iter().map(|row| from_membership(row, &customs)).collect())
}

pub(super) async fn find_membership(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    user: UserId,
) -> Result<Option<Membership>, Error> {
    let row = membership::Entity::scoped(tenant).filter(membership::Column::UserId.eq(user)).one(connection).await?;
    only(connection, row).await
}

/// The same, locked until the transaction ends.
pub(super) async fn lock_membership(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    user: UserId,
) -> Result<Option<Membership>, Error> {
    let select = membership::Entity::scoped(tenant).filter(membership::Column::UserId.eq(user));
    only(connection, select.lock_exclusive().one(connection).await?).await
}

/// A member's account; None when they are no member of the tenant.
pub(super) async fn find_member(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<(User, Membership)>, Error> {
    let Some(membership) = find_membership(connection, tenant, id).await? else { return Ok(None) };
    let row = user::Entity::global().filter(user::Column::Id.eq(id)).one(connection).await?;
    Ok(row.map(|row| (from_row(row), membership)))
}

/// The addresses of members with one of these roles.
pub(super) async fn emails_of(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    roles: &[Role],
) -> Result<Vec<Email>, Error> {
    let members = membership::Entity::scoped(tenant)
        .filter(membership::Column::Role.is_in(roles.iter().copied()))
        .all(connection)
        .await?;
    let people = user::Entity::global().filter(user::Column::Id.is_in(members.into_iter().map(|row| row.user_id)));
    Ok(people.all(connection).await?.into_iter().map(|row| from_row(row).email).collect())
}

/// Members of the tenant, newest account first; one row more than the limit when there are more.
pub(super) async fn list_members(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    query: &PageQuery,
) -> Result<Vec<(User, Membership)>, Error> {
    let mut select = membership::Entity::scoped(tenant);
    if let Some(cursor) = query.cursor {
        select = select.filter(membership::Column::UserId.lt(cursor.id()));
    }
    let memberships = select.order_by_desc(membership::Column::UserId).limit(query.limit() + 1).all(connection).await?;
    let ids: Vec<Uuid> = memberships.iter().map(|row| row.user_id.as_uuid()).collect();
    let users = user::Entity::global()
        .filter(user::Column::Id.is_in(ids))
        .order_by_desc(user::Column::Id)
        .all(connection)
        .await?;
    let customs = customs_of(connection, &memberships).await?;
    // Both lists are in the same order and the foreign key guarantees a user per membership.
    let both = users.into_iter().zip(memberships);
    Ok(both.map(|(user, row)| (from_row(user), from_membership(row, &customs))).collect())
}

/// Locks the owners' rows, so that two of them cannot resign at the same moment.
pub(super) async fn lock_owners(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<usize, Error> {
    let select = membership::Entity::scoped(tenant).filter(membership::Column::Role.eq(Role::Owner));
    let select = select.filter(membership::Column::RoleId.is_null());
    Ok(select.lock_exclusive().all(connection).await?.len())
}

pub(super) async fn find_administrator(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<administrator::Model>, Error> {
    administrator::Entity::global().filter(administrator::Column::UserId.eq(user)).one(connection).await
}

/// Administrators of the platform and since when, the first one first.
pub(super) async fn administrators(connection: &impl ConnectionTrait) -> Result<Vec<(User, Timestamp)>, Error> {
    let rows = administrator::Entity::global()
        .order_by_asc(administrator::Column::CreatedAt)
        .order_by_asc(administrator::Column::UserId)
        .all(connection)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.user_id.as_uuid()).collect();
    let mut users: HashMap<UserId, user::Model> = user::Entity::global()
        .filter(user::Column::Id.is_in(ids))
        .all(connection)
        .await?
        .into_iter()
        .map(|user| (user.id, user))
        .collect();
    let known = rows.into_iter().filter_map(|row| Some((from_row(users.remove(&row.user_id)?), row.created_at)));
    Ok(known.collect())
}

/// Locks the administrators, so that two of them cannot resign at the same moment.
pub(super) async fn lock_administrators(connection: &impl ConnectionTrait) -> Result<Vec<UserId>, Error> {
    let rows = administrator::Entity::global().lock_exclusive().all(connection).await?;
    Ok(rows.into_iter().map(|row| row.user_id).collect())
}

/// Does nothing for who is one already.
pub(super) async fn insert_administrator(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    created_at: Timestamp,
) -> Result<(), Error> {
    let known = OnConflict::column(administrator::Column::UserId).do_nothing().to_owned();
    let row = administrator::Model { user_id, created_at };
    administrator::Entity::insert(row.into_active_model())
        .on_conflict(known)
        .exec_without_returning(connection)
        .await
        .map(drop)
}

pub(super) async fn delete_administrator(connection: &impl ConnectionTrait, user: UserId) -> Result<(), Error> {
    let delete = administrator::Entity::delete_global().filter(administrator::Column::UserId.eq(user));
    delete.exec(connection).await.map(drop)
}

pub(super) async fn insert(connection: &impl ConnectionTrait, new: &User) -> Result<(), Error> {
    let row = user::Model {
        id: new.id,
        email: new.email.as_str().to_owned(),
        name: new.name.clone(),
        password_hash: new.password_hash.clone(),
        created_at: new.created_at,
        updated_at: new.created_at,
        email_verified_at: new.email_verified_at,
        email_pending: new.email_pending,
    };
    user::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

pub(super) async fn insert_membership(connection: &impl ConnectionTrait, new: Membership) -> Result<(), Error> {
    membership::Entity::insert(membership_row(new).into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

pub(super) async fn update_membership(connection: &impl ConnectionTrait, changed: Membership) -> Result<(), Error> {
    membership_row(changed).into_active_model().reset_all().update(connection).await?;
    Ok(())
}

pub(super) async fn delete_membership(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    user: UserId,
) -> Result<(), Error> {
    let delete = membership::Entity::delete_scoped(tenant).filter(membership::Column::UserId.eq(user));
    delete.exec(connection).await?;
    Ok(())
}

fn from_row(row: user::Model) -> User {
    User {
        id: row.id,
        email: Email::new(&row.email),
        name: row.name,
        password_hash: row.password_hash,
        created_at: row.created_at,
        email_verified_at: row.email_verified_at,
        email_pending: row.email_pending,
    }
}

/// What the roles allow that tenants made and these members have.
type Customs = HashMap<RoleId, Permissions>;

async fn customs_of(connection: &impl ConnectionTrait, rows: &[membership::Model]) -> Result<Customs, Error> {
    let mut customs = Customs::new();
    for row in rows {
        let Some(id) = row.role_id.filter(|id| !customs.contains_key(id)) else { continue };
        let found = role::Entity::scoped(row.tenant_id).filter(role::Column::Id.eq(id)).one(connection).await?;
        customs.extend(found.map(|found| (id, read_permissions(&found.permissions))));
    }
    Ok(customs)
}

async fn only(connection: &impl ConnectionTrait, row: Option<membership::Model>) -> Result<Option<Membership>, Error> {
    let Some(row) = row else { return Ok(None) };
    let customs = customs_of(connection, std::slice::from_ref(&row)).await?;
    Ok(Some(from_membership(row, &customs)))
}

fn from_membership(row: membership::Model, customs: &Customs) -> Membership {
    let permissions = match &row.role_id {
        // A role that is gone allows nothing.
        Some(id) => customs.get(id).copied().unwrap_or_default(),
        None => row.role.permissions(),
    };
    Membership {
        tenant: row.tenant_id,
        user: row.user_id,
        role: row.role,
        custom: row.role_id,
        permissions,
        created_at: row.created_at,
    }
}

fn membership_row(membership: Membership) -> membership::Model {
    membership::Model {
        tenant_id: membership.tenant,
        user_id: membership.user,
        role: membership.role,
        role_id: membership.custom,
        created_at: membership.created_at,
    }
}
