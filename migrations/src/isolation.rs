//! Row-level security: the lock between tenants that PostgreSQL keeps whatever a query says. SQLite has none.

use sea_orm_migration::prelude::*;

/// Makes a table's rows their tenants'. Every migration that makes a table with a tenant in it calls this; a test fails
/// for a table that was forgotten. `column` says whose a row is.
///
/// The settings are made by `infrastructure::database` for each transaction. A session without them sees nothing and
/// writes nothing, the table's owner included. The subqueries are evaluated once per statement, not once per row.
pub(crate) async fn isolate(manager: &SchemaManager<'_>, table: &str, column: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != sea_orm::DbBackend::Postgres {
        return Ok(());
    }
    let statements = format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
         ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
         CREATE POLICY tenant_isolation ON {table} USING (
             {column} = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid)
             OR (SELECT current_setting('app.across_tenants', true) = 'on')
         )"
    );
    manager.get_connection().execute_unprepared(&statements).await.map(drop)
}
