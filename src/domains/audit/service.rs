//! Records what was done and lists it. Nothing here can take a record back.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::chain;
use super::dto::{AuditEventResponse, ListAuditEventsQuery};
use super::entities::audit_event::Model;
use super::error::Error;
use super::evidence::CHECKPOINT_EVERY;
use super::redact::redact;
use super::repository;
use crate::common::{Actor, AuditEventId, Clock, Ctx, Page, Secret};
use crate::infrastructure::crypto::Ed25519;
use crate::infrastructure::database::{self, Database, Transaction};
use crate::infrastructure::events::{Bus, Event, RECORDED};

/// The audit log. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chain_key: Arc<Secret<[u8; 32]>>,
    pub(super) signing_key: Arc<Ed25519>,
    events: Bus,
}

/// What was done to which resource. Give the resource's response type as `before` and `after`;
/// fields named like secrets are redacted all the same.
#[derive(Debug)]
pub struct Change {
    action: &'static str,
    resource_kind: &'static str,
    resource_id: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// `action` is `kind.verb`, such as `workflow.create`.
    pub fn new(action: &'static str, resource_id: impl ToString) -> Change {
        let resource_kind = action.split_once('.').map_or(action, |(kind, _)| kind);
        Change { action, resource_kind, resource_id: resource_id.to_string(), before: None, after: None }
    }

    #[must_use]
    pub fn before(mut self, resource: &impl Serialize) -> Change {
        self.before = serde_json::to_value(resource).ok().map(redact);
        self
    }

    #[must_use]
    pub fn after(mut self, resource: &impl Serialize) -> Change {
        self.after = serde_json::to_value(resource).ok().map(redact);
        self
    }
}

/// What is told of a record: less than the record.
fn told(event: &Model) -> Value {
    let read = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    serde_json::json!({
        "action": event.action,
        "resource": { "kind": event.resource_kind, "id": event.resource_id },
        "actor": { "kind": event.actor_kind, "userId": event.user_id, "apiKeyId": event.api_key_id },
        "before": read(&event.before),
        "after": read(&event.after),
    })
}

impl Service {
    /// `chain_key` ties the rows together, `signing_seed` is the seed of the key that signs checkpoints.
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        events: Bus,
        chain_key: Secret<[u8; 32]>,
        signing_seed: &Secret<[u8; 32]>,
    ) -> Service {
        let signing_key = Arc::new(Ed25519::from_seed(signing_seed));
        Service { database, clock, chain_key: Arc::new(chain_key), signing_key, events }
    }

    /// Adds one row in the caller's transaction: the change and its record stand or fall together.
    pub async fn record(&self, transaction: &Transaction, ctx: &Ctx, change: Change) -> Result<(), database::Error> {
        let head = repository::lock_head(transaction, ctx.tenant).await?;
        let (actor_kind, user_id, api_key_id) = match ctx.actor {
            Actor::User(user) => ("user", Some(user), None),
            Actor::ApiKey { key, owner } => ("apiKey", Some(owner), Some(key)),
            Actor::System => ("system", None, None),
        };
        let mut event = Model {
            id: AuditEventId::new(),
            tenant_id: ctx.tenant,
            sequence: head.as_ref().map_or(0, |head| head.sequence) + 1,
            occurred_at: self.clock.now(),
            actor_kind: actor_kind.to_owned(),
            user_id,
            api_key_id,
            action: change.action.to_owned(),
            resource_kind: change.resource_kind.to_owned(),
            resource_id: change.resource_id,
            before: change.before.map(|value| value.to_string()),
            after: change.after.map(|value| value.to_string()),
            address: ctx.address.map(|address| address.to_string()),
            request_id: ctx.request_id.as_str().to_owned(),
            mac: Vec::new(),
        };
        let previous = head.as_ref().map_or(&[][..], |head| &head.mac);
        event.mac = chain::mac(self.chain_key.expose(), previous, &event);
        let (kind, tenant, at) = (RECORDED, ctx.tenant, event.occurred_at);
        let told = self.events.is_attended(tenant).then(|| Event { tenant, kind, at, data: told(&event) });
        let (sequence, mac) = (event.sequence, event.mac.clone());
        repository::append(transaction, event, head).await?;
        if sequence % CHECKPOINT_EVERY == 0 {
            self.sign(transaction, ctx.tenant, sequence, mac).await?;
        }
        // The caller alone knows when this is committed; who follows finds it within a second.
        drop(self.events.emit(transaction, told.into_iter().collect()).await?);
        Ok(())
    }

    /// One row about something that changes nothing: a refusal, or a reading of what is sensitive. What it is about must
    /// not happen when this fails.
    pub async fn note(&self, ctx: &Ctx, change: Change) -> Result<(), database::Error> {
        let transaction = self.database.begin(ctx).await?;
        self.record(&transaction, ctx, change).await?;
        transaction.commit().await
    }

    /// Newest first.
    pub async fn list(&self, ctx: &Ctx, query: &ListAuditEventsQuery) -> Result<Page<AuditEventResponse>, Error> {
        let rows = repository::list(&self.database.read(ctx), ctx.tenant, query).await?;
        let limit = query.limit.unwrap_or_default().get();
        Ok(Page::from_rows(rows, limit, |row| row.id.as_uuid(), AuditEventResponse::from))
    }
}
