//! The machine's limits, measured without the product: `floor http PORT` is the same web server that parses and answers the
//! same body with no engine and no storage; `floor insert FILE SECONDS` commits rows like those of an execution, in
//! batches, to SQLite, and prints rows per second.

use std::io::Write;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failed = Box<dyn std::error::Error>;

/// Rows of one transaction, as many as the server's writer takes under load.
const BATCH: usize = 64;
/// Bytes of the compressed record of a short run.
const PAYLOAD: usize = 900;

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["http", port] => runtime.block_on(serve(port.parse()?)),
        ["insert", file, seconds] => {
            let per_second = runtime.block_on(insert(file, Duration::from_secs(seconds.parse()?)))?;
            writeln!(std::io::stdout(), "{per_second:.0}")?;
            Ok(())
        }
        _ => Err("use: floor http PORT | floor insert FILE SECONDS".into()),
    }
}

async fn serve(port: u16) -> Result<(), Failed> {
    let factory = || App::new().default_service(web::post().to(answer));
    HttpServer::new(factory).workers(2).bind(("127.0.0.1", port))?.run().await?;
    Ok(())
}

async fn answer(body: web::Json<serde_json::Value>) -> HttpResponse {
    HttpResponse::Ok().json(body.0)
}

/// The table and indexes of executions, their payloads apart, one writer.
async fn insert(file: &str, lasting: Duration) -> Result<f64, Failed> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS executions (tenant_id BLOB, id BLOB, workflow_id BLOB, mode TEXT, status TEXT, \
         created_at INTEGER, started_at INTEGER, stopped_at INTEGER, PRIMARY KEY (tenant_id, id)) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS by_workflow ON executions (tenant_id, workflow_id, id);
         CREATE INDEX IF NOT EXISTS by_status ON executions (tenant_id, status, id);
         CREATE TABLE IF NOT EXISTS payloads (tenant_id BLOB, id BLOB, data BLOB, PRIMARY KEY (tenant_id, id))",
    )
    .execute(&mut connection)
    .await?;
    let (tenant, workflow, payload) = (Uuid::now_v7(), Uuid::now_v7(), vec![7_u8; PAYLOAD]);
    let (rows_sql, payloads_sql) = (statement("executions", 8), statement("payloads", 3));
    let (begun, mut stored) = (Instant::now(), 0_u32);
    while begun.elapsed() < lasting {
        let ids: Vec<Uuid> = (0..BATCH).map(|_| Uuid::now_v7()).collect();
        let mut transaction = connection.begin().await?;
        let (mut rows, mut payloads) =
            (sqlx::query(AssertSqlSafe(rows_sql.clone())), sqlx::query(AssertSqlSafe(payloads_sql.clone())));
        for id in ids {
            rows = rows.bind(tenant).bind(id).bind(workflow).bind("webhook").bind("success");
            rows = rows.bind(1_i64).bind(1_i64).bind(2_i64);
            payloads = payloads.bind(tenant).bind(id).bind(&payload);
            stored += 1;
        }
        rows.execute(&mut *transaction).await?;
        payloads.execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(f64::from(stored) / begun.elapsed().as_secs_f64())
}

/// One statement that inserts a batch.
fn statement(table: &str, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    format!("INSERT INTO {table} VALUES {}", vec![row; BATCH].join(","))
}
