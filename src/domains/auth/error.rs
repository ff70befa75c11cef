//! What can go wrong with signing in.

use std::time::Duration;

use crate::common::error::{INTERNAL, INVALID_BODY};
use crate::common::{Code, Coded, FieldError, Kind, Permissions};
use crate::domains::{tenants, users};
use crate::infrastructure::{cache, crypto, database};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Unknown user, wrong password, no membership: one answer for all.
    #[error("the e-mail address or the password is wrong")]
    WrongLogin,
    #[error("the access token is not valid")]
    InvalidToken,
    #[error("the API key is not valid")]
    InvalidApiKey,
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    #[error("the address has to be verified first, with the link that was mailed to it")]
    EmailNotVerified,
    #[error("the account asks for a code of its authenticator, or a recovery code")]
    CodeNeeded,
    #[error("the code is wrong, or was used before")]
    WrongCode,
    #[error("the password is wrong")]
    WrongPassword,
    #[error("the link has expired, or was used before")]
    InvalidLink,
    #[error("the second factor is on already; switch it off first")]
    SecondFactorActive,
    #[error("there is no second factor in the state that this needs")]
    NoSecondFactor,
    #[error("the tenant has no identity provider")]
    NoIdentityProvider,
    #[error("not an issuer")]
    InvalidIssuer,
    /// Whatever it was: the log says more.
    #[error("the sign-in by the identity provider did not succeed; begin it again")]
    SsoFailed,
    #[error("the identity provider knows you, but this tenant does not")]
    SsoNotAllowed,
    #[error("the identity provider cannot be reached, or is set up wrongly")]
    IdentityProvider(String),
    #[error("a login by one tenant's identity provider reaches no other tenant; sign in there")]
    LoginOfOneTenant,
    #[error("there is no such login")]
    SessionNotFound,
    #[error("too many failed attempts")]
    LockedOut { wait: Duration },
    #[error("registration is switched off")]
    RegistrationClosed,
    #[error("the password is too short or too long")]
    PasswordLength { pointer: &'static str, minimum: usize, maximum: usize },
    #[error("not a slug")]
    InvalidSlug,
    #[error("an API key cannot hold a permission that its maker lacks")]
    BeyondOwnPermissions { missing: Permissions },
    #[error("the time of expiry has passed")]
    ExpiryInThePast,
    #[error("the caller is a member of no such tenant")]
    NoSuchMembership,
    #[error("there is no such API key")]
    ApiKeyNotFound,
    #[error("only a signed-in person can do this, not an API key")]
    PersonNeeded,
    #[error(transparent)]
    User(#[from] users::Error),
    #[error(transparent)]
    Tenant(#[from] tenants::Error),
    #[error("logins cannot be reached")]
    Database(#[from] database::Error),
    #[error("attempts cannot be counted")]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Password(#[from] crypto::PasswordError),
    #[error(transparent)]
    Random(#[from] crypto::RandomError),
    #[error(transparent)]
    Seal(#[from] crypto::SealError),
    #[error("a signing key cannot be read")]
    UnreadableKey,
    #[error("the authenticator's secret cannot be used: {0}")]
    Authenticator(String),
    #[error("the token cannot be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::WrongLogin => Code::new(Kind::Unauthenticated, "wrong_login", "Wrong e-mail address or password"),
            Error::InvalidToken => Code::new(Kind::Unauthenticated, "invalid_token", "The access token is not valid"),
            Error::InvalidApiKey => Code::new(Kind::Unauthenticated, "invalid_api_key", "The API key is not valid"),
            Error::InvalidRefreshToken => {
                Code::new(Kind::Unauthenticated, "invalid_refresh_token", "The refresh token is not valid")
            }
            Error::EmailNotVerified => Code::new(Kind::Forbidden, "email_not_verified", "The address is not verified"),
            Error::CodeNeeded => Code::new(Kind::Unauthenticated, "code_needed", "A one-time code is needed"),
            Error::WrongCode => Code::new(Kind::Forbidden, "wrong_code", "Wrong code"),
            Error::WrongPassword => Code::new(Kind::Forbidden, "wrong_password", "Wrong password"),
            Error::InvalidLink => Code::new(Kind::Unauthenticated, "invalid_link", "The link does not work"),
            Error::SecondFactorActive => Code::new(Kind::Conflict, "second_factor_active", "The second factor is on"),
            Error::NoSecondFactor => Code::new(Kind::Conflict, "no_second_factor", "No second factor to act on"),
            Error::NoIdentityProvider => {
                Code::new(Kind::NotFound, "no_identity_provider", "The tenant has no identity provider")
            }
            Error::InvalidIssuer => INVALID_BODY,
            Error::SsoFailed => Code::new(Kind::Unauthenticated, "sso_failed", "The sign-in did not succeed"),
            Error::LoginOfOneTenant => Code::new(Kind::Forbidden, "login_of_one_tenant", "A login of one tenant"),
            Error::SsoNotAllowed => Code::new(Kind::Forbidden, "sso_not_allowed", "No member of this tenant"),
            Error::IdentityProvider(_) => {
                Code::new(Kind::Unavailable, "identity_provider_unavailable", "The identity provider cannot be used")
            }
            Error::SessionNotFound => Code::new(Kind::NotFound, "session_not_found", "No such login"),
            Error::LockedOut { .. } => Code::new(Kind::TooManyRequests, "locked_out", "Too many failed attempts"),
            Error::RegistrationClosed => Code::new(Kind::Forbidden, "registration_closed", "Registration is off"),
            Error::PasswordLength { .. } | Error::InvalidSlug | Error::ExpiryInThePast => INVALID_BODY,
            Error::BeyondOwnPermissions { .. } => {
                Code::new(Kind::Forbidden, "beyond_own_permissions", "More than the caller may do")
            }
            Error::NoSuchMembership => Code::new(Kind::NotFound, "membership_not_found", "No such membership"),
            Error::ApiKeyNotFound => Code::new(Kind::NotFound, "api_key_not_found", "No such API key"),
            Error::PersonNeeded => Code::new(Kind::Forbidden, "person_needed", "Not possible with an API key"),
            Error::User(error) => error.code(),
            Error::Tenant(error) => error.code(),
            Error::Database(error) => database::code_of(error),
            Error::Cache(error) => error.code(),
            Error::Password(_)
            | Error::Random(_)
            | Error::Seal(_)
            | Error::UnreadableKey
            | Error::Authenticator(_)
            | Error::Signing(_) => INTERNAL,
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::PasswordLength { pointer, minimum, maximum } => {
                let message = format!("must be between {minimum} and {maximum} characters long");
                vec![FieldError::new(*pointer, "length", message)]
            }
            Error::InvalidSlug => vec![FieldError::new(
                "/tenantSlug",
                "slug",
                "must be 2–40 of a–z, 0–9 and hyphen, not beginning or ending with a hyphen",
            )],
            Error::InvalidIssuer => {
                let message = "must be an https URL without query, fragment or credentials";
                vec![FieldError::new("/issuer", "issuer", message)]
            }
            Error::ExpiryInThePast => vec![FieldError::new("/expiresAt", "past", "must be in the future")],
            Error::BeyondOwnPermissions { missing } => {
                let list = missing.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(", ");
                vec![FieldError::new("/permissions", "beyond_own_permissions", format!("the caller lacks {list}"))]
            }
            Error::User(error) => error.field_errors(),
            Error::Tenant(error) => error.field_errors(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::LockedOut { wait } => Some(*wait),
            _ => None,
        }
    }
}
