//! The doors to the world: what nodes may ask of the process that runs them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use millrace_model::{BinaryData, ExecutionError, Item, Node, Object, Str, Value};

/// Implemented by the server (guarded by tenant and policy) and by the command line.
#[async_trait]
pub trait NodeHost: Send + Sync {
    /// Sends an HTTP request through the one guarded client.
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;

    /// A node begins: what the node before it was given is not for this one.
    fn begin(&self, _node: &Node) {}

    /// Decrypted data of the credential of this type that the node names; checked for the executing identity.
    async fn credential(&self, node: &Node, kind: &str) -> Result<Object, ExecutionError>;

    /// The same credential with another access token, after a service refused the one it had. `id`: what the data gave as
    /// `credentialId`.
    async fn renew_credential(&self, _id: &str, _refused: &str) -> Result<Object, ExecutionError> {
        Err(ExecutionError::operation("The access token cannot be renewed here"))
    }

    /// Waits; a frozen clock moves on at once instead.
    async fn sleep(&self, duration: Duration);

    /// Whether a wait as long as this is spent inside the run; a longer one puts the run aside.
    fn holds(&self, wait: Duration) -> bool {
        wait < Duration::from_secs(65)
    }

    /// Milliseconds since the epoch.
    fn now_ms(&self) -> i64;

    /// Random bytes of cryptographic quality.
    fn random(&self, bytes: &mut [u8]);

    /// Runs another workflow and gives the items of its last node (one list for each output).
    async fn call_workflow(&self, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError>;

    /// Answers the webhook request that began this run. Later calls, and calls without a waiting caller, do nothing.
    fn respond(&self, response: WebhookResponse);

    /// Whether that request is answered in parts: then [`NodeHost::respond`] does nothing, and nodes send what they write.
    fn streams(&self) -> bool {
        false
    }

    /// Sends a part of the answer, as it is. Waits while the caller has much unread; one that has gone away is no error.
    async fn send_part(&self, _part: Bytes) -> Result<(), ExecutionError> {
        Ok(())
    }

    /// Stores bytes and gives their description: type from `mime_type`, else from the file name, else by content.
    fn store_binary(
        &self,
        bytes: Bytes,
        file_name: Option<&str>,
        mime_type: Option<&str>,
    ) -> Result<BinaryData, ExecutionError>;

    /// Bytes of a binary by its handle or inline base64.
    fn load_binary(&self, binary: &BinaryData) -> Result<Bytes, ExecutionError>;

    /// Reads a file inside the folders the operator allows.
    async fn read_file(&self, path: &str) -> Result<Bytes, ExecutionError>;

    /// Writes (or appends to) a file inside the folders the operator allows.
    async fn write_file(&self, path: &str, bytes: Bytes, append: bool) -> Result<(), ExecutionError>;

    /// Files that match a glob pattern, inside the folders the operator allows, sorted by path.
    async fn find_files(&self, pattern: &str) -> Result<Vec<FileEntry>, ExecutionError>;

    /// Runs a command line; refused unless the operator allows commands.
    async fn run_command(&self, command: &str) -> Result<(i32, String, String), ExecutionError>;

    /// A value kept for this workflow and scope across executions (`removeDuplicates`, polling triggers).
    async fn recall(&self, key: &str) -> Result<Option<Value>, ExecutionError>;

    /// Keeps a value for this workflow and scope across executions.
    async fn remember(&self, key: &str, value: Value) -> Result<(), ExecutionError>;

    /// Any other service the host offers by name (`smtp.send`, `redis.command`, `postgres.query`, …): JSON in and out.
    async fn service(&self, name: &str, arguments: Value) -> Result<Value, ExecutionError>;
}

/// An HTTP request as a node asks for it.
#[derive(Clone, Debug, Default)]
pub struct HttpRequest {
    pub method: Str,
    /// Absolute URL, query included.
    pub url: String,
    pub headers: Vec<(Str, Str)>,
    pub body: Body,
    pub timeout: Option<Duration>,
    pub follow_redirects: bool,
    /// At most this many; 21 by default in n8n.
    pub max_redirects: Option<u32>,
    pub ignore_tls_errors: bool,
    pub proxy: Option<Str>,
    /// Certificate the client shows.
    pub identity: Option<Arc<TlsIdentity>>,
    /// Headers of a credential: they are not sent on where a redirect leads to another origin.
    pub private_headers: Vec<Str>,
    /// Same key for the same effect when a crash makes it run again.
    pub idempotency_key: Option<Str>,
}

/// A client certificate, all parts in PEM.
#[derive(Clone, Default)]
pub struct TlsIdentity {
    /// Certificate authority to trust besides the usual ones; may be empty.
    pub authority: Str,
    pub certificate: Str,
    pub key: Str,
    pub passphrase: Str,
}

/// Never shows the key.
impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TlsIdentity")
    }
}

#[derive(Clone, Debug, Default)]
pub enum Body {
    #[default]
    None,
    Bytes(Bytes),
    /// Parts of `multipart/form-data`: name, bytes, file name, content type.
    Multipart(Vec<(Str, Bytes, Option<Str>, Option<Str>)>),
}

#[derive(Clone, Debug, Default)]
pub struct HttpResponse {
    pub status: u16,
    pub status_text: Str,
    /// Lower-case names, in the order received.
    pub headers: Vec<(Str, Str)>,
    pub body: Bytes,
    /// URL of the last hop.
    pub url: String,
}

/// Why no answer came.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// Node's name for it where there is one: `ECONNREFUSED`, `ENOTFOUND`, `ETIMEDOUT`, `ECONNRESET`, `ECONNABORTED`;
    /// `EGRESS_DENIED` when the policy forbids the address.
    pub code: &'static str,
    pub message: String,
}

/// A call of another workflow.
#[derive(Clone, Debug)]
pub struct Call {
    pub source: CallSource,
    pub items: Vec<Item>,
    pub wait: CallWait,
}

#[derive(Clone, Debug)]
pub enum CallSource {
    Id(Str),
    /// A workflow document (from a parameter, file or URL).
    Document(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallWait {
    ForResult,
    /// Starts it and goes on.
    No,
}

#[derive(Clone, Debug, Default)]
pub struct WebhookResponse {
    pub status: u16,
    pub headers: Vec<(Str, Str)>,
    pub body: Bytes,
}

#[derive(Clone, Debug)]
pub struct FileEntry {
    pub path: String,
    pub bytes: u64,
}
