//! The compact form of tokens: header, payload and signature (RFC 7515), with the errors users of n8n know.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use millrace_model::{ExecutionError, Object, Value};

use super::super::pem;
use super::p521;
use crate::network::http::field;

/// What signs or verifies: a shared secret or a key in PEM.
pub(super) enum Key {
    Secret(String),
    Pem(String),
}

impl Key {
    /// Of a `jwtAuth` credential; the public key when `verifying`.
    pub(super) fn of(credential: &Object, verifying: bool) -> Key {
        if field(credential, "keyType") == "pemKey" {
            let name = if verifying { "publicKey" } else { "privateKey" };
            Key::Pem(pem::normalized(&field(credential, name)))
        } else {
            Key::Secret(field(credential, "secret").to_string())
        }
    }

    fn is_missing(&self) -> bool {
        match self {
            Key::Secret(text) | Key::Pem(text) => text.is_empty(),
        }
    }

    fn encoding(&self, algorithm: Algorithm) -> Result<EncodingKey, ExecutionError> {
        match self {
            Key::Secret(secret) => Ok(EncodingKey::from_secret(secret.as_bytes())),
            Key::Pem(pem) => match family(algorithm) {
                Family::Elliptic => EncodingKey::from_ec_pem(pem.as_bytes()),
                Family::Edwards => EncodingKey::from_ed_pem(pem.as_bytes()),
                Family::Rsa => EncodingKey::from_rsa_pem(pem.as_bytes()),
                Family::Secret => Ok(EncodingKey::from_secret(pem.as_bytes())),
            }
            .map_err(|_| unreadable("private")),
        }
    }

    fn decoding(&self, algorithm: Algorithm) -> Result<DecodingKey, ExecutionError> {
        match self {
            Key::Secret(secret) => Ok(DecodingKey::from_secret(secret.as_bytes())),
            Key::Pem(pem) => match family(algorithm) {
                Family::Elliptic => DecodingKey::from_ec_pem(pem.as_bytes()),
                Family::Edwards => DecodingKey::from_ed_pem(pem.as_bytes()),
                Family::Rsa => DecodingKey::from_rsa_pem(pem.as_bytes()),
                Family::Secret => Ok(DecodingKey::from_secret(pem.as_bytes())),
            }
            .map_err(|_| unreadable("public")),
        }
    }
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signing {
    Es512,
    Other(Algorithm),
}

impl Signing {
    fn name(self) -> String {
        match self {
            Signing::Es512 => "ES512".to_owned(),
            Signing::Other(algorithm) => format!("{algorithm:?}"),
        }
    }

    fn sign(self, message: &[u8], key: &Key) -> Result<String, ExecutionError> {
        match (self, key) {
            (Signing::Es512, Key::Pem(pem) | Key::Secret(pem)) => {
                p521::sign(message, pem).ok_or_else(|| unreadable("private"))
            }
            (Signing::Other(algorithm), key) => crypto::sign(message, &key.encoding(algorithm)?, algorithm)
                .map_err(|error| ExecutionError::operation(format!("Signing failed: {error}"))),
        }
    }

    fn verify(self, signature: &str, message: &[u8], key: &Key) -> Result<bool, ExecutionError> {
        match (self, key) {
            (Signing::Es512, Key::Pem(pem) | Key::Secret(pem)) => {
                p521::verify(signature, message, pem).ok_or_else(|| unreadable("public"))
            }
            (Signing::Other(algorithm), key) => {
                Ok(crypto::verify(signature, message, &key.decoding(algorithm)?, algorithm).unwrap_or(false))
            }
        }
    }
}

enum Family {
    Secret,
    Rsa,
    Elliptic,
    Edwards,
}

fn family(algorithm: Algorithm) -> Family {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Family::Secret,
        Algorithm::ES256 | Algorithm::ES384 => Family::Elliptic,
        Algorithm::EdDSA => Family::Edwards,
        _ => Family::Rsa,
    }
}

pub(super) fn algorithm(name: &str) -> Result<Signing, ExecutionError> {
    let other = || name.parse().ok().map(Signing::Other);
    let found = if name == "ES512" { Some(Signing::Es512) } else { other() };
    found.ok_or_else(|| ExecutionError::operation(format!("The algorithm {name} is not supported")))
}

fn unreadable(which: &str) -> ExecutionError {
    ExecutionError::operation(format!("The {which} key of the credential could not be read"))
}

/// A decoded token.
pub(super) struct Parts {
    pub header: Value,
    pub payload: Value,
    pub signature: String,
}

impl Parts {
    /// All of it as JSON.
    pub(super) fn complete(self) -> Object {
        Object::from([("header", self.header), ("payload", self.payload), ("signature", self.signature.into())])
    }
}

/// Reads a token without verifying it; `None` when it is not one.
pub(super) fn decode(token: &str) -> Option<Parts> {
    let mut parts = token.trim().split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok();
    let header = Value::from_json(&text(header)?).ok()?;
    let payload = text(payload)?;
    let payload = Value::from_json(&payload).unwrap_or_else(|_| payload.into());
    matches!(header, Value::Object(_)).then(|| Parts { header, payload, signature: signature.to_owned() })
}

/// Which times are checked, in seconds.
pub(super) struct Checks {
    pub now: i64,
    pub expiration: bool,
    pub not_before: bool,
    pub tolerance: f64,
}

pub(super) fn verify(token: &str, key: &Key, algorithm: Signing, checks: &Checks) -> Result<Parts, ExecutionError> {
    let refused = |message: &str| ExecutionError::operation(message);
    let token = token.trim();
    let parts = decode(token).ok_or_else(|| refused("invalid token"))?;
    if key.is_missing() {
        return Err(refused("secret or public key must be provided"));
    }
    if parts.signature.is_empty() {
        return Err(refused("jwt signature is required"));
    }
    let named = parts.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if named != algorithm.name() {
        return Err(refused("invalid algorithm"));
    }
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    if !algorithm.verify(&parts.signature, signed.as_bytes(), key)? {
        return Err(refused("The JWT token can't be verified").describe(
            "Be sure that the provided JWT token is correctly encoded and matches the selected credentials",
        ));
    }
    check_times(&parts.payload, checks)?;
    Ok(parts)
}

fn check_times(payload: &Value, checks: &Checks) -> Result<(), ExecutionError> {
    let now = Value::from(checks.now).as_f64().unwrap_or(0.0);
    let time = |claim: &str| payload.get(claim).filter(|value| !value.is_undefined());
    if let Some(start) = time("nbf").filter(|_| checks.not_before) {
        let start = start.as_f64().ok_or_else(|| ExecutionError::operation("invalid nbf value"))?;
        if start > now + checks.tolerance {
            return Err(ExecutionError::operation("jwt not active"));
        }
    }
    if let Some(end) = time("exp").filter(|_| checks.expiration) {
        let end = end.as_f64().ok_or_else(|| ExecutionError::operation("invalid exp value"))?;
        if now >= end + checks.tolerance {
            return Err(ExecutionError::operation("jwt expired"));
        }
    }
    Ok(())
}

/// A signed token; `header` is added to `alg` and `typ`.
pub(super) fn sign(payload: Object, header: Object, key: &Key, algorithm: Signing) -> Result<String, ExecutionError> {
    if key.is_missing() {
        return Err(ExecutionError::operation("secretOrPrivateKey must have a value"));
    }
    let mut full = Object::from([("alg", algorithm.name().into()), ("typ", "JWT".into())]);
    for (name, value) in header.iter() {
        full.insert(name.clone(), value.clone());
    }
    let encode = |object: Object| URL_SAFE_NO_PAD.encode(Value::from(object).to_json());
    let signed = format!("{}.{}", encode(full), encode(payload));
    let signature = algorithm.sign(signed.as_bytes(), key)?;
    Ok(format!("{signed}.{signature}"))
}
