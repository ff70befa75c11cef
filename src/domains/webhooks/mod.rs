//! Webhooks: HTTP requests that begin workflows, or go on with waiting ones.
//!
//! Owns `webhook_routes` and `webhook_epochs`. Invariants: a method and path of a tenant begins one workflow; the routes
//! of a workflow change in the transaction that activates or deactivates it; a request finds its route without a query;
//! an answer is sent only when what it tells of is stored.

mod entities;
mod error;
mod forms;
mod handlers;
mod receiver;
mod registry;
mod reply;
mod repository;
mod route_table;
mod service;

use actix_web::web::{self, ServiceConfig};

pub use error::Error;
pub use registry::Registry;
pub use service::Service;

/// Routes at the root of the server. They take any method and any path, so they are no part of the OpenAPI document.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/webhook/{path:.*}", web::to(handlers::receive))
        .route("/t/{tenant}/webhook/{path:.*}", web::to(handlers::receive))
        .route("/form/{path:.*}", web::to(handlers::fill_in))
        .route("/t/{tenant}/form/{path:.*}", web::to(handlers::fill_in))
        .route("/webhook-waiting/{id}", web::to(handlers::resume))
        .route("/webhook-waiting/{id}/{suffix:.*}", web::to(handlers::resume))
        .route("/t/{tenant}/webhook-waiting/{id}", web::to(handlers::resume))
        .route("/t/{tenant}/webhook-waiting/{id}/{suffix:.*}", web::to(handlers::resume));
}
