//! The body of an answer, by what the node is told to respond with.

use bytes::Bytes;
use millrace_model::{ExecutionError, Item, Object, Str, Value};

use crate::values::jwt;
use crate::webhook::{default_type, encoded};
use crate::{NodeContext, dot_path, files};

/// A body as bytes, and as the node's second output tells it.
pub(super) struct Made {
    pub(super) bytes: Bytes,
    pub(super) told: Value,
}

pub(super) async fn of(
    context: &mut NodeContext<'_>,
    kind: &str,
    options: &Value,
    headers: &mut Vec<(Str, Str)>,
) -> Result<Made, ExecutionError> {
    let keyed = |value: Value| match options.get("responseKey").and_then(Value::as_str).filter(|key| !key.is_empty()) {
        Some(key) => {
            let mut object = Object::new();
            dot_path::set(&mut object, key, value)?;
            Ok::<_, ExecutionError>(object.into())
        }
        None => Ok(value),
    };
    let body = match kind {
        "noData" | "redirect" => Value::Undefined,
        "allIncomingItems" => keyed(Value::array(context.items().iter().map(|item| item.json.clone())))?,
        "firstIncomingItem" => keyed(first(context)?.json.clone())?,
        "json" => json(context.parameter("responseBody", 0)?)?,
        "text" => context.parameter("responseBody", 0)?,
        "jwt" => token(context).await?,
        "binary" => return binary(context, headers),
        other => {
            let message = format!("The Response Data option \"{other}\" is not supported!");
            return Err(ExecutionError::operation(message));
        }
    };
    Ok(Made { bytes: encoded(Some(&body), headers), told: body })
}

fn first<'a>(context: &NodeContext<'a>) -> Result<&'a Item, ExecutionError> {
    context.items().first().ok_or_else(|| ExecutionError::operation("There is no item to respond with"))
}

fn json(value: Value) -> Result<Value, ExecutionError> {
    match value {
        Value::String(text) if !text.is_empty() => Value::from_json(&text).map_err(|_| {
            ExecutionError::operation("Invalid JSON in 'Response Body' field")
                .describe("Check that the syntax of the JSON in the 'Response Body' parameter is valid")
        }),
        Value::String(_) => Ok(Value::Undefined),
        other => Ok(other),
    }
}

fn binary(context: &mut NodeContext<'_>, headers: &mut Vec<(Str, Str)>) -> Result<Made, ExecutionError> {
    let missing = || ExecutionError::operation("No binary data exists on the first item!");
    let binaries = first(context)?.binary.as_ref().ok_or_else(missing)?;
    let name = match context.text("responseDataSource", 0)?.as_str() {
        "set" => context.text("inputFieldName", 0)?,
        _ => binaries.keys().next().cloned().ok_or_else(missing)?,
    };
    let binary = files::find(first(context)?, &name, 0)?;
    default_type(headers, &binary.mime_type);
    let told = Object::from([("binaryData", serde_json::to_value(binary).map(Value::from).unwrap_or_default())]);
    Ok(Made { bytes: context.host.load_binary(binary)?, told: told.into() })
}

/// A JSON Web Token of the node's payload, signed with its credential.
async fn token(context: &mut NodeContext<'_>) -> Result<Value, ExecutionError> {
    let failed = |reason: &str| ExecutionError::operation("Error signing JWT token").describe(reason);
    let payload = match context.parameter("payload", 0)? {
        Value::String(text) => Value::from_json(&text).map_err(|error| failed(&error.to_string()))?,
        other => other,
    };
    let Value::Object(payload) = payload else { return Err(failed("The payload must be an object")) };
    let credential = context.host.credential(context.node(), "jwtAuth").await?;
    let now = context.host.now_ms() / 1000;
    let token = jwt::sign_with(payload, &credential, now).map_err(|error| failed(&error.message))?;
    Ok(Object::from([("token", token.into())]).into())
}
