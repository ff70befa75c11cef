//! What expressions and scripts throw, as errors of a run.

use std::time::Duration;

use millrace_model::{ExecutionError, Object, Value};
use rquickjs::{Ctx, Value as JsValue};

use crate::convert::Reader;
use crate::realm::Realm;

/// Bytes of an error's texts and context.
const ERROR_BYTES: usize = 1 << 20;

/// The error of an expression; `None` where n8n makes it undefined.
pub(crate) fn by_expression<'js>(ctx: &Ctx<'js>, realm: &Realm<'js>) -> Option<ExecutionError> {
    let thrown = ctx.catch();
    let mut error = described(ctx, realm, &thrown, false)?;
    error.stack = None;
    match error.name.as_str() {
        "InternalError" if error.message.contains("out of memory") => Some(memory_exceeded()),
        "InternalError" => None,
        _ => Some(error),
    }
}

/// The error a script threw. An engine with no memory left for an error throws null.
pub(crate) fn by_script<'js>(ctx: &Ctx<'js>, realm: &Realm<'js>, thrown: &JsValue<'js>) -> ExecutionError {
    if thrown.is_null() {
        return limit("memory", "The code used more memory than it may, or threw null, and was stopped".into());
    }
    match described(ctx, realm, thrown, true) {
        Some(error) if error.name == "InternalError" && error.message.contains("out of memory") => memory_exceeded(),
        Some(error) => error,
        None => memory_exceeded(),
    }
}

fn described<'js>(
    ctx: &Ctx<'js>,
    realm: &Realm<'js>,
    thrown: &JsValue<'js>,
    everything: bool,
) -> Option<ExecutionError> {
    let described: rquickjs::Result<JsValue<'js>> =
        realm.rare("describe").and_then(|describe| describe.call((thrown.clone(), everything)));
    let Ok(described) = described else {
        let second = ctx.catch();
        let message = second.as_object().and_then(|error| error.get::<_, Option<String>>("message").ok().flatten());
        let exhausted = second.is_null() || message.is_some_and(|message| message.contains("out of memory"));
        return exhausted.then(memory_exceeded);
    };
    let fields = Reader::new(realm, ERROR_BYTES, false).read(&described).ok()?;
    let text = |key: &str| fields.get(key).and_then(Value::as_str).map(millrace_model::Str::from);
    let mut error = ExecutionError::new(text("name")?, text("message").unwrap_or_default());
    error.description = text("description");
    error.stack = text("stack");
    error.http_code = text("httpCode");
    let messages = fields.get("messages").and_then(Value::as_array).unwrap_or_default();
    error.messages = messages.iter().map(Value::to_js_string).collect();
    error.context = fields.get("context").and_then(Value::as_object).cloned().unwrap_or_else(Object::new);
    Some(error)
}

/// Must the engine be thrown away after this error?
pub(crate) fn is_exhaustion(error: &ExecutionError) -> bool {
    error.context.contains_key("limit")
}

fn limit(name: &str, message: String) -> ExecutionError {
    let mut error = ExecutionError::new("ExpressionLimitError", message).with_context("limit", name);
    error.permanent = true;
    error
}

pub(crate) fn time_exceeded(time: Duration) -> ExecutionError {
    limit("time", format!("The code took longer than {} s and was stopped", time.as_secs_f64()))
}

pub(crate) fn memory_exceeded() -> ExecutionError {
    limit("memory", "The code used more memory than it may and was stopped".into())
}

pub(crate) fn output_exceeded() -> ExecutionError {
    limit("output", "The result is larger than allowed".into())
}

pub(crate) fn nested_too_deeply() -> ExecutionError {
    limit("depth", "The result is nested too deeply, or refers to itself".into())
}

pub(crate) fn unreadable() -> ExecutionError {
    ExecutionError::new("ExpressionError", "The result could not be read")
}

pub(crate) fn engine_failed() -> ExecutionError {
    limit("engine", "The JavaScript engine could not be started".into())
}
