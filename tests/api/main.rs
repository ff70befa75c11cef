//! The API's tests, one binary. Each test has a server of its own, in this process, made by the same `create_app()` as the
//! real one, with a database of its own: an SQLite file, or on PostgreSQL (`MILLRACE_TEST_POSTGRES_URL`) a copy of a template.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, its support too"
)]

mod accounts;
mod administrators;
mod api_keys;
mod archives;
mod audit;
mod audit_evidence;
mod auth;
mod bad_input;
mod bombs;
mod command_line;
mod credentials;
mod data_tables;
mod executions;
mod fairness;
mod flows;
mod forms;
mod hostile;
mod idempotency;
mod infrastructure;
mod integrations;
mod invitations;
mod limits;
mod nodes;
mod operations;
mod outages;
mod pages;
mod plans;
mod pools;
mod processes;
mod recovery;
mod roles;
mod row_security;
mod schedule_changes;
mod schedule_definitions;
mod scheduling;
mod second_factor;
mod seeds;
mod sessions;
mod sockets;
mod sso;
mod support;
mod suspension;
mod sweeps;
mod telemetry;
mod tenant_settings;
mod tenants;
mod triggers;
mod two_tenants;
mod users;
mod webhooks;
mod workflows;
