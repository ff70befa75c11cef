//! Configuration: defaults compiled in, an optional file, the environment; checked as a whole before anything starts.

mod check;
mod sections;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;

pub use sections::{
    Auth, Cache, Chaos, Data, Database, Encryption, Executions, Expressions, HttpClient, KeySource, Limits, Log,
    LogFormat, Mail, Metrics, Plan, Queue, QueueBackend, Role, S3, Scheduling, Secrets, Server, SqliteSynchronous,
    Storage, StorageBackend, Tenants, Tls, VaultSecrets, VaultTransit, Webhooks,
};

/// Every setting with its default and meaning; also what `millrace config` would show.
pub const DEFAULTS: &str = include_str!("../../../config/default.toml");

/// What handing executions on takes at most when the process stops.
const HANDING_ON: Duration = Duration::from_secs(3);

/// Read where no other file is named.
const LOCAL_FILE: &str = "millrace.toml";

/// The whole configuration. Field for field `config/default.toml`, where each setting is explained.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub data: Data,
    pub database: Database,
    pub cache: Cache,
    pub queue: Queue,
    pub auth: Auth,
    pub mail: Mail,
    pub encryption: Encryption,
    pub limits: Limits,
    pub tenants: Tenants,
    pub http_client: HttpClient,
    pub executions: Executions,
    pub storage: Storage,
    pub scheduling: Scheduling,
    pub chaos: Chaos,
    pub webhooks: Webhooks,
    pub expressions: Expressions,
    pub secrets: Secrets,
    pub log: Log,
    pub metrics: Metrics,
}

/// The configuration cannot be used; the text names each key and what it may be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the configuration file {0} does not exist")]
    MissingFile(PathBuf),
    #[error("the configuration cannot be used:\n{}", .0.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<String>),
}

impl Config {
    /// Reads defaults, then `file` (or `./millrace.toml` where it exists), then `MILLRACE__SECTION__KEY`.
    pub fn load(file: Option<&Path>) -> Result<Config, Error> {
        let mut layers = Figment::from(Toml::string(DEFAULTS));
        match file {
            Some(path) if !path.is_file() => return Err(Error::MissingFile(path.to_owned())),
            Some(path) => layers = layers.merge(Toml::file_exact(path)),
            None if Path::new(LOCAL_FILE).is_file() => layers = layers.merge(Toml::file_exact(LOCAL_FILE)),
            None => {}
        }
        Config::from_layers(layers.merge(Env::prefixed("MILLRACE__").split("__")))
    }

    /// The defaults alone.
    pub fn defaults() -> Result<Config, Error> {
        Config::from_layers(Figment::from(Toml::string(DEFAULTS)))
    }

    fn from_layers(layers: Figment) -> Result<Config, Error> {
        let config: Config = layers
            .extract()
            .map_err(|errors| Error::Invalid(errors.into_iter().map(|error| explain(&error)).collect()))?;
        let problems = check::problems(&config);
        if problems.is_empty() { Ok(config) } else { Err(Error::Invalid(problems)) }
    }

    /// Where callers reach this server, without a trailing slash.
    pub fn public_url(&self) -> String {
        let given = self.server.public_url.trim_end_matches('/');
        let scheme = if self.server.tls.is_configured() { "https" } else { "http" };
        if given.is_empty() { format!("{scheme}://localhost:{}", self.server.port) } else { given.to_owned() }
    }

    /// How long what runs may take to end when the process stops: a little less than the process waits.
    pub fn drain(&self) -> Duration {
        let allowed = Duration::from_secs(self.server.shutdown_timeout_seconds);
        allowed.saturating_sub(HANDING_ON).max(allowed / 2)
    }

    /// The database to use: the one configured, else SQLite in the data directory.
    pub fn database_url(&self) -> String {
        let given = self.database.url.expose();
        if given.is_empty() {
            format!("sqlite://{}", self.data.directory.join("millrace.db").display())
        } else {
            given.clone()
        }
    }
}

/// One line per mistake: the key as it is written in the file, and what is wrong with it.
fn explain(error: &figment::Error) -> String {
    let key = error.path.join(".");
    let source = error.metadata.as_ref().map(|metadata| format!(" (from {})", metadata.name)).unwrap_or_default();
    if key.is_empty() { format!("{}{source}", error.kind) } else { format!("{key}: {}{source}", error.kind) }
}
