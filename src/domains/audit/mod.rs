//! The audit log: one row for each mutation, written in the transaction that mutates.
//!
//! Owns `audit_events` and `audit_heads`. Invariants: rows are only ever added; per tenant they are numbered without gaps
//! and each row's MAC covers the row before it, so that a change, a deletion or a swap shows.

mod chain;
mod dto;
mod entities;
mod error;
mod handlers;
mod repository;
mod service;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub use dto::AuditEventResponse;
pub use error::Error;
pub use service::{Change, Service};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_audit_events);
}
