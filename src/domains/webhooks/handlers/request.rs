//! What a webhook's item shows of the HTTP request: address, headers, query, body.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use millrace_model::{Str, Value};
use millrace_nodes::webhook::ReceivedRequest;

use super::super::guard::Caller;
use super::super::receiver::Receiver;
use super::super::reply::Reply;
use super::super::route_table::below;
use crate::infrastructure::web::{client_address, client_host, is_proxied};

/// Whose webhook is called, and which.
pub(super) struct Addressed<'a> {
    /// Slug of the tenant, where the path names one.
    pub tenant: Option<&'a str>,
    pub host: &'a str,
    /// Without leading slash, as it came.
    pub path: &'a str,
}

impl<'a> Addressed<'a> {
    pub(super) fn of(request: &'a HttpRequest) -> Addressed<'a> {
        Addressed::below(request, "/webhook/")
    }

    /// What is called below a folder of the server.
    pub(super) fn below(request: &'a HttpRequest, folder: &str) -> Addressed<'a> {
        // The raw path: encoded slashes within a segment must stay within it.
        let path = below(request.uri().path(), folder).unwrap_or_default();
        Addressed { tenant: request.match_info().get("tenant"), host: client_host(request).unwrap_or_default(), path }
    }

    /// Who calls. `scheme`: as callers reach this server.
    pub(super) fn caller(&self, request: &'a HttpRequest, scheme: &'a str) -> Caller<'a> {
        Caller {
            address: client_address(request),
            host: self.host,
            target: request.uri().path_and_query().map_or("", |target| target.as_str()),
            scheme,
            is_proxied: is_proxied(request),
            is_sample: false,
        }
    }
}

/// Refuses callers that the node's options keep out.
pub(super) fn check_caller(request: &HttpRequest, receiver: &Receiver) -> Result<(), Reply> {
    if !receiver.lets_in(client_address(request)) {
        return Err(Reply::error(403, "IP is not allowed to access the webhook!", None));
    }
    if receiver.settings.ignore_bots && is_bot(request) {
        return Err(Reply::error(403, "Authorization data is wrong!", None));
    }
    Ok(())
}

/// Crawlers and link previews, by their user agent.
fn is_bot(request: &HttpRequest) -> bool {
    const MARKS: [&str; 6] = ["bot", "crawl", "spider", "preview", "facebookexternalhit", "whatsapp"];
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let agent = agent.to_ascii_lowercase();
    MARKS.iter().any(|mark| agent.contains(mark))
}

/// How large a body may be, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    pub bytes: usize,
    pub time: Duration,
}

impl BodyLimits {
    /// The smaller of two sizes.
    pub(super) fn within(self, bytes: Option<usize>) -> BodyLimits {
        BodyLimits { bytes: bytes.map_or(self.bytes, |bytes| bytes.min(self.bytes)), ..self }
    }
}

async fn read_body(request: &HttpRequest, mut payload: Payload, limits: BodyLimits) -> Result<Bytes, Reply> {
    let reading = read_within(request, &mut payload, limits.bytes);
    // A body that is there already is read without a timer.
    tokio::time::timeout(limits.time, reading)
        .await
        .unwrap_or_else(|_| Err(Reply::error(408, "The request body came too slowly", Some("Send it again."))))
}

async fn read_within(request: &HttpRequest, payload: &mut Payload, limit: usize) -> Result<Bytes, Reply> {
    let too_large =
        || Reply::error(413, "The request body is too large", Some(&format!("At most {limit} bytes are read.")));
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| Reply::error(400, "The request body cannot be read", Some(&error.to_string())))?;
        if body.is_empty() && announced == Some(chunk.len()) {
            return Ok(chunk);
        }
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The request as the node reads it, its body within the limit.
pub(super) async fn received(
    request: &HttpRequest,
    payload: Payload,
    parameters: Vec<(Box<str>, String)>,
    limits: BodyLimits,
) -> Result<ReceivedRequest, Reply> {
    let parameters = parameters.into_iter().map(|(name, value)| (Str::from(&*name), Value::from(value)));
    Ok(ReceivedRequest {
        method: request.method().as_str().into(),
        headers: headers(request),
        params: parameters.collect(),
        query: request.query_string().into(),
        body: read_body(request, payload, limits).await?,
        ..ReceivedRequest::default()
    })
}

/// Headers by lower-case name; those that came several times joined as HTTP allows (RFC 9110 §5.3).
pub(super) fn headers(request: &HttpRequest) -> Vec<(Str, Str)> {
    let mut headers: Vec<(Str, Str)> = Vec::with_capacity(request.headers().len());
    for (name, value) in request.headers() {
        let text = String::from_utf8_lossy(value.as_bytes());
        match headers.iter_mut().find(|(present, _)| present == name.as_str()) {
            Some((_, present)) => *present = ecow::eco_format!("{present}, {text}"),
            None => headers.push((name.as_str().into(), (*text).into())),
        }
    }
    headers
}
