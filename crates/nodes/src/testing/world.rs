//! A host that plays the world: answers to requests are set beforehand, files and memory are kept in tables.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use millrace_model::{BinaryData, ExecutionError, Item, Node, Object, Str, Value};

use super::NOW_MS;
use crate::{Body, Call, FileEntry, HttpError, HttpRequest, HttpResponse, NodeHost, WebhookResponse};

#[derive(Default)]
pub(crate) struct World {
    /// Answers to requests, taken from the front; the last one is given again and again.
    pub answers: Mutex<Vec<Answer>>,
    pub requests: Mutex<Vec<HttpRequest>>,
    pub credentials: Object,
    pub files: Mutex<BTreeMap<String, Bytes>>,
    pub kept: Mutex<BTreeMap<String, Value>>,
    pub slept: Mutex<Duration>,
    pub services: Mutex<Vec<(String, Value)>>,
    /// What services answer, taken from the front; null when there is nothing left.
    pub service_answers: Mutex<Vec<Value>>,
    /// What a command prints; `None`: commands are not allowed.
    pub command_output: Option<(i32, String, String)>,
    /// Workflows that were called.
    pub calls: Mutex<Vec<Call>>,
    /// What a called workflow gives; `None`: the items it was given.
    pub call_result: Option<Result<Vec<Vec<Item>>, ExecutionError>>,
    /// Answers that were sent to the webhook's caller.
    pub responses: Mutex<Vec<WebhookResponse>>,
    /// The webhook's caller is answered in parts; those that were sent.
    pub streams: bool,
    pub parts: Mutex<String>,
}

/// What a server answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(Str, Str)>,
    pub body: Bytes,
    /// Fails like this instead.
    pub error: Option<HttpError>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Answer {
        Answer::new(status, "application/json", body.as_bytes())
    }

    pub(crate) fn new(status: u16, content_type: &str, body: &[u8]) -> Answer {
        let headers = vec![("content-type".into(), content_type.into())];
        Answer { status, headers, body: Bytes::copy_from_slice(body), error: None }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn failing(code: &'static str, message: &str) -> Answer {
        Answer { error: Some(HttpError { code, message: message.to_owned() }), ..Answer::json(0, "") }
    }
}

impl World {
    pub(crate) fn answering(self, answers: impl IntoIterator<Item = Answer>) -> World {
        World { answers: Mutex::new(answers.into_iter().collect()), ..self }
    }

    pub(crate) fn serving(self, answers: &[&str]) -> World {
        let answers = answers.iter().map(|text| Value::from_json(text).unwrap());
        World { service_answers: Mutex::new(answers.collect()), ..self }
    }

    pub(crate) fn file(self, path: &str, content: &[u8]) -> World {
        self.files.lock().unwrap().insert(path.to_owned(), Bytes::copy_from_slice(content));
        self
    }

    pub(crate) fn credential(mut self, kind: &str, data: &str) -> World {
        self.credentials.insert(kind, Value::from_json(data).unwrap());
        self
    }

    /// Method, URL and body text of each request sent.
    pub(crate) fn sent(&self) -> Vec<(String, String, String)> {
        let requests = self.requests.lock().unwrap();
        let text = |body: &Body| match body {
            Body::None => String::new(),
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::Multipart(parts) => {
                let part = |(name, bytes, file, kind): &(Str, Bytes, Option<Str>, Option<Str>)| {
                    format!("{name}={} {file:?} {kind:?};", String::from_utf8_lossy(bytes))
                };
                parts.iter().map(part).collect()
            }
        };
        requests.iter().map(|request| (request.method.to_string(), request.url.clone(), text(&request.body))).collect()
    }

    /// A header of the last request.
    pub(crate) fn sent_header(&self, name: &str) -> Option<String> {
        let requests = self.requests.lock().unwrap();
        let headers = &requests.last()?.headers;
        headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_string())
    }
}

#[async_trait]
impl NodeHost for World {
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = request.url.clone();
        self.requests.lock().unwrap().push(request);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers.first().expect("an answer").clone() };
        match answer.error {
            Some(error) => Err(error),
            None => Ok(HttpResponse {
                status: answer.status,
                status_text: if answer.status == 404 { "Not Found".into() } else { "OK".into() },
                headers: answer.headers,
                body: answer.body,
                url,
            }),
        }
    }

    async fn credential(&self, _node: &Node, kind: &str) -> Result<Object, ExecutionError> {
        Ok(self.credentials.get(kind).and_then(Value::as_object).cloned().unwrap_or_default())
    }

    async fn sleep(&self, duration: Duration) {
        *self.slept.lock().unwrap() += duration;
    }

    fn now_ms(&self) -> i64 {
        NOW_MS
    }

    fn random(&self, bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from((at * 37 + 11) % 251).unwrap();
        }
    }

    async fn call_workflow(&self, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError> {
        let given = call.items.clone();
        self.calls.lock().unwrap().push(call);
        self.call_result.clone().unwrap_or(Ok(vec![given]))
    }

    fn respond(&self, response: WebhookResponse) {
        self.responses.lock().unwrap().push(response);
    }

    fn streams(&self) -> bool {
        self.streams
    }

    async fn send_part(&self, part: Bytes) -> Result<(), ExecutionError> {
        self.parts.lock().unwrap().push_str(std::str::from_utf8(&part).unwrap());
        Ok(())
    }

    fn store_binary(
        &self,
        bytes: Bytes,
        file_name: Option<&str>,
        mime_type: Option<&str>,
    ) -> Result<BinaryData, ExecutionError> {
        let extension = file_name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
        Ok(BinaryData {
            data: STANDARD.encode(&bytes).into(),
            mime_type: mime_type.unwrap_or("application/octet-stream").into(),
            file_name: file_name.map(Str::from),
            file_extension: extension.map(Str::from),
            file_size: Some(millrace_model::human_size(u64::try_from(bytes.len()).unwrap())),
            ..BinaryData::default()
        })
    }

    fn load_binary(&self, binary: &BinaryData) -> Result<Bytes, ExecutionError> {
        Ok(STANDARD.decode(binary.data.as_bytes()).unwrap().into())
    }

    async fn read_file(&self, path: &str) -> Result<Bytes, ExecutionError> {
        let missing = || ExecutionError::operation(format!("The file \"{path}\" could not be accessed."));
        self.files.lock().unwrap().get(path).cloned().ok_or_else(missing)
    }

    async fn write_file(&self, path: &str, bytes: Bytes, append: bool) -> Result<(), ExecutionError> {
        let mut files = self.files.lock().unwrap();
        let before = if append { files.get(path).cloned().unwrap_or_default() } else { Bytes::new() };
        files.insert(path.to_owned(), [before, bytes].concat().into());
        Ok(())
    }

    async fn find_files(&self, pattern: &str) -> Result<Vec<FileEntry>, ExecutionError> {
        let files = self.files.lock().unwrap();
        let fits = |path: &str| match pattern.split_once('*') {
            Some((start, end)) => path.starts_with(start) && path.ends_with(end),
            None => path == pattern,
        };
        let found = files.iter().filter(|(path, _)| fits(path));
        Ok(found
            .map(|(path, bytes)| FileEntry { path: path.clone(), bytes: bytes.len().try_into().unwrap() })
            .collect())
    }

    async fn run_command(&self, _command: &str) -> Result<(i32, String, String), ExecutionError> {
        self.command_output.clone().ok_or_else(|| ExecutionError::operation("no commands here"))
    }

    async fn recall(&self, key: &str) -> Result<Option<Value>, ExecutionError> {
        Ok(self.kept.lock().unwrap().get(key).cloned())
    }

    async fn remember(&self, key: &str, value: Value) -> Result<(), ExecutionError> {
        self.kept.lock().unwrap().insert(key.to_owned(), value);
        Ok(())
    }

    async fn service(&self, name: &str, arguments: Value) -> Result<Value, ExecutionError> {
        self.services.lock().unwrap().push((name.to_owned(), arguments));
        let mut answers = self.service_answers.lock().unwrap();
        Ok(if answers.is_empty() { Value::Null } else { answers.remove(0) })
    }
}
