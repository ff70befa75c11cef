//! Scheduling: workflows that begin by themselves, at set times or when something is heard.
//!
//! Owns `schedules`, `schedule_firings` and `triggers`. Invariants: the row of a schedule owns its due time, and it moves on in the
//! transaction that stores the execution, so a due time fires once, on however many replicas; no replica leads; what did
//! not fire is recorded with the reason; a due time does not depend on the replica's zone, only on the schedule's.

mod archive;
mod clockwork;
mod conflicts;
mod cron;
mod definition;
mod describe;
mod dto;
mod entities;
mod error;
mod firing;
mod forecast;
mod handlers;
mod hooks;
mod jobs;
mod model;
mod repository;
mod rule;
mod service;
#[cfg(test)]
mod tests;
mod timetable;
mod triggers;

use utoipa_actix_web::service_config::ServiceConfig;

pub use error::Error;
pub use hooks::Activations;
pub use service::Service;
pub use triggers::{Dependencies as TriggerDependencies, TriggerActivations, Triggers};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::list_triggers)
        .service(handlers::list_schedules)
        .service(handlers::create_schedule)
        .service(handlers::preview_schedule)
        .service(handlers::list_schedule_conflicts)
        .service(handlers::get_schedule_calendar)
        .service(handlers::get_schedule)
        .service(handlers::replace_schedule)
        .service(handlers::update_schedule)
        .service(handlers::delete_schedule)
        .service(handlers::pause_schedule)
        .service(handlers::resume_schedule)
        .service(handlers::list_next_runs)
        .service(handlers::list_firings)
        .service(handlers::trigger_schedule)
        .service(handlers::backfill_schedule);
}
