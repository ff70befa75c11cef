//! Brings the schema up to date. Safe to run from several replicas at once.

use millrace_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, SqlxPostgresConnector, TransactionTrait};
use sqlx::Executor;
use sqlx::postgres::{PgPool, PgPoolOptions};

use super::session::acquire_error;
use super::{Database, Pools};

/// Any number works, as long as every replica uses the same: names the lock that migrating replicas queue for.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(727281001)";

impl Database {
    /// Applies every migration that is missing.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        match &self.0 {
            Pools::Sqlite { writer, .. } => Migrator::up(writer, None).await,
            Pools::Postgres(connections) => {
                let connection = migrating(&connections.pool).await?;
                let lock = connection.begin().await?;
                lock.execute_unprepared(MIGRATION_LOCK).await?;
                Migrator::up(&connection, None).await?;
                lock.commit().await?;
                connection.close().await
            }
        }
    }

    /// Names of the migrations not yet applied, in order.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, DbErr> {
        let pending = match &self.0 {
            Pools::Sqlite { writer, .. } => Migrator::get_pending_migrations(writer).await?,
            Pools::Postgres(connections) => {
                Migrator::get_pending_migrations(&migrating(&connections.pool).await?).await?
            }
        };
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }
}

/// Connections of their own, which see all tenants' rows: a migration may have to change them.
async fn migrating(pool: &PgPool) -> Result<DatabaseConnection, DbErr> {
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute("SET app.across_tenants = 'on'").await.map(drop) })
        })
        .connect_with(pool.connect_options().as_ref().clone())
        .await
        .map_err(acquire_error)?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}
