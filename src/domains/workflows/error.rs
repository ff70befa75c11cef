//! What can go wrong with workflows, and the stable codes of it.

use millrace_model::Problem;

use super::import::Unreadable;
use crate::common::error::{Code, Coded, FieldError, Kind};
use crate::domains::tenants;
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no workflow with this id")]
    NotFound,
    #[error("there is no such version of the workflow")]
    VersionNotFound,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the document is not a workflow that can be kept")]
    Invalid(Vec<Problem>),
    #[error("the workflow cannot run")]
    NotRunnable(Vec<Problem>),
    #[error("the workflow has changed since it was read: its current version is {0}")]
    Outdated(crate::common::WorkflowVersionId),
    #[error("another workflow already goes by the id \"{0}\"")]
    IdTaken(String),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Tenant(#[from] tenants::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// Why a hook refuses an activation.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Somebody else has what the workflow asks for.
    #[error("{message}")]
    Conflict { code: Code, message: String, problems: Vec<Problem> },
    /// What the workflow asks for cannot be given.
    #[error("the workflow cannot be activated")]
    Invalid(Vec<Problem>),
    #[error(transparent)]
    Database(#[from] database::Error),
}

const NOT_FOUND: Code = Code::new(Kind::NotFound, "workflow_not_found", "No such workflow");
const VERSION_NOT_FOUND: Code = Code::new(Kind::NotFound, "workflow_version_not_found", "No such workflow version");
const UNREADABLE: Code = Code::new(Kind::BadRequest, "import_unreadable", "Not an import");
const INVALID: Code = Code::new(Kind::Invalid, "workflow_invalid", "Not a valid workflow");
const NOT_RUNNABLE: Code = Code::new(Kind::Invalid, "workflow_not_runnable", "The workflow cannot run");
const OUTDATED: Code = Code::new(Kind::Conflict, "workflow_outdated", "The workflow has changed meanwhile");
const ID_TAKEN: Code = Code::new(Kind::Conflict, "workflow_id_taken", "The id is taken");

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => NOT_FOUND,
            Error::VersionNotFound => VERSION_NOT_FOUND,
            Error::Unreadable(_) => UNREADABLE,
            Error::Invalid(_) => INVALID,
            Error::NotRunnable(_) | Error::Refused(Refusal::Invalid(_)) => NOT_RUNNABLE,
            Error::Outdated(_) => OUTDATED,
            Error::IdTaken(_) => ID_TAKEN,
            Error::Refused(Refusal::Conflict { code, .. }) => *code,
            Error::Tenant(error) => error.code(),
            Error::Database(error) | Error::Refused(Refusal::Database(error)) => database::code_of(error),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let problems = match self {
            Error::Invalid(problems)
            | Error::NotRunnable(problems)
            | Error::Refused(Refusal::Invalid(problems) | Refusal::Conflict { problems, .. }) => problems,
            _ => return Vec::new(),
        };
        problems.iter().map(field_error).collect()
    }
}

/// A problem of a document as the API tells it.
pub fn field_error(problem: &Problem) -> FieldError {
    FieldError::new(problem.pointer.clone(), problem.code.clone(), problem.message.clone())
}
