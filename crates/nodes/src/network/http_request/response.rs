//! Turning answers into items.

use std::sync::Arc;

use millrace_model::{ExecutionError, Item, Object, Str, Value};
use url::Url;

use super::super::http::{Failure, api_error, decode_text, header, header_object};
use super::Reply;
use super::optimize::Optimize;
use crate::{HttpResponse, NodeContext};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// By the content type of the answer.
    Autodetect,
    Json,
    Text,
    File,
}

/// How the answers of an item are read.
#[derive(Clone, Debug)]
pub(super) struct ResponsePlan {
    pub format: Format,
    /// Headers and status too.
    pub full: bool,
    /// An error status is an answer like any other.
    pub never_error: bool,
    /// Field or binary that takes text or a file.
    pub property: Str,
    /// A JSON list becomes one item an element.
    pub split: bool,
    /// Statuses were judged while following pages.
    pub paged: bool,
    /// JSON objects get the status too (0 where no answer came), and an error its message: what hand-written workflows
    /// test for.
    pub with_status: bool,
    /// Less of an answer goes on.
    pub optimize: Option<Optimize>,
    /// What the text format is called in the editor.
    pub text_format: &'static str,
}

/// Content types that are files, by the start of their name.
const FILE_TYPES: [&str; 27] = [
    "image/",
    "audio/",
    "video/",
    "font/",
    "application/octet-stream",
    "application/gzip",
    "application/zip",
    "application/vnd.rar",
    "application/epub+zip",
    "application/x-bzip",
    "application/x-bzip2",
    "application/x-cdf",
    "application/vnd.amazon.ebook",
    "application/msword",
    "application/vnd.ms-",
    "application/vnd.openxmlformats",
    "application/vnd.oasis.opendocument",
    "application/pdf",
    "application/x-tar",
    "application/x-7z-compressed",
    "application/x-iso9660-image",
    "application/java-archive",
    "application/x-rar-compressed",
    "application/rtf",
    "application/vnd.visio",
    "application/x-shockwave-flash",
    "application/wasm",
];

impl ResponsePlan {
    /// The items of all answers of one item.
    pub(super) fn items(
        &self,
        context: &NodeContext<'_>,
        item: usize,
        replies: Vec<Reply>,
    ) -> Result<Vec<Item>, ExecutionError> {
        let mut made = Vec::new();
        for reply in replies {
            self.read(context, item, reply, &mut made)?;
        }
        for item in &mut made {
            if item.json == Value::Null {
                item.json = Object::new().into();
            }
        }
        Ok(made)
    }

    fn read(
        &self,
        context: &NodeContext<'_>,
        item: usize,
        reply: Reply,
        made: &mut Vec<Item>,
    ) -> Result<(), ExecutionError> {
        match self.format_of(&reply.response) {
            Format::File => made.push(self.file(context, item, &reply.response)?),
            Format::Text => {
                let text = match reply.body {
                    Some(Value::String(text)) => Value::String(text),
                    Some(other) => other.to_json().into(),
                    None => text_of(&reply.response),
                };
                // An empty answer that was not asked to be text leaves its field out.
                let empty = self.format == Format::Autodetect && text.as_str() == Some("");
                let text = match &self.optimize {
                    _ if empty => Value::Undefined,
                    Some(optimize) => optimize.text(text)?,
                    None => text,
                };
                let json = if self.full {
                    let mut json = Object::new();
                    json.insert(self.property.clone(), text);
                    with_status(json, &reply.response)
                } else {
                    Object::from([(self.property.as_str(), text)])
                };
                made.push(Item::new(json).paired(item));
            }
            Format::Json | Format::Autodetect => {
                let body = self.json_of(&reply)?;
                let body = match &self.optimize {
                    Some(optimize) => optimize.json(body)?,
                    None => body,
                };
                match body {
                    body if self.full => {
                        let json = with_status(Object::from([("body", body)]), &reply.response);
                        made.push(Item::new(json).paired(item));
                    }
                    Value::Array(values) if self.split => {
                        made.extend(values.iter().map(|value| Item::new(value.clone()).paired(item)));
                    }
                    body if self.with_status => {
                        made.push(Item::new(marked(body, &reply.response)).paired(item));
                    }
                    body => made.push(Item::new(body).paired(item)),
                }
            }
        }
        Ok(())
    }

    /// The format of an answer: JSON, text or file.
    pub(super) fn format_of(&self, response: &HttpResponse) -> Format {
        if self.format != Format::Autodetect {
            return self.format;
        }
        let kind = header(response, "content-type").unwrap_or_default().to_ascii_lowercase();
        match kind {
            kind if kind.contains("application/json") => Format::Json,
            kind if FILE_TYPES.iter().any(|prefix| kind.contains(prefix)) => Format::File,
            _ => Format::Text,
        }
    }

    /// The body as pagination expressions see it; `None` for files.
    pub(super) fn body_of(&self, response: &HttpResponse) -> Option<Value> {
        match self.format_of(response) {
            Format::File if self.format == Format::File => None,
            Format::Json if self.format == Format::Autodetect => {
                Some(parsed(response).unwrap_or_else(|| Object::new().into()))
            }
            Format::Json => Some(parsed(response).unwrap_or_else(|| text_of(response))),
            _ => Some(text_of(response)),
        }
    }

    fn json_of(&self, reply: &Reply) -> Result<Value, ExecutionError> {
        let value = match &reply.body {
            Some(Value::String(text)) => Value::from_json(text).ok(),
            Some(body) => Some(body.clone()),
            None => parsed(&reply.response),
        };
        match value {
            Some(value) => Ok(value),
            None if self.with_status => Ok(text_of(&reply.response)),
            None if self.format != Format::Autodetect => Err(ExecutionError::operation(format!(
                "Response body is not valid JSON. Change \"Response Format\" to \"{}\"",
                self.text_format
            ))),
            None if self.never_error => Ok(Object::new().into()),
            None => Err(ExecutionError::operation("Invalid JSON in response body")),
        }
    }

    fn file(&self, context: &NodeContext<'_>, item: usize, response: &HttpResponse) -> Result<Item, ExecutionError> {
        let content_type = header(response, "content-type").and_then(|kind| kind.split(';').next()).map(str::trim);
        let content_type = content_type.filter(|kind| !kind.is_empty());
        let name = file_name(response);
        let mut stored = context.host.store_binary(response.body.clone(), name.as_deref(), content_type)?;
        if stored.file_name.is_none() {
            let last = response.url.rsplit('/').next().filter(|last| !last.is_empty());
            let extension = stored.file_extension.as_ref();
            stored.file_name = last.zip(extension).map(|(last, extension)| format!("{last}.{extension}").into());
        }
        let source = context.items().get(item);
        let mut binary = source.and_then(|item| item.binary.as_deref().cloned()).unwrap_or_default();
        binary.insert(self.property.clone(), stored);
        let json = match source {
            _ if self.full => with_status(Object::new(), response).into(),
            Some(source) => source.json.clone(),
            None => Object::new().into(),
        };
        Ok(Item { json, binary: Some(Arc::new(binary)), ..Item::default() }.paired(item))
    }
}

/// Adds headers and status to what a full response shows.
fn with_status(mut json: Object, response: &HttpResponse) -> Object {
    json.insert("headers", header_object(response));
    json.insert("statusCode", u32::from(response.status));
    json.insert("statusMessage", response.status_text.clone());
    json
}

/// The body with the status of its answer; an answer that is no object stands in `data`.
fn marked(body: Value, response: &HttpResponse) -> Object {
    let mut json = match body {
        Value::Object(json) => json,
        Value::Null => Object::new(),
        other => Object::from([("data", other)]),
    };
    if !json.contains_key("statusCode") {
        json.insert("statusCode", u32::from(response.status));
    }
    if !(200..300).contains(&response.status) && !json.contains_key("error") {
        json.insert("error", api_error(&Failure::of_response(response)).message);
    }
    json
}

fn text_of(response: &HttpResponse) -> Value {
    decode_text(&response.body, header(response, "content-type").unwrap_or_default()).into()
}

fn parsed(response: &HttpResponse) -> Option<Value> {
    let body = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
    serde_json::from_slice(body).ok()
}

/// The name of a file: as the answer disposes, else the end of the URL it came from.
fn file_name(response: &HttpResponse) -> Option<String> {
    let disposed = header(response, "content-disposition").and_then(disposition_name);
    let of_url = || {
        let url = Url::parse(&response.url).ok()?;
        let last = url.path_segments()?.next_back()?.to_owned();
        (!last.is_empty()).then(|| percent_decoded(&last))
    };
    disposed.or_else(of_url)
}

/// `filename*` (RFC 8187) or `filename` of a `Content-Disposition` header (RFC 6266); never a path.
pub(super) fn disposition_name(disposition: &str) -> Option<String> {
    let mut plain = None;
    for parameter in disposition.split(';').skip(1) {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let value = value.trim().trim_matches('"').replace("\\\"", "\"");
        match name.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let encoded = value.splitn(3, '\'').nth(2).unwrap_or(&value).to_owned();
                return last_segment(&percent_decoded(&encoded));
            }
            "filename" => plain = Some(value),
            _ => {}
        }
    }
    last_segment(&plain?)
}

fn last_segment(path: &str) -> Option<String> {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
