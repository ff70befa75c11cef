//! JWT: signs, verifies and decodes tokens (RFC 7519).

mod p521;
#[cfg(test)]
mod tests;
mod token;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, Str, Value, truthy};

use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};
use token::{Checks, Key};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.jwt", include_str!("description.json"), Behaviour::Effect(execute));

/// A token of these claims, signed with a `jwtAuth` credential by its own algorithm; `now` in seconds.
pub(crate) fn sign_with(claims: Object, credential: &Object, now: i64) -> Result<String, ExecutionError> {
    let algorithm = token::algorithm(credential.get("algorithm").and_then(Value::as_str).unwrap_or("HS256"))?;
    token::sign(with_times(claims, now), Object::new(), &Key::of(credential, false), algorithm)
}

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let credential = context.host.credential(context.node(), "jwtAuth").await?;
        let mut made = Vec::with_capacity(context.items().len());
        for index in 0..context.items().len() {
            match compute(context, index, &credential) {
                Ok(json) => made.push(Item::new(json).paired(index)),
                Err(error) => made.push(context.failed_item(error, index)?),
            }
        }
        Ok(Output::items(made))
    }
    .boxed()
}

fn compute(context: &mut NodeContext<'_>, index: usize, credential: &Object) -> Result<Object, ExecutionError> {
    let options = context.parameter("options", index)?.as_object().cloned().unwrap_or_default();
    let flag = |name: &str| options.get(name).is_some_and(truthy);
    let chosen = options.get("algorithm").or_else(|| credential.get("algorithm")).and_then(Value::as_str);
    let algorithm = token::algorithm(chosen.unwrap_or("HS256"))?;
    match context.text("operation", index)?.as_str() {
        "decode" => {
            let parts = token::decode(&token_of(context, index)?);
            Ok(match (parts, flag("complete")) {
                (Some(parts), true) => parts.complete(),
                (Some(parts), false) => Object::from([("payload", parts.payload)]),
                (None, _) => Object::from([("payload", Value::Null)]),
            })
        }
        "verify" => {
            let checks = Checks {
                now: context.host.now_ms() / 1000,
                expiration: !flag("ignoreExpiration"),
                not_before: !flag("ignoreNotBefore"),
                tolerance: options.get("clockTolerance").and_then(Value::as_f64).unwrap_or(0.0),
            };
            let key = Key::of(credential, true);
            let parts = token::verify(&token_of(context, index)?, &key, algorithm, &checks)?;
            Ok(if flag("complete") { parts.complete() } else { Object::from([("payload", parts.payload)]) })
        }
        _ => {
            let now = context.host.now_ms() / 1000;
            let payload = payload(context, index, now)?;
            let mut header = json_object(context, "headerClaims", "Header Claims", index)?;
            if let Some(kid) = options.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty())
                && !header.contains_key("kid")
            {
                header.insert("kid", kid);
            }
            let token = token::sign(payload, header, &Key::of(credential, false), algorithm)?;
            Ok(Object::from([("token", token.into())]))
        }
    }
}

/// The token that is given: three parts, of which only the signature may be empty.
fn token_of(context: &mut NodeContext<'_>, index: usize) -> Result<Str, ExecutionError> {
    let value = context.parameter("token", index)?;
    if value.is_nullish() {
        return Err(ExecutionError::operation("The JWT token was not provided")
            .describe("Be sure to add a valid JWT token to the 'Token' parameter"));
    }
    let token = value.to_js_string();
    let parts: Vec<&str> = token.trim().split('.').collect();
    if matches!(parts.as_slice(), [header, payload, _] if !header.is_empty() && !payload.is_empty()) {
        return Ok(token);
    }
    let message = format!("Invalid input for 'Token' [item {index}]");
    Err(ExecutionError::new("ExpressionError", message).describe("Value is not a valid JWT token"))
}

/// The claims, with the time of issue unless they say one.
fn payload(context: &mut NodeContext<'_>, index: usize, now: i64) -> Result<Object, ExecutionError> {
    let mut payload = if context.flag("useJson", index)? {
        json_object(context, "claimsJson", "Payload Claims (JSON)", index)?
    } else {
        let claims = context.parameter("claims", index)?.as_object().cloned().unwrap_or_default();
        with_times(claims, now)
    };
    if !payload.contains_key("iat") {
        payload.insert("iat", now);
    }
    Ok(payload)
}

/// Adds `exp` and `nbf` for the spans of time that the form asks for.
fn with_times(mut claims: Object, now: i64) -> Object {
    for (field, claim) in [("expiresIn", "exp"), ("notBefore", "nbf")] {
        let seconds = claims.get(field).and_then(Value::as_f64).filter(|seconds| *seconds > 0.0);
        if let (Some(seconds), Value::Number(now)) = (seconds, Value::from(now)) {
            claims.insert(claim, now + seconds.floor());
        }
    }
    claims
}

fn json_object(context: &mut NodeContext<'_>, path: &str, label: &str, index: usize) -> Result<Object, ExecutionError> {
    let parsed = match context.parameter(path, index)? {
        Value::String(text) if text.trim().is_empty() => return Ok(Object::new()),
        Value::String(text) => Value::from_json(&text).ok(),
        value if value.is_nullish() => return Ok(Object::new()),
        value => Some(value),
    };
    match parsed {
        Some(Value::Object(object)) => Ok(object),
        _ => {
            let message: Str = format!("The '{label}' parameter must be a valid JSON object").into();
            Err(ExecutionError::operation(message))
        }
    }
}
