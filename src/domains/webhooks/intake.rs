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
use super::guard::UNDATED_MEMORY;
use super::queue::queued;
use super::repository::queue as rows;
use super::service::Service;
use super::settings::{Secrets, SigningSecret};
use super::signature::{self, Message, Scheme};
use crate::common::{Ctx, FieldError, TenantId, WorkflowId};
use crate::domains::audit::Change;

/// What a sealed row of secrets belongs to.
const ROW: &str = "receiver";
/// Where events go that may concern several workflows.
const GENERIC: &str = "generic";
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
        self.proved(tenant, incoming, reference, async {
            let payload = text(incoming)?;
            parsed(payload)?;
            let active = self.workflows.active_version(tenant, reference).await.map_err(|error| match error {
                crate::domains::workflows::Error::NotFound => Error::NoWorkflow,
                error => error.into(),
            })?;
            let (workflow, _) = active.ok_or(Error::WorkflowNotActive)?;
            self.enqueue(tenant, incoming, None, payload.to_owned(), &[workflow]).await
        })
        .await
    }

    /// Queues a webhook `{"event", "data"}` for every active workflow that wants the event.
    pub(super) async fn fan_out(&self, incoming: &Incoming) -> Result<QueuedResponse, Error> {
        let tenant = self.tenant_of(incoming).await?.ok_or(Error::NoTenant)?;
        self.proved(tenant, incoming, GENERIC, async {
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
        })
        .await
    }

    /// Takes a webhook of a sender who has proved themselves, and of each signed body but one. Size was checked before;
    /// then the signature, then the rate. `place`: what it was sent to.
    async fn proved(
        &self,
        tenant: TenantId,
        incoming: &Incoming,
        place: &str,
        take: impl Future<Output = Result<QueuedResponse, Error>>,
    ) -> Result<QueuedResponse, Error> {
        let proof = self.check_sender(tenant, incoming).await?;
        let seal = match proof.filter(|_| self.refuses_replays) {
            None => None,
            Some(proof) => {
                let place = format!("queue/{place}");
                match self.gate.seal(tenant, &place, proof.content, UNDATED_MEMORY).await? {
                    // What has a name of its own comes again, and is known by it.
                    None if self.is_queued(tenant, incoming).await? => None,
                    None => return Err(Error::WrongSignature("it was used before".to_owned())),
                    seal => seal,
                }
            }
        };
        let taken = match self.enter(tenant, incoming.address).await {
            Ok(_place) => take.await,
            Err(refusal) => Err(Error::TooMany(refusal.retry_after())),
        };
        if let (Err(_), Some(seal)) = (&taken, &seal) {
            self.gate.forget(seal).await;
        }
        taken
    }

    /// Is it in the queue already, by the id of its delivery?
    async fn is_queued(&self, tenant: TenantId, incoming: &Incoming) -> Result<bool, Error> {
        match delivery(incoming) {
            None => Ok(false),
            Some(delivery) => Ok(rows::is_known(&self.database.read(tenant), tenant, &delivery).await?),
        }
    }

    async fn tenant_of(&self, incoming: &Incoming) -> Result<Option<TenantId>, Error> {
        match &incoming.tenant {
            Some(slug) => self.tenant_by_slug(slug).await,
            None => self.tenant_by_host(&incoming.host).await,
        }
    }

    /// What a sender has signed. `None`: it showed the secret itself, with which any body may come.
    async fn check_sender(&self, tenant: TenantId, incoming: &Incoming) -> Result<Option<signature::Proof>, Error> {
        let now = self.gate.now();
        let secrets = self.receiver_secrets(tenant).await?.1;
        let current = secrets.signature.iter().filter(|secret| secret.until.is_none_or(|until| until > now));
        let current: Vec<&str> = current.map(|secret| secret.value.expose().as_str()).collect();
        if current.is_empty() {
            return Err(Error::NoReceiverSecret);
        }
        let message = Message { headers: &incoming.headers, url: "", body: &incoming.body, now: now.as_seconds() };
        let proof = signature::verify(Scheme::N8n, current, 0, &message)
            .map_err(|refusal| Error::WrongSignature(refusal.to_string()))?;
        Ok((!proof.is_bare).then_some(proof))
    }

    async fn enqueue(
        &self,
        tenant: TenantId,
        incoming: &Incoming,
        event: Option<&str>,
        payload: String,
        workflows: &[WorkflowId],
    ) -> Result<QueuedResponse, Error> {
        let delivery = delivery(incoming);
        let now = self.gate.now();
        let new = workflows
            .iter()
            .map(|workflow| queued(tenant, *workflow, event, payload.clone(), delivery.as_deref(), now));
        let new: Vec<_> = new.collect();
        let ids: Vec<_> = new.iter().map(|row| row.id).collect();
        let transaction = self.database.begin(tenant).await?;
        rows::insert(&transaction, new).await?;
        // Where a delivery came before for some of the workflows, only the others are told.
        let ids = rows::those_there(&transaction, tenant, ids).await?;
        transaction.commit().await?;
        self.queued.notify_one();
        Ok(QueuedResponse { status: "queued", duplicate: ids.is_empty(), ids })
    }

    /// The row as it is, and what it says.
    async fn receiver_secrets(&self, tenant: TenantId) -> Result<(Option<rows::Receiver>, Secrets), Error> {
        let row = rows::secrets(&self.database.read(tenant), tenant).await?;
        let secrets = match &row {
            None => Secrets::default(),
            Some(row) => Secrets::read(&self.sealer.open(tenant, ROW, &row.secrets)?)?,
        };
        Ok((row, secrets))
    }

    /// Makes a new secret for senders, or takes over a given one; those before count a while longer.
    pub async fn rotate_receiver_secret(&self, ctx: &Ctx, given: RotateSecret) -> Result<RotatedSecretResponse, Error> {
        let value = match given.secret {
            Some(value) if value.expose().len() >= 8 => value,
            Some(_) => return Err(invalid("/secret", "length", "must be at least 8 characters long")),
            None => new_secret(Scheme::N8n)?,
        };
        let (seen, mut secrets) = self.receiver_secrets(ctx.tenant).await?;
        let now = self.gate.now();
        let until = now.plus(Duration::from_secs(given.overlap_seconds));
        secrets.add(SigningSecret { value: value.clone(), until: None }, now, until);
        let sealed = self.sealer.seal(ctx.tenant, ROW, secrets.write().expose())?;
        let row = rows::Receiver { tenant_id: ctx.tenant, secrets: sealed, updated_at: now };
        let transaction = self.database.begin(ctx).await?;
        if !rows::set_secrets(&transaction, seen.as_ref(), row).await? {
            return Err(Error::ChangedMeanwhile);
        }
        self.audit.record(&transaction, ctx, Change::new("webhookReceiver.rotate", ctx.tenant)).await?;
        transaction.commit().await?;
        Ok(RotatedSecretResponse { secret: value.expose().clone(), previous_until: until })
    }
}

/// The id of a delivery, as it is kept: whatever the sender's look like, ours are short, and another body is another
/// delivery.
fn delivery(incoming: &Incoming) -> Option<String> {
    let header = |name: &str| incoming.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value);
    let id = ["idempotency-key", "webhook-id", "x-n8n-delivery"].into_iter().find_map(header)?;
    let hash = Sha256::new().chain_update(id.as_str()).chain_update([0]).chain_update(&incoming.body).finalize();
    Some(hash.iter().map(|byte| format!("{byte:02x}")).collect())
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
