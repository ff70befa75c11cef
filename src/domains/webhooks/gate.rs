//! What admission of calls stands on: buckets that are shared between replicas where they share a cache, the memory of
//! signatures and deliveries, which outlives processes, and the clock.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::error::Error;
use super::guard::Headers;
use super::reply::{self, Reply};
use crate::common::{Clock, TenantId, Timestamp, WebhookId};
use crate::infrastructure::cache::{Bucket, Cache, Key, MemoryCache};
use crate::infrastructure::database::idempotency::{ABANDONED_AFTER, Answer, Attempt, Begun, IdempotencyKeys};

/// Buckets kept while the shared cache is away.
const LOCAL_BUCKETS: u64 = 100_000;
/// Larger bodies are not kept for deliveries that come again; they are answered with status and headers alone.
const MAX_KEPT_ANSWER: usize = 1 << 20;
/// A delivery is worked on for so much longer than its caller may wait; then its process is taken for dead.
const GRACE: Duration = Duration::from_secs(60);

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Gate {
    cache: Arc<dyn Cache>,
    local: Arc<MemoryCache>,
    clock: Arc<dyn Clock>,
    deliveries: IdempotencyKeys,
    answer_timeout: Duration,
}

/// Whose bucket.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    Endpoint(WebhookId),
    /// One address at an endpoint.
    Caller(WebhookId, IpAddr),
    /// All webhooks of a tenant.
    Tenant,
    /// One address at all webhooks of a tenant.
    Address(IpAddr),
}

/// What a delivery's id says.
#[derive(Debug)]
pub(super) enum Delivery {
    /// Go on, and say how it ended.
    First(Attempt),
    /// It was answered so.
    Again(Reply),
}

impl Gate {
    /// `answer_timeout`: how long callers wait at most, unless a webhook says otherwise.
    pub(super) fn new(
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        deliveries: IdempotencyKeys,
        answer_timeout: Duration,
    ) -> Gate {
        Gate { cache, local: Arc::new(MemoryCache::new(LOCAL_BUCKETS)), clock, deliveries, answer_timeout }
    }

    pub(super) fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes a token. Without the shared cache this process counts by itself: a limit may then be exceeded as many times
    /// as there are replicas, but it never vanishes.
    pub(super) async fn take(&self, tenant: TenantId, whose: Whose, bucket: Bucket) -> Result<(), Reply> {
        let key = match whose {
            Whose::Endpoint(id) => Key::tenant(tenant, "webhook-rate", &id.to_string()),
            Whose::Caller(id, address) => Key::tenant(tenant, "webhook-rate", &format!("{id}/{address}")),
            Whose::Tenant => Key::tenant(tenant, "webhook-rate", "all"),
            Whose::Address(address) => Key::tenant(tenant, "webhook-rate", &address.to_string()),
        };
        let now = self.now();
        let wait = match self.cache.take(&key, bucket, now).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "webhook limits are counted by this process alone");
                self.local.take(&key, bucket, now).await.unwrap_or_default()
            }
        };
        wait.map_or(Ok(()), |wait| Err(reply::too_many(wait)))
    }

    /// Remembers what was signed. `place`: what it was sent to. `None`: it was used before. What cannot be remembered is
    /// refused.
    pub(super) async fn seal(
        &self,
        tenant: TenantId,
        place: &str,
        content: [u8; 32],
        life: Duration,
    ) -> Result<Option<Attempt>, Error> {
        let key = Sha256::new().chain_update("signature/").chain_update(place).chain_update("/").chain_update(content);
        let seal = Attempt { tenant, key: key.finalize().into(), fingerprint: content };
        Ok(self.deliveries.mark(&seal, life).await?.then_some(seal))
    }

    /// Forgets a signature: its request was not taken and may come again.
    pub(super) async fn forget(&self, seal: &Attempt) {
        if let Err(error) = self.deliveries.abandon(seal).await {
            tracing::warn!(%error, "the signature of a webhook that was not taken could not be forgotten");
        }
    }

    /// Claims a delivery's id. `longest`: how long its caller waits for an answer.
    pub(super) async fn begin(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        delivery: &str,
        body: &[u8],
        window: Duration,
        longest: Duration,
    ) -> Result<Delivery, Reply> {
        let key = Sha256::new().chain_update(endpoint.to_string()).chain_update("/").chain_update(delivery).finalize();
        let attempt = Attempt { tenant, key: key.into(), fingerprint: Sha256::digest(body).into() };
        let patience = ABANDONED_AFTER.max(longest.saturating_add(GRACE));
        match self.deliveries.begin_within(&attempt, window, patience).await.map_err(Error::from)? {
            Begun::First => Ok(Delivery::First(attempt)),
            Begun::InProgress => Err(reply::in_progress()),
            Begun::OtherRequest => Err(reply::other_delivery()),
            Begun::Answered(answer) => Ok(Delivery::Again(again(answer))),
        }
    }

    /// Keeps the answer to a delivery; one that began nothing, or failed, may come again and is then taken.
    pub(super) async fn finish(&self, attempt: &Attempt, reply: &Reply) {
        let kept = if reply.execution.is_none() || reply.status >= 500 || reply.status == 429 {
            self.deliveries.abandon(attempt).await
        } else {
            let answer = Answer { status: reply.status, content_type: None, body: packed(reply) };
            self.deliveries.finish(attempt, reply.status, Some(answer)).await
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "the answer to a webhook's delivery could not be kept");
        }
    }

    /// Gives a delivery's id back: nothing was done.
    pub(super) async fn abandon(&self, attempt: &Attempt) {
        if let Err(error) = self.deliveries.abandon(attempt).await {
            tracing::warn!(%error, "the id of a webhook's delivery could not be given back");
        }
    }
}

/// Headers as JSON behind their length in four bytes, then the body, unless it is too large.
fn packed(reply: &Reply) -> Vec<u8> {
    let headers = serde_json::to_vec(&reply.headers).unwrap_or_default();
    let length = u32::try_from(headers.len()).unwrap_or_default().to_be_bytes();
    let body = if reply.body.len() <= MAX_KEPT_ANSWER { &reply.body[..] } else { &[] };
    [&length, &headers[..], body].concat()
}

fn unpacked(packed: &[u8]) -> Option<(Headers, &[u8])> {
    let (length, rest) = packed.split_first_chunk::<4>()?;
    let (headers, body) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((serde_json::from_slice(headers).ok()?, body))
}

/// The first answer, marked.
fn again(answer: Option<Answer>) -> Reply {
    let mut reply = Reply { status: 200, ..Reply::default() };
    if let Some(answer) = answer {
        reply.status = answer.status;
        match unpacked(&answer.body) {
            Some((headers, body)) => (reply.headers, reply.body) = (headers, body.to_vec().into()),
            // Kept by a version before, with its type alone.
            None => {
                reply.headers.extend(answer.content_type.map(|kind| ("content-type".into(), kind.into())));
                reply.body = answer.body.into();
            }
        }
    }
    reply.headers.push(("idempotency-replayed".into(), "true".into()));
    reply
}
