//! From a received request to the items of a Webhook node.

use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use millrace_model::{BinaryData, ExecutionError, Item, Object, Str, Value};

use super::settings::Settings;
use super::{multipart, query_text};
use crate::values::xml::parse::{self, Style};

/// Stores bytes and describes them: the bytes, a file name, a media type.
pub type BinaryStore<'a> = &'a mut dyn FnMut(Bytes, Option<&str>, Option<&str>) -> Result<BinaryData, ExecutionError>;

/// A request as it came in.
#[derive(Clone, Debug, Default)]
pub struct ReceivedRequest {
    pub method: Str,
    /// Lower-case names; several of one name are joined by a comma.
    pub headers: Vec<(Str, Str)>,
    /// Values of the path's named parts.
    pub params: Object,
    /// Without the question mark.
    pub query: Str,
    pub body: Bytes,
    /// URL of the webhook as the caller knows it.
    pub webhook_url: Str,
    /// A call of the test URL?
    pub test: bool,
    /// Claims of the caller's token, where the node asks for one.
    pub jwt_payload: Option<Value>,
}

/// The items of a Webhook node, one list for each output. Files and raw bodies go to `store`.
pub fn items(
    request: &ReceivedRequest,
    settings: &Settings,
    store: BinaryStore<'_>,
) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let (body, binaries) = read_body(request, settings, store)?;
    let headers: Object = request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let mut json = Object::from([
        ("headers", headers.into()),
        ("params", request.params.clone().into()),
        ("query", query_text::nested(&request.query).into()),
        ("body", body),
    ]);
    json.insert("webhookUrl", request.webhook_url.clone());
    json.insert("executionMode", if request.test { "test" } else { "production" });
    if let Some(payload) = &request.jwt_payload {
        json.insert("jwtPayload", payload.clone());
    }
    let binary = (!binaries.is_empty()).then(|| Arc::new(binaries));
    let item = Item { binary, ..Item::new(json) };
    let (output, count) = settings.output_of(&request.method);
    let mut outputs = vec![Vec::new(); count.max(1)];
    if let Some(output) = outputs.get_mut(output) {
        output.push(item);
    }
    Ok(outputs)
}

type Read = (Value, IndexMap<Str, BinaryData>);

fn read_body(request: &ReceivedRequest, settings: &Settings, store: BinaryStore<'_>) -> Result<Read, ExecutionError> {
    let header = |name: &str| {
        request.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let content_type = header("content-type");
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut binaries = IndexMap::new();
    if settings.binary_data {
        take_binary(request, settings, header("content-disposition"), &kind, &mut binaries, store)?;
        return Ok((Object::new().into(), binaries));
    }
    if kind == "multipart/form-data" {
        return read_form(request, settings, content_type, store);
    }
    let parsed = parsed(&kind, &request.body)?;
    if settings.raw_body {
        let media_type = if kind.is_empty() { "application/json" } else { &kind };
        binaries.insert("data".into(), store(request.body.clone(), None, Some(media_type))?);
    } else if parsed.is_none() && settings.version > 1.0 {
        take_binary(request, settings, header("content-disposition"), &kind, &mut binaries, store)?;
    }
    Ok((parsed.unwrap_or_else(|| Object::new().into()), binaries))
}

/// The whole body as one binary, if there is one.
fn take_binary(
    request: &ReceivedRequest,
    settings: &Settings,
    disposition: &str,
    kind: &str,
    binaries: &mut IndexMap<Str, BinaryData>,
    store: BinaryStore<'_>,
) -> Result<(), ExecutionError> {
    if request.body.is_empty() {
        return Ok(());
    }
    let name = settings.binary_property.clone().unwrap_or_else(|| "data".into());
    let file_name = multipart::parameter(disposition, "filename");
    let kind = if kind.is_empty() { "application/octet-stream" } else { kind };
    binaries.insert(name, store(request.body.clone(), file_name.as_deref(), Some(kind))?);
    Ok(())
}

/// A body of a type that is read as data; `None` for other types and empty bodies.
fn parsed(kind: &str, body: &Bytes) -> Result<Option<Value>, ExecutionError> {
    if body.is_empty() {
        return Ok(None);
    }
    let text = || String::from_utf8_lossy(body);
    Ok(Some(match kind {
        "application/json" => Value::from_json(&text()).map_err(|problem| unreadable(&problem.to_string()))?,
        "application/x-www-form-urlencoded" => query_text::flat(&text()).into(),
        "text/plain" => text().into_owned().into(),
        kind if kind.ends_with("/xml") || kind.ends_with("+xml") => {
            let style = Style { normalize: true, lower_case: true, merge_attributes: false, ..Style::default() };
            parse::document(&text(), &style).map_err(|problem| unreadable(&problem.message))?
        }
        _ => return Ok(None),
    }))
}

/// The error of a body that is not what its type says (status 422).
fn unreadable(reason: &str) -> ExecutionError {
    let mut error = ExecutionError::operation("Failed to parse request body").describe(reason);
    error.http_code = Some("422".into());
    error
}

fn read_form(
    request: &ReceivedRequest,
    settings: &Settings,
    content_type: &str,
    store: BinaryStore<'_>,
) -> Result<Read, ExecutionError> {
    let parts = multipart::parts(content_type, &request.body).map_err(unreadable)?;
    let files_called = |name: &Str| parts.iter().filter(|part| part.file_name.is_some() && part.name == *name).count();
    let (mut fields, mut binaries) = (Object::new(), IndexMap::new());
    let mut numbers: IndexMap<&Str, usize> = IndexMap::new();
    for part in &parts {
        let Some(file_name) = &part.file_name else {
            let text: Value = String::from_utf8_lossy(&part.bytes).as_ref().into();
            match fields.get_mut(&part.name) {
                None => {
                    fields.insert(part.name.clone(), text);
                }
                Some(Value::Array(values)) => Arc::make_mut(values).push(text),
                Some(present) => *present = Value::array([std::mem::take(present), text]),
            }
            continue;
        };
        let name = match &settings.binary_property {
            Some(name) => format!("{name}{}", binaries.len()).into(),
            None => {
                let bare = part.name.strip_suffix("[]").unwrap_or(&part.name);
                let number = numbers.entry(&part.name).or_default();
                *number += 1;
                if files_called(&part.name) > 1 { format!("{bare}{}", *number - 1).into() } else { Str::from(bare) }
            }
        };
        binaries.insert(name, store(part.bytes.clone(), Some(file_name), part.content_type.as_deref())?);
    }
    Ok((fields.into(), binaries))
}
