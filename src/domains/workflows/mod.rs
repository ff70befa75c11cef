//! Workflows: documents in n8n's format, kept as they came, in immutable versions.
//!
//! Owns `workflows`, `workflow_versions`, `tags` and `workflow_tags`. Invariants: a version never changes; what is in
//! production is a version, and it changes in one transaction with everything that depends on it ([`WorkflowHooks`]);
//! a document that is kept can be read and its connections lead somewhere, but only an active one is known to run.

mod archive;
mod credential_users;
mod document;
mod dto;
mod endpoints;
mod entities;
mod error;
mod handlers;
mod hooks;
mod import;
mod model;
mod repository;
mod service;

use utoipa_actix_web::service_config::ServiceConfig;

pub use document::Document;
pub use dto::{ImportResponse, WorkflowResponse};
pub use endpoints::{Endpoint, FORM_PATH, FORM_TRIGGER, queue_of, webhook_endpoints};
pub use error::{Error, Refusal, field_error};
pub use hooks::{Activation, WorkflowHooks};
pub use model::problems_of;
pub use service::Service;

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::list_workflows)
        .service(handlers::create_workflow)
        .service(handlers::import_workflows)
        .service(handlers::get_workflow)
        .service(handlers::update_workflow)
        .service(handlers::delete_workflow)
        .service(handlers::export_workflow)
        .service(handlers::activate_workflow)
        .service(handlers::deactivate_workflow);
}
