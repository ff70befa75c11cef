//! HTTP of the keys that seal credentials.

use actix_web::web::Data;
use actix_web::{get, post};

use super::super::dto::{EncryptionResponse, WrappingResponse};
use super::super::service::Service;
use super::Answer;
use crate::common::permission::grants::EncryptionRotate;
use crate::infrastructure::web::{Administrator, Administrators, Can, Conflict, Guarded, Json, Unavailable};

/// Rotate the tenant's encryption key
///
/// Makes a new version of the key that seals the tenant's credentials, wrapped by the operator's current key. Everything
/// goes on meanwhile; what older versions sealed is sealed anew in the background, and `GET /credentials/keys` says how far it is.
#[utoipa::path(
    tag = "encryption",
    responses(
        (status = 200, description = "The keys, the new one first.", body = EncryptionResponse),
        Guarded<EncryptionRotate>, Unavailable
    )
)]
#[post("/credentials/keys/rotate")]
pub(in super::super) async fn rotate_tenant_key(
    ctx: Can<EncryptionRotate>,
    credentials: Data<Service>,
) -> Answer<Json<EncryptionResponse>> {
    Ok(Json(credentials.rotate(&ctx).await?))
}

/// Get the tenant's encryption keys
///
/// Their versions, the operator's keys that wrap them, and how many credentials each seals. Never a key itself.
#[utoipa::path(
    tag = "encryption",
    responses(
        (status = 200, description = "The keys, the newest first.", body = EncryptionResponse),
        Guarded<EncryptionRotate>, Unavailable
    )
)]
#[get("/credentials/keys")]
pub(in super::super) async fn get_tenant_keys(
    ctx: Can<EncryptionRotate>,
    credentials: Data<Service>,
) -> Answer<Json<EncryptionResponse>> {
    Ok(Json(credentials.encryption(&ctx).await?))
}

/// Rotate the operator's encryption key
///
/// Makes a new key (where it is this server's to make) and wraps the data keys of all tenants with it, while everything goes
/// on. Keys from the environment are changed there: then this is refused.
#[utoipa::path(
    tag = "admin",
    responses(
        (status = 200, description = "The new key's id, and how many data keys it wraps.", body = WrappingResponse),
        Administrators, Conflict, Unavailable
    )
)]
#[post("/admin/keys/rotate")]
pub(in super::super) async fn admin_rotate_keys(
    ctx: Administrator,
    credentials: Data<Service>,
) -> Answer<Json<WrappingResponse>> {
    Ok(Json(credentials.admin_rotate(&ctx).await?))
}

/// Get the operator's encryption key
///
/// Its id, and how many of all tenants' data keys it wraps: the progress of a rotation. Never a key itself.
#[utoipa::path(
    tag = "admin",
    responses(
        (status = 200, description = "The key's id and the progress.", body = WrappingResponse),
        Administrators, Unavailable
    )
)]
#[get("/admin/keys")]
pub(in super::super) async fn admin_get_keys(
    _: Administrator,
    credentials: Data<Service>,
) -> Answer<Json<WrappingResponse>> {
    Ok(Json(credentials.wrapping().await?))
}
