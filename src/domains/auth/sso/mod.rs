//! Single sign-on: a tenant's people sign in at the tenant's own OpenID provider.
//!
//! The provider speaks for its tenant only. Somebody it has signed in before is who they were then. Somebody new is a member whose
//! address the provider has verified; or becomes one, where the tenant wants that and nobody has the address yet. An account that
//! is no member of the tenant is never taken over, whatever a provider says. Such a login is good for this tenant alone.

mod provider;

use std::sync::Arc;
use std::time::Duration;

use provider::{Claimed, Provider};
use url::{Host, Url};

use super::dto::{IdentityProviderResponse, PutIdentityProvider, SessionResponse};
use super::entities::{identity, identity_provider, sso_login};
use super::error::Error;
use super::model::Method;
use super::repository;
use super::service::Service;
use super::sessions::Start;
use crate::common::{Ctx, Permissions, Secret, TenantId, Timestamp, UserId};
use crate::domains::audit::Change;
use crate::domains::users::{Email, NewUser, Role};
use crate::infrastructure::crypto::{self, TokenHash};
use crate::infrastructure::database::{AcrossTenants, Transaction};
use crate::infrastructure::http_client::Way;
use crate::infrastructure::web::Visitor;

/// How long somebody may take at their provider.
const JOURNEY: Duration = Duration::from_secs(600);
/// Where providers send people back to.
const CALLBACK: &str = "/api/v1/auth/sso/callback";

/// A sign-in that begins.
pub struct SsoStart {
    /// Where to send the browser.
    pub url: String,
    /// For a cookie: only this browser may come back.
    pub browser: Secret<String>,
}

/// A browser that comes back.
pub struct SsoReturn {
    pub state: String,
    /// None when the provider refused.
    pub code: Option<String>,
    pub browser: Option<String>,
}

impl Service {
    pub async fn get_identity_provider(&self, ctx: &Ctx) -> Result<IdentityProviderResponse, Error> {
        let row = repository::find_identity_provider(&self.database.read(ctx), ctx.tenant).await?;
        Ok(self.describe(&row.ok_or(Error::NoIdentityProvider)?))
    }

    /// Sets the tenant's provider. Without a secret the one there is stays, where issuer and client stay.
    pub async fn put_identity_provider(
        &self,
        ctx: &Ctx,
        put: PutIdentityProvider,
    ) -> Result<IdentityProviderResponse, Error> {
        require_owners_permissions(ctx)?;
        let issuer = acceptable_issuer(&put.issuer).ok_or(Error::InvalidIssuer)?;
        let transaction = self.database.begin(ctx).await?;
        let before = repository::find_identity_provider(&transaction, ctx.tenant).await?;
        let same = before.as_ref().filter(|row| row.issuer == issuer && row.client_id == put.client_id);
        let client_secret = match &put.client_secret {
            Some(secret) => Some(self.sealing.seal(secret.expose().as_bytes(), ctx.tenant.as_uuid().as_bytes())?),
            None => same.and_then(|row| row.client_secret.clone()),
        };
        if before.as_ref().is_some_and(|row| row.issuer != issuer) {
            repository::delete_identity_provider(&transaction, ctx.tenant).await?;
        }
        let exists = before.as_ref().is_some_and(|row| row.issuer == issuer);
        let row = identity_provider::Model {
            tenant_id: ctx.tenant,
            issuer,
            client_id: put.client_id,
            client_secret,
            scopes: put.scopes.join(" "),
            email_domains: put.email_domains.iter().map(|domain| domain.to_lowercase()).collect::<Vec<_>>().join(" "),
            create_members: put.create_members,
            default_role: put.default_role.to_string(),
            updated_at: self.clock.now(),
        };
        let after = self.describe(&row);
        repository::put_identity_provider(&transaction, row, exists).await?;
        let mut change = Change::new("identityProvider.update", ctx.tenant).after(&after);
        if let Some(before) = &before {
            change = change.before(&self.describe(before));
        }
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Nobody signs in by the provider any more; logins there are go on.
    pub async fn delete_identity_provider(&self, ctx: &Ctx) -> Result<(), Error> {
        require_owners_permissions(ctx)?;
        let transaction = self.database.begin(ctx).await?;
        let row = repository::find_identity_provider(&transaction, ctx.tenant).await?;
        let before = self.describe(&row.ok_or(Error::NoIdentityProvider)?);
        repository::delete_identity_provider(&transaction, ctx.tenant).await?;
        let change = Change::new("identityProvider.delete", ctx.tenant).before(&before);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Begins a sign-in to the tenant of this slug.
    pub async fn start_sso(&self, slug: &str) -> Result<SsoStart, Error> {
        let tenant = self.tenants.find_by_slug(slug).await?.ok_or(Error::NoIdentityProvider)?;
        let row = repository::find_identity_provider(&self.database.read(tenant), tenant).await?;
        let provider = self.provider(&row.ok_or(Error::NoIdentityProvider)?)?;
        let departure = provider.depart(&self.way(tenant).await?).await.map_err(Error::IdentityProvider)?;
        let browser = crypto::random_token("")?;
        let state = TokenHash::of(departure.state.expose());
        let row = sso_login::Model {
            state: state.as_bytes().to_vec(),
            tenant_id: tenant,
            browser: TokenHash::of(browser.expose()).as_bytes().to_vec(),
            verifier: self.sealing.seal(departure.verifier.expose().as_bytes(), state.as_bytes())?,
            nonce: departure.nonce,
            expires_at: self.clock.now().plus(JOURNEY),
        };
        repository::insert_sso_login(&self.database.write(tenant), row).await?;
        Ok(SsoStart { url: departure.url, browser })
    }

    /// Ends a sign-in: whoever comes back with the code of the provider, in the browser that left, is signed in.
    pub async fn finish_sso(&self, visitor: &Visitor, back: SsoReturn) -> Result<SessionResponse, Error> {
        let state = TokenHash::of(&back.state);
        let transaction = self.database.begin(AcrossTenants).await?;
        let journey = repository::take_sso_login(&transaction, &state).await?;
        transaction.commit().await?;
        let browser = back.browser.map(|browser| TokenHash::of(&browser).as_bytes().to_vec());
        let journey = journey.filter(|row| row.expires_at > self.clock.now() && Some(&row.browser) == browser.as_ref());
        let journey = journey.ok_or(Error::SsoFailed)?;
        let code = back.code.ok_or(Error::SsoFailed)?;
        let tenant = journey.tenant_id;
        let row = repository::find_identity_provider(&self.database.read(tenant), tenant).await?;
        let row = row.ok_or(Error::NoIdentityProvider)?;
        let verifier = as_text(&self.sealing.open(&journey.verifier, state.as_bytes())?);
        let provider = self.provider(&row)?;
        let claimed =
            provider.arrive(&self.way(tenant).await?, code, &verifier, &journey.nonce).await.map_err(|failure| {
                tracing::info!(%tenant, failure, "a sign-in by the identity provider failed");
                Error::SsoFailed
            })?;
        let keys = self.signing_keys.current().await?;
        // Before the transaction begins: it takes long, and is needed for new people only.
        let password_hash = self.passwords.hash(crypto::random_password()?).await?;
        let transaction = self.database.begin(AcrossTenants).await?;
        let user = self.recognise(&transaction, visitor, &row, &claimed, password_hash).await?;
        transaction.enter(tenant).await?;
        let ctx = self.ctx_of_person(visitor, tenant, user);
        let start = Start { tenant, user, method: Method::Sso };
        let session = self.begin_session(&transaction, &keys, start, visitor).await?;
        self.audit.record(&transaction, &ctx, Change::new("user.ssoLogin", user)).await?;
        transaction.commit().await?;
        Ok(session)
    }

    /// Who the claimed person is here; the rules stand at the top of this file.
    async fn recognise(
        &self,
        transaction: &Transaction,
        visitor: &Visitor,
        row: &identity_provider::Model,
        claimed: &Claimed,
        password_hash: String,
    ) -> Result<UserId, Error> {
        let tenant = row.tenant_id;
        if let Some(known) = repository::find_identity(transaction, tenant, &row.issuer, &claimed.subject).await? {
            return Ok(known.user_id);
        }
        let email = claimed.email.as_deref().filter(|_| claimed.email_verified).map(Email::new);
        let email = email.filter(|email| is_of_domain(email, &row.email_domains)).ok_or(Error::SsoNotAllowed)?;
        let user = match self.users.find_by_email(&email).await? {
            Some((user, memberships)) => {
                let is_member = memberships.iter().any(|membership| membership.tenant == tenant);
                if is_member { user.id } else { return Err(Error::SsoNotAllowed) }
            }
            None if row.create_members => {
                let name = claimed.name.clone().unwrap_or_else(|| email.as_str().to_owned());
                let new = NewUser { email, name: name.chars().take(120).collect(), password_hash };
                let user = self.users.create(transaction, new).await?;
                transaction.enter(tenant).await?;
                let role: Role = row.default_role.parse().map_err(|_| Error::SsoNotAllowed)?;
                let ctx = self.ctx_of_person(visitor, tenant, user.id);
                self.users.join(transaction, &ctx, &user, role).await?;
                user.id
            }
            None => return Err(Error::SsoNotAllowed),
        };
        transaction.enter(tenant).await?;
        let link = identity::Model {
            tenant_id: tenant,
            issuer: row.issuer.clone(),
            subject: claimed.subject.clone(),
            user_id: user,
        };
        repository::insert_identity(transaction, link).await?;
        let ctx = self.ctx_of_person(visitor, tenant, user);
        self.audit.record(transaction, &ctx, Change::new("user.identityLink", user)).await?;
        Ok(user)
    }

    /// The way to a tenant's provider: as far as its workflows may go.
    async fn way(&self, tenant: TenantId) -> Result<Way, Error> {
        Ok(self.http.within(Arc::clone(&self.tenants.profile(tenant).await?.egress)))
    }

    pub(super) async fn prune_sso(&self, now: Timestamp) -> Result<(), Error> {
        Ok(repository::delete_sso_logins_before(&self.database.write(AcrossTenants), now).await?)
    }

    fn provider(&self, row: &identity_provider::Model) -> Result<Provider, Error> {
        let open = |sealed: &Vec<u8>| self.sealing.open(sealed, row.tenant_id.as_uuid().as_bytes());
        let secret = row.client_secret.as_ref().map(open).transpose()?;
        Ok(Provider {
            issuer: row.issuer.clone(),
            client_id: row.client_id.clone(),
            client_secret: secret.map(|secret| as_text(&secret)),
            scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            redirect: self.callback(),
        })
    }

    fn callback(&self) -> String {
        format!("{}{CALLBACK}", self.public_url)
    }

    fn describe(&self, row: &identity_provider::Model) -> IdentityProviderResponse {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        IdentityProviderResponse {
            issuer: row.issuer.clone(),
            client_id: row.client_id.clone(),
            has_client_secret: row.client_secret.is_some(),
            scopes: words(&row.scopes),
            email_domains: words(&row.email_domains),
            create_members: row.create_members,
            default_role: row.default_role.clone(),
            redirect_url: self.callback(),
            updated_at: row.updated_at,
        }
    }
}

/// The provider says who is who, the owner included: whoever chooses it could be anybody.
fn require_owners_permissions(ctx: &Ctx) -> Result<(), Error> {
    let missing = Role::Owner.permissions().iter().filter(|needed| !ctx.permissions.contains(*needed));
    let missing: Permissions = missing.collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::BeyondOwnPermissions { missing }) }
}

/// HTTPS, as OpenID Connect Discovery asks for; plain HTTP for a provider on this machine.
fn acceptable_issuer(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let local = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (plain && (url.scheme() == "https" || (url.scheme() == "http" && local))).then(|| text.to_owned())
}

fn is_of_domain(email: &Email, domains: &str) -> bool {
    let domain = email.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
    domains.is_empty() || domains.split_whitespace().any(|allowed| allowed == domain)
}

fn as_text(bytes: &Secret<Vec<u8>>) -> Secret<String> {
    Secret::new(String::from_utf8_lossy(bytes.expose()).into_owned())
}
