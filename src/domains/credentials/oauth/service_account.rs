//! What a service account signs to get an access token (RFC 7523, as Google's token endpoint takes it).

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::super::model::Fields;
use super::provider::ProviderError;
use crate::common::{Secret, Timestamp};

/// The longest life that Google accepts.
const LIFE_SECONDS: i64 = 3600;
/// For credentials that ask for nothing in particular.
const EVERYTHING: &str = "https://www.googleapis.com/auth/cloud-platform";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    /// The person whose rights the account borrows.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
}

/// The scopes a service account asks for, joined by spaces.
pub(super) fn scopes(fields: &Fields) -> String {
    let given = fields.text("scopes");
    let separators = |letter: char| letter == ',' || letter.is_whitespace();
    let given: Vec<_> = given.split(separators).filter(|scope| !scope.is_empty()).collect();
    if given.is_empty() { EVERYTHING.to_owned() } else { given.join(" ") }
}

/// The signed assertion.
pub(super) fn assertion(fields: &Fields, now: Timestamp) -> Result<Secret<String>, ProviderError> {
    // Pasted from JSON, a key has its line ends written out.
    let pem = Secret::new(fields.text("privateKey").replace("\\n", "\n"));
    let key = EncodingKey::from_rsa_pem(pem.expose().trim().as_bytes()).map_err(|_| ProviderError::Key)?;
    let (issuer, audience, scope) = (fields.text("email"), fields.text("accessTokenUrl"), scopes(fields));
    let person = fields.text("delegatedEmail");
    let borrows = fields.0.get("inpersonate") == Some(&serde_json::Value::Bool(true)) && !person.is_empty();
    let iat = now.as_millis() / 1000;
    let claims = Claims {
        iss: issuer.trim(),
        scope: &scope,
        aud: &audience,
        iat,
        exp: iat.saturating_add(LIFE_SECONDS),
        sub: borrows.then_some(person.trim()),
    };
    let signed = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key);
    signed.map(Secret::new).map_err(|_| ProviderError::Key)
}
