//! The OpenAPI document: what stands beside the operations, and what is derived from them.

use std::collections::BTreeMap;

use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem, RefOr, Required, Response,
};
use utoipa::{PartialSchema, ToSchema};

use super::ProblemBody;
use super::responses::{of_idempotency_key, of_query};
use crate::common::page::Limit;
use crate::common::{ApiKeyId, Cursor, ExecutionId, FieldError, SessionId, TenantId, Timestamp, UserId, WorkflowId};

/// Extension of an operation: the permission it needs.
pub(super) const PERMISSION: &str = "x-permission";
/// Mark left on a 401 answer until [`finish`] has turned it into a security requirement.
pub(super) const SECURED: &str = "x-secured";

const DESCRIPTION: &str = "Runs n8n workflows for many tenants. Sign in with `POST /api/v1/auth/login` and use the \
    access token as bearer, or make an API key. Every error is `application/problem+json` with a stable `code`. Lists \
    are cursor pages: give `nextCursor` back as `cursor`.";

/// The document before any operation.
pub fn base() -> OpenApi {
    let mut components = Components::new();
    components.schemas.insert("Problem".to_owned(), ProblemBody::schema());
    // Types of parameters are not collected from the handlers.
    components.schemas.extend([
        schema::<FieldError>(),
        schema::<Cursor>(),
        schema::<Limit>(),
        schema::<Timestamp>(),
        schema::<TenantId>(),
        schema::<UserId>(),
        schema::<ApiKeyId>(),
        schema::<SessionId>(),
        schema::<WorkflowId>(),
        schema::<ExecutionId>(),
    ]);
    let api_key = |header| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(header)));
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("apiKey", api_key("X-API-Key"));
    components.add_security_scheme("n8nApiKey", api_key("X-N8N-API-KEY"));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Millrace")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
                .build(),
        )
        .components(Some(components))
        .build()
}

fn schema<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}

/// Derives each operation's security and `x-permission` from its guard's answers.
pub fn finish(mut document: OpenApi) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            finish_operation(operation);
        }
        if let Some(operation) = item.post.as_mut().filter(|operation| operation.extensions.is_some()) {
            operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
            document_also(operation, of_idempotency_key());
        }
    }
    document
}

/// What every POST with a permission understands.
fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The same key with the same request gives the first answer again, for a day."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(255))))
        .example(Some("8e03978e-40d5-43e8-bc93-6894a57f9324".into()))
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete, &mut item.head, &mut item.options]
        .into_iter()
        .flatten()
}

/// What middleware answers, beside what the handler's own declaration says of the same status.
fn document_also(operation: &mut Operation, responses: BTreeMap<String, RefOr<Response>>) {
    for (status, response) in responses {
        operation.responses.responses.entry(status).or_insert(response);
    }
}

fn finish_operation(operation: &mut Operation) {
    let has_query = operation.parameters.iter().flatten().any(
        |parameter| matches!(parameter, RefOr::T(parameter) if matches!(parameter.parameter_in, ParameterIn::Query)),
    );
    if has_query {
        document_also(operation, of_query());
    }
    let mut secured = false;
    let mut permission = None;
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let Some(extensions) = response.extensions.as_mut() else { continue };
        secured |= extensions.remove(SECURED).is_some();
        permission = extensions.remove(PERMISSION).or(permission);
        if extensions.is_empty() {
            response.extensions = None;
        }
    }
    let none: [&str; 0] = [];
    operation.security = Some(if secured {
        ["bearer", "apiKey", "n8nApiKey"].map(|scheme| SecurityRequirement::new(scheme, none)).to_vec()
    } else {
        Vec::new()
    });
    if let Some(permission) = permission {
        let extensions = operation.extensions.get_or_insert_with(Extensions::default);
        extensions.merge(ExtensionsBuilder::new().add(PERMISSION, permission).build());
    }
}
