//! Errors without transport: stable codes by kind, and the problem they turn into. The HTTP status appears in
//! `infrastructure::web` only; the cause chain goes to the log, never to the caller.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

/// What sort of failure: decides the HTTP status, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 400: the request cannot be read.
    BadRequest,
    /// 401: no credentials, or wrong ones.
    Unauthenticated,
    /// 402: the tenant's plan does not include it.
    PlanLimit,
    /// 403: known caller, missing permission.
    Forbidden,
    /// 404: no such row for this tenant (also when another tenant has it).
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 409: clashes with the present state.
    Conflict,
    /// 413: body over the limit.
    TooLarge,
    /// 415: body of a type that is not read.
    UnsupportedMediaType,
    /// 422: well-formed, but not valid; `errors` says where.
    Invalid,
    /// 429: too many requests; `Retry-After` says when.
    TooManyRequests,
    /// 500: our fault; fixed text.
    Internal,
    /// 503: a dependency is away, or the server is shutting down.
    Unavailable,
    /// 504: waited for an outcome that did not come in time.
    Timeout,
}

/// A row of a domain's error table: what clients may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub kind: Kind,
    /// Stable, snake case, unique in the API.
    pub code: &'static str,
    /// Short and fixed, for people.
    pub title: &'static str,
}

impl Code {
    pub const fn new(kind: Kind, code: &'static str, title: &'static str) -> Code {
        Code { kind, code, title }
    }
}

/// A domain's error: it knows its row of the table, and what else the caller may see.
pub trait Coded: std::error::Error + Sized + 'static {
    fn code(&self) -> Code;

    /// What the caller is told besides the title. By default the error's own text, and nothing for our own faults.
    fn detail(&self) -> Option<String> {
        (self.code().kind != Kind::Internal).then(|| self.to_string())
    }

    /// Where in the request body the mistakes are.
    fn field_errors(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// When it is worth trying again.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// One mistake in a request, found by its JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// RFC 6901 pointer into the request body; for a query parameter `?name`.
    #[schema(example = "/name")]
    pub pointer: String,
    /// Stable code of the mistake.
    #[schema(example = "length")]
    pub code: Cow<'static, str>,
    /// A sentence for people.
    #[schema(example = "must be between 1 and 128 characters long")]
    pub message: String,
}

impl FieldError {
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> FieldError {
        FieldError { pointer: pointer.into(), code: code.into(), message: message.into() }
    }
}

/// A failure ready to be told to the caller. Anything [`Coded`] becomes one with `?`.
#[derive(Clone, Debug)]
pub struct Problem {
    pub code: Code,
    pub detail: Option<String>,
    pub errors: Vec<FieldError>,
    pub retry_after: Option<Duration>,
    /// The error and its causes: for the log, where the server writes it once with the request's id; never for the caller.
    pub cause: Option<String>,
}

impl Problem {
    pub fn of(code: Code) -> Problem {
        Problem { code, detail: None, errors: Vec::new(), retry_after: None, cause: None }
    }

    /// Our own fault: the caller is told nothing of the error.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Problem {
        Problem { cause: Some(chain(error)), ..Problem::of(INTERNAL) }
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Problem {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Problem {
        self.errors = errors;
        self
    }
}

impl<E: Coded> From<E> for Problem {
    fn from(error: E) -> Problem {
        Problem {
            code: error.code(),
            detail: error.detail(),
            errors: error.field_errors(),
            retry_after: error.retry_after(),
            cause: Some(chain(&error)),
        }
    }
}

/// The catch-all: nothing about it is told.
pub const INTERNAL: Code = Code::new(Kind::Internal, "internal_error", "Internal error");

/// The body is well-formed but not what the operation takes; `errors` says where.
pub const INVALID_BODY: Code = Code::new(Kind::Invalid, "invalid_body", "The body is not valid");

/// An error and its causes on one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let message = inner.to_string();
        // Many libraries repeat the cause in their own text.
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = inner.source();
    }
    text
}
