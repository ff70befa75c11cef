//! What a tenant sets for a webhook: who may call, how often, how large, and what is remembered. Pure. Secrets are kept apart.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::signature::Scheme;
use crate::common::{FieldError, Secret, Timestamp};

/// An address, or a block of them.
pub(super) type Network = ipnet::IpNet;

/// Everything is off unless it is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = WebhookSettings)]
pub struct Settings {
    /// Credentials that callers show.
    pub authentication: Option<Authentication>,
    /// Signatures over the raw body.
    #[validate(nested)]
    pub signature: Option<Signature>,
    /// Addresses or CIDR blocks that may call; empty: all.
    #[validate(length(max = 1000))]
    #[schema(example = json!(["203.0.113.0/24"]))]
    pub allowed_addresses: Vec<String>,
    /// Certificates of callers, as a trusted proxy tells of them.
    #[validate(nested)]
    pub client_certificate: Option<ClientCertificate>,
    /// Calls of this webhook by anybody.
    #[validate(nested)]
    pub rate_limit: Option<RateLimit>,
    /// Calls of this webhook by one address.
    #[validate(nested)]
    pub rate_limit_per_address: Option<RateLimit>,
    /// Calls that are being answered at the same time by one process; more are refused with 503.
    #[validate(range(min = 1, max = 100_000))]
    pub max_concurrent: Option<u32>,
    /// Largest body in bytes; the server's limit holds all the same.
    #[validate(range(min = 1))]
    pub body_limit_bytes: Option<usize>,
    /// Deliveries that come again get the first answer and start nothing.
    #[validate(nested)]
    pub deduplication: Option<Deduplication>,
    /// Requests and answers are logged.
    #[validate(nested)]
    pub log: Option<Logging>,
    /// How long a caller waits for the workflow before it is answered 202 with the execution's address.
    #[validate(range(min = 1, max = 3600))]
    pub answer_timeout_seconds: Option<u64>,
}

/// The secret that goes with it is set apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookAuthentication)]
pub enum Authentication {
    /// RFC 7617; the secret is the password.
    Basic { user: String },
    /// The secret is the header's value.
    Header { name: String },
    /// `Authorization: Bearer …`. The secret is the key: for HS… any text, else a public key in PEM.
    Jwt {
        #[schema(value_type = String, example = "HS256")]
        algorithm: jsonwebtoken::Algorithm,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookSignature)]
pub struct Signature {
    pub scheme: Scheme,
    /// How far the sender's time may be off, where the scheme tells it.
    #[serde(default = "five_minutes")]
    #[validate(range(min = 1, max = 86_400))]
    pub tolerance_seconds: u32,
    /// What becomes of a signature that was used before.
    #[serde(default)]
    pub replays: Replays,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookReplays)]
pub enum Replays {
    /// It is refused while its time is within the tolerance; where the scheme tells no time, for a day.
    #[default]
    Refuse,
    Allow,
}

/// The proxy in front of the server ends TLS and hands on what it knows of the client's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookClientCertificate)]
pub struct ClientCertificate {
    /// Believed only from `server.trusted_proxies`.
    #[validate(length(min = 1, max = 128))]
    #[schema(example = "X-Client-Cert-Fingerprint")]
    pub header: String,
    /// Fingerprints or subjects, as the proxy writes them; case, colons and spaces do not count.
    #[validate(length(min = 1, max = 1000))]
    pub allowed: Vec<String>,
}

/// A token bucket: `requests` each `seconds`, `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookRateLimit, example = json!({ "requests": 600, "seconds": 60, "burst": 100 }))]
pub struct RateLimit {
    #[validate(range(min = 1, max = 1_000_000))]
    pub requests: u32,
    #[validate(range(min = 1, max = 86_400))]
    pub seconds: u32,
    /// As many as `requests` when left out.
    #[validate(range(min = 1, max = 1_000_000))]
    pub burst: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookDeduplication)]
pub struct Deduplication {
    /// Header with the delivery's id; the one of the signature's scheme when left out, else `Idempotency-Key`.
    #[validate(length(min = 1, max = 128))]
    pub header: Option<String>,
    /// JSON pointer to the delivery's id in the body, in place of a header.
    #[validate(length(min = 1, max = 256))]
    #[schema(example = "/id")]
    pub pointer: Option<String>,
    /// How long deliveries are remembered; at most `limits.idempotency_seconds`.
    #[serde(default = "one_day")]
    #[validate(range(min = 1))]
    pub window_seconds: u64,
}

/// What the log keeps. Headers that prove something are never in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookLogging)]
pub struct Logging {
    /// Keep bodies, too: only then requests can be replayed.
    #[serde(default)]
    pub bodies: bool,
    /// Names of headers, query parameters and fields of JSON bodies whose values are left out.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(example = json!(["cardNumber"]))]
    pub redact: Vec<String>,
}

fn five_minutes() -> u32 {
    300
}

fn one_day() -> u64 {
    86_400
}

/// The secrets of an endpoint. Written only encrypted, shown never.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    /// Those that sign; the last one is the newest.
    pub signature: Vec<SigningSecret>,
    pub authentication: Option<Secret<String>>,
}

#[derive(Clone, Debug)]
pub(super) struct SigningSecret {
    pub value: Secret<String>,
    /// Counts until then; the newest for ever.
    pub until: Option<Timestamp>,
}

impl Settings {
    /// What the types cannot say, with pointers.
    pub(super) fn problems(&self, longest_window: u64) -> Vec<FieldError> {
        let mut found = Vec::new();
        for (at, text) in self.allowed_addresses.iter().enumerate() {
            if network(text).is_none() {
                let message = format!("\"{text}\" is neither an IP address nor a block of addresses");
                found.push(FieldError::new(format!("/settings/allowedAddresses/{at}"), "invalid_address", message));
            }
        }
        let named = [
            ("/settings/deduplication/header", self.deduplication.as_ref().and_then(|one| one.header.as_deref())),
            ("/settings/clientCertificate/header", self.client_certificate.as_ref().map(|one| one.header.as_str())),
            (
                "/settings/authentication/name",
                match &self.authentication {
                    Some(Authentication::Header { name }) => Some(name.as_str()),
                    _ => None,
                },
            ),
        ];
        for (pointer, name) in named {
            let is_name = |text: &str| {
                !text.is_empty()
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            };
            if name.is_some_and(|name| !is_name(name)) {
                found.push(FieldError::new(pointer, "invalid_header", "is not the name of a header"));
            }
        }
        if self.deduplication.as_ref().is_some_and(|one| one.window_seconds > longest_window) {
            let message = format!("deliveries are remembered for at most {longest_window} seconds");
            found.push(FieldError::new("/settings/deduplication/windowSeconds", "range", message));
        }
        found
    }
}

pub(super) fn network(text: &str) -> Option<Network> {
    text.parse::<Network>().ok().or_else(|| text.parse::<IpAddr>().ok().map(Network::from))
}
