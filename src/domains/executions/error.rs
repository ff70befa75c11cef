//! What can go wrong with executions, and the stable codes of it.

use std::time::Duration;

use millrace_model::Problem;

use super::model::Status;
use super::payload::Corrupt;
use super::writer::WriteError;
use crate::common::error::{Code, Coded, FieldError, Kind};
use crate::domains::{tenants, workflows};
use crate::infrastructure::{database, queue};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no execution with this id")]
    NotFound,
    #[error("the workflow cannot run")]
    NotRunnable(Vec<Problem>),
    #[error("the workflow has no enabled trigger called \"{0}\"")]
    UnknownTrigger(String),
    #[error("the input is an object (one item) or a list of objects")]
    BadInput,
    #[error("an execution that is {0} cannot be {1}")]
    WrongState(Status, &'static str),
    #[error("the execution's data is not stored, so it cannot be run again")]
    NoData,
    #[error("new executions cannot be taken at the moment")]
    Overloaded,
    #[error("the stored execution cannot be read")]
    Corrupt(#[from] Corrupt),
    #[error("the execution cannot be serialised")]
    Serialise(#[from] serde_json::Error),
    #[error(transparent)]
    Workflow(#[from] workflows::Error),
    #[error(transparent)]
    Tenant(#[from] tenants::Error),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Queue(#[from] queue::Error),
}

const NOT_FOUND: Code = Code::new(Kind::NotFound, "execution_not_found", "No such execution");
const NOT_RUNNABLE: Code = Code::new(Kind::Invalid, "workflow_not_runnable", "The workflow cannot run");
const UNKNOWN_TRIGGER: Code = Code::new(Kind::Invalid, "trigger_unknown", "No such trigger");
const BAD_INPUT: Code = Code::new(Kind::Invalid, "input_not_items", "Not input for a workflow");
const WRONG_STATE: Code = Code::new(Kind::Conflict, "execution_wrong_state", "Not in this state");
const NO_DATA: Code = Code::new(Kind::Conflict, "execution_without_data", "The execution has no data");
const OVERLOADED: Code = Code::new(Kind::Unavailable, "executions_unavailable", "No executions are taken");
const INTERNAL: Code = crate::common::error::INTERNAL;

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => NOT_FOUND,
            Error::NotRunnable(_) => NOT_RUNNABLE,
            Error::UnknownTrigger(_) => UNKNOWN_TRIGGER,
            Error::BadInput => BAD_INPUT,
            Error::WrongState(..) => WRONG_STATE,
            Error::NoData => NO_DATA,
            Error::Overloaded | Error::Write(WriteError::Unavailable) => OVERLOADED,
            Error::Corrupt(_) | Error::Serialise(_) | Error::Write(_) => INTERNAL,
            Error::Workflow(error) => error.code(),
            Error::Tenant(error) => error.code(),
            Error::Database(error) => database::code_of(error),
            Error::Queue(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::NotRunnable(problems) => problems.iter().map(workflows::field_error).collect(),
            Error::UnknownTrigger(_) => vec![FieldError::new("/triggerEvent", "unknown", self.to_string())],
            Error::BadInput => vec![FieldError::new("/inputData", "wrong_type", self.to_string())],
            Error::Workflow(error) => error.field_errors(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self.code().kind, Kind::Unavailable | Kind::TooManyRequests).then_some(Duration::from_secs(1))
    }
}
