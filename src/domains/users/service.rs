//! Rules of people and memberships.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use super::dto::{UpdateUser, UserResponse};
use super::error::Error;
use super::model::{Email, Grant, Membership, Role, User};
use super::repository;
use crate::common::{Clock, Ctx, Page, PageQuery, SessionId, TenantId, Timestamp, UserId};
use crate::domains::audit::{self, Change};
use crate::domains::tenants;
use crate::infrastructure::crypto::Passwords;
use crate::infrastructure::database::{self, AcrossTenants, Database, Transaction};
use crate::infrastructure::mail::Mailer;

/// People. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: audit::Service,
    pub(super) tenants: tenants::Service,
    pub(super) passwords: Passwords,
    pub(super) mailer: Arc<dyn Mailer>,
    pub(super) password_min_length: usize,
    /// The address under which callers reach this server.
    pub(super) public_url: Arc<str>,
    pub(super) logins: Arc<OnceLock<Arc<dyn Logins>>>,
}

/// Ends people's logins. The domain that keeps them does; `app.rs` plugs it in.
#[async_trait]
pub trait Logins: Send + Sync {
    /// All of a person's, in a transaction across tenants. To be forgotten once it is committed.
    async fn end_all(
        &self,
        transaction: &Transaction,
        user: UserId,
    ) -> Result<Vec<(TenantId, SessionId)>, database::Error>;

    fn forget(&self, ended: &[(TenantId, SessionId)]);
}

/// What the service stands on.
pub struct Dependencies {
    pub database: Database,
    pub clock: Arc<dyn Clock>,
    pub audit: audit::Service,
    pub tenants: tenants::Service,
    pub passwords: Passwords,
    pub mailer: Arc<dyn Mailer>,
    pub password_min_length: usize,
    /// The address under which callers reach this server.
    pub public_url: String,
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
    pub fn new(dependencies: Dependencies) -> Service {
        let Dependencies { database, clock, audit, tenants, passwords, mailer, password_min_length, public_url } =
            dependencies;
        let public_url = public_url.into();
        let logins = Arc::default();
        Service { database, clock, audit, tenants, passwords, mailer, password_min_length, public_url, logins }
    }

    /// Names who ends logins; once, before the first request.
    pub fn plug(&self, logins: Arc<dyn Logins>) {
        if self.logins.set(logins).is_err() {
            tracing::error!("logins were plugged in twice; the second call was ignored");
        }
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

    /// Gives a member another role. Nobody grants or takes more than they hold, and the last owner stays.
    pub async fn update(&self, ctx: &Ctx, id: UserId, change: UpdateUser) -> Result<UserResponse, Error> {
        if change.role.is_none() && change.custom_role_id.is_none() {
            return self.get(ctx, id).await;
        }
        let role = change.role.unwrap_or(Role::Viewer);
        let transaction = self.database.begin(ctx).await?;
        let (user, mut membership) = self.member_to_change(&transaction, ctx, id).await?;
        let permissions = self.role_to_give(&transaction, ctx, role, change.custom_role_id).await?;
        let before = UserResponse::from((user.clone(), membership));
        let was_owner = membership.is_owner();
        (membership.role, membership.custom, membership.permissions) = (role, change.custom_role_id, permissions);
        if was_owner && !membership.is_owner() {
            self.keep_an_owner(&transaction, ctx).await?;
        }
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
        if membership.is_owner() {
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
            email_verified_at: None,
            email_pending: false,
        };
        match repository::insert(transaction, &user).await {
            Ok(()) => Ok(user),
            Err(error) if database::is_unique_violation(&error) => Err(Error::EmailTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a person a member in the caller's transaction, and records it.
    pub async fn join(&self, transaction: &Transaction, ctx: &Ctx, user: &User, role: Role) -> Result<(), Error> {
        self.join_with(transaction, ctx, user, Grant { role, custom: None }).await
    }

    pub(super) async fn join_with(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        user: &User,
        grant: Grant,
    ) -> Result<(), Error> {
        let Grant { role, custom } = grant;
        let permissions = role.permissions();
        let created_at = self.clock.now();
        let membership = Membership { tenant: ctx.tenant, user: user.id, role, custom, permissions, created_at };
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

    /// The person's memberships, oldest first.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, Error> {
        Ok(repository::memberships_of(&self.database.read(AcrossTenants), user).await?)
    }

    /// For a person's own affairs: their account, with its memberships, oldest first.
    pub async fn find_account(&self, id: UserId) -> Result<Option<(User, Vec<Membership>)>, Error> {
        let connection = &self.database.read(AcrossTenants);
        let Some(user) = repository::find_by_id(connection, id).await? else { return Ok(None) };
        Ok(Some((user, repository::memberships_of(connection, id).await?)))
    }

    /// The same within a transaction across tenants, memberships only.
    pub async fn memberships_within(&self, transaction: &Transaction, id: UserId) -> Result<Vec<Membership>, Error> {
        Ok(repository::memberships_of(transaction, id).await?)
    }

    /// Replaces the stored hash (Argon2id, PHC string) in the caller's transaction.
    pub async fn set_password_hash(&self, transaction: &Transaction, id: UserId, hash: String) -> Result<(), Error> {
        Ok(repository::set_password_hash(transaction, id, hash, self.clock.now()).await?)
    }

    /// The account may sign in once its address is verified.
    pub async fn await_verification(&self, transaction: &Transaction, id: UserId) -> Result<(), Error> {
        Ok(repository::set_email_pending(transaction, id).await?)
    }

    /// The address was shown to be the person's own.
    pub async fn verify_email(&self, transaction: &Transaction, id: UserId, now: Timestamp) -> Result<(), Error> {
        Ok(repository::set_email_verified(transaction, id, now).await?)
    }

    /// Whom to write to about something: the person it is of, while they are a member, else those who run the tenant.
    pub async fn contacts(&self, tenant: TenantId, person: Option<UserId>) -> Result<Vec<Email>, Error> {
        let connection = &self.database.read(AcrossTenants);
        if let Some(person) = person
            && let Some((user, _)) = repository::find_member(connection, tenant, person).await?
        {
            return Ok(vec![user.email]);
        }
        Ok(repository::emails_of(connection, tenant, &[Role::Owner, Role::Admin]).await?)
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
        if member.1.permissions.is_subset_of(ctx.permissions) { Ok(member) } else { Err(Error::RoleTooHigh) }
    }

    async fn keep_an_owner(&self, transaction: &Transaction, ctx: &Ctx) -> Result<(), Error> {
        let owners = repository::lock_owners(transaction, ctx.tenant).await?;
        if owners > 1 { Ok(()) } else { Err(Error::LastOwner) }
    }
}
