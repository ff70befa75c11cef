//! Requests that no route takes: 405 with `Allow` where the path exists with other methods, else 404. Reads the OpenAPI
//! document for what exists, so it cannot disagree with the router.

use std::collections::BTreeSet;

use actix_router::ResourceDef;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::{OpenApi, PathItem};

use super::problem::{METHOD_NOT_ALLOWED, ROUTE_NOT_FOUND};
use crate::common::Problem;

/// Every documented path with the methods it supports.
pub struct Fallback(Vec<(ResourceDef, HeaderValue)>);

impl Fallback {
    pub fn new(document: &OpenApi) -> Fallback {
        let allowed = document.paths.paths.iter().filter_map(|(path, item)| {
            let methods: Vec<&str> = methods(item).into_iter().collect();
            Some((ResourceDef::new(path.as_str()), HeaderValue::from_str(&methods.join(", ")).ok()?))
        });
        Fallback(allowed.collect())
    }

    /// The app's default service.
    pub async fn answer(request: HttpRequest, fallback: web::Data<Fallback>) -> HttpResponse {
        let known = fallback.0.iter().find(|(pattern, _)| pattern.is_match(request.path()));
        let Some((_, allow)) = known else {
            return HttpResponse::from_error(Problem::of(ROUTE_NOT_FOUND));
        };
        let mut response = HttpResponse::from_error(Problem::of(METHOD_NOT_ALLOWED));
        response.headers_mut().insert(header::ALLOW, allow.clone());
        response
    }
}

fn methods(item: &PathItem) -> BTreeSet<&'static str> {
    [
        ("DELETE", &item.delete),
        ("GET", &item.get),
        ("HEAD", &item.head),
        ("OPTIONS", &item.options),
        ("PATCH", &item.patch),
        ("POST", &item.post),
        ("PUT", &item.put),
    ]
    .into_iter()
    .filter_map(|(name, operation)| operation.is_some().then_some(name))
    .collect()
}
