//! Path and query parameters: refused as problems like every other mistake.

use actix_web::error::{PathError, QueryPayloadError};
use actix_web::web::{PathConfig, QueryConfig};

use crate::common::{Code, FieldError, Kind, Problem};

/// An id that cannot exist is an id that does not exist: 404.
pub fn path_config() -> PathConfig {
    PathConfig::default().error_handler(|error: PathError, _| {
        tracing::debug!(%error, "unreadable path parameter");
        Problem::of(NO_SUCH_RESOURCE).into()
    })
}

/// Unknown, missing or malformed query parameters: 422.
pub fn query_config() -> QueryConfig {
    QueryConfig::default().error_handler(|error: QueryPayloadError, _| {
        let text = match &error {
            QueryPayloadError::Deserialize(inner) => inner.to_string(),
            other => other.to_string(),
        };
        let name = text.split('`').nth(1).unwrap_or_default().to_owned();
        let errors = vec![FieldError::new(format!("?{name}"), "invalid_parameter", text)];
        Problem::of(INVALID_QUERY).with_errors(errors).into()
    })
}

const NO_SUCH_RESOURCE: Code = Code::new(Kind::NotFound, "not_found", "No such resource");
const INVALID_QUERY: Code = Code::new(Kind::Invalid, "invalid_query", "A query parameter is not valid");
