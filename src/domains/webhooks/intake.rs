//! Takes webhooks in for the queue: for one workflow, or for every active workflow that wants an event. Senders prove
//! themselves with the tenant's secret; without one nobody is let in.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use millrace_model::Str;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::dto::{RotateSecret, RotatedSecretResponse};
use super::dto_queue::QueuedResponse;
use super::endpoints::new_secret;
use super::error::Error;
use super::queue::queued;
use super::repository::queue as rows;
use super::service::Service;
use super::settings::{Secrets, SigningSecret};
use super::signature::{self, Message, Scheme};
use crate::common::{Ctx, FieldError, TenantId, WorkflowId};
use crate::domains::audit::Change;

/// What a sealed row of secrets belongs to.
const ROW: &str = "receiver";
/// Longest event name and delivery id.
const MAX_NAME: usize = 255;

/// A webhook as it came in.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// Slug of the tenant, where the path names one.
    pub tenant: Option<String>,
    pub host: String,
    pub address: Option<IpAddr>,
    /// Names in lower case.
    pub headers: Vec<(Str, Str)>,
    pub body: Bytes,
}

impl Service {
    /// Queues a webhook for one workflow, by its id or the id it has elsewhere.
    pub(super) async fn take_in(&self, incoming: &Incoming, reference: &str) -> Result<QueuedResponse, Error> {
        let tenant = match reference.parse::<WorkflowId>() {
            Ok(id) if incoming.tenant.is_none() => self.workflows.tenant_of(id).await?,
            _ => self.tenant_of(incoming).await?,
        };
        let tenant = tenant.ok_or(Error::NoWorkflow)?;
        self.check_sender(tenant, incoming).await?;
        let payload = text(incoming)?;
        parsed(payload)?;
        let active = self.workflows.active_version(tenant, reference).await.map_err(|error| match error {
            crate::domains::workflows::Error::NotFound => Error::NoWorkflow,
            error => error.into(),
        })?;
        let (workflow, _) = active.ok_or(Error::WorkflowNotActive)?;
        self.enqueue(tenant, incoming, None, payload.to_owned(), &[workflow]).await
    }

    /// Queues a webhook `{"event", "data"}` for every active workflow that wants the event.
    pub(super) async fn fan_out(&self, incoming: &Incoming) -> Result<QueuedResponse, Error> {
        let tenant = self.tenant_of(incoming).await?.ok_or(Error::NoTenant)?;
        self.check_sender(tenant, incoming).await?;
        let mut body = parsed(text(incoming)?)?;
        let event = event_of(&body)?;
        let data = body.get_mut("data").map(Value::take).unwrap_or_default();
        if !matches!(data, Value::Object(_) | Value::Null) {
            return Err(invalid("/data", "wrong_type", "must be an object"));
        }
        let payload = if data.is_null() { "{}".to_owned() } else { data.to_string() };
        let workflows = rows::workflows_for(&self.database.read(tenant), tenant, &event).await?;
        if workflows.is_empty() {
            return Err(Error::EventUnknown(event));
        }
        self.enqueue(tenant, incoming, Some(&event), payload, &workflows).await
    }

    async fn tenant_of(&self, incoming: &Incoming) -> Result<Option<TenantId>, Error> {
        match &incoming.tenant {
            Some(slug) => self.tenant_by_slug(slug).await,
            None => self.tenant_by_host(&incoming.host).await,
        }
    }

    /// Size was checked before; then the signature, then the rate.
    async fn check_sender(&self, tenant: TenantId, incoming: &Incoming) -> Result<(), Error> {
        let now = self.gate.now();
        let secrets = self.receiver_secrets(tenant).await?;
        let current = secrets.signature.iter().filter(|secret| secret.until.is_none_or(|until| until > now));
        let current: Vec<&str> = current.map(|secret| secret.value.expose().as_str()).collect();
        if current.is_empty() {
            return Err(Error::NoReceiverSecret);
        }
        let message = Message { headers: &incoming.headers, url: "", body: &incoming.body, now: now.as_seconds() };
        signature::verify(Scheme::N8n, current, 0, &message)
            .map_err(|refusal| Error::WrongSignature(refusal.to_string()))?;
        for (whose, bucket) in self.server_limits(incoming.address) {
            self.gate.take(tenant, whose, bucket).await.map_err(|wait| Error::TooMany(wait.retry_after()))?;
        }
        Ok(())
    }

    async fn enqueue(
        &self,
        tenant: TenantId,
        incoming: &Incoming,
        event: Option<&str>,
        payload: String,
        workflows: &[WorkflowId],
    ) -> Result<QueuedResponse, Error> {
        let header = |name: &str| incoming.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        let delivery = ["idempotency-key", "webhook-id", "x-n8n-delivery"].into_iter().find_map(header);
        // Whatever the sender's ids look like, ours are short; another body is another delivery.
        let delivery = delivery.map(|id| {
            let hash =
                Sha256::new().chain_update(id.as_str()).chain_update([0]).chain_update(&incoming.body).finalize();
            hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        let now = self.gate.now();
        let new = workflows
            .iter()
            .map(|workflow| queued(tenant, *workflow, event, payload.clone(), delivery.as_deref(), now));
        let new: Vec<_> = new.collect();
        let ids = new.iter().map(|row| row.id).collect();
        let transaction = self.database.begin(tenant).await?;
        let added = rows::insert(&transaction, new).await?;
        transaction.commit().await?;
        self.queued.notify_one();
        let duplicate = added == 0;
        Ok(QueuedResponse { status: "queued", ids: if duplicate { Vec::new() } else { ids }, duplicate })
    }

    async fn receiver_secrets(&self, tenant: TenantId) -> Result<Secrets, Error> {
        match rows::secrets(&self.database.read(tenant), tenant).await? {
            None => Ok(Secrets::default()),
            Some(sealed) => Secrets::read(&self.sealer.open(tenant, ROW, &sealed)?),
        }
    }

    /// Makes a new secret for senders, or takes over a given one; those before count a while longer.
    pub async fn rotate_receiver_secret(&self, ctx: &Ctx, given: RotateSecret) -> Result<RotatedSecretResponse, Error> {
        let value = match given.secret {
            Some(value) if value.expose().len() >= 8 => value,
            Some(_) => return Err(invalid("/secret", "length", "must be at least 8 characters long")),
            None => new_secret(Scheme::N8n)?,
        };
        let mut secrets = self.receiver_secrets(ctx.tenant).await?;
        let now = self.gate.now();
        let until = now.plus(Duration::from_secs(given.overlap_seconds));
        secrets.add(SigningSecret { value: value.clone(), until: None }, now, until);
        let sealed = self.sealer.seal(ctx.tenant, ROW, secrets.write().expose())?;
        let transaction = self.database.begin(ctx).await?;
        rows::set_secrets(&transaction, ctx.tenant, sealed, now).await?;
        self.audit.record(&transaction, ctx, Change::new("webhookReceiver.rotate", ctx.tenant)).await?;
        transaction.commit().await?;
        Ok(RotatedSecretResponse { secret: value.expose().clone(), previous_until: until })
    }
}

fn text(incoming: &Incoming) -> Result<&str, Error> {
    std::str::from_utf8(&incoming.body).map_err(|error| Error::NotJson(error.to_string()))
}

fn parsed(payload: &str) -> Result<Value, Error> {
    serde_json::from_str(payload).map_err(|error| Error::NotJson(error.to_string()))
}

fn event_of(body: &Value) -> Result<String, Error> {
    let Value::Object(fields) = body else { return Err(invalid("", "wrong_type", "must be an object")) };
    match fields.get("event") {
        None => Err(invalid("/event", "missing_field", "missing field `event`")),
        Some(Value::String(event)) if !event.trim().is_empty() && event.len() <= MAX_NAME => Ok(event.clone()),
        Some(_) => Err(invalid("/event", "invalid_value", "must be the name of an event, up to 255 bytes")),
    }
}

fn invalid(pointer: &str, code: &'static str, message: &str) -> Error {
    Error::Invalid(vec![FieldError::new(pointer, code, message)])
}
