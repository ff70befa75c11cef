//! The log of requests and answers, for webhooks that ask for it. Requests do not wait for it: a task of its own writes
//! batches, and when it cannot keep up entries are dropped and counted. Secrets never get into it.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use millrace_model::Str;
use millrace_nodes::webhook::ReceivedRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::guard::Caller;
use super::reply::Reply;
use super::repository::requests::{self as rows, Logged};
use super::settings::Logging;
use crate::common::{TenantId, Timestamp, WebhookId, WebhookRequestId};
use crate::infrastructure::database::{AcrossTenants, Database};

/// Entries that wait to be written.
const QUEUE: usize = 8192;
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

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = WebhookOutcome)]
pub enum Outcome {
    /// An execution began.
    Accepted,
    /// The delivery came before; nothing began.
    Duplicate,
    /// It was not let in.
    Refused,
    /// An execution began and failed, or none could begin.
    Failed,
}

impl Outcome {
    const ALL: [Outcome; 4] = [Outcome::Accepted, Outcome::Duplicate, Outcome::Refused, Outcome::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Duplicate => "duplicate",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        }
    }

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

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no outcome.
#[derive(Debug, thiserror::Error)]
#[error("unknown outcome")]
pub struct UnknownOutcome;

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Outcome, UnknownOutcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or(UnknownOutcome)
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
pub(super) struct Log(mpsc::Sender<Logged>);

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
}

impl Log {
    /// Starts the task. It ends when every `Log` is gone and everything is written.
    pub(super) fn start(database: Database) -> Log {
        let (sender, mut entries) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while entries.recv_many(&mut batch, BATCH).await > 0 {
                let count = u64::try_from(batch.len()).unwrap_or_default();
                if let Err(error) = rows::insert(&database.write(AcrossTenants), std::mem::take(&mut batch)).await {
                    tracing::warn!(%error, count, "requests of webhooks could not be logged");
                    metrics::counter!("millrace_webhook_log_lost_total").increment(count);
                }
            }
        });
        Log(sender)
    }

    pub(super) fn write(&self, draft: Draft, reply: &Reply) {
        if self.0.try_send(draft.finish(reply)).is_err() {
            metrics::counter!("millrace_webhook_log_lost_total").increment(1);
        }
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
        }
    }

    fn finish(self, reply: &Reply) -> Logged {
        let body = redacted_body(&self.request.body, &self.logging.redact);
        let target = redacted_target(&self.target, &self.logging.redact);
        let searched = match self.logging.bodies {
            true => format!("{target} {}", String::from_utf8_lossy(&body)),
            false => target.clone(),
        };
        let kept = |bytes: &[u8]| self.logging.bodies.then(|| BASE64_STANDARD.encode(bytes));
        let request = Message { headers: redacted(&self.request.headers, &self.logging.redact), body: kept(&body) };
        let answer = reply.body.get(..reply.body.len().min(MAX_RESPONSE)).unwrap_or_default();
        let answer = redacted_body(answer, &self.logging.redact);
        let response = Message { headers: redacted(&reply.headers, &self.logging.redact), body: kept(&answer) };
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
            micros: i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX),
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
