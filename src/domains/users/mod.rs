//! People, and their membership in tenants with a role each.
//!
//! Owns `users`, `memberships` and `platform_administrators`. Invariants: an e-mail address is one person; a tenant always keeps an owner; nobody
//! grants a role that holds more than their own.

mod admin_handlers;
mod administrators;
mod dto;
mod entities;
mod error;
mod handlers;
mod model;
mod repository;
mod service;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub use dto::UserResponse;
pub use error::Error;
pub use model::{Email, Membership, Role, User};
pub use service::{NewUser, Service};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::list_users)
        .service(handlers::update_user)
        .service(handlers::delete_user)
        .service(admin_handlers::admin_list_administrators)
        .service(admin_handlers::admin_create_administrator)
        .service(admin_handlers::admin_delete_administrator);
}
