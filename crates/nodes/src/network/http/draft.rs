//! A request in parts that authentication and pagination may still change, and its encoding.

use bytes::Bytes;
use millrace_model::{Object, Str, Value};
use url::Url;

use super::query::{ArrayFormat, stringify};
use crate::{Body, HttpRequest};

/// A request before it is encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// Method, URL as written (its own query included), headers, limits. Its body is not used.
    pub request: HttpRequest,
    /// Added to the query of the URL.
    pub query: Object,
    pub arrays: ArrayFormat,
    pub body: DraftBody,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum DraftBody {
    #[default]
    None,
    Json(Value),
    Form(Object),
    Multipart(Vec<(Str, Part)>),
    /// Bytes and their content type, where one is to be set.
    Raw(Bytes, Option<Str>),
}

/// A part of a multipart form.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Field(Value),
    File { bytes: Bytes, name: Option<Str>, content_type: Option<Str> },
}

impl Draft {
    /// Sets a header, replacing one of the same name in any case.
    pub(crate) fn set_header(&mut self, name: impl Into<Str>, value: impl Into<Str>) {
        let (name, value) = (name.into(), value.into());
        let headers = &mut self.request.headers;
        match headers.iter_mut().find(|(header, _)| header.eq_ignore_ascii_case(&name)) {
            Some(header) => *header = (name, value),
            None => headers.push((name, value)),
        }
    }

    /// Sets a header unless there is one of this name already.
    pub(crate) fn default_header(&mut self, name: &str, value: &str) {
        if !self.has_header(name) {
            self.request.headers.push((name.into(), value.into()));
        }
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.request.headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name))
    }

    /// The absolute URL with the query appended; `None` when it is not an HTTP URL.
    pub(crate) fn full_url(&self) -> Option<Url> {
        let mut url = Url::parse(self.request.url.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return None;
        }
        let added = stringify(&self.query, self.arrays);
        if !added.is_empty() {
            let query = match url.query() {
                Some(query) if !query.is_empty() => format!("{query}&{added}"),
                _ => added,
            };
            url.set_query(Some(&query));
        }
        url.set_fragment(None);
        Some(url)
    }

    /// The request to send; `None` when the URL is not an HTTP URL.
    pub(crate) fn encode(&self) -> Option<HttpRequest> {
        let mut draft = Draft { request: self.request.clone(), ..Draft::default() };
        draft.request.url = self.full_url()?.into();
        let content_type = match &self.body {
            DraftBody::None => None,
            DraftBody::Json(value) => {
                draft.request.body = Body::Bytes(value.to_json().into());
                Some("application/json")
            }
            DraftBody::Form(fields) => {
                draft.request.body = Body::Bytes(stringify(fields, self.arrays).into());
                Some("application/x-www-form-urlencoded")
            }
            DraftBody::Multipart(parts) => {
                draft.request.body = Body::Multipart(parts.iter().flat_map(encode_part).collect());
                // The client writes the content type, with the boundary that it chooses.
                draft.request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                None
            }
            DraftBody::Raw(bytes, content_type) => {
                draft.request.body = Body::Bytes(bytes.clone());
                content_type.as_deref()
            }
        };
        if let Some(content_type) = content_type {
            draft.default_header("content-type", content_type);
        }
        Some(draft.request)
    }
}

type EncodedPart = (Str, Bytes, Option<Str>, Option<Str>);

fn encode_part((name, part): &(Str, Part)) -> Vec<EncodedPart> {
    let text = |value: &Value| match value {
        Value::Object(_) | Value::Array(_) => Bytes::from(value.to_json()),
        value => Bytes::from(value.to_js_string().to_string()),
    };
    match part {
        Part::File { bytes, name: file_name, content_type } => {
            vec![(name.clone(), bytes.clone(), file_name.clone(), content_type.clone())]
        }
        Part::Field(Value::Array(values)) => {
            values.iter().map(|value| (name.clone(), text(value), None, None)).collect()
        }
        Part::Field(Value::Undefined) => Vec::new(),
        Part::Field(value) => vec![(name.clone(), text(value), None, None)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(url: &str, query: &str) -> Draft {
        let query = Value::from_json(query).unwrap().as_object().unwrap().clone();
        Draft { request: HttpRequest { url: url.into(), ..HttpRequest::default() }, query, ..Draft::default() }
    }

    #[test]
    fn joins_queries() {
        let table = [
            ("http://h/p", "{}", Some("http://h/p")),
            ("http://h/p?x=1#top", r#"{"a": "b c"}"#, Some("http://h/p?x=1&a=b%20c")),
            (" https://h ", r#"{"a": 1}"#, Some("https://h/?a=1")),
            ("h/p", "{}", None),
            ("ftp://h/p", "{}", None),
            ("", "{}", None),
        ];
        for (url, query, expected) in table {
            assert_eq!(draft(url, query).full_url().as_ref().map(Url::as_str), expected, "{url}");
        }
    }

    #[test]
    fn a_json_body_names_its_type_unless_told_otherwise() {
        let mut request = draft("http://h", "{}");
        request.body = DraftBody::Json(Value::from_json(r#"{"a": 1}"#).unwrap());
        assert_eq!(request.encode().unwrap().headers, [("content-type".into(), "application/json".into())]);
        request.set_header("Content-Type", "application/vnd.api+json");
        assert_eq!(request.encode().unwrap().headers, [("Content-Type".into(), "application/vnd.api+json".into())]);
    }
}
