//! The product, one module per domain. Domains see each other only through façades, and only downward, in this order.

pub mod audit;
pub mod tenants;
pub mod users;

pub mod auth;
pub mod credentials;
pub mod data_tables;
pub mod nodes;

pub mod workflows;

pub mod executions;

pub mod integrations;
pub mod scheduling;
pub mod webhooks;

pub mod notifications;
