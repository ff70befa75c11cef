//! The defaults hold together, and each mistake is named by its key.

use figment::Figment;
use figment::providers::{Format, Toml};

use super::{Config, DEFAULTS};

fn with(toml: &str) -> Result<Config, super::Error> {
    Config::from_layers(Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(toml)))
}

#[test]
fn defaults_are_valid() {
    let config = Config::defaults().unwrap();
    assert_eq!(config.public_url(), "http://localhost:8080");
    assert_eq!(config.database_url(), "sqlite://./data/millrace.db");
}

#[test]
fn mistakes_are_named_by_key() {
    for (toml, expected) in [
        ("[server]\nport = 99999", "server.port"),
        ("[server]\nports = 1", "ports"),
        ("[server]\nroles = []", "server.roles"),
        ("[server]\nroles = [\"cook\"]", "cook"),
        ("[server]\npublic_url = \"ftp://x\"", "server.public_url"),
        ("[server]\ncors_origins = [\"https://app.example/\"]", "server.cors_origins"),
        ("[server]\ntls = { certificate = \"a.pem\", key = \"\" }", "server.tls.certificate"),
        ("[database]\nurl = \"mysql://x\"", "database.url"),
        ("[cache]\nurl = \"localhost:6379\"", "cache.url"),
        ("[queue]\nurl = \"http://x\"", "queue.url"),
        ("[queue]\nurl = \"amqp://x\"", "RabbitMQ needs PostgreSQL"),
        ("[auth]\naccess_token_seconds = 1", "auth.access_token_seconds"),
        ("[auth]\nargon2_memory_kib = 1", "auth.argon2_"),
        ("[mail]\nurl = \"mail.example:25\"", "mail.url"),
        ("[mail]\nurl = \"smtp://user:secret@mail.example\"", "a password needs"),
        ("[encryption]\nsource = \"env\"", "encryption.keys"),
        ("[encryption]\nsource = \"vault\"", "encryption.vault.url"),
        ("[encryption]\nsource = \"paper\"", "paper"),
        ("[http_client]\nallow_private_networks = [\"10.0.0.0/99\"]", "http_client.allow_private_networks"),
        ("[scheduling]\nbatch = 0", "scheduling.batch"),
        ("[scheduling]\npoll_ms = 1", "scheduling.poll_ms"),
        ("[queue]\npools = [\"Big Ones\"]", "queue.pools"),
        ("[executions]\npool = \"gpu\"", "executions.pool"),
        ("[storage]\nbackend = \"tape\"", "tape"),
        ("[storage]\nbackend = \"s3\"", "storage.s3.bucket"),
        ("[storage]\nbackend = \"s3\"\ns3 = { bucket = \"b\" }", "storage.s3.access_key_id"),
        ("[storage.s3]\nendpoint = \"minio:9000\"", "storage.s3.endpoint"),
        ("[executions]\ntimezone = \"Mars/Base\"", "executions.timezone"),
        ("[log]\nfilter = \"=====\"", "log.filter"),
        ("[nonsense]\nx = 1", "nonsense"),
    ] {
        let message = with(toml).unwrap_err().to_string();
        assert!(message.contains(expected), "{toml:?} gave {message}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let message = with("[server]\nroles = []\n[queue]\nprefetch = 0").unwrap_err().to_string();
    assert!(message.contains("server.roles") && message.contains("queue.prefetch"), "{message}");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let config = with("[database]\nurl = \"postgres://user:hunter2@db/millrace\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
