//! What can go wrong with schedules, and the stable codes of it.

use std::time::Duration;

use super::clockwork::Unreadable;
use crate::common::error::{Code, Coded, FieldError, INTERNAL, Kind};
use crate::domains::{executions, workflows};
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no schedule with this id")]
    NotFound,
    #[error("the schedule cannot be kept; `errors` says why")]
    Invalid(Vec<FieldError>),
    #[error("the schedule is part of a workflow: change {0} in the workflow instead")]
    OfWorkflow(&'static str),
    #[error("the workflow of the schedule is not active; activate it first")]
    Dormant,
    #[error("the workflow has no node \"{0}\" any more; activate it again")]
    NodeGone(String),
    #[error("the schedule has changed meanwhile; read it again")]
    Outdated,
    #[error(
        "the schedule would be due together with {count} others; see GET /schedules/conflicts, or leave `refuseConflicts` out"
    )]
    Collides { count: usize },
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Workflow(#[from] workflows::Error),
    #[error(transparent)]
    Execution(#[from] executions::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
}

const NOT_FOUND: Code = Code::new(Kind::NotFound, "schedule_not_found", "No such schedule");
const INVALID: Code = Code::new(Kind::Invalid, "schedule_invalid", "Not a valid schedule");
const OF_WORKFLOW: Code = Code::new(Kind::Conflict, "schedule_of_workflow", "The schedule is part of a workflow");
const DORMANT: Code = Code::new(Kind::Conflict, "schedule_dormant", "The workflow is not active");
const NODE_GONE: Code = Code::new(Kind::Conflict, "schedule_node_gone", "The trigger node is gone");
const OUTDATED: Code = Code::new(Kind::Conflict, "schedule_outdated", "The schedule has changed meanwhile");
const COLLIDES: Code = Code::new(Kind::Conflict, "schedule_conflict", "The schedule collides with others");

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => NOT_FOUND,
            Error::Invalid(_) => INVALID,
            Error::OfWorkflow(_) => OF_WORKFLOW,
            Error::Dormant => DORMANT,
            Error::NodeGone(_) => NODE_GONE,
            Error::Outdated => OUTDATED,
            Error::Collides { .. } => COLLIDES,
            Error::Unreadable(_) => INTERNAL,
            Error::Workflow(error) => error.code(),
            Error::Execution(error) => error.code(),
            Error::Database(error) => database::code_of(error),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::Invalid(faults) => faults.clone(),
            Error::Workflow(error) => error.field_errors(),
            Error::Execution(error) => error.field_errors(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self.code().kind, Kind::Unavailable).then_some(Duration::from_secs(1))
    }
}
