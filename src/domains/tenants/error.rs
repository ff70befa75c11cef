//! What can go wrong with tenants.

use crate::common::error::INVALID_BODY;
use crate::common::{Code, Coded, FieldError, Kind};
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such tenant")]
    NotFound,
    #[error("the slug is taken by another tenant")]
    SlugTaken,
    #[error("the host name is taken by another tenant")]
    HostTaken,
    #[error("not a host name")]
    InvalidHost { index: usize },
    #[error("the tenants cannot be reached")]
    Database(#[from] database::Error),
    #[error("the change cannot be recorded")]
    Audit(#[from] crate::domains::audit::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => Code::new(Kind::NotFound, "tenant_not_found", "No such tenant"),
            Error::SlugTaken => Code::new(Kind::Conflict, "tenant_slug_taken", "The slug is taken"),
            Error::HostTaken => Code::new(Kind::Conflict, "tenant_host_taken", "The host name is taken"),
            Error::InvalidHost { .. } => INVALID_BODY,
            Error::Database(error) => database::code_of(error),
            Error::Audit(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::InvalidHost { index } => {
                vec![FieldError::new(format!("/hosts/{index}"), "host", "must be a host name without port")]
            }
            _ => Vec::new(),
        }
    }
}
