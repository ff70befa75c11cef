//! Words of signing in that are stored.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// With the password of the account: the person may do with the account what they like, in every tenant of theirs.
    Password,
    /// By the tenant's identity provider, which speaks for this tenant only.
    Sso,
}

/// What a mailed token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    PasswordReset,
    EmailVerification,
}

/// The text is none of the stored words.
#[derive(Debug, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownWord;

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Password => "password",
            Method::Sso => "sso",
        }
    }
}

impl Purpose {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Purpose::PasswordReset => "passwordReset",
            Purpose::EmailVerification => "emailVerification",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Method, UnknownWord> {
        [Method::Password, Method::Sso].into_iter().find(|word| word.as_str() == text).ok_or(UnknownWord)
    }
}

impl FromStr for Purpose {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Purpose, UnknownWord> {
        let known = [Purpose::PasswordReset, Purpose::EmailVerification];
        known.into_iter().find(|word| word.as_str() == text).ok_or(UnknownWord)
    }
}
