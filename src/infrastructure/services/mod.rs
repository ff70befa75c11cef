//! Databases and mail servers that workflows reach by their own protocols. Addresses are checked as those of HTTP requests
//! are; connections are kept by credential, so tenants that do not share a credential never share a connection.

mod address;
mod imap;
mod mailbox;
mod postgres;
mod redis;
mod redis_listening;
mod smtp;
#[cfg(test)]
mod tests;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use millrace_model::{Object, Value, to_index};
use moka::sync::Cache;
use rustls::ClientConfig;
use sha2::{Digest, Sha256};

use super::http_client::{AllowedHosts, EgressPolicy, HttpClient};

pub use mailbox::{Mailbox, Message};
pub use redis_listening::{RedisQueue, Said, hear};

/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections unused for longer are closed.
const IDLE: Duration = Duration::from_secs(300);
/// Credentials whose connections are kept.
const MAX_KEPT: u64 = 256;

/// The services of a process. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    postgres: Cache<[u8; 32], sqlx::PgPool>,
    redis: Cache<[u8; 32], deadpool_redis::redis::aio::MultiplexedConnection>,
    tls: Arc<ClientConfig>,
}

/// Which servers may be reached.
#[derive(Clone, Debug)]
pub struct Reach {
    pub policy: Arc<EgressPolicy>,
    /// For each credential that is used, the only hosts it is for.
    pub hosts: Vec<AllowedHosts>,
}

impl From<Arc<EgressPolicy>> for Reach {
    fn from(policy: Arc<EgressPolicy>) -> Reach {
        Reach { policy, hosts: Vec::new() }
    }
}

/// Why a service did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub message: String,
    /// What stands behind it, or what to do.
    pub description: Option<String>,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), description: None }
    }

    fn describe(self, description: impl Into<String>) -> Failure {
        Failure { description: Some(description.into()), ..self }
    }
}

impl Services {
    /// `client`: whose certificates are trusted here too.
    pub fn new(client: &HttpClient) -> Services {
        Services {
            postgres: Cache::builder().max_capacity(MAX_KEPT).time_to_idle(IDLE).build(),
            redis: Cache::builder().max_capacity(MAX_KEPT).time_to_idle(IDLE).build(),
            tls: Arc::new(client.plain_tls()),
        }
    }

    /// Calls a service by name; `arguments.connection` is the credential.
    pub async fn call(&self, reach: &Reach, name: &str, arguments: &Value) -> Result<Value, Failure> {
        let empty = Object::new();
        let connection = arguments.get("connection").and_then(Value::as_object).unwrap_or(&empty);
        match name {
            "postgres.query" => self.query_postgres(reach, connection, arguments).await,
            "redis.command" => self.command_redis(reach, connection, arguments).await,
            "imap.verify" => imap::verify(reach, connection, &self.tls).await,
            "smtp.send" => smtp::send(reach, connection, arguments).await,
            "smtp.verify" => smtp::verify(reach, connection).await,
            _ => Err(Failure::new(format!("This server does not offer the service \"{name}\""))),
        }
    }
}

/// Under which connections of a credential are kept: what let them through is part of it.
fn key(reach: &Reach, connection: &Object) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(format!("{reach:?}"));
    digest.update(Value::from(connection.clone()).to_json());
    digest.finalize().into()
}

fn text<'c>(connection: &'c Object, name: &str, default: &'c str) -> &'c str {
    connection.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).unwrap_or(default)
}

fn flag(connection: &Object, name: &str) -> bool {
    connection.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// The port; a number or its text.
fn port(connection: &Object, default: u16) -> Result<u16, Failure> {
    let port = match connection.get("port") {
        None | Some(Value::Null | Value::Undefined) => return Ok(default),
        Some(Value::Number(number)) => to_index(*number).and_then(|port| u16::try_from(port).ok()),
        Some(other) => other.to_js_string().trim().parse().ok(),
    };
    port.filter(|port| *port > 0).ok_or_else(|| Failure::new("The credential's port is no port number"))
}
