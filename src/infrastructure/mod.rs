//! Everything that touches the outside: database, cache, queue, files, network, logs, HTTP server. Knows no domain.

pub mod cache;
pub mod config;
pub mod crypto;
pub mod database;
pub mod events;
pub mod http_client;
pub mod mail;
pub mod queue;
pub mod services;
pub mod storage;
pub mod telemetry;
pub mod web;
