//! Rules of people and memberships.

use std::sync::Arc;

use super::dto::{UpdateUser, UserResponse};
use super::error::Error;
use super::model::{Email, Membership, Role, User};
use super::repository;
use crate::common::{Clock, Ctx, Page, PageQuery, TenantId, UserId};
use crate::domains::audit::{self, Change};
use crate::infrastructure::database::{self, AcrossTenants, Database, Transaction};

/// People. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: audit::Service,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub email: Email,
    pub name: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
}

impl Service {
    pub fn new(database: Database, clock: Arc<dyn Clock>, audit: audit::Service) -> Service {
        Service { database, clock, audit }
    }

    /// Members of the caller's tenant.
    pub async fn list(&self, ctx: &Ctx, query: &PageQuery) -> Result<Page<UserResponse>, Error> {
        let rows = repository::list_members(&self.database.read(ctx), ctx.tenant, query).await?;
        Ok(Page::from_rows(rows, query.limit(), |(user, _)| user.id.as_uuid(), UserResponse::from))
    }

    /// One member of the caller's tenant.
    pub async fn get(&self, ctx: &Ctx, id: UserId) -> Result<UserResponse, Error> {
        let member = repository::find_member(&self.database.read(ctx), ctx.tenant, id).await?;
        Ok(member.ok_or(Error::NotFound)?.into())
    }

    /// Gives a member another role. Nobody grants or takes a role above their own, and the last owner stays.
    pub async fn update(&self, ctx: &Ctx, id: UserId, change: UpdateUser) -> Result<UserResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let (user, mut membership) = self.member_to_change(&transaction, ctx, id).await?;
        self.require_at_least(&transaction, ctx, change.role).await?;
        let before = UserResponse::from((user.clone(), membership));
        if membership.role == Role::Owner && change.role != Role::Owner {
            self.keep_an_owner(&transaction, ctx).await?;
        }
        membership.role = change.role;
        repository::update_membership(&transaction, membership).await?;
        let after = UserResponse::from((user, membership));
        self.audit.record(&transaction, ctx, Change::new("user.update", id).before(&before).after(&after)).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Ends a membership; the person's account stays.
    pub async fn delete(&self, ctx: &Ctx, id: UserId) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        let (user, membership) = self.member_to_change(&transaction, ctx, id).await?;
        if membership.role == Role::Owner {
            self.keep_an_owner(&transaction, ctx).await?;
        }
        repository::delete_membership(&transaction, ctx.tenant, id).await?;
        let before = UserResponse::from((user, membership));
        self.audit.record(&transaction, ctx, Change::new("user.delete", id).before(&before)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes an account in the caller's transaction.
    pub async fn create(&self, transaction: &Transaction, new: NewUser) -> Result<User, Error> {
        let user = User {
            id: UserId::new(),
            email: new.email,
            name: new.name,
            password_hash: new.password_hash,
            created_at: self.clock.now(),
        };
        match repository::insert(transaction, &user).await {
            Ok(()) => Ok(user),
            Err(error) if database::is_unique_violation(&error) => Err(Error::EmailTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a person a member in the caller's transaction, and records it.
    pub async fn join(&self, transaction: &Transaction, ctx: &Ctx, user: &User, role: Role) -> Result<(), Error> {
        let membership = Membership { tenant: ctx.tenant, user: user.id, role, created_at: self.clock.now() };
        repository::insert_membership(transaction, membership).await?;
        let after = UserResponse::from((user.clone(), membership));
        self.audit.record(transaction, ctx, Change::new("user.join", user.id).after(&after)).await?;
        Ok(())
    }

    /// For sign-in: the account of an address, with its memberships, oldest first.
    pub async fn find_by_email(&self, email: &Email) -> Result<Option<(User, Vec<Membership>)>, Error> {
        let connection = &self.database.read(AcrossTenants);
        let Some(user) = repository::find_by_email(connection, email).await? else { return Ok(None) };
        let memberships = repository::memberships_of(connection, user.id).await?;
        Ok(Some((user, memberships)))
    }

    /// For authentication: the person's place in the tenant.
    pub async fn find_membership(&self, tenant: TenantId, user: UserId) -> Result<Option<Membership>, Error> {
        Ok(repository::find_membership(&self.database.read(tenant), tenant, user).await?)
    }

    async fn member_to_change(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        id: UserId,
    ) -> Result<(User, Membership), Error> {
        repository::lock_membership(transaction, ctx.tenant, id).await?.ok_or(Error::NotFound)?;
        let member = repository::find_member(transaction, ctx.tenant, id).await?.ok_or(Error::NotFound)?;
        self.require_at_least(transaction, ctx, member.1.role).await?;
        Ok(member)
    }

    /// The caller's own role must reach `role`. The server itself may do anything.
    async fn require_at_least(&self, transaction: &Transaction, ctx: &Ctx, role: Role) -> Result<(), Error> {
        let Some(caller) = ctx.actor.user() else { return Ok(()) };
        let own = repository::find_membership(transaction, ctx.tenant, caller).await?.ok_or(Error::RoleTooHigh)?;
        if own.role >= role { Ok(()) } else { Err(Error::RoleTooHigh) }
    }

    async fn keep_an_owner(&self, transaction: &Transaction, ctx: &Ctx) -> Result<(), Error> {
        let owners = repository::lock_owners(transaction, ctx.tenant).await?;
        if owners > 1 { Ok(()) } else { Err(Error::LastOwner) }
    }
}
