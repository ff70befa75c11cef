//! Answers other than 200.

use actix_web::body::BoxBody;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use super::AnswerNotKept;

/// 201 with the new resource as body.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        HttpResponse::Created().json(self.0)
    }
}

/// 201 with a body that holds a new secret: never stored for a repeated `Idempotency-Key`, never cached.
#[derive(Debug)]
pub struct CreatedSecret<T>(pub T);

impl<T: Serialize> Responder for CreatedSecret<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::Created().insert_header((CACHE_CONTROL, "no-store")).json(self.0);
        response.extensions_mut().insert(AnswerNotKept);
        response
    }
}

/// 204 without a body.
#[derive(Clone, Copy, Debug)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        HttpResponse::NoContent().finish()
    }
}
