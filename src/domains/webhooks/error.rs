//! What can go wrong with webhooks. Callers of webhooks are answered as n8n answers them, not with problems: see `reply`.

use std::time::Duration;

use crate::common::FieldError;
use crate::common::error::{Code, Coded, INTERNAL, INVALID_BODY, Kind};
use crate::domains::{executions, tenants, workflows};
use crate::infrastructure::{cache, crypto, database};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no webhook with this id")]
    NotFound,
    #[error("the webhook asks for no signature: set one up first")]
    NotSigned,
    #[error("there is no such request in the log of the webhook")]
    RequestNotFound,
    #[error("there is no subscription with this id")]
    SubscriptionNotFound,
    #[error("somebody else has changed the subscription meanwhile: read it and try again")]
    SubscriptionChanged,
    #[error("there is no delivery with this id")]
    DeliveryNotFound,
    #[error("there is no queued webhook with this id")]
    QueuedNotFound,
    #[error("its workflow runs at the moment, or somebody else changed it: wait")]
    BeingProcessed,
    #[error("there is no such workflow")]
    NoWorkflow,
    #[error("the workflow is not active")]
    WorkflowNotActive,
    #[error("the host name is no tenant's: call /t/{{tenant}}/api/v1/webhooks/n8n/generic")]
    NoTenant,
    #[error("no active workflow has the event \"{0}\" in its triggerEvents")]
    EventUnknown(String),
    #[error("the tenant has no secret for senders: make one with POST /api/v1/webhooks/queue/secret")]
    NoReceiverSecret,
    #[error("the signature does not count: {0}")]
    WrongSignature(String),
    #[error("too many webhooks")]
    TooMany(Duration),
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    #[error("the workflow has no enabled webhook node to listen at")]
    NothingToListenTo,
    #[error("a form is tried out by filling it in")]
    IsForm,
    #[error("the webhook is not active: activate its workflow first")]
    NotActive,
    #[error("somebody else has changed the webhook meanwhile: read it and try again")]
    ChangedMeanwhile,
    #[error("what is to be set is not valid")]
    Invalid(Vec<FieldError>),
    #[error("the webhook's node is not part of the workflow any more")]
    NodeGone,
    /// Tampered with, or sealed with another key.
    #[error("what is set for the webhook cannot be read")]
    Sealed,
    #[error(transparent)]
    Random(#[from] crypto::RandomError),
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Workflow(#[from] workflows::Error),
    #[error(transparent)]
    Execution(#[from] executions::Error),
    #[error(transparent)]
    Tenant(#[from] tenants::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => NOT_FOUND,
            Error::NotSigned => NOT_SIGNED,
            Error::RequestNotFound => REQUEST_NOT_FOUND,
            Error::SubscriptionNotFound => SUBSCRIPTION_NOT_FOUND,
            Error::SubscriptionChanged => SUBSCRIPTION_CHANGED,
            Error::DeliveryNotFound => DELIVERY_NOT_FOUND,
            Error::QueuedNotFound => QUEUED_NOT_FOUND,
            Error::BeingProcessed => BEING_PROCESSED,
            Error::NoWorkflow => NO_WORKFLOW,
            Error::WorkflowNotActive => WORKFLOW_NOT_ACTIVE,
            Error::NoTenant => NO_TENANT,
            Error::EventUnknown(_) => EVENT_UNKNOWN,
            Error::NoReceiverSecret | Error::WrongSignature(_) => WRONG_SIGNATURE,
            Error::TooMany(_) => TOO_MANY,
            Error::NotJson(_) => NOT_JSON,
            Error::NothingToListenTo => NOTHING_TO_LISTEN_TO,
            Error::Workflow(error) => error.code(),
            Error::NotActive => NOT_ACTIVE,
            Error::IsForm => IS_FORM,
            Error::ChangedMeanwhile => CHANGED,
            Error::Invalid(_) => INVALID_BODY,
            Error::NodeGone | Error::Sealed | Error::Random(_) => INTERNAL,
            Error::Cache(error) => error.code(),
            Error::Execution(error) => error.code(),
            Error::Tenant(error) => error.code(),
            Error::Database(error) => database::code_of(error),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::TooMany(wait) => Some(*wait),
            _ => None,
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::Invalid(problems) => problems.clone(),
            _ => Vec::new(),
        }
    }
}

const REQUEST_NOT_FOUND: Code = Code::new(Kind::NotFound, "webhook_request_not_found", "No such request");
const SUBSCRIPTION_NOT_FOUND: Code = Code::new(Kind::NotFound, "subscription_not_found", "No such subscription");
const SUBSCRIPTION_CHANGED: Code =
    Code::new(Kind::Conflict, "subscription_changed", "The subscription has changed meanwhile");
const DELIVERY_NOT_FOUND: Code = Code::new(Kind::NotFound, "delivery_not_found", "No such delivery");
const QUEUED_NOT_FOUND: Code = Code::new(Kind::NotFound, "queued_webhook_not_found", "No such queued webhook");
const BEING_PROCESSED: Code = Code::new(Kind::Conflict, "queued_webhook_busy", "The webhook is being worked on");
const NO_WORKFLOW: Code = Code::new(Kind::NotFound, "workflow_not_found", "No such workflow");
const WORKFLOW_NOT_ACTIVE: Code = Code::new(Kind::Conflict, "workflow_not_active", "The workflow is not active");
const NO_TENANT: Code = Code::new(Kind::NotFound, "tenant_not_found", "No such tenant");
const EVENT_UNKNOWN: Code = Code::new(Kind::NotFound, "webhook_event_unknown", "No workflow wants the event");
const WRONG_SIGNATURE: Code =
    Code::new(Kind::Unauthenticated, "webhook_signature_wrong", "The signature does not count");
const TOO_MANY: Code = Code::new(Kind::TooManyRequests, "too_many_requests", "Too many requests");
const NOT_JSON: Code = Code::new(Kind::BadRequest, "malformed_json", "The body is not JSON");
const NOTHING_TO_LISTEN_TO: Code = Code::new(Kind::Conflict, "webhook_missing", "The workflow has no webhook");
const NOT_FOUND: Code = Code::new(Kind::NotFound, "webhook_not_found", "No such webhook");
const NOT_SIGNED: Code = Code::new(Kind::Conflict, "webhook_not_signed", "The webhook asks for no signature");
const NOT_ACTIVE: Code = Code::new(Kind::Conflict, "webhook_not_active", "The webhook is not active");
const IS_FORM: Code = Code::new(Kind::Conflict, "webhook_is_form", "The webhook is a form");
const CHANGED: Code = Code::new(Kind::Conflict, "webhook_changed", "The webhook has changed meanwhile");

/// Another workflow of the tenant answers this method and path.
pub(super) const PATH_TAKEN: Code = Code::new(Kind::Conflict, "webhook_path_taken", "The webhook path is taken");
