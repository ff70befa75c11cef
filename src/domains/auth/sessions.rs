//! Logins and their refresh tokens: each works once; the same one again means that somebody copied it.

use std::time::Duration;

use super::access_token::Subject;
use super::dto::SessionResponse;
use super::entities::{refresh_token, session};
use super::error::Error;
use super::repository;
use super::service::Service;
use crate::common::{Actor, Ctx, Secret, SessionId, TenantId, UserId};
use crate::domains::audit::Change;
use crate::infrastructure::crypto::{self, TokenHash};
use crate::infrastructure::database::{AcrossTenants, Transaction};
use crate::infrastructure::web::Visitor;

/// A login that has ended is kept this long, so that a stolen token used late is still recognised.
const KEPT_AFTER_END: Duration = Duration::from_secs(7 * 86_400);
/// Refresh tokens begin with this.
const PREFIX: &str = "mrr_";

impl Service {
    /// Begins a login in the caller's transaction.
    pub(super) async fn begin_session(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        user: UserId,
    ) -> Result<SessionResponse, Error> {
        let now = self.clock.now();
        let session = session::Model {
            id: SessionId::new(),
            tenant_id: tenant,
            user_id: user,
            created_at: now,
            expires_at: now.plus(self.config.refresh_token_life()),
            revoked_at: None,
        };
        repository::insert_session(transaction, session.clone()).await?;
        self.issue(transaction, &session).await
    }

    /// Exchanges a refresh token for new tokens.
    pub async fn refresh(&self, visitor: &Visitor, token: Secret<String>) -> Result<SessionResponse, Error> {
        let now = self.clock.now();
        let transaction = self.database.begin(AcrossTenants).await?;
        let found = repository::find_refresh_token(&transaction, &TokenHash::of(token.expose())).await?;
        let token = found.ok_or(Error::InvalidRefreshToken)?;
        transaction.enter(token.tenant_id).await?;
        let session = repository::find_session(&transaction, token.tenant_id, token.session_id).await?;
        let session = session.filter(|session| session.revoked_at.is_none() && session.expires_at > now);
        let session = session.ok_or(Error::InvalidRefreshToken)?;
        if !repository::use_refresh_token(&transaction, &token, now).await? {
            // Used before: the rightful owner and a thief cannot be told apart, so both lose the login.
            self.end_session(&transaction, &self.ctx_of(visitor, &session), &session, "session.tokenReuse").await?;
            transaction.commit().await?;
            return Err(Error::InvalidRefreshToken);
        }
        repository::prolong_session(
            &transaction,
            session.tenant_id,
            session.id,
            now.plus(self.config.refresh_token_life()),
        )
        .await?;
        let response = self.issue(&transaction, &session).await?;
        let ctx = self.ctx_of(visitor, &session);
        self.audit.record(&transaction, &ctx, Change::new("session.refresh", session.id)).await?;
        transaction.commit().await?;
        Ok(response)
    }

    /// Ends the login a refresh token belongs to. An unknown token is no error: the caller is signed out either way.
    pub async fn logout(&self, visitor: &Visitor, token: Secret<String>) -> Result<(), Error> {
        let transaction = self.database.begin(AcrossTenants).await?;
        let Some(token) = repository::find_refresh_token(&transaction, &TokenHash::of(token.expose())).await? else {
            return Ok(());
        };
        transaction.enter(token.tenant_id).await?;
        if let Some(session) = repository::find_session(&transaction, token.tenant_id, token.session_id).await? {
            let ctx = self.ctx_of(visitor, &session);
            self.end_session(&transaction, &ctx, &session, "session.logout").await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes logins that nobody can use any more, of every tenant; says how many.
    pub async fn prune(&self) -> Result<u64, Error> {
        let ended = self.clock.now().minus(KEPT_AFTER_END);
        Ok(repository::delete_sessions_before(&self.database.write(AcrossTenants), ended).await?)
    }

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
        self.known.forget_session(session.tenant_id, session.id);
        Ok(())
    }

    async fn issue(&self, transaction: &Transaction, session: &session::Model) -> Result<SessionResponse, Error> {
        let now = self.clock.now();
        let refresh_token = crypto::random_token(PREFIX)?;
        let row = refresh_token::Model {
            hash: TokenHash::of(refresh_token.expose()).as_bytes().to_vec(),
            tenant_id: session.tenant_id,
            session_id: session.id,
            created_at: now,
            used_at: None,
        };
        repository::insert_refresh_token(transaction, row).await?;
        let subject = Subject { user: session.user_id, tenant: session.tenant_id, session: session.id };
        Ok(SessionResponse {
            access_token: self.access_tokens.sign(subject, now)?,
            token_type: "Bearer",
            expires_in: self.config.access_token_seconds,
            refresh_token: refresh_token.expose().clone(),
        })
    }

    /// The session's owner as the one who acts; for the audit log.
    fn ctx_of(&self, visitor: &Visitor, session: &session::Model) -> Ctx {
        Ctx {
            actor: Actor::User(session.user_id),
            request_id: visitor.request_id.clone(),
            address: visitor.address,
            ..Ctx::system(session.tenant_id)
        }
    }
}
