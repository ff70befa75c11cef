//! Executions: runs of workflows, from the moment they are accepted to the end that is stored.
//!
//! Owns `executions`, `execution_payloads`, `execution_journal`, `execution_incidents`, `workflow_memory` and `workers`.
//! Invariants: what was acknowledged is stored; nothing leaves the process before its execution is stored, and no node
//! starts before what left it is in the journal; accepting never waits for a slot; a row changes by compare-and-set on its
//! status and attempt, so a worker that lost an execution cannot write to it; an execution that is over does not change.

mod accept;
mod announce;
mod answer;
mod answers;
mod archive;
mod attempt;
mod calls;
mod dto;
mod entities;
mod error;
mod executor;
mod failure;
mod handlers;
mod held;
mod host;
mod input;
mod journal;
mod limits;
mod live;
mod model;
pub(crate) mod outbound;
#[cfg(test)]
mod ownership_model;
mod pauses;
mod payload;
mod programs;
mod recovery;
mod repository;
mod retry;
mod run;
mod service;
mod stopping;
mod storing;
mod tenancy;
#[cfg(test)]
mod tests;
mod timeline;
mod timers;
mod workers;
mod writer;

use utoipa_actix_web::service_config::ServiceConfig;

pub use accept::Prepared;
pub use answer::{Answer, Ended};
pub use error::Error;
pub use executor::{Dependencies, Executor, Launch};
pub use input::{Start, start};
pub use model::{Interest, Mode, Status};
pub use pauses::Waiting;
pub use programs::{Program, Programs};
pub use service::{Resumed, Service};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::list_executions)
        .service(handlers::get_execution)
        .service(handlers::delete_execution)
        .service(handlers::stop_execution)
        .service(handlers::retry_execution)
        .service(handlers::get_execution_timeline)
        .service(handlers::trigger_workflow)
        .service(handlers::list_workflow_executions);
}
