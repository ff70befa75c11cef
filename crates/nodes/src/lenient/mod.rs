//! A reading of nodes that people wrote by hand, in the spirit of n8n but not in its letter: nodes without a
//! `typeVersion`, which n8n itself always writes. Their plain meaning is translated, once and here, into the parameters
//! of a real version; the node types know nothing of it. A node with a `typeVersion` is never touched.

mod connections;
#[cfg(test)]
mod tests;

use millrace_model::{Item, Node, Object, Str, Value, Workflow};

pub use connections::{InferredConnection, inferred_connections};

use crate::NodeContext;

/// Was the node written by hand?
pub(crate) fn is_handwritten(node: &Node) -> bool {
    !node.document.is_empty() && !node.document.contains_key("typeVersion")
}

/// Does a hand-written workflow look at the `statusCode` of answers, so that an error status is one of its branches?
pub(crate) fn tests_status(workflow: &Workflow, node: &Node) -> bool {
    let mentions = |node: &Node| Value::from(node.parameters.clone()).to_json().contains("statusCode");
    is_handwritten(node) && workflow.nodes.iter().any(mentions)
}

/// Has a hand-written node at the beginning of its workflow been given what it would fetch, as a trigger is?
pub(crate) fn is_given_a_message(context: &NodeContext<'_>) -> bool {
    let is_given = |item: &Item| item.json.as_object().is_some_and(|json| !json.is_empty());
    is_handwritten(context.node()) && context.source.is_empty() && context.items().iter().all(is_given)
}

/// The items of a hand-written Webhook node: the fields of the body stand beside it, too.
pub(crate) fn webhook_item(item: &Item) -> Item {
    let (Some(json), Some(body)) = (item.json.as_object(), item.json.get("body").and_then(Value::as_object)) else {
        return item.clone();
    };
    let mut json = json.clone();
    for (name, value) in body.iter().filter(|(name, _)| item.json.get(name).is_none()) {
        json.insert(name.clone(), value.clone());
    }
    Item { json: json.into(), ..item.clone() }
}

/// The parameters that a hand-written node plainly means; `None` where its parameters are to be taken as they stand.
pub(crate) fn parameters(node: &Node) -> Option<Object> {
    if !is_handwritten(node) {
        return None;
    }
    match node.short_kind() {
        "httpRequest" => Some(http_request(&node.parameters)),
        "slack" => Some(slack(&node.parameters, &node.credentials)),
        "emailSend" => Some(email(&node.parameters)),
        "twilio" => Some(twilio(&node.parameters)),
        "redis" if node.parameters.get("resource").and_then(Value::as_str) == Some("queue") => {
            Some(queue(&node.parameters))
        }
        "switch" => switch(&node.parameters),
        _ => None,
    }
}

/// Text with `{{ }}` in it is an expression, also without the mark `=`.
fn marked(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("{{") && !text.starts_with('=') => format!("={text}").into(),
        Value::Array(values) => Value::array(values.iter().map(marked)),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), marked(value))).collect())
        }
        other => other.clone(),
    }
}

fn marked_fields(parameters: &Object) -> Object {
    marked(&parameters.clone().into()).as_object().cloned().unwrap_or_default()
}

/// `method`, `headers`, `body` and `query` (also inside `requestOptions` and `options`) as version 1 has them.
fn http_request(given: &Object) -> Object {
    let mut found = marked_fields(given);
    let nested = found.remove("requestOptions").and_then(|nested| nested.as_object().cloned());
    let bare = nested.is_some();
    for (name, value) in nested.unwrap_or_default().iter() {
        found.insert(name.clone(), value.clone());
    }
    if let Some(Value::Object(options)) = found.get("options").cloned() {
        let mut options = options;
        for name in ["headers", "query"] {
            if let Some(value) = options.remove(name).filter(|_| !found.contains_key(name)) {
                found.insert(name, value);
            }
        }
        found.insert("options", options);
    }
    if let Some(method) = found.remove("method") {
        found.insert("requestMethod", method);
    }
    let sends = matches!(found.get("requestMethod").and_then(Value::as_str), Some("POST" | "PUT" | "PATCH"));
    if bare && sends && !found.contains_key("body") {
        found.insert("body", "={{ $json }}");
    }
    let names = [("headers", "headerParametersJson"), ("query", "queryParametersJson"), ("body", "bodyParametersJson")];
    for (name, target) in names {
        if let Some(value) = found.remove(name) {
            found.insert("jsonParameters", true);
            found.insert(target, value);
        }
    }
    found
}

/// A message for a channel by an incoming webhook: the one named, else that of `SLACK_WEBHOOK_URL`.
fn slack(given: &Object, credentials: &Object) -> Object {
    let mut found = marked_fields(given);
    rename(&mut found, "message", "text");
    rename(&mut found, "webhook", "webhookUrl");
    if credentials.is_empty() && !found.contains_key("webhookUrl") {
        found.insert("webhookUrl", "={{ $env.SLACK_WEBHOOK_URL }}");
    }
    found
}

fn email(given: &Object) -> Object {
    let mut found = marked_fields(given);
    rename(&mut found, "message", "text");
    if let Some(Value::Object(mut options)) = found.get("options").cloned() {
        for name in ["ccEmail", "bccEmail"] {
            if let Some(value) = options.remove(name) {
                found.insert(name, value);
            }
        }
        found.insert("options", options);
    }
    found
}

fn twilio(given: &Object) -> Object {
    let mut found = marked_fields(given);
    rename(&mut found, "body", "message");
    if found.get("resource").and_then(Value::as_str) == Some("message") {
        found.insert("resource", "sms");
    }
    found
}

/// The next entry of a list.
fn queue(given: &Object) -> Object {
    let mut found = marked_fields(given);
    rename(&mut found, "queue", "list");
    found.insert("operation", "pop");
    found
}

/// Conditions in the form of If: what fulfils the first goes to the first output, and so on; the rest follows them.
fn switch(given: &Object) -> Option<Object> {
    let conditions = given.get("conditions")?.as_object()?;
    let (kind, tests) = conditions.iter().find_map(|(kind, tests)| Some((kind.clone(), tests.as_array()?)))?;
    let first = tests.first()?;
    let rules = tests.iter().zip(0u8..).map(|(test, output)| {
        let mut rule = Object::from([("output", output.into())]);
        for name in ["operation", "value2"] {
            if let Some(value) = test.get(name) {
                rule.insert(name, marked(value));
            }
        }
        rule.into()
    });
    let rules = Value::array(rules);
    let rest = u8::try_from(tests.len().min(3)).unwrap_or(3);
    Some(Object::from([
        ("mode", "rules".into()),
        ("dataType", kind.into()),
        ("value1", marked(first.get("value1").unwrap_or(&Value::Null))),
        ("rules", Object::from([("rules", rules)]).into()),
        ("fallbackOutput", rest.into()),
    ]))
}

fn rename(fields: &mut Object, from: &str, to: &str) {
    if let Some(value) = fields.remove(from)
        && !fields.contains_key(to)
    {
        fields.insert(Str::from(to), value);
    }
}
