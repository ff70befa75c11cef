//! Where each sender puts its signatures, and what they cover. Sources: the Standard Webhooks specification and the
//! documentation of GitHub, Stripe, Slack, Shopify and Twilio.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::mac::{self, Encoding};
use super::{Message, Refusal, Scheme};

/// A request's signatures and what they must be of.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    /// One of them must be right: senders whose secret is being rotated send several.
    pub candidates: Vec<Cow<'a, str>>,
    pub encodings: &'static [Encoding],
    /// Seconds since 1970.
    pub signed_at: Option<i64>,
    content: Vec<Cow<'a, [u8]>>,
    is_sha1: bool,
}

const HEXADECIMAL: &[Encoding] = &[Encoding::Hexadecimal];
const BASE64: &[Encoding] = &[Encoding::Base64];
const EITHER: &[Encoding] = &[Encoding::Hexadecimal, Encoding::Base64];

impl<'a> Layout<'a> {
    pub(super) fn of(scheme: Scheme, message: &Message<'a>) -> Result<Layout<'a>, Refusal> {
        match scheme {
            Scheme::StandardWebhooks => standard(message),
            Scheme::Github => prefixed(message, "x-hub-signature-256", "sha256="),
            Scheme::Stripe => stripe(message),
            Scheme::Slack => slack(message),
            Scheme::Shopify => {
                let given = message.required("x-shopify-hmac-sha256")?;
                Ok(Layout::new(vec![given.into()], BASE64, vec![message.body.into()]))
            }
            Scheme::Twilio => twilio(message),
            Scheme::N8n => {
                let given = message.required("x-n8n-signature")?;
                let given = given.strip_prefix("sha256=").unwrap_or(given);
                // Hexadecimal digits may be upper case; the secret itself and base64 may not change.
                let candidates = vec![Cow::from(given), given.to_ascii_lowercase().into()];
                Ok(Layout::new(candidates, EITHER, vec![message.body.into()]))
            }
        }
    }

    fn new(candidates: Vec<Cow<'a, str>>, encodings: &'static [Encoding], content: Vec<Cow<'a, [u8]>>) -> Layout<'a> {
        Layout { candidates, encodings, signed_at: None, content, is_sha1: false }
    }

    /// Of what is signed, without a key.
    pub(super) fn hash(&self) -> [u8; 32] {
        self.content.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
    }

    pub(super) fn mac(&self, key: &[u8]) -> Vec<u8> {
        let parts = self.content.iter().map(AsRef::as_ref);
        if self.is_sha1 { mac::sha1(key, parts) } else { mac::sha256(key, parts) }
    }
}

impl<'a> Message<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|(present, _)| present == name)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &'static str) -> Result<&'a str, Refusal> {
        self.header(name).ok_or(Refusal::Missing(name))
    }
}

fn time(text: &str, header: &'static str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| Refusal::Malformed(header))
}

/// `{id}.{timestamp}.{body}`; the header lists `v1,{base64}` with spaces between.
fn standard<'a>(message: &Message<'a>) -> Result<Layout<'a>, Refusal> {
    let either = |name: &'static str, of_svix: &str| match message.header(of_svix) {
        Some(value) if message.header(name).is_none() => Ok(value),
        _ => message.required(name),
    };
    let id = either("webhook-id", "svix-id")?;
    let at = either("webhook-timestamp", "svix-timestamp")?;
    let given = either("webhook-signature", "svix-signature")?;
    let candidates = given.split_whitespace().filter_map(|one| one.strip_prefix("v1,")).map(Cow::from).collect();
    let content = vec![id.as_bytes().into(), b".".into(), at.as_bytes().into(), b".".into(), Cow::from(message.body)];
    let signed_at = Some(time(at, "webhook-timestamp")?);
    Ok(Layout { signed_at, ..Layout::new(candidates, BASE64, content) })
}

fn prefixed<'a>(message: &Message<'a>, header: &'static str, prefix: &str) -> Result<Layout<'a>, Refusal> {
    let given = message.required(header)?.strip_prefix(prefix).ok_or(Refusal::Malformed(header))?;
    Ok(Layout::new(vec![given.to_ascii_lowercase().into()], HEXADECIMAL, vec![message.body.into()]))
}

/// `t={timestamp},v1={hexadecimal},…` over `{timestamp}.{body}`; other versions than v1 do not count.
fn stripe<'a>(message: &Message<'a>) -> Result<Layout<'a>, Refusal> {
    const HEADER: &str = "stripe-signature";
    let pairs = message.required(HEADER)?.split(',').filter_map(|pair| pair.trim().split_once('='));
    let (mut at, mut candidates) = (None, Vec::new());
    for (name, value) in pairs {
        match name {
            "t" => at = Some(value),
            "v1" => candidates.push(Cow::from(value)),
            _ => {}
        }
    }
    let at = at.ok_or(Refusal::Malformed(HEADER))?;
    let content = vec![at.as_bytes().into(), b".".into(), Cow::from(message.body)];
    Ok(Layout { signed_at: Some(time(at, HEADER)?), ..Layout::new(candidates, HEXADECIMAL, content) })
}

/// `v0={hexadecimal}` over `v0:{timestamp}:{body}`.
fn slack<'a>(message: &Message<'a>) -> Result<Layout<'a>, Refusal> {
    const TIME: &str = "x-slack-request-timestamp";
    let at = message.required(TIME)?;
    let layout = prefixed(message, "x-slack-signature", "v0=")?;
    let content = vec![b"v0:".into(), at.as_bytes().into(), b":".into(), Cow::from(message.body)];
    Ok(Layout { signed_at: Some(time(at, TIME)?), content, ..layout })
}

/// The URL, then names and values of the form sorted by name; other bodies by their hash in the URL's `bodySHA256`.
fn twilio<'a>(message: &Message<'a>) -> Result<Layout<'a>, Refusal> {
    const HEADER: &str = "x-twilio-signature";
    let given = message.required(HEADER)?;
    let kind = message.header("content-type").unwrap_or_default();
    let mut content: Vec<Cow<'a, [u8]>> = vec![message.url.as_bytes().into()];
    if kind.starts_with("application/x-www-form-urlencoded") {
        let mut fields: Vec<_> = url::form_urlencoded::parse(message.body).collect();
        fields.sort();
        fields.dedup();
        for (name, value) in fields {
            content.push(name.into_owned().into_bytes().into());
            content.push(value.into_owned().into_bytes().into());
        }
    } else if !message.body.is_empty() {
        let query = message.url.split_once('?').map_or("", |(_, query)| query);
        let mut hashes = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "bodySHA256");
        let announced = hashes.next().ok_or(Refusal::Malformed(HEADER))?.1;
        if announced.to_ascii_lowercase() != mac::hexadecimal(&Sha256::digest(message.body)) {
            return Err(Refusal::Wrong);
        }
    }
    Ok(Layout { is_sha1: true, ..Layout::new(vec![given.into()], BASE64, content) })
}
