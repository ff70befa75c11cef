//! The pages that links in mails lead to. One document, one script, one style sheet; the token stays in the browser until it is
//! sent to the API.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};

use crate::infrastructure::web::authentication::authenticate;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Routes at the root.
pub fn configure(config: &mut web::ServiceConfig) {
    for (path, route) in [
        ("/account/reset-password", web::get().to(document)),
        ("/account/verify-email", web::get().to(document)),
        ("/invitations/accept", web::get().to(document)),
        ("/account/account.js", web::get().to(script)),
        ("/account/account.css", web::get().to(style)),
    ] {
        config.service(web::resource(path).wrap(from_fn(authenticate)).route(route));
    }
}

async fn document() -> HttpResponse {
    asset("text/html; charset=utf-8", include_str!("../pages/account.html"))
}

async fn script() -> HttpResponse {
    asset("text/javascript; charset=utf-8", include_str!("../pages/account.js"))
}

async fn style() -> HttpResponse {
    asset("text/css; charset=utf-8", include_str!("../pages/account.css"))
}

fn asset(content_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(text)
}
