//! What can go wrong with executions, and the stable codes of it.

use std::time::Duration;

use millrace_model::Problem;

use super::jobs::Action;
use super::model::Status;
use super::payload::Corrupt;
use super::writer::WriteError;
use crate::common::error::{Code, Coded, FieldError, Kind};
use crate::domains::{tenants, workflows};
use crate::infrastructure::{database, queue, storage};

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
    #[error("there is no job on executions with this id")]
    JobNotFound,
    #[error("the node did not run, or not so often")]
    NodeDidNotRun,
    #[error("the workflow has no node called \"{1}\"")]
    UnknownNode(&'static str, String),
    #[error("this is not n8n's runData: {0}")]
    BadRunData(String),
    #[error("items are an object or a list of objects")]
    BadItems,
    #[error("no execution in this state can be the object of {0}")]
    UnfitFilter(Action),
    #[error("the span of time is empty, or has more than a thousand buckets")]
    BadSpan,
    #[error("this is not the id of an event that this server gave")]
    UnknownEvent,
    #[error("new executions cannot be taken at the moment")]
    Overloaded,
    #[error("the execution was asked to stop, but whoever runs it has not said that it does; ask again")]
    NotStopped,
    #[error("the stored execution cannot be read (execution_unreadable): {0}")]
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
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

const NOT_FOUND: Code = Code::new(Kind::NotFound, "execution_not_found", "No such execution");
const NOT_RUNNABLE: Code = Code::new(Kind::Invalid, "workflow_not_runnable", "The workflow cannot run");
const UNKNOWN_TRIGGER: Code = Code::new(Kind::Invalid, "trigger_unknown", "No such trigger");
const BAD_INPUT: Code = Code::new(Kind::Invalid, "input_not_items", "Not input for a workflow");
const WRONG_STATE: Code = Code::new(Kind::Conflict, "execution_wrong_state", "Not in this state");
const JOB_NOT_FOUND: Code = Code::new(Kind::NotFound, "execution_job_not_found", "No such job");
const NODE_NOT_RUN: Code = Code::new(Kind::NotFound, "node_run_not_found", "No such run of a node");
const UNKNOWN_NODE: Code = Code::new(Kind::Invalid, "node_unknown", "No such node");
const BAD_RUN_DATA: Code = Code::new(Kind::Invalid, "run_data_invalid", "Not the data of a run");
const BAD_ITEMS: Code = Code::new(Kind::Invalid, "items_invalid", "Not items");
const UNFIT_FILTER: Code = Code::new(Kind::Invalid, "filter_unfit", "The filter does not fit the action");
const BAD_SPAN: Code = Code::new(Kind::Invalid, "span_invalid", "Not a span of time");
const UNKNOWN_EVENT: Code = Code::new(Kind::Invalid, "event_id_invalid", "Not the id of an event");
const NO_DATA: Code = Code::new(Kind::Conflict, "execution_without_data", "The execution has no data");
const OVERLOADED: Code = Code::new(Kind::Unavailable, "executions_unavailable", "No executions are taken");
const NOT_STOPPED: Code = Code::new(Kind::Unavailable, "execution_not_stopped", "Not stopped yet");
pub(super) const UNREADABLE: Code =
    Code::new(Kind::Internal, "execution_unreadable", "The stored execution cannot be read");
const INTERNAL: Code = crate::common::error::INTERNAL;

impl Error {
    /// Whether the database failed, and not the execution.
    pub(super) fn is_of_database(&self) -> bool {
        match self {
            Error::Database(error)
            | Error::Workflow(workflows::Error::Database(error))
            | Error::Tenant(tenants::Error::Database(error)) => !database::is_unreadable_row(error),
            _ => false,
        }
    }

    /// Whether something is stored that cannot be read, now or later.
    pub(super) fn is_of_row(&self) -> bool {
        matches!(self, Error::Database(error) if database::is_unreadable_row(error))
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => NOT_FOUND,
            Error::NotRunnable(_) => NOT_RUNNABLE,
            Error::UnknownTrigger(_) => UNKNOWN_TRIGGER,
            Error::BadInput => BAD_INPUT,
            Error::WrongState(..) => WRONG_STATE,
            Error::NoData => NO_DATA,
            Error::JobNotFound => JOB_NOT_FOUND,
            Error::NodeDidNotRun => NODE_NOT_RUN,
            Error::UnknownNode(..) => UNKNOWN_NODE,
            Error::BadRunData(_) => BAD_RUN_DATA,
            Error::BadItems => BAD_ITEMS,
            Error::UnfitFilter(_) => UNFIT_FILTER,
            Error::BadSpan => BAD_SPAN,
            Error::UnknownEvent => UNKNOWN_EVENT,
            Error::Overloaded | Error::Write(WriteError::Unavailable) => OVERLOADED,
            Error::NotStopped => NOT_STOPPED,
            Error::Corrupt(_) => UNREADABLE,
            Error::Serialise(_) | Error::Write(_) => INTERNAL,
            Error::Workflow(error) => error.code(),
            Error::Tenant(error) => error.code(),
            Error::Database(error) => database::code_of(error),
            Error::Queue(error) => error.code(),
            Error::Storage(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::NotRunnable(problems) => problems.iter().map(workflows::field_error).collect(),
            Error::UnknownTrigger(_) => vec![FieldError::new("/triggerEvent", "unknown", self.to_string())],
            Error::UnknownNode(field, _) => vec![FieldError::new(*field, "unknown", self.to_string())],
            Error::BadRunData(_) => vec![FieldError::new("/runData", "wrong_type", self.to_string())],
            Error::BadItems => vec![FieldError::new("/items", "wrong_type", self.to_string())],
            Error::UnfitFilter(_) => vec![FieldError::new("/filter/status", "unfit", self.to_string())],
            Error::BadSpan => vec![FieldError::new("/from", "range", self.to_string())],
            Error::UnknownEvent => vec![FieldError::new("/lastEventId", "unknown", self.to_string())],
            Error::BadInput => vec![FieldError::new("/inputData", "wrong_type", self.to_string())],
            Error::Workflow(error) => error.field_errors(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self.code().kind, Kind::Unavailable | Kind::TooManyRequests).then_some(Duration::from_secs(1))
    }
}
