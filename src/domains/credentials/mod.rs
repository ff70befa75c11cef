//! Credentials: what workflows show to other systems, encrypted at rest and never shown again.
//!
//! Owns `credentials`, `data_keys`, `oauth_flows` and `connect_sessions`; announces [`Event`]s. Invariants: the fields of a credential leave this domain only through
//! [`Service::resolve`], for a node that may have them; a row opens only as the row of the tenant it was sealed for; no
//! answer, audit row, error or log line has a place for a secret; where secrets go changes only for those who enter them
//! again; a server whose keys do not fit its database does not start.

mod archive;
mod dto;
mod entities;
mod error;
mod events;
mod external;
mod handlers;
mod model;
mod oauth;
mod redirect;
mod registry;
mod repository;
mod resolve;
mod rotation;
mod schema;
mod service;
mod sessions;
mod trial;
mod vault;
mod workflows;

use actix_web::middleware::from_fn;
use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::infrastructure::web::authentication::authenticate;

pub use dto::WorkflowUse;
pub use error::Error;
pub use events::{Event, Listener};
pub use external::SecretError;
pub use oauth::ProviderError;
pub use resolve::{Resolved, Wanted};
pub use service::Service;
pub use vault::StartError;
pub use workflows::{CredentialName, Workflows};

/// Routes under `/api/v1`. Fixed paths come before those with an id.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::type_catalog::list_credential_types)
        .service(handlers::type_catalog::get_credential_schema)
        .service(handlers::oauth::finish_oauth)
        .service(handlers::oauth::forward_oauth)
        .service(handlers::connect::create_connect_session)
        .service(handlers::connect::get_connect_session)
        .service(handlers::keys::rotate_tenant_key)
        .service(handlers::keys::get_tenant_keys)
        .service(handlers::list_credentials)
        .service(handlers::create_credential)
        .service(handlers::get_credential)
        .service(handlers::replace_credential)
        .service(handlers::update_credential)
        .service(handlers::delete_credential)
        .service(handlers::test_credential)
        .service(handlers::share_credential)
        .service(handlers::list_credential_usage)
        .service(handlers::oauth::start_oauth)
        .service(handlers::keys::admin_rotate_keys)
        .service(handlers::keys::admin_get_keys);
}

/// The hosted page of connect sessions, at the root of the server; for browsers, so no part of the OpenAPI document.
pub fn configure_pages(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/connect/{token}")
            .wrap(from_fn(authenticate))
            .route(web::get().to(handlers::connect::show))
            .route(web::post().to(handlers::connect::accept)),
    );
}
