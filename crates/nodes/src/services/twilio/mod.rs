//! Twilio: text messages, WhatsApp messages and calls by its REST API (2010-04-01).

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Object, Str, Value, truthy};

use super::vendor_api::{Call, CallBody, Results, basic, field, json, send};
use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.twilio", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Network]);

const API: &str = "https://api.twilio.com/2010-04-01/Accounts";

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let mut results = Results::new();
        for index in 0..context.items().len() {
            let answer = request(context, index).await.map(|answer| vec![answer]);
            results.add(context, index, answer)?;
        }
        results.output()
    })
}

async fn request(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let credential = context.host.credential(context.node(), "twilioApi").await?;
    let account = field(&credential, "accountSid")?;
    let authorization = if credential.get("authType").and_then(Value::as_str) == Some("apiKey") {
        basic(field(&credential, "apiKeySid")?, field(&credential, "apiKeySecret")?)
    } else {
        basic(account, field(&credential, "authToken")?)
    };
    let call = context.text("resource", index)? == "call";
    let fields = if call { call_fields(context, index)? } else { message_fields(context, index)? };
    let url = format!("{API}/{account}/{}.json", if call { "Calls" } else { "Messages" });
    let response =
        send(context.host, Call { method: "POST", url, authorization, body: CallBody::Form(fields) }).await?;
    Ok(json(&response))
}

type Fields = Vec<(&'static str, Str)>;

fn message_fields(context: &mut NodeContext<'_>, index: usize) -> Result<Fields, ExecutionError> {
    let (mut from, mut to) = (context.text("from", index)?, context.text("to", index)?);
    if context.flag("toWhatsapp", index)? {
        from = ecow::eco_format!("whatsapp:{from}");
        to = ecow::eco_format!("whatsapp:{to}");
    }
    let mut fields = vec![("From", from), ("To", to), ("Body", context.text("message", index)?)];
    with_callback(context, index, &mut fields)?;
    Ok(fields)
}

fn call_fields(context: &mut NodeContext<'_>, index: usize) -> Result<Fields, ExecutionError> {
    let text = context.text("message", index)?;
    let twiml = if context.flag("twiml", index)? {
        text
    } else {
        ecow::eco_format!("<Response><Say>{}</Say></Response>", escape(&text))
    };
    let mut fields = vec![("From", context.text("from", index)?), ("To", context.text("to", index)?), ("Twiml", twiml)];
    with_callback(context, index, &mut fields)?;
    Ok(fields)
}

fn with_callback(context: &mut NodeContext<'_>, index: usize, fields: &mut Fields) -> Result<(), ExecutionError> {
    let options: Value = context.parameter("options", index)?;
    let callback = options.as_object().and_then(|options: &Object| options.get("statusCallback"));
    fields.extend(callback.filter(|url| truthy(url)).map(|url| ("StatusCallback", url.to_js_string())));
    Ok(())
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&apos;")
}
