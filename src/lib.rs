//! Millrace: a multi-tenant workflow automation server that runs n8n workflows. The library behind the `millrace` binary.

pub mod app;
pub mod cli;
pub mod common;
pub mod domains;
pub mod infrastructure;
