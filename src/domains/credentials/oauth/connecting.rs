//! Connecting an account: a person is sent to the authorisation server and comes back with a code. The way there is
//! bound to tenant, person, credential and browser, ends after ten minutes, and leads back once.

use std::time::Duration;

use serde_json::Value;

use super::super::dto::CredentialResponse;
use super::super::error::Error;
use super::super::events::Event;
use super::super::model::{Status, TOKENS};
use super::super::registry::Authenticate;
use super::super::repository::{self as rows, flows};
use super::super::service::{Service, kind_of};
use super::super::vault::Sealed;
use super::first;
use super::provider::{Provider, ProviderError, Tokens, plain};
use crate::common::{Actor, ConnectSessionId, Ctx, OAuthFlowId, Permission, Secret, Timestamp};
use crate::infrastructure::crypto::{TokenHash, random_token};
use crate::infrastructure::database::AcrossTenants;

/// How long a person may take at the authorisation server.
pub(in super::super) const FLOW_LIFE: Duration = Duration::from_secs(600);
/// Where authorisation servers send people back, below the server's public address.
pub(in super::super) const CALLBACK_PATH: &str = "/api/v1/credentials/oauth/callback";

/// A flow that has begun.
pub(in super::super) struct Started {
    pub authorization_url: Secret<String>,
    pub scopes: Vec<String>,
    pub expires_at: Timestamp,
    /// Name and value of the cookie that proves, on the way back, that this is the same browser.
    pub cookie: (String, Secret<String>),
}

/// What a browser brings back.
#[derive(Debug, Default)]
pub(in super::super) struct Returned {
    pub state: Option<Secret<String>>,
    pub code: Option<Secret<String>>,
    pub error: Option<String>,
    /// All its cookies.
    pub cookies: Secret<String>,
}

impl Service {
    /// Begins to connect the account of a credential.
    pub(in super::super) async fn start_oauth(&self, ctx: &Ctx, reference: &str) -> Result<Started, Error> {
        let row = self.row(ctx.tenant, reference).await?;
        let started = self.begin_flow(ctx, &row, None).await?;
        Ok(started)
    }

    /// The same for somebody with a connect session.
    pub(in super::super) async fn begin_flow(
        &self,
        ctx: &Ctx,
        row: &rows::Credential,
        session: Option<ConnectSessionId>,
    ) -> Result<Started, Error> {
        let kind = kind_of(&row.kind)?;
        let fields = self.effective(row, kind).await?;
        if !kind.asks_a_person(fields.expose()) {
            return Err(Error::NotOAuth(match kind.authenticate {
                Authenticate::OAuth2 => "the grant type client credentials".to_owned(),
                _ => kind.display_name.clone(),
            }));
        }
        let (state, browser) = (random_token("")?, random_token("")?);
        let redirect_uri = self.callback_url();
        let (url, kept, scope) = if kind.authenticate == Authenticate::OAuth1 {
            let callback = format!("{redirect_uri}?state={}", state.expose());
            let way = self.way(ctx.tenant).await?;
            let departure = first::depart(&way, fields.expose(), &callback, self.clock.now()).await?;
            (departure.url, departure.kept, String::new())
        } else {
            let (provider, verifier) = (Provider::of(kind, fields.expose()), random_token("")?);
            (provider.consent_url(&redirect_uri, &state, &verifier)?, verifier, provider.scope)
        };
        let (id, now) = (OAuthFlowId::new(), self.clock.now());
        let sealer = self.vault.sealer(ctx.tenant).await?;
        let flow = flows::Flow {
            id,
            tenant_id: ctx.tenant,
            credential_id: row.id,
            user_id: ctx.actor.user(),
            session_id: session,
            state_hash: TokenHash::of(state.expose()).as_bytes().to_vec(),
            browser_hash: TokenHash::of(browser.expose()).as_bytes().to_vec(),
            key_version: sealer.version,
            sealed_verifier: sealer.seal(&flow_name(id), kept.expose().as_bytes())?,
            redirect_uri,
            created_at: now,
            expires_at: now.plus(FLOW_LIFE),
            used_at: None,
        };
        let expires_at = flow.expires_at;
        let transaction = self.database.begin(ctx).await?;
        flows::insert(&transaction, flow).await?;
        let change = crate::domains::audit::Change::new("credential.oauthStart", row.id);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        let scopes = scope.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let cookie = (cookie_name(&state), browser);
        Ok(Started { authorization_url: Secret::new(url.into()), scopes, expires_at, cookie })
    }

    /// A person comes back from the authorisation server. Gives what is connected now, and the connect session it was for.
    pub(in super::super) async fn finish_oauth(
        &self,
        returned: Returned,
    ) -> Result<(CredentialResponse, Option<ConnectSessionId>), Error> {
        let state = returned.state.as_ref().filter(|state| !state.expose().is_empty()).ok_or(Error::StateMissing)?;
        let hash = TokenHash::of(state.expose());
        let flow =
            flows::find(&self.database.read(AcrossTenants), hash.as_bytes()).await?.ok_or(Error::StateUnknown)?;
        if flow.expires_at <= self.clock.now() {
            return Err(Error::StateExpired);
        }
        if flow.used_at.is_some() {
            return Err(Error::StateUsed);
        }
        if !is_same_browser(&flow, state, &returned.cookies) {
            return Err(Error::OtherBrowser);
        }
        let write = self.database.write(flow.tenant_id);
        if !flows::use_up(&write, &flow, self.clock.now()).await? {
            return Err(Error::StateUsed);
        }
        let connected = self.connect(&flow, &returned).await;
        if let Some(session) = flow.session_id {
            self.session_ended(flow.tenant_id, session, connected.as_ref().err()).await?;
        }
        Ok((connected?, flow.session_id))
    }

    /// Exchanges the code and stores the tokens. Whatever fails leaves the credential as it was.
    async fn connect(&self, flow: &flows::Flow, returned: &Returned) -> Result<CredentialResponse, Error> {
        if let Some(error) = &returned.error {
            return Err(match error.as_str() {
                "access_denied" => Error::ConsentDenied,
                other => Error::Provider(ProviderError::Refused(plain(other))),
            });
        }
        let code = returned.code.as_ref().filter(|code| !code.expose().is_empty()).ok_or(Error::CodeMissing)?;
        self.require_standing(flow).await?;
        let place = flow_name(flow.id);
        let sealed =
            Sealed { tenant: flow.tenant_id, row: &place, version: flow.key_version, bytes: &flow.sealed_verifier };
        let verifier = self.vault.open(&sealed).await?;
        let verifier = Secret::new(String::from_utf8_lossy(verifier.expose()).into_owned());
        let reference = flow.credential_id.to_string();
        let row = self.row(flow.tenant_id, &reference).await?;
        let kind = kind_of(&row.kind)?;
        let (fields, way) = (self.effective(&row, kind).await?, self.way(flow.tenant_id).await?);
        let (tokens, scope) = if kind.authenticate == Authenticate::OAuth1 {
            let now = self.clock.now();
            (first::arrive(&way, fields.expose(), &verifier, code, now).await?, String::new())
        } else {
            let provider = Provider::of(kind, fields.expose());
            (provider.exchange(&way, code, &verifier, &flow.redirect_uri).await?, provider.scope)
        };
        let actor = flow.user_id.map_or(Actor::System, Actor::User);
        let ctx = Ctx { actor, ..Ctx::system(flow.tenant_id) };
        // Another change may come between; the tokens are worth a second try.
        let response = match self.keep_tokens(&ctx, "credential.connect", row, &scope, &tokens).await {
            Err(Error::Changed) => {
                let row = self.row(flow.tenant_id, &reference).await?;
                self.keep_tokens(&ctx, "credential.connect", row, &scope, &tokens).await?
            }
            kept => kept?,
        };
        self.announce(flow.tenant_id, Event::Connected { credential: response.id }).await;
        Ok(response)
    }

    /// Minutes may have passed: the tenant has to be at work still, and whoever began has to be a member who may do this.
    async fn require_standing(&self, flow: &flows::Flow) -> Result<(), Error> {
        self.tenants.profile(flow.tenant_id).await?.require_active()?;
        let Some(user) = flow.user_id else { return Ok(()) };
        let membership = self.users.find_membership(flow.tenant_id, user).await?;
        match membership.is_some_and(|membership| membership.permissions.contains(Permission::CredentialsWrite)) {
            true => Ok(()),
            false => Err(Error::NoLongerAllowed),
        }
    }

    /// Puts tokens into a credential; `asked`: the scopes that were asked for. A refresh token that is not given again stays.
    pub(in super::super) async fn keep_tokens(
        &self,
        ctx: &Ctx,
        action: &'static str,
        mut row: rows::Credential,
        asked: &str,
        tokens: &Tokens,
    ) -> Result<CredentialResponse, Error> {
        let before = CredentialResponse::of(&row);
        let mut fields = self.fields(&row).await?.expose().clone();
        let mut data = tokens.data.expose().0.clone();
        if let (false, Some(old)) = (data.contains_key("refresh_token"), fields.0.get(TOKENS))
            && let Some(refresh_token) = old.get("refresh_token")
        {
            data.insert("refresh_token".to_owned(), refresh_token.clone());
        }
        fields.0.insert(TOKENS.to_owned(), Value::Object(data));
        let now = self.clock.now();
        row.status = Status::Ready;
        row.problem = None;
        row.scopes = Some(tokens.scopes.clone().unwrap_or_else(|| asked.replace(',', " ")));
        row.expires_at = tokens.life.map(|life| now.plus(life));
        row.updated_at = now;
        self.seal(&mut row, &Secret::new(fields)).await?;
        self.store(ctx, action, &before, &row).await
    }

    pub(in super::super) fn callback_url(&self) -> String {
        format!("{}{CALLBACK_PATH}", self.public_url)
    }
}

fn flow_name(id: OAuthFlowId) -> String {
    format!("oauth-flow|{id}")
}

/// A name of its own for each flow, so that several can be under way in one browser.
fn cookie_name(state: &Secret<String>) -> String {
    let hash = TokenHash::of(state.expose());
    let digits: String = hash.as_bytes().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("millrace_oauth_{digits}")
}

fn is_same_browser(flow: &flows::Flow, state: &Secret<String>, cookies: &Secret<String>) -> bool {
    let name = cookie_name(state);
    let pairs = cookies.expose().split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut shown = pairs.filter(|(cookie, _)| *cookie == name).map(|(_, value)| TokenHash::of(value));
    shown.any(|hash| hash.as_bytes() == flow.browser_hash)
}
