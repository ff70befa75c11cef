//! What can go wrong with credentials, and the stable codes of it. No text holds a value of a credential.

use super::external::SecretError;
use super::oauth::ProviderError;
use crate::common::error::{Code, Coded, FieldError, INVALID_BODY, Kind};
use crate::domains::{tenants, users};
use crate::infrastructure::crypto::{RandomError, SealError, key_encryption};
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no credential with this id")]
    NotFound,
    #[error("there is no credential type \"{name}\"{}", suggestion(.close))]
    UnknownType { name: String, close: Vec<&'static str> },
    #[error("what was entered does not fit the credential's type")]
    Invalid(Vec<FieldError>),
    #[error("a credential already goes by the id \"{0}\"")]
    IdTaken(String),
    #[error("the credential has changed meanwhile; read it again, and apply the change to that")]
    Changed,
    /// The stored bytes were altered, or belong to another row.
    #[error(
        "the stored fields of this credential do not authenticate: they were altered, or stem from another row; enter them again"
    )]
    Damaged,
    #[error("the credential \"{name}\" is of the type {kind}, the node asks for {wanted}")]
    OtherType { name: String, kind: String, wanted: String },
    #[error("the credential \"{name}\" is not shared with {with}")]
    NotShared { name: String, with: &'static str },
    #[error("several credentials of this type have the name \"{0}\"; choose one in the node")]
    AmbiguousName(String),
    #[error("the node names no credential, and there is none of the type {0}; create one, or choose one in the node")]
    NoneOfType(String),
    #[error("the node names no credential, and there are several of the type {0}; choose one in the node")]
    SeveralOfType(String),
    #[error("the account of the credential \"{0}\" is not connected; connect it")]
    NotConnected(String),
    #[error("{0} has no account to be connected in a browser")]
    NotOAuth(String),
    #[error("the address lacks the state that the authorisation server was given; begin again")]
    StateMissing,
    #[error("nobody was sent away with this state; begin again")]
    StateUnknown,
    #[error("it took longer than ten minutes; begin again")]
    StateExpired,
    #[error("this way back was used before; begin again")]
    StateUsed,
    #[error("another browser began this; begin again in this one, with cookies allowed")]
    OtherBrowser,
    #[error("whoever began this is no member any more who may connect accounts")]
    NoLongerAllowed,
    #[error("the authorisation server sent no code; begin again")]
    CodeMissing,
    #[error("the account's owner did not agree; nothing was changed")]
    ConsentDenied,
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    External(#[from] SecretError),
    #[error("there is no connect session with this id or token")]
    SessionNotFound,
    #[error("the connect session is over; ask for another")]
    SessionExpired,
    #[error("the connect session was used; ask for another")]
    SessionUsed,
    #[error("the encryption keys cannot be used")]
    Keys(#[source] key_encryption::Error),
    #[error(transparent)]
    Tenant(#[from] tenants::Error),
    #[error(transparent)]
    User(#[from] users::Error),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

fn suggestion(close: &[&str]) -> String {
    if close.is_empty() { String::new() } else { format!("; did you mean {}?", close.join(", ")) }
}

const NOT_FOUND: Code = Code::new(Kind::NotFound, "credential_not_found", "No such credential");
const UNKNOWN_TYPE: Code = Code::new(Kind::NotFound, "credential_type_not_found", "No such credential type");
const ID_TAKEN: Code = Code::new(Kind::Conflict, "credential_id_taken", "The id is taken");
const CHANGED: Code = Code::new(Kind::Conflict, "credential_changed", "The credential has changed meanwhile");
const DAMAGED: Code = Code::new(Kind::Conflict, "credential_damaged", "The stored credential is damaged");
const OTHER_TYPE: Code = Code::new(Kind::Conflict, "credential_other_type", "The credential is of another type");
const NOT_SHARED: Code = Code::new(Kind::Forbidden, "credential_not_shared", "The credential is not shared");
const AMBIGUOUS: Code = Code::new(Kind::Conflict, "credential_name_ambiguous", "Several credentials have the name");
const NONE_OF_TYPE: Code = Code::new(Kind::Conflict, "credential_missing", "The node needs a credential");
const SEVERAL_OF_TYPE: Code = Code::new(Kind::Conflict, "credential_not_chosen", "The node chooses no credential");
const NOT_CONNECTED: Code = Code::new(Kind::Conflict, "credential_not_connected", "The account is not connected");
const NOT_OAUTH: Code = Code::new(Kind::Conflict, "credential_not_oauth", "Nothing to connect");
const STATE_MISSING: Code = Code::new(Kind::BadRequest, "oauth_state_missing", "The state is missing");
const STATE_UNKNOWN: Code = Code::new(Kind::BadRequest, "oauth_state_unknown", "The state is unknown");
const STATE_EXPIRED: Code = Code::new(Kind::BadRequest, "oauth_state_expired", "It took too long");
const STATE_USED: Code = Code::new(Kind::Conflict, "oauth_state_used", "The state was used before");
const OTHER_BROWSER: Code = Code::new(Kind::Forbidden, "oauth_other_browser", "Another browser began this");
const NO_LONGER_ALLOWED: Code = Code::new(Kind::Forbidden, "oauth_no_longer_allowed", "Not permitted any more");
const CODE_MISSING: Code = Code::new(Kind::BadRequest, "oauth_code_missing", "The code is missing");
const CONSENT_DENIED: Code = Code::new(Kind::BadRequest, "oauth_consent_denied", "Consent was denied");
const PROVIDER_URL: Code = Code::new(Kind::Invalid, "oauth_provider_url", "An address of the credential is none");
const KEY_UNUSABLE: Code =
    Code::new(Kind::Conflict, "credential_key_unusable", "A key of the credential cannot be used");
const PROVIDER_REFUSED: Code = Code::new(Kind::Conflict, "oauth_provider_refused", "The authorisation server refuses");
const PROVIDER_UNREACHABLE: Code =
    Code::new(Kind::Unavailable, "oauth_provider_unreachable", "The authorisation server does not answer");
const PROVIDER_UNREADABLE: Code =
    Code::new(Kind::Unavailable, "oauth_provider_unreadable", "The authorisation server's answer is no answer");
const SECRET_MISSING: Code = Code::new(Kind::Conflict, "external_secret_missing", "An external secret is missing");
const SECRET_UNREACHABLE: Code =
    Code::new(Kind::Unavailable, "external_secret_unreachable", "A provider of secrets does not answer");
const SESSION_NOT_FOUND: Code = Code::new(Kind::NotFound, "connect_session_not_found", "No such connect session");
const SESSION_EXPIRED: Code = Code::new(Kind::Conflict, "connect_session_expired", "The connect session is over");
const SESSION_USED: Code = Code::new(Kind::Conflict, "connect_session_used", "The connect session was used");
const KEYS_FIXED: Code = Code::new(Kind::Conflict, "encryption_keys_fixed", "The keys are changed elsewhere");
const KEYS: Code = Code::new(Kind::Unavailable, "encryption_keys_unavailable", "The encryption keys cannot be used");

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => NOT_FOUND,
            Error::UnknownType { .. } => UNKNOWN_TYPE,
            Error::Invalid(_) => INVALID_BODY,
            Error::IdTaken(_) => ID_TAKEN,
            Error::Changed => CHANGED,
            Error::Damaged => DAMAGED,
            Error::OtherType { .. } => OTHER_TYPE,
            Error::NotShared { .. } => NOT_SHARED,
            Error::AmbiguousName(_) => AMBIGUOUS,
            Error::NoneOfType(_) => NONE_OF_TYPE,
            Error::SeveralOfType(_) => SEVERAL_OF_TYPE,
            Error::NotConnected(_) => NOT_CONNECTED,
            Error::NotOAuth(_) => NOT_OAUTH,
            Error::StateMissing => STATE_MISSING,
            Error::StateUnknown => STATE_UNKNOWN,
            Error::StateExpired => STATE_EXPIRED,
            Error::StateUsed => STATE_USED,
            Error::OtherBrowser => OTHER_BROWSER,
            Error::NoLongerAllowed => NO_LONGER_ALLOWED,
            Error::CodeMissing => CODE_MISSING,
            Error::ConsentDenied => CONSENT_DENIED,
            Error::Provider(ProviderError::Url(_)) => PROVIDER_URL,
            Error::Provider(ProviderError::Key) => KEY_UNUSABLE,
            Error::Provider(ProviderError::Refused(_)) => PROVIDER_REFUSED,
            Error::Provider(ProviderError::Unreachable(_)) => PROVIDER_UNREACHABLE,
            Error::Provider(ProviderError::Unreadable) => PROVIDER_UNREADABLE,
            Error::External(SecretError::Unreachable(..)) => SECRET_UNREACHABLE,
            Error::External(_) => SECRET_MISSING,
            Error::SessionNotFound => SESSION_NOT_FOUND,
            Error::SessionExpired => SESSION_EXPIRED,
            Error::SessionUsed => SESSION_USED,
            Error::Keys(key_encryption::Error::Fixed) => KEYS_FIXED,
            Error::Keys(_) => KEYS,
            Error::Tenant(error) => error.code(),
            Error::User(error) => error.code(),
            Error::Random(_) => crate::common::error::INTERNAL,
            Error::Database(error) => database::code_of(error),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::Invalid(errors) => errors.clone(),
            _ => Vec::new(),
        }
    }
}

impl From<key_encryption::Error> for Error {
    fn from(error: key_encryption::Error) -> Error {
        Error::Keys(error)
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Error {
        match error {
            SealError::NotAuthentic => Error::Damaged,
            SealError::Random(error) => Error::Random(error),
            SealError::TooLarge => Error::Invalid(vec![FieldError::new("/data", "length", "is too large")]),
        }
    }
}
