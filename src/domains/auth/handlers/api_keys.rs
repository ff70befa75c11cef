//! HTTP of API keys.

use actix_web::{delete, get, post, web};

use super::super::dto::{ApiKeyResponse, CreateApiKey, CreatedApiKeyResponse};
use super::super::service::Service;
use crate::common::permission::grants::{ApiKeysRead, ApiKeysWrite};
use crate::common::{ApiKeyId, Page, PageQuery, Problem};
use crate::infrastructure::web::{BadBody, Can, CreatedSecret, Guarded, Json, NoContent, NotFound};

/// Create an API key
///
/// The key is in the answer and is never shown again. It allows at most what its maker may do.
#[utoipa::path(
    tag = "apiKeys",
    request_body = CreateApiKey,
    responses(
        (status = 201, description = "The key with its secret.", body = CreatedApiKeyResponse),
        Guarded<ApiKeysWrite>, BadBody
    )
)]
#[post("/api-keys")]
pub(in super::super) async fn create_api_key(
    ctx: Can<ApiKeysWrite>,
    auth: web::Data<Service>,
    body: Json<CreateApiKey>,
) -> Result<CreatedSecret<CreatedApiKeyResponse>, Problem> {
    Ok(CreatedSecret(auth.create_api_key(&ctx, body.into_inner()).await?))
}

/// List API keys
///
/// The tenant's keys, newest first, without their secrets.
#[utoipa::path(
    tag = "apiKeys",
    params(PageQuery),
    responses((status = 200, description = "One page of keys.", body = Page<ApiKeyResponse>), Guarded<ApiKeysRead>)
)]
#[get("/api-keys")]
pub(in super::super) async fn list_api_keys(
    ctx: Can<ApiKeysRead>,
    auth: web::Data<Service>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<ApiKeyResponse>>, Problem> {
    Ok(Json(auth.list_api_keys(&ctx, &query).await?))
}

/// Delete an API key
///
/// The key stops working.
#[utoipa::path(
    tag = "apiKeys",
    params(("id" = ApiKeyId, Path, description = "The key.")),
    responses((status = 204, description = "Deleted."), Guarded<ApiKeysWrite>, NotFound)
)]
#[delete("/api-keys/{id}")]
pub(in super::super) async fn delete_api_key(
    ctx: Can<ApiKeysWrite>,
    auth: web::Data<Service>,
    id: web::Path<ApiKeyId>,
) -> Result<NoContent, Problem> {
    auth.delete_api_key(&ctx, *id).await?;
    Ok(NoContent)
}
