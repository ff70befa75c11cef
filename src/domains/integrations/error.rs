//! What can go wrong with servers of others, and the stable codes of it.

use std::time::Duration;

use crate::common::error::{Code, Coded, FieldError, Kind};
use crate::domains::{audit, credentials, tenants, workflows};
use crate::infrastructure::database;
use crate::infrastructure::http_client::ErrorKind;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the credential's base URL is not an http or https address")]
    BadAddress,
    #[error("the n8n refuses the key, or the key lacks the scope: it answered {0}")]
    KeyRefused(u16),
    #[error("the n8n has no such {0}")]
    NotFound(&'static str),
    #[error("the n8n cannot be reached: {1}")]
    Unreachable(ErrorKind, String),
    #[error("the n8n failed: it answered {0}")]
    Failed(u16),
    #[error("what answered is not the API of an n8n: {0}")]
    NotTheApi(&'static str),
    #[error("the n8n has more than {0} workflows: name those to import")]
    TooMany(usize),
    #[error("the workflow is not active in the n8n, so nothing listens to its webhook")]
    Inactive,
    #[error("the workflow has no {0}")]
    NoWebhook(&'static str),
    #[error(transparent)]
    Credential(#[from] credentials::Error),
    #[error(transparent)]
    Workflow(#[from] workflows::Error),
    #[error(transparent)]
    Tenant(#[from] tenants::Error),
    #[error(transparent)]
    Audit(#[from] audit::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
}

const BAD_ADDRESS: Code = Code::new(Kind::Conflict, "n8n_address_invalid", "Not an address of an n8n");
const KEY_REFUSED: Code = Code::new(Kind::Conflict, "n8n_key_refused", "The n8n refuses the key");
const NOT_FOUND: Code = Code::new(Kind::NotFound, "n8n_not_found", "The n8n does not have it");
const UNREACHABLE: Code = Code::new(Kind::Unavailable, "n8n_unreachable", "The n8n cannot be reached");
const TIMED_OUT: Code = Code::new(Kind::Unavailable, "n8n_timeout", "The n8n did not answer in time");
const FORBIDDEN: Code = Code::new(Kind::Conflict, "n8n_address_forbidden", "The address may not be reached");
const TOO_LARGE: Code = Code::new(Kind::Unavailable, "n8n_answer_too_large", "The answer is too large");
const FAILED: Code = Code::new(Kind::Unavailable, "n8n_failed", "The n8n failed");
const NOT_THE_API: Code = Code::new(Kind::Unavailable, "n8n_answer_invalid", "Not an answer of an n8n");
const TOO_MANY: Code = Code::new(Kind::Invalid, "n8n_too_many_workflows", "Too many workflows");
const INACTIVE: Code = Code::new(Kind::Conflict, "n8n_workflow_inactive", "The workflow is not active");
const NO_WEBHOOK: Code = Code::new(Kind::Invalid, "n8n_webhook_unknown", "No such webhook");

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::BadAddress => BAD_ADDRESS,
            Error::KeyRefused(_) => KEY_REFUSED,
            Error::NotFound(_) => NOT_FOUND,
            Error::Unreachable(ErrorKind::TimedOut, _) => TIMED_OUT,
            Error::Unreachable(ErrorKind::EgressDenied, _) => FORBIDDEN,
            Error::Unreachable(ErrorKind::TooLarge, _) => TOO_LARGE,
            Error::Unreachable(..) => UNREACHABLE,
            Error::Failed(_) => FAILED,
            Error::NotTheApi(_) => NOT_THE_API,
            Error::TooMany(_) => TOO_MANY,
            Error::Inactive => INACTIVE,
            Error::NoWebhook(_) => NO_WEBHOOK,
            Error::Credential(error) => error.code(),
            Error::Workflow(error) => error.code(),
            Error::Tenant(error) => error.code(),
            Error::Audit(error) => error.code(),
            Error::Database(error) => database::code_of(error),
        }
    }

    /// Of our own faults nothing.
    fn detail(&self) -> Option<String> {
        match self {
            Error::Credential(error) => error.detail(),
            Error::Workflow(error) => error.detail(),
            Error::Tenant(error) => error.detail(),
            Error::Audit(error) => error.detail(),
            Error::Database(_) => None,
            own => Some(own.to_string()),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::TooMany(_) => vec![FieldError::new("/workflowIds", "required", self.to_string())],
            Error::NoWebhook(_) => vec![FieldError::new("/node", "unknown", self.to_string())],
            Error::Workflow(error) => error.field_errors(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self.code().kind, Kind::Unavailable).then_some(Duration::from_secs(5))
    }
}
