//! The public API of an n8n, and its webhooks. The key is shown to the API alone.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use super::error::Error;
use crate::common::Secret;
use crate::infrastructure::http_client::{AllowedHosts, Body, Request, Response, Way};

/// Longest time of one request.
const TIMEOUT: Duration = Duration::from_secs(20);
const API: [&str; 2] = ["api", "v1"];

/// One n8n, with the key of one tenant.
pub(super) struct Remote {
    way: Way,
    /// Without `/api/v1`.
    root: Url,
    key: Secret<String>,
    allowed_hosts: Vec<AllowedHosts>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemotePage {
    pub data: Vec<Box<RawValue>>,
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// What is asked for in the query.
pub(super) type Query<'a> = &'a [(&'a str, String)];

impl Remote {
    pub(super) fn new(way: Way, address: &str, key: String, allowed: Option<AllowedHosts>) -> Result<Remote, Error> {
        let root = root_of(address).ok_or(Error::BadAddress)?;
        Ok(Remote { way, root, key: Secret::new(key), allowed_hosts: allowed.into_iter().collect() })
    }

    /// A page of `workflows` or `executions`.
    pub(super) async fn list(&self, what: &'static str, query: Query<'_>) -> Result<RemotePage, Error> {
        self.get(&[what], query, what).await
    }

    /// One of them.
    pub(super) async fn one(&self, what: &'static str, id: &str, query: Query<'_>) -> Result<Box<RawValue>, Error> {
        self.get(&[what, id], query, what).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], query: Query<'_>, what: &'static str) -> Result<T, Error> {
        let mut url = self.address(API.iter().chain(path).copied())?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let headers = [("accept", "application/json"), ("x-n8n-api-key", self.key.expose().as_str())];
        let request = Request {
            method: "GET".to_owned(),
            url: url.into(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            private_headers: vec!["x-n8n-api-key".to_owned()],
            ..self.request(TIMEOUT)
        };
        let answer = self.send(request).await?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body).map_err(|_| Error::NotTheApi(shape_of(&answer))),
            401 | 403 => Err(Error::KeyRefused(answer.status)),
            // Where the API is switched off, or another server stands, there is no JSON.
            404 if is_json(&answer) => Err(Error::NotFound(match what {
                "executions" => "execution",
                _ => "workflow",
            })),
            404 => Err(Error::NotTheApi("there is nothing at its path")),
            300..=399 => Err(Error::NotTheApi("it leads elsewhere")),
            status => Err(Error::Failed(status)),
        }
    }

    /// Calls a webhook, as anybody could. The key is not shown.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        input: Option<&serde_json::Value>,
        longest: Duration,
    ) -> Result<Response, Error> {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let mut url = self.address(std::iter::once("webhook").chain(segments))?;
        let (mut headers, mut body) = (Vec::new(), Body::None);
        match (method, input) {
            (_, None) => {}
            ("GET" | "HEAD", Some(serde_json::Value::Object(fields))) => {
                let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                url.query_pairs_mut().extend_pairs(fields.iter().map(|(name, value)| (name, text(value))));
            }
            (_, Some(input)) => {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
                body = Body::Bytes(Bytes::from(input.to_string()));
            }
        }
        let request = Request { method: method.to_owned(), url: url.into(), headers, body, ..self.request(longest) };
        self.send(request).await
    }

    fn request(&self, longest: Duration) -> Request {
        Request {
            timeout: Some(self.way.at_most(longest)),
            allowed_hosts: self.allowed_hosts.clone(),
            ..Request::default()
        }
    }

    fn address<'a>(&self, segments: impl Iterator<Item = &'a str>) -> Result<Url, Error> {
        let mut url = self.root.clone();
        url.path_segments_mut().map_err(|()| Error::BadAddress)?.pop_if_empty().extend(segments);
        Ok(url)
    }

    async fn send(&self, request: Request) -> Result<Response, Error> {
        self.way.send(request).await.map_err(|error| Error::Unreachable(error.kind, error.message))
    }
}

/// The address without `/api/v1`, query and fragment.
pub(super) fn root_of(address: &str) -> Option<Url> {
    let mut url = Url::parse(address.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() {
        return None;
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(path.strip_suffix("/api/v1").unwrap_or(&path));
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

fn is_json(answer: &Response) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok()
}

/// What came in place of what was asked for. Its own words are not repeated.
fn shape_of(answer: &Response) -> &'static str {
    let start = answer.body.iter().find(|byte| !byte.is_ascii_whitespace());
    match start {
        None => "the answer is empty",
        Some(b'<') => "the answer is a web page",
        Some(_) if is_json(answer) => "the answer has another shape",
        Some(_) => "the answer is not JSON",
    }
}
