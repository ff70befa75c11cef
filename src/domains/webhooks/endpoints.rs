//! Webhooks as their tenant manages them: list, read, say who may call, rotate secrets.

use std::time::Duration;

use super::dto::{
    ListWebhooksQuery, RotateSecret, RotatedSecretResponse, SetWebhook, SigningSecretResponse, WebhookResponse,
};
use super::error::Error;
use super::repository::{self as rows, Row, endpoints};
use super::sealing::Sealer;
use super::service::Service;
use super::settings::{Authentication, Secrets, Settings, SigningSecret};
use super::signature::{self, Scheme};
use crate::common::{Ctx, FieldError, Page, Secret, WebhookId};
use crate::domains::audit::Change;
use crate::infrastructure::crypto;

impl Service {
    /// Webhook nodes of workflows that are or were active, newest first.
    pub async fn list(&self, ctx: &Ctx, query: &ListWebhooksQuery) -> Result<Page<WebhookResponse>, Error> {
        let limit = query.limit.unwrap_or_default().get();
        let before = query.cursor.map(|cursor| WebhookId::from_uuid(cursor.id()));
        let filter = endpoints::Filter { workflow: query.workflow_id, before, limit };
        let connection = &self.database.read(ctx);
        let found = endpoints::list(connection, ctx.tenant, &filter).await?;
        let routes = endpoints::routes(connection, ctx.tenant, found.iter().map(|row| row.workflow_id)).await?;
        let page = Page::from_rows(found, limit, |row| row.id.as_uuid(), |row| row);
        let base = self.base(ctx).await?;
        let responses = page.data.into_iter().map(|row| self.response(&base, &row, &routes));
        Ok(Page { data: responses.collect::<Result<_, _>>()?, next_cursor: page.next_cursor })
    }

    pub async fn get(&self, ctx: &Ctx, id: WebhookId) -> Result<WebhookResponse, Error> {
        let row = self.endpoint(ctx, id).await?;
        let routes = endpoints::routes(&self.database.read(ctx), ctx.tenant, [row.workflow_id]).await?;
        self.response(&self.base(ctx).await?, &row, &routes)
    }

    /// Replaces what is set. Secrets that are not given stay, as long as something needs them.
    pub async fn set(&self, ctx: &Ctx, id: WebhookId, given: SetWebhook) -> Result<WebhookResponse, Error> {
        let mut row = self.endpoint(ctx, id).await?;
        let (before, seen) = (self.get(ctx, id).await?, row.updated_at);
        let mut problems = given.settings.problems(self.longest_window);
        let mut secrets = read_secrets(&self.sealer, &row)?;
        match (&given.settings.signature, given.secrets.signature) {
            (None, _) => secrets.signature.clear(),
            (Some(signature), Some(value)) if signature::is_usable(signature.scheme, value.expose()) => {
                secrets.signature = vec![SigningSecret { value, until: None }];
            }
            (Some(signature), None)
                if secrets
                    .signature
                    .last()
                    .is_some_and(|kept| signature::is_usable(signature.scheme, kept.value.expose())) => {}
            (Some(_), given) => problems.push(secret_problem("/secrets/signature", given.is_some())),
        }
        match (&given.settings.authentication, given.secrets.authentication) {
            (None, _) => secrets.authentication = None,
            (Some(_), Some(value)) => secrets.authentication = Some(value),
            (Some(_), None) => {}
        }
        if let Some(kind) = &given.settings.authentication {
            check_authentication(kind, secrets.authentication.as_ref(), &mut problems);
        }
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        row.settings = serde_json::to_string(&given.settings).map_err(|_| Error::Sealed)?;
        row.secrets = seal_secrets(&self.sealer, &row, &secrets)?;
        self.keep(ctx, &mut row, seen, "webhook.update", Some(before)).await
    }

    /// Adds a new secret; the one before counts a while longer, so that senders can change over.
    pub async fn rotate(&self, ctx: &Ctx, id: WebhookId, given: RotateSecret) -> Result<RotatedSecretResponse, Error> {
        let mut row = self.endpoint(ctx, id).await?;
        let seen = row.updated_at;
        let settings = read_settings(&row)?;
        let scheme = settings.signature.as_ref().ok_or(Error::NotSigned)?.scheme;
        let value = match given.secret {
            Some(value) if signature::is_usable(scheme, value.expose()) => value,
            Some(_) => return Err(Error::Invalid(vec![secret_problem("/secret", true)])),
            None => new_secret(scheme)?,
        };
        let mut secrets = read_secrets(&self.sealer, &row)?;
        let now = self.gate.now();
        let until = now.plus(Duration::from_secs(given.overlap_seconds));
        secrets.add(SigningSecret { value: value.clone(), until: None }, now, until);
        row.secrets = seal_secrets(&self.sealer, &row, &secrets)?;
        self.keep(ctx, &mut row, seen, "webhook.rotate", None).await?;
        Ok(RotatedSecretResponse { secret: value.expose().clone(), previous_until: until })
    }

    async fn keep(
        &self,
        ctx: &Ctx,
        row: &mut endpoints::Endpoint,
        seen: crate::common::Timestamp,
        action: &'static str,
        before: Option<WebhookResponse>,
    ) -> Result<WebhookResponse, Error> {
        // Later than before, even within one millisecond: it is also the version that is compared.
        row.updated_at = self.gate.now().max(seen.plus(Duration::from_millis(1)));
        let base = self.base(ctx).await?;
        let transaction = self.database.begin(ctx).await?;
        if !endpoints::update_settings(&transaction, row, seen).await? {
            return Err(Error::ChangedMeanwhile);
        }
        rows::touch(&transaction, ctx.tenant, row.updated_at).await?;
        let routes = endpoints::routes(&transaction, ctx.tenant, [row.workflow_id]).await?;
        let after = self.response(&base, row, &routes)?;
        let mut change = Change::new(action, row.id).after(&after);
        if let Some(before) = &before {
            change = change.before(before);
        }
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        self.registry.changed(ctx.tenant).await;
        Ok(after)
    }

    pub(super) async fn endpoint(&self, ctx: &Ctx, id: WebhookId) -> Result<endpoints::Endpoint, Error> {
        endpoints::find(&self.database.read(ctx), ctx.tenant, id).await?.ok_or(Error::NotFound)
    }

    /// The tenant's address on this server.
    pub(super) async fn base(&self, ctx: &Ctx) -> Result<String, Error> {
        Ok(format!("{}/t/{}", self.public_url, self.tenants.slug(ctx.tenant).await?))
    }

    fn response(&self, base: &str, row: &endpoints::Endpoint, routes: &[Row]) -> Result<WebhookResponse, Error> {
        let own = routes.iter().filter(|route| route.workflow_id == row.workflow_id && route.node == row.node);
        let methods: Vec<String> = own.map(|route| route.method.clone()).collect();
        let secrets = read_secrets(&self.sealer, row)?;
        Ok(WebhookResponse {
            id: row.id,
            workflow_id: row.workflow_id,
            node: row.node.clone(),
            active: !methods.is_empty(),
            methods,
            url: if row.is_form { format!("{base}/{}", row.path) } else { format!("{base}/webhook/{}", row.path) },
            test_url: (!row.is_form).then(|| format!("{base}/webhook-test/{}", row.path)),
            path: row.path.clone(),
            settings: read_settings(row)?,
            signing_secrets: secrets.signature.iter().map(|one| SigningSecretResponse { until: one.until }).collect(),
            has_authentication_secret: secrets.authentication.is_some(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Settings that cannot be read let nobody in.
pub(super) fn read_settings(row: &endpoints::Endpoint) -> Result<Settings, Error> {
    serde_json::from_str(&row.settings).map_err(|_| Error::Sealed)
}

pub(super) fn read_secrets(sealer: &Sealer, row: &endpoints::Endpoint) -> Result<Secrets, Error> {
    match &row.secrets {
        None => Ok(Secrets::default()),
        Some(sealed) => Secrets::read(&sealer.open(row.tenant_id, &row.id.to_string(), sealed)?),
    }
}

fn seal_secrets(sealer: &Sealer, row: &endpoints::Endpoint, secrets: &Secrets) -> Result<Option<Vec<u8>>, Error> {
    if secrets.signature.is_empty() && secrets.authentication.is_none() {
        return Ok(None);
    }
    sealer.seal(row.tenant_id, &row.id.to_string(), secrets.write().expose()).map(Some)
}

fn check_authentication(kind: &Authentication, secret: Option<&Secret<String>>, problems: &mut Vec<FieldError>) {
    let usable = secret.map(|secret| super::credentials::Credentials::new(kind, secret).is_some());
    if usable != Some(true) {
        problems.push(secret_problem("/secrets/authentication", usable.is_some()));
    }
}

fn secret_problem(pointer: &str, is_given: bool) -> FieldError {
    if is_given {
        FieldError::new(pointer, "invalid_secret", "cannot be used for this: see the scheme's or algorithm's keys")
    } else {
        FieldError::new(pointer, "missing_field", "is needed: without it nobody could be let in")
    }
}

/// 256 random bits, written as the scheme's senders take them.
pub(super) fn new_secret(scheme: Scheme) -> Result<Secret<String>, Error> {
    use base64::Engine;
    let bytes = crypto::random_bytes::<32>()?;
    Ok(match scheme {
        Scheme::StandardWebhooks => Secret::new(format!("whsec_{}", base64::prelude::BASE64_STANDARD.encode(bytes))),
        _ => Secret::new(base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes)),
    })
}
