//! The lock between tenants that PostgreSQL keeps by itself. SQLite has none, so these do nothing there.

use millrace::common::TenantId;
use millrace::infrastructure::database::{AcrossTenants, Backend};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use serde_json::json;

use crate::support::{TestServer, TestTenant};
use crate::workflows::{activated, greeting};

/// Tables that hold a tenant, and the column that says which.
const TENANT_TABLES: &str = "SELECT table_name, column_name FROM information_schema.columns \
     WHERE table_schema = current_schema() AND (column_name = 'tenant_id' OR table_name = 'tenants' AND column_name = 'id') \
     ORDER BY table_name";

/// Those of them that are locked as they should be.
const LOCKED: &str = "SELECT relname::text AS table_name FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid \
     WHERE relrowsecurity AND relforcerowsecurity AND polname = 'tenant_isolation' AND polcmd = '*' ORDER BY relname";

async fn rows(connection: &impl ConnectionTrait, sql: &str) -> Vec<sea_orm::QueryResult> {
    connection.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap()
}

async fn tenant_tables(connection: &impl ConnectionTrait) -> Vec<(String, String)> {
    let rows = rows(connection, TENANT_TABLES).await;
    rows.iter().map(|row| (row.try_get("", "table_name").unwrap(), row.try_get("", "column_name").unwrap())).collect()
}

/// Rows of a table that are this tenant's, or are not.
async fn count(connection: &impl ConnectionTrait, table: &str, condition: &str) -> i64 {
    let sql = format!("SELECT count(*) AS count FROM {table} WHERE {condition}");
    rows(connection, &sql).await[0].try_get("", "count").unwrap()
}

/// A connection that goes past the server, as a forgotten tenant would.
async fn raw(server: &TestServer) -> Option<DatabaseConnection> {
    if server.app.database.backend() != Backend::Postgres {
        return None;
    }
    Some(sea_orm::Database::connect(server.app.config.database.url.expose()).await.unwrap())
}

async fn with_rows(server: &TestServer, name: &str) -> TestTenant {
    let tenant = server.tenant(name).await;
    let id = activated(&tenant.developer, greeting("hello")).await;
    let path = format!("/api/v1/workflows/{id}/trigger");
    tenant.owner.post(&path, json!({ "wait": true })).await.expect(200);
    tenant
}

#[actix_web::test]
async fn every_table_with_a_tenant_is_locked() {
    let server = TestServer::start().await;
    let Some(raw) = raw(&server).await else { return };
    let locked: Vec<String> =
        rows(&raw, LOCKED).await.iter().map(|row| row.try_get("", "table_name").unwrap()).collect();
    let tables: Vec<String> = tenant_tables(&raw).await.into_iter().map(|(table, _)| table).collect();
    assert!(tables.len() > 15, "{tables:?}");
    assert_eq!(locked, tables, "call `isolate` in the migration that makes the table");
}

#[actix_web::test]
async fn a_session_sees_the_rows_of_its_tenant_and_no_other() {
    let server = TestServer::start().await;
    let Some(raw) = raw(&server).await else { return };
    let (acme, globex) = (with_rows(&server, "acme").await, with_rows(&server, "globex").await);
    let nobody = TenantId::new();
    let (mut seen_by_owner, mut seen_across) = (0, 0);
    for (table, column) in tenant_tables(&raw).await {
        assert_eq!(count(&raw, &table, "true").await, 0, "{table} without a tenant");
        for (tenant, other) in [(acme.id, globex.id), (globex.id, acme.id), (nobody, acme.id)] {
            let session = server.app.database.read(tenant);
            assert_eq!(count(&session, &table, &format!("{column} <> '{tenant}'")).await, 0, "{table}");
            assert_eq!(count(&session, &table, &format!("{column} = '{other}'")).await, 0, "{table}");
            seen_by_owner += count(&session, &table, "true").await;
        }
        seen_across += count(&server.app.database.read(AcrossTenants), &table, "true").await;
        // A setting ends with its transaction: the connection it was made on sees nothing again.
        assert_eq!(count(&raw, &table, "true").await, 0, "{table}");
    }
    assert!(seen_by_owner > 40, "there was something to see: {seen_by_owner}");
    assert_eq!(seen_by_owner, seen_across);
    raw.close().await.unwrap();
}

#[actix_web::test]
async fn a_session_cannot_write_or_take_over_rows_of_another_tenant() {
    let server = TestServer::start().await;
    let Some(raw) = raw(&server).await else { return };
    let (acme, globex) = (with_rows(&server, "acme").await, with_rows(&server, "globex").await);
    let own = server.app.database.write(acme.id);
    for (sql, changed) in [
        (format!("UPDATE workflows SET name = 'mine' WHERE tenant_id = '{}'", globex.id), 0),
        (format!("DELETE FROM executions WHERE tenant_id = '{}'", globex.id), 0),
        ("UPDATE workflows SET name = 'mine'".to_owned(), 1),
    ] {
        assert_eq!(own.execute_unprepared(&sql).await.unwrap().rows_affected(), changed, "{sql}");
    }
    let foreign = globex.id;
    for sql in [
        format!(
            "INSERT INTO tags (id, tenant_id, name, created_at, updated_at) VALUES ('{foreign}', '{foreign}', 'x', 0, 0)"
        ),
        format!("UPDATE workflows SET tenant_id = '{foreign}'"),
    ] {
        let refused = own.execute_unprepared(&sql).await.unwrap_err().to_string();
        assert!(refused.contains("row-level security"), "{refused}");
        assert!(raw.execute_unprepared(&sql).await.map_or(true, |done| done.rows_affected() == 0), "{sql}");
    }
    let read = server.app.database.read(acme.id);
    assert!(read.execute_unprepared("DELETE FROM workflows").await.is_err(), "reading sessions only read");
    assert_eq!(count(&server.app.database.read(globex.id), "workflows", "name = 'mine'").await, 0);
}

#[actix_web::test]
async fn a_transaction_that_looked_across_tenants_enters_one() {
    let server = TestServer::start().await;
    let Some(raw) = raw(&server).await else { return };
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let transaction = server.app.database.begin(AcrossTenants).await.unwrap();
    assert_eq!(count(&transaction, "tenants", "true").await, 2);
    transaction.enter(acme.id).await.unwrap();
    assert_eq!(count(&transaction, "tenants", "true").await, 1);
    assert_eq!(count(&transaction, "tenants", &format!("id = '{}'", globex.id)).await, 0);
    transaction.commit().await.unwrap();
    let session = raw.begin().await.unwrap();
    session.execute_unprepared(&format!("SET LOCAL app.tenant_id = '{}'", globex.id)).await.unwrap();
    assert_eq!(count(&session, "tenants", "true").await, 1);
}
