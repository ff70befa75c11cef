//! Executions: runs of workflows, from the moment they are accepted to the end that is stored.
//!
//! Owns `executions`, `execution_payloads`, `execution_journal`, `execution_incidents`, `execution_binaries`,
//! `execution_answers`, `execution_answer_parts`, `workflow_memory` and `workers`.
//! Invariants: what was acknowledged is stored; nothing leaves the process before its execution is stored, and no node
//! starts before what left it is in the journal; accepting never waits for a slot; a row changes by compare-and-set on its
//! status and attempt, so a worker that lost an execution cannot write to it; an execution that is over does not change.

mod accept;
mod announcing;
mod answer;
mod answers;
mod archive;
mod attempt;
mod binaries;
mod callers;
#[cfg(test)]
mod callers_model;
mod calls;
mod clearing;
mod dto;
mod entities;
mod error;
mod executor;
mod failure;
mod following;
mod handlers;
mod held;
mod host;
mod input;
mod jobs;
mod journal;
mod labels;
mod limits;
mod listing;
mod live;
mod model;
pub(crate) mod outbound;
#[cfg(test)]
mod ownership_model;
mod parts;
mod pauses;
mod payload;
mod pools;
mod programs;
mod reading;
mod records;
mod recovery;
mod redaction;
mod repeating;
mod repository;
mod retention;
mod retry;
mod run;
mod service;
mod statistics;
mod stopping;
mod storing;
mod tenancy;
#[cfg(test)]
mod tests;
mod timeline;
mod timers;
mod told;
mod usage;
mod watching;
mod workers;
mod writer;

use utoipa_actix_web::service_config::ServiceConfig;

pub use accept::Prepared;
pub use answer::{Answer, Ended};
pub use error::Error;
pub use executor::{Dependencies, Executor, Launch};
pub use input::{Start, start};
pub use model::{Interest, Mode, Status};
pub use parts::Parts;
pub use pauses::Waiting;
pub use programs::{Program, Programs};
pub use service::{Resumed, Service};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::list_executions)
        .service(handlers::statistics::get_execution_statistics)
        .service(handlers::statistics::list_worker_pools)
        .service(handlers::jobs::start_execution_job)
        .service(handlers::jobs::list_execution_jobs)
        .service(handlers::jobs::get_execution_job)
        .service(handlers::jobs::cancel_execution_job)
        .service(handlers::get_execution)
        .service(handlers::delete_execution)
        .service(handlers::stop_execution)
        .service(handlers::cancel_execution)
        .service(handlers::repeating::retry_execution)
        .service(handlers::repeating::replay_execution)
        .service(handlers::repeating::resume_execution)
        .service(handlers::repeating::run_workflow)
        .service(handlers::reading::list_execution_nodes)
        .service(handlers::reading::list_execution_items)
        .service(handlers::reading::get_execution_binary)
        .service(handlers::reading::get_execution_usage)
        .service(handlers::reading::annotate_execution)
        .service(handlers::statistics::get_workflow_statistics)
        .service(handlers::get_execution_timeline)
        .service(handlers::live::watch_execution)
        .service(handlers::live::follow_events)
        .service(handlers::trigger_workflow)
        .service(handlers::list_workflow_executions);
}
