//! Moves SQLite's log into the database file beside the writer: that waits for the disk, and the writer need not.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sea_orm::SqlxSqliteConnector;
use sea_orm::sqlx::SqlitePool;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio_util::sync::CancellationToken;

use super::{Database, Pools};

/// Often enough that what is left for the writer, which moves the log when it is long, is little.
const EVERY: Duration = Duration::from_millis(100);

/// The log of one database, and a connection of its own to it.
#[derive(Clone, Debug)]
pub(super) struct Log {
    connection: DatabaseConnection,
    path: Arc<PathBuf>,
}

impl Log {
    pub(super) fn of(path: &str, pool: SqlitePool) -> Log {
        let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        Log { connection, path: Arc::new(format!("{path}-wal").into()) }
    }

    fn changed_at(&self) -> Option<SystemTime> {
        std::fs::metadata(self.path.as_ref()).ok()?.modified().ok()
    }
}

impl Database {
    /// Moves what is new in the log, again and again until the shutdown. PostgreSQL does so by itself.
    pub async fn move_log(self, shutdown: CancellationToken) {
        let Pools::Sqlite { log, .. } = &self.0 else { return };
        let mut moved = None;
        while shutdown.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            let changed = log.changed_at();
            if changed == moved {
                continue;
            }
            match log.connection.execute_unprepared("PRAGMA wal_checkpoint(PASSIVE)").await {
                Ok(_) => moved = changed,
                // The writer does it later.
                Err(error) => tracing::debug!(%error, "the log could not be moved into the database file"),
            }
        }
    }
}
