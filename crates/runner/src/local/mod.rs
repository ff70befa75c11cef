//! The host of the command line: one process, no tenants, no database. Files only in the folders allowed, binaries
//! inline, credentials from a file, sub-workflows from files.

mod calls;
mod execution;
mod files;

pub use execution::LocalExecution;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use millrace_expression::{Clock, Globals};
use millrace_model::{BinaryData, ExecutionError, Item, Node, Object, Value};
use millrace_nodes::{Call, FileEntry, HttpError, HttpRequest, HttpResponse, NodeHost, WebhookResponse};
use rustc_hash::FxHashMap;

use crate::{Catalog, Limits, binary::describe_binary};

/// Reaches the network for a [`LocalHost`].
#[async_trait]
pub trait Http: Send + Sync {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;

    /// Databases and mail servers, by name of the service.
    async fn service(&self, name: &str, _arguments: Value) -> Result<Value, ExecutionError> {
        Err(ExecutionError::operation(format!("The service \"{name}\" is not available on the command line")))
    }
}

/// Refuses every request.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHttp;

#[async_trait]
impl Http for NoHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        Err(HttpError { code: "EGRESS_DENIED", message: format!("requests are not allowed here: {}", request.url) })
    }
}

/// What the command line allows.
pub struct LocalOptions {
    /// Folders that nodes may read and write.
    pub allowed_folders: Vec<PathBuf>,
    /// Credential type to decrypted data.
    pub credentials: Object,
    /// Folder in which called workflows are looked for, as `<id>.json`.
    pub workflows: Option<PathBuf>,
    pub commands: bool,
    pub http: Arc<dyn Http>,
    pub catalog: Arc<dyn Catalog>,
    pub limits: Limits,
}

/// See the module.
#[derive(Clone)]
pub struct LocalHost {
    options: Arc<LocalOptions>,
    globals: Globals,
    kept: Arc<Mutex<FxHashMap<String, Value>>>,
    /// Number of workflow calls around this run.
    depth: u32,
}

impl LocalHost {
    pub fn new(mut options: LocalOptions, globals: Globals) -> LocalHost {
        options.allowed_folders.retain_mut(|folder| match folder.canonicalize() {
            Ok(real) => {
                *folder = real;
                true
            }
            Err(_) => false,
        });
        LocalHost { options: Arc::new(options), globals, kept: Arc::default(), depth: 0 }
    }
}

#[async_trait]
impl NodeHost for LocalHost {
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.options.http.send(request).await
    }

    async fn credential(&self, _node: &Node, kind: &str) -> Result<Object, ExecutionError> {
        Ok(self.options.credentials.get(kind).and_then(Value::as_object).cloned().unwrap_or_default())
    }

    async fn sleep(&self, duration: Duration) {
        match &self.globals.clock {
            Clock::System => tokio::time::sleep(duration).await,
            Clock::Frozen(at) => {
                at.fetch_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
            }
        }
    }

    fn now_ms(&self) -> i64 {
        self.globals.clock.now_ms()
    }

    fn random(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            tracing::error!(%error, "the system gives no random bytes");
        }
    }

    async fn call_workflow(&self, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError> {
        calls::call(self, call).await
    }

    /// Nobody waits for an answer on the command line.
    fn respond(&self, _response: WebhookResponse) {}

    fn store_binary(
        &self,
        bytes: Bytes,
        file_name: Option<&str>,
        mime_type: Option<&str>,
    ) -> Result<BinaryData, ExecutionError> {
        Ok(BinaryData { data: STANDARD.encode(&bytes).into(), ..describe_binary(&bytes, file_name, mime_type) })
    }

    fn load_binary(&self, binary: &BinaryData) -> Result<Bytes, ExecutionError> {
        let invalid = |error| ExecutionError::operation(format!("The binary data is not valid base64: {error}"));
        STANDARD.decode(binary.data.as_bytes()).map(Bytes::from).map_err(invalid)
    }

    async fn read_file(&self, path: &str) -> Result<Bytes, ExecutionError> {
        files::read(&self.options.allowed_folders, path).await
    }

    async fn write_file(&self, path: &str, bytes: Bytes, append: bool) -> Result<(), ExecutionError> {
        files::write(&self.options.allowed_folders, path, &bytes, append).await
    }

    async fn find_files(&self, pattern: &str) -> Result<Vec<FileEntry>, ExecutionError> {
        files::find(&self.options.allowed_folders, pattern)
    }

    async fn run_command(&self, command: &str) -> Result<(i32, String, String), ExecutionError> {
        if !self.options.commands {
            return Err(ExecutionError::operation("Running commands is not allowed here"));
        }
        let run = tokio::process::Command::new("/bin/sh").arg("-c").arg(command).kill_on_drop(true).output().await;
        let output = run.map_err(|error| ExecutionError::operation(format!("The command could not start: {error}")))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr)))
    }

    async fn recall(&self, key: &str) -> Result<Option<Value>, ExecutionError> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    async fn remember(&self, key: &str, value: Value) -> Result<(), ExecutionError> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), value);
        Ok(())
    }

    async fn service(&self, name: &str, arguments: Value) -> Result<Value, ExecutionError> {
        self.options.http.service(name, arguments).await
    }
}
