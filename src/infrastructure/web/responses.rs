//! The common error answers of operations, for `responses(…)` of `#[utoipa::path]`. Guards appear here as in the signature:
//! `Guarded<WorkflowsWrite>` documents what `Can<WorkflowsWrite>` does.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::json;
use utoipa::IntoResponses;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::openapi::{PERMISSION, SECURED};
use crate::common::permission::Requires;

type Responses = BTreeMap<String, RefOr<Response>>;

/// 401, 403, 413, 429, 500 and 503: what an operation answers that asks for the permission `P`.
pub struct Guarded<P>(PhantomData<P>);

/// 401, 413, 429, 500 and 503: any signed-in caller.
pub struct SignedIn;

/// 413, 429, 500 and 503: no credentials needed.
pub struct Public;

/// 403 of operations that are for people, not for API keys.
pub struct Forbidden;

/// 401 of operations that check credentials themselves: login, refresh.
pub struct Unauthorized;

/// 400, 413, 415 and 422: operations that read a JSON body.
pub struct BadBody;

/// 404: no such resource in the caller's tenant.
pub struct NotFound;

/// 409: clashes with the present state.
pub struct Conflict;

/// 503: a dependency is away.
pub struct Unavailable;

impl<P: Requires> IntoResponses for Guarded<P> {
    fn responses() -> Responses {
        let permission = P::PERMISSION;
        let mut all = SignedIn::responses();
        let description = format!("The caller lacks the permission `{permission}`.");
        let mut forbidden = problem(403, &description, "forbidden", "Not permitted");
        forbidden.extensions = Some(ExtensionsBuilder::new().add(PERMISSION, permission.as_str()).build());
        all.insert("403".to_owned(), RefOr::T(forbidden));
        all
    }
}

impl IntoResponses for SignedIn {
    fn responses() -> Responses {
        let mut all = Public::responses();
        let mut unauthenticated =
            problem(401, "No credentials, or wrong ones.", "unauthenticated", "Credentials are needed");
        unauthenticated.extensions = Some(ExtensionsBuilder::new().add(SECURED, true).build());
        all.insert("401".to_owned(), RefOr::T(unauthenticated));
        all
    }
}

impl IntoResponses for Public {
    fn responses() -> Responses {
        table(&[
            (413, "The body is over the limit.", "body_too_large", "The request body is over the limit"),
            (429, "Too many requests; `Retry-After` says when to try again.", "too_many_requests", "Too many requests"),
            (500, "The server failed; its log has the details.", "internal_error", "Internal error"),
            (503, "A dependency does not answer; `GET /health/ready` says which.", "unavailable", "Not available"),
        ])
    }
}

impl IntoResponses for Forbidden {
    fn responses() -> Responses {
        table(&[(
            403,
            "Not with an API key, or the password or code is wrong.",
            "person_needed",
            "Not possible with an API key",
        )])
    }
}

/// 422 of operations with query parameters.
pub(super) fn of_query() -> Responses {
    table(&[(422, "A query parameter is not valid.", "invalid_query", "A query parameter is not valid")])
}

/// 400, 409 and 422 of operations that take an `Idempotency-Key`.
pub(super) fn of_idempotency_key() -> Responses {
    table(&[
        (400, "The `Idempotency-Key` is not valid.", "invalid_idempotency_key", "The Idempotency-Key is not valid"),
        (409, "It clashes with the present state; `code` says how.", "conflict", "Conflict"),
        (
            422,
            "The `Idempotency-Key` belongs to another request.",
            "idempotency_key_reused",
            "The Idempotency-Key was used for another request",
        ),
    ])
}

impl IntoResponses for Unauthorized {
    fn responses() -> Responses {
        table(&[(401, "The credentials are wrong.", "wrong_login", "Wrong e-mail address or password")])
    }
}

impl IntoResponses for BadBody {
    fn responses() -> Responses {
        table(&[
            (400, "The body is not JSON.", "malformed_json", "The body is not JSON"),
            (413, "The body is over the limit.", "body_too_large", "The request body is over the limit"),
            (415, "The body is not `application/json`.", "unsupported_media_type", "The body's type is not supported"),
            (422, "The body is not valid; `errors` says where.", "invalid_body", "The body is not valid"),
        ])
    }
}

impl IntoResponses for NotFound {
    fn responses() -> Responses {
        table(&[(404, "There is no such resource in the caller's tenant.", "not_found", "No such resource")])
    }
}

impl IntoResponses for Conflict {
    fn responses() -> Responses {
        table(&[(409, "It clashes with the present state; `code` says how.", "conflict", "Conflict")])
    }
}

impl IntoResponses for Unavailable {
    fn responses() -> Responses {
        table(&[(503, "A dependency does not answer.", "unavailable", "Not available")])
    }
}

fn table(rows: &[(u16, &str, &str, &str)]) -> Responses {
    rows.iter()
        .map(|(status, description, code, title)| {
            (status.to_string(), RefOr::T(problem(*status, description, code, title)))
        })
        .collect()
}

pub(super) fn problem(status: u16, description: &str, code: &str, title: &str) -> Response {
    let example = json!({
        "type": format!("urn:millrace:problem:{code}"),
        "title": title,
        "status": status,
        "code": code,
        "requestId": "01890a5d-ac96-774b-bcce-b302099a8057",
        "errors": if status == 422 {
            json!([{ "pointer": "/name", "code": "missing_field", "message": "missing field `name`" }])
        } else {
            json!([])
        },
    });
    ResponseBuilder::new()
        .description(description)
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(Some(example)).build(),
        )
        .build()
}
