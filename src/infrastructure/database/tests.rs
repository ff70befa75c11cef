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

#[tokio::test]
async fn statements_together_count_together_or_not_at_all() {
    let (database, _directory) = open().await;
    let writer = database.write(AcrossTenants);
    writer.execute_unprepared("CREATE TABLE t (x INTEGER UNIQUE)").await.unwrap();
    let insert = |values: [i32; 2]| {
        let sql = "INSERT INTO t VALUES (?); INSERT INTO t VALUES (?)";
        Statement::from_sql_and_values(Backend::Sqlite, sql, values.map(Into::into))
    };
    let sum = async || {
        let sum = Statement::from_string(Backend::Sqlite, "SELECT COALESCE(SUM(x), 0) AS sum FROM t");
        let row = database.read(AcrossTenants).query_one_raw(sum).await.unwrap().unwrap();
        row.try_get::<i64>("", "sum").unwrap()
    };
    database.execute_together(vec![insert([1, 2]), insert([4, 8])]).await.unwrap();
    assert_eq!(sum().await, 15);
    let refused = database.execute_together(vec![insert([16, 32]), insert([64, 1])]).await.unwrap_err();
    assert!(super::is_refused_row(&refused), "{refused}");
    assert_eq!(sum().await, 15);
    // Neither what failed nor what was given up half-way leaves a transaction behind.
    let given_up = database.execute_together((0..500).map(|n| insert([1000 + n, 2000 + n])).collect());
    drop(tokio::time::timeout(std::time::Duration::from_micros(1), given_up).await);
    database.begin(AcrossTenants).await.unwrap().commit().await.unwrap();
    database.execute_together(vec![insert([16, 32])]).await.unwrap();
    assert!(matches!(sum().await, 63 | 1_749_563), "{}", sum().await);
}
