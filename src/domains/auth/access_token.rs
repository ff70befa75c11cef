//! Access tokens: JWTs (RFC 7519) signed with Ed25519. One algorithm, one issuer, one audience; anything else is refused.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::Error;
use crate::common::{Secret, SessionId, TenantId, Timestamp, UserId};
use crate::infrastructure::config;
use crate::infrastructure::crypto::Ed25519;

/// Clocks of replicas may differ this much.
const LEEWAY_SECONDS: i64 = 5;

/// Signs and verifies access tokens.
pub(super) struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
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
    pub(super) fn new(seed: &Secret<[u8; 32]>, config: &config::Auth) -> AccessTokens {
        let key = Ed25519::from_seed(seed);
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.id());
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are compared with the injected clock below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        AccessTokens {
            encoding: EncodingKey::from_ed_der(key.private_der().expose()),
            decoding: DecodingKey::from_ed_der(key.public_bytes()),
            header,
            validation,
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            life_seconds: i64::try_from(config.access_token_seconds).unwrap_or(i64::MAX),
        }
    }

    pub(super) fn sign(&self, subject: Subject, now: Timestamp) -> Result<String, Error> {
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
        jsonwebtoken::encode(&self.header, &claims, &self.encoding).map_err(Error::Signing)
    }

    /// Checks algorithm, key, signature, issuer, audience and times.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Subject, Error> {
        let refused = |reason: &dyn std::fmt::Display| {
            tracing::debug!(%reason, "access token refused");
            Error::InvalidToken
        };
        let data =
            jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).map_err(|error| refused(&error))?;
        if data.header.kid != self.header.kid {
            return Err(refused(&"signed with another key"));
        }
        let claims = data.claims;
        if now.as_seconds() >= claims.exp.saturating_add(LEEWAY_SECONDS) {
            return Err(refused(&"expired"));
        }
        if now.as_seconds().saturating_add(LEEWAY_SECONDS) < claims.nbf {
            return Err(refused(&"not yet valid"));
        }
        Ok(Subject { user: claims.sub, tenant: claims.tid, session: claims.sid })
    }
}
