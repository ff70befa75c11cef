//! What can go wrong with webhooks. Callers of webhooks are answered as n8n answers them, not with problems: see `reply`.

use crate::common::error::{Code, Coded, Kind};
use crate::domains::{executions, tenants};
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the webhook's node is not part of the workflow any more")]
    NodeGone,
    #[error(transparent)]
    Execution(#[from] executions::Error),
    #[error(transparent)]
    Tenant(#[from] tenants::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NodeGone => crate::common::error::INTERNAL,
            Error::Execution(error) => error.code(),
            Error::Tenant(error) => error.code(),
            Error::Database(error) => database::code_of(error),
        }
    }
}

/// Another workflow of the tenant answers this method and path.
pub(super) const PATH_TAKEN: Code = Code::new(Kind::Conflict, "webhook_path_taken", "The webhook path is taken");
