//! People, and their membership in tenants with a role each.
//!
//! Owns `users`, `memberships`, `roles`, `invitations` and `platform_administrators`. Invariants: an e-mail address is one person; a tenant always keeps an owner; nobody
//! grants a role that holds more than their own; an invitation works once.

mod admin_handlers;
mod administrators;
mod archive;
mod dto;
mod entities;
mod error;
mod handlers;
mod invitation_handlers;
mod invitations;
mod model;
mod repository;
mod role_handlers;
mod roles;
mod service;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub use dto::UserResponse;
pub use error::Error;
pub use model::{Email, Membership, Role, User};
pub use service::{Dependencies, Logins, NewUser, Service};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::list_users)
        .service(handlers::update_user)
        .service(handlers::delete_user)
        .service(invitation_handlers::create_invitation)
        .service(invitation_handlers::list_invitations)
        .service(invitation_handlers::accept_invitation)
        .service(invitation_handlers::delete_invitation)
        .service(role_handlers::list_roles)
        .service(role_handlers::create_role)
        .service(role_handlers::update_role)
        .service(role_handlers::delete_role)
        .service(admin_handlers::admin_list_administrators)
        .service(admin_handlers::admin_create_administrator)
        .service(admin_handlers::admin_delete_administrator);
}
