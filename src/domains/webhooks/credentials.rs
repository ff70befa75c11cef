//! Credentials that callers of a webhook show: basic (RFC 7617), a header, or a JSON web token (RFC 7519). Answers are
//! n8n's: 401 where there are none, 403 where they are wrong. Pure.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use millrace_model::{Object, Str, Value};
use millrace_nodes::webhook as node;
use subtle::ConstantTimeEq;

use super::reply::Reply;
use super::settings::Authentication;
use crate::common::{Secret, Timestamp};

/// Ready to check callers.
pub(super) enum Credentials {
    Basic { expected: Secret<String> },
    Header { name: Str, value: Secret<String> },
    Jwt { key: Box<DecodingKey>, validation: Box<Validation> },
}

/// What a token is checked against is no secret worth hiding, but a key is.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Credentials::Basic { .. } => "basic",
            Credentials::Header { .. } => "header",
            Credentials::Jwt { .. } => "jwt",
        })
    }
}

impl Credentials {
    /// `None`: the secret cannot be used so.
    pub(super) fn new(settings: &Authentication, secret: &Secret<String>) -> Option<Credentials> {
        Some(match settings {
            Authentication::Basic { user } => {
                Credentials::Basic { expected: Secret::new(format!("{user}:{}", secret.expose())) }
            }
            Authentication::Header { name } => {
                Credentials::Header { name: name.to_ascii_lowercase().into(), value: secret.clone() }
            }
            Authentication::Jwt { algorithm } => {
                let mut validation = Validation::new(*algorithm);
                // Times are checked by the server's own clock, below; n8n asks for no claim.
                (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
                validation.required_spec_claims.clear();
                let key = Box::new(key(*algorithm, secret.expose())?);
                Credentials::Jwt { key, validation: Box::new(validation) }
            }
        })
    }

    /// Of a stored credential's fields. `None`: they cannot be used so.
    pub(super) fn stored(kind: node::Authentication, data: &Object) -> Option<Credentials> {
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (settings, secret) = match kind {
            node::Authentication::None => return None,
            node::Authentication::Basic => (Authentication::Basic { user: text("user") }, text("password")),
            node::Authentication::Header => (Authentication::Header { name: text("name") }, text("value")),
            node::Authentication::Jwt => {
                let algorithm = match text("algorithm").as_str() {
                    "" => Algorithm::HS256,
                    name => name.parse().ok()?,
                };
                let is_shared = matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
                let is_pem = text("keyType") == "pemKey";
                // A public key is no secret: it must not be taken for one.
                if is_shared == is_pem {
                    return None;
                }
                (Authentication::Jwt { algorithm }, text(if is_pem { "publicKey" } else { "secret" }))
            }
        };
        if secret.is_empty() {
            return None;
        }
        Credentials::new(&settings, &Secret::new(secret))
    }

    /// The name of the header that they are shown in, in lower case.
    pub(super) fn shown_in(&self) -> &str {
        match self {
            Credentials::Header { name, .. } => name,
            Credentials::Basic { .. } | Credentials::Jwt { .. } => "authorization",
        }
    }

    /// The header that shows them. `None`: tokens are made by others.
    pub(super) fn header(&self) -> Option<(Str, Str)> {
        match self {
            Credentials::Basic { expected } => {
                let encoded = BASE64_STANDARD.encode(expected.expose());
                Some(("authorization".into(), ecow::eco_format!("Basic {encoded}")))
            }
            Credentials::Header { name, value } => Some((name.clone(), value.expose().as_str().into())),
            Credentials::Jwt { .. } => None,
        }
    }

    /// Lets a caller in, with the claims of its token where it showed one.
    pub(super) fn check(&self, headers: &[(Str, Str)], now: Timestamp) -> Result<Option<Value>, Reply> {
        let given = |name: &str| headers.iter().find(|(present, _)| present == name).map(|(_, value)| value.trim());
        match self {
            Credentials::Basic { expected } => {
                let shown = given("authorization").and_then(|value| of_scheme(value, "basic")).ok_or_else(challenge)?;
                let shown = BASE64_STANDARD.decode(shown).map_err(|_| wrong())?;
                if shown.ct_eq(expected.expose().as_bytes()).into() { Ok(None) } else { Err(wrong()) }
            }
            Credentials::Header { name, value } => {
                let shown = given(name).ok_or_else(wrong)?;
                if shown.as_bytes().ct_eq(value.expose().as_bytes()).into() { Ok(None) } else { Err(wrong()) }
            }
            Credentials::Jwt { key, validation } => {
                let token = given("authorization").and_then(|value| of_scheme(value, "bearer"));
                let token = token.ok_or_else(|| Reply::error(401, "No token provided", None))?;
                claims(token, key, validation, now.as_seconds()).map(Some).ok_or_else(wrong)
            }
        }
    }
}

fn claims(token: &str, key: &DecodingKey, validation: &Validation, now: i64) -> Option<Value> {
    let claims = jsonwebtoken::decode::<serde_json::Value>(token, key, validation).ok()?.claims;
    // A time that is no number is no time: the token does not count.
    let time = |name: &str| claims.get(name).map(|time| time.as_f64()).map_or(Some(None), |time| time.map(Some));
    // Whole seconds: enough until 2106.
    let now: f64 = u32::try_from(now).map_or(f64::MAX, f64::from);
    if time("exp")?.is_some_and(|expires| expires <= now) || time("nbf")?.is_some_and(|begins| begins > now) {
        return None;
    }
    Value::from_json(&claims.to_string()).ok()
}

fn key(algorithm: Algorithm, secret: &str) -> Option<DecodingKey> {
    let pem = secret.as_bytes();
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Some(DecodingKey::from_secret(pem)),
        Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(pem).ok(),
        Algorithm::EdDSA => DecodingKey::from_ed_pem(pem).ok(),
        _ => DecodingKey::from_rsa_pem(pem).ok(),
    }
}

fn of_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = value.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn challenge() -> Reply {
    let mut reply = Reply::error(401, "Authorization is required!", None);
    reply.headers.push(("www-authenticate".into(), "Basic realm=\"Webhook\"".into()));
    reply
}

fn wrong() -> Reply {
    Reply::error(403, "Authorization data is wrong!", None)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_738_310_400_000);

    fn outcome(settings: &Authentication, secret: &str, shown: Option<(&str, &str)>) -> u16 {
        let credentials = Credentials::new(settings, &Secret::new(secret.to_owned())).unwrap();
        let headers: Vec<(Str, Str)> = shown.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        credentials.check(&headers, NOW).map_or_else(|reply| reply.status, |_| 200)
    }

    #[test]
    fn callers_are_let_in_by_what_they_show() {
        let basic = Authentication::Basic { user: "ann".to_owned() };
        let header = Authentication::Header { name: "X-Token".to_owned() };
        for (settings, shown, expected) in [
            (&basic, Some(("authorization", "Basic YW5uOmh1c2g=")), 200),
            (&basic, Some(("authorization", "basic YW5uOmh1c2g=")), 200),
            (&basic, Some(("authorization", "Basic YW5uOmh1c2gy")), 403),
            (&basic, Some(("authorization", "Basic ***")), 403),
            (&basic, Some(("authorization", "Bearer YW5uOmh1c2g=")), 401),
            (&basic, None, 401),
            (&header, Some(("x-token", "hush")), 200),
            (&header, Some(("x-token", "hus")), 403),
            (&header, None, 403),
        ] {
            assert_eq!(outcome(settings, "hush", shown), expected, "{settings:?} {shown:?}");
        }
    }

    #[test]
    fn stored_credentials_are_of_use_or_let_nobody_in() {
        for (kind, data, is_usable) in [
            (node::Authentication::Basic, vec![("user", "ann"), ("password", "hush")], true),
            (node::Authentication::Basic, vec![("user", "ann")], false),
            (node::Authentication::Header, vec![("name", "X-Token"), ("value", "hush")], true),
            (node::Authentication::Header, vec![("name", "X-Token")], false),
            (node::Authentication::Jwt, vec![("keyType", "passphrase"), ("secret", "hush")], true),
            (node::Authentication::Jwt, vec![("secret", "hush"), ("algorithm", "HS512")], true),
            (node::Authentication::Jwt, vec![("secret", "hush"), ("algorithm", "none")], false),
            (node::Authentication::Jwt, vec![("secret", "hush"), ("algorithm", "RS256")], false),
            (node::Authentication::Jwt, vec![("keyType", "pemKey"), ("publicKey", "hush")], false),
        ] {
            let data: Object = data.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(Credentials::stored(kind, &data).is_some(), is_usable, "{kind:?} {data:?}");
        }
    }

    #[test]
    fn tokens_count_after_2038() {
        let key = DecodingKey::from_secret(b"hush");
        let Some(Credentials::Jwt { validation, .. }) =
            Credentials::new(&Authentication::Jwt { algorithm: Algorithm::HS256 }, &Secret::new("hush".to_owned()))
        else {
            panic!("no token")
        };
        let later = 2_147_483_648 + 10;
        let token =
            |exp: i64| encode(&Header::default(), &json!({ "exp": exp }), &EncodingKey::from_secret(b"hush")).unwrap();
        assert!(claims(&token(later + 1), &key, &validation, later).is_some());
        assert!(claims(&token(later - 1), &key, &validation, later).is_none());
    }

    #[test]
    fn tokens_count_while_they_last_and_with_their_algorithm_only() {
        let settings = Authentication::Jwt { algorithm: Algorithm::HS256 };
        let now = NOW.as_seconds();
        let token = |algorithm, claims: serde_json::Value, secret: &str| {
            let key = EncodingKey::from_secret(secret.as_bytes());
            format!("Bearer {}", encode(&Header::new(algorithm), &claims, &key).unwrap())
        };
        for (shown, expected) in [
            (token(Algorithm::HS256, json!({ "sub": "a", "exp": now + 1 }), "hush"), 200),
            (token(Algorithm::HS256, json!({}), "hush"), 200),
            (token(Algorithm::HS256, json!({ "exp": now }), "hush"), 403),
            (token(Algorithm::HS256, json!({ "exp": "2099-01-01" }), "hush"), 403),
            (token(Algorithm::HS256, json!({ "exp": (now + 9).to_string() }), "hush"), 403),
            (token(Algorithm::HS256, json!({ "exp": 4_000_000_000_u64 }), "hush"), 200),
            (token(Algorithm::HS256, json!({ "nbf": now + 60 }), "hush"), 403),
            (token(Algorithm::HS256, json!({}), "other"), 403),
            (token(Algorithm::HS512, json!({}), "hush"), 403),
            // {"alg":"none"}
            ("Bearer eyJhbGciOiJub25lIn0.e30.".to_owned(), 403),
            ("Bearer nonsense".to_owned(), 403),
        ] {
            assert_eq!(outcome(&settings, "hush", Some(("authorization", &shown))), expected, "{shown}");
        }
        assert_eq!(outcome(&settings, "hush", None), 401);
        let rsa = Authentication::Jwt { algorithm: Algorithm::RS256 };
        assert!(Credentials::new(&rsa, &Secret::new("no key".to_owned())).is_none());
    }
}
