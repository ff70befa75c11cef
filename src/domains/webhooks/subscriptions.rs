//! Subscriptions: addresses that a tenant wants to be told of events. Each has a place among the tenant's events; what
//! happened behind it is kept for the address in the transaction that moves the place, so each event is kept once,
//! whoever was down when it happened.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::collecting::Progress;
use super::deliveries::DeliveryStatus;
use super::dto::{RotateSecret, RotatedSecretResponse};
use super::dto_subscriptions::{CreatedSubscriptionResponse, SetSubscription, SubscriptionResponse};
use super::endpoints::new_secret;
use super::error::Error;
use super::event_names;
use super::repository::outbound::{self as rows, Delivery, Subscription};
use super::sealing::Sealer;
use super::settings::{Secrets, SigningSecret};
use super::signature::{self, Scheme};
use crate::common::{Clock, Ctx, DeliveryId, FieldError, Page, PageQuery, Secret, SubscriptionId, TenantId, Timestamp};
use crate::domains::audit::{self, Change};
use crate::domains::tenants;
use crate::infrastructure::database::Database;
use crate::infrastructure::events::{Bus, PAGE, Place, RECORDED, Scope, Stored};
use crate::infrastructure::http_client::HttpClient;

/// As whom subscriptions listen to a tenant's events.
const LISTENER: &str = "webhooks";
/// Events are kept for subscribers while no worker runs for so long.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);
const RENEW_EVERY: Duration = Duration::from_secs(3600);

/// The webhooks that this server sends. Cheap to clone.
#[derive(Clone)]
pub struct Subscriptions {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: Bus,
    pub(super) audit: audit::Service,
    pub(super) tenants: tenants::Service,
    pub(super) http: HttpClient,
    pub(super) sealer: Sealer,
    /// Something is to be told.
    pub(super) news: Arc<Notify>,
    /// When this process said last that a tenant's subscribers listen.
    attended: Arc<RwLock<FxHashMap<TenantId, Timestamp>>>,
    pub(super) progress: Progress,
}

/// What subscriptions stand on.
pub struct Dependencies {
    pub database: Database,
    pub clock: Arc<dyn Clock>,
    pub events: Bus,
    pub audit: audit::Service,
    pub tenants: tenants::Service,
    pub http: HttpClient,
}

impl Subscriptions {
    /// `key`: encrypts the secrets that sign.
    pub fn new(dependencies: Dependencies, key: &Secret<[u8; 32]>) -> Subscriptions {
        let Dependencies { database, clock, events, audit, tenants, http } = dependencies;
        let (sealer, news, attended) = (Sealer::new(key), Arc::default(), Arc::default());
        let progress = Progress::default();
        Subscriptions { database, clock, events, audit, tenants, http, sealer, news, attended, progress }
    }

    /// Keeps for one what happened since the last time; gives how much, and whether that is all.
    pub(super) async fn collect_for(&self, row: &Subscription) -> Result<(usize, bool), Error> {
        self.attend(row.tenant_id).await?;
        let place = row.reached.parse().unwrap_or_default();
        let events = self.events.after(row.tenant_id, place, Scope::All).await?;
        let Some(last) = events.last() else { return Ok((0, true)) };
        let names = events_of(row);
        let mut deliveries = Vec::new();
        for event in &events {
            let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
            let kind = name_of(event, &data);
            if is_wanted(&names, kind) {
                deliveries.push(delivery(&row.tenant_id, row.id, kind, event.at, &data));
            }
        }
        let kept = deliveries.len();
        let transaction = self.database.begin(row.tenant_id).await?;
        if !rows::reach(&transaction, row, &last.place.to_string()).await? {
            // Another process was faster, or the subscription has changed.
            return Ok((0, false));
        }
        rows::insert_deliveries(&transaction, deliveries).await?;
        transaction.commit().await?;
        Ok((kept, events.len() < PAGE))
    }

    /// Says that somebody listens, where that was not said lately.
    async fn attend(&self, tenant: TenantId) -> Result<(), Error> {
        let now = self.clock.now();
        let said = self.attended.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).copied();
        if said.is_some_and(|said| now.since(said) < RENEW_EVERY) {
            return Ok(());
        }
        self.events.attend(tenant, LISTENER, now.plus(REMEMBERED)).await?;
        self.attended.write().unwrap_or_else(PoisonError::into_inner).insert(tenant, now);
        Ok(())
    }

    /// From where on a subscription that begins now is told.
    async fn beginning(&self, tenant: TenantId) -> Result<Place, Error> {
        self.attend(tenant).await?;
        Ok(self.events.newest(tenant, Scope::All).await?)
    }

    pub async fn list(&self, ctx: &Ctx, query: &PageQuery) -> Result<Page<SubscriptionResponse>, Error> {
        let before = query.cursor.map(|cursor| SubscriptionId::from_uuid(cursor.id()));
        let found = rows::list(&self.database.read(ctx), ctx.tenant, before, query.limit()).await?;
        Ok(Page::from_rows(found, query.limit(), |row| row.id.as_uuid(), |row| SubscriptionResponse::from(&row)))
    }

    pub async fn get(&self, ctx: &Ctx, id: SubscriptionId) -> Result<SubscriptionResponse, Error> {
        Ok(SubscriptionResponse::from(&self.row(ctx, id).await?))
    }

    /// Subscribes an address. Its secret is in the answer and is not shown again.
    pub async fn create(&self, ctx: &Ctx, given: SetSubscription) -> Result<CreatedSubscriptionResponse, Error> {
        check(&given)?;
        let (id, now) = (SubscriptionId::new(), self.clock.now());
        let secret = new_secret(Scheme::StandardWebhooks)?;
        let signature = vec![SigningSecret { value: secret.clone(), until: None }];
        let secrets = self.seal(ctx.tenant, id, &Secrets { signature, authentication: None })?;
        let row = Subscription {
            id,
            tenant_id: ctx.tenant,
            name: given.name,
            url: given.url,
            events: json!(given.events).to_string(),
            ordered: given.ordered,
            secrets,
            reached: self.beginning(ctx.tenant).await?.to_string(),
            failing_since: None,
            warned: 0,
            disabled_at: None,
            disabled_reason: None,
            created_at: now,
            updated_at: now,
        };
        let response = SubscriptionResponse::from(&row);
        let transaction = self.database.begin(ctx).await?;
        rows::insert(&transaction, row).await?;
        self.audit.record(&transaction, ctx, Change::new("subscription.create", id).after(&response)).await?;
        transaction.commit().await?;
        Ok(CreatedSubscriptionResponse { subscription: response, secret: secret.expose().clone() })
    }

    /// Replaces what is subscribed to. One that was disabled is told again from now on, unless it says otherwise.
    pub async fn update(
        &self,
        ctx: &Ctx,
        id: SubscriptionId,
        given: SetSubscription,
    ) -> Result<SubscriptionResponse, Error> {
        check(&given)?;
        let seen = self.row(ctx, id).await?;
        let (before, now) = (SubscriptionResponse::from(&seen), self.clock.now());
        let mut row = seen.clone();
        (row.name, row.url, row.events) = (given.name, given.url, json!(given.events).to_string());
        row.ordered = given.ordered;
        if given.enabled && row.disabled_at.is_some() {
            row.reached = self.beginning(ctx.tenant).await?.to_string();
        }
        if given.enabled {
            (row.disabled_at, row.disabled_reason) = (None, None);
            (row.failing_since, row.warned) = (None, 0);
        } else if row.disabled_at.is_none() {
            (row.disabled_at, row.disabled_reason) = (Some(now), Some("switched off".to_owned()));
        }
        row.updated_at = later(now, &seen);
        let after = SubscriptionResponse::from(&row);
        let change = Change::new("subscription.update", id).before(&before).after(&after);
        self.write(ctx, &seen, &row, change).await?;
        Ok(after)
    }

    pub async fn delete(&self, ctx: &Ctx, id: SubscriptionId) -> Result<(), Error> {
        let row = self.row(ctx, id).await?;
        let transaction = self.database.begin(ctx).await?;
        rows::delete(&transaction, ctx.tenant, id).await?;
        let change = Change::new("subscription.delete", id).before(&SubscriptionResponse::from(&row));
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Signs with a new secret, and with those before it until the overlap is over.
    pub async fn rotate(
        &self,
        ctx: &Ctx,
        id: SubscriptionId,
        given: RotateSecret,
    ) -> Result<RotatedSecretResponse, Error> {
        let seen = self.row(ctx, id).await?;
        let value = match given.secret {
            Some(value) if signature::is_usable(Scheme::StandardWebhooks, value.expose()) => value,
            Some(_) => {
                let message = "must be base64, behind whsec_ or not";
                return Err(Error::Invalid(vec![FieldError::new("/secret", "invalid_secret", message)]));
            }
            None => new_secret(Scheme::StandardWebhooks)?,
        };
        let now = self.clock.now();
        let until = now.plus(Duration::from_secs(given.overlap_seconds));
        let mut secrets = self.secrets(&seen)?;
        secrets.add(SigningSecret { value: value.clone(), until: None }, now, until);
        let sealed = self.seal(ctx.tenant, id, &secrets)?;
        let row = Subscription { secrets: sealed, updated_at: later(now, &seen), ..seen.clone() };
        self.write(ctx, &seen, &row, Change::new("subscription.rotate", id)).await?;
        Ok(RotatedSecretResponse { secret: value.expose().clone(), previous_until: until })
    }

    /// Tells an address of a `test.ping`, whatever it subscribed to.
    pub async fn ping(&self, ctx: &Ctx, id: SubscriptionId) -> Result<DeliveryId, Error> {
        let row = self.row(ctx, id).await?;
        let now = self.clock.now();
        let delivery = delivery(&row.tenant_id, row.id, "test.ping", now, &json!({ "subscriptionId": id }));
        let delivery_id = delivery.id;
        let transaction = self.database.begin(ctx).await?;
        rows::insert_deliveries(&transaction, vec![delivery]).await?;
        self.audit.record(&transaction, ctx, Change::new("subscription.test", id)).await?;
        transaction.commit().await?;
        self.news.notify_one();
        Ok(delivery_id)
    }

    async fn write(&self, ctx: &Ctx, seen: &Subscription, row: &Subscription, change: Change) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        if !rows::update(&transaction, seen, row).await? {
            return Err(Error::SubscriptionChanged);
        }
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(super) async fn row(&self, ctx: &Ctx, id: SubscriptionId) -> Result<Subscription, Error> {
        rows::find(&self.database.read(ctx), ctx.tenant, id).await?.ok_or(Error::SubscriptionNotFound)
    }

    pub(super) fn secrets(&self, row: &Subscription) -> Result<Secrets, Error> {
        Secrets::read(&self.sealer.open(row.tenant_id, &row.id.to_string(), &row.secrets)?)
    }

    fn seal(&self, tenant: TenantId, id: SubscriptionId, secrets: &Secrets) -> Result<Vec<u8>, Error> {
        self.sealer.seal(tenant, &id.to_string(), secrets.write().expose())
    }
}

/// Later than before, even within one millisecond: it is also the version that is compared.
fn later(now: Timestamp, seen: &Subscription) -> Timestamp {
    now.max(seen.updated_at.plus(Duration::from_millis(1)))
}

/// As what subscribers know an event: a record by what was done.
fn name_of<'e>(event: &'e Stored, data: &'e Value) -> &'e str {
    let action = data.get("action").and_then(Value::as_str).filter(|_| event.kind == RECORDED);
    action.unwrap_or(&event.kind)
}

/// What an address is to be told, in the shape of the Standard Webhooks specification.
fn delivery(tenant: &TenantId, subscription: SubscriptionId, kind: &str, at: Timestamp, data: &Value) -> Delivery {
    Delivery {
        id: DeliveryId::new(),
        tenant_id: *tenant,
        subscription_id: subscription,
        event: kind.to_owned(),
        payload: json!({ "type": kind, "timestamp": at, "data": data }).to_string(),
        status: DeliveryStatus::Pending,
        attempts: 0,
        due_at: Some(at),
        created_at: at,
        updated_at: at,
    }
}

pub(super) fn events_of(row: &Subscription) -> Vec<String> {
    serde_json::from_str(&row.events).unwrap_or_default()
}

/// `*`, `kind.*`, or the event itself.
fn is_wanted(events: &[String], kind: &str) -> bool {
    events.iter().any(|wanted| match wanted.strip_suffix('*') {
        Some("") => true,
        Some(prefix) => kind.starts_with(prefix),
        None => wanted == kind,
    })
}

fn check(given: &SetSubscription) -> Result<(), Error> {
    let mut problems = Vec::new();
    let is_url = url::Url::parse(&given.url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty());
    if !is_url {
        problems.push(FieldError::new("/url", "invalid_url", "must be an http or https URL without credentials"));
    }
    for (at, event) in given.events.iter().enumerate() {
        if let Err(message) = event_names::check(event) {
            problems.push(FieldError::new(format!("/events/{at}"), "invalid_event", message));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_events() {
        let wants = |pattern: &str, kind| is_wanted(&[pattern.to_owned()], kind);
        for (pattern, kind, expected) in [
            ("*", "execution.failed", true),
            ("execution.*", "execution.failed", true),
            ("execution.*", "executions.failed", false),
            ("execution.failed", "execution.failed", true),
            ("execution.failed", "execution.succeeded", false),
        ] {
            assert_eq!(wants(pattern, kind), expected, "{pattern} {kind}");
        }
    }
}
