//! Keeping an access token fresh: renewed before it ends, and when a service refuses it. Of all that want it renewed at
//! the same time, on any replica, one does it (a lease in the row) and the others take what it got.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::super::dto::CredentialResponse;
use super::super::error::Error;
use super::super::events::Event;
use super::super::model::{Fields, Status, TOKENS};
use super::super::repository as rows;
use super::super::service::{Service, kind_of};
use super::provider::{Grant, Provider, ProviderError};
use super::service_account;
use crate::common::error::chain;
use crate::common::{CredentialId, Ctx, Secret, TenantId};

/// A token is renewed when it lasts no longer than this.
const MARGIN: Duration = Duration::from_secs(60);
/// Whoever has the turn and was not heard of for so long is taken for dead.
const LEASE: Duration = Duration::from_secs(30);
/// How often those that wait for the turn of another look, and how long at most.
const LOOK: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(35);

/// The access token in a credential's fields.
pub(in super::super) fn access_token(fields: &Fields) -> Option<Secret<String>> {
    token(fields, "access_token")
}

fn token(fields: &Fields, name: &str) -> Option<Secret<String>> {
    let tokens = match fields.0.get(TOKENS)? {
        Value::Object(tokens) => tokens.get(name)?.as_str()?.to_owned(),
        // n8n's exports hold the text of the object.
        Value::String(text) => serde_json::from_str::<Value>(text).ok()?.get(name)?.as_str()?.to_owned(),
        _ => return None,
    };
    (!tokens.is_empty()).then(|| Secret::new(tokens))
}

impl Service {
    /// The row with an access token that lasts a while, where that can be had.
    pub(in super::super) async fn fresh(&self, row: rows::Credential) -> Result<rows::Credential, Error> {
        let lasts =
            |row: &rows::Credential, time: Duration| row.expires_at.is_none_or(|end| end > self.clock.now().plus(time));
        let fields = self.fields(&row).await?;
        let has_token = access_token(fields.expose()).is_some();
        if has_token && lasts(&row, MARGIN) {
            return Ok(row);
        }
        let still_good = has_token && lasts(&row, Duration::ZERO);
        match self.renewed_row(row.clone()).await {
            // The authorisation server is away: what is there serves as long as it lasts.
            Err(Error::Provider(ProviderError::Unreachable(_) | ProviderError::Unreadable)) if still_good => Ok(row),
            // Nothing to renew it with: the service will say whether it still takes it.
            Err(Error::NotConnected(_)) if has_token => Ok(row),
            outcome => outcome,
        }
    }

    /// The row with an access token that the authorisation server vouches for, as far as nobody has to consent for it.
    pub(in super::super) async fn proven(&self, row: rows::Credential) -> Result<rows::Credential, Error> {
        let kind = kind_of(&row.kind)?;
        let fields = self.effective(&row, kind).await?;
        if kind.asks_a_person(fields.expose()) { self.fresh(row).await } else { self.renewed_row(row).await }
    }

    /// A service refused this access token: another one, unless there is no way to get one.
    pub(in super::super) async fn replaced(
        &self,
        tenant: TenantId,
        id: CredentialId,
        refused: &str,
    ) -> Result<rows::Credential, Error> {
        let row = self.row(tenant, &id.to_string()).await?;
        let fields = self.fields(&row).await?;
        if access_token(fields.expose()).is_some_and(|token| token.expose() != refused) {
            return Ok(row);
        }
        self.renewed_row(row).await
    }

    /// Tells the authorisation server that the tokens of a deleted credential are not needed any more, where it can be told.
    pub(in super::super) async fn revoke(&self, row: &rows::Credential, fields: &Secret<Fields>) {
        let Ok(kind) = kind_of(&row.kind) else { return };
        let named =
            ["refresh_token", "access_token"].into_iter().find_map(|name| Some((name, token(fields.expose(), name)?)));
        let Some((hint, token)) = named.filter(|_| kind.holds_access_token()) else { return };
        let provider = Provider::of(kind, &fields.expose().complete(kind));
        let Ok(way) = self.way(row.tenant_id).await else { return };
        if let Err(error) = provider.revoke(&way, &token, hint).await {
            tracing::warn!(credential = %row.id, error = chain(&error), "the tokens of a deleted credential were not revoked");
        }
    }

    fn renewed_row(&self, row: rows::Credential) -> BoxFuture<'_, Result<rows::Credential, Error>> {
        let name = row.name.clone();
        let late =
            move |_| Error::Provider(ProviderError::Unreachable(format!("\"{name}\" is being renewed elsewhere")));
        async move { tokio::time::timeout(PATIENCE, self.take_turns(row)).await.map_err(late)? }.boxed()
    }

    async fn take_turns(&self, mut row: rows::Credential) -> Result<rows::Credential, Error> {
        let revision = row.revision;
        loop {
            let now = self.clock.now();
            if rows::take_turn(&self.database.write(row.tenant_id), &row, now, now.plus(LEASE)).await? {
                return self.renew(row).await;
            }
            tokio::time::sleep(LOOK).await;
            row = self.row(row.tenant_id, &row.id.to_string()).await?;
            if row.revision != revision {
                return if row.status == Status::Ready { Ok(row) } else { Err(Error::NotConnected(row.name)) };
            }
        }
    }

    /// Renews; the turn is this one's.
    async fn renew(&self, row: rows::Credential) -> Result<rows::Credential, Error> {
        let kind = kind_of(&row.kind)?;
        let fields = self.effective(&row, kind).await?;
        let (provider, way) = (Provider::of(kind, fields.expose()), self.way(row.tenant_id).await?);
        let given = match (provider.grant, token(fields.expose(), "refresh_token")) {
            (Grant::Clients, _) => provider.client_credentials(&way).await,
            (Grant::Assertion, _) => match service_account::assertion(fields.expose(), self.clock.now()) {
                Ok(assertion) => provider.assertion(&way, &assertion).await,
                Err(error) => Err(error),
            },
            (Grant::Code, Some(refresh_token)) => provider.refresh(&way, &refresh_token).await,
            (Grant::Code, None) => {
                rows::end_turn(&self.database.write(row.tenant_id), &row).await?;
                return Err(Error::NotConnected(row.name));
            }
        };
        let ctx = Ctx::system(row.tenant_id);
        match given {
            Ok(tokens) => {
                let id = row.id.to_string();
                match self.keep_tokens(&ctx, "credential.renew", row, &provider.scope, &tokens).await {
                    // Somebody changed the name meanwhile: the old refresh token may be void by now, so keep the new one.
                    Err(Error::Changed) => {
                        let row = self.row(ctx.tenant, &id).await?;
                        self.keep_tokens(&ctx, "credential.renew", row, &provider.scope, &tokens).await?;
                    }
                    kept => drop(kept?),
                }
                self.row(ctx.tenant, &id).await
            }
            Err(error @ ProviderError::Refused(_)) => {
                self.mark_lost(&ctx, row, &error).await?;
                Err(error.into())
            }
            Err(error) => {
                tracing::warn!(credential = %row.id, error = chain(&error), "an access token could not be renewed");
                rows::end_turn(&self.database.write(row.tenant_id), &row).await?;
                Err(error.into())
            }
        }
    }

    /// The access was withdrawn: whoever owns the account has to connect it again.
    async fn mark_lost(&self, ctx: &Ctx, mut row: rows::Credential, error: &ProviderError) -> Result<(), Error> {
        let before = CredentialResponse::of(&row);
        row.status = Status::ReconnectNeeded;
        row.problem = Some(error.to_string());
        row.updated_at = self.clock.now();
        let reason = error.to_string();
        match self.store(ctx, "credential.renewFailed", &before, &row).await {
            Ok(_) => {
                let (credential, name, created_by) = (row.id, row.name, row.created_by);
                self.announce(ctx.tenant, Event::RenewalFailed { credential, name, created_by, reason }).await;
            }
            // It was changed meanwhile, perhaps connected again.
            Err(Error::Changed) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
