//! SQLite opens as intended. The queries themselves are tested through the API, on both databases.

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::{AcrossTenants, Backend, Database};
use crate::infrastructure::config::Config;

async fn open() -> (Database, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::defaults().unwrap();
    config.data.directory = directory.path().join("not/yet/there");
    (Database::open(&config).await.unwrap(), directory)
}

#[derive(FromQueryResult)]
struct Mode {
    journal_mode: String,
}

#[tokio::test]
async fn sqlite_runs_in_wal_mode_and_readers_cannot_write() {
    let (database, _directory) = open().await;
    let mode = Mode::find_by_statement(Statement::from_string(Backend::Sqlite, "PRAGMA journal_mode"))
        .one(&database.read(AcrossTenants))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(mode.journal_mode, "wal");
    database.write(AcrossTenants).execute_unprepared("CREATE TABLE t (x INTEGER)").await.unwrap();
    assert!(database.read(AcrossTenants).execute_unprepared("INSERT INTO t VALUES (1)").await.is_err());
}

#[tokio::test]
async fn migrations_apply_once() {
    let (database, _directory) = open().await;
    assert!(!database.pending_migrations().await.unwrap().is_empty());
    database.migrate().await.unwrap();
    database.migrate().await.unwrap();
    assert_eq!(database.pending_migrations().await.unwrap(), Vec::<String>::new());
}
