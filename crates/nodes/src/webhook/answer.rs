//! Answers to callers of webhooks: at once, or from the items of the last node.

use bytes::Bytes;
use millrace_model::{BinaryData, ExecutionError, Item, Object, Str, Value};

use super::settings::{ResponseData, Settings};
use crate::{WebhookResponse, dot_path};

/// The answer on receipt: the node's own text, or that the run was started.
pub fn answer_on_receipt(settings: &Settings) -> WebhookResponse {
    let started = || Object::from([("message", "Workflow was started".into())]).into();
    let body = match (&settings.receipt, settings.no_body) {
        (_, true) => None,
        (Some(own), _) => Some(own.clone()),
        (None, _) => Some(started()),
    };
    answer(settings, body)
}

/// The answer from the last node's items (its first output). `load` gives the bytes of a binary.
pub fn answer_of_last_node(
    settings: &Settings,
    items: &[Item],
    load: &dyn Fn(&BinaryData) -> Result<Bytes, ExecutionError>,
) -> Result<WebhookResponse, ExecutionError> {
    match settings.response_data {
        ResponseData::NoData => Ok(answer(settings, None)),
        ResponseData::AllEntries => {
            Ok(answer(settings, Some(Value::array(items.iter().map(|item| item.json.clone())))))
        }
        ResponseData::FirstEntryJson => {
            let first = items.first().ok_or_else(|| ExecutionError::operation("No item to return was found"))?;
            let data = match &settings.response_property {
                Some(path) => dot_path::get(&first.json, path).cloned().unwrap_or_default(),
                None => first.json.clone(),
            };
            Ok(answer(settings, (!data.is_undefined()).then_some(data)))
        }
        ResponseData::FirstEntryBinary => binary(settings, items, load),
    }
}

fn binary(
    settings: &Settings,
    items: &[Item],
    load: &dyn Fn(&BinaryData) -> Result<Bytes, ExecutionError>,
) -> Result<WebhookResponse, ExecutionError> {
    let first = items.first().ok_or_else(|| ExecutionError::operation("No item was found to return"))?;
    let missing = || ExecutionError::operation("No binary data was found to return");
    let binaries = first.binary.as_ref().ok_or_else(missing)?;
    let name = &settings.response_binary;
    let binary = binaries.get(name).ok_or_else(|| {
        ExecutionError::operation(format!("The binary property '{name}' which should be returned does not exist"))
    })?;
    let mut headers = settings.response_headers.clone();
    default_type(&mut headers, settings.response_content_type.as_ref().unwrap_or(&binary.mime_type));
    Ok(WebhookResponse { status: settings.response_code, headers, body: load(binary)? })
}

/// An answer with a body: text as it is, everything else as JSON.
fn answer(settings: &Settings, body: Option<Value>) -> WebhookResponse {
    let mut headers = settings.response_headers.clone();
    if let Some(own) = &settings.response_content_type {
        default_type(&mut headers, own);
    }
    let body = encoded(body.as_ref(), &mut headers);
    WebhookResponse { status: settings.response_code, headers, body }
}

/// The bytes of a body; sets the content type if none is set.
pub(crate) fn encoded(body: Option<&Value>, headers: &mut Vec<(Str, Str)>) -> Bytes {
    match body {
        None | Some(Value::Undefined) => Bytes::new(),
        Some(Value::String(text)) => {
            default_type(headers, "text/html; charset=utf-8");
            text.to_string().into()
        }
        Some(value) => {
            default_type(headers, "application/json; charset=utf-8");
            value.to_json().into()
        }
    }
}

/// Sets the content type unless it is set.
pub(crate) fn default_type(headers: &mut Vec<(Str, Str)>, kind: &str) {
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".into(), kind.into()));
    }
}
