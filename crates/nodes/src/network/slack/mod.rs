//! Slack: posts, updates and deletes messages by the Web API, or posts through an incoming webhook.

#[cfg(test)]
mod tests;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, Str, Value};

use super::http::{Authentication, Draft, DraftBody, Failure, api_error, decode_text, field, header, send};
use crate::{Behaviour, Capability, HttpRequest, HttpResponse, NodeContext, NodeHost, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.slack", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Network]);

const API: &str = "https://slack.com/api";

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let mut made = Vec::with_capacity(context.items().len());
        for index in 0..context.items().len() {
            match call(context, index).await {
                Ok(json) => made.push(Item::new(json).paired(index)),
                Err(error) => made.push(context.failed_item(error, index)?),
            }
        }
        Ok(Output::items(made))
    }
    .boxed()
}

async fn call(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let given = context.text("webhookUrl", index)?;
    // Who gives the URL of a webhook needs no credential.
    let credential = if given.is_empty() { credential(context, index).await? } else { Object::new() };
    let webhook = if given.is_empty() { field(&credential, "webhookUrl") } else { given };
    let message = message(context, index)?;
    if !webhook.is_empty() {
        let response = post(context.host, &webhook, message, &Authentication::None).await?;
        let text = decode_text(&response.body, header(&response, "content-type").unwrap_or_default());
        return Ok(Value::from_json(&text)
            .unwrap_or_else(|_| Object::from([("ok", true.into()), ("response", text.into())]).into()));
    }
    let token = [field(&credential, "accessToken"), field(&credential, "access_token")];
    let has_token = token.iter().any(|token| !token.is_empty()) || credential.contains_key("oauthTokenData");
    if !has_token {
        return Err(ExecutionError::operation("No Slack credential and no webhook URL is set")
            .describe("Choose a credential, or give the URL of an incoming webhook"));
    }
    let base = Some(field(&credential, "baseUrl")).filter(|base| !base.is_empty()).unwrap_or_else(|| API.into());
    let method = match context.text("operation", index)?.as_str() {
        "update" => "chat.update",
        "delete" => "chat.delete",
        _ => "chat.postMessage",
    };
    let kind = if credential.contains_key("oauthTokenData") { "slackOAuth2Api" } else { "slackApi" };
    let authentication = Authentication::of(kind, &credential)?;
    let url = format!("{}/{method}", base.trim_end_matches('/'));
    let response = post(context.host, &url, message, &authentication).await?;
    answered(&response)
}

async fn credential(context: &mut NodeContext<'_>, index: usize) -> Result<Object, ExecutionError> {
    let oauth = context.text("authentication", index)? == "oAuth2";
    let kind = if oauth { "slackOAuth2Api" } else { "slackApi" };
    context.host.credential(context.node(), kind).await
}

/// What is sent: channel, text, and whatever the options add.
fn message(context: &mut NodeContext<'_>, index: usize) -> Result<Object, ExecutionError> {
    let mut message = Object::new();
    let channel = match context.parameter("channelId", index)? {
        Value::Object(locator) => locator.get("value").cloned().unwrap_or_default(),
        other => other,
    };
    let channel = if channel.is_nullish() || channel.as_str() == Some("") {
        context.parameter("channel", index)?
    } else {
        channel
    };
    for (name, value) in
        [("channel", channel), ("text", context.parameter("text", index)?), ("ts", context.parameter("ts", index)?)]
    {
        if !value.is_nullish() && value.as_str() != Some("") {
            message.insert(name, value);
        }
    }
    for path in ["blocksUi", "attachmentsJson"] {
        if let Value::String(text) = context.parameter(path, index)?
            && let Ok(Value::Object(more)) = Value::from_json(&text)
        {
            merge(&mut message, &more);
        }
    }
    if let Value::Object(options) = context.parameter("otherOptions", index)? {
        merge(&mut message, &options);
    }
    Ok(message)
}

fn merge(message: &mut Object, more: &Object) {
    for (name, value) in more.iter() {
        message.insert(name.clone(), value.clone());
    }
}

async fn post(
    host: &dyn NodeHost,
    url: &str,
    message: Object,
    authentication: &Authentication,
) -> Result<HttpResponse, ExecutionError> {
    let request = HttpRequest { method: "POST".into(), url: url.to_owned(), ..HttpRequest::default() };
    let mut draft = Draft { request, body: DraftBody::Json(message.into()), ..Draft::default() };
    draft.default_header("content-type", "application/json; charset=utf-8");
    draft.default_header("user-agent", "n8n");
    let response = send(host, draft, authentication).await.map_err(|failure| api_error(&failure))?;
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    Err(api_error(&Failure::of_response(&response)))
}

/// The answer of the Web API, which says in its body whether it went well.
fn answered(response: &HttpResponse) -> Result<Value, ExecutionError> {
    let answer: Value = serde_json::from_slice(&response.body)
        .map_err(|_| ExecutionError::api("Slack gave an answer that is not JSON"))?;
    if answer.get("ok") == Some(&Value::Bool(true)) {
        return Ok(answer);
    }
    let reason = answer.get("error").map(Value::to_js_string).unwrap_or_else(|| Str::from("unknown"));
    Err(ExecutionError::operation(format!("Slack error response: \"{reason}\"")))
}
