//! OAuth 1.0a (RFC 5849): a request token for the way, a person's consent, and an access token that lasts.

use serde_json::{Map, Value};
use url::Url;

use super::super::model::Fields;
use super::super::trial::object;
use super::provider::{ProviderError, TIMEOUT, Tokens, http_url};
use crate::common::{Secret, Timestamp};
use crate::infrastructure::crypto::random_token;
use crate::infrastructure::http_client::{Request, Way};

/// The way to a person's consent.
pub(super) struct Departure {
    pub url: Url,
    /// The request token and its secret, needed on the way back.
    pub kept: Secret<String>,
}

/// Asks for a request token. `callback`: where the server sends the person back to.
pub(super) async fn depart(
    way: &Way,
    fields: &Fields,
    callback: &str,
    now: Timestamp,
) -> Result<Departure, ProviderError> {
    let mut url = http_url(&fields.text("authUrl"), "authUrl")?;
    let tokens = ask(way, fields, "requestTokenUrl", &[("oauth_callback", callback)], now).await?;
    url.query_pairs_mut().append_pair("oauth_token", &tokens.expose().text("oauth_token"));
    let kept = Value::Object(tokens.expose().0.clone()).to_string();
    Ok(Departure { url, kept: Secret::new(kept) })
}

/// Exchanges what a person brought back.
pub(super) async fn arrive(
    way: &Way,
    fields: &Fields,
    kept: &Secret<String>,
    verifier: &Secret<String>,
    now: Timestamp,
) -> Result<Tokens, ProviderError> {
    let request_token: Value = serde_json::from_str(kept.expose()).map_err(|_| ProviderError::Unreadable)?;
    let mut fields = fields.clone();
    fields.0.insert(super::super::model::TOKENS.to_owned(), request_token);
    let more = [("oauth_verifier", verifier.expose().as_str())];
    let data = ask(way, &fields, "accessTokenUrl", &more, now).await?;
    Ok(Tokens { data, life: None, scopes: Some(String::new()) })
}

/// A signed request for tokens; of the answer's fields those that matter.
async fn ask(
    way: &Way,
    fields: &Fields,
    address: &'static str,
    more: &[(&str, &str)],
    now: Timestamp,
) -> Result<Secret<Fields>, ProviderError> {
    let url = http_url(&fields.text(address), address)?;
    let nonce = random_token("").map_err(|_| ProviderError::Unreadable)?;
    let seconds = now.as_millis() / 1000;
    let proof = millrace_nodes::oauth1_authorization(&object(fields), &url, more, nonce.expose(), seconds);
    let request = Request {
        method: "POST".to_owned(),
        url: url.into(),
        headers: vec![("authorization".to_owned(), proof)],
        timeout: Some(way.at_most(TIMEOUT)),
        ..Request::default()
    };
    let answer = way.send(request).await.map_err(|error| ProviderError::Unreachable(error.message))?;
    if !(200..300).contains(&answer.status) {
        return Err(ProviderError::Refused(answer.status.to_string()));
    }
    let given: Map<String, Value> = url::form_urlencoded::parse(&answer.body)
        .filter(|(name, _)| matches!(name.as_ref(), "oauth_token" | "oauth_token_secret"))
        .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
        .collect();
    if given.len() == 2 { Ok(Secret::new(Fields(given))) } else { Err(ProviderError::Unreadable) }
}
