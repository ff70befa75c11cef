//! Which web pages of other origins may call the API (`server.cors_origins`). Credentials travel in headers, never in cookies, so
//! a page of an origin that is not listed can do nothing in a person's name.

use actix_cors::Cors;
use actix_web::http::header;

/// Pages may keep the answer to a preflight this long, in seconds.
const MAX_AGE: usize = 3600;

/// What wraps the API scope. `*` stands for every origin.
pub fn cors(origins: &[String]) -> Cors {
    let mut cors = Cors::default()
        .allow_any_method()
        .allow_any_header()
        .expose_headers([
            "x-request-id",
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "idempotency-replayed",
        ])
        .expose_headers([header::RETRY_AFTER, header::LOCATION])
        .max_age(MAX_AGE);
    for origin in origins {
        cors = if origin == "*" { cors.allow_any_origin() } else { cors.allowed_origin(origin) };
    }
    cors
}
