//! HTTP of the types of credentials.

use actix_web::get;
use actix_web::web::Path;

use super::super::dto::{CredentialSchemaResponse, CredentialTypeResponse, CredentialTypesResponse};
use super::super::service::kind_of;
use super::super::{registry, schema};
use super::Answer;
use crate::common::permission::grants::CredentialsRead;
use crate::infrastructure::web::{Can, Guarded, Json, NotFound};

/// List credential types
///
/// Every type with its fields, how it authenticates a request, and how it is tested.
#[utoipa::path(
    tag = "credentials",
    responses(
        (status = 200, description = "The types, by name.", body = CredentialTypesResponse),
        Guarded<CredentialsRead>
    )
)]
#[get("/credential-types")]
pub(in super::super) async fn list_credential_types(_: Can<CredentialsRead>) -> Json<CredentialTypesResponse> {
    Json(CredentialTypesResponse { data: registry::all().map(CredentialTypeResponse::from).collect() })
}

/// Get the schema of a credential type
///
/// What `data` of a credential of this type holds, as JSON Schema.
#[utoipa::path(
    tag = "credentials",
    params(("type" = String, Path, description = "Name of the type.", example = "httpBasicAuth")),
    responses(
        (status = 200, description = "The schema.", body = CredentialSchemaResponse),
        Guarded<CredentialsRead>, NotFound
    )
)]
#[get("/credentials/schema/{type}")]
pub(in super::super) async fn get_credential_schema(
    _: Can<CredentialsRead>,
    kind: Path<String>,
) -> Answer<Json<CredentialSchemaResponse>> {
    Ok(Json(schema::schema(kind_of(&kind)?)))
}
