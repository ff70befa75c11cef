//! The log of requests and answers, for webhooks that ask for it. Requests do not wait for it: a task of its own writes
//! batches, and when it cannot keep up entries are dropped and counted. Secrets never get into it.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use millrace_model::Str;
use millrace_nodes::webhook::ReceivedRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::guard::Caller;
use super::reply::Reply;
use super::repository::requests::{self as rows, Logged};
use super::settings::Logging;
use crate::common::names::names;
use crate::common::{TenantId, Timestamp, WebhookId, WebhookRequestId};
use crate::infrastructure::database::{AcrossTenants, Database};

/// Entries that wait to be written, and bytes of their bodies.
const QUEUE: usize = 8192;
const ROOM: usize = 128 << 20;
/// Entries written at once.
const BATCH: usize = 256;
/// Of an answer's body, and of what a search looks at.
const MAX_RESPONSE: usize = 64 << 10;
const MAX_SEARCHED: usize = 2000;
/// In place of what is not told.
const REDACTED: &str = "[redacted]";
/// Headers that prove something, by parts of their names.
const PROOFS: [&str; 9] =
    ["authorization", "cookie", "signature", "token", "secret", "hmac", "api-key", "apikey", "password"];

names! {
    /// What became of a request.
    WebhookOutcome {
        /// An execution began.
        Accepted = "accepted",
        /// The delivery came before; nothing began.
        Duplicate = "duplicate",
        /// It was not let in.
        Refused = "refused",
        /// An execution began and failed, or none could begin.
        Failed = "failed",
    }
}

pub(super) use WebhookOutcome as Outcome;

impl Outcome {
    fn of(reply: &Reply) -> Outcome {
        if reply.headers.iter().any(|(name, _)| name == "idempotency-replayed") {
            Outcome::Duplicate
        } else if reply.execution.is_some() && reply.status != 500 {
            Outcome::Accepted
        } else if reply.status >= 500 && reply.status != 503 {
            Outcome::Failed
        } else {
            Outcome::Refused
        }
    }
}

/// Headers, and a body where it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Message {
    pub headers: Vec<(Str, Str)>,
    /// Base64.
    pub body: Option<String>,
}

impl Message {
    fn pack(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        zstd::encode_all(&json[..], 1).unwrap_or_default()
    }

    pub(super) fn unpack(packed: &[u8]) -> Message {
        let json = zstd::decode_all(packed).unwrap_or_default();
        serde_json::from_slice(&json).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> Option<Bytes> {
        BASE64_STANDARD.decode(self.body.as_ref()?).ok().map(Bytes::from)
    }
}

/// Takes entries. Cheap to clone.
#[derive(Clone)]
pub(super) struct Log {
    entries: mpsc::Sender<Entry>,
    /// Bytes that may still wait.
    room: Arc<Semaphore>,
}

/// An answered request on its way into the log.
struct Entry {
    draft: Draft,
    reply: Reply,
    micros: i64,
    _room: OwnedSemaphorePermit,
}

/// A request that is to be logged when it is answered.
pub(super) struct Draft {
    tenant: TenantId,
    webhook: WebhookId,
    logging: Logging,
    received_at: Timestamp,
    began: Instant,
    target: String,
    address: Option<String>,
    request: ReceivedRequest,
    /// Headers besides those of everybody that prove something, in lower case.
    proofs: Vec<String>,
}

impl Log {
    /// Starts the task. It ends when every `Log` is gone and everything is written.
    pub(super) fn start(database: Database) -> Log {
        let (sender, mut entries) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch: Vec<Entry> = Vec::with_capacity(BATCH);
            while entries.recv_many(&mut batch, BATCH).await > 0 {
                let count = u64::try_from(batch.len()).unwrap_or_default();
                let taken = std::mem::take(&mut batch);
                // Bodies are parsed and packed: that takes long.
                let packing = tokio::task::spawn_blocking(|| taken.into_iter().map(Entry::row).collect());
                let rows: Vec<Logged> = packing.await.unwrap_or_default();
                if let Err(error) = rows::insert(&database.write(AcrossTenants), rows).await {
                    tracing::warn!(%error, count, "requests of webhooks could not be logged");
                    metrics::counter!("millrace_webhook_log_lost_total").increment(count);
                }
            }
        });
        Log { entries: sender, room: Arc::new(Semaphore::new(ROOM)) }
    }

    pub(super) fn write(&self, draft: Draft, reply: &Reply) {
        let micros = i64::try_from(draft.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let size = draft.request.body.len().saturating_add(reply.body.len());
        let room = Arc::clone(&self.room).try_acquire_many_owned(u32::try_from(size).unwrap_or(u32::MAX)).ok();
        let entry = room.map(|room| Entry { draft, reply: reply.clone(), micros, _room: room });
        if entry.is_none_or(|entry| self.entries.try_send(entry).is_err()) {
            metrics::counter!("millrace_webhook_log_lost_total").increment(1);
        }
    }
}

impl Entry {
    fn row(self) -> Logged {
        self.draft.finish(&self.reply, self.micros)
    }
}

impl Draft {
    pub(super) fn new(
        of: (TenantId, WebhookId),
        logging: &Logging,
        caller: &Caller<'_>,
        request: &ReceivedRequest,
        now: Timestamp,
    ) -> Draft {
        Draft {
            tenant: of.0,
            webhook: of.1,
            logging: logging.clone(),
            received_at: now,
            began: Instant::now(),
            target: caller.target.to_owned(),
            address: caller.address.map(|address| address.to_string()),
            request: request.clone(),
            proofs: Vec::new(),
        }
    }

    /// Keeps the values of a header out of the log.
    pub(super) fn hide(mut self, header: Option<&str>) -> Draft {
        self.proofs.extend(header.map(str::to_owned));
        self
    }

    /// Keeps all headers out of the log.
    pub(super) fn without_headers(mut self) -> Draft {
        self.request.headers.clear();
        self
    }

    fn finish(self, reply: &Reply, micros: i64) -> Logged {
        let hidden = [&self.logging.redact[..], &self.proofs].concat();
        let body = redacted_body(&self.request.body, &self.logging.redact);
        let target = redacted_target(&self.target, &self.logging.redact);
        let searched = match self.logging.bodies {
            true => format!("{target} {}", String::from_utf8_lossy(&body)),
            false => target.clone(),
        };
        let kept = |bytes: &[u8]| self.logging.bodies.then(|| BASE64_STANDARD.encode(bytes));
        let request = Message { headers: redacted(&self.request.headers, &hidden), body: kept(&body) };
        // Cut only then: half a JSON text could not be read.
        let mut answer = redacted_body(&reply.body, &self.logging.redact);
        answer.truncate(MAX_RESPONSE);
        let response = Message { headers: redacted(&reply.headers, &hidden), body: kept(&answer) };
        Logged {
            id: WebhookRequestId::new(),
            tenant_id: self.tenant,
            webhook_id: self.webhook,
            received_at: self.received_at,
            method: self.request.method.to_string(),
            target,
            address: self.address,
            status: i16::try_from(reply.status).unwrap_or_default(),
            outcome: Outcome::of(reply),
            micros,
            execution_id: reply.execution,
            // PostgreSQL's text holds no NUL.
            searched: searched.chars().filter(|letter| *letter != '\0').take(MAX_SEARCHED).collect(),
            request: request.pack(),
            response: Some(response.pack()),
        }
    }
}

fn is_secret(name: &str, own: &[String]) -> bool {
    own.iter().any(|one| one.eq_ignore_ascii_case(name))
}

fn redacted(headers: &[(Str, Str)], own: &[String]) -> Vec<(Str, Str)> {
    let shown = headers.iter().map(|(name, value)| {
        let hidden = PROOFS.iter().any(|part| name.to_ascii_lowercase().contains(part)) || is_secret(name, own);
        (name.clone(), if hidden { REDACTED.into() } else { value.clone() })
    });
    shown.collect()
}

fn redacted_target(target: &str, own: &[String]) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name, own) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// JSON bodies without the values of secret fields, however deep; others as they are.
fn redacted_body(body: &[u8], own: &[String]) -> Vec<u8> {
    if own.is_empty() {
        return body.to_vec();
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    hide(&mut value, own);
    serde_json::to_vec(&value).unwrap_or_default()
}

fn hide(value: &mut Value, own: &[String]) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if is_secret(name, own) {
                    *field = REDACTED.into();
                } else {
                    hide(field, own);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| hide(item, own)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_told() {
        let own = vec!["card".to_owned(), "X-Own".to_owned()];
        let headers: Vec<(Str, Str)> = ["authorization", "x-hub-signature-256", "x-own", "accept"]
            .into_iter()
            .map(|name| (name.into(), "v".into()))
            .collect();
        let shown: Vec<_> = redacted(&headers, &own).into_iter().map(|(_, value)| value.to_string()).collect();
        assert_eq!(shown, [REDACTED, REDACTED, REDACTED, "v"]);
        let body = redacted_body(br#"{"a":[{"card":"4111","b":1}],"Card":{"n":1}}"#, &own);
        assert_eq!(String::from_utf8(body).unwrap(), r#"{"Card":"[redacted]","a":[{"b":1,"card":"[redacted]"}]}"#);
        assert_eq!(redacted_target("/webhook/x?card=4111&b=2", &own), "/webhook/x?card=[redacted]&b=2");
        assert_eq!(redacted_body(b"no json", &own), b"no json");
    }

    #[test]
    fn messages_come_back_as_they_were() {
        let message = Message { headers: vec![("a".into(), "b".into())], body: Some(BASE64_STANDARD.encode([0, 255])) };
        let back = Message::unpack(&message.pack());
        assert_eq!((back.headers, back.body), (message.headers, message.body));
        assert!(Message::unpack(b"nonsense").body.is_none());
    }
}
