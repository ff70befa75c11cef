//! What the types cannot say about the configuration. Finds every mistake, not only the first.

use url::Url;

use super::{Config, KeySource, QueueBackend, StorageBackend};
use crate::common::{TenantId, is_pool_name};

/// One line per mistake; none means the configuration can be used.
pub(super) fn problems(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    let mut require = |holds: bool, message: &str| {
        if !holds {
            found.push(message.to_owned());
        }
    };
    require(!config.server.roles.is_empty(), "server.roles: name at least one of api, worker, scheduler");
    require(
        (1024..=1 << 30).contains(&config.server.body_limit_bytes),
        "server.body_limit_bytes: must be between 1024 and 1073741824",
    );
    require(
        (1..=3600).contains(&config.webhooks.reader_timeout_seconds),
        "webhooks.reader_timeout_seconds: must be between 1 and 3600",
    );
    require(
        (1024..=1 << 30).contains(&config.server.webhook_body_limit_bytes),
        "server.webhook_body_limit_bytes: must be between 1024 and 1073741824",
    );
    require(is_http_or_empty(&config.server.public_url), "server.public_url: must be an http or https URL, or empty");
    require(
        config.server.tls.certificate.as_os_str().is_empty() == config.server.tls.key.as_os_str().is_empty(),
        "server.tls.certificate, server.tls.key: name both or neither",
    );
    require(
        config.server.cors_origins.iter().all(|origin| is_origin(origin)),
        "server.cors_origins: must be origins such as https://app.example, without a path, or *",
    );
    require(config.server.body_timeout_seconds > 0, "server.body_timeout_seconds: must be at least 1");
    require((1..=1000).contains(&config.database.max_connections), "database.max_connections: must be 1–1000");
    require(
        has_scheme(config.database.url.expose(), &["", "sqlite", "postgres", "postgresql"]),
        "database.url: must be empty, sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE",
    );
    require(
        has_scheme(config.cache.url.expose(), &["", "redis", "rediss"]),
        "cache.url: must be empty, redis://HOST:PORT or rediss://HOST:PORT",
    );
    require(
        has_scheme(config.queue.url.expose(), &["", "amqp", "amqps"]),
        "queue.url: must be empty, amqp://HOST:PORT/VHOST or amqps://HOST:PORT/VHOST",
    );
    require(
        config.queue.backend != QueueBackend::RabbitMq || !config.queue.url.expose().is_empty(),
        "queue.url: must name a server where queue.backend is rabbitmq",
    );
    require(
        !config.queue.is_rabbitmq() || config.database.url.expose().starts_with("postgres"),
        "queue.url: RabbitMQ needs PostgreSQL as the database",
    );
    require(
        config.queue.backend != QueueBackend::Postgres || config.database.url.expose().starts_with("postgres"),
        "queue.backend: postgres needs PostgreSQL as the database",
    );
    require(
        config
            .queue
            .weights
            .iter()
            .all(|(tenant, weight)| tenant.parse::<TenantId>().is_ok() && (1..=1000).contains(weight)),
        "queue.weights: must be ids of tenants, each with a number from 1 to 1000",
    );
    require(
        config.queue.pools.iter().all(|pool| is_pool_name(pool)),
        "queue.pools: must be names of 1–40 of a–z, 0–9 and hyphen, not beginning or ending with a hyphen",
    );
    require(
        config.queue.all_pools().contains(&config.executions.pool),
        "executions.pool: must be \"default\" or one of queue.pools",
    );
    require(config.queue.prefetch > 0, "queue.prefetch: must be at least 1");
    require(!config.queue.name.is_empty(), "queue.name: must not be empty");
    require(
        (60..=86_400).contains(&config.auth.access_token_seconds),
        "auth.access_token_seconds: must be between 60 and 86400",
    );
    require(
        config.auth.refresh_token_seconds > config.auth.access_token_seconds,
        "auth.refresh_token_seconds: must be longer than auth.access_token_seconds",
    );
    require(config.auth.refresh_grace_seconds <= 60, "auth.refresh_grace_seconds: must be at most 60");
    require((1..=365).contains(&config.auth.signing_key_days), "auth.signing_key_days: must be 1–365");
    require(
        config.auth.reset_token_seconds >= 60 && config.auth.verification_token_seconds >= 60,
        "auth.reset_token_seconds, auth.verification_token_seconds: must be at least 60",
    );
    require(
        has_scheme(config.mail.url.expose(), &["", "smtp", "smtps"]),
        "mail.url: must be empty, smtps://USER:PASSWORD@HOST or smtp://HOST",
    );
    require(
        !sends_password_in_the_clear(config.mail.url.expose()),
        "mail.url: a password needs smtps://… or smtp://…?tls=required",
    );
    require(config.mail.timeout_seconds > 0, "mail.timeout_seconds: must be at least 1");
    require((8..=128).contains(&config.auth.password_min_length), "auth.password_min_length: must be 8–128");
    require(
        config.auth.max_failures_per_account > 0 && config.auth.max_failures_per_address > 0,
        "auth.max_failures_per_account, auth.max_failures_per_address: must be at least 1",
    );
    require(
        config.auth.max_lockout_seconds >= config.auth.first_lockout_seconds,
        "auth.max_lockout_seconds: must not be shorter than auth.first_lockout_seconds",
    );
    require(
        argon2::Params::new(config.auth.argon2_memory_kib, config.auth.argon2_passes, config.auth.argon2_lanes, None)
            .is_ok(),
        "auth.argon2_*: memory must be at least 8 KiB per lane, passes and lanes at least 1 (RFC 9106)",
    );
    require((10..=10_000).contains(&config.scheduling.poll_ms), "scheduling.poll_ms: must be between 10 and 10000");
    require((1..=1000).contains(&config.scheduling.batch), "scheduling.batch: must be between 1 and 1000");
    require(
        jiff::tz::TimeZone::get(&config.executions.timezone).is_ok(),
        "executions.timezone: must be an IANA name such as Europe/Vienna",
    );
    let s3 = &config.storage.s3;
    let in_bucket = config.storage.backend == StorageBackend::S3;
    require(!in_bucket || !s3.bucket.is_empty(), "storage.s3.bucket: must name a bucket where storage.backend is s3");
    require(
        !in_bucket || !s3.access_key_id.expose().is_empty() && !s3.secret_access_key.expose().is_empty(),
        "storage.s3.access_key_id, storage.s3.secret_access_key: must be given where storage.backend is s3",
    );
    require(is_http_or_empty(&s3.endpoint), "storage.s3.endpoint: must be an http or https URL, or empty");
    require(s3.timeout_seconds > 0, "storage.s3.timeout_seconds: must be at least 1");
    require(
        (1..=1_000_000).contains(&config.webhooks.max_concurrent),
        "webhooks.max_concurrent: must be between 1 and 1000000",
    );
    require(
        (1..=1000).contains(&config.webhooks.queue_concurrency),
        "webhooks.queue_concurrency: must be between 1 and 1000",
    );
    require(config.webhooks.body_timeout_seconds > 0, "webhooks.body_timeout_seconds: must be at least 1");
    let encryption = &config.encryption;
    require(
        encryption.source != KeySource::Env || !encryption.keys.expose().trim().is_empty(),
        "encryption.keys: with encryption.source = \"env\", name at least one key of 32 bytes in base64",
    );
    require(
        encryption.source != KeySource::Vault
            || !encryption.vault.url.is_empty() && is_http_or_empty(&encryption.vault.url),
        "encryption.vault.url: with encryption.source = \"vault\", must be an http or https URL",
    );
    let secrets = &config.secrets.vault;
    require(is_http_or_empty(&secrets.url), "secrets.vault.url: must be an http or https URL, or empty");
    require(
        secrets.url.is_empty() || secrets.path.contains("{tenant}"),
        "secrets.vault.path: must hold {tenant}, so that no tenant reads another's secrets",
    );
    require(
        config.log.filter.parse::<tracing_subscriber::filter::Targets>().is_ok(),
        "log.filter: must be a filter such as \"info\" or \"millrace=debug,info\"",
    );
    let is_variable = |text: &str| text.split_once('=').is_some_and(|(name, _)| !name.is_empty());
    require(
        config.expressions.env.iter().all(|variable| is_variable(variable.expose())),
        "expressions.env: each entry must be NAME=value",
    );
    found
}

fn is_http_or_empty(text: &str) -> bool {
    text.is_empty() || Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Scheme, host and port as a browser sends them, or the wildcard.
fn is_origin(text: &str) -> bool {
    text == "*" || Url::parse(text).is_ok_and(|url| url.has_host() && url.origin().ascii_serialization() == text)
}

fn sends_password_in_the_clear(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let encrypted =
            url.scheme() == "smtps" || url.query_pairs().any(|(name, value)| name == "tls" && value == "required");
        url.password().is_some() && !encrypted
    })
}

fn has_scheme(url: &str, allowed: &[&str]) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    (url.is_empty() || !scheme.is_empty()) && allowed.contains(&scheme)
}
