//! Parameters of versions 1 and 2.

use bytes::Bytes;
use millrace_model::{ExecutionError, Object, Str, Value, truthy};

use super::super::http::{ArrayFormat, Draft, DraftBody, Part};
use super::Plan;
use super::fields::{binary, timeout};
use super::response::{Format, ResponsePlan};
use crate::{HttpRequest, NodeContext, lenient};

/// The credential type behind a name of version 1's `authentication`.
pub(super) fn credential_type(name: &str) -> &'static str {
    match name {
        "basicAuth" => "httpBasicAuth",
        "bearerAuth" => "httpBearerAuth",
        "customAuth" => "httpCustomAuth",
        "digestAuth" => "httpDigestAuth",
        "headerAuth" => "httpHeaderAuth",
        "queryAuth" => "httpQueryAuth",
        "oAuth1" => "oAuth1Api",
        _ => "oAuth2Api",
    }
}

pub(super) fn plan(context: &mut NodeContext<'_>, item: usize) -> Result<Plan, ExecutionError> {
    let options = context.parameter("options", item)?.as_object().cloned().unwrap_or_default();
    let flag = |name: &str| options.get(name).is_some_and(truthy);
    let method = context.text("requestMethod", item)?;
    let follows = match method.as_str() {
        "GET" | "HEAD" => !matches!(options.get("followRedirect"), Some(Value::Bool(false))),
        _ => flag("followAllRedirects"),
    };
    let mut draft = Draft {
        request: HttpRequest {
            method,
            url: context.text("url", item)?.trim().to_owned(),
            timeout: Some(timeout(options.get("timeout"))),
            follow_redirects: follows,
            ignore_tls_errors: context.flag("allowUnauthorizedCerts", item)?,
            proxy: options.get("proxy").and_then(Value::as_str).filter(|proxy| !proxy.is_empty()).map(Str::from),
            ..HttpRequest::default()
        },
        arrays: if flag("useQueryString") {
            ArrayFormat::Repeat
        } else {
            ArrayFormat::named(options.get("queryParameterArrays").and_then(Value::as_str).unwrap_or_default())
        },
        query: object(context, "queryParameters", "Query Parameters", item)?,
        ..Draft::default()
    };
    draft.body = body(context, &options, item)?;
    for (name, value) in object(context, "headerParameters", "Headers", item)?.iter() {
        if !name.is_empty() {
            draft.set_header(name.clone(), value.to_js_string());
        }
    }
    let format = context.text("responseFormat", item)?;
    if format == "json" {
        draft.default_header("accept", "application/json,text/*;q=0.99");
    }
    draft.default_header("user-agent", "n8n");
    let with_status = lenient::tests_status(context.workflow, context.node());
    let response = ResponsePlan {
        format: match format.as_str() {
            "file" => Format::File,
            "string" => Format::Text,
            _ => Format::Json,
        },
        full: flag("fullResponse"),
        never_error: flag("ignoreResponseCode") || with_status,
        property: Some(context.text("dataPropertyName", item)?)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "data".into()),
        split: flag("splitIntoItems"),
        paged: false,
        with_status,
        optimize: None,
        text_format: "String",
    };
    Ok(Plan { draft, response, pagination: None })
}

fn body(context: &mut NodeContext<'_>, options: &Object, item: usize) -> Result<DraftBody, ExecutionError> {
    if !matches!(context.text("requestMethod", item)?.as_str(), "DELETE" | "PATCH" | "POST" | "PUT") {
        return Ok(DraftBody::None);
    }
    let kind = options.get("bodyContentType").and_then(Value::as_str).unwrap_or("json");
    if context.flag("sendBinaryData", item)? {
        return binary_body(context, kind, item);
    }
    if kind == "raw" {
        let text = match context.parameter("bodyParametersJson", item)? {
            value @ (Value::Object(_) | Value::Array(_)) => value.to_json(),
            value if value.is_nullish() => String::new(),
            value => value.to_js_string().to_string(),
        };
        let custom = options.get("bodyContentCustomMimeType").and_then(Value::as_str).filter(|kind| !kind.is_empty());
        return Ok(DraftBody::Raw(Bytes::from(text), custom.map(Str::from)));
    }
    let fields = json_or_pairs(context, "bodyParameters", "Body Parameters", item)?;
    Ok(match (kind, fields) {
        (_, Value::Undefined) => DraftBody::None,
        ("form-urlencoded", Value::Object(fields)) => DraftBody::Form(fields),
        ("multipart-form-data", Value::Object(fields)) => DraftBody::Multipart(
            fields.iter().map(|(name, value)| (name.clone(), Part::Field(value.clone()))).collect(),
        ),
        (_, fields) => DraftBody::Json(fields),
    })
}

/// The file of the item as the body, or files as parts of a form (`name:property` pairs separated by commas).
fn binary_body(context: &mut NodeContext<'_>, kind: &str, item: usize) -> Result<DraftBody, ExecutionError> {
    let names = context.text("binaryPropertyName", item)?;
    if kind == "raw" {
        let (bytes, _, content_type) = binary(context, &names, item)?;
        return Ok(DraftBody::Raw(bytes, Some(content_type.unwrap_or_else(|| "application/octet-stream".into()))));
    }
    let mut parts = Vec::new();
    if let Value::Object(fields) = json_or_pairs(context, "bodyParameters", "Body Parameters", item)? {
        parts.extend(fields.iter().map(|(name, value)| (name.clone(), Part::Field(value.clone()))));
    }
    for pair in names.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, property) = pair.split_once(':').unwrap_or(("file", pair));
        let (bytes, file_name, content_type) = binary(context, property.trim(), item)?;
        parts.push((name.trim().into(), Part::File { bytes, name: file_name, content_type }));
    }
    Ok(DraftBody::Multipart(parts))
}

fn object(context: &mut NodeContext<'_>, name: &str, label: &str, item: usize) -> Result<Object, ExecutionError> {
    match json_or_pairs(context, name, label, item)? {
        Value::Object(object) => Ok(object),
        Value::Undefined => Ok(Object::new()),
        _ => Err(not_json(label)),
    }
}

/// `<name>Json` when the node takes JSON, else the entries of `<name>Ui`; `Undefined` where neither is given.
fn json_or_pairs(context: &mut NodeContext<'_>, name: &str, label: &str, item: usize) -> Result<Value, ExecutionError> {
    if context.flag("jsonParameters", item)? {
        return match context.parameter(&format!("{name}Json"), item)? {
            Value::String(text) if text.trim().is_empty() => Ok(Value::Undefined),
            Value::String(text) => Value::from_json(&text).map_err(|_| not_json(label)),
            other => Ok(other),
        };
    }
    let entries = context.parameter(&format!("{name}Ui.parameter"), item)?;
    let Some(entries) = entries.as_array().filter(|entries| !entries.is_empty()) else { return Ok(Value::Undefined) };
    let pair = |entry: &Value| {
        let name = entry.get("name").map(Value::to_js_string).unwrap_or_default();
        (name, entry.get("value").cloned().unwrap_or_default())
    };
    Ok(Value::Object(entries.iter().map(pair).collect()))
}

fn not_json(label: &str) -> ExecutionError {
    ExecutionError::operation(format!("{label}: JSON parameter needs to be valid JSON"))
}
