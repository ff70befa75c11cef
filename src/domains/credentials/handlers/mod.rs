//! HTTP of credentials: route, permission and OpenAPI of each operation in one declaration. Paths and shapes are those of
//! n8n's public API where it has them.

pub(super) mod connect;
pub(super) mod keys;
pub(super) mod oauth;
mod pages;
pub(super) mod type_catalog;

use actix_web::web::{Data, Path, Query};
use actix_web::{delete, get, patch, post, put};

use super::dto::{
    CreateCredential, CredentialResponse, ListCredentialsQuery, ReplaceCredential, ShareCredential, TestResponse,
    UpdateCredential, UsageResponse,
};
use super::service::Service;
use crate::common::permission::grants::{CredentialsRead, CredentialsWrite};
use crate::common::{Page, Problem};
use crate::infrastructure::web::{BadBody, Can, Conflict, Created, Guarded, Json, NotFound, Unavailable};

type Answer<T> = Result<T, Problem>;

/// List credentials
///
/// Newest first, without their fields. All filters must hold.
#[utoipa::path(
    tag = "credentials",
    params(ListCredentialsQuery),
    responses(
        (status = 200, description = "A page of credentials.", body = Page<CredentialResponse>),
        Guarded<CredentialsRead>
    )
)]
#[get("/credentials")]
pub(super) async fn list_credentials(
    ctx: Can<CredentialsRead>,
    query: Query<ListCredentialsQuery>,
    credentials: Data<Service>,
) -> Answer<Json<Page<CredentialResponse>>> {
    Ok(Json(credentials.list(&ctx, &query).await?))
}

/// Create a credential
///
/// Its fields are checked against its type, encrypted, and never shown again: answers have a mark in place of each secret.
#[utoipa::path(
    tag = "credentials",
    request_body = CreateCredential,
    responses(
        (status = 201, description = "The new credential.", body = CredentialResponse),
        Guarded<CredentialsWrite>, BadBody, Conflict, Unavailable
    )
)]
#[post("/credentials")]
pub(super) async fn create_credential(
    ctx: Can<CredentialsWrite>,
    body: Json<CreateCredential>,
    credentials: Data<Service>,
) -> Answer<Created<CredentialResponse>> {
    Ok(Created(credentials.create(&ctx, body.into_inner()).await?))
}

/// Get a credential
///
/// By its id, or by the id it was exported under elsewhere. A mark stands for each secret that is set.
#[utoipa::path(
    tag = "credentials",
    params(("id" = String, Path, description = "Id or alias.")),
    responses(
        (status = 200, description = "The credential.", body = CredentialResponse),
        Guarded<CredentialsRead>, NotFound, Conflict, Unavailable
    )
)]
#[get("/credentials/{id}")]
pub(super) async fn get_credential(
    ctx: Can<CredentialsRead>,
    id: Path<String>,
    credentials: Data<Service>,
) -> Answer<Json<CredentialResponse>> {
    Ok(Json(credentials.get(&ctx, &id).await?))
}

/// Replace a credential
///
/// Takes all fields. A secret stays as it is where its field holds the mark that answers show in its place.
#[utoipa::path(
    tag = "credentials",
    params(("id" = String, Path, description = "Id or alias.")),
    request_body = ReplaceCredential,
    responses(
        (status = 200, description = "The credential as it is now.", body = CredentialResponse),
        Guarded<CredentialsWrite>, BadBody, NotFound, Conflict, Unavailable
    )
)]
#[put("/credentials/{id}")]
pub(super) async fn replace_credential(
    ctx: Can<CredentialsWrite>,
    id: Path<String>,
    body: Json<ReplaceCredential>,
    credentials: Data<Service>,
) -> Answer<Json<CredentialResponse>> {
    Ok(Json(credentials.replace(&ctx, &id, body.into_inner()).await?))
}

/// Update a credential
///
/// Changes the fields that are given; null takes one away.
#[utoipa::path(
    tag = "credentials",
    params(("id" = String, Path, description = "Id or alias.")),
    request_body = UpdateCredential,
    responses(
        (status = 200, description = "The credential as it is now.", body = CredentialResponse),
        Guarded<CredentialsWrite>, BadBody, NotFound, Conflict, Unavailable
    )
)]
#[patch("/credentials/{id}")]
pub(super) async fn update_credential(
    ctx: Can<CredentialsWrite>,
    id: Path<String>,
    body: Json<UpdateCredential>,
    credentials: Data<Service>,
) -> Answer<Json<CredentialResponse>> {
    Ok(Json(credentials.update(&ctx, &id, body.into_inner()).await?))
}

/// Delete a credential
///
/// Workflows that name it fail from now on. Answers what it was.
#[utoipa::path(
    tag = "credentials",
    params(("id" = String, Path, description = "Id or alias.")),
    responses(
        (status = 200, description = "The credential as it was.", body = CredentialResponse),
        Guarded<CredentialsWrite>, NotFound
    )
)]
#[delete("/credentials/{id}")]
pub(super) async fn delete_credential(
    ctx: Can<CredentialsWrite>,
    id: Path<String>,
    credentials: Data<Service>,
) -> Answer<Json<CredentialResponse>> {
    Ok(Json(credentials.delete(&ctx, &id).await?))
}

/// Test a credential
///
/// Sends the request that its type declares and says how it went; a refusal is an answer, too.
#[utoipa::path(
    tag = "credentials",
    params(("id" = String, Path, description = "Id or alias.")),
    responses(
        (status = 200, description = "How it went.", body = TestResponse),
        Guarded<CredentialsWrite>, NotFound, Conflict, Unavailable
    )
)]
#[post("/credentials/{id}/test")]
pub(super) async fn test_credential(
    ctx: Can<CredentialsWrite>,
    id: Path<String>,
    credentials: Data<Service>,
) -> Answer<Json<TestResponse>> {
    Ok(Json(credentials.test(&ctx, &id).await?))
}

/// Share a credential
///
/// Says which workflows and which node types may use it; anything of the tenant may where nothing is said.
#[utoipa::path(
    tag = "credentials",
    params(("id" = String, Path, description = "Id or alias.")),
    request_body = ShareCredential,
    responses(
        (status = 200, description = "The credential as it is now.", body = CredentialResponse),
        Guarded<CredentialsWrite>, BadBody, NotFound, Conflict
    )
)]
#[post("/credentials/{id}/share")]
pub(super) async fn share_credential(
    ctx: Can<CredentialsWrite>,
    id: Path<String>,
    body: Json<ShareCredential>,
    credentials: Data<Service>,
) -> Answer<Json<CredentialResponse>> {
    Ok(Json(credentials.share(&ctx, &id, body.into_inner()).await?))
}

/// List the uses of a credential
///
/// The workflows whose current version names it, and their nodes that do.
#[utoipa::path(
    tag = "credentials",
    params(("id" = String, Path, description = "Id or alias.")),
    responses(
        (status = 200, description = "The workflows.", body = UsageResponse),
        Guarded<CredentialsRead>, NotFound
    )
)]
#[get("/credentials/{id}/usage")]
pub(super) async fn list_credential_usage(
    ctx: Can<CredentialsRead>,
    id: Path<String>,
    credentials: Data<Service>,
) -> Answer<Json<UsageResponse>> {
    Ok(Json(credentials.usage(&ctx, &id).await?))
}
