//! HTTP requests of scripts (`this.helpers.httpRequest`): the options that scripts commonly give, sent through the host.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_model::{ExecutionError, Node, Object, Str, Value, truthy};

use crate::{Body, HttpRequest, HttpResponse, NodeHost};

/// Sends a request as described by `options`. The script waits, so this blocks the thread it runs on.
pub(super) fn send(host: &dyn NodeHost, options: &Value, legacy: bool) -> Result<Value, ExecutionError> {
    let request = request(options)?;
    let response = futures_executor::block_on(host.http(request));
    let response = response.map_err(|error| ExecutionError::api(error.message).with_context("code", error.code))?;
    let flag = |key: &str| options.get(key).is_some_and(truthy);
    let failed = !(200..300).contains(&response.status);
    if failed && !flag("ignoreHttpStatusErrors") && options.get("simple") != Some(&Value::Bool(false)) {
        return Err(refused(&response));
    }
    let raw = legacy && !flag("json") || options.get("json") == Some(&Value::Bool(false));
    let body = body_of(&response, raw);
    if flag("returnFullResponse") || flag("resolveWithFullResponse") {
        let headers: Object =
            response.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect();
        return Ok(Object::from([
            ("body", body),
            ("headers", headers.into()),
            ("statusCode", response.status.into()),
            ("statusMessage", response.status_text.into()),
        ])
        .into());
    }
    Ok(body)
}

/// The same with a credential of the node: basic, header, query and bearer authentication.
pub(super) fn send_with(
    host: &dyn NodeHost,
    node: &Node,
    kind: &str,
    options: &Value,
    legacy: bool,
) -> Result<Value, ExecutionError> {
    let credential = futures_executor::block_on(host.credential(node, kind))?;
    let field = |key: &str| credential.get(key).map(Value::to_js_string).unwrap_or_default();
    let mut options = options.as_object().cloned().unwrap_or_default();
    let header = |options: &mut Object, name: &str, value: String| {
        options.object_at("headers").insert(name, value);
    };
    match kind {
        "httpBasicAuth" => {
            let token = STANDARD.encode(format!("{}:{}", field("user"), field("password")));
            header(&mut options, "Authorization", format!("Basic {token}"));
        }
        "httpHeaderAuth" => header(&mut options, &field("name"), field("value").to_string()),
        "httpQueryAuth" => {
            options.object_at("qs").insert(field("name"), field("value"));
        }
        _ => {
            let token = ["token", "accessToken", "apiKey"].iter().map(|key| field(key)).find(|text| !text.is_empty());
            let Some(token) = token else {
                let message = format!("Credentials of the type \"{kind}\" cannot be used in scripts");
                return Err(ExecutionError::operation(message));
            };
            header(&mut options, "Authorization", format!("Bearer {token}"));
        }
    }
    send(host, &options.into(), legacy)
}

fn request(options: &Value) -> Result<HttpRequest, ExecutionError> {
    let text = |key: &str| options.get(key).and_then(Value::as_str);
    let address = text("url").or_else(|| text("uri")).or_else(|| options.as_str()).unwrap_or_default();
    let address = match text("baseURL") {
        Some(base) if !address.contains("://") => {
            format!("{}/{}", base.trim_end_matches('/'), address.trim_start_matches('/'))
        }
        _ => address.to_owned(),
    };
    let mut url = url::Url::parse(&address).map_err(|_| {
        ExecutionError::operation(format!("Invalid URL: {address}. URL must start with \"http\" or \"https\"."))
    })?;
    for (name, value) in options.get("qs").and_then(Value::as_object).into_iter().flat_map(Object::iter) {
        url.query_pairs_mut().append_pair(name, &value.to_js_string());
    }
    let mut headers: Vec<(Str, Str)> = Vec::new();
    for (name, value) in options.get("headers").and_then(Value::as_object).into_iter().flat_map(Object::iter) {
        headers.push((name.clone(), value.to_js_string()));
    }
    if let Some(auth) = options.get("auth") {
        let part = |keys: [&str; 2]| keys.iter().find_map(|key| auth.get(key)?.as_str()).unwrap_or_default().to_owned();
        let token = STANDARD.encode(format!("{}:{}", part(["username", "user"]), part(["password", "pass"])));
        headers.push(("Authorization".into(), format!("Basic {token}").into()));
    }
    let body = body(options, &mut headers);
    let follow = options.get("disableFollowRedirect").is_none_or(|value| !truthy(value));
    let timeout = options.get("timeout").and_then(Value::as_f64).filter(|milliseconds| *milliseconds > 0.0);
    Ok(HttpRequest {
        method: text("method").unwrap_or("GET").to_uppercase().into(),
        url: url.into(),
        headers,
        body,
        timeout: timeout.and_then(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0).ok()),
        follow_redirects: follow,
        ignore_tls_errors: options.get("skipSslCertificateValidation").is_some_and(truthy),
        ..HttpRequest::default()
    })
}

fn body(options: &Value, headers: &mut Vec<(Str, Str)>) -> Body {
    let mut typed = |kind: &str| {
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".into(), kind.into()));
        }
    };
    if let Some(Value::Object(form)) = options.get("form") {
        typed("application/x-www-form-urlencoded");
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in form.iter() {
            encoded.append_pair(name, &value.to_js_string());
        }
        return Body::Bytes(encoded.finish().into());
    }
    match options.get("body") {
        None | Some(Value::Undefined | Value::Null) => Body::None,
        Some(Value::String(text)) => Body::Bytes(text.to_string().into()),
        Some(value) => {
            typed("application/json");
            Body::Bytes(value.to_json().into())
        }
    }
}

/// The body as JSON where it is JSON, else as text.
fn body_of(response: &HttpResponse, raw: bool) -> Value {
    let text = String::from_utf8_lossy(&response.body);
    if !raw && let Ok(value) = Value::from_json(&text) {
        return value;
    }
    text.into_owned().into()
}

fn refused(response: &HttpResponse) -> ExecutionError {
    let mut error = ExecutionError::api(format!("Request failed with status code {}", response.status));
    error.http_code = Some(response.status.to_string().into());
    error.messages = vec![String::from_utf8_lossy(&response.body).chars().take(2000).collect()];
    error
}
