//! Logins and their refresh tokens: each works once; the same one again means that somebody copied it.

use std::time::Duration;

use async_trait::async_trait;

use super::access_token::Subject;
use super::dto::{JwksResponse, LoginResponse, SessionResponse};
use super::entities::{refresh_token, session};
use super::error::Error;
use super::model::Method;
use super::repository;
use super::service::Service;
use super::signing_keys::KeySet;
use crate::common::{Actor, Ctx, Page, PageQuery, Secret, SessionId, TenantId, Timestamp, UserId};
use crate::domains::audit::Change;
use crate::domains::users::Logins;
use crate::infrastructure::crypto::{self, TokenHash};
use crate::infrastructure::database::{self, AcrossTenants, Transaction};
use crate::infrastructure::web::Visitor;

/// A login that has ended is kept this long, so that a stolen token used late is still recognised.
const KEPT_AFTER_END: Duration = Duration::from_secs(7 * 86_400);
/// Refresh tokens begin with this.
const PREFIX: &str = "mrr_";

/// A login to begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) method: Method,
}

impl Service {
    /// Begins a login in the caller's transaction. The keys are found before it begins: finding them may write.
    pub(super) async fn begin_session(
        &self,
        transaction: &Transaction,
        keys: &KeySet,
        start: Start,
        visitor: &Visitor,
    ) -> Result<SessionResponse, Error> {
        let now = self.clock.now();
        let session = session::Model {
            id: SessionId::new(),
            tenant_id: start.tenant,
            user_id: start.user,
            created_at: now,
            expires_at: now.plus(self.config.refresh_token_life()),
            revoked_at: None,
            method: start.method,
            address: visitor.address.map(|address| address.to_string()),
            user_agent: visitor.user_agent.clone(),
            refreshed_at: None,
        };
        repository::insert_session(transaction, session.clone()).await?;
        let refresh_token = crypto::random_token(PREFIX)?;
        self.keep(transaction, &session, &refresh_token, now).await?;
        self.answer(keys, &session, &refresh_token, now)
    }

    /// Exchanges a refresh token for new tokens.
    ///
    /// The next token follows from the last one and a key of ours. So two requests that send the same token at the same
    /// moment (two tabs of a browser) get the same next one, and neither has to be taken for a thief.
    pub async fn refresh(&self, visitor: &Visitor, token: Secret<String>) -> Result<SessionResponse, Error> {
        let now = self.clock.now();
        let keys = self.signing_keys.current().await?;
        let transaction = self.database.begin(AcrossTenants).await?;
        let found = repository::find_refresh_token(&transaction, &TokenHash::of(token.expose())).await?;
        let used = found.ok_or(Error::InvalidRefreshToken)?;
        transaction.enter(used.tenant_id).await?;
        let session = repository::find_session(&transaction, used.tenant_id, used.session_id).await?;
        let session = session.filter(|session| session.revoked_at.is_none() && session.expires_at > now);
        let session = session.ok_or(Error::InvalidRefreshToken)?;
        let ctx = self.ctx_of_person(visitor, session.tenant_id, session.user_id);
        let next = crypto::successor_token(PREFIX, &self.successor_key, &token);
        if repository::use_refresh_token(&transaction, &used, now).await? {
            self.keep(&transaction, &session, &next, now).await?;
            let expires_at = now.plus(self.config.refresh_token_life());
            repository::prolong_session(&transaction, session.tenant_id, session.id, expires_at, now).await?;
            self.audit.record(&transaction, &ctx, Change::new("session.refresh", session.id)).await?;
        } else if !self.was_used_just_now(&transaction, &used, &next, now).await? {
            // Used before: the rightful owner and a thief cannot be told apart, so both lose the login.
            self.end_session(&transaction, &ctx, &session, "session.tokenReuse").await?;
            transaction.commit().await?;
            self.forget(&[(session.tenant_id, session.id)]);
            return Err(Error::InvalidRefreshToken);
        }
        transaction.commit().await?;
        self.answer(&keys, &session, &next, now)
    }

    /// Ends the login a refresh token belongs to. An unknown token is no error: the caller is signed out either way.
    pub async fn logout(&self, visitor: &Visitor, token: Secret<String>) -> Result<(), Error> {
        let transaction = self.database.begin(AcrossTenants).await?;
        let Some(token) = repository::find_refresh_token(&transaction, &TokenHash::of(token.expose())).await? else {
            return Ok(());
        };
        transaction.enter(token.tenant_id).await?;
        let (tenant, id) = (token.tenant_id, token.session_id);
        if let Some(session) = repository::find_session(&transaction, tenant, id).await? {
            let ctx = self.ctx_of_person(visitor, session.tenant_id, session.user_id);
            self.end_session(&transaction, &ctx, &session, "session.logout").await?;
        }
        transaction.commit().await?;
        self.forget(&[(tenant, id)]);
        Ok(())
    }

    /// The caller's own logins in this tenant that can still be used.
    pub async fn list_sessions(&self, ctx: &Ctx, query: &PageQuery) -> Result<Page<LoginResponse>, Error> {
        let person = person(ctx)?;
        let connection = self.database.read(ctx);
        let now = self.clock.now();
        let rows = repository::list_sessions(&connection, ctx.tenant, person, now, query).await?;
        let respond = |row| LoginResponse::new(row, ctx.login.map(|login| login.session));
        Ok(Page::from_rows(rows, query.limit(), |row| row.id.as_uuid(), respond))
    }

    /// Ends one of the caller's own logins in this tenant.
    pub async fn delete_session(&self, ctx: &Ctx, id: SessionId) -> Result<(), Error> {
        // Programs with a key have no logins.
        let person = person(ctx).map_err(|_| Error::SessionNotFound)?;
        let transaction = self.database.begin(ctx).await?;
        let found = repository::find_session(&transaction, ctx.tenant, id).await?;
        let own = found.filter(|session| session.user_id == person && session.revoked_at.is_none());
        let session = own.ok_or(Error::SessionNotFound)?;
        self.end_session(&transaction, ctx, &session, "session.delete").await?;
        transaction.commit().await?;
        self.forget(&[(ctx.tenant, id)]);
        Ok(())
    }

    /// Ends all logins of the caller: in every tenant, or, signed in by this tenant's identity provider, in this one.
    pub async fn logout_everywhere(&self, ctx: &Ctx, visitor: &Visitor) -> Result<(), Error> {
        let person = person(ctx)?;
        let login = ctx.login.ok_or(Error::PersonNeeded)?;
        let transaction = self.database.begin(AcrossTenants).await?;
        let only = (!login.of_account).then_some(ctx.tenant);
        let ended = self.end_sessions(&transaction, person, |session| only.is_none_or(|id| id == session.0)).await?;
        match only {
            Some(tenant) => {
                transaction.enter(tenant).await?;
                self.audit.record(&transaction, ctx, Change::new("user.logoutEverywhere", person)).await?;
            }
            None => self.record_everywhere(&transaction, visitor, person, "user.logoutEverywhere").await?,
        }
        transaction.commit().await?;
        self.forget(&ended);
        Ok(())
    }

    /// The public halves of the keys that sign access tokens.
    pub async fn public_keys(&self) -> Result<JwksResponse, Error> {
        self.signing_keys.public().await
    }

    /// Lets the next key take over when it is time.
    pub async fn rotate_signing_keys(&self) -> Result<(), Error> {
        self.signing_keys.rotate().await
    }

    /// Deletes logins that nobody can use any more and mailed links that have expired, of every tenant; says how many
    /// logins.
    pub async fn prune(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        repository::delete_one_time_tokens_before(&self.database.write(AcrossTenants), now).await?;
        self.prune_sso(now).await?;
        let connection = self.database.write(AcrossTenants);
        Ok(repository::delete_sessions_before(&connection, now.minus(KEPT_AFTER_END)).await?)
    }

    /// Ends the person's logins that match, in any tenant. Needs a transaction across tenants; [`Service::forget`] them
    /// once it is committed.
    pub(super) async fn end_sessions(
        &self,
        transaction: &Transaction,
        person: UserId,
        matches: impl Fn(&(TenantId, SessionId)) -> bool,
    ) -> Result<Vec<(TenantId, SessionId)>, database::Error> {
        let mut sessions = repository::living_sessions(transaction, person).await?;
        sessions.retain(matches);
        let ids = sessions.iter().map(|(_, id)| *id);
        repository::revoke_sessions(transaction, ids.collect(), self.clock.now()).await?;
        Ok(sessions)
    }

    /// Makes sessions that have ended count as such at once.
    pub(super) fn forget(&self, ended: &[(TenantId, SessionId)]) {
        for (tenant, session) in ended {
            self.known.forget_session(*tenant, *session);
        }
    }

    /// To be forgotten once the transaction is committed: until then a request may still find it living.
    async fn end_session(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        session: &session::Model,
        action: &'static str,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        if repository::revoke_session(transaction, session.tenant_id, session.id, now).await? {
            self.audit.record(transaction, ctx, Change::new(action, session.id)).await?;
        }
        Ok(())
    }

    /// Whether a used token is the last one before the present one, used within the grace: the same client twice.
    async fn was_used_just_now(
        &self,
        transaction: &Transaction,
        used: &refresh_token::Model,
        next: &Secret<String>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let grace = Duration::from_secs(self.config.refresh_grace_seconds);
        // Read again: the other request may have used it after we read it first.
        let find = async |hash: &TokenHash| repository::find_refresh_token_of(transaction, used.tenant_id, hash).await;
        let Some(hash) = TokenHash::from_stored(&used.hash) else { return Ok(false) };
        let used_at = find(&hash).await?.and_then(|token| token.used_at);
        let next = find(&TokenHash::of(next.expose())).await?;
        Ok(used_at.is_some_and(|at| now < at.plus(grace)) && next.is_some_and(|next| next.used_at.is_none()))
    }

    async fn keep(
        &self,
        transaction: &Transaction,
        session: &session::Model,
        refresh_token: &Secret<String>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let row = refresh_token::Model {
            hash: TokenHash::of(refresh_token.expose()).as_bytes().to_vec(),
            tenant_id: session.tenant_id,
            session_id: session.id,
            created_at: now,
            used_at: None,
        };
        Ok(repository::insert_refresh_token(transaction, row).await?)
    }

    fn answer(
        &self,
        keys: &KeySet,
        session: &session::Model,
        refresh_token: &Secret<String>,
        now: Timestamp,
    ) -> Result<SessionResponse, Error> {
        let subject = Subject { user: session.user_id, tenant: session.tenant_id, session: session.id };
        let key = keys.signing(now).ok_or(Error::UnreadableKey)?;
        Ok(SessionResponse {
            access_token: self.access_tokens.sign(key, subject, now)?,
            token_type: "Bearer",
            expires_in: self.config.access_token_seconds,
            refresh_token: refresh_token.expose().clone(),
        })
    }
}

/// Plugs the domain into the one of people.
#[async_trait]
impl Logins for Service {
    async fn end_all(
        &self,
        transaction: &Transaction,
        user: UserId,
    ) -> Result<Vec<(TenantId, SessionId)>, database::Error> {
        self.end_sessions(transaction, user, |_| true).await
    }

    fn forget(&self, ended: &[(TenantId, SessionId)]) {
        Service::forget(self, ended);
    }
}

/// The person who is signed in; a program with an API key is none.
pub(super) fn person(ctx: &Ctx) -> Result<UserId, Error> {
    match ctx.actor {
        Actor::User(user) => Ok(user),
        Actor::ApiKey { .. } | Actor::System => Err(Error::PersonNeeded),
    }
}
