//! What can go wrong with tenants.

use std::time::Duration;

use super::plan::Limit;
use crate::common::error::{INTERNAL, INVALID_BODY};
use crate::common::{Code, Coded, FieldError, Kind};
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such tenant")]
    NotFound,
    #[error("the slug is taken by another tenant")]
    SlugTaken,
    #[error("the host name is taken by another tenant")]
    HostTaken,
    #[error("{host} is not given by the tenant itself: the platform's administrators give host names")]
    HostNotOpen { host: String },
    #[error("the tenant was deleted by the platform; ask its administrators")]
    DeletedByPlatform,
    #[error("not a slug")]
    InvalidSlug,
    #[error("the tenant is suspended{}", .reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Suspended { reason: Option<String> },
    #[error("the tenant is being deleted")]
    Deleting,
    #[error("the tenant is not being deleted")]
    NotDeleting,
    #[error("the slug given is not the tenant's")]
    NotConfirmed,
    #[error("the plan allows {allowed}: {}", .limit.advice())]
    LimitReached { limit: Limit, allowed: u64 },
    #[error("what is stored of the tenant cannot be read")]
    Unreadable,
    #[error("there is no such pool of workers for this tenant")]
    UnknownPool { pointer: String, advice: String },
    #[error("not a host name")]
    InvalidHost { index: usize },
    #[error("the tenants cannot be reached")]
    Database(#[from] database::Error),
    #[error("the change cannot be recorded")]
    Audit(#[from] crate::domains::audit::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => Code::new(Kind::NotFound, "tenant_not_found", "No such tenant"),
            Error::SlugTaken => Code::new(Kind::Conflict, "tenant_slug_taken", "The slug is taken"),
            Error::HostTaken => Code::new(Kind::Conflict, "tenant_host_taken", "The host name is taken"),
            Error::HostNotOpen { .. } => {
                Code::new(Kind::Forbidden, "tenant_host_not_open", "Host names are given by the platform")
            }
            Error::DeletedByPlatform => {
                Code::new(Kind::Forbidden, "tenant_deleted_by_platform", "The platform deleted the tenant")
            }
            Error::InvalidHost { .. } | Error::InvalidSlug | Error::NotConfirmed => INVALID_BODY,
            Error::UnknownPool { .. } => Code::new(Kind::Invalid, "worker_pool_unknown", "No such pool of workers"),
            Error::Suspended { .. } => Code::new(Kind::Forbidden, "tenant_suspended", "The tenant is suspended"),
            Error::Deleting => Code::new(Kind::Conflict, "tenant_deleting", "The tenant is being deleted"),
            Error::NotDeleting => Code::new(Kind::Conflict, "tenant_not_deleting", "The tenant is not being deleted"),
            Error::LimitReached { limit, .. } => limit.code(),
            Error::Unreadable => INTERNAL,
            Error::Database(error) => database::code_of(error),
            Error::Audit(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::InvalidHost { index } => {
                vec![FieldError::new(
                    format!("/hosts/{index}"),
                    "host",
                    "must be a host name without port, and not this server's own",
                )]
            }
            Error::UnknownPool { pointer, advice } => vec![FieldError::new(pointer.clone(), "unknown", advice.clone())],
            Error::InvalidSlug => vec![FieldError::new(
                "/slug",
                "slug",
                "must be 2–40 of a–z, 0–9 and hyphen, not beginning or ending with a hyphen",
            )],
            Error::NotConfirmed => vec![FieldError::new("/slug", "not_confirmed", "must be the tenant's slug")],
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        // An execution may end at any time.
        matches!(self, Error::LimitReached { limit: Limit::Concurrency, .. }).then_some(Duration::from_secs(1))
    }
}
