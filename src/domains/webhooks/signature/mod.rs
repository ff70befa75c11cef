//! Signatures of webhooks over the raw body: who signs what, and whether it is right. Pure: no IO, no clock of its own.
//! Whatever is not exactly right is refused; comparisons take the same time wherever the difference is.

mod layout;
mod mac;
mod sign;
#[cfg(test)]
mod tests;

use millrace_model::Str;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use layout::Layout;
pub(super) use sign::{Sample, query_of, sign};

/// How a sender signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookSignatureScheme)]
pub enum Scheme {
    /// Standard Webhooks (also Svix): `webhook-id`, `webhook-timestamp`, `webhook-signature`; secrets `whsec_…`.
    StandardWebhooks,
    /// `X-Hub-Signature-256`.
    Github,
    /// `Stripe-Signature`.
    Stripe,
    /// `X-Slack-Signature` and `X-Slack-Request-Timestamp`.
    Slack,
    /// `X-Shopify-Hmac-SHA256`.
    Shopify,
    /// `X-Twilio-Signature`, over the URL and the form.
    Twilio,
    /// `X-N8N-Signature`: an HMAC-SHA256 of the body in hexadecimal or base64, or the secret itself.
    N8n,
}

/// A request as its signature sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    /// Names in lower case.
    pub headers: &'a [(Str, Str)],
    /// As the sender wrote it; only Twilio signs it.
    pub url: &'a str,
    pub body: &'a [u8],
    /// Seconds since 1970.
    pub now: i64,
}

/// A signature that is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// Hash of what was signed: the same request again has the same, whichever of its signatures is shown.
    pub content: [u8; 32],
    /// The scheme says when it was signed, and that was checked.
    pub is_dated: bool,
    /// The secret itself was shown, in place of a signature.
    pub is_bare: bool,
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the header {0} is missing")]
    Missing(&'static str),
    #[error("the header {0} cannot be read")]
    Malformed(&'static str),
    #[error("it was signed too long ago")]
    TooOld,
    #[error("it was signed in the future: compare the clocks")]
    TooNew,
    #[error("it does not fit the request and the secret")]
    Wrong,
}

/// Checks a signature against every secret that counts at the moment. `tolerance`: how many seconds the sender's time may
/// be off, either way.
pub(super) fn verify<'s>(
    scheme: Scheme,
    secrets: impl IntoIterator<Item = &'s str>,
    tolerance: i64,
    message: &Message<'_>,
) -> Result<Proof, Refusal> {
    let layout = Layout::of(scheme, message)?;
    if let Some(at) = layout.signed_at {
        match message.now.saturating_sub(at) {
            age if age > tolerance => return Err(Refusal::TooOld),
            age if age < tolerance.saturating_neg() => return Err(Refusal::TooNew),
            _ => {}
        }
    }
    for secret in secrets {
        let Some(key) = mac::key(scheme, secret) else { continue };
        let computed = layout.mac(&key);
        // As it came: the secret itself has no upper case that stands for its lower case.
        let is_bare = scheme == Scheme::N8n && layout.candidates.first().is_some_and(|given| same(given, secret));
        let mut forms = layout.encodings.iter().map(|encoding| encoding.write(&computed));
        if is_bare || forms.any(|form| layout.candidates.iter().any(|given| same(given, &form))) {
            return Ok(Proof { content: layout.hash(), is_dated: layout.signed_at.is_some(), is_bare });
        }
    }
    Err(Refusal::Wrong)
}

fn same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// A secret that the scheme can sign with.
pub(super) fn is_usable(scheme: Scheme, secret: &str) -> bool {
    mac::key(scheme, secret).is_some_and(|key| !key.is_empty())
}

/// The header by which the sender tells deliveries apart, where it has one.
pub(super) const fn delivery_header(scheme: Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::StandardWebhooks => Some("webhook-id"),
        Scheme::Github => Some("x-github-delivery"),
        Scheme::Shopify => Some("x-shopify-webhook-id"),
        Scheme::Twilio => Some("i-twilio-idempotency-token"),
        Scheme::Stripe | Scheme::Slack | Scheme::N8n => None,
    }
}
