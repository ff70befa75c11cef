//! Rules of signing up and signing in.

use std::sync::Arc;

use super::access_token::AccessTokens;
use super::authenticate::Known;
use super::dto::{Login, MeResponse, Register, SessionResponse};
use super::error::Error;
use super::throttle::Throttle;
use crate::common::{Actor, Clock, Ctx, Secret};
use crate::domains::audit::{self, Change};
use crate::domains::tenants::{self, Slug};
use crate::domains::users::{self, Email, Membership, NewUser, Role};
use crate::infrastructure::cache::Cache;
use crate::infrastructure::config;
use crate::infrastructure::crypto::Passwords;
use crate::infrastructure::database::{AcrossTenants, Database};
use crate::infrastructure::web::Visitor;

/// Signing in and API keys.
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: config::Auth,
    pub(super) audit: audit::Service,
    pub(super) users: users::Service,
    pub(super) access_tokens: AccessTokens,
    pub(super) known: Known,
    pub(super) tenants: tenants::Service,
    passwords: Passwords,
    throttle: Throttle,
}

/// A new account: its owner as one who acts, and the first login.
pub struct SignedUp {
    pub ctx: Ctx,
    pub session: SessionResponse,
}

/// Longer ones only keep the server busy.
const MAX_PASSWORD_LENGTH: usize = 1024;

/// What the service stands on.
pub struct Dependencies {
    pub database: Database,
    pub cache: Arc<dyn Cache>,
    pub clock: Arc<dyn Clock>,
    pub audit: audit::Service,
    pub tenants: tenants::Service,
    pub users: users::Service,
    pub passwords: Passwords,
    /// Seed of the key that signs access tokens.
    pub signing_seed: Secret<[u8; 32]>,
}

impl Service {
    pub fn new(config: config::Auth, dependencies: Dependencies) -> Service {
        Service {
            throttle: Throttle::new(dependencies.cache, Arc::clone(&dependencies.clock), &config),
            access_tokens: AccessTokens::new(&dependencies.signing_seed, &config),
            known: Known::new(config.cache_seconds),
            database: dependencies.database,
            clock: dependencies.clock,
            audit: dependencies.audit,
            tenants: dependencies.tenants,
            users: dependencies.users,
            passwords: dependencies.passwords,
            config,
        }
    }

    /// Makes a person and a tenant they own, and signs them in.
    pub async fn register(&self, visitor: &Visitor, new: Register) -> Result<SessionResponse, Error> {
        if !self.config.registration {
            return Err(Error::RegistrationClosed);
        }
        Ok(self.sign_up(visitor, new).await?.session)
    }

    /// [`Service::register`] whether or not registration is open: for the first start.
    pub async fn sign_up(&self, visitor: &Visitor, new: Register) -> Result<SignedUp, Error> {
        let (minimum, maximum) = (self.config.password_min_length, MAX_PASSWORD_LENGTH);
        if !(minimum..=maximum).contains(&new.password.expose().chars().count()) {
            return Err(Error::PasswordLength { minimum, maximum });
        }
        let slug = new.tenant_slug.map(|slug| Slug::parse(&slug).ok_or(Error::InvalidSlug)).transpose()?;
        let email = Email::new(&new.email);
        let name = new.name.unwrap_or_else(|| email.as_str().to_owned());
        // Hashed before the transaction begins: it takes longer than everything else together.
        let password_hash = self.passwords.hash(new.password).await?;

        let transaction = self.database.begin(AcrossTenants).await?;
        let user = self.users.create(&transaction, NewUser { email, name, password_hash }).await?;
        let tenant = self.tenants.create(&transaction, new.tenant_name, slug).await?;
        transaction.enter(tenant.id).await?;
        let ctx = Ctx {
            actor: Actor::User(user.id),
            request_id: visitor.request_id.clone(),
            address: visitor.address,
            ..Ctx::system(tenant.id)
        };
        let response = self.tenants.response(tenant);
        self.audit.record(&transaction, &ctx, Change::new("tenant.create", ctx.tenant).after(&response)).await?;
        self.users.join(&transaction, &ctx, &user, Role::Owner).await?;
        let session = self.begin_session(&transaction, ctx.tenant, user.id).await?;
        transaction.commit().await?;
        Ok(SignedUp { ctx, session })
    }

    /// Signs a person in.
    pub async fn login(&self, visitor: &Visitor, login: Login) -> Result<SessionResponse, Error> {
        let email = Email::new(&login.email);
        self.throttle.check(&email, visitor.address).await?;
        let found = self.users.find_by_email(&email).await?;
        let plausible = login.password.expose().chars().count() <= MAX_PASSWORD_LENGTH;
        let stored = found.as_ref().filter(|_| plausible).map(|(user, _)| user.password_hash.clone());
        let password_matches = self.passwords.verify(login.password, stored).await?;
        let membership = match found {
            Some((_, memberships)) if password_matches => self.choose(&memberships, login.tenant).await?,
            _ => None,
        };
        let Some(membership) = membership else {
            self.throttle.failed(&email, visitor.address).await?;
            return Err(Error::WrongLogin);
        };
        self.throttle.succeeded(&email).await?;
        let ctx = Ctx {
            actor: Actor::User(membership.user),
            request_id: visitor.request_id.clone(),
            address: visitor.address,
            ..Ctx::system(membership.tenant)
        };
        let transaction = self.database.begin(&ctx).await?;
        let session = self.begin_session(&transaction, membership.tenant, membership.user).await?;
        self.audit.record(&transaction, &ctx, Change::new("user.login", membership.user)).await?;
        transaction.commit().await?;
        Ok(session)
    }

    /// Who the caller is and what they may do.
    pub async fn me(&self, ctx: &Ctx) -> Result<MeResponse, Error> {
        let user = ctx.actor.user().ok_or(Error::PersonNeeded)?;
        let user = self.users.get(ctx, user).await?;
        let tenant = self.tenants.get(ctx).await?;
        let api_key_id = match ctx.actor {
            Actor::ApiKey { key, .. } => Some(key),
            _ => None,
        };
        Ok(MeResponse { role: user.role, user, tenant, api_key_id, permissions: ctx.permissions.iter().collect() })
    }

    /// The membership to sign in to: the one asked for, else the oldest.
    async fn choose(&self, memberships: &[Membership], slug: Option<String>) -> Result<Option<Membership>, Error> {
        let Some(slug) = slug else { return Ok(memberships.first().copied()) };
        let tenant = self.tenants.find_by_slug(&slug).await?;
        Ok(memberships.iter().find(|membership| Some(membership.tenant) == tenant).copied())
    }
}
