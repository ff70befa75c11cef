//! GraphQL: queries over HTTP.

#[cfg(test)]
mod tests;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, Str, Value};

use super::http::{Authentication, Draft, DraftBody, Failure, api_error, decode_text, header, send};
use crate::{Behaviour, Capability, HttpRequest, HttpResponse, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.graphql", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Network]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let authentication = authentication(context).await?;
        let mut made = Vec::with_capacity(context.items().len());
        for index in 0..context.items().len() {
            match query(context, index, &authentication).await {
                Ok(json) => made.push(Item::new(json).paired(index)),
                Err(error) => made.push(context.failed_item(error, index)?),
            }
        }
        Ok(Output::items(made))
    }
    .boxed()
}

async fn authentication(context: &mut NodeContext<'_>) -> Result<Authentication, ExecutionError> {
    let kind = match context.text("authentication", 0)?.as_str() {
        "basicAuth" => "httpBasicAuth",
        "customAuth" => "httpCustomAuth",
        "digestAuth" => "httpDigestAuth",
        "headerAuth" => "httpHeaderAuth",
        "queryAuth" => "httpQueryAuth",
        "oAuth1" => "oAuth1Api",
        "oAuth2" => "oAuth2Api",
        _ => return Ok(Authentication::None),
    };
    let data = context.host.credential(context.node(), kind).await?;
    Authentication::of(kind, &data)
}

async fn query(
    context: &mut NodeContext<'_>,
    index: usize,
    authentication: &Authentication,
) -> Result<Object, ExecutionError> {
    let draft = draft(context, index)?;
    let response = send(context.host, draft, authentication).await.map_err(|failure| api_error(&failure))?;
    if !(200..300).contains(&response.status) {
        return Err(api_error(&Failure::of_response(&response)));
    }
    read(context, index, &response)
}

fn draft(context: &mut NodeContext<'_>, index: usize) -> Result<Draft, ExecutionError> {
    let get = context.text("requestMethod", index)? == "GET";
    let request = HttpRequest {
        method: if get { "GET".into() } else { "POST".into() },
        url: context.text("endpoint", index)?.to_string(),
        follow_redirects: true,
        ignore_tls_errors: context.flag("allowUnauthorizedCerts", index)?,
        ..HttpRequest::default()
    };
    let mut draft = Draft { request, ..Draft::default() };
    let headers = context.parameter("headerParametersUi.parameter", index)?;
    for entry in headers.as_array().unwrap_or_default() {
        let text = |name: &str| entry.get(name).map(Value::to_js_string).unwrap_or_default();
        if !text("name").is_empty() {
            draft.set_header(text("name"), text("value"));
        }
    }
    draft.default_header("accept", "application/json");
    draft.default_header("user-agent", "n8n");
    let text = context.text("query", index)?;
    if get {
        draft.query.insert("query", text);
    } else if context.text("requestFormat", index)? == "json" {
        let body = Object::from([
            ("query", text.into()),
            ("variables", variables(context, index)?.into()),
            ("operationName", operation_name(context, index)?),
        ]);
        draft.set_header("content-type", "application/json");
        draft.body = DraftBody::Json(body.into());
    } else {
        draft.body = DraftBody::Raw(text.to_string().into(), Some("application/graphql".into()));
    }
    Ok(draft)
}

fn operation_name(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let name = context.text("operationName", index)?;
    Ok(if name.is_empty() { Value::Null } else { name.into() })
}

fn variables(context: &mut NodeContext<'_>, index: usize) -> Result<Object, ExecutionError> {
    match context.parameter("variables", index)? {
        Value::Object(variables) => Ok(variables),
        Value::String(text) if text.trim().is_empty() => Ok(Object::new()),
        Value::String(text) => match Value::from_json(&text) {
            Ok(Value::Object(variables)) => Ok(variables),
            _ => Err(ExecutionError::operation("Using variables failed:\n").describe(text)),
        },
        _ => Ok(Object::new()),
    }
}

/// The answer as JSON or text; errors in it fail the node.
fn read(context: &mut NodeContext<'_>, index: usize, response: &HttpResponse) -> Result<Object, ExecutionError> {
    let text = decode_text(&response.body, header(response, "content-type").unwrap_or_default());
    if context.text("responseFormat", index)? == "string" {
        let mut json = Object::new();
        json.insert(context.text("dataPropertyName", index)?, text);
        return Ok(json);
    }
    let answer = Value::from_json(&text).map_err(|_| {
        ExecutionError::operation("Response body is not valid JSON. Change \"Response Format\" to \"String\"")
    })?;
    let errors = answer.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty());
    if let Some(errors) = errors {
        let messages: Vec<Str> =
            errors.iter().filter_map(|error| error.get("message")).map(Value::to_js_string).collect();
        let message = if messages.is_empty() { "Unexpected error".to_owned() } else { messages.join(", ") };
        return Err(ExecutionError::api(message));
    }
    Ok(match answer {
        Value::Object(json) => json,
        other => Object::from([("data", other)]),
    })
}
