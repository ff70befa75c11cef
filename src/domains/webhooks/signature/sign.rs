//! Signs as the senders do: for samples that try an endpoint out, and for what this server sends itself.

use millrace_model::Str;
use sha2::{Digest, Sha256};

use super::layout::Layout;
use super::mac::{self, Encoding};
use super::{Message, Scheme};

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample<'a> {
    /// Tells this delivery from others.
    pub id: &'a str,
    /// Seconds since 1970.
    pub at: i64,
    pub url: &'a str,
    pub content_type: &'a str,
    pub body: &'a [u8],
}

/// What a sender adds to the URL for a body that is no form.
pub(crate) fn query_of(scheme: Scheme, body: &[u8]) -> Option<String> {
    (scheme == Scheme::Twilio).then(|| format!("bodySHA256={}", mac::hexadecimal(&Sha256::digest(body))))
}

/// The headers that prove a request, one signature for each secret where the scheme allows several. Secrets that the
/// scheme cannot use are left out.
pub(crate) fn sign(scheme: Scheme, secrets: &[&str], sample: &Sample<'_>) -> Vec<(Str, Str)> {
    let at = sample.at.to_string();
    let mut headers: Vec<(Str, Str)> = match scheme {
        Scheme::StandardWebhooks => vec![
            ("webhook-id".into(), sample.id.into()),
            ("webhook-timestamp".into(), at.as_str().into()),
            ("webhook-signature".into(), "v1,".into()),
        ],
        Scheme::Github => {
            vec![("x-github-delivery".into(), sample.id.into()), ("x-hub-signature-256".into(), "sha256=".into())]
        }
        Scheme::Stripe => vec![("stripe-signature".into(), format!("t={at}").into())],
        Scheme::Slack => {
            vec![("x-slack-request-timestamp".into(), at.as_str().into()), ("x-slack-signature".into(), "v0=".into())]
        }
        Scheme::Shopify => {
            vec![("x-shopify-webhook-id".into(), sample.id.into()), ("x-shopify-hmac-sha256".into(), "-".into())]
        }
        Scheme::Twilio => {
            vec![("content-type".into(), sample.content_type.into()), ("x-twilio-signature".into(), "-".into())]
        }
        Scheme::N8n => vec![("x-n8n-signature".into(), "-".into())],
    };
    let message = Message { headers: &headers, url: sample.url, body: sample.body, now: sample.at };
    // The layout is read from headers without signatures: what is signed does not depend on those.
    let Ok(layout) = Layout::of(scheme, &message) else { return Vec::new() };
    let keys = secrets.iter().filter_map(|secret| mac::key(scheme, secret));
    let macs: Vec<Vec<u8>> = keys.map(|key| layout.mac(&key)).collect();
    let Some(first) = macs.first() else { return Vec::new() };
    let hexadecimal = |mac: &Vec<u8>| Encoding::Hexadecimal.write(mac);
    let base64 = |mac: &Vec<u8>| Encoding::Base64.write(mac);
    let signature = match scheme {
        Scheme::StandardWebhooks => macs.iter().map(|mac| format!("v1,{}", base64(mac))).collect::<Vec<_>>().join(" "),
        Scheme::Stripe => {
            let versions = macs.iter().map(|mac| format!(",v1={}", hexadecimal(mac)));
            format!("t={at}{}", versions.collect::<String>())
        }
        Scheme::Github | Scheme::N8n => format!("sha256={}", hexadecimal(first)),
        Scheme::Slack => format!("v0={}", hexadecimal(first)),
        Scheme::Shopify | Scheme::Twilio => base64(first),
    };
    if let Some((_, value)) = headers.last_mut() {
        *value = signature.into();
    }
    headers.retain(|(name, _)| name != "content-type");
    headers
}
