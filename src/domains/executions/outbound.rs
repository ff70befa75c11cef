//! Requests of nodes, put into the words of the one HTTP client and of the services, and their answers and failures into
//! n8n's.

use std::sync::Arc;

use millrace_model::{ExecutionError, Str, Value};
use millrace_nodes::{Body, HttpError, HttpRequest, HttpResponse};

use crate::common::Coded;
use crate::common::error::chain;
use crate::infrastructure::http_client::{
    self, AllowedHosts, EgressPolicy, ErrorKind, HttpClient, Identity, Part, Request,
};
use crate::infrastructure::services::{Failure, Reach, Services};

/// Sends a request under an egress policy, and to no other hosts than its credentials are for.
pub(crate) async fn send(
    client: &HttpClient,
    policy: &Arc<EgressPolicy>,
    request: HttpRequest,
    allowed_hosts: Vec<AllowedHosts>,
) -> Result<HttpResponse, HttpError> {
    let request = Request { allowed_hosts, ..translated(request) };
    let answer = client.send(policy, request).await.map_err(failure)?;
    let headers = answer.headers.into_iter().map(|(name, value)| (Str::from(name), Str::from(value)));
    Ok(HttpResponse {
        status: answer.status,
        status_text: answer.reason.into(),
        headers: headers.collect(),
        body: answer.body,
        url: answer.url,
    })
}

/// Calls a database or mail server within reach.
pub(crate) async fn service(
    services: &Services,
    reach: &Reach,
    name: &str,
    arguments: &Value,
) -> Result<Value, ExecutionError> {
    services.call(reach, name, arguments).await.map_err(|Failure { message, description }| {
        let error = ExecutionError::operation(message);
        match description {
            Some(description) => error.describe(description),
            None => error,
        }
    })
}

/// What a node is told of a call to one of our own domains. Of our own faults that is nothing; the log has them.
pub(crate) fn refused(error: &impl Coded) -> ExecutionError {
    tracing::debug!(error = chain(error), "a node was refused");
    ExecutionError::operation(error.detail().unwrap_or_else(|| "The server failed to do this".to_owned()))
}

fn translated(request: HttpRequest) -> Request {
    let mut headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    if let Some(key) = &request.idempotency_key
        && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"))
    {
        headers.push(("Idempotency-Key".to_owned(), key.to_string()));
    }
    let part = |(name, bytes, file_name, content_type): (Str, _, Option<Str>, Option<Str>)| Part {
        name: name.to_string(),
        bytes,
        file_name: file_name.map(|text| text.to_string()),
        content_type: content_type.map(|text| text.to_string()),
    };
    Request {
        reads_only: None,
        method: request.method.to_string(),
        url: request.url,
        headers,
        body: match request.body {
            Body::None => http_client::Body::None,
            Body::Bytes(bytes) => http_client::Body::Bytes(bytes),
            Body::Multipart(parts) => http_client::Body::Multipart(parts.into_iter().map(part).collect()),
        },
        timeout: request.timeout,
        max_redirects: request
            .follow_redirects
            .then(|| request.max_redirects.map_or(21, |hops| usize::try_from(hops).unwrap_or(usize::MAX))),
        ignore_tls_errors: request.ignore_tls_errors,
        identity: request.identity.as_deref().map(|identity| {
            Arc::new(Identity {
                authority: identity.authority.to_string(),
                certificate: identity.certificate.to_string(),
                key: identity.key.to_string(),
                passphrase: identity.passphrase.to_string(),
            })
        }),
        proxy: request.proxy.map(|text| text.to_string()),
        allowed_hosts: Vec::new(),
        private_headers: request.private_headers.iter().map(ToString::to_string).collect(),
    }
}

/// The failure by Node's name for it, which workflows and their authors know.
fn failure(error: http_client::Error) -> HttpError {
    let code = match error.kind {
        ErrorKind::EgressDenied => "EGRESS_DENIED",
        ErrorKind::NotFound => "ENOTFOUND",
        ErrorKind::Refused => "ECONNREFUSED",
        ErrorKind::Reset => "ECONNRESET",
        ErrorKind::TimedOut => "ETIMEDOUT",
        ErrorKind::Tls => "CERT_UNTRUSTED",
        ErrorKind::TooManyRedirects => "ERR_FR_TOO_MANY_REDIRECTS",
        ErrorKind::Invalid => "ERR_INVALID_URL",
        ErrorKind::TooLarge | ErrorKind::Other => "ECONNABORTED",
    };
    HttpError { code, message: error.message }
}
