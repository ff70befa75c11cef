//! The audit log: one row for each mutation, written in the transaction that mutates.
//!
//! Owns `audit_events`, `audit_heads` and `audit_checkpoints`. Invariants: rows are only ever added; per tenant they are
//! numbered without gaps and each row's MAC covers the row before it, so that a change, a deletion or a swap shows; signed
//! checkpoints show what was cut off; only rows before a checkpoint marked as pruned can be deleted, by retention, and the mark
//! is signed, too.

mod chain;
mod dto;
mod entities;
mod error;
mod evidence;
mod export;
mod handlers;
mod redact;
mod repository;
mod service;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub use dto::{AuditEventResponse, VerificationResponse};
pub use error::Error;
pub use service::{Change, Service};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_audit_events).service(handlers::verify_audit_log).service(handlers::export_audit_log);
}
