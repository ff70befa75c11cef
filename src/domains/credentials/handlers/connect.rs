//! HTTP of connect sessions: made and watched by the inviting side, accepted on a hosted page by anybody with the token.

use actix_web::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};

use super::super::dto::{CreateConnectSession, CreatedSessionResponse, SessionResponse};
use super::super::service::Service;
use super::super::sessions::Accepted;
use super::{Answer, oauth, pages};
use crate::common::permission::grants::{CredentialsRead, CredentialsWrite};
use crate::common::{ConnectSessionId, Problem};
use crate::infrastructure::web::{BadBody, Can, CreatedSecret, Guarded, Json, NotFound, RawBody, Unavailable};

/// Create a connect session
///
/// An invitation for somebody who is no user here to connect an account, on the page whose address is in the answer: half
/// an hour, once. Poll it for the outcome, or listen to `connect_session.connected` and `connect_session.failed`.
#[utoipa::path(
    tag = "credentials",
    request_body = CreateConnectSession,
    responses(
        (status = 201, description = "The invitation with its token.", body = CreatedSessionResponse),
        Guarded<CredentialsWrite>, BadBody, Unavailable
    )
)]
#[post("/credentials/connect-sessions")]
pub(in super::super) async fn create_connect_session(
    ctx: Can<CredentialsWrite>,
    body: Json<CreateConnectSession>,
    credentials: Data<Service>,
) -> Answer<CreatedSecret<CreatedSessionResponse>> {
    Ok(CreatedSecret(credentials.invite(&ctx, body.into_inner()).await?))
}

/// Get a connect session
///
/// How it stands, and the credential that came of it.
#[utoipa::path(
    tag = "credentials",
    params(("id" = ConnectSessionId, Path, description = "Id of the session.")),
    responses(
        (status = 200, description = "The session.", body = SessionResponse),
        Guarded<CredentialsRead>, NotFound
    )
)]
#[get("/credentials/connect-sessions/{id}")]
pub(in super::super) async fn get_connect_session(
    ctx: Can<CredentialsRead>,
    id: Path<ConnectSessionId>,
    credentials: Data<Service>,
) -> Answer<Json<SessionResponse>> {
    Ok(Json(credentials.session(&ctx, *id).await?))
}

/// The hosted page.
pub(in super::super) async fn show(token: Path<String>, credentials: Data<Service>) -> HttpResponse {
    match credentials.invitation(&token).await {
        Ok(invitation) => pages::invitation(&invitation, &[]),
        Err(error) => pages::failed(&Problem::from(error)),
    }
}

/// What was filled in on it.
pub(in super::super) async fn accept(
    request: HttpRequest,
    token: Path<String>,
    RawBody(body): RawBody,
    credentials: Data<Service>,
) -> HttpResponse {
    let entered = url::form_urlencoded::parse(&body).into_owned().collect();
    match credentials.accept(&token, entered).await {
        Ok(Accepted::Connected) => pages::connected(""),
        Ok(Accepted::Consent(started)) => HttpResponse::SeeOther()
            .insert_header((LOCATION, started.authorization_url.expose().as_str()))
            .insert_header((SET_COOKIE, oauth::set_cookie(&started, &request)))
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish(),
        Err(super::super::Error::Invalid(errors)) => match credentials.invitation(&token).await {
            Ok(invitation) => pages::invitation(&invitation, &errors),
            Err(error) => pages::failed(&Problem::from(error)),
        },
        Err(error) => pages::failed(&Problem::from(error)),
    }
}
