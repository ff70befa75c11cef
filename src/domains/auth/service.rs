//! Rules of signing up and signing in.

use std::sync::Arc;

use super::access_token::AccessTokens;
use super::authenticate::Known;
use super::dto::{Login, MeResponse, Register, Registered, SessionResponse};
use super::error::Error;
use super::model::Method;
use super::sessions::Start;
use super::signing_keys::SigningKeys;
use super::throttle::Throttle;
use crate::common::{Actor, Clock, Ctx, Secret, TenantId, UserId};
use crate::domains::audit::{self, Change};
use crate::domains::tenants::{self, Slug};
use crate::domains::users::{self, Email, Membership, NewUser, Role, User};
use crate::infrastructure::cache::Cache;
use crate::infrastructure::config;
use crate::infrastructure::crypto::{Passwords, SealingKey, derive_key};
use crate::infrastructure::database::{AcrossTenants, Database, Transaction};
use crate::infrastructure::http_client::HttpClient;
use crate::infrastructure::mail::{Mailer, Message, send_in_background};
use crate::infrastructure::web::Visitor;

/// Signing in and API keys.
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: config::Auth,
    pub(super) audit: audit::Service,
    pub(super) users: users::Service,
    pub(super) tenants: tenants::Service,
    pub(super) access_tokens: AccessTokens,
    pub(super) signing_keys: SigningKeys,
    pub(super) known: Known,
    pub(super) passwords: Passwords,
    pub(super) throttle: Throttle,
    /// Where callers reach this server: the only host that links in mails name.
    pub(super) public_url: String,
    /// Seals what is stored and must be read again.
    pub(super) sealing: SealingKey,
    /// Makes the next refresh token from the last.
    pub(super) successor_key: Secret<[u8; 32]>,
    /// To identity providers.
    pub(super) http: HttpClient,
    mailer: Arc<dyn Mailer>,
}

/// A new account: its owner as one who acts, and the first login, where it may sign in at once.
pub struct SignedUp {
    pub ctx: Ctx,
    pub session: Option<SessionResponse>,
}

/// Whether a new account may sign in before its address is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The address is taken as it is.
    AtOnce,
    /// Whoever made the account has to follow a link in a mail first.
    OnceVerified,
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
    pub mailer: Arc<dyn Mailer>,
    pub http: HttpClient,
    pub passwords: Passwords,
    /// Every key of the domain is derived from this one.
    pub secret: Secret<[u8; 32]>,
    pub public_url: String,
}

impl Service {
    pub fn new(config: config::Auth, dependencies: Dependencies) -> Service {
        let Dependencies { database, cache, clock, audit, tenants, users, mailer, http, passwords, secret, public_url } =
            dependencies;
        let sealing = SealingKey::new(derive_key(&secret, "sealing"));
        Service {
            throttle: Throttle::new(cache, Arc::clone(&clock), &config),
            access_tokens: AccessTokens::new(&config),
            signing_keys: SigningKeys::new(database.clone(), Arc::clone(&clock), sealing.clone(), &config),
            known: Known::new(config.cache_seconds),
            successor_key: derive_key(&secret, "refresh token"),
            sealing,
            database,
            clock,
            audit,
            tenants,
            users,
            mailer,
            http,
            passwords,
            public_url,
            config,
        }
    }

    /// Makes a person and a tenant they own, and signs them in; or, where addresses are verified, mails them a link. In
    /// that case a known address gets the same answer, and its owner a mail that says so.
    pub async fn register(&self, visitor: &Visitor, new: Register) -> Result<Registered, Error> {
        if !self.config.registration {
            return Err(Error::RegistrationClosed);
        }
        let email = Email::new(&new.email);
        if !self.verifies_addresses() {
            let session = self.sign_up(visitor, new, Trust::AtOnce).await?.session;
            return Ok(session.map_or(Registered::Pending, Registered::SignedIn));
        }
        match self.sign_up(visitor, new, Trust::OnceVerified).await {
            Ok(SignedUp { ctx, .. }) => self.mail_verification(ctx.actor.user(), &email).await?,
            Err(Error::User(users::Error::EmailTaken)) => self.mail_that_account_exists(&email).await?,
            Err(error) => return Err(error),
        }
        Ok(Registered::Pending)
    }

    /// [`Service::register`] whether or not registration is open: for the first start, too.
    pub async fn sign_up(&self, visitor: &Visitor, new: Register, trust: Trust) -> Result<SignedUp, Error> {
        let slug = new.tenant_slug.map(|slug| Slug::parse(&slug).ok_or(Error::InvalidSlug)).transpose()?;
        let email = Email::new(&new.email);
        let name = new.name.unwrap_or_else(|| email.as_str().to_owned());
        // Before the transaction begins: hashing takes longer than everything else together.
        let password_hash = self.hash_new_password(new.password, "/password").await?;
        let keys = self.signing_keys.current().await?;

        let transaction = self.database.begin(AcrossTenants).await?;
        let user = self.users.create(&transaction, NewUser { email, name, password_hash }).await?;
        if trust == Trust::OnceVerified {
            self.users.await_verification(&transaction, user.id).await?;
        }
        let tenant = match trust {
            Trust::AtOnce => self.tenants.create(&transaction, new.tenant_name, slug).await?,
            // A slug that is taken afterwards, or is not, would tell whether the address had an account.
            Trust::OnceVerified => self.tenants.create_apart(&transaction, new.tenant_name, slug).await?,
        };
        transaction.enter(tenant.id).await?;
        let ctx = self.ctx_of_person(visitor, tenant.id, user.id);
        let response = self.tenants.response(tenant);
        self.audit.record(&transaction, &ctx, Change::new("tenant.create", ctx.tenant).after(&response)).await?;
        self.users.join(&transaction, &ctx, &user, Role::Owner).await?;
        let session = match trust {
            Trust::AtOnce => {
                let start = Start { tenant: ctx.tenant, user: user.id, method: Method::Password };
                Some(self.begin_session(&transaction, &keys, start, visitor).await?)
            }
            Trust::OnceVerified => None,
        };
        transaction.commit().await?;
        Ok(SignedUp { ctx, session })
    }

    /// Signs a person in.
    pub async fn login(&self, visitor: &Visitor, login: Login) -> Result<SessionResponse, Error> {
        let email = Email::new(&login.email);
        self.throttle.check(&email, visitor.address).await?;
        let found = self.users.find_by_email(&email).await?;
        let stored = found.as_ref().map(|(user, _)| user.password_hash.clone());
        let matches = self.password_matches(&login.password, stored).await?;
        // Guesses that were sent together must not all be answered because none had failed when they arrived.
        let _turn = self.throttle.turn(&email).await;
        self.throttle.check(&email, visitor.address).await?;
        let chosen = match &found {
            Some((user, memberships)) if matches => {
                self.choose(memberships, login.tenant).await?.map(|membership| (user.clone(), membership))
            }
            _ => None,
        };
        let Some((user, membership)) = chosen else {
            self.throttle.failed(&email, visitor.address).await?;
            if let Some((user, memberships)) = found {
                self.note_failure(visitor, user.id, memberships, "user.loginFailed");
            }
            return Err(Error::WrongLogin);
        };
        if user.email_pending {
            return Err(Error::EmailNotVerified);
        }
        let proof = self.prove_second_factor(&user, login.code, visitor.address).await;
        if let (Err(Error::WrongCode), Some((user, memberships))) = (&proof, found) {
            self.note_failure(visitor, user.id, memberships, "user.codeFailed");
        }
        let proof = proof?;
        self.throttle.succeeded(&email).await?;
        let rehashed = self.rehash_outdated(&user, login.password).await?;
        let keys = self.signing_keys.current().await?;

        let transaction = self.database.begin(AcrossTenants).await?;
        self.use_up(&transaction, user.id, proof).await?;
        if let Some(hash) = rehashed {
            self.users.set_password_hash(&transaction, user.id, hash).await?;
        }
        transaction.enter(membership.tenant).await?;
        let ctx = self.ctx_of_person(visitor, membership.tenant, user.id);
        let start = Start { tenant: membership.tenant, user: user.id, method: Method::Password };
        let session = self.begin_session(&transaction, &keys, start, visitor).await?;
        self.audit.record(&transaction, &ctx, Change::new("user.login", user.id)).await?;
        transaction.commit().await?;
        Ok(session)
    }

    /// Who the caller is and what they may do.
    pub async fn me(&self, ctx: &Ctx) -> Result<MeResponse, Error> {
        let id = ctx.actor.user().ok_or(Error::PersonNeeded)?;
        let user = self.users.get(ctx, id).await?;
        let tenant = self.tenants.get(ctx).await?;
        let (account, _) = self.users.find_account(id).await?.ok_or(Error::InvalidToken)?;
        let api_key_id = match ctx.actor {
            Actor::ApiKey { key, .. } => Some(key),
            _ => None,
        };
        Ok(MeResponse {
            role: user.role,
            user,
            tenant,
            api_key_id,
            email_verified: account.email_verified_at.is_some(),
            second_factor: self.has_second_factor(id).await?,
            permissions: ctx.permissions.iter().collect(),
        })
    }

    /// A hash to be stored, if the password is fit for use.
    pub(super) async fn hash_new_password(
        &self,
        password: Secret<String>,
        pointer: &'static str,
    ) -> Result<String, Error> {
        let (minimum, maximum) = (self.config.password_min_length, MAX_PASSWORD_LENGTH);
        if !(minimum..=maximum).contains(&password.expose().chars().count()) {
            return Err(Error::PasswordLength { pointer, minimum, maximum });
        }
        Ok(self.passwords.hash(password).await?)
    }

    /// Takes as long without a hash (nobody has the address) as with one.
    pub(super) async fn password_matches(
        &self,
        password: &Secret<String>,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        let plausible = password.expose().chars().count() <= MAX_PASSWORD_LENGTH;
        Ok(self.passwords.verify(password.clone(), stored.filter(|_| plausible)).await?)
    }

    /// The hash under today's parameters, where the stored one was made under others.
    async fn rehash_outdated(&self, user: &User, password: Secret<String>) -> Result<Option<String>, Error> {
        if !self.passwords.is_outdated(&user.password_hash) {
            return Ok(None);
        }
        Ok(Some(self.passwords.hash(password).await?))
    }

    /// New accounts are verified where mail can be sent.
    pub(super) fn verifies_addresses(&self) -> bool {
        self.config.email_verification && self.mailer.is_configured()
    }

    pub(super) fn mail(&self, message: Message) {
        send_in_background(Arc::clone(&self.mailer), message);
    }

    /// The person as the one who acts, for the audit log.
    pub(super) fn ctx_of_person(&self, visitor: &Visitor, tenant: TenantId, user: UserId) -> Ctx {
        Ctx {
            actor: Actor::User(user),
            request_id: visitor.request_id.clone(),
            address: visitor.address,
            ..Ctx::system(tenant)
        }
    }

    /// Records in every tenant of a person that somebody failed to sign in as them. Beside the answer: else its time would tell
    /// who has an account. The throttle bounds how many there are.
    fn note_failure(&self, visitor: &Visitor, user: UserId, memberships: Vec<Membership>, action: &'static str) {
        let audit = self.audit.clone();
        let (request_id, address) = (visitor.request_id.clone(), visitor.address);
        tokio::spawn(async move {
            for membership in memberships {
                let ctx = Ctx { request_id: request_id.clone(), address, ..Ctx::system(membership.tenant) };
                if let Err(error) = audit.note(&ctx, Change::new(action, user)).await {
                    tracing::error!(%error, action, "a failed sign-in could not be recorded");
                }
            }
        });
    }

    /// Records what a person did with their account in every tenant of theirs. The transaction is for one of them after this.
    pub(super) async fn record_everywhere(
        &self,
        transaction: &Transaction,
        visitor: &Visitor,
        user: UserId,
        action: &'static str,
    ) -> Result<(), Error> {
        let mut tenants: Vec<TenantId> = self
            .users
            .memberships_within(transaction, user)
            .await?
            .iter()
            .map(|membership| membership.tenant)
            .collect();
        // Always in the same order: each record locks its tenant's log.
        tenants.sort();
        for tenant in tenants {
            transaction.enter(tenant).await?;
            let ctx = self.ctx_of_person(visitor, tenant, user);
            self.audit.record(transaction, &ctx, Change::new(action, user)).await?;
        }
        Ok(())
    }

    /// The membership to sign in to: the one asked for, else the oldest.
    async fn choose(&self, memberships: &[Membership], slug: Option<String>) -> Result<Option<Membership>, Error> {
        let Some(slug) = slug else { return Ok(memberships.first().copied()) };
        let tenant = self.tenants.find_by_slug(&slug).await?;
        Ok(memberships.iter().find(|membership| Some(membership.tenant) == tenant).copied())
    }
}
