//! What is sent, what comes back, and why nothing came.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::hosts::AllowedHosts;

/// A request to be sent.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Absolute, http or https.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    /// For the whole exchange, redirects included; the configured time when not given.
    pub timeout: Option<Duration>,
    /// None: a redirect is an answer like any other.
    pub max_redirects: Option<usize>,
    /// No more of the answer's body is read than so many bytes; a longer one is cut. None: a longer one than is configured is
    /// an error.
    pub reads_only: Option<usize>,
    pub ignore_tls_errors: bool,
    /// URL of a proxy; its address is checked like any other.
    pub proxy: Option<String>,
    /// What the client shows of itself.
    pub identity: Option<Arc<Identity>>,
    /// For each of its credentials, the only hosts it may go to, redirects included.
    pub allowed_hosts: Vec<AllowedHosts>,
    /// Headers besides the usual ones that are a credential: they stay at the origin they were given for.
    pub private_headers: Vec<String>,
}

/// A client certificate and its key, in PEM, and what to trust with it.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    /// Certificates to trust besides the usual ones; may be empty.
    pub authority: String,
    /// The certificate, then those that lead to a known authority.
    pub certificate: String,
    pub key: String,
    /// Opens an encrypted key; else empty.
    pub passphrase: String,
}

/// Never shows the key.
impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Identity")
    }
}

#[derive(Clone, Debug, Default)]
pub enum Body {
    #[default]
    None,
    Bytes(Bytes),
    /// `multipart/form-data`.
    Multipart(Vec<Part>),
}

/// A part of a multipart body.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    pub bytes: Bytes,
    pub file_name: Option<String>,
    pub content_type: Option<String>,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    /// The usual words for the status.
    pub reason: &'static str,
    /// Lower-case names, in the order received; repeated headers are repeated.
    pub headers: Vec<(String, String)>,
    /// Decompressed.
    pub body: Bytes,
    /// URL of the last hop.
    pub url: String,
}

/// Why no answer came. Holds no header and no part of a body; URLs without credentials and query.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is no request: method, URL, header.
    Invalid,
    /// The egress policy forbids the address.
    EgressDenied,
    /// The name has no address.
    NotFound,
    Refused,
    Reset,
    TimedOut,
    /// The certificate is not trusted, or TLS failed otherwise.
    Tls,
    TooManyRedirects,
    /// The answer is over the limit.
    TooLarge,
    Other,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }
}
