//! The API's tests, one binary. Each test has a server of its own, in this process, made by the same `create_app()` as the
//! real one, with a database of its own: an SQLite file, or on PostgreSQL (`MILLRACE_TEST_POSTGRES_URL`) a copy of a template.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, its support too"
)]

mod administrators;
mod api_keys;
mod archives;
mod audit;
mod audit_evidence;
mod auth;
mod bad_input;
mod executions;
mod flows;
mod forms;
mod hostile;
mod idempotency;
mod infrastructure;
mod invitations;
mod nodes;
mod operations;
mod plans;
mod recovery;
mod roles;
mod row_security;
mod seeds;
mod support;
mod sweeps;
mod tenants;
mod two_tenants;
mod users;
mod webhooks;
mod workflows;
