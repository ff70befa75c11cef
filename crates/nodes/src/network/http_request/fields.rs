//! Parameters of the versions from 3 on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use millrace_model::{ExecutionError, Item, Object, Str, Value};

use super::super::http::{ArrayFormat, Draft, DraftBody, Part};
use super::Plan;
use super::optimize::Optimize;
use super::pagination::Pagination;
use super::response::{Format, ResponsePlan};
use crate::{HttpRequest, NodeContext, TlsIdentity, files};

pub(super) fn plan(context: &mut NodeContext<'_>, item: usize) -> Result<Plan, ExecutionError> {
    let options = options(context, item)?;
    let response = ResponsePlan { optimize: Optimize::read(context, item)?, ..response_plan(&options) };
    let mut draft = Draft {
        request: HttpRequest {
            method: context.text("method", item)?,
            url: url(context, item)?,
            ..limits(&options, context.version())
        },
        arrays: ArrayFormat::named(options.get("queryParameterArrays").and_then(Value::as_str).unwrap_or_default()),
        ..Draft::default()
    };
    if context.flag("sendQuery", item)? {
        draft.query = query(context, item)?;
    }
    if context.flag("sendBody", item)? {
        draft.body = body(context, item)?;
    }
    if context.flag("sendHeaders", item)? {
        let lower = !matches!(options.get("lowercaseHeaders"), Some(Value::Bool(false)));
        for (name, value) in headers(context, item)?.iter().filter(|(name, _)| !name.trim().is_empty()) {
            let name = if lower { name.to_lowercase() } else { name.clone() };
            draft.set_header(name, value.to_js_string());
        }
    }
    draft.default_header("accept", accept(response.format));
    draft.default_header("user-agent", "n8n");
    let pagination = Pagination::of(context, item)?;
    Ok(Plan { draft, response: ResponsePlan { paged: pagination.is_some(), ..response }, pagination })
}

/// The options with their expressions resolved, but for pagination's, which are resolved for each page.
fn options(context: &mut NodeContext<'_>, item: usize) -> Result<Object, ExecutionError> {
    let Some(Value::Object(options)) = context.parameters.get("options") else { return Ok(Object::new()) };
    let mut options = options.clone();
    options.remove("pagination");
    Ok(context.resolve(&options.into(), item)?.as_object().cloned().unwrap_or_default())
}

fn url(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    let url = match context.parameter("url", item)? {
        Value::String(url) => url,
        other => {
            let message = format!("URL parameter must be a string, got {}", other.kind());
            return Err(ExecutionError::operation(message));
        }
    };
    let trimmed = url.trim();
    if trimmed.starts_with("http://") || trimmed.starts_with("https://") {
        return Ok(trimmed.to_owned());
    }
    let message = format!("Invalid URL: {url}. URL must start with \"http\" or \"https\".");
    Err(ExecutionError::operation(message))
}

/// Time-outs, redirects, TLS and proxy.
fn limits(options: &Object, version: f64) -> HttpRequest {
    let redirect = options.get("redirect").and_then(|redirect| redirect.get("redirect"));
    let follow_redirects = match redirect {
        Some(redirect) => redirect.get("followRedirects").is_some_and(millrace_model::truthy),
        None => version >= 4.0,
    };
    let max_redirects = redirect.and_then(|redirect| redirect.get("maxRedirects")?.as_f64());
    HttpRequest {
        timeout: Some(timeout(options.get("timeout"))),
        follow_redirects,
        max_redirects: max_redirects.and_then(millrace_model::to_index).and_then(|most| u32::try_from(most).ok()),
        ignore_tls_errors: options.get("allowUnauthorizedCerts").is_some_and(millrace_model::truthy),
        proxy: options.get("proxy").and_then(Value::as_str).filter(|proxy| !proxy.is_empty()).map(Str::from),
        ..HttpRequest::default()
    }
}

/// The time-out asked for, else five minutes.
pub(super) fn timeout(given: Option<&Value>) -> Duration {
    const DEFAULT: Duration = Duration::from_secs(300);
    let milliseconds = given.and_then(Value::as_f64).filter(|given| *given > 0.0 && *given <= 86_400_000.0);
    milliseconds.map_or(DEFAULT, |given| Duration::from_secs_f64(given / 1000.0))
}

fn response_plan(options: &Object) -> ResponsePlan {
    let response = options.get("response").and_then(|response| response.get("response")).cloned().unwrap_or_default();
    let flag = |name: &str| response.get(name).is_some_and(millrace_model::truthy);
    ResponsePlan {
        format: match response.get("responseFormat").and_then(Value::as_str) {
            Some("json") => Format::Json,
            Some("text") => Format::Text,
            Some("file") => Format::File,
            _ => Format::Autodetect,
        },
        full: flag("fullResponse"),
        never_error: flag("neverError"),
        property: response.get("outputPropertyName").and_then(Value::as_str).unwrap_or("data").into(),
        split: true,
        paged: false,
        with_status: false,
        optimize: None,
        text_format: "Text",
    }
}

fn accept(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json,text/*;q=0.99",
        Format::Text => "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, */*;q=0.1",
        Format::Autodetect | Format::File => {
            "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7"
        }
    }
}

fn query(context: &mut NodeContext<'_>, item: usize) -> Result<Object, ExecutionError> {
    if context.text("specifyQuery", item)? == "json" {
        return json_object(context, "jsonQuery", "JSON Query Parameters", item);
    }
    let repeats = context.version() >= 4.3;
    let mut query = Object::new();
    for (name, value) in pairs(context, "queryParameters.parameters", item)? {
        let value = match query.get(&name) {
            Some(Value::Array(before)) if repeats => Value::array(before.iter().cloned().chain([value])),
            Some(before) if repeats => Value::array([before.clone(), value]),
            _ => value,
        };
        if !name.is_empty() {
            query.insert(name, value);
        }
    }
    Ok(query)
}

fn headers(context: &mut NodeContext<'_>, item: usize) -> Result<Object, ExecutionError> {
    if context.text("specifyHeaders", item)? == "json" {
        return json_object(context, "jsonHeaders", "JSON Headers", item);
    }
    Ok(pairs(context, "headerParameters.parameters", item)?.into_iter().collect())
}

fn body(context: &mut NodeContext<'_>, item: usize) -> Result<DraftBody, ExecutionError> {
    let keypairs = |context: &mut NodeContext<'_>| {
        Ok::<Object, ExecutionError>(pairs(context, "bodyParameters.parameters", item)?.into_iter().collect())
    };
    let content_type = context.text("contentType", item)?;
    Ok(match content_type.as_str() {
        "multipart-form-data" => multipart(context, item)?,
        "form-urlencoded" if context.text("specifyBody", item)? == "string" => {
            let text = context.text("body", item)?;
            DraftBody::Raw(Bytes::from(text.to_string()), Some("application/x-www-form-urlencoded".into()))
        }
        "form-urlencoded" => DraftBody::Form(keypairs(context)?),
        "raw" => {
            let (text, kind) = (context.parameter("body", item)?, context.text("rawContentType", item)?);
            let text = match &text {
                Value::Object(_) | Value::Array(_) => text.to_json(),
                other if other.is_nullish() => String::new(),
                other => other.to_js_string().to_string(),
            };
            DraftBody::Raw(text.into(), Some(kind).filter(|kind| !kind.is_empty()))
        }
        "binaryData" => {
            let field = context.text("inputDataFieldName", item)?;
            let (bytes, _, kind) = binary(context, &field, item)?;
            DraftBody::Raw(bytes, Some(kind.unwrap_or_else(|| "application/octet-stream".into())))
        }
        _ if context.text("specifyBody", item)? == "json" => DraftBody::Json(json_body(context, item)?),
        _ => DraftBody::Json(keypairs(context)?.into()),
    })
}

fn multipart(context: &mut NodeContext<'_>, item: usize) -> Result<DraftBody, ExecutionError> {
    let parameters = context.parameter("bodyParameters.parameters", item)?;
    let mut parts = Vec::new();
    for parameter in parameters.as_array().unwrap_or_default() {
        let name = parameter.get("name").map(Value::to_js_string).unwrap_or_default();
        let part = if parameter.get("parameterType").and_then(Value::as_str) == Some("formBinaryData") {
            let field = parameter.get("inputDataFieldName").and_then(Value::as_str).unwrap_or_default();
            let (bytes, name, content_type) = binary(context, field, item)?;
            Part::File { bytes, name, content_type }
        } else {
            Part::Field(parameter.get("value").cloned().unwrap_or_default())
        };
        parts.push((name, part));
    }
    Ok(DraftBody::Multipart(parts))
}

/// Bytes, file name and type of a binary of the item.
pub(super) fn binary(
    context: &NodeContext<'_>,
    field: &str,
    item: usize,
) -> Result<(Bytes, Option<Str>, Option<Str>), ExecutionError> {
    let empty = Item::default();
    let found = files::find(context.items().get(item).unwrap_or(&empty), field, item)?;
    let kind = Some(found.mime_type.clone()).filter(|kind| !kind.is_empty());
    Ok((context.host.load_binary(found)?, found.file_name.clone(), kind))
}

/// Name and value of each entry, in order.
fn pairs(context: &mut NodeContext<'_>, path: &str, item: usize) -> Result<Vec<(Str, Value)>, ExecutionError> {
    let entries = context.parameter(path, item)?;
    let entries = entries.as_array().unwrap_or_default().iter();
    let pair = |entry: &Value| {
        let name = entry.get("name").map(Value::to_js_string).unwrap_or_default();
        (name, entry.get("value").cloned().unwrap_or_default())
    };
    Ok(entries.map(pair).collect())
}

fn json_body(context: &mut NodeContext<'_>, item: usize) -> Result<Value, ExecutionError> {
    match context.parameter("jsonBody", item)? {
        Value::String(text) => Value::from_json(&text).map_err(|_| not_json("JSON Body")),
        other => Ok(other),
    }
}

fn json_object(context: &mut NodeContext<'_>, path: &str, label: &str, item: usize) -> Result<Object, ExecutionError> {
    match context.parameter(path, item)? {
        Value::Object(object) => Ok(object),
        Value::String(text) => match Value::from_json(&text) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(not_json(label)),
        },
        _ => Err(not_json(label)),
    }
}

fn not_json(label: &str) -> ExecutionError {
    ExecutionError::operation(format!("The value in the \"{label}\" field is not valid JSON"))
}

/// The client certificate that the node's `httpSslAuth` credential holds.
pub(super) fn tls_identity(data: &Object) -> Arc<TlsIdentity> {
    let text = |name: &str| super::super::http::field(data, name);
    Arc::new(TlsIdentity {
        authority: text("ca"),
        certificate: text("cert"),
        key: text("key"),
        passphrase: text("passphrase"),
    })
}
