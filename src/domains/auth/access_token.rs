//! Access tokens: JWTs (RFC 7519) signed with Ed25519. One algorithm, one issuer, one audience, a key of ours; anything else is
//! refused.

use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::Error;
use super::signing_keys::{KeySet, SigningKey};
use crate::common::{SessionId, TenantId, Timestamp, UserId};
use crate::infrastructure::config;

/// Clocks of replicas may differ this much.
pub(super) const LEEWAY_SECONDS: i64 = 5;

/// Signs and verifies access tokens.
pub(super) struct AccessTokens {
    validation: Validation,
    issuer: String,
    audience: String,
    life_seconds: i64,
}

/// What a verified token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) user: UserId,
    pub(super) tenant: TenantId,
    pub(super) session: SessionId,
}

/// Why a token is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// By these keys; a newer set may hold the one it names.
    UnknownKey,
    Invalid,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    tid: TenantId,
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
}

impl AccessTokens {
    pub(super) fn new(config: &config::Auth) -> AccessTokens {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are compared with the injected clock below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        AccessTokens {
            validation,
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            life_seconds: i64::try_from(config.access_token_seconds).unwrap_or(i64::MAX),
        }
    }

    pub(super) fn sign(&self, key: &SigningKey, subject: Subject, now: Timestamp) -> Result<String, Error> {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: subject.user,
            tid: subject.tenant,
            sid: subject.session,
            iat: now.as_seconds(),
            nbf: now.as_seconds(),
            exp: now.as_seconds().saturating_add(self.life_seconds),
            jti: Uuid::now_v7(),
        };
        let header = Header { kid: Some(key.id().to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, key.encoding()).map_err(Error::Signing)
    }

    /// Checks algorithm, key, signature, issuer, audience and times.
    pub(super) fn verify(&self, keys: &KeySet, token: &str, now: Timestamp) -> Result<Subject, Refused> {
        let refused = |reason: &dyn std::fmt::Display| {
            tracing::debug!(%reason, "access token refused");
            Refused::Invalid
        };
        let header = jsonwebtoken::decode_header(token).map_err(|error| refused(&error))?;
        let key = keys.find(header.kid.as_deref().unwrap_or_default()).ok_or(Refused::UnknownKey)?;
        let data = jsonwebtoken::decode::<Claims>(token, key.decoding(), &self.validation);
        let claims = data.map_err(|error| refused(&error))?.claims;
        if now.as_seconds() >= claims.exp.saturating_add(LEEWAY_SECONDS) {
            return Err(refused(&"expired"));
        }
        if now.as_seconds().saturating_add(LEEWAY_SECONDS) < claims.nbf {
            return Err(refused(&"not yet valid"));
        }
        Ok(Subject { user: claims.sub, tenant: claims.tid, session: claims.sid })
    }
}
