//! OAuth 1.0a request signatures (RFC 5849).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use millrace_model::{Object, Str, Value};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use url::Url;

use super::query::encode_component as encode;
use super::{Draft, DraftBody, field};

/// The four secrets of a signature and its method.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    consumer_key: Str,
    consumer_secret: Str,
    token: Str,
    token_secret: Str,
    method: Str,
}

impl Keys {
    pub(super) fn of(data: &Object) -> Keys {
        let tokens = data.get("oauthTokenData").and_then(Value::as_object).cloned().unwrap_or_default();
        Keys {
            consumer_key: field(data, "consumerKey"),
            consumer_secret: field(data, "consumerSecret"),
            token: field(&tokens, "oauth_token"),
            token_secret: field(&tokens, "oauth_token_secret"),
            method: Some(field(data, "signatureMethod"))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "HMAC-SHA1".into()),
        }
    }

    /// The `Authorization` header for a request; `seconds` since the epoch.
    pub(super) fn sign(&self, draft: &Draft, url: &Url, nonce: &[u8], seconds: i64) -> String {
        let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let form = match &draft.body {
            DraftBody::Form(fields) => {
                fields.iter().map(|(name, value)| (name.to_string(), value.to_js_string().to_string())).collect()
            }
            _ => Vec::new(),
        };
        self.header(&draft.request.method, url, self.parameters(&nonce, seconds), form)
    }

    /// The `Authorization` header of a request without a body that asks for tokens (RFC 5849, section 2).
    fn asking(&self, method: &str, url: &Url, more: &[(&str, &str)], nonce: &str, seconds: i64) -> String {
        let mut oauth = self.parameters(nonce, seconds);
        oauth.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.header(method, url, oauth, Vec::new())
    }

    /// What every signed request says of itself.
    fn parameters(&self, nonce: &str, seconds: i64) -> Vec<(String, String)> {
        let mut oauth = vec![
            ("oauth_consumer_key".to_owned(), self.consumer_key.to_string()),
            ("oauth_nonce".to_owned(), nonce.to_owned()),
            ("oauth_signature_method".to_owned(), self.method.to_string()),
            ("oauth_timestamp".to_owned(), seconds.to_string()),
            ("oauth_version".to_owned(), "1.0".to_owned()),
        ];
        if !self.token.is_empty() {
            oauth.push(("oauth_token".to_owned(), self.token.to_string()));
        }
        oauth
    }

    /// `signed`: what is signed besides, such as the fields of a form.
    fn header(
        &self,
        method: &str,
        url: &Url,
        mut oauth: Vec<(String, String)>,
        mut signed: Vec<(String, String)>,
    ) -> String {
        signed.extend(oauth.iter().cloned());
        signed.extend(url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())));
        oauth.push(("oauth_signature".to_owned(), self.signature(method, url, signed)));
        let fields: Vec<String> =
            oauth.iter().map(|(name, value)| format!("{}=\"{}\"", encode(name), encode(value))).collect();
        format!("OAuth {}", fields.join(", "))
    }

    fn signature(&self, method: &str, url: &Url, parameters: Vec<(String, String)>) -> String {
        let mut encoded: Vec<(String, String)> =
            parameters.iter().map(|(name, value)| (encode(name), encode(value))).collect();
        encoded.sort();
        let joined: Vec<String> = encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut base_url = url.clone();
        base_url.set_query(None);
        base_url.set_fragment(None);
        let base = format!("{}&{}&{}", method.to_uppercase(), encode(base_url.as_str()), encode(&joined.join("&")));
        let key = format!("{}&{}", encode(&self.consumer_secret), encode(&self.token_secret));
        match self.method.as_str() {
            "PLAINTEXT" => key,
            "HMAC-SHA256" => keyed_hash::<Hmac<Sha256>>(&key, &base),
            "HMAC-SHA512" => keyed_hash::<Hmac<Sha512>>(&key, &base),
            _ => keyed_hash::<Hmac<Sha1>>(&key, &base),
        }
    }
}

/// The `Authorization` header of a POST without a body that asks a server for tokens; `data`: the fields of a credential,
/// with the tokens it has so far; `more`: such as `oauth_callback`; `seconds` since the epoch.
pub fn authorization(data: &Object, url: &Url, more: &[(&str, &str)], nonce: &str, seconds: i64) -> String {
    Keys::of(data).asking("POST", url, more, nonce, seconds)
}

/// Base64 of the keyed hash of a text.
fn keyed_hash<M: Mac + KeyInit>(key: &str, text: &str) -> String {
    // A keyed hash takes a key of any length.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature base string and result of RFC 5849 §1.2.
    #[test]
    fn signs_as_the_rfc_does() {
        let keys = Keys {
            consumer_key: "dpf43f3p2l4k3l03".into(),
            consumer_secret: "kd94hf93k423kf44".into(),
            token: "nnch734d00sl2jdk".into(),
            token_secret: "pfkkdhi9sl3r4s00".into(),
            method: "HMAC-SHA1".into(),
        };
        let url = Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
        let parameters = [
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
            ("file", "vacation.jpg"),
            ("size", "original"),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(keys.signature("GET", &url, parameters), "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
    }
}
