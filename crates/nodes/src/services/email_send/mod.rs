//! Send Email: mail over SMTP.

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Object, Str, Value, truthy};

use super::attachments;
use super::vendor_api::Results;
use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.emailSend", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Mail]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let mut results = Results::new();
        for index in 0..context.items().len() {
            let sent = send(context, index).await.map(|report| vec![report]);
            results.add(context, index, sent)?;
        }
        results.output()
    })
}

async fn send(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let message = message(context, index)?;
    let credential = context.host.credential(context.node(), "smtp").await?;
    let arguments = Object::from([("connection", Value::from(credential)), ("message", Value::from(message))]);
    context.host.service("smtp.send", arguments.into()).await
}

/// The message as the mail service takes it: `from`, `to`, `cc`, `bcc`, `replyTo` (address lists as people write them),
/// `subject`, `text`, `html`, `attachments` (`{fileName, mimeType, data}`, base64).
fn message(context: &mut NodeContext<'_>, index: usize) -> Result<Object, ExecutionError> {
    let options = context.parameter("options", index)?;
    let first_version = context.version() < 2.0;
    let mut message = Object::new();
    for (field, parameter) in [("from", "fromEmail"), ("to", "toEmail"), ("subject", "subject")] {
        message.insert(field, context.text(parameter, index)?);
    }
    for (field, parameter) in [("cc", "ccEmail"), ("bcc", "bccEmail"), ("replyTo", "replyTo")] {
        let own = if first_version { context.text(parameter, index)? } else { Str::new() };
        let text = if own.is_empty() { option(&options, parameter) } else { own };
        if !text.is_empty() {
            message.insert(field, text);
        }
    }
    let format = context.text("emailFormat", index)?;
    if first_version || matches!(format.as_str(), "text" | "both") {
        message.insert("text", context.text("text", index)?);
    }
    if first_version || matches!(format.as_str(), "html" | "both" | "") {
        let html = context.text("html", index)?;
        if !html.is_empty() {
            message.insert("html", html);
        }
    }
    let own = if first_version { context.text("attachments", index)? } else { Str::new() };
    let names = if own.is_empty() { option(&options, "attachments") } else { own };
    let attached = attachments::listed(context, &names, index)?.into_iter().map(|file| {
        let fields =
            [("fileName", file.file_name.into()), ("mimeType", file.mime_type.into()), ("data", file.content.into())];
        Value::from(Object::from(fields))
    });
    message.insert("attachments", Value::array(attached));
    message.insert("allowUnauthorizedCerts", options.get("allowUnauthorizedCerts").is_some_and(truthy));
    Ok(message)
}

fn option(options: &Value, name: &str) -> Str {
    options.get(name).filter(|value| !value.is_nullish()).map(Value::to_js_string).unwrap_or_default()
}
