//! Calls of a vendor's HTTP API with a JSON or form body, and its errors as node errors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_model::{ExecutionError, Item, Object, Str, Value};

use crate::{Body, HttpRequest, HttpResponse, NodeContext, NodeHost, NodeResult, Output};

/// A request to a vendor.
pub(super) struct Call<'a> {
    pub method: &'a str,
    pub url: String,
    pub authorization: String,
    pub body: CallBody,
}

pub(super) enum CallBody {
    None,
    Json(Value),
    Form(Vec<(&'static str, Str)>),
}

/// Sends the request; an answer that is not 2xx is an error with the vendor's own words.
pub(super) async fn send(host: &dyn NodeHost, call: Call<'_>) -> Result<HttpResponse, ExecutionError> {
    let mut headers =
        vec![("authorization".into(), call.authorization.into()), ("accept".into(), "application/json".into())];
    let body = match call.body {
        CallBody::None => Body::None,
        CallBody::Json(json) => {
            headers.push(("content-type".into(), "application/json".into()));
            Body::Bytes(json.to_json().into())
        }
        CallBody::Form(fields) => {
            headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields.iter().map(|(name, value)| (*name, value.as_str())));
            Body::Bytes(form.finish().into())
        }
    };
    let request = HttpRequest { method: call.method.into(), url: call.url, headers, body, ..HttpRequest::default() };
    let response = host
        .http(request)
        .await
        .map_err(|problem| ExecutionError::api(problem.message).with_context("code", problem.code))?;
    if (200..300).contains(&response.status) { Ok(response) } else { Err(refused(&response)) }
}

fn refused(response: &HttpResponse) -> ExecutionError {
    let body = serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
    let first = body.pointer("errors.0.message").or_else(|| body.get("message"));
    let words = first.map_or_else(|| response.status_text.clone(), Value::to_js_string);
    let message = ecow::eco_format!("{} - {words}", response.status);
    ExecutionError {
        http_code: Some(ecow::eco_format!("{}", response.status)),
        messages: vec![words],
        ..ExecutionError::api(message)
    }
}

/// The JSON of an answer; an empty body gives an empty object.
pub(super) fn json(response: &HttpResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|_| Object::new().into())
}

/// HTTP Basic credentials (RFC 7617).
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A field of a credential as text; an error that names it when it is missing.
pub(super) fn field<'c>(credential: &'c Object, name: &str) -> Result<&'c str, ExecutionError> {
    let found = credential.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| ExecutionError::operation(ecow::eco_format!("the credential has no \"{name}\"")))
}

/// Collects the results of all items; where the node goes on after errors, a failed item gives `{"error": message}`.
pub(super) struct Results(Vec<Item>);

impl Results {
    pub(super) fn new() -> Results {
        Results(Vec::new())
    }

    pub(super) fn add(
        &mut self,
        context: &NodeContext<'_>,
        index: usize,
        made: Result<Vec<Value>, ExecutionError>,
    ) -> Result<(), ExecutionError> {
        match made {
            Ok(values) => self.0.extend(values.into_iter().map(|json| Item::new(json).paired(index))),
            Err(error) => self.0.push(context.failed_item(error, index)?),
        }
        Ok(())
    }

    pub(super) fn output(self) -> NodeResult {
        Ok(Output::items(self.0))
    }
}
