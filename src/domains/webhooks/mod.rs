//! Webhooks: HTTP requests that begin workflows, or go on with waiting ones; and those that tell subscribers of events.
//!
//! Owns the tables `webhook_*`. Invariants: a method and path of a tenant begins one workflow; the routes
//! of a workflow change in the transaction that activates or deactivates it; a request finds its route without a query;
//! an answer is sent only when what it tells of is stored; what is set for a webhook but cannot be read lets nobody in;
//! a webhook for which nothing is set pays for none of it.

mod collecting;
mod credentials;
mod deliveries;
mod dto;
mod dto_queue;
mod dto_requests;
mod dto_subscriptions;
mod endpoints;
mod entities;
mod error;
mod event_names;
mod forms;
mod gate;
mod guard;
mod handlers;
mod intake;
mod listeners;
mod log;
mod queue;
mod receiver;
mod registry;
mod reply;
mod repository;
mod requests;
mod route_table;
mod sample;
mod sealing;
mod service;
mod settings;
mod shares;
mod signature;
mod stored;
mod streaming;
mod subscriptions;
mod waiting_forms;

use actix_web::web::{self, ServiceConfig};
use utoipa_actix_web::service_config::ServiceConfig as ApiConfig;

pub use collecting::Collected;
pub use error::Error;
pub use handlers::BodyLimits;
pub use registry::Registry;
pub use route_table::{Lookup, RouteTable, Routed};
pub use service::{Dependencies, Service};
pub use subscriptions::{Dependencies as SubscriptionDependencies, Subscriptions};

/// Routes under `/api/v1/webhooks/n8n`: no part of the rest of the API, whose limits are counted before anybody has proved
/// anything.
pub fn configure_receivers(config: &mut ApiConfig) {
    config
        .service(handlers::queue::try_receivers)
        .service(handlers::queue::receive_generic_webhook)
        .service(handlers::queue::receive_n8n_webhook);
}

/// Routes under `/api/v1`.
pub fn configure_api(config: &mut ApiConfig) {
    config
        .service(handlers::queue::rotate_receiver_secret)
        .service(handlers::queue::get_webhook_queue_status)
        .service(handlers::queue::list_queued_webhooks)
        .service(handlers::queue::retry_queued_webhook)
        .service(handlers::queue::purge_webhook_queue)
        .service(handlers::queue::listen_to_workflow)
        .service(handlers::endpoints::list_webhooks)
        .service(handlers::endpoints::get_webhook)
        .service(handlers::endpoints::set_webhook)
        .service(handlers::endpoints::rotate_webhook_secret)
        .service(handlers::endpoints::test_webhook)
        .service(handlers::requests::list_webhook_requests)
        .service(handlers::requests::get_webhook_request)
        .service(handlers::requests::replay_webhook_requests)
        .service(handlers::subscriptions::list_subscriptions)
        .service(handlers::subscriptions::create_subscription)
        .service(handlers::subscriptions::get_subscription)
        .service(handlers::subscriptions::update_subscription)
        .service(handlers::subscriptions::delete_subscription)
        .service(handlers::subscriptions::rotate_subscription_secret)
        .service(handlers::subscriptions::test_subscription)
        .service(handlers::subscriptions::list_deliveries)
        .service(handlers::subscriptions::recover_deliveries)
        .service(handlers::subscriptions::get_delivery)
        .service(handlers::subscriptions::resend_delivery);
}

/// Routes at the root of the server. They take any method and any path, so they are no part of the OpenAPI document.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/webhook/{path:.*}", web::to(handlers::receive))
        .route("/t/{tenant}/webhook/{path:.*}", web::to(handlers::receive))
        .route("/form/{path:.*}", web::to(handlers::fill_in))
        .route("/t/{tenant}/form/{path:.*}", web::to(handlers::fill_in))
        .route("/webhook-test/{path:.*}", web::to(handlers::receive_test))
        .route("/t/{tenant}/webhook-test/{path:.*}", web::to(handlers::receive_test))
        .route("/t/{tenant}/api/v1/webhooks/n8n/{workflowId}", web::post().to(handlers::queue::receive_for_tenant))
        .route("/form-waiting/{id}", web::to(handlers::go_on))
        .route("/t/{tenant}/form-waiting/{id}", web::to(handlers::go_on))
        .route("/webhook-waiting/{id}", web::to(handlers::resume))
        .route("/webhook-waiting/{id}/{suffix:.*}", web::to(handlers::resume))
        .route("/t/{tenant}/webhook-waiting/{id}", web::to(handlers::resume))
        .route("/t/{tenant}/webhook-waiting/{id}/{suffix:.*}", web::to(handlers::resume));
}
