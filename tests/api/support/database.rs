//! A database per test: copied from one that was migrated once, on the backend that the environment chooses.

use std::path::{Path, PathBuf};

use millrace::common::Secret;
use millrace::infrastructure::config::Config;
use millrace::infrastructure::database::{AcrossTenants, Database};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use tempfile::TempDir;

/// Keeps concurrent test processes from making the template twice.
const TEMPLATE_LOCK: &str = "727281002";

/// Goes away with the test.
pub(crate) struct TestDatabase {
    url: String,
    /// The PostgreSQL server and database to drop.
    dropped: Option<(String, String)>,
}

impl TestDatabase {
    /// `directory` is the test's own.
    pub(crate) async fn create(directory: &TempDir) -> TestDatabase {
        match std::env::var("MILLRACE_TEST_POSTGRES_URL") {
            Ok(server) => postgres(server).await,
            Err(_) => sqlite(directory.path()).await,
        }
    }

    pub(crate) fn url(&self) -> Secret<String> {
        Secret::new(self.url.clone())
    }
}

async fn sqlite(directory: &Path) -> TestDatabase {
    let template = sqlite_template().await;
    let file = directory.join("millrace.db");
    std::fs::copy(template, &file).unwrap();
    TestDatabase { url: format!("sqlite://{}", file.display()), dropped: None }
}

/// The migrated file of this build; whoever comes first makes it, atomically.
async fn sqlite_template() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let template = folder.join(format!("template-{}.db", schema_version()));
    if !template.exists() {
        let work = TempDir::new_in(folder).unwrap();
        let file = work.path().join("new.db");
        let database = open(format!("sqlite://{}", file.display())).await;
        database.migrate().await.unwrap();
        // Everything into the one file that is copied.
        database.write(AcrossTenants).execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        database.close().await.unwrap();
        std::fs::rename(file, &template).unwrap();
    }
    template
}

async fn postgres(server: String) -> TestDatabase {
    let template = format!("millrace_template_{}", schema_version());
    let name = format!("millrace_test_{}", uuid::Uuid::now_v7().simple());
    let connection = sea_orm::Database::connect(&server).await.unwrap();
    let lock = connection.begin().await.unwrap();
    lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({TEMPLATE_LOCK})")).await.unwrap();
    let exists = format!("SELECT 1 FROM pg_database WHERE datname = '{template}'");
    let statement = Statement::from_string(DbBackend::Postgres, exists);
    if connection.query_one_raw(statement).await.unwrap().is_none() {
        let unfinished = format!("{template}_new");
        connection.execute_unprepared(&format!("DROP DATABASE IF EXISTS {unfinished}")).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {unfinished}")).await.unwrap();
        let database = open(with_name(&server, &unfinished)).await;
        database.migrate().await.unwrap();
        database.close().await.unwrap();
        connection.execute_unprepared(&format!("ALTER DATABASE {unfinished} RENAME TO {template}")).await.unwrap();
    }
    // Copies need the template to themselves, too.
    connection.execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
    lock.commit().await.unwrap();
    connection.close().await.unwrap();
    TestDatabase { url: with_name(&server, &name), dropped: Some((server, name)) }
}

/// The same server, another database.
fn with_name(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(name);
    url.into()
}

async fn open(url: String) -> Database {
    let mut config = Config::defaults().unwrap();
    config.database.url = Secret::new(url);
    config.database.max_connections = 2;
    Database::open(&config).await.unwrap()
}

/// Changes when a migration is added or changed: the migrations' own text, hashed.
fn schema_version() -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/src");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(file).unwrap().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.dropped.take() else { return };
        // `drop` cannot wait for the test's runtime, so it has one of its own.
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let admin = sea_orm::Database::connect(server).await.unwrap();
                // The server's own vacuum may be in it, which only a superuser may send away; it is soon over.
                let drop = format!("DROP DATABASE {name} WITH (FORCE)");
                while let Err(error) = admin.execute_unprepared(&drop).await {
                    assert!(error.to_string().contains("pg_signal_backend"), "{error}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
                admin.close().await.unwrap();
            });
        });
        dropping.join().unwrap();
    }
}
