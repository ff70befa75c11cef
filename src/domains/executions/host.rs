//! The doors of one run to the world: the tenant's network, other workflows of the tenant, what the workflow remembers.
//! Whatever leaves the process is preceded by the execution being stored.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use millrace_model::{BinaryData, ExecutionError, Item, Node, Object, Value, human_size};
use millrace_nodes::{Call, FileEntry, HttpError, HttpRequest, HttpResponse, NodeHost, WebhookResponse};
use millrace_runner::describe_binary;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, not_stored};
use super::calls;
use super::executor::Executor;
use super::held::{self, Held};
use super::repository as rows;
use super::{binaries, outbound, parts, recovery, storing, usage};
use crate::infrastructure::services::Reach;

/// Waits from here on put the run aside.
const LONG_WAIT: Duration = Duration::from_secs(1);

pub(super) struct TenantHost {
    pub executor: Executor,
    pub attempt: Arc<Attempt>,
    pub cancel: CancellationToken,
    held: Held,
}

impl TenantHost {
    pub(super) fn new(executor: Executor, attempt: Arc<Attempt>, cancel: CancellationToken) -> TenantHost {
        TenantHost { executor, attempt, cancel, held: Held::default() }
    }

    /// Makes the execution durable before something it does is seen outside; nothing is done for a tenant that is stopped.
    pub(super) async fn before_effect(&self) -> Result<(), ExecutionError> {
        if let Ok(profile) = self.executor.0.programs.tenants().profile(self.attempt.row.tenant_id).await {
            profile.require_active().map_err(|stopped| ExecutionError::operation(stopped.to_string()))?;
        }
        self.attempt.note_effect();
        if self.attempt.is_stored() && !self.executor.0.lease.is_valid() {
            recovery::check_owner(&self.executor, &self.attempt).await?;
        }
        self.attempt.store(&self.executor.0.writer).await.map_err(|error| not_stored(&error))
    }

    /// Where the workflow keeps a value: apart from its static data.
    fn memory_key(key: &str) -> String {
        format!("node:{key}")
    }
}

#[async_trait]
impl NodeHost for TenantHost {
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let unstored = |error: ExecutionError| HttpError { code: "ECONNABORTED", message: error.message.to_string() };
        self.before_effect().await.map_err(unstored)?;
        let policy = match self.executor.0.programs.tenants().profile(self.attempt.row.tenant_id).await {
            Ok(profile) => Arc::clone(&profile.egress),
            Err(error) => return Err(HttpError { code: "EGRESS_DENIED", message: error.to_string() }),
        };
        self.held.sends(&request);
        self.attempt.begin.traffic.sent(usage::size_of(&request.body));
        let answer = outbound::send(&self.executor.0.http, &policy, request, self.held.hosts()).await;
        if let Ok(answer) = &answer {
            self.attempt.begin.traffic.received(answer.body.len());
        }
        answer.map(|answer| self.held.without_quotes(answer))
    }

    fn begin(&self, _: &Node) {
        self.held.let_go();
    }

    async fn credential(&self, node: &Node, kind: &str) -> Result<Object, ExecutionError> {
        let attempt = &self.attempt;
        let (tenant, workflow) = (attempt.row.tenant_id, attempt.row.workflow_id);
        let resolved = held::resolve(&self.executor.0.credentials, tenant, workflow, node, kind).await?;
        Ok(self.held.hold(resolved))
    }

    async fn renew_credential(&self, id: &str, refused: &str) -> Result<Object, ExecutionError> {
        let tenant = self.attempt.row.tenant_id;
        let resolved = held::renew(&self.executor.0.credentials, tenant, id, refused).await?;
        Ok(self.held.hold(resolved))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// A run that waits longer is put aside: it holds no worker, and its time is kept whatever becomes of the process.
    fn holds(&self, wait: Duration) -> bool {
        wait < LONG_WAIT
    }

    fn now_ms(&self) -> i64 {
        self.executor.0.clock.now().as_millis()
    }

    fn random(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            tracing::error!(%error, "the system gives no random bytes");
        }
    }

    async fn call_workflow(&self, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError> {
        calls::call(self, call).await
    }

    fn respond(&self, response: WebhookResponse) {
        if self.attempt.respond(response) {
            let (executor, attempt) = (self.executor.clone(), Arc::clone(&self.attempt));
            self.executor.0.runtime.spawn(async move { storing::release_response(&executor, &attempt).await });
        }
    }

    fn streams(&self) -> bool {
        self.attempt.has_reader()
    }

    async fn send_part(&self, part: Bytes) -> Result<(), ExecutionError> {
        self.before_effect().await?;
        parts::send(&self.executor, &self.attempt, part).await;
        Ok(())
    }

    fn store_binary(
        &self,
        bytes: Bytes,
        file_name: Option<&str>,
        mime_type: Option<&str>,
    ) -> Result<BinaryData, ExecutionError> {
        let limit = self.executor.0.config.max_binary_bytes;
        if bytes.len() > limit {
            let size = human_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            let allowed = human_size(u64::try_from(limit).unwrap_or(u64::MAX));
            let message = format!("The binary data is too large: {size}, at most {allowed} are allowed");
            return Err(ExecutionError::operation(message));
        }
        let (binaries, row) = (&self.attempt.binaries, &self.attempt.row);
        let allowed = self.executor.0.config.max_binaries_bytes;
        binaries.count(bytes.len(), allowed).map_err(|all| binaries::too_large(all, allowed))?;
        let known = describe_binary(&bytes, file_name, mime_type);
        if let Some(staged) = binaries.stage(row.tenant_id, row.id, bytes.clone(), known.clone()) {
            // It leaves the process, so what the node did is to be recorded.
            self.attempt.note_effect();
            return Ok(staged);
        }
        Ok(BinaryData { data: BASE64_STANDARD.encode(&bytes).into(), ..known })
    }

    fn load_binary(&self, binary: &BinaryData) -> Result<Bytes, ExecutionError> {
        if let Some(handle) = &binary.id {
            let loaded = self.attempt.binaries.load(self.attempt.row.tenant_id, handle);
            return loaded.map_err(|error| binaries::failed("read", &error.into()));
        }
        let bytes = BASE64_STANDARD.decode(binary.data.as_bytes());
        bytes.map(Bytes::from).map_err(|_| ExecutionError::operation("The binary data is not valid base64"))
    }

    async fn read_file(&self, path: &str) -> Result<Bytes, ExecutionError> {
        Err(not_allowed("reading files", path))
    }

    async fn write_file(&self, path: &str, _: Bytes, _: bool) -> Result<(), ExecutionError> {
        Err(not_allowed("writing files", path))
    }

    async fn find_files(&self, pattern: &str) -> Result<Vec<FileEntry>, ExecutionError> {
        Err(not_allowed("reading files", pattern))
    }

    async fn run_command(&self, command: &str) -> Result<(i32, String, String), ExecutionError> {
        Err(not_allowed("running commands", command))
    }

    async fn recall(&self, key: &str) -> Result<Option<Value>, ExecutionError> {
        let (parts, row) = (&self.executor.0, &self.attempt.row);
        let key = TenantHost::memory_key(key);
        let kept = rows::recall(&parts.database.read(row.tenant_id), row.tenant_id, row.workflow_id, &key).await;
        let kept = kept.map_err(|error| unreachable_memory(&error))?;
        Ok(kept.and_then(|text| Value::from_json(&text).ok()))
    }

    async fn remember(&self, key: &str, value: Value) -> Result<(), ExecutionError> {
        self.before_effect().await?;
        let (parts, row) = (&self.executor.0, &self.attempt.row);
        let (key, now) = (TenantHost::memory_key(key), parts.clock.now());
        let connection = parts.database.write(row.tenant_id);
        let kept = rows::remember(&connection, row.tenant_id, row.workflow_id, &key, value.to_json(), now).await;
        kept.map_err(|error| unreachable_memory(&error))
    }

    async fn service(&self, name: &str, arguments: Value) -> Result<Value, ExecutionError> {
        self.before_effect().await?;
        let parts = &self.executor.0;
        if let Some(name) = name.strip_prefix("dataTable.") {
            let called = parts.data_tables.call(self.attempt.row.tenant_id, name, &arguments).await;
            return called.map_err(|error| outbound::refused(&error));
        }
        let profile = parts.programs.tenants().profile(self.attempt.row.tenant_id).await;
        let profile = profile.map_err(|error| ExecutionError::operation(error.to_string()))?;
        let reach = Reach { policy: Arc::clone(&profile.egress), hosts: self.held.hosts() };
        outbound::service(&parts.services, &reach, name, &arguments).await
    }
}

/// On a server shared by tenants, its files and programs are nobody's.
fn not_allowed(what: &str, subject: &str) -> ExecutionError {
    ExecutionError::operation(format!("This server does not allow workflows {what}: \"{subject}\""))
}

fn unreachable_memory(error: &crate::infrastructure::database::Error) -> ExecutionError {
    tracing::error!(%error, "the memory of a workflow cannot be reached");
    ExecutionError::operation("What the workflow remembers cannot be reached at the moment")
}
