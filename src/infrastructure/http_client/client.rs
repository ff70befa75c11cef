//! Sends requests: one pool of connections per policy, so that a connection allowed to one tenant serves no other.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moka::sync::Cache;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use reqwest::{Client, Method, multipart};
use rustls::ClientConfig;
use url::{Host, Url};

use super::egress::EgressPolicy;
use super::redirect;
use super::request::{Body, Error, ErrorKind, Identity, Request, Response};
use super::resolver::{FixedName, PolicyResolver, ResolveError};
use super::tls::{self, TlsError};
use crate::infrastructure::config;

/// Pools unused for this long are closed.
const POOL_IDLE: Duration = Duration::from_secs(600);
const MAX_POOLS: u64 = 256;

/// The way out. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient {
    pools: Cache<PoolKey, Client>,
    tls: Arc<tls::Trust>,
    settings: Arc<config::HttpClient>,
    default_policy: Arc<EgressPolicy>,
    fixed_names: Arc<[FixedName]>,
}

/// The way out for one tenant: the client, and where it may go. Cheap to clone.
#[derive(Clone)]
pub struct Way {
    client: HttpClient,
    policy: Arc<EgressPolicy>,
}

impl Way {
    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        self.client.send(&self.policy, request).await
    }

    /// This time, or the configured one where that is shorter.
    pub fn at_most(&self, time: Duration) -> Duration {
        time.min(Duration::from_secs(self.client.settings.timeout_seconds))
    }

    pub fn policy(&self) -> &Arc<EgressPolicy> {
        &self.policy
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct PoolKey {
    policy: Arc<EgressPolicy>,
    identity: Option<Arc<Identity>>,
    ignore_tls_errors: bool,
    proxy: Option<String>,
}

impl HttpClient {
    pub fn new(settings: config::HttpClient) -> Result<HttpClient, TlsError> {
        let default_policy = EgressPolicy::allowing(settings.allow_private_networks.clone());
        Ok(HttpClient {
            pools: Cache::builder().max_capacity(MAX_POOLS).time_to_idle(POOL_IDLE).build(),
            tls: Arc::new(tls::Trust::new(&settings.ca_certificates)?),
            fixed_names: settings.resolve.clone().into(),
            settings: Arc::new(settings),
            default_policy: Arc::new(default_policy),
        })
    }

    /// What the configuration allows to everyone.
    pub fn default_policy(&self) -> &Arc<EgressPolicy> {
        &self.default_policy
    }

    /// How TLS is spoken to servers of other protocols: with the same certificates trusted.
    pub(in crate::infrastructure) fn plain_tls(&self) -> ClientConfig {
        let mut config = self.tls.config.clone();
        config.alpn_protocols.clear();
        config
    }

    /// A client for a service of the operator's own: under no tenant's policy, with the same certificates trusted.
    pub(in crate::infrastructure) fn of_the_operator(&self, longest: Duration) -> Result<Client, Error> {
        let connecting = Duration::from_secs(self.settings.connect_timeout_seconds).min(longest);
        let builder = Client::builder()
            .tls_backend_preconfigured(self.tls.config.clone())
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connecting)
            .timeout(longest)
            .user_agent(&self.settings.user_agent)
            .no_proxy();
        builder.build().map_err(|error| explain(&error))
    }

    /// The way out under this policy.
    pub fn within(&self, policy: Arc<EgressPolicy>) -> Way {
        Way { client: self.clone(), policy }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, policy: &Arc<EgressPolicy>, request: Request) -> Result<Response, Error> {
        let timeout = request.timeout.unwrap_or_else(|| Duration::from_secs(self.settings.timeout_seconds));
        let exchange = self.exchange(policy, request);
        let timed_out = |_| Error::new(ErrorKind::TimedOut, format!("no answer within {} ms", timeout.as_millis()));
        tokio::time::timeout(timeout, exchange).await.map_err(timed_out)?
    }

    async fn exchange(&self, policy: &Arc<EgressPolicy>, request: Request) -> Result<Response, Error> {
        let pool = self.pool(policy, &request)?;
        let mut url = parse_url(&request.url)?;
        let mut method = parse_method(&request.method)?;
        let mut headers = parse_headers(&request.headers)?;
        let mut body = request.body;
        let mut redirects_left = request.max_redirects.unwrap_or(0);
        loop {
            if let Some(allowed) = request.allowed_hosts.iter().find(|allowed| !allowed.permit(&url)) {
                let host = url.host_str().unwrap_or_default();
                let message = format!("the credential may not be used with {host}, only with {allowed}");
                return Err(Error::new(ErrorKind::EgressDenied, message));
            }
            // A name is checked when it is resolved; an address in the URL is not, so it is checked here.
            check_name(policy, &url)?;
            if request.proxy.is_none() {
                check_address(policy, &url)?;
            }
            let sent = pool.request(method.clone(), url.clone()).headers(headers.clone());
            let answer = with_body(sent, &body)?.send().await.map_err(|error| explain(&error))?;
            let hop =
                request.max_redirects.and_then(|_| redirect::next(answer.status(), answer.headers(), &url, &method));
            let Some(hop) = hop else { return self.read(answer, url, request.reads_only).await };
            redirects_left = redirects_left
                .checked_sub(1)
                .ok_or_else(|| Error::new(ErrorKind::TooManyRedirects, "too many redirects"))?;
            if !matches!(hop.url.scheme(), "http" | "https") {
                return Err(Error::new(ErrorKind::Invalid, "a redirect leads to something other than http"));
            }
            redirect::drop_credentials(&mut headers, &request.private_headers, &url, &hop.url);
            if !hop.keeps_body {
                body = Body::None;
                for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING] {
                    headers.remove(name);
                }
            }
            (url, method) = (hop.url, hop.method);
        }
    }

    /// `only`: the beginning of so many bytes is enough.
    async fn read(&self, mut answer: reqwest::Response, url: Url, only: Option<usize>) -> Result<Response, Error> {
        let limit = self.settings.max_response_bytes;
        let too_large = || Error::new(ErrorKind::TooLarge, format!("the answer is over {limit} bytes"));
        if only.is_none() && answer.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let status = answer.status();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = headers.collect();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| explain(&error))? {
            body.extend_from_slice(&chunk);
            match only {
                Some(only) if body.len() >= only => {
                    body.truncate(only);
                    break;
                }
                None if body.len() > limit => return Err(too_large()),
                _ => {}
            }
        }
        let reason = status.canonical_reason().unwrap_or_default();
        Ok(Response { status: status.as_u16(), reason, headers, body: body.freeze(), url: url.into() })
    }

    fn pool(&self, policy: &Arc<EgressPolicy>, request: &Request) -> Result<Client, Error> {
        let key = PoolKey {
            policy: Arc::clone(policy),
            identity: request.identity.clone(),
            ignore_tls_errors: request.ignore_tls_errors,
            proxy: request.proxy.clone(),
        };
        self.pools.try_get_with_by_ref(&key, || self.build(&key)).map_err(|error: Arc<Error>| Error::clone(&error))
    }

    fn build(&self, key: &PoolKey) -> Result<Client, Error> {
        let mut builder = Client::builder()
            .dns_resolver(Arc::new(PolicyResolver {
                policy: Arc::clone(&key.policy),
                fixed: Arc::clone(&self.fixed_names),
            }))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(self.settings.connect_timeout_seconds))
            .user_agent(&self.settings.user_agent)
            .pool_idle_timeout(Duration::from_secs(60))
            // Proxies of the environment would be a second door out.
            .no_proxy();
        if let Some(proxy) = &key.proxy {
            let url = parse_url(proxy)?;
            check_address(&key.policy, &url)?;
            let proxy = reqwest::Proxy::all(url).map_err(|error| explain(&error))?;
            builder = builder.proxy(proxy);
        }
        builder = match (&key.identity, key.ignore_tls_errors) {
            (None, false) => builder.tls_backend_preconfigured(self.tls.config.clone()),
            (Some(identity), false) => builder.tls_backend_preconfigured(self.tls.showing(identity)?),
            (identity, true) => {
                tls::name_provider();
                let builder = builder.tls_danger_accept_invalid_certs(true);
                match identity {
                    Some(identity) => builder.identity(tls::shown(identity)?),
                    None => builder,
                }
            }
        };
        builder.build().map_err(|error| explain(&error))
    }
}

fn parse_url(text: &str) -> Result<Url, Error> {
    let invalid = |reason: &str| Error::new(ErrorKind::Invalid, format!("invalid URL: {reason}"));
    let url = Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(_)) => Ok(url),
        _ => Err(invalid("only http and https are supported")),
    }
}

fn parse_method(text: &str) -> Result<Method, Error> {
    let name = if text.is_empty() { "GET" } else { text };
    Method::from_bytes(name.to_ascii_uppercase().as_bytes())
        .map_err(|_| Error::new(ErrorKind::Invalid, format!("invalid method: {name:?}")))
}

fn parse_headers(list: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::with_capacity(list.len());
    for (name, value) in list {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_bytes(value.as_bytes()).ok());
        // The value may be a secret: only the name is told.
        let (name, value) =
            parsed.ok_or_else(|| Error::new(ErrorKind::Invalid, format!("invalid header: {name:?}")))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn with_body(request: reqwest::RequestBuilder, body: &Body) -> Result<reqwest::RequestBuilder, Error> {
    Ok(match body {
        Body::None => request,
        Body::Bytes(bytes) => request.body(Bytes::clone(bytes)),
        Body::Multipart(parts) => {
            let mut form = multipart::Form::new();
            for part in parts {
                let mut piece = multipart::Part::stream_with_length(
                    Bytes::clone(&part.bytes),
                    u64::try_from(part.bytes.len()).unwrap_or(u64::MAX),
                );
                if let Some(file_name) = &part.file_name {
                    piece = piece.file_name(file_name.clone());
                }
                if let Some(content_type) = &part.content_type {
                    piece = piece.mime_str(content_type).map_err(|error| explain(&error))?;
                }
                form = form.part(part.name.clone(), piece);
            }
            request.multipart(form)
        }
    })
}

fn check_address(policy: &EgressPolicy, url: &Url) -> Result<(), Error> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if policy.permits_host(None, address) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::EgressDenied, format!("the address {address} is not allowed")))
}

/// Before the name is looked up: a look-up tells the name to others.
fn check_name(policy: &EgressPolicy, url: &Url) -> Result<(), Error> {
    match url.host() {
        Some(Host::Domain(name)) if !policy.permits_name(name) => {
            Err(Error::new(ErrorKind::EgressDenied, format!("the host {name} is not on the tenant's list")))
        }
        _ => Ok(()),
    }
}

/// The kind and a text without URL: reqwest puts the whole URL into its own.
fn explain(error: &reqwest::Error) -> Error {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(resolve) = inner.downcast_ref::<ResolveError>() {
            let kind = match resolve {
                ResolveError::NotFound(_) => ErrorKind::NotFound,
                ResolveError::Denied(_) => ErrorKind::EgressDenied,
            };
            return Error::new(kind, resolve.to_string());
        }
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return Error::new(ErrorKind::Tls, tls.to_string());
        }
        if let Some(failure) = inner.downcast_ref::<io::Error>()
            && let Some(kind) = kind_of(failure)
        {
            return Error::new(kind, failure.to_string());
        }
        // An io::Error hides what it wraps from `source`.
        cause = match inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => inner.source(),
        };
    }
    let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Other };
    let mut innermost: &dyn std::error::Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let message = if error.source().is_some() { innermost.to_string() } else { "the request failed".to_owned() };
    Error::new(kind, message)
}

fn kind_of(error: &io::Error) -> Option<ErrorKind> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(ErrorKind::Refused),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            Some(ErrorKind::Reset)
        }
        io::ErrorKind::TimedOut => Some(ErrorKind::TimedOut),
        _ => None,
    }
}
