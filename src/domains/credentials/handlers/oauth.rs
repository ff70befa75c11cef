//! HTTP of connecting accounts: the way to the authorisation server, and the way back.

use actix_web::body::BoxBody;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};

use super::super::dto::{CallbackQuery, StartedOAuthResponse};
use super::super::oauth::{Returned, Started};
use super::super::service::Service;
use super::{Answer, pages};
use crate::common::permission::grants::CredentialsWrite;
use crate::common::{Problem, Secret};
use crate::infrastructure::config;
use crate::infrastructure::web::{AnswerNotKept, BadBody, Can, Conflict, Guarded, NotFound, Public, Unavailable};

/// What the browser brings, its cookies among it.
fn returned(query: CallbackQuery, request: &HttpRequest) -> Returned {
    let cookies = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
    Returned {
        state: query.state.map(Secret::new),
        // OAuth 1 has names of its own for the same.
        code: query.code.or(query.oauth_verifier).map(Secret::new),
        error: query.error.or_else(|| query.denied.map(|_| "access_denied".to_owned())),
        cookies: Secret::new(cookies.collect::<Vec<_>>().join("; ")),
    }
}

/// 201 with the address to open, and the cookie that binds what follows to this browser. Never stored, never cached.
pub(in super::super) struct StartedFlow(Started);

impl Responder for StartedFlow {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        let Started { authorization_url, scopes, expires_at, .. } = &self.0;
        let url = authorization_url.expose().clone();
        let body = StartedOAuthResponse { authorization_url: url, scopes: scopes.clone(), expires_at: *expires_at };
        let mut response = HttpResponse::Created()
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((SET_COOKIE, set_cookie(&self.0, request)))
            .json(body);
        response.extensions_mut().insert(AnswerNotKept);
        response
    }
}

/// Sent back by this browser only, to the callback only, and by no script.
pub(super) fn set_cookie(started: &Started, request: &HttpRequest) -> String {
    let (name, value) = &started.cookie;
    let life = super::super::oauth::FLOW_LIFE.as_secs();
    let path = super::super::oauth::CALLBACK_PATH;
    let is_https =
        request.app_data::<Data<config::Server>>().is_some_and(|server| server.public_url.starts_with("https:"));
    let secure = if is_https { "; Secure" } else { "" };
    format!("{name}={}; Path={path}; Max-Age={life}; HttpOnly; SameSite=Lax{secure}", value.expose())
}

/// Start to connect an account
///
/// Gives the address to open in the browser that made this request: the cookie that comes with the answer has to be there
/// when the authorisation server sends the person back. Ten minutes, once. PKCE is always used with OAuth 2.0.
#[utoipa::path(
    tag = "credentials",
    params(("id" = String, Path, description = "Id or alias of an OAuth credential.")),
    responses(
        (status = 201, description = "Where to go.", body = StartedOAuthResponse),
        Guarded<CredentialsWrite>, NotFound, Conflict, Unavailable,
        (status = 422, description = "The credential's addresses are none.", content_type = "application/problem+json",
         body = crate::infrastructure::web::ProblemBody)
    )
)]
#[post("/credentials/{id}/oauth/start")]
pub(in super::super) async fn start_oauth(
    ctx: Can<CredentialsWrite>,
    id: Path<String>,
    credentials: Data<Service>,
) -> Answer<StartedFlow> {
    Ok(StartedFlow(credentials.start_oauth(&ctx, &id).await?))
}

/// Come back from an authorisation server
///
/// Exchanges the code for tokens and stores them. The state has to be one given out within ten minutes, not used before,
/// in the browser it was given to. Browsers get a page, programs a problem where it fails.
#[utoipa::path(
    tag = "credentials",
    params(CallbackQuery),
    responses(
        (status = 200, description = "The account is connected.", body = String, content_type = "text/html",
         example = "<h1>Connected</h1>"),
        Public, Conflict, Unavailable,
        (status = 400, description = "The state or the code is missing, unknown or expired, or consent was denied.",
         content_type = "application/problem+json", body = crate::infrastructure::web::ProblemBody),
        (status = 403, description = "Another browser began it, whoever did is no member any more who may, or the tenant is suspended.", content_type = "application/problem+json",
         body = crate::infrastructure::web::ProblemBody)
    )
)]
#[get("/credentials/oauth/callback")]
pub(in super::super) async fn finish_oauth(
    request: HttpRequest,
    query: Query<CallbackQuery>,
    credentials: Data<Service>,
) -> Answer<HttpResponse> {
    let finished = credentials.finish_oauth(returned(query.into_inner(), &request)).await;
    match finished {
        Ok((credential, _)) => Ok(pages::connected(&credential.name)),
        Err(error) if wants_page(&request) => Ok(pages::failed(&Problem::from(error))),
        Err(error) => Err(error.into()),
    }
}

/// Come back from an authorisation server by a form
///
/// For servers that answer by `form_post`: leads to the same operation by GET, as only then the browser shows its cookie.
#[utoipa::path(
    tag = "credentials",
    request_body(content = CallbackQuery, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "On to the callback by GET."),
        Public, BadBody
    )
)]
#[post("/credentials/oauth/callback")]
pub(in super::super) async fn forward_oauth(form: Form<CallbackQuery>) -> HttpResponse {
    let CallbackQuery { state, code, error, oauth_verifier, denied } = form.into_inner();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in
        [("state", state), ("code", code), ("error", error), ("oauth_verifier", oauth_verifier), ("denied", denied)]
    {
        query.extend_pairs(value.map(|value| (name, value)));
    }
    let target = format!("{}?{}", super::super::oauth::CALLBACK_PATH, query.finish());
    HttpResponse::SeeOther().insert_header((LOCATION, target)).insert_header((CACHE_CONTROL, "no-store")).finish()
}

fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
