//! The sections of the configuration as types. What each setting means is told in `config/default.toml`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::common::{DEFAULT_POOL, Secret};
use crate::infrastructure::http_client::{FixedName, Network};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub host: IpAddr,
    pub port: u16,
    pub public_url: String,
    pub roles: Vec<Role>,
    pub threads: usize,
    pub body_limit_bytes: usize,
    pub webhook_body_limit_bytes: usize,
    pub client_timeout_seconds: u64,
    pub body_timeout_seconds: u64,
    pub keep_alive_seconds: u64,
    pub shutdown_timeout_seconds: u64,
    pub trusted_proxies: Vec<Network>,
    pub cors_origins: Vec<String>,
    pub tls: Tls,
}

impl Server {
    /// Whether callers reach the server by HTTPS, from itself or from a proxy in front.
    pub fn is_known_by_https(&self) -> bool {
        self.tls.is_configured() || self.public_url.starts_with("https://")
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Tls {
    pub fn is_configured(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers HTTP.
    Api,
    /// Runs executions.
    Worker,
    /// Fires schedules.
    Scheduler,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub directory: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Secret<String>,
    pub max_connections: u32,
    pub acquire_timeout_seconds: u64,
    pub sqlite_synchronous: SqliteSynchronous,
    pub migrate_on_start: bool,
}

/// How far SQLite goes before it calls a commit done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SqliteSynchronous {
    Normal,
    Full,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    pub url: Secret<String>,
    pub memory_entries: u64,
    pub max_connections: usize,
    pub prefix: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    pub backend: QueueBackend,
    pub url: Secret<String>,
    pub name: String,
    pub prefetch: u16,
    pub weights: HashMap<String, u32>,
    pub pools: Vec<String>,
}

impl Queue {
    /// The default pool of workers and those named.
    pub fn all_pools(&self) -> Vec<String> {
        let named = self.pools.iter().filter(|pool| *pool != DEFAULT_POOL).cloned();
        std::iter::once(DEFAULT_POOL.to_owned()).chain(named).collect()
    }

    /// Whether RabbitMQ tells the workers.
    pub fn is_rabbitmq(&self) -> bool {
        match self.backend {
            QueueBackend::RabbitMq => true,
            QueueBackend::Auto => !self.url.expose().is_empty(),
            QueueBackend::Embedded | QueueBackend::Postgres => false,
        }
    }
}

/// Where executions wait for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueBackend {
    /// PostgreSQL where it is the database, with RabbitMQ where `queue.url` names one; else within the process.
    Auto,
    Embedded,
    /// A table; PostgreSQL notifies the workers.
    Postgres,
    /// The same table; RabbitMQ tells the workers.
    RabbitMq,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub issuer: String,
    pub audience: String,
    pub access_token_seconds: u64,
    pub refresh_token_seconds: u64,
    pub refresh_grace_seconds: u64,
    pub signing_key_days: u64,
    pub cache_seconds: u64,
    pub registration: bool,
    pub password_min_length: usize,
    pub email_verification: bool,
    pub reset_token_seconds: u64,
    pub verification_token_seconds: u64,
    pub max_failures_per_account: u64,
    pub max_failures_per_address: u64,
    pub first_lockout_seconds: u64,
    pub max_lockout_seconds: u64,
    pub argon2_memory_kib: u32,
    pub argon2_passes: u32,
    pub argon2_lanes: u32,
}

impl Auth {
    pub fn access_token_life(&self) -> Duration {
        Duration::from_secs(self.access_token_seconds)
    }

    pub fn refresh_token_life(&self) -> Duration {
        Duration::from_secs(self.refresh_token_seconds)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub url: Secret<String>,
    pub from: String,
    pub timeout_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    pub source: KeySource,
    pub keys: Secret<String>,
    pub vault: VaultTransit,
}

/// Where the keys come from that wrap data keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    File,
    Env,
    Vault,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultTransit {
    pub url: String,
    pub token: Secret<String>,
    pub namespace: String,
    pub mount: String,
    pub key: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub api_requests_per_minute: u64,
    pub user_requests_per_minute: u64,
    pub api_key_requests_per_minute: u64,
    pub address_requests_per_minute: u64,
    pub anonymous_requests_per_minute: u64,
    pub idempotency_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenants {
    pub deletion_grace_days: u64,
    pub own_hosts: bool,
    pub plan: Plan,
}

/// What a tenant may use that was given no plan of its own. 0: no limit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub name: String,
    pub workflows: u64,
    pub active_workflows: u64,
    pub executions_per_month: u64,
    pub concurrent_executions: u64,
    pub storage_bytes: u64,
    pub ai_cost_micros_per_month: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpClient {
    pub connect_timeout_seconds: u64,
    pub timeout_seconds: u64,
    pub max_redirects: usize,
    pub max_response_bytes: u64,
    pub allow_private_networks: Vec<Network>,
    pub resolve: Vec<FixedName>,
    pub ca_certificates: PathBuf,
    pub user_agent: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Executions {
    pub pool: String,
    pub concurrency: usize,
    pub timeout_seconds: u64,
    pub answer_timeout_seconds: u64,
    pub max_items: usize,
    pub max_bytes: usize,
    pub max_binary_bytes: usize,
    pub max_binaries_bytes: u64,
    pub script_seconds: u64,
    pub script_memory_bytes: usize,
    pub save_success: bool,
    pub save_error: bool,
    pub save_manual: bool,
    pub timezone: String,
    pub lease_seconds: u64,
    pub max_crashes: i32,
    pub tenant_concurrency: u64,
    pub retention_days: u32,
    pub retention_count: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    pub backend: StorageBackend,
    pub inline_bytes: usize,
    pub directory: PathBuf,
    pub s3: S3,
}

/// Where large binaries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageBackend {
    /// In a directory where the database is SQLite, else in the database.
    Auto,
    /// In the records of their executions.
    Database,
    FileSystem,
    S3,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    pub bucket: String,
    pub region: String,
    pub endpoint: String,
    pub path_style: bool,
    pub access_key_id: Secret<String>,
    pub secret_access_key: Secret<String>,
    pub prefix: String,
    pub timeout_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduling {
    pub poll_ms: u64,
    pub batch: u64,
    pub misfire_after_seconds: u64,
    pub database_clock: bool,
    pub history_days: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chaos {
    pub clock_skew_ms: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub max_concurrent: usize,
    pub body_timeout_seconds: u64,
    pub requests_per_minute: u32,
    pub requests_per_minute_per_address: u32,
    pub queue_backoff_seconds: Vec<u64>,
    pub queue_concurrency: u64,
    pub queue_keep_seconds: u64,
    pub queue_refuses_replays: bool,
    pub log_keep_seconds: u64,
    pub reader_timeout_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expressions {
    pub env_allow: Vec<String>,
    pub env: Vec<Secret<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    pub env_allow: Vec<String>,
    pub vault: VaultSecrets,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultSecrets {
    pub url: String,
    pub token: Secret<String>,
    pub namespace: String,
    pub mount: String,
    pub path: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Readable on a terminal, JSON otherwise.
    Auto,
    Pretty,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub enabled: bool,
}
