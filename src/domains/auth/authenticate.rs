//! From credentials to a context: one signature check or one hash, and at most one lookup, remembered briefly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moka::sync::Cache as Moka;

use super::access_token::Refused;
use super::api_keys;
use super::error::Error;
use super::limits::Limits;
use super::model::Method;
use super::repository;
use super::service::Service;
use crate::common::{
    Actor, ApiKeyId, Ctx, Login, Permission, Permissions, Problem, Secret, SessionId, TenantId, Timestamp, UserId,
};
use crate::domains::audit::Change;
use crate::domains::tenants;
use crate::infrastructure::cache::Cache;
use crate::infrastructure::config;
use crate::infrastructure::crypto::TokenHash;
use crate::infrastructure::web::{Allowance, Authenticator, Caller, Credentials, Visitor};

/// What was found out about credentials, believed for a few seconds. A change made by this process counts at once.
pub(super) struct Known {
    /// What it allows, and whether it stands for the whole account.
    sessions: Moka<(TenantId, SessionId), (Permissions, bool)>,
    api_keys: Moka<TokenHash, KnownKey>,
    /// Counts what was forgotten: what was looked up before is not remembered after.
    forgotten: AtomicU64,
}

/// A verified API key.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownKey {
    pub(super) id: ApiKeyId,
    pub(super) tenant: TenantId,
    pub(super) owner: UserId,
    /// What the key allows and its owner still holds.
    pub(super) permissions: Permissions,
    pub(super) expires_at: Option<Timestamp>,
    /// As the key says itself.
    pub(super) requests_per_minute: Option<u64>,
}

impl Known {
    pub(super) fn new(seconds: u64) -> Known {
        let life = Duration::from_secs(seconds);
        Known {
            sessions: Moka::builder().max_capacity(100_000).time_to_live(life).build(),
            api_keys: Moka::builder().max_capacity(100_000).time_to_live(life).build(),
            forgotten: AtomicU64::new(0),
        }
    }

    /// To be asked before something is looked up.
    fn moment(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    pub(super) fn forget_session(&self, tenant: TenantId, session: SessionId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.sessions.invalidate(&(tenant, session));
    }

    pub(super) fn forget_api_key(&self, hash: &TokenHash) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.api_keys.invalidate(hash);
    }
}

impl Service {
    /// The context of a request with an access token.
    async fn by_token(&self, token: &Secret<String>, visitor: &Visitor) -> Result<Ctx, Error> {
        let now = self.clock.now();
        let keys = self.signing_keys.current().await?;
        let verified = match self.access_tokens.verify(&keys, token.expose(), now) {
            Err(Refused::UnknownKey) => {
                let keys = self.signing_keys.fresh().await?;
                self.access_tokens.verify(&keys, token.expose(), now)
            }
            verified => verified,
        };
        let subject = verified.map_err(|_| Error::InvalidToken)?;
        let entry = (subject.tenant, subject.session);
        let (permissions, of_account) = match self.known.sessions.get(&entry) {
            Some(known) => known,
            None => {
                let moment = self.known.moment();
                let connection = self.database.read(subject.tenant);
                let session = repository::find_session(&connection, subject.tenant, subject.session).await?;
                let session = session.filter(|session| session.revoked_at.is_none()).ok_or(Error::InvalidToken)?;
                let membership = self.users.find_membership(subject.tenant, subject.user).await?;
                let permissions = membership.ok_or(Error::InvalidToken)?.permissions;
                let known = (permissions, session.method == Method::Password);
                if self.known.moment() == moment {
                    self.known.sessions.insert(entry, known);
                }
                known
            }
        };
        Ok(Ctx {
            tenant: subject.tenant,
            actor: Actor::User(subject.user),
            login: Some(Login { session: subject.session, of_account }),
            permissions,
            request_id: visitor.request_id.clone(),
            address: visitor.address,
        })
    }

    /// The context of a request with an API key.
    async fn by_api_key(&self, key: &Secret<String>, visitor: &Visitor) -> Result<Caller, Error> {
        let now = self.clock.now();
        let hash = TokenHash::of(key.expose());
        let known = match self.known.api_keys.get(&hash) {
            Some(known) => known,
            None => {
                let moment = self.known.moment();
                let known = self.look_up_api_key(&hash, now).await?;
                if self.known.moment() == moment {
                    self.known.api_keys.insert(hash, known);
                }
                known
            }
        };
        if known.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Error::InvalidApiKey);
        }
        let ctx = Ctx {
            tenant: known.tenant,
            actor: Actor::ApiKey { key: known.id, owner: known.owner },
            login: None,
            permissions: known.permissions,
            request_id: visitor.request_id.clone(),
            address: visitor.address,
        };
        Ok(Caller { ctx, requests_per_minute: known.requests_per_minute })
    }
}

impl Service {
    /// Turns away members of a suspended tenant; of one that is being deleted only what its deletion needs is left.
    async fn at_work(&self, ctx: Ctx) -> Result<Ctx, Error> {
        const LEFT: Permissions = Permissions::of(&[Permission::TenantRead, Permission::TenantDelete]);
        let profile = self.tenants.profile(ctx.tenant).await?;
        match profile.require_active() {
            Ok(()) => Ok(ctx),
            Err(tenants::Error::Deleting) => Ok(Ctx { permissions: ctx.permissions.intersection(LEFT), ..ctx }),
            Err(suspended) => Err(suspended.into()),
        }
    }
}

/// Plugs the domain into the server's guards.
pub struct RequestAuthenticator {
    service: Arc<Service>,
    limits: Limits,
}

impl RequestAuthenticator {
    pub fn new(service: Arc<Service>, cache: Arc<dyn Cache>, limits: config::Limits) -> RequestAuthenticator {
        let clock = Arc::clone(&service.clock);
        RequestAuthenticator { service, limits: Limits::new(cache, clock, limits) }
    }
}

#[async_trait]
impl Authenticator for RequestAuthenticator {
    async fn authenticate(&self, credentials: Credentials, visitor: &Visitor) -> Result<Caller, Problem> {
        let caller = match &credentials {
            Credentials::Bearer(token) if !api_keys::looks_like_key(token) => {
                Caller { ctx: self.service.by_token(token, visitor).await?, requests_per_minute: None }
            }
            Credentials::Bearer(key) | Credentials::ApiKey(key) => self.service.by_api_key(key, visitor).await?,
        };
        let ctx = self.service.at_work(caller.ctx).await?;
        Ok(Caller { ctx, ..caller })
    }

    async fn admit(&self, caller: Option<&Caller>, visitor: &Visitor) -> Result<Option<Allowance>, Problem> {
        let planned = match caller {
            Some(Caller { ctx, .. }) => {
                let profile = self.service.tenants.profile(ctx.tenant).await.map_err(Error::from)?;
                profile.limits.api_requests_per_minute
            }
            None => None,
        };
        Ok(self.limits.count(caller, planned, visitor).await?)
    }

    async fn refused(&self, caller: &Ctx, operation: &str, problem: &Problem) {
        let refusal = serde_json::json!({ "code": problem.code.code, "detail": problem.detail });
        let change = Change::new("access.denied", operation).after(&refusal);
        if let Err(error) = self.service.audit.note(caller, change).await {
            tracing::error!(%error, operation, "a refusal could not be recorded");
        }
    }
}
