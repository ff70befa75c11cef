//! Opens the pools. Knows each backend's settings; nothing else does.

use std::fs::File;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{DbErr, RuntimeErr, SqlxSqliteConnector};
use sqlx::Connection as _;

use super::checkpoint::Log;
use super::session::PgConnections;
use super::{Database, Pools};
use crate::infrastructure::config::{self, Config};

/// A writer waits this long for another process (`millrace migrate`, a backup) to release the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements kept per connection.
const STATEMENT_CACHE: usize = 256;
/// Pages a connection keeps, in KiB (negative, as SQLite wants it). What is not there comes from the system's cache of the
/// file, which all connections share.
const WRITER_CACHE: &str = "-16384";
const READER_CACHE: &str = "-1024";
/// Pages (of 4 KiB) of the log after which the writer itself moves them into the file, and waits for the disk. By then most
/// of them have been moved beside it.
const CHECKPOINT_PAGES: &str = "16000";

impl Database {
    /// Connects as configured; creates the SQLite file and its directory where they are missing.
    pub async fn open(config: &Config) -> Result<Database, DbErr> {
        let url = config.database_url();
        match url.strip_prefix("sqlite://") {
            Some(path) => open_sqlite(path, &config.database).await,
            None => open_postgres(&url, &config.database).await,
        }
    }
}

async fn open_sqlite(path: &str, config: &config::Database) -> Result<Database, DbErr> {
    if let Some(directory) = std::path::Path::new(path).parent().filter(|path| !path.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory)
            .map_err(|error| DbErr::Custom(format!("cannot create {}: {error}", directory.display())))?;
    }
    let synchronous = match config.sqlite_synchronous {
        config::SqliteSynchronous::Normal => SqliteSynchronous::Normal,
        config::SqliteSynchronous::Full => SqliteSynchronous::Full,
    };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENT_CACHE)
        .pragma("temp_store", "memory")
        .pragma("cache_size", WRITER_CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", "67108864");
    let acquire = Duration::from_secs(config.acquire_timeout_seconds);
    // SQLite has one writer. Queueing for it here is fair and cheap; queueing inside SQLite is neither. When the disk is full
    // SQLite takes the transaction back by itself, which the driver does not notice: such a connection is opened anew, else
    // what it stores from then on would never be committed.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(acquire)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(ready(Ok(!connection.is_in_transaction()))))
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await
        .map_err(connection_error)?;
    let log = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.clone().pragma("cache_size", READER_CACHE));
    let reader = SqlitePoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(acquire)
        .test_before_acquire(false)
        .max_lifetime(None)
        .connect_with(options.pragma("cache_size", READER_CACHE).pragma("query_only", "1"))
        .await
        .map_err(connection_error)?;
    Ok(Database(Pools::Sqlite {
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        log: Log::of(path, log),
        alone: lock(path),
    }))
}

/// A lock beside the file, which the system gives up with the process that holds it. `None`: another process has it.
fn lock(path: &str) -> Option<Arc<File>> {
    let file = File::options().create(true).append(true).open(format!("{path}.lock")).ok()?;
    file.try_lock().ok().map(|()| Arc::new(file))
}

async fn open_postgres(url: &str, config: &config::Database) -> Result<Database, DbErr> {
    let options: PgConnectOptions = url.parse().map_err(connection_error)?;
    let pool = PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(Duration::from_secs(config.acquire_timeout_seconds))
        .connect_with(options.application_name("millrace").statement_cache_capacity(STATEMENT_CACHE))
        .await
        .map_err(connection_error)?;
    let exempt: bool = sqlx::query_scalar("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        .fetch_one(&pool)
        .await
        .map_err(connection_error)?;
    if exempt {
        tracing::warn!("row-level security does not apply to the database role: use one that is no superuser");
    }
    Ok(Database(Pools::Postgres(PgConnections::new(pool))))
}

fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}
